"""List the files of an archive without opening any."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cohortkit.index.columns import LISTING, SKIPPED
from cohortkit.reasons import Reason

_CHUNK = 50_000


@dataclass(slots=True)
class Listing:
    """What lies in an archive.

    Attributes:
        files: regular files, about 150 bytes of memory each.
        skipped: links, devices, unreadable folders, names that are no text.
    """

    files: pl.DataFrame
    skipped: pl.DataFrame


@dataclass(slots=True)
class _Gathered:
    rows: list[tuple[str, int, int]] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    skipped: list[tuple[str, int, int, str, str | None]] = field(default_factory=list)

    def add(self, path: str, status: os.stat_result) -> None:
        self.rows.append((path, status.st_size, status.st_mtime_ns))
        if len(self.rows) >= _CHUNK:
            self.flush()

    def skip(self, path: str, reason: Reason) -> None:
        shown = path.encode("utf-8", "backslashreplace").decode()
        self.skipped.append((shown, 0, 0, str(reason), None))

    def flush(self) -> None:
        self.frames.append(pl.DataFrame(self.rows, LISTING, orient="row"))
        self.rows = []


def list_files(archive: Path) -> Listing:
    """Every file under a folder, any name, sorted; links are not followed.

    Paths are relative, with forward slashes.
    """
    gathered = _Gathered()
    for path, status, reason in _walk(archive):
        if reason is not None or status is None:
            gathered.skip(path, reason or Reason.UNREADABLE_FILE)
        else:
            gathered.add(path, status)
    gathered.flush()
    return Listing(
        pl.concat(gathered.frames).sort("path"),
        pl.DataFrame(gathered.skipped, SKIPPED, orient="row"),
    )


_Entry = tuple[str, os.stat_result | None, Reason | None]


def _walk(archive: Path) -> Iterator[_Entry]:
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(archive / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(path)
                    else:
                        yield _entry(path, entry)
        except OSError:
            yield folder, None, Reason.UNREADABLE_FILE


def _entry(path: str, entry: os.DirEntry[str]) -> _Entry:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return path, None, Reason.UNREADABLE_FILE
    if not stat.S_ISREG(status.st_mode):
        return path, None, Reason.NOT_A_FILE
    try:
        path.encode()
    except UnicodeEncodeError:
        return path, None, Reason.FILE_NAME
    return path, status, None
