"""The tables of an index: which there are, their columns, and what each column says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl
from pydicom import datadict

from cohortkit.cohort.query import unknown
from cohortkit.dicom.keywords import tag_of
from cohortkit.index.columns import HISTORY, INSTANCES, ISSUES, SKIPPED
from cohortkit.index.normal import data
from cohortkit.index.rollup import series_schema

PERSON: Final = ["IssuerOfPatientID", "PatientID"]
_STUDY: Final = [*PERSON, "StudyInstanceUID"]
_OF_PERSON: Final = ["PatientBirthDate", "sex"]
_OF_STUDY: Final = [
    "AccessionNumber",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "age_years",
    "department",
]
_BESIDE: Final = ["series_key", "Modality", "body_part", "plane", "department"]


def tables_of(tables: Mapping[str, pl.LazyFrame], name: str) -> pl.LazyFrame:
    """One of the tables that ``schema`` lists, lazily.

    Raises:
        UnknownKeyword: there is no such table.
    """
    series = tables["series"]
    counts = [
        pl.len().cast(pl.Int64).alias("series"),
        pl.col("NumberOfSeriesRelatedInstances").sum().alias("instances"),
    ]
    if name == "patients":
        studies = pl.col("StudyInstanceUID").n_unique().cast(pl.Int64).alias("studies")
        first = [pl.col(word).drop_nulls().min() for word in _OF_PERSON]
        return series.group_by(PERSON).agg(*first, studies, *counts).sort(PERSON)
    if name == "studies":
        first = [pl.col(word).drop_nulls().min() for word in _OF_STUDY]
        every = pl.col("Modality").unique().sort().alias("modalities")
        return series.group_by(_STUDY).agg(*first, every, *counts).sort(_STUDY)
    if name in tables:
        return tables[name]
    side = _sides()
    if name not in side:
        raise unknown(name, ["patients", "studies", *tables, *side], "table")
    modalities, columns = side[name]
    wanted = list(dict.fromkeys([*_BESIDE, *columns]))
    return series.filter(pl.col("Modality").is_in(modalities)).select(wanted)


@cache
def _sides() -> dict[str, tuple[list[str], list[str]]]:
    rows = data("tables").iter_rows()
    return {name: (modalities.split(), columns.split()) for name, modalities, columns in rows}


def schema() -> pl.DataFrame:
    """Every column of every table: table, column, type, meaning."""
    empty = {
        "series": series_schema(),
        "instances": INSTANCES,
        "skipped": SKIPPED,
        "issues": ISSUES,
        "history": HISTORY,
    }
    tables = {name: pl.LazyFrame(schema=columns) for name, columns in empty.items()}
    ours = dict(data("columns").iter_rows())
    rows = [
        (name, column, str(kind), ours.get(column) or _meaning(column))
        for name in ("patients", "studies", *tables, *_sides())
        for column, kind in tables_of(tables, name).collect_schema().items()
    ]
    names = ["table", "column", "type", "meaning"]
    return pl.DataFrame(rows, dict.fromkeys(names, pl.String), orient="row")


def _meaning(keyword: str) -> str:
    tag = tag_of(keyword)
    if tag is None:
        return ""
    return f"{datadict.dictionary_description(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
