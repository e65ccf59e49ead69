"""Of whom a row of an index is."""

from __future__ import annotations

from collections.abc import Mapping

from cohortkit.deidentify.identities import normalise
from cohortkit.model import Person

Row = Mapping[str, object]


def text(value: object) -> str:
    """A cell as text; nothing is empty text."""
    return "" if value is None else str(value)


def person_of(row: Row, default_issuer: str) -> Person:
    """Who a series row is about, ids as they are compared."""
    issuer = normalise(text(row.get("IssuerOfPatientID"))) or default_issuer
    return Person(issuer, normalise(text(row.get("PatientID"))))
