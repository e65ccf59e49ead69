"""The fast header reader of the scan: wanted values only, up to the last wanted tag.

Little endian, explicit or implicit, elements in ascending order: that is walked here with
``struct``. Whatever else a file is (big endian, deflated, out of order, of odd encoding) is read
by ``loader`` with pydicom. Both ways end in the same conversion, and a test holds them equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from struct import Struct

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from cohortkit.dicom.layout import LONG_VRS, SHORT_VRS, find_start, plain_syntax
from cohortkit.dicom.loader import read_header, reading
from cohortkit.dicom.quiet import quiet
from cohortkit.dicom.values import Decoder, Field, Unparsable, Value, parse
from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

_HEAD = 16 * 1024
_WINDOW = 64 * 1024
_MAX_VALUE = 1024 * 1024
_MAX_DEPTH = 64
_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_CHARSET = 0x00080005
_SOP_CLASS = 0x00080016
_SOP_INSTANCE = 0x00080018
_explicit = Struct("<HH2sH").unpack_from
_implicit = Struct("<HHL").unpack_from
_long = Struct("<L").unpack_from
_UID = re.compile(rb" *[0-2](?:\.(?:0|[1-9][0-9]*))+[ \0]*")
_Found = dict[int, tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Issue:
    """A value that could not be parsed. Identified: ``raw`` is the value as it stands."""

    keyword: str
    problem: str
    raw: str


@dataclass(slots=True)
class Header:
    """The wanted values of one file, in the order of the reader's fields."""

    values: list[Value]
    transfer_syntax: str
    media_class: str = ""
    issues: list[Issue] = field(default_factory=list)


class _NotFast(Exception):  # noqa: N818 - no error: the other way is taken
    """The file is not of the plain kind."""


class HeaderReader:
    """Reads the same fields from many files.

    Args:
        fields: what is wanted; the values come in this order.
        fast: whether the fast way is tried at all.
    """

    def __init__(self, fields: Sequence[Field], *, fast: bool = True) -> None:
        self.fields = tuple(fields)
        self._wanted = frozenset({f.tag for f in fields} | {_CHARSET, _SOP_CLASS, _SOP_INSTANCE})
        self._last = max(self._wanted)
        self._fast = fast

    def read(self, path: str | Path) -> Header:
        """Read one file.

        Raises:
            Refusal: as ``loader.read_header``.
            TaskFailure: as ``loader.read_header``.
        """
        if self._fast:
            try:
                with reading(), FileIO(path) as file:
                    return self._read_fast(file)
            except _NotFast:
                pass
        return self._read_whole(path)

    def _read_fast(self, file: FileIO) -> Header:
        head = file.read(_HEAD)
        try:
            start = find_start(head)
        except Refusal as refusal:
            if refusal.reason is Reason.TRUNCATED:
                raise _NotFast from None
            raise
        if start.deflated or not start.little:
            raise _NotFast
        walk = _Walk(file, head, start.dataset, implicit=start.implicit)
        found = walk.collect(self._wanted, self._last)
        if not all(_is_uid(found.get(tag)) for tag in (_SOP_CLASS, _SOP_INSTANCE)):
            raise _NotFast  # rare, and to be looked at with more care
        return self._header(found, start.transfer_syntax, little=True)

    def _read_whole(self, path: str | Path) -> Header:
        dataset, _ = read_header(path)
        meta = dataset.file_meta
        implicit, little = (flag is not False for flag in dataset.original_encoding)
        with reading(), quiet():
            stated = str(meta.get("TransferSyntaxUID", "") or "")
            syntax = stated or plain_syntax(implicit=implicit, little=little)
            found = {tag: _raw(dataset, tag) for tag in self._wanted if tag in dataset}
            header = self._header(found, syntax, little=little)
        header.media_class = str(meta.get("MediaStorageSOPClassUID", "") or "")
        return header

    def _header(self, found: _Found, syntax: str, *, little: bool) -> Header:
        decode = Decoder(found[_CHARSET][1] if _CHARSET in found else b"")
        header = Header([], syntax)
        for wanted in self.fields:
            if wanted.tag not in found:
                header.values.append(None)
                continue
            vr, raw = found[wanted.tag]
            if not vr or vr == "UN":
                vr = wanted.vr
            try:
                header.values.append(parse(wanted, raw, vr, little=little, decode=decode))
            except Unparsable as wrong:
                header.values.append(None)
                header.issues.append(Issue(wanted.keyword, str(wrong), raw.decode("latin-1")))
            if decode.lossy:
                decode.lossy = False
                header.issues.append(Issue(wanted.keyword, "bad-text", raw.decode("latin-1")))
        return header


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


