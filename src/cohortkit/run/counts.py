"""How many patients, studies, series and instances ended how. Pure.

At each level and for each output: in = written + refused + failed + not applicable + duplicate.
A patient, study or series counts by the best of its instances: it is written if any of it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cohortkit.model import Outcome, Reason, Record, Status
from cohortkit.run.tally import best

LEVELS = ("patient", "study", "series", "instance")

Unit = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """One line: an output at one level."""

    output: str
    level: str
    units: int
    by: dict[Status, int]


@dataclass(frozen=True, slots=True)
class Why:
    """How many series and instances of an output ended for one reason."""

    output: str
    status: Status
    reason: Reason | None
    series: int
    instances: int


def counts(records: Iterable[Record]) -> tuple[Count, ...]:
    """The lines of all outputs and levels, outputs in the order of their names.

    What is one record's alone is counted at once; patients and studies are in several.
    """
    shared: dict[tuple[str, str], dict[Unit, Status]] = {}
    sums: dict[tuple[str, str], Counter[Status]] = {}
    for record in records:
        patient, study = _units(record)
        for output, ended in _ended(record).items():
            mine = best(ended.values())
            for level, unit in (("patient", patient), ("study", study)):
                table = shared.setdefault((output, level), {})
                table[unit] = best((mine, table.get(unit, mine)))
            sums.setdefault((output, "series"), Counter())[mine] += 1
            sums.setdefault((output, "instance"), Counter()).update(ended.values())
    sums |= {key: Counter(table.values()) for key, table in shared.items()}
    return tuple(
        Count(output, level, sums[output, level].total(), _all(sums[output, level]))
        for output in sorted({output for output, _ in sums})
        for level in LEVELS
    )


def _ended(record: Record) -> dict[str, dict[int, Status]]:
    """What each instance counts as, by output."""
    found: dict[str, dict[int, Status]] = {}
    for outcome in record.outcomes:
        if outcome.instances:
            mine = found.setdefault(outcome.output, {})
            for number in outcome.instances:
                mine[number] = best((outcome.status, mine.get(number, outcome.status)))
    return found


def _all(by: Counter[Status]) -> dict[Status, int]:
    return {one: by[one] for one in Status}


def _units(record: Record) -> tuple[Unit, Unit]:
    """Patient and study. All who have no Patient ID are one patient, as in the flow."""
    if record.names is None:
        return ("",), ("", record.task)
    return (record.names.patient,), (record.names.patient, record.names.study)


def reasons(records: Iterable[Record]) -> tuple[Why, ...]:
    """What ended how and why; a written outcome is among them if a part was not written."""
    series: Counter[tuple[str, Status, Reason | None]] = Counter()
    instances: Counter[tuple[str, Status, Reason | None]] = Counter()
    for record in records:
        for one in record.outcomes:
            if one.instances:
                series[_key(one)] += 1
                instances[_key(one)] += len(one.instances)
    order = list(Status)
    keys = sorted(series, key=lambda key: (key[0], order.index(key[1]), str(key[2] or "")))
    return tuple(Why(*key, series[key], instances[key]) for key in keys)


def _key(outcome: Outcome) -> tuple[str, Status, Reason | None]:
    return outcome.output, outcome.status, outcome.reason


def any_of(records: Iterable[Record], status: Status) -> bool:
    """Whether anything ended so."""
    return any(one.status is status and one.instances for rec in records for one in rec.outcomes)
