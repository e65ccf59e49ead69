"""The table of random ids of a project: one SQLite file that only its owner may read.

SQLite's own transactions make growth atomic: a kill or a power cut leaves a table before or after
one, never between; runs on several machines that share the file wait for each other. The journal
is a rollback journal and no write-ahead log, which would need memory that machines cannot share.
"""

from __future__ import annotations

import base64
import errno
import os
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from cohortkit import given
from cohortkit.deidentify import mounts
from cohortkit.deidentify.identities import letters
from cohortkit.deidentify.keyfile import Key
from cohortkit.deidentify.tabled import Draw, Tabled
from cohortkit.errors import IdTableError
from cohortkit.places import inside_release

FORMAT: Final = 1
APPLICATION: Final = 0x636B6964
"""Stands in the file's header (PRAGMA application_id): no other database is taken for a table."""

_PATIENCE = 600.0  # seconds; whoever holds the table is at work on one series
_SCHEMA: Final = f"""
PRAGMA application_id={APPLICATION};
PRAGMA user_version={FORMAT};
BEGIN;
CREATE TABLE about (project TEXT NOT NULL, key_id TEXT NOT NULL, table_id TEXT NOT NULL);
CREATE TABLE ids (
    locator BLOB PRIMARY KEY CHECK (length(locator) = 16),
    drawn BLOB NOT NULL UNIQUE CHECK (length(drawn) IN (10, 16))
) WITHOUT ROWID;
"""
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class IdTable:
    """A table of random ids, bound to one key.

    Pickled, it says where to open it again and which table must be found there.

    Attributes:
        project: whose ids these are.
        key_id: of the key without which nothing is found in it.
        table_id: eight characters that tell tables apart and give nothing away.
        path: where it lies.
    """

    __slots__ = ("_rows", "key_id", "path", "project", "table_id")

    def __init__(self, path: Path, said: str) -> None:
        """Not for callers: use `from_file` or `new`."""
        self.path = path
        self._rows = _File(path, said)
        self.project, self.key_id, self.table_id = self._rows.about()

    @classmethod
    def new(cls, path: str | Path, key: Key) -> IdTable:
        """Make an empty table of mode 0600; an existing file is never touched.

        Raises:
            IdTableError: something is there already, the place is inside a release, or the folder
                cannot be written.
        """
        given.a(Key, "key", key, "the project's key, as ck.Key.from_file gives it")
        place = _outside(path)
        _make(place, str(path), (key.project, key.key_id, letters(secrets.token_bytes(10))[:8]))
        return cls(place, str(path))

    @classmethod
    def from_file(cls, path: str | Path) -> IdTable:
        """The table in a file of mode 0600 (or stricter).

        Raises:
            IdTableError: no such file, not a plain file, readable by others, inside a release, no
                table of ids or a damaged one.
        """
        place = _outside(path)
        _check(place, str(path))
        return cls(place, str(path))

    def pseudonyms(self, key: Key) -> Tabled:
        """The maker of pseudonyms out of this table.

        Raises:
            IdTableError: it is bound to another key.
        """
        if (key.project, key.key_id) != (self.project, self.key_id):
            raise IdTableError(
                f"table of ids {self._rows.said}: it belongs to another key (project "
                f"{self.project!r}, key {self.key_id})"
            )
        return Tabled(key.pseudonyms(), self._rows)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep everybody else from drawing while the inside runs."""
        with self._rows.alone():
            yield

    def is_held(self) -> bool:
        """Whether somebody else keeps it."""
        return not self._rows.free()

    def drew(self, letters: str) -> bool:
        """Whether a name or token without its first letter (16 of a-z2-7) is out of this table."""
        try:
            return self._rows.drew(base64.b32decode(letters, casefold=True))
        except ValueError:
            return False

    def __len__(self) -> int:
        """How many ids it holds, of all kinds."""
        return self._rows.count()

    def __bool__(self) -> bool:
        """True, also of an empty table."""
        return True

    def __repr__(self) -> str:
        return f"IdTable(project={self.project!r}, table_id={self.table_id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdTable):
            return NotImplemented
        return (self.table_id, self.key_id) == (other.table_id, other.key_id)

    def __hash__(self) -> int:
        return hash((self.table_id, self.key_id))

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        """Pickle the way to the table, not the table."""
        return (_open_again, (str(self.path), self.table_id))


def _open_again(path: str, table_id: str) -> IdTable:
    table = IdTable.from_file(path)
    if table.table_id != table_id:
        raise IdTableError("the table of ids has changed since the run began")
    return table


class _File:
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
            if marks[1] != FORMAT:
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

    def _do(self, sql: str, *values: bytes) -> list[tuple[Any, ...]]:
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


def _outside(path: str | Path) -> Path:
    given.path("table of ids", path, IdTableError)
    if inside_release(path):
        raise IdTableError(f"table of ids {path}: it is never inside a release")
    place = Path(path).expanduser().absolute()
    kind = mounts.alone(_mounted(), os.path.realpath(place))
    if kind:
        raise IdTableError(
            f"table of ids {path}: it lies on a file system ({kind}) whose locks hold on one "
            "machine alone, so that two runs could draw different ids for one person; keep it on "
            "a disk of this machine, or where locks hold between machines"
        )
    return place


def _mounted() -> str:
    """What is mounted; nothing where no kernel tells it."""
    try:
        return Path("/proc/self/mountinfo").read_text(errors="replace")
    except OSError:
        return ""


def _check(place: Path, said: str) -> None:
    try:
        # of its name: to open and close the file would let go of the locks that this process has
        status = place.stat()
    except OSError as error:
        raise IdTableError(f"table of ids {said}: {_cause(error)}") from None
    if not stat.S_ISREG(status.st_mode):
        raise IdTableError(f"table of ids {said}: not a plain file")
    mode = stat.S_IMODE(status.st_mode)
    if os.name == "posix" and mode & 0o077:
        raise IdTableError(
            f"table of ids {said}: others may read it (mode {mode:04o}); run chmod 600 on it"
        )


def _make(place: Path, said: str, about: tuple[str, str, str]) -> None:
    """A whole table under its name at once, or none."""
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            connection = sqlite3.connect(part, isolation_level=None)
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO about VALUES (?, ?, ?)", about)
            connection.commit()
            connection.close()
            _name(part, place)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise IdTableError(f"table of ids {said}: {_cause(error)}") from None
    except sqlite3.Error:
        raise IdTableError(f"table of ids {said}: cannot be written") from None


def _name(part: Path, place: Path) -> None:
    """Give a file its name, but to nobody else's; durable."""
    try:
        os.link(part, place)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}:
            raise
        # a file system without links: the name is taken first, and then filled at once
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        part.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


_CAUSES: Final = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EEXIST: "there is a file already; it is not overwritten",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read only",
    errno.ENOSPC: "no space left",
}


def _cause(error: OSError) -> str:
    return _CAUSES.get(error.errno or 0, "cannot be used")
