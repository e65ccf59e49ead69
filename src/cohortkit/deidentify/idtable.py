"""The table of ids of a project, drawn or a broker's: one SQLite file that only its owner may read.

SQLite's own transactions make growth atomic: a kill or a power cut leaves a table before or after
one, never between; runs on several machines that share the file wait for each other.
"""

from __future__ import annotations

import base64
import errno
import os
import secrets
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cohortkit import given
from cohortkit.deidentify import codes, mounts
from cohortkit.deidentify.identities import letters
from cohortkit.deidentify.idrows import SCHEMA, Rows
from cohortkit.deidentify.keyfile import Key
from cohortkit.deidentify.tabled import PATIENT, Tabled
from cohortkit.errors import IdTableError, UsageError, unwritten
from cohortkit.model import Person
from cohortkit.places import inside_release

_LETTERS, _SHOWN = 16, 10  # of a drawn name; faults that are told


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
        self._rows = Rows(path, said)
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

    def gave(self, name: str) -> bool:
        """Whether a name or token stands in this table, drawn or as a broker's code."""
        try:
            drawn = self._rows.drew(base64.b32decode(name[-_LETTERS:], casefold=True))
        except ValueError:
            drawn = False
        return drawn or self._rows.has_code(name)

    def demand_met(self, people: Iterable[Person], key: Key) -> None:
        """Hold a broker's codes to the people that they are for.

        Raises:
            IdTableError: there are codes, and none of these people has one.
        """
        locate = key.pseudonyms().locator
        placed = {locate(PATIENT, who.patient_id, who.issuer) for who in people}
        if placed and self._rows.has_codes() and not any(map(self._rows.code, placed)):
            raise IdTableError(
                f"table of ids {self._rows.said}: none of the people here has one of its codes; an "
                "issuer belongs to them (IssuerOfPatientID, --issuer) where the archive has one"
            )

    def assign(self, rows: Iterable[tuple[str, str, str]], key: Key, *, issuer: str = "") -> int:
        """Take a broker's codes as the names of people: all of them, or none.

        Who has no code here gets a random name, as ever. What was drawn for a person stays hers.

        Args:
            rows: issuer (or empty), Patient ID, code.
            key: the key of the table.
            issuer: stands in where a row has none.

        Returns:
            How many are new.

        Raises:
            IdTableError: another key.
            UsageError: rows without an id or with no code, codes that are ids, one code for two
                ids, or a person who has a name already; by row, and never with a value.
        """
        self.pseudonyms(key)
        given, wrong = codes.read(rows, issuer)
        _demand_right(wrong)
        locate = key.pseudonyms().locator
        placed = [(locate(PATIENT, who.patient_id, who.issuer), code) for who, code in given]
        new, wrong = self._rows.assign(placed)
        _demand_right(wrong)
        return new

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


def _demand_right(wrong: Sequence[str]) -> None:
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise UsageError(f"codes: {'; '.join(wrong[:_SHOWN])}{more}")


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
            connection.executescript(SCHEMA)
            connection.execute("INSERT INTO about VALUES (?, ?, ?)", about)
            connection.commit()
            connection.close()
            _name(part, place)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise unwritten(IdTableError, f"table of ids {said}: {_cause(error)}", error) from None
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
