"""Reading element values without pydicom's conversion, which logs what it does not like.

A value is text, bytes, items or not understood (None). Text is decoded strictly: what its
character set cannot decode is not guessed, because a guess could be half a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydicom import charset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items

from cohortkit.deidentify.identities import normalise
from cohortkit.dicom.quiet import quiet

Element = DataElement | RawDataElement

ONE_VALUE = frozenset({"ST", "LT", "UT", "UR"})
"""Text in which a backslash is a letter (PS3.5 6.4)."""
TEXTS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"})
TEXTS |= ONE_VALUE
IN_CHARACTER_SET = frozenset({"LO", "SH", "PN", "ST", "LT", "UC", "UT"})
"""VRs that Specific Character Set is about (PS3.5 6.1.2.3); the others are ASCII."""
SIZES = {
    "AT": 4, "FL": 4, "FD": 8, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
    "OB": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8, "UN": 1,
}  # fmt: skip
"""Bytes of one number of a binary VR; a value of another length is not understood."""

_CHARACTER_SET = 0x00080005
_ESCAPE = b"\x1b"
_DELIMITERS = {0x0A, 0x0C, 0x0D, 0x09, 0x5C, 0x5E, 0x3D}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")


def texts(element: Element, vr: str, encodings: Sequence[str]) -> list[str] | None:
    """The values of a text element, trimmed; None if they cannot be read.

    Args:
        element: as it lies in the dataset.
        vr: its effective VR, one of `TEXTS`.
        encodings: Python codecs of the dataset's Specific Character Set.
    """
    value = element.value
    if value is None:
        return []
    if isinstance(value, bytes):
        text = _decoded(value, encodings if vr in IN_CHARACTER_SET else ("ascii",))
        values = None if text is None else ([text] if vr in ONE_VALUE else text.split("\\"))
    else:
        values = _listed(value)
    if values is None:
        return None
    trimmed = [one.strip("\0 ") for one in values]
    if any(_FORBIDDEN.search(one) for one in trimmed):
        return None
    return [] if trimmed == [""] else trimmed


def identifiers(element: Element, encodings: Sequence[str]) -> list[str]:
    """The values of an identifier, whatever is in them: they are keyed, never shown."""
    value = element.value
    if isinstance(value, bytes):
        codec = encodings[0] if encodings else "ascii"
        text = _decoded(value, encodings) or value.decode(codec, "replace")
        return [normalise(one) for one in text.split("\\")]
    if isinstance(value, Items):
        return []  # a sequence where an identifier should be holds none
    return [normalise(one) for one in _listed("" if value is None else value)]


def _listed(value: object) -> list[str]:
    """Each of several values as text; a name can be iterated over, but is one value."""
    if isinstance(value, MultiValue | list | tuple):
        return [str(one) for one in value]
    return [str(value)]


def is_ascii(element: Element) -> bool:
    """Whether the raw bytes mean the same in every character set that DICOM knows."""
    value = element.value
    return isinstance(value, bytes) and value.isascii() and _ESCAPE not in value


def is_binary(element: Element, vr: str) -> bool:
    """Whether the value is what a binary VR holds: whole numbers of it, or bytes."""
    value, size = element.value, SIZES[vr]
    if value is None:
        return True
    if isinstance(value, bytes):
        return len(value) % size == 0
    many = value if isinstance(value, MultiValue | list | tuple) else [value]
    return all(isinstance(one, int | float) for one in many)


def encodings_of(dataset: Dataset, inherited: Sequence[str]) -> tuple[str, ...]:
    """Python codecs of (0008,0005), or those of the dataset around it.

    A character set that no one knows leaves ASCII: what is beyond it will not be understood.
    """
    element = dataset.get_item(_CHARACTER_SET) if _CHARACTER_SET in dataset else None
    if element is None:
        return tuple(inherited)
    names = texts(element, "CS", ()) or [""]
    known = [charset.python_encoding.get(name) for name in names]
    if known[0] is None:
        return ("ascii",)
    return tuple(codec for codec in known if codec is not None)


def _decoded(value: bytes, encodings: Sequence[str]) -> str | None:
    if value.isascii() and _ESCAPE not in value:
        return value.decode("ascii")
    codec = encodings[0] if encodings else "ascii"
    if _ESCAPE in value:
        with quiet():  # unknown escapes; a replacement character is seen
            return charset.decode_bytes(value, list(encodings) or ["ascii"], _DELIMITERS)
    try:
        return value.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None
