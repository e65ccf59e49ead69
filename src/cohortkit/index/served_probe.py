"""What a server can be asked: proved at connect, on objects that it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeVar

from cohortkit.errors import ServerError
from cohortkit.index.served_ask import IDENTIFIERS, SERIES, STUDY, TEXTS, Term, written
from cohortkit.index.served_rows import Item, told
from cohortkit.model.query import AnyOf, Between, Exactly, Like, Predicate

_STUDIES: Final = 200  # that are looked at
_OF_SERIES: Final = 12  # studies whose series are looked at
_ENOUGH: Final = 1_000  # objects of an answer that are looked at

_T = TypeVar("_T")
Ask = Callable[[str, str], list[Item]]


class Asked(Protocol):
    """Who is asked: the part of ``served.Server`` that is wanted here."""

    @property
    def relational(self) -> bool:
        """Whether series can be asked for without their study."""
        ...

    def studies(self, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All studies for these terms, or the first ``most``."""
        ...

    def series(self, study: str, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All series for these terms, of one study or (``""``) of all."""
        ...


def proved(server: Asked) -> dict[str, frozenset[type]]:
    """Keyword → predicates for which the server gave back what it holds, and only that.

    Raises:
        ServerError: it offers no study, so that nothing can be proved, or its answer is none.
    """
    studies = server.studies([], _STUDIES)
    if not studies:
        raise ServerError("the server offers no study: it is empty, or we may not see any")
    some = [told(one, "StudyInstanceUID") for one in islice(studies, _OF_SERIES)]
    series: list[Item] = []
    for uid in some:
        with suppress(ServerError):  # one that cannot be read proves nothing, and costs nothing
            series += server.series(uid, [])

    def of_studies(keyword: str, text: str) -> list[Item]:
        return server.studies([(keyword, text)], _ENOUGH)

    def of_series(keyword: str, text: str) -> list[Item]:
        if server.relational:
            return server.series("", [(keyword, text)], _ENOUGH)
        return [item for uid in some for item in server.series(uid, [(keyword, text)])]

    found = {word: _proofs(word, studies, of_studies) for word in STUDY}
    found |= {word: _proofs(word, series, of_series) for word in SERIES}
    return {word: frozenset(kinds) for word, kinds in found.items() if kinds}


def _proofs(keyword: str, held: Sequence[Item], ask: Ask) -> set[type]:
    values = sorted({value for item in held if (value := told(item, keyword))})
    if keyword == "StudyDate":
        return _of_dates(values, held, ask)
    plain = [value for value in values if written(keyword, Exactly(value)) == [value]]
    kinds: set[type] = set()
    if plain and all(
        _holds(keyword, Exactly(one), held, ask, one.__eq__) for one in _spread(plain)
    ):
        kinds = {Exactly, AnyOf}
    if keyword in TEXTS and keyword not in IDENTIFIERS:
        kinds |= _of_patterns(keyword, values, held, ask)
    return kinds


def _of_patterns(keyword: str, values: Sequence[str], held: Sequence[Item], ask: Ask) -> set[type]:
    """A beginning, an end and a middle of values that are there."""
    long = [value for value in values if value.isalnum() and len(value) > 1]
    for value in _spread(long):
        head, tail = value[: len(value) // 2], value[len(value) // 2 :]
        for pattern in (f"{head}*", f"*{tail}", f"*{head}*", f"{head}*{tail}"):
            if not _holds(keyword, Like(pattern), held, ask, partial(fnmatchcase, pat=pattern)):
                return set()
    return {Like} if long else set()


def _of_dates(values: Sequence[str], held: Sequence[Item], ask: Ask) -> set[type]:
    days = [day for value in values if (day := _day(value)) is not None]
    if not days:
        return set()
    low, high = days[0], days[-1]
    middle = days[len(days) // 2]
    asked: tuple[Exactly | Between, ...] = (
        *(Exactly(day) for day in _spread(days)),
        Between(low, high),
        Between(middle, None),
        Between(None, middle),
        Between(middle, middle),
    )
    for one in asked:
        if not _holds("StudyDate", one, held, ask, partial(_within, one)):
            return set()
    return {Exactly, AnyOf, Between}


def _within(asked: Exactly | Between, text: str) -> bool:
    day = _day(text)
    if day is None:
        return False
    if isinstance(asked, Exactly):
        return day == asked.value
    low, high = asked.low or dt.date.min, asked.high or dt.date.max
    return isinstance(low, dt.date) and isinstance(high, dt.date) and low <= day <= high


def _day(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return None


def _holds(
    keyword: str,
    asked: Predicate,
    held: Sequence[Item],
    ask: Ask,
    matches: Callable[[str], bool],
) -> bool:
    """Whether the answer has every object that is meant, of those that are known.

    It may have more (upper and lower case), but not all: then the term was not looked at.
    """
    texts = written(keyword, asked)
    if not texts:
        return False
    uid = "StudyInstanceUID" if keyword in STUDY else "SeriesInstanceUID"
    try:
        answer = {told(item, uid) for item in ask(keyword, texts[0])}
    except ServerError:
        return False
    meant = {told(item, uid) for item in held if matches(told(item, keyword))}
    known = {told(item, uid) for item in held}
    return (meant <= answer or len(answer) >= _ENOUGH) and (meant == known or not known <= answer)


def _spread(values: Sequence[_T]) -> list[_T]:
    """Three of them: the first, the last, one between."""
    places = {0, len(values) // 2, len(values) - 1} if values else set[int]()
    return [values[at] for at in sorted(places)]
