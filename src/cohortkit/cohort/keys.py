"""Who each row is of, as numbers: what every step counts by.

A question has to say how many patients and studies it leaves, and to count a million texts takes
longer than to ask. So the persons and studies of an index are numbered once, 16 bytes a series,
and the numbers stay with the rows for as long as somebody holds these. They begin at 0 and leave
none out, so that to count them is to tick them off.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import polars as pl

from cohortkit.cohort.steps import COUNT, KEY, evaluated, person
from cohortkit.errors import StoreError

_ISSUER, _PATIENT, _STUDY, _NUMBER = "__issuer", "__patient", "__study", "__number"
_OWNER: Final = ("IssuerOfPatientID", "PatientID", "StudyInstanceUID")
PLACE: Final = "__place"
KNOWN: Final = {"__person": ("__named",), "__study": ("__named", "__in_study")}
"""Which columns say that a number stands for something: an absent id has a number as well."""

_T = TypeVar("_T")
At = Callable[[pl.Series], pl.LazyFrame]
"""The rows at some places, in order."""

_at: dict[int, tuple[weakref.ref[pl.LazyFrame], At]] = {}
_keys: dict[int, tuple[weakref.ref[pl.LazyFrame], pl.DataFrame]] = {}


def keys_of(rows: pl.LazyFrame) -> pl.DataFrame:
    """``__person``, ``__study`` (of one person) and ``__number`` of instances, row by row.

    Two rows have the same number where they are of the same; ``__number`` is null where the
    index does not count instances. ``__named`` and ``__in_study`` say whether Patient ID and
    study UID are there.

    Raises:
        StoreError: the index lacks a column that a cohort cannot be without.
    """
    held = _keys.get(id(rows))
    if held is not None and held[0]() is rows:
        return held[1]
    keys = _numbered(rows)
    _remember(_keys, rows, keys)
    return keys


def beside_keys(rows: pl.LazyFrame, columns: Sequence[str | pl.Expr]) -> pl.DataFrame:
    """The keys of rows with their places, and these columns beside them.

    Raises:
        StoreError: the rows are others than those of which the keys are.
    """
    keys = keys_of(rows).with_row_index(PLACE)
    if not columns:
        return keys
    every_row = pl.int_range(pl.len(), dtype=pl.UInt32()).alias("__")  # a value may be one for all
    wanted = evaluated(rows.select(every_row, *columns)).drop("__")
    if wanted.height != keys.height:
        raise StoreError("the index has become another one; open it again")
    return keys.hstack(wanted)


def succeeds(
    narrow: pl.LazyFrame, rows: pl.LazyFrame, keys: pl.DataFrame, places: pl.Series
) -> None:
    """Say that these rows are those at some places of others, and what their keys are."""
    _remember(_keys, narrow, keys)
    if has_reach(rows):
        of_all = _at[id(rows)][1]
        reach(narrow, lambda some: of_all(places.gather(some)))


def rows_at(rows: pl.LazyFrame, places: pl.Series) -> pl.LazyFrame:
    """The rows at these places, in order."""
    return _at[id(rows)][1](places) if has_reach(rows) else by_place(rows, places)


def has_reach(rows: pl.LazyFrame) -> bool:
    """Whether somebody has said how these rows are got by their places."""
    at = _at.get(id(rows))
    return at is not None and at[0]() is rows


def by_place(rows: pl.LazyFrame, places: pl.Series) -> pl.LazyFrame:
    """The rows at these places, by counting; what else is asked of them comes after that."""
    numbered = rows.with_row_index(PLACE)
    return numbered.filter(pl.col(PLACE).is_in(places.implode())).drop(PLACE)


def reach(rows: pl.LazyFrame, at: At) -> None:
    """Say how rows are got by their places, where there is a better way than to read all."""
    _remember(_at, rows, at)


def _remember(
    among: dict[int, tuple[weakref.ref[pl.LazyFrame], _T]], rows: pl.LazyFrame, value: _T
) -> None:
    """Keep something about rows for as long as there is somebody who holds them."""
    name = id(rows)
    among[name] = (weakref.ref(rows, lambda _: among.pop(name, None)), value)


def _numbered(rows: pl.LazyFrame) -> pl.DataFrame:
    columns = rows.collect_schema()
    absent = [name for name in (KEY, "PatientID", "StudyInstanceUID") if name not in columns]
    if absent:
        raise StoreError(f"a cohort needs the columns {', '.join(absent)}; this index lacks them")
    number = pl.col(COUNT).cast(pl.Int64).fill_null(0) if COUNT in columns else pl.lit(None)
    owner = [word for word in _OWNER if word in columns]
    found = evaluated(rows.select(*owner, number.alias(_NUMBER)))
    # the series of a study lie together, as a rule: so few texts are looked at
    begins = pl.any_horizontal(pl.col(word).ne_missing(pl.col(word).shift()) for word in owner)
    first = pl.int_range(pl.len()) == 0
    begins_one = found.select(first | begins).to_series()
    study = pl.col(_OWNER[-1]).cast(pl.String).fill_null("").alias(_STUDY)
    heads = found.filter(begins_one).select(*person(columns), study)
    run = begins_one.cum_sum() - 1
    who = _told_apart(heads, [_ISSUER, _PATIENT])
    which = _told_apart(heads.select(who.alias(_PATIENT), _STUDY), [_PATIENT, _STUDY])
    return pl.DataFrame(
        {
            "__person": who.gather(run),
            "__study": which.gather(run),
            _NUMBER: found[_NUMBER],
            "__named": (heads[_PATIENT] != "").gather(run),
            "__in_study": (heads[_STUDY] != "").gather(run),
        }
    )


def _told_apart(heads: pl.DataFrame, names: list[str]) -> pl.Series:
    """A number for each row, from 0 without a gap: the same for the same values and no other."""
    distinct = heads.select(names).unique(maintain_order=True).with_row_index(PLACE)
    return heads.join(distinct, on=names, how="left", maintain_order="left")[PLACE]