class _Walk:
    """One pass over the elements of a plain little-endian file, through a sliding window."""

    def __init__(self, file: FileIO, head: bytes, at: int, *, implicit: bool) -> None:
        self._file = file
        self._data = head
        self._at = at  # in the window
        self._base = 0  # of the window in the file
        self._element = self._implicit_element if implicit else self._explicit_element

    def collect(self, wanted: frozenset[int], last: int) -> _Found:
        """VR and bytes of the wanted elements.

        Raises:
            _NotFast: something is not plain.
        """
        found: _Found = {}
        before = -1
        while self._more(8):
            tag, vr, length = self._element()
            if tag > last and tag >> 16 != 0xFFFE:  # noqa: PLR2004 - a stray delimiter
                break
            if tag <= before or tag > last:
                raise _NotFast
            before = tag
            if length == _UNDEFINED:
                self._skip_sequence(vr)
            elif tag in wanted:
                if length > _MAX_VALUE or not self._more(length):
                    raise _NotFast
                found[tag] = vr, self._data[self._at : self._at + length]
                self._at += length
            else:
                self._at += length
        return found

    def _explicit_element(self) -> tuple[int, str, int]:
        """Tag, VR and length of the element here; stands at its value afterwards."""
        group, number, vr, length = _explicit(self._data, self._at)
        self._at += 8
        if vr in SHORT_VRS:
            return group << 16 | number, vr.decode(), length
        tag = group << 16 | number
        if vr in LONG_VRS:
            if not self._more(4):
                raise _NotFast
            length = _long(self._data, self._at)[0]
            self._at += 4
            return tag, vr.decode(), length
        if group == 0xFFFE:  # noqa: PLR2004 - items have no VR
            return tag, "", _long(self._data, self._at - 4)[0]
        raise _NotFast

    def _implicit_element(self) -> tuple[int, str, int]:
        group, number, length = _implicit(self._data, self._at)
        self._at += 8
        return group << 16 | number, "", length

    def _more(self, need: int) -> bool:
        """Have so many bytes from here in the window; False at the very end of the file."""
        if self._at + need <= len(self._data):
            return True
        self._base += self._at
        self._at = 0
        self._file.seek(self._base)
        self._data = self._file.read(max(need, _WINDOW))
        if len(self._data) >= need:
            return True
        if self._data or self._base > self._file.seek(0, 2):
            raise _NotFast  # cut in the middle: the other way says how
        return False

    def _skip_sequence(self, vr: str) -> None:
        """Step over a sequence of undefined length, to behind its end."""
        if vr not in {"SQ", ""}:
            raise _NotFast
        open_items = [False]  # for each open sequence, whether one of its items is open
        while open_items:
            if len(open_items) > _MAX_DEPTH or not self._more(8):
                raise _NotFast
            tag, vr, length = self._element()
            inside = open_items[-1]
            if tag == (_ITEM_END if inside else _SEQUENCE_END):
                if inside:
                    open_items[-1] = False
                else:
                    open_items.pop()
            elif not inside and tag != _ITEM:
                raise _NotFast
            elif length != _UNDEFINED:
                self._at += length
            elif not inside:
                open_items[-1] = True
            elif vr in {"SQ", ""}:
                open_items.append(False)
            else:
                raise _NotFast
