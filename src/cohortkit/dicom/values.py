"""From the bytes of a value to a typed one: dates, times, numbers, text (PS3.5 6.2).

What cannot be parsed is never guessed: it raises ``Unparsable``, and the caller says so.
Text is decoded here only where one line of Python does what pydicom does (ASCII, Latin 1,
UTF-8); every other character set is pydicom's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Final

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.valuerep import TEXT_VR_DELIMS, PersonName

from cohortkit.dicom.keywords import is_multiple, tag_of, vr_of
from cohortkit.dicom.quiet import quiet

Plain = str | int | float | date | time | None
Value = Plain | list[Plain]

_PADDING: Final = b"\0 "
_INT64: Final = 1 << 63
_CACHE: Final = 1 << 14
_ESCAPE: Final = 0x1B
_BINARY: Final = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_FAST_CHARSETS: Final = {
    "": "latin-1",
    "ISO_IR 6": "latin-1",
    "ISO_IR 100": "latin-1",
    "ISO_IR 192": "utf-8",
}
_CHARSET_VRS: Final = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
_ONE_TEXT: Final = frozenset({"ST", "LT", "UT", "UR"})  # a backslash is a character in these
_TEXT: Final = frozenset({"AE", "AS", "CS", "DT", "UI"}) | _CHARSET_VRS
_NUMBER: Final = frozenset({"DS", "FL", "FD"})
_INTEGER: Final = frozenset({"IS", "US", "SS", "UL", "SL"})


class Unparsable(ValueError):  # noqa: N818 - named for what it says
    """A value that is not of its type; the message is a closed word, never the value."""


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute that is wanted as a typed value.

    Attributes:
        vr: the dictionary's value representation, which decides the type.
        multiple: whether the value is a list.
    """

    keyword: str
    tag: int
    vr: str
    multiple: bool


def field(keyword: str) -> Field:
    """The field of a keyword, typed by the dictionary.

    Raises:
        ValueError: no such keyword, or no single plain type.
    """
    tag, vr = tag_of(keyword), vr_of(keyword)
    if tag is None or vr is None or vr not in _TEXT | _NUMBER | _INTEGER | {"DA", "TM"} | _ONE_TEXT:
        raise ValueError(f"{keyword} is no attribute of a plain type")
    return Field(keyword, tag, vr, is_multiple(keyword) and vr not in _ONE_TEXT)


class Decoder:
    """Text decoding by Specific Character Set (PS3.3 C.12.1.1.2).

    Attributes:
        named: the character set as the data set names it.
        lossy: whether a value could not be decoded without replacement.
    """

    __slots__ = ("_encodings", "_fast", "lossy", "named")

    def __init__(self, named: bytes = b"") -> None:
        self.named = named.decode("latin-1").strip("\0 ")
        self._fast = _FAST_CHARSETS.get(self.named)
        self._encodings: list[str] | None = None
        self.lossy = False

    def __call__(self, raw: bytes) -> str:
        """The text of these bytes."""
        if self._fast is not None and _ESCAPE not in raw:
            try:
                return raw.decode(self._fast)
            except UnicodeDecodeError:
                self.lossy = True
        with quiet():
            if self._encodings is None:
                words = [word.strip() for word in self.named.split("\\")]
                self._encodings = convert_encodings(words if len(words) > 1 else words[0])
            text = decode_bytes(raw, self._encodings, TEXT_VR_DELIMS)
        self.lossy = self.lossy or "\N{REPLACEMENT CHARACTER}" in text
        return text


def parse(field: Field, raw: bytes, vr: str, *, little: bool, decode: Decoder) -> Value:
    """The typed value, or None where there is none.

    Args:
        field: what is wanted.
        raw: the bytes of the value.
        vr: value representation in the file; the dictionary's where the file has none or UN.
        little: whether binary numbers are little endian.
        decode: the decoder of the data set's character set.

    Raises:
        Unparsable: the value is not of the field's type.
    """
    wanted = field.vr
    if vr == "SQ" and raw:
        raise Unparsable("wrong-type")
    if vr in _BINARY:
        return _binary(field, raw, _BINARY[vr], little=little)
    if wanted in _TEXT or wanted in _ONE_TEXT:
        text = decode(raw) if vr in _CHARSET_VRS else _latin(raw)
        return _texts(field, text)
    single = _SINGLE[wanted]
    stripped = _bare(raw)
    if not stripped:
        return None
    if not field.multiple:
        return single(stripped)
    members = [single(_bare(member)) for member in stripped.split(b"\\")]
    return members if any(member is not None for member in members) else None


