"""The fast header reader of the scan: wanted values only, up to the last wanted tag.

Little endian, explicit or implicit, elements in ascending order: that is walked here with
``struct``. Whatever else a file is (big endian, deflated, out of order, of odd encoding) is read
by ``loader`` with pydicom. Both ways end in the same conversion, and a test holds them equal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import FileIO
from typing import cast

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from cohortkit.dicom.ahead import Opened, open_head
from cohortkit.dicom.elements import Found, NotPlain, Walk
from cohortkit.dicom.layout import find_start, plain_syntax
from cohortkit.dicom.loader import Openable, read_header, reading
from cohortkit.dicom.quiet import quiet
from cohortkit.dicom.runs import Runs
from cohortkit.dicom.values import Decoder, Field, Unparsable, Value, parse
from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

_MEMO = 1024  # values kept for each field
_MEMO_ENCODINGS = 16
_CHARSET = 0x00080005
_NAMES = (0x00080016, 0x00080018)  # SOP class and instance
_PARENTS = (0x0020000D, 0x0020000E)  # study and series
_PIXELS = 0x7FE00000
_UID = re.compile(rb" *[0-2](?:\.(?:0|[1-9][0-9]*))+[ \0]*")


@dataclass(frozen=True, slots=True)
class Issue:
    """A value that could not be parsed. Identified: ``raw`` is the value as it stands."""

    keyword: str
    problem: str
    raw: str


@dataclass(slots=True)
class Header:
    """The wanted values of one file, in the order of the reader's fields.

    Attributes:
        last: the last tag of the data set, 0 of an empty one; None where it was not looked for.
    """

    values: list[Value]
    transfer_syntax: str
    media_class: str = ""
    issues: list[Issue] = field(default_factory=list)
    last: int | None = None


class HeaderReader:
    """Reads the same fields from many files.

    Args:
        fields: what is wanted; the values come in this order.
        fast: whether the fast way is tried at all.
    """

    def __init__(self, fields: Sequence[Field], *, fast: bool = True) -> None:
        self.fields = tuple(fields)
        self._wanted = frozenset({f.tag for f in fields} | {_CHARSET, *_NAMES, *_PARENTS})
        self._last = max(self._wanted)
        self._fast = fast
        self._places = {f.tag: (place, f) for place, f in enumerate(self.fields)}
        self._runs = {implicit: Runs(self._wanted) for implicit in (False, True)}
        self._memo = _Memo(len(self.fields))

    def read(self, path: str | Openable, opened: Callable[[], Opened] | None = None) -> Header:
        """Read one file.

        Args:
            path: the file, or a member of a container, which is opened already.
            opened: gives the open file and its first bytes, where it was opened ahead.

        Raises:
            Refusal: as ``loader.read_header``.
            TaskFailure: as ``loader.read_header``.
        """
        if self._fast:
            try:
                with reading():
                    file, head = opened() if opened else open_head(os.fspath(cast("str", path)))
                    with file:
                        return self._read_fast(file, head)
            except NotPlain:
                pass
        return self._read_whole(path)

    def _read_fast(self, file: FileIO, head: bytes) -> Header:
        try:
            start = find_start(head)
        except Refusal as refusal:
            if refusal.reason is Reason.TRUNCATED:
                raise NotPlain from None
            raise
        if start.deflated or not start.little:
            raise NotPlain
        walk = Walk(file, head, start.dataset, implicit=start.implicit)
        found = walk.collect(self._runs[start.implicit], self._last)
        named = all(_is_uid(found.get(tag)) for tag in _NAMES)
        if not named or any(tag not in found for tag in _PARENTS):
            raise NotPlain  # rare, and to be looked at with more care
        return self._header(found, start.transfer_syntax, little=True)

    def _read_whole(self, path: str | Openable) -> Header:
        dataset, place = read_header(path)
        meta = dataset.file_meta
        implicit, little = (flag is not False for flag in dataset.original_encoding)
        with reading(), quiet():
            stated = str(meta.get("TransferSyntaxUID", "") or "")
            syntax = stated or plain_syntax(implicit=implicit, little=little)
            found = {tag: _raw(dataset, tag) for tag in self._wanted if tag in dataset}
            header = self._header(found, syntax, little=little)
        header.media_class = str(meta.get("MediaStorageSOPClassUID", "") or "")
        header.last = _PIXELS if place else max(map(int, dataset.keys()), default=0)
        return header

    def _header(self, found: Found, syntax: str, *, little: bool) -> Header:
        decode = Decoder(found[_CHARSET][1] if _CHARSET in found else b"")
        memo = self._memo[decode.named, little]
        header = Header([None] * len(self.fields), syntax)
        for tag, element in found.items():
            if tag not in self._places:
                continue
            place, wanted = self._places[tag]
            known = memo[place]
            if element in known:
                header.values[place] = known[element]
                continue
            before = len(header.issues)
            header.values[place] = _typed(wanted, element, header, decode, little=little)
            if before == len(header.issues) and len(known) < _MEMO:
                known[element] = header.values[place]
        return header


class _Memo(dict[tuple[str, bool], list[dict[tuple[str, bytes], Value]]]):
    """Values that were parsed before: most of a header is the same in all files of a series.

    By character set and byte order, then by place of the field, then by VR and bytes.
    """

    def __init__(self, fields: int) -> None:
        super().__init__()
        self._fields = fields

    def __missing__(self, encoding: tuple[str, bool]) -> list[dict[tuple[str, bytes], Value]]:
        if len(self) > _MEMO_ENCODINGS:
            self.clear()
        self[encoding] = [{} for _ in range(self._fields)]
        return self[encoding]


def _typed(
    wanted: Field, element: tuple[str, bytes], header: Header, decode: Decoder, *, little: bool
) -> Value:
    """The typed value; what is wrong with it goes to the header's issues."""
    vr, raw = element
    if not vr or vr == "UN":
        vr = wanted.vr
    value: Value = None
    try:
        value = parse(wanted, raw, vr, little=little, decode=decode)
    except Unparsable as wrong:
        header.issues.append(Issue(wanted.keyword, str(wrong), raw.decode("latin-1")))
    if decode.lossy:
        decode.lossy = False
        header.issues.append(Issue(wanted.keyword, "bad-text", raw.decode("latin-1")))
    return value


def _is_uid(element: tuple[str, bytes] | None) -> bool:
    return element is not None and _UID.fullmatch(element[1]) is not None


def _raw(dataset: Dataset, tag: int) -> tuple[str, bytes]:
    """VR and bytes of an element as pydicom left it: raw, or converted on the way."""
    element = dataset.get_item(tag)
    if not isinstance(element, DataElement):
        return element.VR or "", element.value or b""
    if element.VR == "SQ":
        return "SQ", b""
    if element.value is None:
        return element.VR, b""
    values = element.value if element.VM > 1 else [element.value]
    return element.VR, "\\".join(map(str, values)).encode("latin-1", "replace")
