"""What a caller brings beside a recipe in deid's language: variables and functions."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time

import polars as pl

from cohortkit.recipe.deid.lines import Function, Given, Script, Source, Variables
from cohortkit.recipe.deid.values import OWN
from cohortkit.recipe.hints import hint

PERSON = ("PatientID", "IssuerOfPatientID")
_BLANKS = "\0 \t\n\r\f\v"

Given_ = Mapping[str, object]


def text_of(value: object) -> str | None:
    """A value of a caller's table as DICOM writes it; None where there is none."""
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return None
    match value:
        case bool():
            return "Y" if value else "N"
        case datetime():
            return f"{value:%Y%m%d%H%M%S}"
        case date():
            return f"{value:%Y%m%d}"
        case time():
            return f"{value:%H%M%S}"
        case _:
            return str(value).strip(_BLANKS) or None


def variables_of_mapping(given: Given_) -> tuple[Variables, list[str]]:
    """Values for everyone by name, or by patient: Patient ID to values by name."""
    nested = {key: row for key, row in given.items() if isinstance(row, Mapping)}
    if not nested:
        shared = {str(name): text for name, value in given.items() if (text := text_of(value))}
        return Variables(shared), []
    if len(nested) < len(given):
        return Variables(), ["variables: some values are by patient and some are not"]
    rows = {("", _trimmed(str(person))): _row(row) for person, row in nested.items()}
    return Variables(rows=rows), []


def _row(row: Given_) -> dict[str, str]:
    return {str(name): text for name, value in row.items() if (text := text_of(value))}


def variables_of_table(table: pl.DataFrame) -> tuple[Variables, list[str]]:
    """A row a patient: PatientID, perhaps IssuerOfPatientID, and a column for each variable."""
    if PERSON[0] not in table.columns:
        return Variables(), [f"variables: the table has no column {PERSON[0]}"]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    faults = []
    for number, row in enumerate(table.iter_rows(named=True), 1):
        patient, issuer = (_trimmed(text_of(row.get(name)) or "") for name in PERSON)
        if not patient:
            faults.append(f"variables: row {number} names no patient")
        elif (issuer, patient) in rows:
            faults.append(f"variables: row {number} is of a patient who has a row already")
        else:
            rows[issuer, patient] = _row({n: v for n, v in row.items() if n not in PERSON})
    return Variables(rows=rows), faults


def _trimmed(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip(_BLANKS)


def undefined(script: Script) -> Iterator[str]:
    """Variables and functions that lines name and nobody defines."""
    functions = {name for name, _ in script.functions}
    known = {
        Source.VARIABLE: (script.variables.names, "variable"),
        Source.FUNCTION: (functions, "function"),
        Source.OWN: (OWN, "function of deid"),
    }
    for line in script.lines:
        given = line.given
        if given is None or given.source is Source.CONSTANT:
            continue
        names, what = known[given.source]
        if given.text not in names:
            yield f"{line.place}: undefined {what} {given.text!r}{_how(given, names)}"


def _how(given: Given, names: AbstractSet[str]) -> str:
    if names:
        return hint(given.text, names)
    return {
        Source.VARIABLE: "; variables=… (in the shell --variables) defines them",
        Source.FUNCTION: "; load_recipe(…, functions={…}) defines functions",
    }.get(given.source, "")


def unusable(functions: Mapping[str, object], what: str = "functions") -> Iterator[str]:
    """Functions that no worker process could call; ``what`` they are called in a fault."""
    for name, function in functions.items():
        module, path = (getattr(function, a, "") for a in ("__module__", "__qualname__"))
        if not callable(function):
            yield f"{what}.{name}: this is no function"
        elif module == "__main__" or "<" in str(path) or not path:
            yield (
                f"{what}.{name}: workers import functions by name; define it at the top of a "
                "module, not in a script, a notebook or another function"
            )


def code_of(function: Function) -> str:
    """Which function this is: its name and a digest of its code."""
    code = getattr(function, "__code__", None)
    parts = (code.co_code, repr(code.co_consts), repr(code.co_names)) if code else ()
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    return f"{function.__module__}.{function.__qualname__} {digest}"
