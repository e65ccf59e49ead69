"""Choosing among what is there: the first of each, and a sample. Pure, and blind to row order.

Each function takes the rows of a cohort and returns one three-valued verdict a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from cohortkit.cohort.keys import KNOWN, PLACE, beside_keys, rows_at
from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import KEY, evaluated, person
from cohortkit.errors import QueryError

PERSON: Final = ("__issuer", "__patient")
STUDY: Final = (*PERSON, "StudyInstanceUID")
_TIES: Final = ("StudyInstanceUID", "SeriesInstanceUID", KEY)
_LEVELS: Final = {"patient": PERSON, "study": STUDY, "series": (KEY,)}


def first_per(
    rows: pl.LazyFrame,
    of: str,
    by: Sequence[str],
    level: str,
    *,
    nth: int = 1,
    descending: bool = False,
) -> pl.Series:
    """Which rows are of the n-th study (or are the n-th series) of each patient, study or value.

    Null where the group, or all that orders it, is absent. Ties go by Study, then Series
    Instance UID.

    Raises:
        UnknownKeyword: no such column.
        QueryError: a level that is none, or a column of several values.
    """
    columns = rows.collect_schema()
    group = group_of("first_per", of, level, columns)
    for column in by:
        ordinary(column, columns, "by=")
    unit = "__study" if level == "study" else PLACE
    table = beside_keys(rows, [word for word in columns if word in {group, *by}])
    known = [flag for word in (group, unit) for flag in KNOWN.get(word, ())]
    order = table.filter(*known, *(present(column) for column in dict.fromkeys((group, *by))))
    extremes = {c: pl.col(c).max() if descending else pl.col(c).min() for c in by}
    if level == "study":
        values = [value for column, value in extremes.items() if column != group]
        order = order.group_by(group, unit).agg(*values, pl.col(PLACE).first())
    left = order
    chosen = without_ties(rows, _extreme(left, extremes, group), group, level)
    for _ in range(nth - 1):
        if chosen.is_empty():
            break
        left = left.join(chosen, on=[group, unit], how="anti")
        chosen = without_ties(rows, _extreme(left, extremes, group), group, level)
    judged = pl.col(unit).is_in(chosen[unit].unique().implode())
    sure = pl.col(unit).is_in(order[unit].unique().implode())
    return table.select(pl.when(sure).then(judged)).to_series()


def _extreme(rows: pl.DataFrame, extremes: Mapping[str, pl.Expr], group: str) -> pl.DataFrame:
    """The rows that have the extreme of the first column in their group, then of the next."""
    for column, extreme in extremes.items():
        rows = rows.filter(pl.col(column) == extreme.over(group))
    return rows


def place(nth: int, *, descending: bool) -> str:
    """A place in an order, in words: first, 2nd, last, 3rd from the last."""
    if nth == 1:
        return "last" if descending else "first"
    tens = nth % 100 in range(11, 14)
    told = f"{nth:,}{'th' if tens else {1: 'st', 2: 'nd', 3: 'rd'}.get(nth % 10, 'th')}"
    return f"{told} from the last" if descending else told


def without_ties(rows: pl.LazyFrame, chosen: pl.DataFrame, group: str, level: str) -> pl.DataFrame:
    """One of each group; of several the first by its UIDs, which are read of those alone."""
    if not chosen[group].is_duplicated().any():
        return chosen
    chosen = chosen.sort(PLACE)
    ties = ["StudyInstanceUID"] if level == "study" else _TIES
    there = rows_at(rows, chosen[PLACE]).select(
        pl.col(word).alias(f"__{word}") for word in ties if word in rows.collect_schema()
    )
    tied = chosen.hstack(evaluated(there))
    for word in there.collect_schema():
        tied = tied.filter(pl.col(word).eq_missing(pl.col(word).min().over(group)))
    return tied


def group_of(action: str, of: str, level: str, columns: pl.Schema) -> str:
    """The column that tells the groups apart, of which a step keeps one unit each.

    Raises:
        UnknownKeyword: no such column.
        QueryError: a level that is none, a group that has but one unit, a column of several values.
    """
    demand_level(action, level)
    if of == level:
        raise QueryError(f"{action}: there is but one {of} in a {of}; take another level")
    _demand_text(action, of)
    if of in {"patient", "study"}:
        return "__person" if of == "patient" else "__study"
    ordinary(of, columns, f'{action} (which takes "patient", "study" or a column)')
    return of


def demand_level(action: str, level: object) -> None:
    """Refuse what is neither a study nor a series.

    Raises:
        QueryError: it is not.
    """
    if level not in ("study", "series"):
        raise QueryError(f'{action}: level is "study" or "series"')


def _demand_text(action: str, of: object) -> None:
    if not isinstance(of, str):
        raise QueryError(f'{action} takes "patient", "study" or a column')


def columns(given: object, where: str) -> tuple[str, ...]:
    """The names of columns, of which one may be given alone.

    Raises:
        QueryError: none, or something else.
    """
    names = (given,) if isinstance(given, str) else given
    if isinstance(names, Sequence) and names and all(isinstance(name, str) for name in names):
        return tuple(dict.fromkeys(names))
    raise QueryError(f"{where} names a column, or several in a list")


def ordinary(column: str, columns: pl.Schema, where: str) -> None:
    """Refuse what is no column of one value.

    Raises:
        UnknownKeyword: no such column.
        QueryError: a column of several values.
    """
    if column not in columns:
        raise unknown(column, columns.names(), where)
    if columns[column].is_nested():
        raise QueryError(f"{column} has several values a series, so it sets no order or group")


def sample(rows: pl.DataFrame, n: int, seed: int, level: str) -> pl.Series:
    """Which rows are of the ``n`` patients, studies or series that the seed draws.

    The draw ranks units by a hash of seed and identifier: it does not depend on the order of
    rows, a larger sample holds the smaller one, and units that join later push out few.

    Raises:
        QueryError: a level, number or seed that is none.
    """
    if level not in list(_LEVELS):
        raise QueryError('sample: level is "patient", "study" or "series"')
    for name, number, least in (("n", n, 1), ("seed", seed, 0)):
        if type(number) is not int or number < least:
            raise QueryError(f"sample: {name} is a whole number, {least} or more")
    unit = _LEVELS[level]
    keyed = with_person(rows)
    units = keyed.filter(*(present(column) for column in unit)).select(unit).unique()
    ranked = sorted(units.rows(), key=lambda row: (draw(seed, row), row))
    chosen = pl.DataFrame(ranked[:n], schema=units.schema, orient="row")
    judged = _whether(keyed, chosen, unit)
    known = keyed.select(pl.all_horizontal(present(column) for column in unit)).to_series()
    return pl.select(pl.when(known).then(judged)).to_series()


def units(rows: pl.DataFrame, level: str) -> int:
    """How many patients, studies or series a sample draws from."""
    unit = _LEVELS[level]
    keyed = with_person(rows)
    return keyed.filter(*(present(column) for column in unit)).select(unit).unique().height


def draw(seed: int, row: tuple[str, ...]) -> bytes:
    """Where somebody or something stands in the order that a seed draws."""
    text = "\0".join((str(seed), *row))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def with_person(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the person beside them."""
    return rows.with_columns(person(rows.schema))


def present(column: str) -> pl.Expr:
    """Whether a row has a value that orders or groups it."""
    value = pl.col(column)
    if column == PERSON[0]:
        return pl.lit(value=True)  # an issuer may be absent
    return (value.is_not_null() & (value != "")) if column in STUDY else value.is_not_null()


def _whether(rows: pl.DataFrame, chosen: pl.DataFrame, unit: Sequence[str]) -> pl.Series:
    """Whether each row's unit is among the chosen ones."""
    flagged = rows.select(unit).join(
        chosen.with_columns(__yes=pl.lit(value=True)),
        on=list(unit),
        how="left",
        maintain_order="left",
        validate="m:1",
    )
    return flagged["__yes"].fill_null(value=False)
