"""The log of an index that several people ask: who, when, what, how many. One file a person.

It lies in a folder that the index's owner names, and holds the questions with their values: it is
identified. Each line holds a digest over itself and the line before (``audit``), without a key, so
whoever keeps the head of a log elsewhere finds out also one that was written anew as a whole.
"""

from __future__ import annotations

import getpass
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cohortkit import audit
from cohortkit.errors import StoreError

AUDIT = "COHORTKIT_AUDIT"
"""Environment variable: the folder of the logs, for indexes that do not name theirs."""


def note(folder: str, location: str, version: str, event: str, facts: Mapping[str, object]) -> None:
    """Add a line, durable when this returns; nothing where no folder is named.

    Args:
        folder: of the logs; empty: that of the environment.
        location: of the index, without a password.
        version: of the index.
        event: ``search`` or ``export``.
        facts: question and counts, as plain JSON values.

    Raises:
        StoreError: the log cannot be written: what is not noted is not answered.
    """
    chosen = folder or os.environ.get(AUDIT, "")
    if not chosen:
        return
    who = getpass.getuser()
    try:
        place = Path(chosen).expanduser()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        audit.append(
            place / f"{who}.jsonl", seal, event, who=who, index=location, version=version, **facts
        )
    except OSError:
        raise StoreError(
            "the log of this shared index cannot be written, so it answers nothing; its folder is "
            f"named by its owner, or by {AUDIT}"
        ) from None


def seal(text: str) -> str:
    """The digest of a line."""
    return hashlib.sha256(text.encode()).hexdigest()