def _bare(raw: bytes) -> bytes:
    """A number, date or time without its padding; a NUL before it is none, but damage."""
    return raw.rstrip(_PADDING).lstrip(b" ")


def _texts(field: Field, text: str) -> Value:
    if field.vr in _ONE_TEXT:
        return text.rstrip("\0 ") or None
    if field.vr == "UI":
        bare = (member.rstrip("\0 ").strip() for member in text.split("\\"))
        text = "\\".join(bare)  # without line ends too, as pydicom does
    if "\\" not in text and not field.multiple:
        text = text.strip("\0 ")
        if field.vr == "PN" and "=" in text:
            text = str(PersonName(text))
        return text or None
    members = [member.strip("\0 ") for member in text.split("\\")]
    if field.vr == "PN":
        members = [str(PersonName(member)) for member in members]
    if not any(members):
        return None
    return [*members] if field.multiple else "\\".join(members)


def _binary(field: Field, raw: bytes, code: str, *, little: bool) -> Value:
    if field.vr not in _NUMBER and field.vr not in _INTEGER:
        raise Unparsable("wrong-type")
    size = struct.calcsize("<" + code)
    if len(raw) % size:
        raise Unparsable("wrong-length")
    if not raw:
        return None
    numbers = struct.unpack(f"{'<' if little else '>'}{len(raw) // size}{code}", raw)
    values = [_typed(field, number) for number in numbers]
    if field.multiple:
        return values
    if len(values) > 1:
        raise Unparsable("several-values")
    return values[0]


def _typed(field: Field, number: float) -> Plain:
    if not math.isfinite(number):
        raise Unparsable("not-a-number")
    if field.vr in _NUMBER:
        return float(number)
    if number != int(number):
        raise Unparsable("not-an-integer")
    return int(number)


@lru_cache(_CACHE)
def _latin(raw: bytes) -> str:
    return raw.decode("latin-1")


@lru_cache(_CACHE)
def _number(raw: bytes) -> float | None:
    if not raw:
        return None
    try:
        number = float(raw)
    except ValueError:
        raise Unparsable("several-values" if b"\\" in raw else "not-a-number") from None
    if not math.isfinite(number) or b"_" in raw:  # Python reads 1_0 as ten
        raise Unparsable("not-a-number")
    return number


@lru_cache(_CACHE)
def _integer(raw: bytes) -> int | None:
    try:
        number = int(raw)
    except ValueError:
        as_float = _number(raw)
        if as_float is None:
            return None
        if not as_float.is_integer():
            raise Unparsable("not-an-integer") from None
        number = int(as_float)
    if b"_" in raw or not -_INT64 <= number < _INT64:
        raise Unparsable("not-an-integer")
    return number


@lru_cache(_CACHE)
def _date(raw: bytes) -> date:
    digits = raw
    if len(raw) == 10 and raw[4:5] == raw[7:8] == b".":  # noqa: PLR2004 - ACR-NEMA: 1993.08.22
        digits = raw.replace(b".", b"")
    if len(digits) != 8 or not digits.isdigit():  # noqa: PLR2004 - YYYYMMDD
        raise Unparsable("several-values" if b"\\" in raw else "not-a-date")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise Unparsable("not-a-date") from None


@lru_cache(_CACHE)
def _time(raw: bytes) -> time:
    digits, _, fraction = raw.replace(b":", b"").partition(b".")  # ACR-NEMA had colons
    whole = len(digits) in {2, 4, 6} and digits.isdigit()
    if not whole or len(fraction) > 6 or (fraction and not fraction.isdigit()):  # noqa: PLR2004 - microseconds
        raise Unparsable("several-values" if b"\\" in raw else "not-a-time")
    digits = digits.ljust(6, b"0")
    try:
        return time(
            int(digits[:2]), int(digits[2:4]), int(digits[4:]), int(fraction.ljust(6, b"0"))
        )
    except ValueError:
        raise Unparsable("not-a-time") from None


_SINGLE: Final[dict[str, Callable[[bytes], Plain]]] = {
    "DA": _date,
    "TM": _time,
    **dict.fromkeys(_NUMBER, _number),
    **dict.fromkeys(_INTEGER, _integer),
}
