"""The index store on disk: immutable Parquet parts, and manifests that name those of a version.

A version is what its manifest names. A writer (`writer`) adds parts under new names and then swaps
the manifest by one rename, so a reader sees the old version or the new one and nothing between. A
part is never changed: rows that are gone are listed beside it. The manifests of earlier versions
stay beside that of the valid one for a while, and so do their parts. Folders 0700, files 0600.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cohortkit.errors import StoreError

FORMAT = 2
MANIFEST = "manifest.json"
KIND = "cohortkit index"
CURE = "open it again; if that does not help, delete its folder and scan the archive again"
ROW = "__row"
_GONE = f"a part of the index store is missing (or was replaced); {CURE}"
_PART_NAME = re.compile(
    r"(instances|series|skipped|issues|history)-[A-Za-z0-9]+-\d{6}-[0-9a-f]{8}(-gone)?\.parquet"
)
_VERSION = re.compile(r"\d+-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Gone:
    """The places of rows of a part that are no more: a Parquet file of one column, ``row``."""

    file: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of the store.

    Attributes:
        table: ``instances``, ``series``, ``skipped``, ``issues`` or ``history``.
        label: the Modality of its rows where that is a plain code, else ``other``.
        size: bytes, by which a part that was cut short is known.
        gone: which of its rows are no more, if any.
    """

    table: str
    label: str
    file: str
    rows: int
    size: int
    gone: Gone | None = None

    @property
    def left(self) -> int:
        """How many rows are valid."""
        return self.rows - (self.gone.rows if self.gone else 0)

    def files(self) -> dict[str, int]:
        """The names of its files, with their sizes."""
        beside = {self.gone.file: self.gone.size} if self.gone else {}
        return {self.file: self.size, **beside}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one version of a store is.

    Attributes:
        number: counts versions from 1; the number of the scan that made it (``load_run``).
        version: number and a random token, so that two stores never share a version.
        root: the archive.
        made: seconds since 1970.
        schema: the number of the schema that its tables were made by.
        counts: what the scan that made it found.
        containers: whether files in tar and zip are in it.
    """

    number: int
    version: str
    root: str
    parts: tuple[Part, ...]
    made: float = 0.0
    schema: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    containers: bool = False

    def of(self, table: str) -> list[Part]:
        """The parts of one table."""
        return [part for part in self.parts if part.table == table]


def is_part(name: str) -> bool:
    """Whether this is the name of a part, and so of nothing outside the store."""
    return _PART_NAME.fullmatch(name) is not None


def part_of(data: Mapping[str, Any]) -> Part:
    """A part as a manifest tells of it.

    Raises:
        ValueError: its files are none of a store.
    """
    gone = data.get("gone")
    part = Part(**{**data, "gone": Gone(**gone) if gone else None})
    if not all(is_part(file) for file in part.files()):
        raise ValueError
    return part


def manifest_of(version: str) -> str:
    """The file that the manifest of an earlier version is kept in."""
    return f"version-{version}.json"


def read_manifest(store: Path, version: str = "") -> Manifest | None:
    """A version of a store, the valid one if none is named; None where it is not there.

    Raises:
        StoreError: damaged, or written by a newer cohortkit.
    """
    found = _read(store / MANIFEST)
    if found is None or version in ("", found.version) or not _VERSION.fullmatch(version):
        return found if found is None or version in ("", found.version) else None
    return _read(store / manifest_of(version))


def _read(file: Path) -> Manifest | None:
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise StoreError("the index store cannot be read") from None
    return manifest_from(text)


def manifest_from(text: bytes) -> Manifest:
    """A manifest out of the bytes that it is written in.

    Raises:
        StoreError: damaged, or written by a newer cohortkit.
    """
    try:
        data = json.loads(text)
        if data["kind"] != KIND:
            raise StoreError("the folder holds another kind of store")
        if data["format"] > FORMAT:
            raise StoreError(
                f"the index store has format {data['format']}, and this cohortkit reads up to "
                f"{FORMAT}: it needs a newer cohortkit"
            )
        return Manifest(
            int(data["number"]),
            str(data["version"]),
            str(data["root"]),
            tuple(part_of(part) for part in data["parts"]),
            float(data.get("made", 0)),  # format 1 had neither this
            int(data.get("schema", 0)),  # nor this
            dict(data["counts"]),
            bool(data.get("containers", False)),  # nor this
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError(f"the manifest of the index store is damaged; {CURE}") from None


def scan_parts(store: Path, parts: Iterable[Part], schema: pl.Schema) -> pl.LazyFrame:
    """The valid rows of some parts, lazily.

    Raises:
        StoreError: a part is gone, or damaged.
    """
    parts = list(parts)
    for part in parts:
        _demand_whole(store, part)
    whole = [store / part.file for part in parts if part.gone is None]
    frames = [_rows(whole, schema)] if whole else []
    frames += [_rows_left(store, part, schema) for part in parts if part.gone is not None]
    return pl.concat(frames) if frames else pl.LazyFrame(schema=schema)


def _demand_whole(store: Path, part: Part) -> None:
    for name, size in part.files().items():
        file = store / name
        if not file.is_file():
            raise StoreError(_GONE)
        if file.stat().st_size != size:
            raise StoreError(f"a part of the index store is damaged; {CURE}")
        with undamaged():
            pl.read_parquet_schema(file)


def _rows(files: list[Path], schema: pl.Schema, row: str | None = None) -> pl.LazyFrame:
    # a store of before a column was read has it empty, till its files change
    return pl.scan_parquet(
        files, glob=False, schema=schema, missing_columns="insert", row_index_name=row
    )


def _rows_left(store: Path, part: Part, schema: pl.Schema) -> pl.LazyFrame:
    rows = _rows([store / part.file], schema, ROW)
    return rows.filter(~pl.col(ROW).is_in(gone_of(store, part).implode())).drop(ROW)


def gone_of(store: Path, part: Part) -> pl.Series:
    """The places of the rows of a part that are no more.

    Raises:
        StoreError: the list is gone, or damaged.
    """
    if part.gone is None:
        return pl.Series("row", [], pl.UInt32)
    with undamaged():
        return pl.read_parquet(store / part.gone.file, glob=False)["row"].cast(pl.UInt32)


def placed(store: Path, part: Part, schema: pl.Schema) -> pl.LazyFrame:
    """The valid rows of a part with their places in it, ``__row``."""
    _demand_whole(store, part)
    gone = gone_of(store, part)
    rows = _rows([store / part.file], schema, ROW)
    return rows if gone.is_empty() else rows.filter(~pl.col(ROW).is_in(gone.implode()))


def collected(rows: pl.LazyFrame) -> pl.DataFrame:
    """Read rows of parts.

    Raises:
        StoreError: a part is damaged.
    """
    with undamaged():
        return rows.collect()


@contextmanager
def undamaged() -> Iterator[None]:
    """Reading parts, of which polars may say that they are none; its words are not passed on."""
    try:
        yield
    except FileNotFoundError:
        raise StoreError(_GONE) from None
    except pl.exceptions.PolarsError:
        raise StoreError(f"a part of the index store is damaged; {CURE}") from None
