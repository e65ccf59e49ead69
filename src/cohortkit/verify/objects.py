"""A DICOM file taken apart for the search: all values but samples, text also as text.

This is a reader of its own, and it trusts nothing: what does not parse to the last byte is
searched as bytes, and so is whatever lies before and behind the elements. Only their tags,
representations and lengths are left out, which are numbers of at most four bytes in a row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.valuerep import TEXT_VR_DELIMS

from cohortkit.dicom.layout import EXPLICIT_BIG, LONG_VRS, SHORT_VRS, Start, find_start
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal
from cohortkit.model import Scalar
from cohortkit.pixels.codestreams import told

Buffer = bytes | memoryview

_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_CHARACTER_SET = 0x00080005
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 64
_DAY = 8
_PREAMBLE = 132  # with its prefix
_HEAD = 8  # bytes of an element's head, by which its encoding is known
_NAMES = {vr: vr.decode() for vr in (*SHORT_VRS, *LONG_VRS)}
_META = (1 << 12, 1 << 20)  # file meta ends mostly within a few bytes
_REPEATED = 256  # bytes: of longer values the digest is remembered
_IN_CHARACTER_SET = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
_TEXT = _IN_CHARACTER_SET | {"AE", "AS", "CS", "UI", "UR"}
_FIGURES = frozenset({"DS", "IS"})
_DATES = frozenset({"DA", "DT", "TM"})
_BINARY = {
    "UL": (4, "L"),
    "SL": (4, "l"),
    "UV": (8, "Q"),
    "SV": (8, "q"),
    "US": (2, "H"),
    "FL": (4, "f"),
    "FD": (8, "d"),
}
_FEW = 64  # numbers in one value: more are a table of measurements
_CLOCK = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d|60)(\.\d{1,6})?", re.ASCII)


Key = tuple[int, str, bytes, tuple[str, ...]]
"""An element as it was read: tag, representation, value (or its digest), character sets."""


class Size(NamedTuple):
    """How much of an element there is to search: letters of its cells, and bytes (None: none)."""

    letters: int
    raw: int | None


@dataclass(slots=True, repr=False)
class Parts:
    """What a DICOM file is to be searched for.

    Attributes:
        cells: values of text, date and number elements, each behind its keyword (a private
            element has none).
        rest: all other values that are no samples, and what is no element, in their order.
        fresh: elements that stand here for the first time.
        letters: of the cells that were left out, for their elements stood in a file that was
            clean; ``raw`` the bytes, out of ``known`` values.
    """

    cells: list[tuple[str, Scalar]] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    fresh: dict[Key, Size] = field(default_factory=dict)
    letters: int = 0
    raw: int = 0
    known: int = 0


class _Broken(Exception):  # noqa: N818 - no error: the file is searched as bytes
    """The bytes are no elements."""


def parts(data: Buffer, clean: Mapping[Key, Size] = MappingProxyType({})) -> Parts:
    """The file taken apart. What is not understood is in ``rest`` as it is, samples and all.

    Args:
        data: the file.
        clean: elements that were searched for the same person, and are left out.
    """
    found = Parts()
    start = _start(data)
    if start is None:
        return Parts(rest=[bytes(data)])
    if start.deflated:
        return Parts(rest=[bytes(data), _inflated(bytes(data[start.dataset :]))])
    meta = _Walk(data, False, True, found, clean)  # noqa: FBT003 - explicit, little endian
    walk = _Walk(data, start.implicit, start.transfer_syntax != EXPLICIT_BIG, found, clean)
    try:
        first = _PREAMBLE if start.preamble else 0
        found.rest.append(bytes(data[:first]))
        behind = meta.elements(first, start.dataset, ("ascii",), 0)
        found.rest.append(bytes(data[behind : start.dataset]))
        end = walk.elements(start.dataset, len(data), ("iso8859",), 0)
    except (_Broken, struct.error):
        return Parts(rest=[bytes(data)])
    found.rest.append(bytes(data[end:]))
    return found


def _start(data: Buffer) -> Start | None:
    """Where the data set begins; None where nothing says so."""
    for enough in _META:
        try:
            start = find_start(bytes(data[:enough]))
        except Refusal:
            continue
        if start.dataset + _HEAD <= min(enough, len(data)):
            return start
    return None


def _inflated(data: bytes) -> bytes:
    """A deflated data set (PS3.5 A.5) as bytes, as far as it can be read."""
    try:
        return zlib.decompressobj(-15).decompress(data)
    except zlib.error:
        return b""


class _Walk:
    """One pass over the elements of a file."""

    def __init__(
        self,
        data: Buffer,
        implicit: bool,  # noqa: FBT001 - two flags of the encoding
        little: bool,  # noqa: FBT001 - the same
        found: Parts,
        clean: Mapping[Key, Size],
    ) -> None:
        self._clean = clean
        self._data, self._implicit, self._found = data, implicit, found
        self._little = little
        order = "<" if little else ">"
        self._short = struct.Struct(f"{order}HH2sH").unpack_from
        self._plain = struct.Struct(f"{order}HHI").unpack_from
        self._long = struct.Struct(f"{order}I").unpack_from

    def elements(self, at: int, end: int, encodings: tuple[str, ...], depth: int) -> int:
        """Walk to ``end``, or to behind the delimiter of an item; the place is the answer."""
        if depth > _DEEPEST:
            raise _Broken
        while at < end:
            tag, vr, length, value = self._head(at, end)
            if tag in {_ITEM_END, _SEQUENCE_END}:
                return value
            if tag in _PIXELS and (length == _UNDEFINED or not depth):  # an icon's are searched
                at = self._samples(value, length, end)
            elif vr == "SQ" or (vr in {"UN", ""} and length == _UNDEFINED):
                at = self._sequence(value, length, end, encodings, depth)
            elif length == _UNDEFINED or value + length > end:
                raise _Broken
            else:
                raw = bytes(self._data[value : value + length])
                if tag == _CHARACTER_SET:
                    encodings = _encodings(raw)
                self._leaf(tag, vr or _looked_up(tag), raw, encodings)
                at = value + length
        return at

    def _head(self, at: int, end: int) -> tuple[int, str, int, int]:
        """Tag, representation, length, and where the value begins."""
        if at + 8 > end:
            raise _Broken
        if self._implicit:
            group, number, length = self._plain(self._data, at)
            return group << 16 | number, "", length, at + 8
        group, number, vr, length = self._short(self._data, at)
        tag = group << 16 | number
        if group == 0xFFFE:  # noqa: PLR2004 - items have no representation
            return tag, "", self._long(self._data, at + 4)[0], at + 8
        if vr in SHORT_VRS:
            return tag, _NAMES[vr], length, at + 8
        if vr not in LONG_VRS or at + 12 > end:
            raise _Broken
        return tag, _NAMES[vr], self._long(self._data, at + 8)[0], at + 12

    def _sequence(
        self, at: int, length: int, end: int, encodings: tuple[str, ...], depth: int
    ) -> int:
        stop = end if length == _UNDEFINED else at + length
        if stop > end:
            raise _Broken
        while at < stop:
            tag, _, size, value = self._head(at, stop)
            if tag == _SEQUENCE_END:
                return value
            if tag != _ITEM:
                raise _Broken
            inside = stop if size == _UNDEFINED else value + size
            at = self.elements(value, inside, encodings, depth + 1)
        return at

    def _samples(self, at: int, length: int, end: int) -> int:
        """Step over native samples; of fragments, all but the coded samples is looked at."""
        if length != _UNDEFINED:
            if at + length > end:
                raise _Broken
            return at + length
        while True:
            tag, _, size, value = self._head(at, end)
            if tag == _SEQUENCE_END:
                return value
            if tag != _ITEM or value + size > end:
                raise _Broken
            self._found.rest.append(told(bytes(self._data[value : value + size])))
            at = value + size

    def _leaf(self, tag: int, vr: str, raw: bytes, encodings: tuple[str, ...]) -> None:
        """A value as cells where it is text; what could be read in two ways is bytes as well."""
        said = raw if len(raw) <= _REPEATED else hashlib.blake2b(raw).digest()
        key = (tag, vr, said, encodings)
        known = self._clean.get(key)
        if known is not None:
            self._found.letters += known.letters
            if known.raw is not None:
                self._found.raw += known.raw
                self._found.known += 1
            return
        cells, plain = _leaf(tag, vr, raw, encodings, self._little)
        self._found.cells += cells
        if not plain:
            self._found.rest.append(raw)
        letters = sum(len(str(cell)) for _, cell in cells)
        self._found.fresh[key] = Size(letters, None if plain else len(raw))


def _leaf(
    tag: int,
    vr: str,
    raw: bytes,
    encodings: tuple[str, ...],
    little: bool,  # noqa: FBT001 - an encoding
) -> tuple[Sequence[tuple[str, Scalar]], bool]:
    """The cells of a value, and whether there is no other way to read it."""
    if vr in _DATES | _FIGURES | _TEXT:
        texts = _texts(raw, encodings if vr in _IN_CHARACTER_SET else ("ascii",))
        if texts is None:
            return (), False
        cells = tuple((_keyword(tag), _cell(vr, text)) for text in texts)
        return cells, raw.isascii() and b"\x1b" not in raw and b"\0" not in raw.rstrip(b"\0")
    if vr in _BINARY:
        return tuple((_keyword(tag), one) for one in _figures(vr, raw, little)), False
    return (), False


def _figures(vr: str, raw: bytes, little: bool) -> Sequence[Scalar]:  # noqa: FBT001 - an encoding
    """The numbers of a binary value that may be somebody's: not of a table of them."""
    size, code = _BINARY[vr]
    count = len(raw) // size
    if not 0 < count <= _FEW or len(raw) % size:
        return ()
    return struct.unpack(f"{'<' if little else '>'}{count}{code}", raw)


