"""QIDO-RS (PS3.18 10.6): which terms may go out, how they are written, all pages of an answer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from cohortkit.errors import ServerError
from cohortkit.index.dicomweb_rows import Item, state_of, told
from cohortkit.model.query import Absent, AnyOf, Between, Exactly, Like, Matches, Predicate
from cohortkit.net import Session

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
_PAGE: Final = 200
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


def questions(terms: Sequence[tuple[str, list[str]]]) -> Iterator[list[tuple[str, str]]]:
    """Each combination of one text a term."""
    names = [name for name, _ in terms]
    for texts in product(*(list_ for _, list_ in terms)):
        yield list(zip(names, texts, strict=True))


def pages(
    session: Session, path: str, terms: Sequence[tuple[str, str]], uid: str, most: int = 0
) -> list[Item]:
    """Every object of an answer, page by page, until a page is empty.

    Args:
        session: with the server.
        path: what is asked for: studies, series …
        terms: written as they go out.
        uid: the UID that each object has to have.
        most: end when there are as many; 0 is never.

    Raises:
        ServerError: the same objects come again on another page, or the server says that there
            are more and hands over none.
    """
    found: dict[int, Item] = {}  # a UID may stand under two patients
    warned = False
    asked = 0
    while True:
        limits = [("limit", str(_PAGE)), ("offset", str(asked))]
        page = session.page(path, [*terms, *limits])
        if not page.items:
            if warned:
                raise ServerError("the server says that its answer is cut short (Warning 299)")
            return list(found.values())
        warned = page.warned
        if not all(told(item, uid) for item in page.items):
            raise ServerError(f"the server's answer has an object without {uid}")
        new = {state_of(item): item for item in page.items}
        if new.keys() <= found.keys():
            raise ServerError("the server hands over the same objects on several pages")
        found |= new
        asked += len(page.items)
        if most and len(found) >= most:
            return list(found.values())
