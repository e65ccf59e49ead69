"""The records of an export, many of them: what is short is held, what is long is read again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from cohortkit.errors import OutputError
from cohortkit.model import Outcome, Record, Statement
from cohortkit.run.place import Place
from cohortkit.run.records import from_json

SUFFIX = ".json"


def paths(place: Place) -> Iterator[Path]:
    """The file of every record, in the order of their names; also as they lay before folders."""
    found = []
    for entry in _entries(place.records):
        if entry.is_dir(follow_symlinks=False):
            found += [Path(one.path) for one in _entries(entry.path) if _is_record(one)]
        elif _is_record(entry):
            found.append(Path(entry.path))
    yield from sorted(found, key=lambda path: path.name)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _is_record(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(SUFFIX) and not entry.name.startswith(".")


def read_all(place: Place, *, rows: bool = True) -> Iterator[Record]:
    """Every record, with its table rows or without; a damaged one is none."""
    for path in paths(place):
        try:
            record = from_json(path.read_bytes(), rows=rows)
        except FileNotFoundError:
            continue  # taken back, or moved, since it was seen
        if record is not None and record.task == path.stem:
            yield record


def residual_of(place: Place, task: str) -> Path:
    """What a task was not searched for; also where an earlier version left it."""
    path = place.residual(task)
    return path if path.exists() else place.residuals / path.name


class _Again(Protocol):
    """Reads a record again."""

    def __call__(self, one: Record, *, rows: bool) -> Record: ...


class Shelf:
    """The records of an export in the order of the release; to be gone through many times.

    Attributes:
        bare: each without table rows and files, which are most of it.
    """

    def __init__(self, records: Iterable[Record], again: _Again) -> None:
        """Take records as they come.

        Args:
            records: in any order; gone through once.
            again: the whole of a record that is bare; or without its table rows, if those are
                not wanted.
        """
        same = _Same()
        self.bare = sorted((_bare(one, same) for one in records), key=_order)
        self._again = again

    @classmethod
    def of(cls, records: Iterable[Record]) -> Shelf:
        """Of records that are in memory."""
        whole = {one.task: one for one in records}

        def again(one: Record, *, rows: bool) -> Record:  # noqa: ARG001 - they are there anyway
            return whole[one.task]

        return cls(whole.values(), again)

    @classmethod
    def on(cls, place: Place, also: Iterable[Record] = ()) -> Shelf:
        """Of those on disk, and of some that could not be published."""
        lost = {one.task: one for one in also}

        def again(one: Record, *, rows: bool) -> Record:
            return lost[one.task] if one.task in lost else _read(place, one.task, rows=rows)

        there = (one for one in read_all(place, rows=False) if one.task not in lost)
        return cls((one for part in (there, lost.values()) for one in part), again)

    def __len__(self) -> int:
        return len(self.bare)

    def __iter__(self) -> Iterator[Record]:
        """The whole records."""
        return (self._again(one, rows=True) for one in self.bare)

    def rowless(self) -> Iterator[Record]:
        """The records without their table rows."""
        return (self._again(one, rows=False) for one in self.bare)


def _read(place: Place, task: str, *, rows: bool) -> Record:
    """A record that was there a moment ago; also where an earlier version left it.

    Raises:
        OSError: it is gone.
        OutputError: it was damaged meanwhile.
    """
    path = place.record(task)
    there = path if path.exists() else place.records / path.name
    record = from_json(there.read_bytes(), rows=rows)
    if record is None:
        raise OutputError("a record in the vault changed while it was read")
    return record


@dataclass(slots=True)
class _Same:
    """What many records have alike, so that it is there once."""

    outcomes: dict[object, Outcome] = field(default_factory=dict)
    statements: dict[Statement | None, Statement | None] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)

    def outcome(self, one: Outcome) -> Outcome:
        key = (one.output, one.status, one.reason, one.instances, tuple(one.numbers.items()))
        return self.outcomes.setdefault(key, one)


def _bare(record: Record, same: _Same) -> Record:
    return replace(
        record,
        outcomes=tuple(map(same.outcome, record.outcomes)),
        artifacts=(),
        rows=_NO_ROWS,
        statement=same.statements.setdefault(record.statement, record.statement),
        plan=same.plans.setdefault(record.plan, record.plan),
        inputs="",
    )


_NO_ROWS: dict[str, tuple[dict[str, object], ...]] = {}


def _order(record: Record) -> tuple[str, str, str, str]:
    names = record.names
    if names is None:
        return "", "", "", record.task
    return names.patient, names.study, names.series, record.task
