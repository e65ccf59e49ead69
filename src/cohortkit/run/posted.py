"""Work and tasks laid in the vault for workers on other machines: no identity goes over the wire.

What is sent to a worker is the place, a digest and a number.
"""

from __future__ import annotations

import hashlib
import os
import pickle  # what is read here was written by this run, and is held to its digest
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import UsageError
from cohortkit.model import Record, Task

FOLDER = "posted"
_WORK, _BUSY = "work", "busy"


@dataclass(frozen=True, slots=True)
class Posted:
    """A folder of the vault, as every machine sees it.

    Attributes:
        folder: where.
        digest: SHA-256 of the work that lies there.
    """

    folder: str
    digest: str

    @classmethod
    def post(cls, vault: Path, work: bytes) -> Posted:
        """Lay the work out, in a folder of its own."""
        folder = vault / FOLDER / uuid.uuid4().hex
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700)
        _write(folder / _WORK, work)
        return cls(str(folder), hashlib.sha256(work).hexdigest())

    def put(self, task: Task) -> str:
        """Lay a task out; gives its digest."""
        data = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        _write(Path(self.folder) / str(task.number), data)
        return hashlib.sha256(data).hexdigest()

    def work(self) -> bytes:
        """The work, on a worker's side.

        Raises:
            UsageError: it is not there, or not the same.
        """
        return self._read(_WORK, self.digest)

    def task(self, number: int, digest: str) -> Task:
        """A task, on a worker's side.

        Raises:
            UsageError: it is not there, or not the same.
        """
        task = pickle.loads(self._read(str(number), digest))  # noqa: S301 - see the import
        assert isinstance(task, Task)
        return task

    def done(self, number: int) -> None:
        """Take a task away again."""
        (Path(self.folder) / str(number)).unlink(missing_ok=True)

    def remove(self) -> None:
        """Take everything away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def sweep(vault: Path, *, locks: bool) -> None:
        """Take away what runs left that were killed.

        Args:
            vault: of the output.
            locks: those too; not before all is done, for a task of such a run may hold one still.
        """
        if locks:
            shutil.rmtree(vault / FOLDER, ignore_errors=True)
        for folder in (vault / FOLDER).glob("*"):
            if folder.name != _BUSY:
                shutil.rmtree(folder, ignore_errors=True)

    def _read(self, name: str, digest: str) -> bytes:
        try:
            data = (Path(self.folder) / name).read_bytes()
        except OSError:
            raise UsageError(
                "it does not see the output place, or may not read its vault"
            ) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise UsageError("it sees another output place")
        return data


def busy(vault: Path) -> Path:
    """The locks of tasks that are at work, for whichever run; made if it is not there."""
    folder = vault / FOLDER / _BUSY
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def loads(work: bytes) -> Callable[[Task], Record]:
    """The work again.

    Raises:
        UsageError: it needs what is not here.
    """
    try:
        made = pickle.loads(work)  # noqa: S301 - see the import
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is lacking there, by its kind
        raise UsageError(f"it cannot load the work ({type(error).__name__})") from None
    assert callable(made)
    return made  # type: ignore[no-any-return]  # callable, as said
