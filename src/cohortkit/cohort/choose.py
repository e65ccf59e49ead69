"""Choosing among what is there: the first of each, and a sample. Pure, and blind to row order.

Each function takes the rows of a cohort and returns one three-valued verdict a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import polars as pl

from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import KEY, person
from cohortkit.errors import QueryError

PERSON: Final = ("__issuer", "__patient")
STUDY: Final = (*PERSON, "StudyInstanceUID")
_LEVELS: Final = {"patient": PERSON, "study": STUDY, "series": (KEY,)}


def needed(columns: pl.Schema, of: str, by: Sequence[str]) -> list[str]:
    """The columns by which ``first_per`` chooses; all, where one is asked for that is not there.

    Raises:
        QueryError: no column was named.
    """
    _demand_text(of)
    named = [word for word in (of, *by) if word not in _LEVELS]
    if any(word not in columns for word in named):
        return columns.names()
    wanted = {
        KEY,
        "IssuerOfPatientID",
        "PatientID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        *named,
    }
    return [word for word in columns if word in wanted]


def first_per(
    rows: pl.DataFrame, of: str, by: Sequence[str], level: str, *, descending: bool = False
) -> pl.Series:
    """Which rows are of the first study (or are the first series) of each patient, study or value.

    Null where the group, or all that orders it, is absent. Ties go by Study, then Series
    Instance UID.

    Raises:
        UnknownKeyword: no such column.
        QueryError: a level that is none, or a column of several values.
    """
    group = _group(of, level, rows.schema)
    for column in by:
        _ordinary(column, rows.schema, "by=")
    unit = STUDY if level == "study" else (KEY,)
    ties = ["StudyInstanceUID", "SeriesInstanceUID", KEY]
    ties = ["StudyInstanceUID"] if level == "study" else [t for t in ties if t in rows.columns]
    keyed = with_person(rows)
    sure = keyed.filter(*(_present(column) for column in {*group, *unit, *by}))
    order = _order(sure, by, unit, group, descending=descending)
    chosen = (
        order.sort([*by, *ties], descending=[descending] * len(by) + [False] * len(ties))
        .unique(subset=list(group), keep="first", maintain_order=True)
        .select(unit)
        .unique()
    )
    judged = _whether(keyed, chosen, unit)
    candidates = _whether(keyed, order.select(unit).unique(), unit)
    return pl.select(pl.when(candidates).then(judged)).to_series()


def _order(
    sure: pl.DataFrame,
    by: Sequence[str],
    unit: Sequence[str],
    group: Sequence[str],
    *,
    descending: bool,
) -> pl.DataFrame:
    """One row for each unit of each group, with the value that places it."""
    if unit == (KEY,):
        return sure
    value = [pl.col(column).max() if descending else pl.col(column).min() for column in by]
    names = list(dict.fromkeys([*group, *unit]))
    lead = [agg for column, agg in zip(by, value, strict=True) if column not in names]
    return sure.group_by(names, maintain_order=True).agg(lead)


def _group(of: str, level: str, columns: pl.Schema) -> tuple[str, ...]:
    if level not in ("study", "series"):
        raise QueryError('first_per: level is "study" or "series"')
    if of == level:
        raise QueryError(f"first_per: there is but one {of} in a {of}; take another level")
    _demand_text(of)
    if of in {"patient", "study"}:
        return _LEVELS[of]
    _ordinary(of, columns, 'first_per (which takes "patient", "study" or a column)')
    return (of,)


def _demand_text(of: object) -> None:
    if not isinstance(of, str):
        raise QueryError('first_per takes "patient", "study" or a column')


def columns(given: object, where: str) -> tuple[str, ...]:
    """The names of columns, of which one may be given alone.

    Raises:
        QueryError: none, or something else.
    """
    names = (given,) if isinstance(given, str) else given
    if isinstance(names, Sequence) and names and all(isinstance(name, str) for name in names):
        return tuple(dict.fromkeys(names))
    raise QueryError(f"{where} names a column, or several in a list")


def _ordinary(column: str, columns: pl.Schema, where: str) -> None:
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
    units = keyed.filter(*(_present(column) for column in unit)).select(unit).unique()
    ranked = sorted(units.rows(), key=lambda row: (_draw(seed, row), row))
    chosen = pl.DataFrame(ranked[:n], schema=units.schema, orient="row")
    judged = _whether(keyed, chosen, unit)
    known = keyed.select(pl.all_horizontal(_present(column) for column in unit)).to_series()
    return pl.select(pl.when(known).then(judged)).to_series()


def units(rows: pl.DataFrame, level: str) -> int:
    """How many patients, studies or series a sample draws from."""
    unit = _LEVELS[level]
    keyed = with_person(rows)
    return keyed.filter(*(_present(column) for column in unit)).select(unit).unique().height


def _draw(seed: int, row: tuple[str, ...]) -> bytes:
    text = "\0".join((str(seed), *row))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def with_person(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the person beside them."""
    return rows.with_columns(person(rows.schema))


def _present(column: str) -> pl.Expr:
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
