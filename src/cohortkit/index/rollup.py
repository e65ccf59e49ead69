"""From rows of instances to rows of series. Pure."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from cohortkit.index.ages import years
from cohortkit.index.columns import FIELDS, INSTANCES, LISTS, RUN, SERIES_KEYWORDS
from cohortkit.index.normal import ORIENTATION, normalised
from cohortkit.model.kinds import Risk

_KEY = "series_key"
_CLASS_WORDS = ("kind", "department", "risk")
_RISKS = (Risk.NONE, Risk.LOW, Risk.STATED, Risk.HIGH)
_UNKNOWN = len(_RISKS)
SERIES_SORTED_BY: Final = (
    "Modality",
    "PatientID",
    "StudyDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    _KEY,
)


def roll_up(instances: pl.LazyFrame) -> pl.DataFrame:
    """One row a series.

    A column holds the value of the first instance (by SOP Instance UID, then path); where that
    has none, the smallest value of the others. Where privacy asks, it is the riskiest: what is
    burned in YES before unknown before NO, colour before grey, an unknown class before any, the
    greatest age and the earliest birth. ``latest_date`` is the last day that an instance names.
    ``LISTS`` has every distinct value beside it. ``NumberOfSeriesRelatedInstances`` counts the
    files, copies included; ``NumberOfFrames`` and ``size`` are sums. Normalised values stand
    beside the raw ones (``normal``).
    """
    first = instances.group_by(_KEY).agg(pl.col("SOPInstanceUID").min())
    head = (
        instances.select(_KEY, "SOPInstanceUID", "path", ORIENTATION, *_plain())
        .join(first, on=[_KEY, "SOPInstanceUID"], how="semi")
        .sort("path")
        .unique(_KEY, keep="first", maintain_order=True)
    )
    totals = instances.group_by(_KEY).agg(*_totals(), *_distinct(), *_risks(), *_ages())
    rows = head.drop("SOPInstanceUID", "path").join(totals, on=_KEY, how="left")
    fallback = [
        pl.coalesce(word, f"{word}_else").alias(word) for word in _plain() if not _is_listed(word)
    ]
    rows = rows.with_columns(fallback).with_columns(_riskiest())
    wanted = [_KEY, *_plain(), "TransferSyntaxUID", "latest_date", *_COUNTS, *LISTS]
    return (
        rows.select(*wanted, *normalised(), *RUN).sort(SERIES_SORTED_BY).collect(engine="streaming")
    )


def with_study_counts(series: pl.DataFrame) -> pl.DataFrame:
    """Add how many series each study of a person has."""
    person_and_study = ["IssuerOfPatientID", "PatientID", "StudyInstanceUID"]
    count = pl.len().over(person_and_study).cast(pl.Int64)
    return series.with_columns(count.alias("NumberOfStudyRelatedSeries"))


@cache
def series_schema() -> pl.Schema:
    """Columns and types of the series table."""
    return with_study_counts(roll_up(pl.LazyFrame(schema=INSTANCES))).schema


_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_COUNTS = ("NumberOfFrames", "NumberOfSeriesRelatedInstances", "size")
_MULTIPLE = frozenset(wanted.keyword for wanted in FIELDS if wanted.multiple)


def _plain() -> tuple[str, ...]:
    return (*_CLASS_WORDS, *SERIES_KEYWORDS)


def _is_listed(word: str) -> bool:
    return word in _MULTIPLE


def _totals() -> list[pl.Expr]:
    frames = pl.when(pl.col("Rows").is_not_null()).then(pl.col("NumberOfFrames").fill_null(1))
    return [
        pl.when(pl.col("Rows").is_not_null().any()).then(frames.sum()).alias("NumberOfFrames"),
        pl.len().cast(pl.Int64).alias("NumberOfSeriesRelatedInstances"),
        pl.col("size").sum().alias("size"),
        pl.col("TransferSyntaxUID").min(),
        pl.col("source").first(),
        pl.col("load_run").max(),
        pl.col("valid_from").max(),
        *(pl.col(word).min().alias(f"{word}_else") for word in _plain() if not _is_listed(word)),
    ]


def _distinct() -> list[pl.Expr]:
    # the cast is for frames of absent lists, whose type polars forgets in some operations
    joined = {"image_types": pl.col("ImageType").cast(pl.List(pl.String())).list.join("\\")}
    return [
        joined.get(name, pl.col(word)).unique().sort().alias(name) for name, word in LISTS.items()
    ]


def _risks() -> list[pl.Expr]:
    rank = pl.col("risk").replace_strict(
        {str(risk): place for place, risk in enumerate(_RISKS)},
        default=_UNKNOWN,
        return_dtype=pl.Int8,
    )
    visual = pl.col("RecognizableVisualFeatures")
    return [rank.max().alias("rank"), visual.unique().sort().alias("visual")]


def _ages() -> list[pl.Expr]:
    """An age over 89 in any file is one of the person, and so is what two files let one reckon."""
    day = pl.col("AcquisitionDateTime").str.slice(0, 8).str.to_date("%Y%m%d", strict=False)
    return [
        pl.col("PatientAge").get(years("PatientAge").arg_max()).alias("oldest"),
        pl.max_horizontal(*_DATES, day).max().alias("latest_date"),
    ]


def _riskiest() -> list[pl.Expr]:
    names = [str(risk) for risk in _RISKS]
    by_rank = dict(enumerate(names))
    risk = pl.col("rank").replace_strict(by_rank, default=None, return_dtype=pl.String)
    colour = pl.col("photometrics").list.eval(
        pl.element().filter(~pl.element().str.starts_with("MONOCHROME"))
    )
    return [
        risk.alias("risk"),
        pl.coalesce("oldest", "PatientAge").alias("PatientAge"),
        pl.col("PatientBirthDate_else").alias("PatientBirthDate"),
        _worst("burned_in").alias("BurnedInAnnotation"),
        _worst("visual").alias("RecognizableVisualFeatures"),
        pl.coalesce(colour.list.first(), "PhotometricInterpretation").alias(
            "PhotometricInterpretation"
        ),
    ]


def _worst(listed: str) -> pl.Expr:
    """YES before what else is said, before nothing said, before NO."""
    values = pl.col(listed)
    other = values.list.eval(pl.element().filter(pl.element() != "NO")).list.first()
    return (
        pl.when(values.list.contains("YES"))
        .then(pl.lit("YES"))
        .when(other.is_not_null())
        .then(other)
        .when(values.list.eval(pl.element().is_null()).list.any())
        .then(None)
        .otherwise(values.list.first())
    )
