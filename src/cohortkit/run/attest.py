"""Sealed lines in the vault of what was done with an export: by whom, where, when."""

from __future__ import annotations

import hashlib
import os
import pwd
import socket
from collections.abc import Iterator

from cohortkit import audit
from cohortkit.protocols import Pseudonyms
from cohortkit.run.place import Place

RELEASED = "release"
"""The event of a release that was finished."""


def attest(place: Place, keyed: Pseudonyms, event: str, **facts: object) -> None:
    """Add a line, durable when this returns.

    Args:
        place: the output.
        keyed: of the project's key, which seals the line.
        event: what was done.
        **facts: counts, digests and words of ours or of who did it.

    Raises:
        OSError: the vault cannot be written.
    """
    user = os.getuid()
    who = {"user": _name_of(user), "uid": user, "host": socket.gethostname()}
    audit.append(place.audit, _seal(keyed), event, **who, **facts)


def released(place: Place, keyed: Pseudonyms, manifest: bytes, **facts: object) -> None:
    """Say that a release is being finished, unless the last such line says so of the same one."""
    digest = hashlib.sha256(manifest).hexdigest()
    if _last_digest(place) != digest or not audit.closed(place.audit, _seal(keyed)):
        attest(place, keyed, RELEASED, manifest_sha256=digest, **facts)


def doubts(place: Place, keyed: Pseudonyms) -> tuple[audit.Checked, tuple[str, ...]]:
    """What a look at the log finds, and in words what is wrong with it."""
    seen = audit.check(place.audit, _seal(keyed))
    return seen, tuple(_words(place, seen))


def _words(place: Place, seen: audit.Checked) -> Iterator[str]:
    yield from (one.words for one in seen.findings)
    try:
        digest = hashlib.sha256((place.release / "export.json").read_bytes()).hexdigest()
    except FileNotFoundError:
        return
    if _last_digest(place) != digest:
        yield "the last release that it tells of is not the one that is there"


def _last_digest(place: Place) -> str:
    told = [one for one in audit.lines(place.audit) if one.get("event") == RELEASED]
    return str(told[-1].get("manifest_sha256", "")) if told else ""


def _seal(keyed: Pseudonyms) -> audit.Seal:
    return lambda line: keyed.token("audit", line)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return ""
