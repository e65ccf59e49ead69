"""A question in words that name nobody; and a question as it is written in a shell."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import polars as pl

from cohortkit.cohort.identity import DATES, DESCRIPTIONS, askable
from cohortkit.cohort.labelled import Telling
from cohortkit.cohort.vocabulary import known, known_figure, known_pattern
from cohortkit.model.query import (
    Absent,
    AnyOf,
    Between,
    Exactly,
    Like,
    Matches,
    Predicate,
    Query,
)

NOTHING: Final = Telling()
"""No label, and an index of nobody."""

_LONG: Final = 200
_MANY: Final = 8
_COLUMN: Final = re.compile(r'col\("[^"]*"\)')
_QUOTED: Final = re.compile(r'"([^"]*)"')
_FIGURE: Final = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_NAME: Final = re.compile(r"\w+")
_WORDS: Final = (
    "abs any all ceil contains dyn ends_with eq eq_missing f64 false float floor get i32 i64 int "
    "is_between is_in is_not_null is_null len length list lit max min mean n_unique ne not null "
    "round starts_with str strict sum to_lowercase to_uppercase true"
)
_OPERATORS: Final = frozenset(_WORDS.split())
"""Words of polars in an expression that is told as it is written."""


Released = Callable[[str], bool]
"""Whether the values of a column may be told."""


def terms(
    query: Query,
    columns: pl.Schema,
    telling: Telling = NOTHING,
    released: Released | None = None,
) -> list[str]:
    """The terms of a search, each with its values where they may be told, else with counts.

    A value is told if it is a term of its column, so that it fits many patients; of a joined
    column, if a view shows it. Dates of examinations are told by the year, descriptions by a
    pattern of ordinary words.

    Args:
        query: what was asked.
        columns: of what.
        telling: what a view of the cohort shows of the columns that were joined.
        released: holds of the columns whose values a recipe releases as they are; None: nothing
            leaves.
    """
    return [
        f"{word} {_said(word, asked, columns.get(word), telling, released)}"
        for word, asked in query.terms
    ]


def search(told: Iterable[str]) -> str:
    """A search, of its terms in words."""
    return "; ".join(told) or "everything"


def missed(said: str) -> str:
    """Why what did not match is left out."""
    return f"not: {said}"


def unsure(said: str) -> str:
    """Why what is not known to match is left out."""
    return f"unknown: {said}"


def _said(
    keyword: str,
    asked: Predicate,
    dtype: pl.DataType | None,
    telling: Telling,
    released: Released | None,
) -> str:
    if released is not None and not released(keyword):
        return _counted(asked)
    known = partial(_is_plain, keyword, telling=telling)
    plain = known if keyword in telling else partial(_known, keyword)
    if askable(keyword, dtype, telling) and plain(asked):
        return _told(asked)
    if keyword in DATES and isinstance(asked, Between):
        return _years(asked)
    if keyword in DESCRIPTIONS and isinstance(asked, Like | Matches) and _says(asked, telling):
        return _told(asked)
    return _counted(asked)


def _says(asked: Like | Matches, telling: Telling) -> bool:
    """Whether every word of a pattern is ordinary: people search descriptions for names, too."""
    return telling.says(asked.pattern if isinstance(asked, Like) else asked.regex)


def _known(keyword: str, asked: object) -> bool:
    """Whether all that was asked for are terms of the column."""
    match asked:
        case Exactly(value):
            return _is_term(keyword, value)
        case AnyOf(values):
            return all(_known(keyword, value) for value in values)
        case Between(low, high):
            return _is_term(keyword, low) and _is_term(keyword, high)
        case Like(pattern) | Matches(pattern, _):
            return known_pattern(keyword, pattern)
    return _is_term(keyword, asked)


def _is_plain(keyword: str, asked: object, telling: Telling) -> bool:
    """The same of a joined column, which may be called anything and hold anything."""
    match asked:
        case Exactly(value):
            return telling.asks(keyword, value)
        case AnyOf(values):
            return len(values) > _MANY or all(_is_plain(keyword, v, telling) for v in values)
        case Between(low, high):
            return telling.asks(keyword, low) and telling.asks(keyword, high)
        case Like() | Matches():
            return _says(asked, telling)
    return isinstance(asked, Absent) or telling.asks(keyword, asked)


def _is_term(keyword: str, value: object) -> bool:
    if isinstance(value, str):
        return known(keyword, value)
    if isinstance(value, int | float):
        return known_figure(keyword, value)
    return value is None or isinstance(value, Absent)


def _told(asked: Predicate) -> str:
    match asked:
        case Absent():
            return "is absent"
        case Exactly(value):
            return f"is {value}"
        case Like(pattern):
            return f"is like {pattern}"
        case Matches(regex, _):
            return f"matches /{regex}/"
        case AnyOf(values):
            return _one_of(values)
        case Between(low, high):
            return _between(str(low), str(high), low is None, high is None)


def _one_of(values: tuple[object, ...]) -> str:
    if len(values) > _MANY:
        return f"is one of {len(values)} values"
    nested = (Absent, Like, Matches)
    told = [_told(v).removeprefix("is ") if isinstance(v, nested) else str(v) for v in values]
    return f"is {' or '.join(told)}"


def _between(low: str, high: str, no_low: bool, no_high: bool) -> str:  # noqa: FBT001 - private
    if no_low:
        return f"up to {high}"
    return f"from {low}" if no_high else f"from {low} to {high}"


def _years(asked: Between) -> str:
    low, high = asked.low, asked.high
    first = low.year if isinstance(low, dt.date) else None
    last = high.year if isinstance(high, dt.date) else None
    if first is None or last is None:
        return f"up to a day in {last}" if first is None else f"from a day in {first}"
    if low == dt.date(first, 1, 1) and high == dt.date(last, 12, 31):
        return f"in {first}" if first == last else f"in the years {first} to {last}"
    if first == last:
        return f"between two days in {first}"
    return f"from a day in {first} to a day in {last}"


def _counted(asked: Predicate) -> str:
    match asked:
        case Absent():
            return "is absent"
        case Exactly():
            return "is one given value"
        case Like() | Matches():
            return "is like a given pattern"
        case AnyOf(values):
            return f"is one of {len(values)} given values"
        case Between():
            return "is in a given range"


def condition(
    text: str,
    roots: Iterable[str],
    columns: pl.Schema,
    telling: Telling = NOTHING,
    released: Released | None = None,
) -> str:
    """A filter in words: as it is written where all that it names may be told, else its columns.

    Args:
        text: the expression, as polars writes it.
        roots: its columns.
        columns: of what.
        telling: as for ``terms``.
        released: as for ``terms``.
    """
    roots = sorted(set(roots))
    if not roots:
        return "a condition"
    askables = all(
        askable(root, columns.get(root), telling) and (released is None or released(root))
        for root in roots
    )
    plain = askables and _plain(text, roots, telling)
    tidy = _tidy(text) if plain else ""
    return tidy if tidy and len(tidy) <= _LONG else f"a condition on {', '.join(roots)}"


def _plain(text: str, roots: Sequence[str], telling: Telling) -> bool:
    """Whether an expression holds nothing but columns, operators, terms and short figures."""
    rest = _COLUMN.sub(" ", text)
    asked = [*_QUOTED.findall(rest)]
    rest = _QUOTED.sub(" ", rest)
    figures = [float(one) for one in _FIGURE.findall(rest)]
    words = set(_NAME.findall(_FIGURE.sub(" ", rest)))
    return (
        words <= _OPERATORS
        and all(any(_fits(root, one, telling) for root in roots) for one in asked)
        and all(all(_fits(root, one, telling) for root in roots) for one in figures)
    )


def _fits(root: str, value: str | float, telling: Telling) -> bool:
    """Whether a value of an expression may be told of one of its columns."""
    return telling.asks(root, value) if root in telling else _is_term(root, value)


def sought(
    texts: Sequence[str],
    columns: Sequence[str],
    telling: Telling = NOTHING,
    released: Released | None = None,
) -> str:
    """What is looked for in descriptions: as it was written where it is of ordinary words.

    Args:
        texts: each of words that all have to be there.
        columns: where they are looked for.
        telling: as for ``terms``.
        released: as for ``terms``.
    """
    where = " or ".join(columns)
    plain = released is None or all(map(released, columns))
    if plain and all(map(telling.says, texts)):
        return f"{' or '.join(map(repr, texts))} in {where}"
    many = len(texts)
    return f"{many} given text{'s' if many > 1 else ''} in {where}"


def _tidy(text: str) -> str:
    """Polars' own form of an expression, with less of its scaffolding."""
    text = re.sub(r'col\("([^"]*)"\)', r"\1", text)
    text = re.sub(r"dyn (?:int|float): |lit\((?:dyn )?", "", text)
    for _ in range(4):
        text = re.sub(r'\((\w+|"[^"]*")\)', r"\1", text)
        text = re.sub(r"^\[(.*)\]$", r"\1", text) if _whole(text) else text
    return text


def _whole(text: str) -> bool:
    """Whether one pair of brackets encloses all of a text."""
    depth = 0
    for place, char in enumerate(text):
        depth += {"[": 1, "]": -1}.get(char, 0)
        if depth == 0:
            return place == len(text) - 1 and len(text) > 1
    return False
