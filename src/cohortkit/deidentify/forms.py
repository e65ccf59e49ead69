"""Whether text has the form of its VR (PS3.5 6.2): what breaks it may be free text in disguise."""

from __future__ import annotations

import re

from cohortkit.deidentify import dates

_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,11}", re.ASCII)
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
# Characters a value; where files are known to exceed the standard, the most that is believed
_LONGEST = {
    "AE": 16, "DS": 32, "LO": 64, "LT": 10240, "PN": 324, "SH": 64, "ST": 1024, "UC": 1024,
    "UI": 64, "UR": 1024, "UT": 65534,
}  # fmt: skip


def well_formed(values: list[str], vr: str, *, loose: bool) -> bool:
    """Whether every value has the form of its VR; an empty value always has.

    Args:
        values: trimmed.
        vr: a text VR but AS.
        loose: a rule of the recipe keeps the attribute: text and codes may be what they are.
            Numbers and dates that are none are not understood all the same.
    """
    filled = [one for one in values if one]
    match vr:
        case "DA" | "DT" | "TM":
            return dates.shift(filled, vr, 0) is not None
        case "DS":
            return all(len(v) <= _LONGEST[vr] and _DECIMAL.fullmatch(v) for v in filled)
        case "IS":
            return all(_is_integer(v) for v in filled)
        case "CS":
            return loose or all(_CODE.fullmatch(v) for v in filled)
        case _:
            return loose or all(len(v) <= _LONGEST[vr] for v in filled)


def _is_integer(value: str) -> bool:
    return bool(_INTEGER.fullmatch(value)) and _INT_MIN <= int(value) <= _INT_MAX
