"""Numbers out of one data set, as its bytes say them; nothing is converted in place.

Absent or empty is None. What is there and is no number is NaN, so that it is refused later by
name and never taken for absent.
"""

from __future__ import annotations

import datetime as dt
import math
import struct
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from cohortkit.model.facts import Orientation, Triple

_TEXT_VRS = frozenset({"DS", "IS", "CS", "TM", "DA", "DT", "LO", "SH", "LT", "UI", "ST", "UT"})
_FORMS = {"FL": "f", "FD": "d", "SS": "h", "US": "H", "SL": "i", "UL": "I"}
_SIZES = {vr: struct.calcsize(form) for vr, form in _FORMS.items()}
_MOST_VALUES = 4096
_UNREADABLE = (
    BytesLengthException,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom raises on a value that is not what the file calls it; of a sequence that is none,
that it cannot read a file."""
_NOTHING = (math.nan,) * 6


def floats(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    """The values as numbers, NaN for each that is none; None where there is none at all."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return floats_at(dataset, tag)


def floats_at(dataset: Dataset, tag: int, vr: str = "") -> tuple[float, ...] | None:
    """The same by tag; ``vr`` is what a private element is where the file does not say."""
    values = _values(dataset, tag, vr)
    if not values:
        return None
    return tuple(_number(value) for value in values[:_MOST_VALUES])


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a number."""
    values = floats(dataset, keyword)
    return values[0] if values else None


def triple(values: tuple[float, ...] | None) -> Triple | None:
    """Three numbers; NaN for each where their count is another."""
    if values is None:
        return None
    first, second, third = values if len(values) == 3 else _NOTHING[:3]  # noqa: PLR2004 - x, y, z
    return first, second, third


def pair(values: tuple[float, ...] | None) -> tuple[float, float] | None:
    """Two numbers; NaN for each where their count is another."""
    if values is None:
        return None
    first, second = values if len(values) == 2 else _NOTHING[:2]  # noqa: PLR2004 - rows, columns
    return first, second


def orientation(values: tuple[float, ...] | None) -> Orientation | None:
    """Six numbers; NaN for each where their count is another."""
    if values is None:
        return None
    a, b, c, d, e, f = values if len(values) == 6 else _NOTHING  # noqa: PLR2004 - two directions
    return a, b, c, d, e, f


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value as an integer; None where it is absent or not one."""
    return whole(number(dataset, keyword))


def whole(value: float | None) -> int | None:
    """The number as an integer; None where it is not one."""
    if value is None or not math.isfinite(value) or value != int(value):
        return None
    return int(value)


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values as upper-case text without blanks; empty where there is none."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return tuple(_text(value).upper() for value in _values(dataset, tag))


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; empty where there is none."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return items_at(dataset, tag)


def items_at(dataset: Dataset, tag: int) -> tuple[Dataset, ...]:
    """The items of a sequence by tag; none where it is no sequence."""
    if _held(dataset, tag) is None:
        return ()
    try:
        value = dataset[tag].value
    except _UNREADABLE:
        return ()
    if not isinstance(value, Sequence):
        return ()
    return tuple(value)


def private(dataset: Dataset, group: int, creator: str, element: int) -> int | None:
    """The tag of a private element: where its creator reserved a block (PS3.5 7.8.1)."""
    for block in range(0x10, 0x100):
        tag = group << 16 | block
        if _held(dataset, tag) is None:
            if block > 0x20:  # noqa: PLR2004 - blocks are dense in real files
                return None
            continue
        held = _values(dataset, tag, "LO")
        if held and _text(held[0]).casefold() == creator.casefold():
            return group << 16 | block << 8 | element
    return None


def raw(dataset: Dataset, tag: int) -> bytes:
    """The bytes of an element whose value is bytes; empty where it is none."""
    value = getattr(_held(dataset, tag), "value", None)
    return value if isinstance(value, bytes) else b""


def seconds(date: str, time: str) -> float | None:
    """Seconds since the year 1 from DA and TM text; without a date, since midnight."""
    clock = time.replace(":", "")
    try:
        hours, minutes = int(clock[:2]), int(clock[2:4] or 0)
        second = float(clock[4:] or 0)
        days = 0
        if date:
            plain = date.replace(".", "")
            days = dt.date(int(plain[:4]), int(plain[4:6]), int(plain[6:8])).toordinal()
    except (ValueError, OverflowError):
        return None
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= second < 61):  # noqa: PLR2004 - clock
        return None
    return days * 86400.0 + hours * 3600 + minutes * 60 + second


def text(dataset: Dataset, keyword: str) -> str:
    """The first value as text; empty where there is none. For parsing only: it goes nowhere."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return text_at(dataset, tag)


def text_at(dataset: Dataset, tag: int, vr: str = "") -> str:
    """The same by tag; ``vr`` is what a private element is where the file does not say."""
    values = _values(dataset, tag, vr)
    return _text(values[0]) if values else ""


def _values(dataset: Dataset, tag: int, vr: str = "") -> list[Any]:
    element = _held(dataset, tag)
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        held = element.VR
        if held in {None, "UN"}:
            held = vr or (dictionary_VR(tag) if dictionary_has_tag(tag) else "")
        if held in _TEXT_VRS:
            stripped = element.value.strip(b" \0")
            return list(stripped.split(b"\\")) if stripped else []
        if vr and element.VR in {None, "UN"}:
            return _unpacked(element.value, vr)
        if held in _FORMS and element.value and not len(element.value) % _SIZES[held]:
            return _unpacked(element.value, held, little=element.is_little_endian)
    if element is None:
        return []
    return _converted(dataset, tag)


def _converted(dataset: Dataset, tag: int) -> list[Any]:
    """The values as pydicom converts them."""
    try:
        value = dataset[tag].value
    except _UNREADABLE:
        return [math.nan]
    if isinstance(value, Sequence):  # the file's word for what is none; to show it would read it
        return [math.nan]
    if value is None or (isinstance(value, str | bytes) and not value):
        return []
    if isinstance(value, list | tuple | MultiValue):
        return list(value)
    return [value]


def _unpacked(value: bytes, vr: str, *, little: bool = True) -> list[Any]:
    """Numbers of a binary VR; those whose VR a file left out are little endian (PS3.5 6.2.2)."""
    form = _FORMS.get(vr)
    if form is None:
        return []
    size = struct.calcsize(form)
    count = len(value) // size
    order = "<" if little else ">"
    return list(struct.unpack(f"{order}{count}{form}", value[: count * size]))


def _held(dataset: Dataset, tag: int) -> DataElement | RawDataElement | None:
    """The element as it lies; asking the data set itself makes a tag of every number first."""
    return dataset._dict.get(tag)  # type: ignore[call-overload, no-any-return] # noqa: SLF001 - for speed; a tag is a number


def _text(value: object) -> str:
    decoded = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return decoded.strip(" \0\t\r\n")


def _number(value: object) -> float:
    if isinstance(value, bytes | str):
        try:
            return float(_text(value))
        except ValueError:
            return math.nan
    try:
        return float(value)  # type: ignore[arg-type]  # anything else is caught just below
    except (TypeError, ValueError, OverflowError):
        return math.nan
