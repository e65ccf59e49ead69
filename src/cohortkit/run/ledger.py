"""The vault's ledger: when, where and how often. Nothing here is in the release."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path


def note(path: Path, event: str, **facts: object) -> None:
    """Append one line in one write; a line that a kill tore is ended first.

    Args:
        path: the ledger.
        event: what happened.
        **facts: numbers, names of ours and pseudonyms.
    """
    line = {"at": datetime.now(UTC).isoformat(), "event": event, **facts}
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


def events(path: Path) -> Iterator[tuple[datetime, str]]:
    """What a ledger tells, in its order: when, and what. Torn lines are passed over."""
    for line in path.read_bytes().splitlines():
        try:
            told = json.loads(line)
            yield datetime.fromisoformat(told["at"]), str(told["event"])
        except (ValueError, KeyError, TypeError):
            continue
