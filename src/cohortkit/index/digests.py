"""Digests of whole files: what has changed, or lies elsewhere, whatever its size and time say."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import polars as pl

from cohortkit.progress import bar

_SIZE = 16  # bytes of a digest
_AT_ONCE = 4_096


def digest_of(path: str | Path) -> str | None:
    """The digest of a file, all of which is read; None where it cannot be.

    BLAKE2b of 16 bytes, in hexadecimal digits. It stands for identified bytes, and never leaves.
    """
    try:
        with Path(path).open("rb", buffering=0) as file:
            return hashlib.file_digest(file, _algorithm).hexdigest()
    except OSError:
        return None


def digests_of(archive: str, files: pl.DataFrame, workers: int, *, progress: bool) -> pl.Series:
    """The digest of each of some files.

    Args:
        archive: the folder that the column ``path`` is relative to.
        files: which ones.
        workers: threads; the library of digests lets them run at once.
        progress: whether a bar is shown.
    """
    paths = [f"{archive}/{path}" for path in files["path"]]
    found: list[str | None] = []
    with (
        ThreadPoolExecutor(workers, thread_name_prefix="digest") as threads,
        bar(len(paths), "digest", "file") if progress else nullcontext() as shows,
    ):
        for at in range(0, len(paths), _AT_ONCE):
            found += threads.map(digest_of, paths[at : at + _AT_ONCE])
            if shows is not None:
                shows.update(len(found) - at)
    return pl.Series("digest", found, pl.String())


_algorithm = partial(hashlib.blake2b, digest_size=_SIZE)
