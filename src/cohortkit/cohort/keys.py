"""Who each row is of, as numbers: what every step counts by.

A question has to say how many patients and studies it leaves, and to count a million texts takes
longer than to ask. So the persons and studies of an index are numbered once, 24 bytes a series,
and the numbers stay with the rows for as long as somebody holds these.
"""

from __future__ import annotations

import weakref
from typing import Final

import polars as pl

from cohortkit.cohort.steps import COUNT, KEY, evaluated, person
from cohortkit.errors import StoreError

_ISSUER, _PATIENT, _STUDY, _NUMBER = "__issuer", "__patient", "__study", "__number"
_MOST: Final = 1 << 64
_Held = tuple["weakref.ref[pl.LazyFrame]", pl.DataFrame]
_known: dict[int, _Held] = {}


def keys_of(rows: pl.LazyFrame) -> pl.DataFrame:
    """``__person``, ``__study`` (of one person) and ``__number`` of instances, row by row.

    Two rows have the same number where they are of the same; ``__number`` is null where the
    index does not count instances.

    Raises:
        StoreError: the index lacks a column that a cohort cannot be without.
    """
    held = _known.get(id(rows))
    if held is not None and held[0]() is rows:
        return held[1]
    keys = _numbered(rows)
    remember(rows, keys)
    return keys


def remember(rows: pl.LazyFrame, keys: pl.DataFrame) -> None:
    """Keep the keys of rows for as long as there is somebody who holds the rows."""
    name = id(rows)
    _known[name] = (weakref.ref(rows, lambda _: _known.pop(name, None)), keys)


def _numbered(rows: pl.LazyFrame) -> pl.DataFrame:
    columns = rows.collect_schema()
    absent = [name for name in (KEY, "PatientID", "StudyInstanceUID") if name not in columns]
    if absent:
        raise StoreError(f"a cohort needs the columns {', '.join(absent)}; this index lacks them")
    number = pl.col(COUNT).cast(pl.Int64).fill_null(0) if COUNT in columns else pl.lit(None)
    study = pl.col("StudyInstanceUID").cast(pl.String).fill_null("").alias(_STUDY)
    texts = [*person(columns), study]
    found = evaluated(
        rows.select(*(text.cast(pl.Categorical) for text in texts), number.alias(_NUMBER))
    )
    issuer, patient, study_of_all = (
        found[name].to_physical().cast(pl.UInt64) for name in (_ISSUER, _PATIENT, _STUDY)
    )
    who = _pair(issuer, patient)
    return pl.DataFrame(
        {"__person": who, "__study": _pair(who, study_of_all), _NUMBER: found[_NUMBER]}
    )


def _pair(outer: pl.Series, inner: pl.Series) -> pl.Series:
    """One number for two, another for each pair."""
    width = _bound(inner)
    if _bound(outer) * width > _MOST:
        outer = outer.rank("dense").cast(pl.UInt64)
    return outer * width + inner


def _bound(numbers: pl.Series) -> int:
    """One more than the greatest."""
    greatest = numbers.max()
    return greatest + 1 if isinstance(greatest, int) else 1
