"""The rows of a table of ids in its file (`tabled.Rows`): it grows by SQLite's transactions.

The journal is a rollback journal and no write-ahead log, which would need memory that machines
cannot share.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from cohortkit.deidentify import codes
from cohortkit.deidentify.tabled import Draw
from cohortkit.errors import IdTableError

FORMAT: Final = 1
WITH_CODES: Final = 2
"""Format of a table that holds a broker's codes: who knows them not must not draw beside them."""
APPLICATION: Final = 0x636B6964
"""Stands in the file's header (PRAGMA application_id): no other database is taken for a table."""

_PATIENCE = 600.0  # seconds; whoever holds the table is at work on one series
SCHEMA: Final = f"""
PRAGMA application_id={APPLICATION};
PRAGMA user_version={FORMAT};
BEGIN;
CREATE TABLE about (project TEXT NOT NULL, key_id TEXT NOT NULL, table_id TEXT NOT NULL);
CREATE TABLE ids (
    locator BLOB PRIMARY KEY CHECK (length(locator) = 16),
    drawn BLOB NOT NULL UNIQUE CHECK (length(drawn) IN (10, 16))
) WITHOUT ROWID;
"""

_CODES: Final = """
CREATE TABLE IF NOT EXISTS codes (
    locator BLOB PRIMARY KEY CHECK (length(locator) = 16),
    code TEXT NOT NULL,
    form TEXT NOT NULL UNIQUE
) WITHOUT ROWID
"""
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


_FAULTS: Final = {
    sqlite3.SQLITE_BUSY: "another process has held it for ten minutes",
    sqlite3.SQLITE_LOCKED: "another process has held it for ten minutes",
    sqlite3.SQLITE_FULL: "no space left",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_CANTOPEN: "it, or its journal beside it, cannot be opened",
    sqlite3.SQLITE_NOTADB: "it is no table of ids",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_ERROR: "damaged",
}


class Rows:
    """The rows in the file (`tabled.Rows`); one connection for each process."""

    def __init__(self, path: Path, said: str) -> None:
        self.path, self.said = path, said
        self._lock = threading.RLock()
        self._pid = 0
        self._connection: sqlite3.Connection | None = None
        self._depth = 0

    def about(self) -> tuple[str, str, str]:
        """Project, key id and table id.

        Raises:
            IdTableError: no table of ids.
        """
        with self._lock:
            marks = [
                self._do(f"PRAGMA {name}")[0][0] for name in ("application_id", "user_version")
            ]
            if marks[0] != APPLICATION:
                raise IdTableError(f"table of ids {self.said}: it is no table of ids")
            if marks[1] not in (FORMAT, WITH_CODES):
                raise IdTableError(f"table of ids {self.said}: made by another version")
            rows = self._do("SELECT project, key_id, table_id FROM about")
        if len(rows) != 1:
            raise IdTableError(f"table of ids {self.said}: damaged")
        project, key_id, table_id = rows[0]
        return str(project), str(key_id), str(table_id)

    def count(self) -> int:
        """How many rows there are."""
        with self._lock:
            return int(self._do("SELECT count(*) FROM ids")[0][0])

    def drew(self, drawn: bytes) -> bool:
        """Whether it was drawn here."""
        with self._lock:
            return bool(self._do("SELECT 1 FROM ids WHERE drawn = ?", drawn))

    def code(self, locator: bytes) -> str:
        """The code that a broker gave, or empty."""
        rows = self._of_codes("SELECT code FROM codes WHERE locator = ?", locator)
        return str(rows[0][0]) if rows else ""

    def has_code(self, code: str) -> bool:
        """Whether a broker gave it to anybody."""
        return bool(self._of_codes("SELECT 1 FROM codes WHERE code = ?", code))

    def has_codes(self) -> bool:
        """Whether a broker has given any; asked anew each time, for they may have come since."""
        return bool(self._do("PRAGMA user_version")[0][0] == WITH_CODES)

    def _of_codes(self, sql: str, value: bytes | str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._do(sql, value) if self.has_codes() else []

    def assign(self, placed: Sequence[tuple[bytes, str]]) -> tuple[int, list[str]]:
        """How many codes are new, and what is wrong; if anything is, nothing is changed."""
        new, wrong = 0, []
        with self.alone():
            self._do(_CODES)
            for number, (locator, code) in enumerate(placed, 1):
                there = self._do("SELECT code FROM codes WHERE locator = ?", locator)
                if there and there[0][0] == code:
                    continue
                if there or self.find(locator):
                    wrong.append(f"person {number}: has a name in this table already")
                    continue
                row = (locator, code, codes.form(code))
                self._do("INSERT OR IGNORE INTO codes VALUES (?, ?, ?)", *row)
                if not self._do("SELECT 1 FROM codes WHERE locator = ?", locator):
                    wrong.append(f"person {number}: the code is another's in this table already")
                new += 1
            self._do("ROLLBACK" if wrong else f"PRAGMA user_version={WITH_CODES}")
        return new, wrong

    def find(self, locator: bytes) -> bytes | None:
        """What was drawn, or nothing yet."""
        with self._lock:
            rows = self._do("SELECT drawn FROM ids WHERE locator = ?", locator)
        return rows[0][0] if rows else None

    def add(self, locator: bytes, draw: Draw) -> bytes:
        """What was drawn, by whoever was first; never the same for two locators."""
        with self.together():
            if not self._open().in_transaction:
                self._do("BEGIN IMMEDIATE")
            found = self.find(locator)  # again: another run may have been faster
            while found is None:
                self._do("INSERT OR IGNORE INTO ids VALUES (?, ?)", locator, draw())
                found = self.find(locator)  # nothing, where the draw is another's already
            return found

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make what is added inside durable in one go, also where the inside fails.

        An id that was handed out once stays: whoever was told it may have used it.
        """
        with self._lock:
            connection = self._open()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth and connection.in_transaction:
                    self._commit(connection)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the table for this process, and change nothing."""
        with self.together():
            self._do("BEGIN IMMEDIATE")
            yield

    def free(self) -> bool:
        """Whether nobody else has the table now."""
        with self._lock:
            try:
                self._open().execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF in _BUSY:
                    return False
                raise self._wrong(error) from None
            self._do("ROLLBACK")
            return True

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            self._do("COMMIT")
        except IdTableError:
            if connection.in_transaction:
                connection.rollback()
            raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            # a connection must not be used on the other side of a fork; it is left alone there
            self._depth, self._pid = 0, os.getpid()
            try:
                self._connection = sqlite3.connect(
                    f"file:{quote(str(self.path))}?mode=rw",
                    uri=True,
                    timeout=0.2,  # short: SQLite's own waiting hears no Ctrl-C
                    isolation_level=None,
                    check_same_thread=False,
                )
            except sqlite3.Error as error:
                raise self._wrong(error) from None
            self._do("PRAGMA synchronous=EXTRA")  # FULL, and the folder too when a journal goes
        return self._connection

    def _do(self, sql: str, *values: bytes | str) -> list[tuple[Any, ...]]:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._open().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > until:
                    raise self._wrong(error) from None

    def _wrong(self, error: sqlite3.Error) -> IdTableError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return IdTableError(f"table of ids {self.said}: {_FAULTS.get(code, 'cannot be used')}")
