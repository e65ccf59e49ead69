"""The cohort file: which series of which version of which index, and how they were chosen.

One Parquet file: a row a series with its key and its labels, and the question as JSON in the
file's own metadata. It is identified, so its mode is 0600; every other column comes from the index.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from cohortkit import given
from cohortkit.cohort import ids, plain
from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.steps import KEY, evaluated
from cohortkit.errors import StoreError, unwritten
from cohortkit.model import FORMAT
from cohortkit.places import among_objects, inside, inside_release
from cohortkit.protocols import Index

_META: Final = "cohortkit"
_KIND: Final = "cohort"


def save(cohort: Cohort, path: str | Path) -> Path:
    """Write a cohort to a file of mode 0600, whole or not at all.

    Raises:
        StoreError: the index is in memory, the place is inside a release or the archive, holds
            another file, or cannot be written.
    """
    path = given.path("cohort file", path, StoreError)
    if not cohort.index.location:
        raise StoreError("the index of this cohort is in memory: scan into a store, then save")
    # a table lies where its user works: its own folder is no archive
    roots = getattr(cohort.index, "roots", ())
    _refuse_place(path, [root for root in roots if not inside(cohort.index.location, [root])])
    table = cohort.identified().select(KEY, *cohort.labels)
    pin = getattr(cohort.index, "pin", None)
    if pin is not None:
        with contextlib.suppress(StoreError):  # of a store that others keep: it stays for a while
            pin()
    _write(table, {_META: json.dumps(_meta(cohort))}, path)
    return path


def load(path: str | Path, open_index: Callable[[str], Index]) -> Cohort:
    """Read a cohort, on the very version of the index that it was chosen from.

    Args:
        path: a file that ``save`` wrote.
        open_index: takes the index's location.

    Raises:
        StoreError: no cohort file, a newer format, or the index has changed since.
    """
    path = given.path("cohort file", path, StoreError)
    meta = _read_meta(path)
    try:
        table = pl.read_parquet(path, glob=False, hive_partitioning=False)
        location, version = str(meta["index"]["location"]), str(meta["index"]["version"])
        labels, steps = tuple(meta["labels"]), tuple(map(plain.decode, meta["steps"]))
        misses = pl.DataFrame(meta["misses"], schema=ids.MISSES, orient="row")
    except (pl.exceptions.PolarsError, OSError, KeyError, TypeError, ValueError):
        raise StoreError("the cohort file is damaged") from None
    if table.columns != [KEY, *labels] or not steps or steps[-1].kept.series != table.height:
        raise StoreError("the cohort file is damaged: its parts do not fit together")
    try:
        index = open_index(location)
    except StoreError as error:
        raise StoreError(f"the index that this cohort was chosen from: {error}") from None
    earlier = getattr(index, "at", None)
    if index.version != version and earlier is not None:
        index = earlier(version)
    if index.version != version:
        raise StoreError(
            "the index has changed since this cohort was saved, so the same question may have "
            "another answer: search again, and save again"
        )
    again = getattr(index, "again", None)
    asked = next((step.query for step in steps if step.query and step.query.terms), None)
    if again is not None and asked is not None:
        again(asked)
    return Cohort(index, _rows(index, table), steps, labels, misses)


def _rows(index: Index, table: pl.DataFrame) -> pl.LazyFrame:
    """The cohort's rows, in the order of the file."""
    wanted = index.series().filter(pl.col(KEY).is_in(table[KEY].implode()))
    rows = evaluated(wanted)
    if rows.height != table.height or rows[KEY].n_unique() != table[KEY].n_unique():
        raise StoreError("the index no longer holds all series of this cohort")
    order = [*rows.columns, *(name for name in table.columns if name != KEY)]
    both = table.join(rows, on=KEY, how="left", maintain_order="left", validate="1:1")
    return both.select(order).lazy()


def _meta(cohort: Cohort) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": _KIND,
        "cohortkit": importlib.metadata.version("cohortkit"),
        "saved": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "index": {"location": cohort.index.location, "version": cohort.index.version},
        "labels": list(cohort.labels),
        "steps": [plain.encode(step) for step in cohort.steps],
        "misses": [list(row) for row in cohort.misses.rows()],
    }


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        path.open("rb").close()  # whose errors say why
        meta = json.loads(pl.read_parquet_metadata(path)[_META])
    except FileNotFoundError:
        raise StoreError(f"there is no cohort file {path.name!r}") from None
    except PermissionError:
        raise StoreError(f"{path.name!r} may not be read: permission denied") from None
    except IsADirectoryError:
        raise StoreError(f"{str(path)!r} is a folder, and no cohort file") from None
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError):
        raise StoreError(f"{path.name!r} is no cohort file") from None
    if not isinstance(meta, dict) or meta.get("kind") != _KIND:
        raise StoreError(f"{path.name!r} is no cohort file")
    if not isinstance(meta.get("format"), int) or meta["format"] > FORMAT:
        raise StoreError(
            f"{path.name!r} was written by a newer cohortkit (format {meta.get('format')!r}); "
            f"this one reads format {FORMAT}"
        )
    return meta


def _refuse_place(path: Path, archive: Sequence[str]) -> None:
    if path.exists():
        _read_meta(path)  # never over anything but a cohort file
    if inside_release(path):
        raise StoreError("a cohort file is identified: it is never written inside a release")
    if inside(path, archive) or among_objects(path):
        raise StoreError("the cohort file would lie inside the archive; choose another place")


def _write(table: pl.DataFrame, metadata: dict[str, str], path: Path) -> None:
    """Through a file of its own beside it, fsynced, then one rename."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            table.write_parquet(file, metadata=metadata)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except (OSError, pl.exceptions.PolarsError) as fault:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        told = getattr(fault, "strerror", None) or "is the disk full?"
        raise unwritten(StoreError, f"the cohort file cannot be written: {told}", fault) from None
