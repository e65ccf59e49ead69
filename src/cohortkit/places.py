"""Where nothing identified may be written. Asks the file system and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

_LOOKED_AT, _PREFIX, _MAGIC = 64, 132, b"DICM"  # files of a folder, bytes of a file (PS3.10 7.1)
RELEASE, VAULT, MANIFEST, RECORDS = "release", "vault", "export.json", "records"


def inside_release(place: str | Path) -> bool:
    """Whether a place is in what leaves: links followed, finished or not, wherever it was moved.

    What stands there and in no record is removed by the next run, and till then may be sent away
    with the rest: a key, an index, a cohort, another export.
    """
    real = Path(os.path.realpath(Path(place).expanduser()))
    return any(_is_release(folder) for folder in (real, *real.parents))


def inside_export(place: str | Path) -> bool:
    """Whether a place is below an export, which could then not go on."""
    real = Path(os.path.realpath(Path(place).expanduser()))
    return any(_is_vault(folder / VAULT) for folder in real.parents)


def inside(place: str | Path, folders: Iterable[str | Path]) -> bool:
    """Whether a place is in one of some folders, links followed."""
    real = Path(os.path.realpath(Path(place).expanduser()))
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)


def among_objects(place: str | Path) -> bool:
    """Whether a place is beside DICOM files: in an archive, which nothing is written into."""
    folder = os.path.dirname(os.path.realpath(Path(place).expanduser()))  # noqa: PTH120 - as below
    try:
        with os.scandir(folder) as entries:
            files = (one.path for one in entries if one.is_file(follow_symlinks=False))
            return any(_is_object(path) for path in islice(files, _LOOKED_AT))
    except OSError:
        return False


def _is_object(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(_PREFIX)[-len(_MAGIC) :] == _MAGIC
    except OSError:
        return False


def _is_release(folder: Path) -> bool:
    # of os.path, for which a place that nobody may look at is no error but an answer
    if os.path.isfile(folder / MANIFEST):  # noqa: PTH113 - see above
        return not _is_vault(folder)
    return folder.name == RELEASE and os.path.isdir(folder.parent / VAULT)  # noqa: PTH112 - the same


def _is_vault(folder: Path) -> bool:
    """The identified side has a file of that name, too; no release has a folder of records."""
    return folder.name == VAULT and os.path.isdir(folder / RECORDS)  # noqa: PTH112 - as above
