"""The usual spellings of names, identifiers and dates. Pure; everything comes back casefolded."""

from __future__ import annotations

import re
import unicodedata
from itertools import permutations

SEPARATORS = (" ", ", ", ",", "^", "_", "-", ".", "")

ORDINARY = frozenset(
    """
    abdomen anonymous anonymized anonymised ankle arm axial baby body brain breast cardiac cervical
    chest child clinic control coronal demo deidentified dev dummy elbow extremity eye face female
    foot hand head heart hip hospital image kidney knee leg liver lumbar lung male mouse name neck
    none null other pancreas patient pelvis phantom plastic prostate qa qc removed research sagittal
    series shoulder skull spine study subject test thorax unknown volunteer water whole wrist xxx
    cr ct dx ecg mg mr nm ot pet pt px rf rg sc seg sr us xa original primary secondary derived
    localizer yes no
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Words of the trade and placeholders: alone they name nobody, so alone they are left out."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_FEW, _LONG = 6, 6


def fold(text: str) -> str:
    """The form in which everything is compared: NFC, casefolded."""
    return unicodedata.normalize("NFC", text).casefold()


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _accents(text: str) -> set[str]:
    return {text, _plain(text), text.translate(_UMLAUTS)}


def _components(group: str) -> list[str]:
    parts = [" ".join(part.split()) for part in group.split("^")[:3]]
    return [part for part in parts if part]


def name_in_full(raw: str) -> set[str]:
    """The spellings of a whole person name (PS3.5 6.2.1): orders, separators, accents.

    Initials alone are not among them; the title and suffix are left out.
    """
    found: set[str] = set()
    for group in fold(raw).replace("\0", "").split("="):
        found |= _accents(group.strip("^ "))
        parts = _components(group)
        for count in range(2, len(parts) + 1):
            for order in permutations(parts, count):
                for separator in SEPARATORS:
                    found |= _accents(separator.join(order))
    return {text for text in found if text}


def name_parts(raw: str) -> set[str]:
    """The components of a person name and the words in them, each alone."""
    found: set[str] = set()
    for group in fold(raw).replace("\0", "").split("="):
        for part in _components(group):
            found |= _accents(part)
            for word in words(part):
                if len(word) > 2 and not word.isdigit():  # noqa: PLR2004 - initials or a title
                    found |= _accents(word)
    return found


def words(text: str) -> set[str]:
    """The runs of letters and digits in a folded text."""
    return set(_WORD.findall(text))


def identifier(raw: str) -> set[str]:
    """An identifier as written, with other separators or none, and without leading zeros.

    A number of six digits or more in it is a spelling too: the prefix is often left out.
    """
    text = fold(raw).replace("\0", "").strip()
    runs = _WORD.findall(text)
    found = {text, "".join(runs)}
    if len(runs) <= _FEW:
        found |= {separator.join(runs) for separator in ("-", "_", " ", ".", "/")}
    found |= {run for run in _DIGITS.findall(text) if len(run) >= _LONG}
    for form in tuple(found):
        short = form.lstrip("0")
        if len(short) > 3:  # noqa: PLR2004 - a short rest is any number
            found.add(short)
    return {form for form in found if form}


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def date_forms(raw: str) -> set[str]:
    """A date (DA, or the date of a DT) in the forms that people and programs write."""
    digits = raw.replace(".", "").replace("-", "").strip()[:8]
    if len(digits) != 8 or not digits.isdigit() or digits[:4] == "0000":  # noqa: PLR2004 - YYYYMMDD
        return set()
    year, month, day = digits[:4], digits[4:6], digits[6:]
    if not 1 <= int(month) <= len(_MONTHS):
        return set()
    name = _MONTHS[int(month) - 1]
    return {
        digits,
        f"{year}-{month}-{day}",
        f"{year}/{month}/{day}",
        f"{day}.{month}.{year}",
        f"{day}/{month}/{year}",
        f"{month}/{day}/{year}",
        f"{day}-{name}-{year}",
        f"{day} {name} {year}",
    }
