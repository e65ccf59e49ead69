"""A file that names people: where it may lie, and how it gets there."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from cohortkit.errors import OutputError, UsageError
from cohortkit.places import inside_release
from cohortkit.run.place import Place, sync_folder

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def demand_place(to: str | Path, archive: Iterable[str], export: Place | None = None) -> Path:
    """Where a file that names people is to be written.

    Args:
        to: as the caller wrote it.
        archive: folders that are only read.
        export: whose people it names, if of one.

    Raises:
        OutputError: in a release, in the folder of an export beside its vault, in the archive or
            its index; a file is there; no folder for it.
        UsageError: no kind of table.
    """
    if "\0" in str(to):
        raise OutputError("file: a name with a NUL in it, which no file can have")
    given = Path(to).expanduser()
    if given.suffix.lower() not in {".csv", ".parquet"}:
        raise UsageError(f"file {to}: the file ends in .csv or .parquet")
    if inside_release(given):
        raise OutputError(f"file {to}: it names people, and is never inside a release")
    place = Path(os.path.realpath(given))
    root = None if export is None else Path(os.path.realpath(export.root))
    if root and place.is_relative_to(root) and not place.is_relative_to(root / "vault"):
        raise OutputError(f"file {to}: inside the export only its vault holds identities")
    if any(place.is_relative_to(os.path.realpath(folder)) for folder in archive):
        raise OutputError(f"file {to}: it is inside the archive or its index")
    if os.path.lexists(given):
        raise OutputError(f"file {to}: there is a file already; it is not overwritten")
    if not place.parent.is_dir():
        raise OutputError(f"file {to}: its folder is not there")
    return place


@contextmanager
def write_new(path: Path, frame: pl.DataFrame) -> Iterator[str]:
    """Write a table for its owner alone, once the inside is done: before that nothing is on disk.

    Yields:
        SHA-256 of its bytes.

    Raises:
        UsageError: a cell that a spreadsheet would take for a formula; Parquet has no such cells.
    """
    data = _bytes(path, frame)
    yield hashlib.sha256(data).hexdigest()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _bytes(path: Path, frame: pl.DataFrame) -> bytes:
    held = io.BytesIO()
    if path.suffix.lower() == ".parquet":
        frame.write_parquet(held)
        return held.getvalue()
    cells = (cell for row in frame.iter_rows() for cell in row if isinstance(cell, str))
    formulas = sum(cell.startswith(_FORMULA) for cell in cells)
    if formulas:
        raise UsageError(
            f"file {path.name}: {formulas} cells would be formulas in a spreadsheet, and an "
            "identifier must not be changed; write a .parquet"
        )
    frame.write_csv(held)
    return held.getvalue()