@lru_cache(maxsize=4096)
def _keyword(tag: int) -> str:
    return keyword_for_tag(tag)


@lru_cache(maxsize=4096)
def _looked_up(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


@lru_cache(maxsize=64)
def _encodings(raw: bytes) -> tuple[str, ...]:
    names = [name.strip() for name in raw.decode("latin-1").strip("\0 ").split("\\")]
    with quiet():
        try:
            return tuple(convert_encodings(names if len(names) > 1 else names[0]))
        except (LookupError, ValueError):
            return ("iso8859",)


def _texts(raw: bytes, encodings: Sequence[str]) -> list[str] | None:
    """The values, and the whole where there are several; None where they cannot be decoded."""
    if raw.isascii() and b"\x1b" not in raw:
        text = raw.decode("ascii")
    else:
        with quiet():
            try:
                text = decode_bytes(raw, list(encodings), TEXT_VR_DELIMS)
            except (UnicodeError, LookupError):
                return None
    whole = text.strip("\0 ")
    values = [one.strip("\0 ") for one in whole.split("\\")]
    return values if len(values) == 1 else [*values, whole]


def _cell(vr: str, text: str) -> Scalar:
    """The value as what it is, so that it is compared as such; text where it is no such thing."""
    reader = _READERS.get(vr)
    try:
        return text if reader is None else reader(text)
    except ValueError:
        return text


def _day(text: str) -> Scalar:
    if len(text) != _DAY:
        return text
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _moment(text: str) -> Scalar:
    return _day(text[:_DAY]) if text[:_DAY].isdigit() and len(text) >= _DAY else text


def _clock(text: str) -> Scalar:
    """A time of day, which is no date in six figures."""
    return dt.time(int(text[:2]), int(text[2:4])) if _CLOCK.fullmatch(text) else text


_READERS: Mapping[str, Callable[[str], Scalar]] = {
    "DA": _day,
    "DT": _moment,
    "TM": _clock,
    "IS": int,
    "DS": float,
}
