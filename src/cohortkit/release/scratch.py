"""A database on disk for the moment: what no memory need hold, and nobody needs afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self


class Scratch:
    """A new file of SQLite; it is gone in the end."""

    def __init__(self, path: Path, table: str, *, megabytes: int) -> None:
        """Make it.

        Args:
            path: of the file; one that is there is replaced.
            table: the statement that makes its table.
            megabytes: of memory that it may use.
        """
        path.unlink(missing_ok=True)
        self._path = path
        self._base = sqlite3.connect(path)
        pages = f"cache_size = -{megabytes * 1024}"
        for pragma in ("journal_mode = OFF", "synchronous = OFF", pages):
            self._base.execute(f"PRAGMA {pragma}")
        self._base.execute(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()
        self._path.unlink(missing_ok=True)
