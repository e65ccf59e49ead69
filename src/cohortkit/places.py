"""Where nothing identified may be written. Asks the file system and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

RELEASE, VAULT, MANIFEST, RECORDS = "release", "vault", "export.json", "records"


def inside_release(place: str | Path) -> bool:
    """Whether a place is in what leaves: links followed, finished or not, wherever it was moved.

    What stands there and in no record is removed by the next run, and till then may be sent away
    with the rest: a key, an index, a cohort, another export.
    """
    real = Path(os.path.realpath(Path(place).expanduser()))
    return any(_is_release(folder) for folder in (real, *real.parents))


def _is_release(folder: Path) -> bool:
    # of os.path, for which a place that nobody may look at is no error but an answer
    if os.path.isfile(folder / MANIFEST):  # noqa: PTH113 - see above
        return not _is_vault(folder)
    return folder.name == RELEASE and os.path.isdir(folder.parent / VAULT)  # noqa: PTH112 - the same


def _is_vault(folder: Path) -> bool:
    """The identified side has a file of that name, too; no release has a folder of records."""
    return folder.name == VAULT and os.path.isdir(folder / RECORDS)  # noqa: PTH112 - as above
