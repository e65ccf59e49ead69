"""The exceptions of cohortkit, in one tree.

::

    CohortkitError
    ├── UsageError               wrong use; the shell answers with exit code 2
    │   ├── QueryError           a search or filter that cannot be understood
    │   │   ├── UnknownKeyword   a word that is no DICOM keyword here; names its neighbours
    │   │   └── Unanswerable     a term that this backend cannot answer exactly
    │   ├── FaultyFile           a file with faults: all of them at once, each with its place
    │   │   ├── RecipeError      a recipe
    │   │   └── JobError         a job file
    │   ├── KeyFileError         no key, a readable key, a key of another project
    │   ├── IdTableError         a table of random ids that cannot be used, or is another key's
    │   ├── OutputError          an output place that cannot be used
    │   ├── StoreError           an index store or cohort file that cannot be used
    │   │   └── ServerError      a server that is gone, refuses, or whose answer is none
    │   ├── MissingDependency    an optional library or a decoder that is not installed
    │   └── NotBuilt             a backend or option that this version does not have
    ├── NoRoom                   a disk that is full; freed, the same command goes on
    ├── Refusal                  a series that will not be written, with its Reason
    ├── TaskFailure              a series that could not be done this time, with its Reason
    └── ExportFailed             errors="raise" and a task failed

No message holds a value from a dataset, a path inside the archive or a secret: what a message
may name is what the caller wrote (a keyword, a recipe's word, the output folder), enumerations
and numbers. Foreign exceptions are turned into these at the boundary, ``from None``.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from cohortkit.reasons import Reason


class CohortkitError(Exception):
    """Whatever cohortkit raises on purpose.

    It does not say what it was raised in place of: ``from None`` only keeps that from being
    printed, and a foreign message, which may quote a value, would go with it into any log that
    looks.
    """

    @property
    def __context__(self) -> BaseException | None:
        """Nothing, whatever was being handled."""
        return None

    @__context__.setter
    def __context__(self, value: BaseException | None) -> None:
        """Not kept."""


class UsageError(CohortkitError):
    """Wrong use, told before anything is read or written."""


class QueryError(UsageError):
    """A search, filter or cohort step that cannot be understood."""


class UnknownKeyword(QueryError):  # noqa: N818 - named for what it says
    """A word that is no keyword here.

    Attributes:
        word: what the caller wrote.
        neighbours: the known words nearest to it.
    """

    def __init__(self, word: str, neighbours: Sequence[str] = (), *, where: str = "") -> None:
        self.word = word
        self.neighbours = tuple(neighbours)
        hint = f"; did you mean {', '.join(self.neighbours)}?" if self.neighbours else ""
        place = f" in {where}" if where else ""
        super().__init__(f"unknown keyword {word!r}{place}{hint}")


class Unanswerable(QueryError):  # noqa: N818 - named for what it says
    """A term that an index cannot answer exactly; it is refused, not answered with less.

    Attributes:
        keyword: whose term it is.
    """

    def __init__(self, keyword: str, why: str) -> None:
        self.keyword = keyword
        super().__init__(f"{keyword}: this index cannot answer that exactly: {why}")


class FaultyFile(UsageError):  # noqa: N818 - named for what it says
    """A file with faults.

    Attributes:
        faults: one line each, ``place: what is wrong``, in the order of the file.
    """

    _what = "file"

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        noun = "fault" if len(self.faults) == 1 else "faults"
        lines = "".join(f"\n  {fault}" for fault in self.faults)
        super().__init__(f"{self._what} {name}: {len(self.faults)} {noun}{lines}")


class RecipeError(FaultyFile):
    """A recipe with faults."""

    _what = "recipe"


class JobError(FaultyFile):
    """A job file with faults."""

    _what = "job"


class KeyFileError(UsageError):
    """No key, a key that others can read, a malformed key, or a key of another project."""


class IdTableError(UsageError):
    """A table of random ids: not there, readable by others, damaged, of another key or export."""


class OutputError(UsageError):
    """An output place that cannot be used: inside the archive, another export's, read only."""


class StoreError(UsageError):
    """An index store or cohort file that is absent, damaged or of another format."""


class ServerError(StoreError):
    """A server that cannot be reached, does not let us in, or whose answer is none.

    Attributes:
        status: of its answer (HTTP), or 0.
    """

    def __init__(self, why: str, status: int = 0) -> None:
        self.status = status
        super().__init__(why)


class MissingDependency(UsageError):  # noqa: N818 - named for what it says
    """An optional library is not installed; the message says what to install."""


class NotBuilt(UsageError):  # noqa: N818 - named for what it says
    """A backend or option that this version does not have."""


class NoRoom(CohortkitError):  # noqa: N818 - named for what it says
    """No space at a place that is written to: no wrong use; freed, the same command goes on."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says of a disk, a quota or a limit that leaves no room."""


def unwritten(kind: type[UsageError], message: str, error: Exception) -> CohortkitError:
    """What to raise where a file could not be written.

    Args:
        kind: the error of that place.
        message: in plain words.
        error: what the system said; a library that says nothing of its own has found no room.
    """
    full = not isinstance(error, OSError) or error.errno in FULL
    return NoRoom(message) if full else kind(message)


class Refusal(CohortkitError):  # noqa: N818 - a refusal is an answer, not an error
    """A series, or part of one, that will not be written.

    Attributes:
        reason: from the closed list.
        numbers: measurements that explain it, by name (never text from a dataset).
    """

    def __init__(self, reason: Reason, **numbers: float) -> None:
        self.reason = reason
        self.numbers = numbers
        told = ", ".join(f"{name}={value:.6g}" for name, value in numbers.items())
        super().__init__(f"{reason}: {told}" if told else str(reason))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the numbers, which ``Exception`` would lose."""
        return (_refusal, (self.reason, self.numbers))


def _refusal(reason: Reason, numbers: dict[str, float]) -> Refusal:
    return Refusal(reason, **numbers)


class TaskFailure(CohortkitError):  # noqa: N818 - named for what it says
    """A series that could not be done this time.

    Attributes:
        reason: from the closed list; ``reason.transient`` says whether trying again may help.
    """

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(str(reason))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the reason itself."""
        return (TaskFailure, (self.reason,))


class ExportFailed(CohortkitError):  # noqa: N818 - named for what it says
    """A task failed and ``errors="raise"`` was asked for; the run can be resumed."""
