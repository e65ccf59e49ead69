"""Value representations by what they can hold, which decides what passes outside the table."""

from __future__ import annotations

from enum import Enum

from pydicom import datadict

TEMPORAL = frozenset({"DA", "DT", "TM"})
DATED = frozenset({"DA", "DT"})
FREE_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
"""What is written in words, and can be cleaned."""
CHECKED = frozenset({"CS", "DS", "IS"})
"""Text encodings of a closed form: a value that breaks the form is free text in disguise."""


class Holds(Enum):
    """What attributes of a VR can hold."""

    NUMBER = "numbers"
    CODE = "code strings"
    SEQUENCE = "items"
    UID = "UIDs"
    TEXT = "text"
    BULK = "bytes"
    PERSONAL = "dates, times, ages, names, addresses"


_HOLDS = {
    vr: holds
    for holds, names in (
        (Holds.NUMBER, "DS IS FL FD SL SS SV UL US UV AT"),
        (Holds.CODE, "CS"),
        (Holds.SEQUENCE, "SQ"),
        (Holds.UID, "UI"),
        (Holds.TEXT, "LO SH ST LT UT UC"),
        (Holds.BULK, "OB OW OF OD OL OV UN"),
        (Holds.PERSONAL, "DA TM DT AS PN UR AE"),
    )
    for vr in names.split()
}
KNOWN = frozenset(_HOLDS)


def kinds(vr: str) -> frozenset[Holds]:
    """What a VR can hold; an ambiguous one (``"US or SS"``) several; an unknown one bytes."""
    return frozenset(_HOLDS.get(part, Holds.BULK) for part in vr.split(" or "))


def agree(file_vr: str, known_vr: str) -> bool:
    """Whether a file's VR is no surprise: the same, or one that holds the same."""
    if file_vr in known_vr.split(" or "):
        return True
    return "UN" not in (file_vr, known_vr) and kinds(file_vr) == kinds(known_vr)


def of_tag(tag: int) -> str:
    """The dictionary's VR of a standard attribute; empty where it has none."""
    return datadict.dictionary_VR(tag) if datadict.dictionary_has_tag(tag) else ""


def keyword_of(tag: int) -> str:
    """The dictionary's keyword of a standard attribute; empty where it has none."""
    return datadict.keyword_for_tag(tag)
