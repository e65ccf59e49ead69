"""Which terms may go out to a server, and how they are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from cohortkit.model.query import Absent, AnyOf, Between, Exactly, Like, Matches, Predicate

Term = tuple[str, str]
"""A keyword, and what goes out for it."""

IDENTIFIERS: Final = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "AccessionNumber",
    "StudyID",
)
"""In these ``*`` and ``?`` never go out: there they would be a pattern, and not what was asked."""

STUDY: Final = ("StudyInstanceUID", "PatientID", "AccessionNumber", "StudyID", "StudyDate")
"""Keywords that are asked of studies."""

TEXTS: Final = ("Modality", "BodyPartExamined", "SeriesDescription")
SERIES: Final = ("SeriesInstanceUID", *TEXTS)
"""Keywords that are asked of series."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MOST: Final = 1_000  # questions that one list becomes


def written(keyword: str, asked: Predicate) -> list[str] | None:
    """What goes out for one term, a question for each member of a list; None if nothing may.

    Only letters, digits, dots, dashes and underscores go out: no server here takes the others as
    they are meant. Of text that holds others each run of them is a ``*``; what that offers too
    much is left out when it is asked again.
    """
    if isinstance(asked, AnyOf):
        if len(asked.values) > _MOST or any(isinstance(x, Absent | Matches) for x in asked.values):
            return None
        members = [one if isinstance(one, Like) else Exactly(one) for one in asked.values]
        lists = [written(keyword, one) for one in members]
        return None if None in lists else [text for one in lists for text in one or ()]
    text = _one(keyword, asked)
    return None if text is None else [text]


def _one(keyword: str, asked: Predicate) -> str | None:
    if isinstance(asked, Between):
        return _range(asked)
    if not isinstance(asked, Exactly | Like):
        return None
    value = asked.value if isinstance(asked, Exactly) else asked.pattern
    if isinstance(value, dt.date):
        return f"{value:%Y%m%d}"
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    if keyword in IDENTIFIERS or keyword not in TEXTS:
        return None
    pattern = _OTHER.sub("*", text)
    return pattern if pattern.strip("*") else None


def kinds_of(texts: Sequence[str], asked: Predicate) -> set[type]:
    """As what a term goes out: text that is not plain goes as a pattern."""
    return {Like if "*" in text else type(asked) for text in texts}


def _range(asked: Between) -> str | None:
    sides = [asked.low, asked.high]
    if not all(one is None or isinstance(one, dt.date) for one in sides):
        return None
    low, high = ("" if one is None else f"{one:%Y%m%d}" for one in sides)
    return f"{low}-{high}"


def questions(terms: Sequence[tuple[str, list[str]]]) -> Iterator[list[Term]]:
    """Each combination of one text a term."""
    names = [name for name, _ in terms]
    for texts in product(*(list_ for _, list_ in terms)):
        yield list(zip(names, texts, strict=True))
