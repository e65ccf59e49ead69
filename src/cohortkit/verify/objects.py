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

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.valuerep import TEXT_VR_DELIMS

from cohortkit.dicom.layout import EXPLICIT_BIG, LONG_VRS, SHORT_VRS, Start, find_start
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal
from cohortkit.model import Scalar
from cohortkit.pixels.codestreams import told
from cohortkit.verify.memory import HEAD, Encodings, Extent, Key, Memory, Size

Buffer = bytes | memoryview

_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_CHARACTER_SET = 0x00080005
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_ENDS = frozenset({_ITEM_END, _SEQUENCE_END})
_NO_TAG = -1
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


@dataclass(slots=True, repr=False)
class Parts:
    """What a DICOM file is to be searched for.

    Attributes:
        cells: values of text, date and number elements, each behind its keyword (a private
            element has none).
        rest: all other values that are no samples, and what is no element, in their order.
        known: what is left out, for it stood in a file that was clean.
    """

    cells: list[tuple[str, Scalar]] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    known: Extent = field(default_factory=Extent)


class _Broken(Exception):  # noqa: N818 - no error: the file is searched as bytes
    """The bytes are no elements."""


def parts(data: Buffer, memory: Memory | None = None) -> Parts:
    """The file taken apart. What is not understood is in ``rest`` as it is, samples and all.

    Args:
        data: the file.
        memory: of files that were searched for the same person, whose elements are left out.
    """
    memory = memory or Memory()
    memory.begin()
    found = Parts()
    start = _start(data)
    if start is None:
        return Parts(rest=[bytes(data)])
    if start.deflated:
        return Parts(rest=[bytes(data), _inflated(bytes(data[start.dataset :]))])
    meta = _Walk(data, False, True, found, memory.meta)  # noqa: FBT003 - explicit, little endian
    walk = _Walk(data, start.implicit, start.transfer_syntax != EXPLICIT_BIG, found, memory)
    try:
        first = _PREAMBLE if start.preamble else 0
        meta.beside(bytes(data[:first]))
        behind = meta.top(first, start.dataset, ("ascii",))
        meta.beside(bytes(data[behind : start.dataset]))
        end = walk.top(start.dataset, len(data), ("iso8859",))
    except (_Broken, struct.error):
        memory.begin()
        return Parts(rest=[bytes(data)])
    walk.beside(bytes(data[end:]))
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
        memory: Memory,
    ) -> None:
        self._memory, self._seen = memory, Extent()
        self._data, self._implicit, self._found = data, implicit, found
        self._little = little
        order = "<" if little else ">"
        self._short = struct.Struct(f"{order}HH2sH").unpack_from
        self._plain = struct.Struct(f"{order}HHI").unpack_from
        self._long = struct.Struct(f"{order}I").unpack_from

    def top(self, at: int, end: int, encodings: Encodings) -> int:
        """Walk over a data set itself: what stood so in the objects before is taken at once."""
        memory, data = self._memory, self._data
        memory.encoded(implicit=self._implicit, little=self._little)
        while at < end:
            run = memory.runs.get(bytes(data[at : at + HEAD]))
            if run is not None and run.encodings == encodings:
                behind = at + len(run.data)
                if bytes(data[at:behind]) == run.data:
                    self._found.known.add(run.extent)
                    memory.met.append(run)
                    at = behind
                    continue
            begin, before = at, self._seen.copy()
            tag, at, encodings = self._element(at, end, encodings, 0)
            if tag in _ENDS:
                return at
            if tag in _PIXELS or tag == _CHARACTER_SET:
                memory.met.append(None)
            else:
                extent = self._seen.since(before)
                memory.element(tag, bytes(data[begin:at]), encodings, extent)
        return at

    def elements(self, at: int, end: int, encodings: Encodings, depth: int) -> int:
        """Walk to ``end``, or to behind the delimiter of an item; the place is the answer."""
        if depth > _DEEPEST:
            raise _Broken
        while at < end:
            tag, at, encodings = self._element(at, end, encodings, depth)
            if tag in _ENDS:
                return at
        return at

    def _element(
        self, at: int, end: int, encodings: Encodings, depth: int
    ) -> tuple[int, int, Encodings]:
        """Walk over one element: its tag, what is behind it, and how text is written from there."""
        tag, vr, length, value = self._head(at, end)
        if tag in _ENDS:
            at = value
        elif tag in _PIXELS and (length == _UNDEFINED or not depth):  # an icon's are searched
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
        return tag, at, encodings

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

    def _sequence(self, at: int, length: int, end: int, encodings: Encodings, depth: int) -> int:
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

    def beside(self, raw: bytes) -> None:
        """What is no element: a preamble, or what lies behind."""
        key = (_NO_TAG, "", _said(raw), ())
        if not self._knows(key) and raw:
            self._found.rest.append(raw)
            self._memory.fresh[key] = Size(0, len(raw))
        elif not raw:
            self._found.known.values += 1

    def _leaf(self, tag: int, vr: str, raw: bytes, encodings: Encodings) -> None:
        """A value as cells where it is text; what could be read in two ways is bytes as well."""
        key = (tag, vr, _said(raw), encodings)
        if self._knows(key):
            return
        cells, plain = _leaf(tag, vr, raw, encodings, self._little)
        self._found.cells += cells
        if not plain:
            self._found.rest.append(raw)
        size = Size(sum(len(str(cell)) for _, cell in cells), None if plain else len(raw))
        self._memory.fresh[key] = size
        _count(self._seen, size)

    def _knows(self, key: Key) -> bool:
        """Whether it stood in an object that was clean; then it is counted as known."""
        size = self._memory.clean.get(key)
        if size is None:
            return False
        _count(self._found.known, size)
        _count(self._seen, size)
        return True


def _said(raw: bytes) -> bytes:
    return raw if len(raw) <= _REPEATED else hashlib.blake2b(raw).digest()


def _count(extent: Extent, size: Size) -> None:
    extent.letters += size.letters
    if size.raw is not None:
        extent.raw += size.raw
        extent.values += 1


def _leaf(
    tag: int,
    vr: str,
    raw: bytes,
    encodings: Encodings,
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
