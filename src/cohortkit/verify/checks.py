"""What lies in a release, against what its records say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cohortkit.model import Artifact

_CHUNK = 1 << 18  # bytes: what a processor's second cache holds


class Fault(StrEnum):
    """What is wrong with a file of the release."""

    MISSING = "missing"
    CHANGED = "changed"
    UNRECORDED = "in no record"
    LINK = "a link"
    STATEMENT = "does not say what was done to it"


@dataclass(frozen=True, slots=True, order=True)
class Wrong:
    """One file of the release that is not as it was written; the path is pseudonymous."""

    path: str
    fault: Fault


def sha256_of(path: Path) -> str:
    """The digest of a file, read in pieces."""
    sha, view = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(view):
            sha.update(view[:size])
    return sha.hexdigest()


def compare(
    release: Path,
    present: Iterable[str],
    artifacts: Iterable[Artifact],
    finished: Mapping[str, bytes],
) -> tuple[Wrong, ...]:
    """Every file against its digest, every digest against a file.

    Args:
        release: the folder.
        present: all files and links in it, by relative name.
        artifacts: what the records say.
        finished: what is made of the records anew: tables, manifest, report.
    """
    there = set(present)
    expected = {one.path: one.sha256 for one in artifacts}
    expected |= {name: hashlib.sha256(data).hexdigest() for name, data in finished.items()}
    found = [Wrong(name, Fault.MISSING) for name in expected.keys() - there]
    found += [Wrong(name, Fault.UNRECORDED) for name in there - expected.keys()]
    for name in expected.keys() & there:
        path = release / name
        if path.is_symlink():
            found.append(Wrong(name, Fault.LINK))
        elif sha256_of(path) != expected[name]:
            found.append(Wrong(name, Fault.CHANGED))
    return tuple(sorted(found))
