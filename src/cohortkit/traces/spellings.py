"""The usual spellings of names, identifiers and dates. Pure; everything comes back casefolded."""

from __future__ import annotations

import contextlib
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
    localizer yes no angio angiography axial cine contrast diffusion dynamic dti dwi flair flow
    gated mag magnitude mprage native perfusion phase recon scout stroke survey tensor trace vessel
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Words of the trade and placeholders: alone they name nobody, so alone they are left out."""

TITLES = frozenset(
    """
    dipl doctor frau herr ing jnr jun junior madame mag med miss mister mme mrs phd prof professor
    sen senior sir
    """.split()  # noqa: SIM905 - the same
)
"""What stands before and behind names in their fourth and fifth components."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})
_STROKES = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "þ": "th",
        "œ": "oe",
        "æ": "ae",
    }
)
_INVISIBLE = dict.fromkeys([0x00AD, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF])
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_FEW, _LONG, _GLUED = 6, 6, 4
_NAMED, _GROUPS = 3, 5  # family, given, middle; prefix and suffix (PS3.5 6.2.1)


def fold(text: str) -> str:
    """The form in which everything is compared: NFKC, casefolded, without invisible characters.

    NFKC makes one of what looks alike: full-width letters, ligatures.
    """
    if text.isascii():
        return text.casefold()
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()


def plain(text: str) -> str:
    """A folded text without accents and strokes."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_STROKES)


def accents(text: str) -> set[str]:
    """A folded text as it is, without accents, and with the letters that German writes for them."""
    return {text} if text.isascii() else set(variants(text))


def variants(text: str) -> tuple[str, str, str]:
    """The same three, one by one, equal or not."""
    return text, plain(text), plain(text.translate(_UMLAUTS))


def misread(raw: str) -> set[str]:
    """A value, and what it is if its bytes are UTF-8 and the file says Latin-1.

    The reverse is no text that anyone would write: its pieces are single letters, which stand in
    every other word of another script.
    """
    found = {raw}
    if not raw.isascii():
        with contextlib.suppress(UnicodeError):
            found.add(raw.encode("latin-1").decode("utf-8"))
    return found


def _components(group: str) -> list[str]:
    parts = [" ".join(part.split()) for part in group.split("^")[:_NAMED]]
    return [part for part in parts if part]


def _groups(raw: str) -> list[str]:
    return fold(raw).replace("\0", "").split("=")


def name_in_full(raw: str) -> set[str]:
    """The spellings of a whole person name (PS3.5 6.2.1): orders, separators, accents.

    Its words are written as one too, in any order. Initials alone are not among them; the title
    and suffix are left out.
    """
    found: set[str] = set()
    for group in _groups(raw):
        found |= accents(group.strip("^ "))
        parts = _components(group)
        for count in range(2, len(parts) + 1):
            for order in permutations(parts, count):
                for separator in SEPARATORS:
                    found |= accents(separator.join(order))
        found |= _glued(parts)
    return {text for text in found if text}


def _glued(parts: list[str]) -> set[str]:
    """The words of each component, and of all, without what stands between them."""
    inside = ["".join(words_in(part)) for part in parts]
    every = [word for part in parts for word in words_in(part)]
    found = {"".join(order) for order in permutations(inside, 2)} | {"".join(every)}
    if len(every) <= _GLUED:
        found |= {"".join(order) for n in range(2, 4) for order in permutations(every, n)}
    return {form for text in found for form in accents(text) if len(text) >= _LONG}


def name_parts(raw: str) -> set[str]:
    """The components of a person name and the words in them, each alone."""
    found: set[str] = set()
    for group in _groups(raw):
        for part in _components(group):
            found |= accents(part) | accents("".join(words_in(part)))
            for word in words_in(part):
                if len(word) > 2 and not word.isdigit():  # noqa: PLR2004 - initials or a title
                    found |= accents(word)
        for part in group.split("^")[_NAMED:_GROUPS]:
            for word in words_in(part):
                if len(word) > _GLUED and not word.isdigit() and word not in TITLES:
                    found |= accents(word)
    return {form for form in found if form}


def with_initials(raw: str) -> set[str]:
    """The family name with the first letter of the given name, as log-in names are made."""
    found: set[str] = set()
    for group in _groups(raw):
        parts = _components(group)
        if len(parts) < 2:  # noqa: PLR2004 - a family name and a given one
            continue
        family, letter = "".join(words_in(parts[0])), parts[1][0]
        if len(family) > _GLUED and letter.isalpha():
            found |= accents(family + letter) | accents(letter + family)
    return found


def words_in(text: str) -> list[str]:
    """The runs of letters and digits in a folded text, in order."""
    return _WORD.findall(text)


def words(text: str) -> set[str]:
    """The runs of letters and digits in a folded text."""
    return set(words_in(text))


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


PLACEHOLDERS = frozenset({"19000101"})
"""What stands for a date that nobody knows, in archives and in the dummies of a released object:
searched for, it would be found in every one of them."""


def date_forms(raw: str) -> set[str]:
    """A date (DA, or the date of a DT) in the forms that people and programs write."""
    digits = raw.replace(".", "").replace("-", "").strip()[:8]
    if len(digits) != 8 or not digits.isdigit() or digits[:4] == "0000":  # noqa: PLR2004 - YYYYMMDD
        return set()
    if digits in PLACEHOLDERS:
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
