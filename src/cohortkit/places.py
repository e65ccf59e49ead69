"""Where nothing identified may be written. Asks the file system and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

RELEASE, VAULT, MANIFEST = "release", "vault", "export.json"


def inside_release(place: str | Path) -> bool:
    """Whether a place is in what leaves: links followed, finished or not, wherever it was moved.

    What stands there and in no record is removed by the next run, and till then may be sent away
    with the rest: a key, an index, a cohort, another export.
    """
    real = Path(os.path.realpath(Path(place).expanduser()))
    return any(
        (folder / MANIFEST).is_file()
        or (folder.name == RELEASE and (folder.parent / VAULT).is_dir())
        for folder in (real, *real.parents)
    )
