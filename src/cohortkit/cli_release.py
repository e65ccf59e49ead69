"""The verbs that look at a release: ``verify``, ``crosswalk``, ``inventory``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cohortkit as ck
from cohortkit.cli_words import FAILED, OK, IdsPath, Json, KeyPath, ids_of, key_of, say


def verify(
    out: Path,
    *,
    key: KeyPath = None,
    ids: IdsPath = None,
    index: str | None = None,
    also: list[Path] | None = None,
    json: Json = False,
) -> int:
    """Check a finished export again: every file and digest, and a search for source identities.

    Args:
        out: The folder of the export.
        index: The index that the export was made from.
        also: A file that is to leave with it, as a notebook or a log; say it once for each.
    """
    found = ck.verify(out, key=key_of(key), index=index, ids=ids_of(ids), also=also or ())
    say(found, found.summary(), json)
    return OK if found.ok else FAILED


def crosswalk(
    out: Path,
    to: Path,
    *,
    index: str,
    reason: str,
    level: Literal["patient", "study", "series", "instance"] = "patient",
    only: list[str] | None = None,
    key: KeyPath = None,
    ids: IdsPath = None,
    json: Json = False,
) -> int:
    """Write which pseudonym is which person. The vault notes who asked, when, for whom and why.

    Args:
        out: The folder of the export.
        to: The file to write, .csv or .parquet: new, for its owner alone, outside of any release.
        index: The index that the export was made from.
        reason: Why, in words.
        level: What a row is of.
        only: A pseudonym of a patient, study or series; say it once for each. Default: all.
    """
    made = ck.crosswalk(
        out, to, key_of(key), index, reason=reason, level=level, only=only or (), ids=ids_of(ids)
    )
    say(made, made.summary(), json)
    return OK


def inventory(out: Path, *, json: Json = False) -> int:
    """Count every distinct value that a finished export lets out, the rare ones first.

    The whole of it is a page and a table in the vault, for whoever signs.

    Args:
        out: The folder of the export.
    """
    made = ck.inventory(out)
    say(made, made.summary(), json)
    return FAILED if made.unread else OK
