"""The key of a project: a small file that only its owner may read, or an environment variable."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import tomllib
from pathlib import Path
from typing import Final, Literal

from cohortkit import given
from cohortkit.deidentify.identities import SECRET_BYTES, Keyed
from cohortkit.errors import KeyFileError, unwritten
from cohortkit.places import among_objects, inside_release

ENVIRONMENT: Final = "COHORTKIT_KEY"
FORMAT: Final = 1

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECRET = re.compile(r"[0-9a-fA-F]{64}")
_LARGEST = 4096
_LEAST_DIFFERENT = 12
"""Of 32 random bytes: fewer different ones are met once in 10**25 keys."""
_FIELDS = frozenset({"format", "project", "secret"})
_TEXT = """\
# A cohortkit key. Whoever holds it can tell which pseudonym is which person:
# keep it apart from every release, back it up, and show it to nobody.
format = {format}
project = "{project}"
secret = "{secret}"
"""


class Key:
    """A project id and 32 secret bytes, of which only project and key id can be seen.

    Pickled, it says where to load it again and which key must be found there: the secret does not
    travel between processes.

    Attributes:
        project: whose pseudonyms these are; two projects have none in common.
        key_id: eight characters that tell keys apart and give nothing away.
    """

    __slots__ = ("_keyed", "_path", "key_id", "project")

    def __init__(self, project: str, secret: bytes, path: str | None) -> None:
        """Not for callers: use `from_file`, `from_env` or `new`."""
        self._keyed = Keyed(project, secret)
        self._path = path
        self.project = project
        self.key_id = self._keyed.token("key-id", "")[:8]

    @classmethod
    def from_file(cls, path: str | Path) -> Key:
        """The key in a file of mode 0600 (or stricter).

        Raises:
            KeyFileError: no such file, not a plain file, readable by others, or malformed.
        """
        place = given.path("key file", path, KeyFileError).absolute()
        project, secret = _parse(_read(place, str(path)), str(path))
        return cls(project, secret, str(place))

    @classmethod
    def from_env(cls) -> Key:
        """The key in ``COHORTKIT_KEY``, as ``project:64 hex digits``.

        Raises:
            KeyFileError: the variable is not set or malformed.
        """
        value = os.environ.get(ENVIRONMENT)
        if not value:
            raise KeyFileError(
                f"no key: give one with --key (Key.from_file) or in {ENVIRONMENT}; "
                "cohortkit key new makes one"
            )
        project, _, secret = value.strip().rpartition(":")
        return cls(*_checked(project, secret, ENVIRONMENT), None)

    @classmethod
    def new(cls, path: str | Path, project: str) -> Key:
        """Make a key file of mode 0600; an existing file is never touched.

        Raises:
            KeyFileError: something is there already, the project id is malformed, the place is
                inside a release or among DICOM files, or the folder cannot be written.
        """
        place = given.path("key file", path, KeyFileError).absolute()
        secret = secrets.token_bytes(SECRET_BYTES)
        _checked(project, secret.hex(), "project")
        if inside_release(place):
            raise KeyFileError(f"key file {path}: a key is never written inside a release")
        if among_objects(place):
            raise KeyFileError(f"key file {path}: it is among DICOM files; an archive is only read")
        _write(place, _TEXT.format(format=FORMAT, project=project, secret=secret.hex()), str(path))
        return cls(project, secret, str(place))

    @property
    def path(self) -> Path | None:
        """The file that it was read from; None of a key out of the environment."""
        return None if self._path is None else Path(self._path)

    def pseudonyms(self) -> Keyed:
        """The maker of pseudonyms under this key."""
        return self._keyed

    def __repr__(self) -> str:
        return f"Key(project={self.project!r}, key_id={self.key_id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return (self.project, self.key_id) == (other.project, other.key_id)

    def __hash__(self) -> int:
        return hash((self.project, self.key_id))

    def __reduce__(self) -> tuple[object, tuple[str | None, str, str]]:
        """Pickle the way to the key, not the key."""
        return (_load_again, (self._path, self.project, self.key_id))


def _load_again(path: str | None, project: str, key_id: str) -> Key:
    key = Key.from_env() if path is None else Key.from_file(path)
    if (key.project, key.key_id) != (project, key_id):
        raise KeyFileError("the key has changed since the run began")
    return key


def _read(place: Path, said: str) -> bytes:
    # O_NONBLOCK: a named pipe must not hang the run; what was opened is what is checked
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        handle = os.open(place, flags)
    except OSError as error:
        raise KeyFileError(f"key file {said}: {_cause(error)}") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"key file {said}: not a plain file")
        mode = stat.S_IMODE(status.st_mode)
        if os.name == "posix" and mode & 0o077:
            raise KeyFileError(
                f"key file {said}: others may read it (mode {mode:04o}); run chmod 600 on it, "
                "and make a new key if others could have read it"
            )
        return os.read(handle, _LARGEST + 1)
    except OSError as error:
        raise KeyFileError(f"key file {said}: {_cause(error)}") from None
    finally:
        os.close(handle)


def _parse(data: bytes, said: str) -> tuple[str, bytes]:
    malformed = KeyFileError(f"key file {said}: malformed; it is not a cohortkit key")
    if len(data) > _LARGEST:
        raise malformed
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise malformed from None  # the message of the parser could quote the secret
    if table.get("format") != FORMAT or set(table) != _FIELDS:
        raise malformed
    return _checked(table["project"], table["secret"], f"key file {said}")


def _checked(project: object, secret: object, where: str) -> tuple[str, bytes]:
    if not isinstance(project, str) or not _PROJECT.fullmatch(project):
        raise KeyFileError(
            f"{where}: a project id is 1 to 64 letters, digits, dots, dashes or underscores"
        )
    if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        raise KeyFileError(f"{where}: the secret is not 64 hex digits")
    made = bytes.fromhex(secret)
    if len(set(made)) < _LEAST_DIFFERENT:
        raise KeyFileError(
            f"{where}: the secret is not random, so that anybody could guess it; "
            "cohortkit key new makes one"
        )
    return project, made


def _write(place: Path, text: str, said: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    try:
        handle = os.open(place, flags, 0o600)
    except OSError as error:
        raise unwritten(KeyFileError, f"key file {said}: {_cause(error)}", error) from None
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        place.unlink(missing_ok=True)  # half a key would be taken for a damaged one
        raise unwritten(KeyFileError, f"key file {said}: {_cause(error)}", error) from None


_Cause = Literal[
    "no such file",
    "there is a file already; it is not overwritten",
    "permission denied",
    "no space left",
    "cannot be used",
]
_CAUSES: Final[dict[int, _Cause]] = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EEXIST: "there is a file already; it is not overwritten",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOSPC: "no space left",
}


def _cause(error: OSError) -> str:
    return _CAUSES.get(error.errno or 0, "cannot be used")
