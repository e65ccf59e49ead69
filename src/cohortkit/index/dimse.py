"""A DIMSE server as an index: C-FIND finds, C-GET brings objects, whose headers are read.

A server tells of few attributes, and one that is absent cannot be told from one that it does not
know: so rows are made of the objects themselves, and nothing is asked of it but which there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

import polars as pl

from cohortkit.dimse.address import Address
from cohortkit.dimse.find import find
from cohortkit.dimse.get import demand_services
from cohortkit.dimse.link import Peer
from cohortkit.dimse.series import Bringing, classes_of, plain
from cohortkit.errors import ServerError, Unanswerable
from cohortkit.index.dimse_rows import Rows, item_of
from cohortkit.index.served import WHOLE, ServedIndex
from cohortkit.index.served_ask import Term
from cohortkit.index.served_rows import Item, counted, told

_MOST: Final = 2_000  # objects of one answer, after which the server is stopped
_STUDY: Final = (
    "StudyInstanceUID",
    "PatientID",
    "StudyDate",
    "AccessionNumber",
    "StudyID",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
_SERIES: Final = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "BodyPartExamined",
    "SeriesDescription",
    "NumberOfSeriesRelatedInstances",
)
_FIRST: Final = dt.date(1970, 1, 1)
_CUT: Final = (
    "the server may have cut its answer short: ask for less, or ask its owner to lift the limit of "
    "answers to a query"
)


@dataclass(repr=False)
class Dimse:
    """A DIMSE server. Implements ``served.Server``.

    Attributes:
        peer: who is asked.
        sure: an answer with fewer objects was not cut, since a longer one was given.
        studies_held: every study, of a server that has few.
        counts: of each study that it offered, how many series it says it has.
        series_held: how many series it has; 0 where that is not sure.
        limited: whether it cuts answers, or refuses to be asked for all studies.
        relational: whether series can be asked for without their study.
        some: keys of a question for some of its studies, where it refuses that for all.
    """

    peer: Peer
    sure: int = 0
    studies_held: frozenset[str] = frozenset()
    counts: dict[str, int] = field(default_factory=dict)
    series_held: int = 0
    limited: bool = False
    relational: bool = False
    some: dict[str, str] = field(default_factory=dict)
    backend: ClassVar[str] = "DIMSE"
    at_once: ClassVar[int] = 1
    small: ClassVar[int] = 5_000
    most: ClassVar[int] = 100_000

    @property
    def location(self) -> str:
        """``dimse://OUR_AE@host:port/ITS_AE``."""
        return self.peer.address.location

    def examine(self) -> None:
        """Find out how long an answer may be, and whether answers are cut.

        Raises:
            ServerError: no answer, also for the studies of a day.
        """
        try:
            studies, whole = self._found("STUDY", _STUDY, {}, _MOST)
        except ServerError:
            studies, whole = self._part(), False
        series, each = self._series()
        self.relational = bool(series)
        self.sure = max(len(studies), len(series))
        if not whole:
            return
        held = _studies_of(studies)
        parts = [self._found("STUDY", _STUDY, {"StudyDate": p}, _MOST)[0] for p in _parts(studies)]
        self.limited = not all(_studies_of(some) <= held for some in (*parts, series))
        if self.limited:  # a part offers what the whole did not
            return
        self.studies_held = held
        stated = [counted(one, "NumberOfStudyRelatedSeries") for one in studies]
        if each and all(stated) and sum(stated) == len(series):
            self.series_held = len(series)

    def _series(self) -> tuple[list[Item], bool]:
        """Series of all studies, if the server can be asked so; and whether these are all."""
        try:
            found, whole = self._found("SERIES", _SERIES, {}, _MOST)
        except ServerError:
            return [], False
        return [one for one in found if told(one, "StudyInstanceUID")], whole

    def _part(self) -> list[Item]:
        """Studies of some days, of a server that refuses to be asked for all: the latest it tells.

        Raises:
            ServerError: it refuses that for each single day, too.
        """
        self.limited = True
        first, last = _FIRST.toordinal(), dt.datetime.now().astimezone().toordinal()
        refused: ServerError | None = None
        while first <= last:
            middle = (first + last + 1) // 2
            since, until = (f"{dt.date.fromordinal(day):%Y%m%d}" for day in (middle, last))
            self.some = {"StudyDate": f"{since}-{until}"}
            try:
                found, _ = self._found("STUDY", _STUDY, self.some, _MOST, tries=1)
            except ServerError as error:
                refused, first = error, middle + (first == middle)
                continue
            if found:
                return found
            last = middle - 1
        raise refused or ServerError(
            "the server does not tell of its studies, nor of those of a day"
        )

    def studies(self, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All studies for these terms, or the first ``most``.

        Raises:
            ServerError: no answer, or one that may have been cut short.
            Unanswerable: there are too many.
        """
        keys = dict(terms) or self.some
        found, whole = self._found("STUDY", _STUDY, keys, most or _MOST)
        for one in found:
            count = counted(one, "NumberOfStudyRelatedSeries")
            self.counts[told(one, "StudyInstanceUID")] = count
        if most and not (whole and terms):
            return found
        self._demand_whole(terms, whole=whole)
        if self.studies_held:
            self._demand_known(found)
        elif found and len(found) >= self.sure:
            raise ServerError(_CUT)
        return found

    def series(self, study: str, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All series for these terms, of one study or (``""``) of all.

        Raises:
            ServerError: no answer, one that may have been cut short, or one of another study.
            Unanswerable: there are too many.
        """
        keys = dict(terms) | ({"StudyInstanceUID": plain(study)} if study else {})
        found, whole = self._found("SERIES", _SERIES, keys, most or _MOST)
        if study and any(told(one, "StudyInstanceUID") not in {"", study} for one in found):
            raise ServerError("the server answers with another study than asked")
        if most and not whole:
            return found
        self._demand_whole(terms, whole=whole)
        there = self.counts.get(study, 0) if study else self.series_held
        if len(found) >= self.sure and len(found) != there:
            raise ServerError(_CUT)
        if not study and not all(told(one, "StudyInstanceUID") for one in found):
            raise ServerError("the server does not say of which study a series is")
        return found

    def objects(self, study: str, series: str) -> pl.DataFrame:
        """One row an object of a series.

        Raises:
            ServerError: no answer, or one that is none.
            TaskFailure, Refusal: what came is not what was asked for, or cannot be read.
        """
        classes = classes_of(self.peer, study, series)
        rows = Rows(study, series)
        Bringing(self.peer, study, series, rows.keep, lambda: rows.lacking(classes)).all(classes)
        return rows.frame()

    def _found(
        self, level: str, wanted: Sequence[str], keys: dict[str, str], most: int, tries: int = 0
    ) -> tuple[list[Item], bool]:
        """What is offered, each object once, and whether the server came to its end."""
        peer = replace(self.peer, tries=tries) if tries else self.peer
        answer = find(peer, level, dict.fromkeys(wanted, "") | keys, most)
        uid = "StudyInstanceUID" if level == "STUDY" else "SeriesInstanceUID"
        items = [item_of(one, wanted) for one in answer.items]
        if not all(told(one, uid) for one in items):
            raise ServerError(f"the server's answer has an object without {uid}")
        once = {str(sorted(one.items())): one for one in items}
        return list(once.values()), answer.whole

    def _demand_known(self, found: Sequence[Item]) -> None:
        """Refuse a study that was not among all studies: these were cut."""
        uids = _studies_of(found)
        if not uids <= self.studies_held:
            raise ServerError("the server has studies that it had not: open it again")

    def _demand_whole(self, terms: Sequence[Term], *, whole: bool) -> None:
        if not whole:
            raise Unanswerable(
                terms[0][0] if terms else "everything",
                f"the server offers more than {_MOST:,} for it; add a term",
            )


@dataclass(frozen=True, repr=False, eq=False)
class DimseIndex(ServedIndex):
    """A DIMSE server as an index, as ``ServedIndex`` is one."""

    @classmethod
    def open(cls, location: str, *, whole: int = WHOLE) -> DimseIndex:
        """Connect, and find out what the server can be asked.

        Args:
            location: ``dimse://OUR_AE@host:port/ITS_AE``.
            whole: how many studies a server may have to be read whole.

        Raises:
            ServerError: it cannot be reached, does not let us in, offers no study, or cuts answers.
            UsageError: the address is none.
            MissingDependency: pynetdicom is not installed.
        """
        return cls.at(Peer(Address.of(location)), whole=whole)

    @classmethod
    def at(cls, peer: Peer, *, whole: int = WHOLE) -> DimseIndex:
        """The same of a server that is treated in another way.

        Raises:
            ServerError: as ``open``.
        """
        server = Dimse(peer)
        demand_services(peer)
        server.examine()
        return cls.connected(server, whole)


def _studies_of(items: Sequence[Item]) -> frozenset[str]:
    return frozenset(told(one, "StudyInstanceUID") for one in items) - {""}


def _parts(studies: Sequence[Item]) -> list[str]:
    """Two ranges of Study Date that hold all studies with a date, about as many each."""
    days = sorted(day for one in studies if (day := told(one, "StudyDate")).isdecimal())
    middle = days[len(days) // 2] if days else ""
    try:
        next_day = dt.datetime.strptime(middle, "%Y%m%d").date() + dt.timedelta(1)  # noqa: DTZ007 - a day
    except (ValueError, OverflowError):
        return []
    return [f"-{middle}", f"{next_day:%Y%m%d}-"]
