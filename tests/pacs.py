"""A small real DIMSE server, that answers as it is told."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, evt

from cohortkit.dimse.address import Address
from cohortkit.dimse.link import Peer

VERIFY = "1.2.840.10008.1.1"
FIND, GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
CT = "1.2.840.10008.5.1.4.1.1.2"
UIDS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
Act = Callable[["Pacs", evt.Event], Iterator[tuple[int, Dataset | None]]]


@dataclass
class Pacs:
    """A server that answers by rights, until it is told otherwise.

    Attributes:
        objects: what it holds, each with file meta.
        most: objects of one answer, whatever there is; 0 is all.
        deaf: keywords that it does not look at.
        mute: keywords for which it answers with nothing and success.
        finds: what happens instead to the nth C-FIND (-1: each) of a level.
        gets: what happens instead to the nth C-GET (-1: each).
        asked: level and keys of each question; ``GET`` is a C-GET.
    """

    objects: list[Dataset]
    most: int = 0
    deaf: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    finds: dict[tuple[str, int], Act] = field(default_factory=dict)
    gets: dict[int, Act] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        """Answer a C-FIND."""
        level = event.identifier.QueryRetrieveLevel
        number = sum(one == level for one, _ in self.asked)
        self.asked.append((level, _keys(event.identifier)))
        usual = self.finds.get((level, -1), Pacs.found)
        yield from self.finds.get((level, number), usual)(self, event)

    def found(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        """What a server does."""
        asked, seen = event.identifier, set()
        level = asked.QueryRetrieveLevel
        for one in self.objects:
            said = self.told(one, level)
            uid = said[UIDS[level]]
            if uid in seen or not self._fits(said, _keys(asked)):
                continue
            if event.is_cancelled:
                yield 0xFE00, None
                return
            seen.add(uid)
            if self.most and len(seen) > self.most:
                return
            answer = Dataset()
            answer.QueryRetrieveLevel = level
            for element in asked:
                if element.keyword in said:
                    setattr(answer, element.keyword, said[element.keyword])
            yield 0xFF00, answer

    def told(self, one: Dataset, level: str) -> dict[str, str]:
        """What is said of an object at a level."""
        same = [o for o in self.objects if o[UIDS[level]].value == one[UIDS[level]].value]
        said = {e.keyword: str(e.value) for e in one if e.VR != "SQ" and e.keyword != "PixelData"}
        return said | {
            "NumberOfStudyRelatedInstances": str(len(same)),
            "NumberOfSeriesRelatedInstances": str(len(same)),
            "NumberOfStudyRelatedSeries": str(len({o.SeriesInstanceUID for o in same})),
        }

    def _fits(self, said: dict[str, str], keys: dict[str, str]) -> bool:
        wanted = {word: text for word, text in keys.items() if text}
        if wanted.keys() & self.mute:
            return False
        return all(
            _like(said.get(word, ""), text)
            for word, text in wanted.items()
            if word not in self.deaf
        )

    def get(self, event: evt.Event) -> Iterator[Any]:
        """Answer a C-GET."""
        number = sum(one == "GET" for one, _ in self.asked)
        self.asked.append(("GET", _keys(event.identifier)))
        usual = self.gets.get(-1, Pacs.given)
        yield from self.gets.get(number, usual)(self, event)

    def given(self, event: evt.Event) -> Iterator[Any]:
        """What a server does."""
        keys = _keys(event.identifier)
        there = [
            one for one in self.objects if all(str(one[k].value) == v for k, v in keys.items())
        ]
        yield len(there)
        yield from ((0xFF00, one) for one in there)


def _keys(identifier: Dataset) -> dict[str, str]:
    words = {e.keyword: "" if e.is_empty else str(e.value) for e in identifier}
    return {word: text for word, text in words.items() if word != "QueryRetrieveLevel"}


def _like(value: str, text: str) -> bool:
    if text.count("-") == 1 and text.replace("-", "").isdecimal():
        low, high = text.split("-")
        return (low or "0") <= value <= (high or "9")
    return fnmatchcase(value, text)


def aborting(after: int = 0) -> Act:
    """Aborts the association, after so many objects."""

    def act(pacs: Pacs, event: evt.Event) -> Iterator[Any]:
        yield from islice(_either(pacs, event), after + _is_get(event))
        event.assoc.abort()

    return act


def _is_get(event: evt.Event) -> bool:
    return event.event is evt.EVT_C_GET


def _either(pacs: Pacs, event: evt.Event) -> Iterator[Any]:
    return pacs.given(event) if _is_get(event) else pacs.found(event)


def hanging(seconds: float) -> Act:
    """Says nothing for a while."""

    def act(pacs: Pacs, event: evt.Event) -> Iterator[Any]:
        time.sleep(seconds)
        yield from _either(pacs, event)

    return act


def ending(status: int, after: int | None = 0) -> Act:
    """Ends with a status, after so many objects."""

    def act(pacs: Pacs, event: evt.Event) -> Iterator[Any]:
        usual = list(_either(pacs, event))
        if _is_get(event):
            yield usual[0] or 1  # of none the library says success
            usual = usual[1:]
        yield from usual[:after]
        yield status, None if not _is_get(event) else Dataset()

    return act


def sending(objects: list[Dataset]) -> Act:
    """Sends these, whatever was asked for."""

    def act(_: Pacs, __: evt.Event) -> Iterator[Any]:
        yield len(objects)
        yield from ((0xFF00, one) for one in objects)

    return act


def only(one: Dataset, act: Act) -> Act:
    """Does so where it is asked for this study, and else what a server does."""

    def chosen(pacs: Pacs, event: evt.Event) -> Iterator[Any]:
        meant = event.identifier.get("StudyInstanceUID") == one.StudyInstanceUID
        yield from act(pacs, event) if meant else _either(pacs, event)

    return chosen


@contextmanager
def serving(
    pacs: Pacs,
    tls: ssl.SSLContext | None = None,
    offers: tuple[str, ...] = (VERIFY, FIND, GET),
    **options: object,
) -> Iterator[Peer]:
    """A real server, and how it is treated; ``options`` are of pynetdicom's entity."""
    entity = AE(ae_title="PACS")
    for name, value in options.items():
        setattr(entity, name, value)
    entity.supported_contexts = [build_context(one) for one in offers]
    for sop_class in sorted({str(one.SOPClassUID) for one in pacs.objects}):
        syntaxes = sorted({one.file_meta.TransferSyntaxUID for one in pacs.objects})
        entity.add_supported_context(sop_class, syntaxes, scu_role=True, scp_role=True)
    handlers = [(evt.EVT_C_FIND, pacs.find), (evt.EVT_C_GET, pacs.get)]
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls
    )
    port = server.socket.getsockname()[1]
    scheme = "dimse+tls" if tls else "dimse"
    where = Address.of(f"{scheme}://COHORTKIT@127.0.0.1:{port}/PACS")
    try:
        yield Peer(where, patience=5, tries=2, back_off=0.01)
    finally:
        server.shutdown()
