"""What callers give, checked at the door: the wrong kind of thing is told in plain words, at once.

No message quotes what was given: it may be a value. It says which argument, what is due, and the
type of what came.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from types import UnionType

from cohortkit.errors import UsageError

_LONGEST = 255  # bytes of a name, on all common file systems


def path(name: str, value: object, error: type[UsageError] = UsageError) -> Path:
    """A place in the file system.

    Args:
        name: the argument, as the caller knows it.
        value: what was given for it.
        error: what to raise: the kind of error that its place has.

    Raises:
        UsageError: no text and no Path, an empty one, or one that no file can have: with a NUL,
            or longer than file systems take.
    """
    if not isinstance(value, str | Path):
        raise error(_wrong(name, "a path, as text or a Path", value))
    if not str(value).strip():
        raise error(f"{name}: an empty path; give the place itself ('.' is this folder)")
    if "\0" in str(value):
        raise error(f"{name}: a path with a NUL in it, which no file can have")
    if any(len(os.fsencode(part)) > _LONGEST for part in Path(value).parts):
        raise error(f"{name}: a part of the path is longer than {_LONGEST} bytes")
    try:
        return Path(value).expanduser()
    except RuntimeError:  # of a user whose home nobody knows
        raise error(f"{name}: ~ stands for a home folder, and there is none") from None


def whole(name: str, value: object, least: int = 1) -> int:
    """A whole number, which True is not.

    Raises:
        UsageError: another kind of thing, or less than ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(_wrong(name, f"a whole number from {least}", value))
    if value < least:
        raise UsageError(f"{name}: a whole number from {least}")
    return value


def one_of(name: str, value: object, known: Collection[str]) -> str:
    """One of a few words.

    Raises:
        UsageError: another.
    """
    if not isinstance(value, str) or value not in known:
        raise UsageError(f"{name}: {' or '.join(map(repr, known))}")
    return value


def a(kind: type | UnionType, name: str, value: object, how: str) -> None:
    """A thing of a kind.

    Args:
        kind: what is due.
        name: the argument, as the caller knows it.
        value: what was given for it.
        how: where such a thing comes from.

    Raises:
        UsageError: another kind of thing.
    """
    if not isinstance(value, kind):
        raise UsageError(_wrong(name, how, value))


def together(*checks: Callable[[], object]) -> None:
    """Make every check, and tell all that is wrong at once.

    Raises:
        UsageError: what the checks raise, in one; of the nearest kind that they all are of.
    """
    demand_none(faults(checks))


def faults(checks: Iterable[Callable[[], object]]) -> list[UsageError]:
    """What is raised where each check is made, one after the other."""
    found = []
    for check in checks:
        try:
            check()
        except UsageError as error:
            found.append(error)
    return found


def demand_none(found: Sequence[UsageError]) -> None:
    """Raise faults as one.

    Raises:
        UsageError: there are any; of the nearest kind that they all are of.
    """
    if len(found) == 1:
        raise found[0]
    if found:
        told = "; ".join(map(str, found))
        for kind in type(found[0]).__mro__:  # ends at UsageError, which they all are
            if all(isinstance(one, kind) for one in found) and "__init__" not in vars(kind):
                raise kind(told)


def _wrong(name: str, due: str, value: object) -> str:
    came = "nothing" if value is None else f"a value of type {type(value).__name__}"
    return f"{name}: {due}; this is {came}"
