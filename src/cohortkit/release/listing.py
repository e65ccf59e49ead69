"""Which file of a release is of whom, in the order in which they are counted: on disk.

A release of a million objects has a million names, which no memory need hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cohortkit.release.scratch import Scratch

_CREATE = """CREATE TABLE files (path BLOB PRIMARY KEY, patient TEXT NOT NULL, there INTEGER)
WITHOUT ROWID"""
_OF = """INSERT INTO files VALUES (?1, ?2, 0) ON CONFLICT DO UPDATE SET patient = ?2"""
_THERE = """INSERT INTO files VALUES (?1, '', 1) ON CONFLICT DO UPDATE SET there = 1"""
_AT_ONCE = 512


class Listing(Scratch):
    """Names of files, relative to the release, and the patients whom they are of."""

    def __init__(self, path: Path) -> None:
        """Keep them in a new file of this name, which is gone in the end."""
        super().__init__(path, _CREATE, megabytes=8)

    def of(self, patient: str, names: Iterable[str]) -> None:
        """A record says that these are of a patient; they need not be there."""
        self._base.executemany(_OF, ((os.fsencode(name), patient) for name in names))

    def there(self, names: Iterable[str]) -> None:
        """These are in the release, whoever they are of."""
        self._base.executemany(_THERE, ((os.fsencode(name),) for name in names))

    def patients(self) -> set[str]:
        """Everybody whom a record names."""
        found = self._base.execute("SELECT DISTINCT patient FROM files WHERE patient <> ''")
        return {patient for (patient,) in found}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Name and patient of what is there: those of nobody first, then patient by patient."""
        rows = self._base.execute(
            "SELECT path, patient FROM files WHERE there ORDER BY patient, path"
        )
        while found := rows.fetchmany(_AT_ONCE):
            yield from ((os.fsdecode(path), patient) for path, patient in found)
