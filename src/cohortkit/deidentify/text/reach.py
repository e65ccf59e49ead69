"""Whether a text, whoever it is about, reaches or names somebody by its form alone.

Text that nobody cleans (labels, reasons, codes of a site) may hold what no header knows: a
telephone, an address, the number of a person, a title with a name. What is told here is no date and
no age: those follow what a recipe says of dates and ages (`cohortkit.traces.dated`, `aged`).
"""

from __future__ import annotations

import re
from typing import Final

from cohortkit.deidentify.text import shapes
from cohortkit.recipe.text import shipped
from cohortkit.traces.narrow import narrow
from cohortkit.traces.spellings import fold, plain

TITLED: Final = "title with a name"
REACHED: Final = frozenset(
    {"address", "e-mail", "path", "phone", "uid", "street", "personal number"}
)
"""Rules of `shapes` that reach somebody."""

_STRONG = r"dr|prof|doctor|docteur|doctora|doktor|dott|dottore|dottoressa|professor|professeur|dra"
_WEAK = (
    r"mr|mrs|ms|miss|herrn?|frau|mme|mlle|madame|monsieur|señora?|sra?|sig|signora?|mevr|dhr|pani?"
)
_DEGREES = r"(?:(?:med|dent|vet|rer|nat|phil|habil|univ|h|c|dr|prof|ph|d)\.\s{0,2}){0,5}"
_INITIALS = r"(?:[^\W\d_]\.\s?){0,3}"
_TITLE = re.compile(
    rf"(?<![^\W_])(?P<title>{_STRONG}|{_WEAK})(?P<point>\.?)(?:\s{{1,3}}|(?<=\.)|_){_DEGREES}{_INITIALS}"
    r"(?P<name>[^\W\d_]{2,40})",
    re.IGNORECASE,
)
_WEAKLY = re.compile(_WEAK, re.IGNORECASE)
_NO_NAMES = frozenset(
    """
    a absent an and any as asked at auf aus bei but by da das de der did die du einer en for
    from ging has hat her his il in ist la le mechanical mild mit moderate nach negative no
    nonproliferative not of off ohne oder on or other over positive present proliferative
    recorded said says severe she the to un una und une und unter vom von war was when who with
    without zu zur
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""What stands behind a title, or looks so, and names nobody: DR of the eye has grades."""


def telling(text: str) -> frozenset[str]:
    """By which forms a text reaches or names somebody; empty where by none."""
    forms = {text, narrow(text).text}
    found = {rule for form in forms for _, _, rule in shapes.found(form)} & REACHED
    return frozenset(found | ({TITLED} if any(map(_titled, forms)) else set()))


def _titled(text: str) -> bool:
    """Whether a title stands before a word that is none of the trade: Dr. Meier, Frau Meier."""
    return any(_names(found) for found in _TITLE.finditer(text))


def _names(found: re.Match[str]) -> bool:
    name, title = found["name"], found["title"]
    word = plain(fold(name))
    if word in _NO_NAMES or word in shipped().single:
        return False
    weak = _WEAKLY.fullmatch(title) is not None  # a woman with a cough is a Frau mit Husten
    acronym = title.isupper() and not found["point"]  # as devices and illnesses are called
    if weak and acronym:
        return name.isupper()
    return name[0].isupper() if weak or acronym else True
