"""What a cohort kept, for tests that reckon it again."""

from __future__ import annotations

import datetime as dt

from cohortkit.cohort import Cohort
from fake_index import Row


def who(line: Row) -> tuple[str, str]:
    return (str(line["IssuerOfPatientID"] or "").strip(), str(line["PatientID"] or "").strip())


def study(line: Row) -> tuple[object, str]:
    return (who(line), str(line["StudyInstanceUID"]))


def keys(cohort: Cohort) -> list[str]:
    return sorted(cohort.identified()["series_key"])


def notes(cohort: Cohort) -> dict[str, int]:
    return {note.words: note.count for note in cohort.steps[-1].notes}


def first_days(lines: list[Row]) -> dict[tuple[object, str], dt.date]:
    """The day of each study: the first of its series."""
    found: dict[tuple[object, str], dt.date] = {}
    for line in lines:
        if line["StudyDate"] is not None:
            found[study(line)] = min(found.get(study(line), line["StudyDate"]), line["StudyDate"])
    return found
