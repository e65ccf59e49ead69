"""The user's words held against headers, where the index is a table that knows no names.

Of such an index nobody can say when an export is planned whom a reason names. So each task, which
has the headers, looks for its own patient in the words that will be shown. What it finds is noted
in the vault, by place and without a value, and nothing that tells of the whole is published.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset

from cohortkit.errors import UsageError
from cohortkit.model import FORMAT
from cohortkit.run.place import Place, publish
from cohortkit.traces.fields import Kind, kind_of, source_texts

if TYPE_CHECKING:
    import polars as pl

Words = tuple[tuple[str, str], ...]
"""Place and text of what the user wrote."""

_NAMING: Final = ("PatientName", "PatientBirthDate", "AccessionNumber")
_OF_MANY: Final = frozenset({"IssuerOfPatientID", "IssuerOfAdmissionID"})
_AS: Final = {
    Kind.NAME: "PatientName",
    Kind.PHYSICIAN: "PatientName",
    Kind.BIRTH_DATE: "PatientBirthDate",
    Kind.DATE: "PatientBirthDate",
    Kind.PATIENT_ID: "PatientID",
    Kind.IDENTIFIER: "PatientID",
    Kind.PHONE: "PatientID",
    Kind.UID: "StudyInstanceUID",
    Kind.ADDRESS: "PatientAddress",
}
"""The column of an index as which the values of a kind are looked for."""


def knows_names(series: pl.LazyFrame) -> bool:
    """Whether an index has the columns by which people are named, and names in them."""
    import polars as pl  # noqa: PLC0415 - no worker asks this

    columns = series.collect_schema().names()
    if not set(_NAMING) <= set(columns):
        return False
    return bool(series.select(pl.col(_NAMING[0]).is_not_null().any()).collect().item())


def naming(words: Words, headers: Sequence[Dataset]) -> list[str]:
    """The places of which the text names the patient of these headers, or who else is in them."""
    import polars as pl  # noqa: PLC0415 - most workers have no words to look into

    from cohortkit.cohort.named import near  # noqa: PLC0415 - the same

    told: defaultdict[str, set[str]] = defaultdict(set)
    for keyword, vr, values in source_texts(headers):
        kind = kind_of(keyword, vr)
        if kind in _AS and keyword not in _OF_MANY:
            told[_AS[kind]].update(values)
    frame = pl.LazyFrame({column: [sorted(values)] for column, values in told.items()})
    people = near((text for _, text in words), frame)
    return sorted(place for place, text in words if people.stand_in(text))


def note_naming(place: Place, task: str, found: Sequence[str]) -> None:
    """Leave in the vault which words name the patient of a task, or that none do any more."""
    path = place.named / f"{task}.json"
    if found:
        publish(path, json.dumps({"format": FORMAT, "places": list(found)}).encode() + b"\n")
    else:
        path.unlink(missing_ok=True)


def demand_unnamed(place: Place, tasks: Iterable[str], said: str) -> None:
    """Refuse to publish words in which a task has found its patient.

    Raises:
        UsageError: it says in which places, and not the value.
    """
    found: set[str] = set()
    for task in tasks if place.named.exists() else ():
        path = place.named / f"{task}.json"
        if path.exists():
            found.update(json.loads(path.read_bytes())["places"])
    if found:
        raise UsageError(
            f"output {said}: {', '.join(sorted(found))}: names somebody of its series, as their "
            "headers tell (the index knows no names), and would be shown; no report and no table "
            "was written. Use other words and export again"
        )
