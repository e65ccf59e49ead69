"""An append-only log of which every line vouches, under a key, for all lines before it.

Lines are JSON. Each carries its number and a keyed digest over itself and the digest of the line
before; a file beside the log holds the last number and digest, under the key as well. So whoever
edits, deletes, adds or reorders a line without the key is found out, and so is who cuts the end
off, unless an old copy of both files is put back together: the head may be noted elsewhere.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

Seal = Callable[[str], str]
"""A keyed digest of a text, such as ``lambda text: pseudonyms.token("audit", text)``."""

_JOINT = ', "seal": "'
_START = "cohortkit audit 1"
_BLOCK = 65536
_SECOND = 2


class Fault(StrEnum):
    """What is wrong with a log."""

    ALTERED = "altered"
    MISSING = "missing"
    ORDER = "out-of-order"
    CUT = "cut"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, by the number of the line (from 1) in the file. It holds no value."""

    line: int
    fault: Fault

    @property
    def words(self) -> str:
        """In plain words."""
        told = {
            Fault.ALTERED: "was altered, or written without the key",
            Fault.MISSING: "does not follow on the line before: lines are missing between them",
            Fault.ORDER: "stands at another place than it was written at",
            Fault.CUT: "is the last, and was not: the end of the log was cut off",
            Fault.FOREIGN: "is no line of an audit log",
        }
        return f"line {self.line} {told[self.fault]}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a log found.

    Attributes:
        lines: how many lines there are.
        head: the digest of the last line that holds, to be noted elsewhere; empty for none.
        findings: what is wrong.
    """

    lines: int
    head: str
    findings: tuple[Finding, ...]


def append(path: Path, seal: Seal, event: str, **facts: object) -> None:
    """Add one line, durable when this returns; several processes may do so at once.

    A line that a kill or a full disk tore was never whole, and is taken off first.

    Args:
        path: the log; it is made, for its owner alone.
        seal: the keyed digest.
        event: what happened.
        **facts: numbers, words of ours and pseudonyms.

    Raises:
        OSError: it cannot be written.
    """
    with _held(path) as handle:
        number, before = _goes_on(path, *_last(handle, seal), seal)
        line = {"n": number + 1, "at": datetime.now(UTC).isoformat(), "event": event, **facts}
        body = json.dumps(line, ensure_ascii=True)
        digest = seal(f"{before}\n{body}")
        os.write(handle, f'{body[:-1]}{_JOINT}{digest}"}}\n'.encode())
        os.fsync(handle)
        if not number:  # the log's name before the head's: a head without a log is a log cut off
            _sync_folder(path)
        _keep_head(path, seal, number + 1, digest)
        _sync_folder(path)


def closed(path: Path, seal: Seal) -> bool:
    """Whether the head is that of the last line: a kill between the two leaves it behind."""
    with _held(path) as handle:
        return _head(path, seal) == _last(handle, seal)


def check(path: Path, seal: Seal) -> Checked:
    """Read a log and name every line that does not hold. A log that is not there is empty."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        lines = []
    whole = [line for line in lines[:-1] if line] if lines else []
    findings: list[Finding] = []
    number, before = 0, _START
    for place, line in enumerate(whole, 1):
        read = _parts(line)
        if read is None:
            findings.append(Finding(place, Fault.FOREIGN))
            continue
        said, body, digest = read
        if digest != seal(f"{before}\n{body}"):
            findings.append(Finding(place, _why(said, number)))
        number, before = said, digest
    kept = _head(path, seal)
    if kept is not None and (number < kept[0] or (number == kept[0] and before != kept[1])):
        findings.append(Finding(len(whole), Fault.CUT))
    if kept is None and whole:
        findings.append(Finding(len(whole), Fault.CUT))
    return Checked(len(whole), before if whole else "", tuple(findings))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """What a log says, in its order; lines that are none are passed over."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for line in data.splitlines():
        try:
            body = json.loads(line)
        except ValueError:
            continue
        if isinstance(body, dict):
            yield body


def _why(said: int, before: int) -> Fault:
    """What a broken seal most likely means, by the line's own number."""
    if said == before + 1:
        return Fault.ALTERED
    return Fault.MISSING if said > before + 1 else Fault.ORDER


def _parts(line: bytes) -> tuple[int, str, str] | None:
    """Number, body as it was sealed, and seal of a line; None if it is no line."""
    text = line.decode("ascii", "replace")
    body, joint, rest = text.rpartition(_JOINT)
    if not joint or not rest.endswith('"}'):
        return None
    try:
        number = json.loads(body + "}")["n"]
    except (ValueError, KeyError, TypeError):
        return None
    return (number, body + "}", rest[:-2]) if isinstance(number, int) else None


@contextmanager
def _held(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _last(handle: int, seal: Seal) -> tuple[int, str]:
    """Number and seal of the last whole line; what follows it is taken off."""
    end = os.fstat(handle).st_size
    tail, at = b"", end
    while at > 0 and tail.count(b"\n") < 2:  # noqa: PLR2004 - the end of the last line and of that before it
        step = min(_BLOCK, at)
        at -= step
        tail = os.pread(handle, step, at) + tail
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(handle, end - torn)
    whole = tail[: len(tail) - torn].splitlines()
    read = _parts(whole[-1]) if whole else None
    if read is not None:
        return read[0], read[2]
    return (0, _START) if not whole else (0, seal("a line that is none"))


def _goes_on(path: Path, number: int, digest: str, seal: Seal) -> tuple[int, str]:
    """What the next line follows on: where the end was cut off, it must not heal the cut."""
    kept = _head(path, seal)
    if kept is None:  # a kill may have left the first line without one, and no other
        return (number, digest) if number < _SECOND else (number, seal("a head that is lost"))
    return kept if kept[0] >= number else (number, digest)


def _sync_folder(path: Path) -> None:
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _head_of(path: Path) -> Path:
    return path.with_suffix(".head")


def _keep_head(path: Path, seal: Seal, number: int, digest: str) -> None:
    head = _head_of(path)
    temporary = head.with_name(f".{head.name}.{os.getpid()}.part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, f"{number} {digest} {seal(f'head {number} {digest}')}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(head)


def _head(path: Path, seal: Seal) -> tuple[int, str] | None:
    """The last number and digest as they were kept; None if that is not there or altered."""
    try:
        number, digest, own = _head_of(path).read_text("ascii").split()
    except (OSError, ValueError):
        return None
    if own != seal(f"head {number} {digest}") or not number.isdigit():
        return None
    return int(number), digest
