"""Normalised values of a series, each beside its raw one, with the rule that made it. Pure.

What means what stands in ``data/values.csv`` (a raw value, folded to capitals and letters, and its
meaning) and ``data/words.csv`` (words of a description). What no rule knows is null.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from cohortkit.index.ages import YEAR, years

ORIENTATION: Final = "ImageOrientationPatient"
_DESCRIPTIONS: Final = ("SeriesDescription", "ProtocolName", "StudyDescription")
_FIRST_DAY: Final = dt.date(1895, 11, 8)  # when Röntgen saw them: earlier dates are placeholders
_ALONG: Final = 0.866  # cosine of 30 degrees
_PLANES: Final = ("sagittal", "coronal", "axial")  # by the axis of their normal


def data(name: str) -> pl.DataFrame:
    """A table of ``data/``, all text."""
    file = files("cohortkit.index").joinpath("data", f"{name}.csv")
    return pl.read_csv(file.read_bytes(), infer_schema=False)


def normalised() -> list[pl.Expr]:
    """The normalised columns, from the columns of a series and ``ORIENTATION``."""
    coded = _meant("body_part", "BodyPartExamined")
    described = pl.when(_absent("BodyPartExamined")).then(_named("body_part"))
    day = pl.when(pl.col("StudyDate") >= _FIRST_DAY).then(pl.col("StudyDate"))
    series_day = pl.when(pl.col("SeriesDate") >= _FIRST_DAY).then(pl.col("SeriesDate"))
    stated, reckoned = _ages(day)
    return [
        pl.coalesce(coded, described).alias("body_part"),
        _rule(("coded", coded), ("described", described)).alias("body_part_rule"),
        _meant("laterality", "Laterality").alias("laterality"),
        _meant("sex", "PatientSex").alias("sex"),
        pl.coalesce(stated, reckoned).alias("age_years"),
        _rule(("stated", stated), ("reckoned", reckoned)).alias("age_rule"),
        pl.coalesce(day, series_day).alias("study_date"),
        _rule(("study", day), ("series", series_day)).alias("study_date_rule"),
        _meant("modality_group", "Modality").alias("modality_group"),
        *_contrast(),
        _plane().alias("plane"),
        *_localizer(),
        _types()
        .list.get(0, null_on_oob=True)
        .replace_strict({"DERIVED": True, "ORIGINAL": False}, default=None, return_dtype=pl.Boolean)
        .alias("is_derived"),
    ]


def _rule(*by: tuple[str, pl.Expr]) -> pl.Expr:
    """The name of the first rule that gave a value."""
    return pl.coalesce(pl.when(found.is_not_null()).then(pl.lit(name)) for name, found in by)


def _folded(column: str) -> pl.Expr:
    return pl.col(column).str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def _absent(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars() == ""


@cache
def _values(column: str) -> dict[str, str]:
    rows = data("values").filter(pl.col("column") == column)
    return dict(rows.select("raw", "value").iter_rows())


def _meant(column: str, source: str) -> pl.Expr:
    known = _values(column)
    return _folded(source).replace_strict(known, default=None, return_dtype=pl.String)


@cache
def _words(column: str) -> tuple[tuple[str, str], ...]:
    rows = data("words").filter(pl.col("column") == column)
    return tuple(
        (f"(?i)(^|[^A-Za-z0-9])({pattern})([^A-Za-z0-9]|$)", value)
        for pattern, value in rows.select("pattern", "value").iter_rows()
    )


def _text() -> pl.Expr:
    return pl.concat_str(_DESCRIPTIONS, separator=" | ", ignore_nulls=True)


def _named(column: str) -> pl.Expr:
    """The one value that the descriptions name; null where they name none, or several."""
    hits = [(value, _text().str.contains(pattern)) for pattern, value in _words(column)]
    alone = pl.sum_horizontal(hit for _, hit in hits) == 1
    return pl.when(alone).then(pl.coalesce(pl.when(hit).then(pl.lit(v)) for v, hit in hits))


def _ages(day: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    stated = years("PatientAge")
    lived = (day - pl.col("PatientBirthDate")).dt.total_days() / YEAR
    return stated, pl.when(stated.is_null() & (lived >= 0)).then(lived)


def _contrast() -> list[pl.Expr]:
    agent = _folded("ContrastBolusAgent")
    none = agent.is_in(["NO", "NONE", "N", "NOCONTRAST", "WITHOUT"])
    stated = pl.when(agent != "").then(~none)
    described = pl.when(stated.is_null()).then(_named("contrast") == "true")
    rule = _rule(("stated", stated), ("described", described))
    return [pl.coalesce(stated, described).alias("contrast"), rule.alias("contrast_rule")]


def _plane() -> pl.Expr:
    cosines = pl.col(ORIENTATION).cast(pl.List(pl.Float64()))
    at = [cosines.list.get(place, null_on_oob=True) for place in range(6)]
    normal = [
        (at[1] * at[5] - at[2] * at[4]).abs(),
        (at[2] * at[3] - at[0] * at[5]).abs(),
        (at[0] * at[4] - at[1] * at[3]).abs(),
    ]
    named = [
        pl.when(part > _ALONG).then(pl.lit(name))
        for part, name in zip(normal, _PLANES, strict=True)
    ]
    known = pl.all_horizontal(part.is_not_null() for part in at)
    return pl.when(known).then(pl.coalesce(*named, pl.lit("oblique")))


def _types() -> pl.Expr:
    # the cast is for frames of absent lists, whose type polars forgets in some operations
    return pl.col("ImageType").cast(pl.List(pl.String()))


def _localizer() -> list[pl.Expr]:
    words = _types().list
    typed = pl.when(words.len() > 0).then(words.contains("LOCALIZER"))
    said = pl.when(_named("is_localizer") == "true").then(pl.lit(value=True))
    found = pl.coalesce(pl.when(typed).then(typed), said, typed)
    rule = pl.when(~typed.fill_null(value=False) & said.is_not_null()).then(pl.lit("described"))
    by_type = pl.when(typed.is_not_null()).then(pl.lit("image type"))
    return [found.alias("is_localizer"), pl.coalesce(rule, by_type).alias("is_localizer_rule")]
