"""Of whom a row of an index is, and what else the index knows of that person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from cohortkit.deidentify.identities import normalise
from cohortkit.deidentify.people import People
from cohortkit.model import Person
from cohortkit.protocols import Index

Row = Mapping[str, object]

_WHO: Final = ("IssuerOfPatientID", "PatientID")
_KNOWN: Final = (
    "PatientName",
    "PatientBirthDate",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "PatientAge",
    # what some studies say and others do not; a label that is joined to the person says it to all
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "ResponsiblePerson",
    "AdmissionID",
    "ReferringPhysicianName",
    "RequestingPhysician",
    "PhysiciansOfRecord",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "OperatorsName",
    "InstitutionName",
)
_DATES: Final = frozenset({"PatientBirthDate", "StudyDate"})
_MOST = 500
"""Values of one attribute of one person; who has more is nobody."""


def text(value: object) -> str:
    """A cell as text; nothing is empty text."""
    return "" if value is None else str(value)


def person_of(row: Row, default_issuer: str) -> Person:
    """Who a series row is about, ids as they are compared."""
    issuer = normalise(text(row.get("IssuerOfPatientID"))) or default_issuer
    return Person(issuer, normalise(text(row.get("PatientID"))))


def known_of(
    index: Index, cohort: pl.DataFrame, default_issuer: str, people: People
) -> dict[Person, tuple[tuple[str, str], ...]]:
    """(keyword, value) of what all studies in the index say of the people of a cohort.

    A series that lacks its patient's name, or has an older one, is hers all the same: whoever
    searches what leaves looks for every name, birth date and number that she is known by, under
    any of the ids that are merged.
    """
    frame = index.series()
    names = frame.collect_schema()
    columns = [name for name in _KNOWN if name in names]
    if "PatientID" not in names or "PatientID" not in cohort.columns or not columns:
        return {}
    who = [name for name in _WHO if name in names]
    bare = pl.col("PatientID").cast(pl.String).str.strip_chars(" \0")
    others = [one.patient_id for pair in people.into.items() for one in pair]
    ids = pl.concat([cohort.select(bare).to_series(), pl.Series(others, dtype=pl.String)])
    ids = ids.unique().drop_nulls()
    rows = (
        frame.filter(bare.is_in(ids.implode()))
        .select(*who, *(_written(name, names[name]) for name in columns))
        .group_by(who)
        .agg(
            pl.col(name).explode(keep_nulls=False, empty_as_null=False).unique().sort().head(_MOST)
            for name in columns
        )
        .collect()
    )
    found: dict[Person, set[tuple[str, str]]] = {}
    for row in rows.iter_rows(named=True):
        mine = found.setdefault(people.one(person_of(row, default_issuer)), set())
        mine.update((name, value) for name in columns for value in row[name] if value)
    return {person: tuple(sorted(known)) for person, known in found.items()}


def _written(name: str, kind: pl.DataType) -> pl.Expr:
    """As a header has it, each value by itself."""
    if isinstance(kind, pl.List):
        return pl.col(name).cast(pl.List(pl.String))
    column = pl.col(name)
    if name in _DATES:
        column = column.cast(pl.Date, strict=False).dt.strftime("%Y%m%d")
    return pl.concat_list(column.cast(pl.String))
