"""Joined columns of a plan: whether each is what the recipe calls it, and which values are rare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.steps import counted
from cohortkit.deidentify.people import People
from cohortkit.errors import UsageError
from cohortkit.model import Person, Scalar, Task
from cohortkit.recipe.model import Label, LabelType, Recipe

_IDS: Final = frozenset({"pair_id", "match_id"})
_UNIQUE: Final = frozenset({LabelType.ID, LabelType.DATE})
"""Types of which every patient has values of their own: pseudonyms, and dates."""


def demand_typed(recipe: Recipe, cohort: Cohort) -> None:
    """Refuse a column of durations that is called something else, and the ids of pairs and sets.

    Raises:
        UsageError: all of them, with the type that is due.
    """
    columns = cohort.columns
    released = [one for one in recipe.labels if one.column in cohort.labels]
    found = [fault for one in released if (fault := _mistyped(one, columns[one.column]))]
    if found:
        raise UsageError("; ".join(found))


def _mistyped(label: Label, kind: pl.DataType) -> str:
    if isinstance(kind, pl.Duration) != (label.type is LabelType.INTERVAL):
        due = 'has the type "interval"' if isinstance(kind, pl.Duration) else "is no interval"
        return f"labels.{label.column}: {due}"
    if label.column in _IDS and label.type is not LabelType.ID:
        return f'labels.{label.column}: is made of identifiers and has the type "id"'
    return ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a column, or of all together, and how many patients have it."""

    column: str
    value: str
    patients: int


def small_cells(
    recipe: Recipe, tasks: Iterable[Task], people: People, fewest: int
) -> tuple[Cell, ...]:
    """The values of joined columns that are released and that fewer patients have.

    Each column by itself, and all of them together (``column`` is then their names, joined): who
    knows of somebody what a small cell says finds them. Absent is no value of a column, and one
    of all together. What the recipe leaves empty in the end is counted as well.
    """
    columns = [one.column for one in recipe.labels if one.type not in _UNIQUE]
    having: dict[tuple[str, str], set[Person]] = defaultdict(set)
    for task in tasks:
        who, labels = people.one(task.person), dict(task.labels)
        for name, value in _told(columns, labels):
            having[name, value].add(who)
    return tuple(
        Cell(name, value, len(who))
        for (name, value), who in sorted(having.items())
        if len(who) < fewest
    )


def _told(columns: Sequence[str], labels: Mapping[str, Scalar | None]) -> Iterator[tuple[str, str]]:
    there = [name for name in columns if name in labels]
    for name in there:
        if labels[name] is not None:
            yield name, str(labels[name])
    if len(there) > 1:
        yield " + ".join(there), " + ".join(str(labels[name] or "") for name in there)


def in_words(cells: Sequence[Cell], fewest: int) -> list[str]:
    """A line for each column, without a value."""
    by_column: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_column[cell.column].append(cell)
    return [
        f"{name}: {counted(len(mine), 'value')} of fewer than {fewest} patients, "
        f"the least of {counted(min(cell.patients for cell in mine), 'patient')}"
        for name, mine in by_column.items()
    ]


def frame_of(cells: Sequence[Cell], *, identified: bool) -> pl.DataFrame:
    """A row for each column with the number of its small cells, or for each with its value."""
    schema = pl.Schema({"column": pl.String(), "value": pl.String(), "patients": pl.Int64()})
    rows = [(cell.column, cell.value, cell.patients) for cell in cells]
    frame = pl.DataFrame(rows, schema, orient="row")
    if identified:
        return frame
    counts = [pl.len().cast(pl.Int64).alias("values"), pl.col("patients").min().alias("least")]
    return frame.group_by("column", maintain_order=True).agg(counts)
