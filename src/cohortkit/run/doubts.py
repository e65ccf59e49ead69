"""Where an index leaves open who is who: told by name before anything leaves, and never guessed.

A person is an issuer and a Patient ID. Two of these may still be one human being, and a release
would then hold her twice, once in the training set and once in the test set perhaps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from cohortkit.deidentify.identities import normalise
from cohortkit.deidentify.people import People
from cohortkit.model import Person
from cohortkit.protocols import Index
from cohortkit.run.persons import Row, person_of, text

_PARTS = re.compile(r"[\^=\s]+")
_WHO = ("IssuerOfPatientID", "PatientID")
_ASKED = ("StudyInstanceUID", "PatientName", "PatientBirthDate")


class Kind(StrEnum):
    """What makes one doubt."""

    ID = "one Patient ID under several issuers"
    STUDY = "one study under several people"
    NAME = "one name and birth date under several ids"


@dataclass(frozen=True, slots=True, repr=False)
class Doubt:
    """People who may be one. Identified: it shows no more than kind and number.

    Attributes:
        people: in order, two or more; one of them at least is in the cohort.
    """

    kind: Kind
    people: tuple[Person, ...]

    def __repr__(self) -> str:
        return f"<Doubt: {self.kind}, {len(self.people)} people>"


def doubts_of(
    index: Index, cohort: pl.DataFrame, default_issuer: str, people: People
) -> tuple[Doubt, ...]:
    """Every doubt about the people of a cohort; those who are merged are one, and no doubt."""
    rows = _near(index, cohort)
    mine = {_who(row, default_issuer, people) for row in cohort.iter_rows(named=True)}
    found: dict[tuple[Kind, object], set[Person]] = {}
    for row in rows:
        person = _who(row, default_issuer, people)
        if person.patient_id:
            for key in _signs(row, person):
                found.setdefault(key, set()).add(person)
    made = (
        Doubt(kind, tuple(sorted(them, key=lambda one: (one.issuer, one.patient_id))))
        for (kind, _), them in found.items()
        if len(them) > 1 and them & mine
    )
    # a study or name says no more of the same people than one before it
    return tuple(
        sorted(
            set(made), key=lambda one: (one.kind, [(p.issuer, p.patient_id) for p in one.people])
        )
    )


def tally_of(doubts: Iterable[Doubt]) -> dict[str, int]:
    """How many of each kind. Names nobody."""
    return dict(sorted(Counter(str(one.kind) for one in doubts).items()))


def frame_of(doubts: Iterable[Doubt], *, identified: bool) -> pl.DataFrame:
    """A row for each person of each doubt, or, naming nobody, for each doubt."""
    told = list(enumerate(doubts, 1))
    if not identified:
        rows = [(str(one.kind), number, len(one.people)) for number, one in told]
        return pl.DataFrame(
            rows, schema={"kind": pl.String, "case": pl.Int64, "people": pl.Int64}, orient="row"
        )
    named = [
        (str(one.kind), number, person.issuer, person.patient_id)
        for number, one in told
        for person in one.people
    ]
    schema = {"kind": pl.String, "case": pl.Int64, **dict.fromkeys(_WHO, pl.String)}
    return pl.DataFrame(named, schema=schema, orient="row")


def _near(index: Index, cohort: pl.DataFrame) -> Iterator[Row]:
    """The rows of the index that share an id, a study or a name with a row of the cohort."""
    frame = index.series()
    there = frame.collect_schema().names()
    shared = [name for name in ("PatientID", *_ASKED[:2]) if name in there and name in cohort]
    if "PatientID" not in shared:
        return iter(())
    near = pl.lit(value=False)
    for name in shared:
        values = cohort.select(_bare(name)).to_series().unique().drop_nulls()
        near |= _bare(name).is_in(values.implode())
    columns = [name for name in (*_WHO, *_ASKED) if name in there]
    return frame.filter(near).select(columns).unique().collect().iter_rows(named=True)


def _bare(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.strip_chars(" \0")


def _who(row: Row, default_issuer: str, people: People) -> Person:
    return people.one(person_of(row, default_issuer))


def _signs(row: Row, person: Person) -> Iterator[tuple[Kind, object]]:
    """What a row shares with others who may be the same person."""
    yield Kind.ID, person.patient_id
    study = normalise(text(row.get("StudyInstanceUID")))
    if study:
        yield Kind.STUDY, study
    name = " ".join(_PARTS.split(text(row.get("PatientName")))).casefold()
    name = normalise(name)
    if name and row.get("PatientBirthDate") is not None:
        yield Kind.NAME, (name, text(row["PatientBirthDate"]))
