"""Distinct values counted on disk, so that memory does not grow with what is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cohortkit.release.scratch import Scratch

_MOST_HELD = 100_000  # values in memory before they are put away
_ROWS_A_FILE = 100_000


class Cell(NamedTuple):
    """One value of one attribute in one kind of output."""

    source: str
    attribute: str
    vr: str
    value: str


SCHEMA = pl.Schema(
    {
        "source": pl.String,
        "attribute": pl.String,
        "vr": pl.String,
        "value": pl.String,
        "count": pl.Int64,
        "patients": pl.Int64,
        "anywhere": pl.Int64,
    }
)
"""A row for each distinct value: how often it is there, in how many patients (0 for what is said
of the release as a whole), and in how many the same value is at most, in whatever attribute."""

_CREATE = """CREATE TABLE cells (source TEXT, attribute TEXT, vr TEXT, value TEXT, count INTEGER,
patients INTEGER, last TEXT, PRIMARY KEY (source, attribute, vr, value)) WITHOUT ROWID"""
_WHOLE = """CREATE TABLE whole (value TEXT PRIMARY KEY, anywhere INTEGER) WITHOUT ROWID"""
_ADD = """INSERT INTO cells VALUES (?1, ?2, ?3, ?4, ?5, ?6 <> '', ?6) ON CONFLICT DO UPDATE SET
count = count + excluded.count,
patients = patients + (excluded.last <> '' AND last <> excluded.last),
last = excluded.last"""


class Values(Scratch):
    """A count of cells. Those of one patient and source come one after the other."""

    def __init__(self, path: Path) -> None:
        """Count in a new file of this name, which is gone in the end."""
        super().__init__(path, _CREATE, megabytes=32)
        self._held: Counter[Cell] = Counter()
        self._patient = ""

    def add(self, patient: str, cell: Cell) -> None:
        """Count a value of a patient; the empty patient is the release as a whole."""
        if patient != self._patient or len(self._held) >= _MOST_HELD:
            self._put_away()
            self._patient = patient
        self._held[cell] += 1

    def _put_away(self) -> None:
        rows = ((*cell, count, self._patient) for cell, count in self._held.items())
        self._base.executemany(_ADD, rows)
        self._held.clear()

    def attributes(self) -> list[tuple[str, str, str, int, int, int]]:
        """Source, attribute, VR; distinct values, all values, values of one patient alone."""
        self._put_away()
        found = self._base.execute(
            "SELECT source, attribute, vr, COUNT(*), SUM(count), SUM(patients = 1) FROM cells "
            "GROUP BY source, attribute, vr ORDER BY source, attribute, vr"
        )
        return list(found)

    def commonest(self, source: str, attribute: str, vr: str, most: int) -> list[tuple[str, int]]:
        """The values that are there most often."""
        found = self._base.execute(
            "SELECT value, count FROM cells WHERE source = ? AND attribute = ? AND vr = ? "
            "ORDER BY count DESC, value LIMIT ?",
            (source, attribute, vr, most),
        )
        return list(found)

    def frames(self) -> Iterator[pl.DataFrame]:
        """All of it, sorted by source, attribute, VR and value, in pieces."""
        self._put_away()
        self._base.execute(_WHOLE)
        self._base.execute(
            "INSERT INTO whole SELECT value, MAX(patients) FROM cells GROUP BY value ORDER BY value"
        )
        found = self._base.execute(
            "SELECT source, attribute, vr, cells.value, count, patients, anywhere "
            "FROM cells CROSS JOIN whole ON whole.value = cells.value "
            "ORDER BY source, attribute, vr, cells.value"
        )
        while rows := found.fetchmany(_ROWS_A_FILE):
            yield pl.DataFrame(rows, schema=SCHEMA, orient="row")
