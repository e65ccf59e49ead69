"""The index store on disk: immutable Parquet parts and one manifest that names the valid ones.

A version is what its manifest names. A writer adds parts under new names and then swaps the
manifest by one rename, so a reader sees the old version or the new one and nothing between; a
writer that is killed leaves parts that no manifest names, which the next one removes. Parts of
the version before stay, for readers that still have it open. Folders 0700, files 0600.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import polars as pl

from cohortkit.errors import StoreError

FORMAT = 1
MANIFEST = "manifest.json"
TABLES = ("instances", "series", "skipped", "issues")
_LOCK = "lock"
_OURS = frozenset({_LOCK, "unfinished.json", "unfinished.json.new", f"{MANIFEST}.new"})
_KIND = "cohortkit index"
_ROW_GROUP = 122_880
_CURE = "open it again; if that does not help, delete its folder and scan the archive again"
_GONE = f"a part of the index store is missing (or was replaced); {_CURE}"
_PART_NAME = re.compile(
    r"(instances|series|skipped|issues)-[A-Za-z0-9]+-\d{6}-[0-9a-f]{8}\.parquet"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of the store.

    Attributes:
        table: of ``TABLES``.
        label: the Modality of its rows where that is a plain code, else ``other``.
        size: bytes, by which a part that was cut short is known.
    """

    table: str
    label: str
    file: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one version of a store is.

    Attributes:
        number: counts versions from 1.
        version: number and a random token, so that two stores never share a version.
        root: the archive.
        previous: part files of the version before, kept for its readers.
        counts: what the scan that made it found.
    """

    number: int
    version: str
    root: str
    parts: tuple[Part, ...]
    previous: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)

    def of(self, table: str) -> list[Part]:
        """The parts of one table."""
        return [part for part in self.parts if part.table == table]


def is_part(name: str) -> bool:
    """Whether this is the name of a part, and so of nothing outside the store."""
    return _PART_NAME.fullmatch(name) is not None


def read_manifest(store: Path) -> Manifest | None:
    """The valid version of a store; None where the folder holds no store.

    Raises:
        StoreError: damaged, or written by a newer cohortkit.
    """
    try:
        text = (store / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise StoreError("the index store cannot be read") from None
    try:
        data = json.loads(text)
        if data["kind"] != _KIND:
            raise StoreError("the folder holds another kind of store")
        if data["format"] > FORMAT:
            raise StoreError(
                f"the index store has format {data['format']}, and this cohortkit reads up to "
                f"{FORMAT}: it needs a newer cohortkit"
            )
        parts = tuple(Part(**part) for part in data["parts"])
        if not all(is_part(part.file) for part in parts):
            raise StoreError(f"the manifest of the index store is damaged; {_CURE}")
        return Manifest(
            int(data["number"]),
            str(data["version"]),
            str(data["root"]),
            parts,
            tuple(data["previous"]),
            dict(data["counts"]),
        )
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"the manifest of the index store is damaged; {_CURE}") from None


def scan_parts(store: Path, parts: Iterable[Part], schema: pl.Schema) -> pl.LazyFrame:
    """The rows of some parts, lazily.

    Raises:
        StoreError: a part is gone, as after two more scans, or damaged.
    """
    parts = list(parts)
    files = [store / part.file for part in parts]
    if not files:
        return pl.LazyFrame(schema=schema)
    for file, part in zip(files, parts, strict=True):
        if not file.is_file():
            raise StoreError(_GONE)
        if file.stat().st_size != part.size:
            raise StoreError(f"a part of the index store is damaged; {_CURE}")
        with undamaged():
            pl.read_parquet_schema(file)
    # a store of before a column was read has it empty, till its files change
    return pl.scan_parquet(files, glob=False, schema=schema, missing_columns="insert")


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
        raise StoreError(f"a part of the index store is damaged; {_CURE}") from None


@contextmanager
def writing(store: Path) -> Iterator[Writer]:
    """Make or open a store for one writer.

    Raises:
        StoreError: another scan is writing, the folder holds something else, or it cannot be
            made.
    """
    try:
        _make(store)
        lock = _private(store / _LOCK, os.O_APPEND)
    except OSError:
        raise StoreError("the index store cannot be written") from None
    with lock:
        _take(lock)
        yield Writer(store, read_manifest(store))


class Writer:
    """Adds parts to a store and publishes versions. Made by ``writing``."""

    def __init__(self, store: Path, manifest: Manifest | None) -> None:
        self.store = store
        self.manifest = manifest
        self._number = manifest.number + 1 if manifest else 1

    def add(self, table: str, label: str, frame: pl.DataFrame) -> Part:
        """Write one part; it is not valid before a manifest names it."""
        name = f"{table}-{label}-{self._number:06d}-{secrets.token_hex(4)}.parquet"
        try:
            with _private(self.store / name, os.O_EXCL) as file:
                frame.write_parquet(file, compression="zstd", row_group_size=_ROW_GROUP)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, pl.exceptions.PolarsError):
            raise StoreError("the index store cannot be written; is the disk full?") from None
        return Part(table, label, name, frame.height, (self.store / name).stat().st_size)

    def publish(self, root: str, parts: Iterable[Part], counts: dict[str, int]) -> Manifest:
        """Make these parts the valid version, by one rename."""
        before = self.manifest
        manifest = Manifest(
            self._number,
            f"{self._number}-{secrets.token_hex(4)}",
            root,
            tuple(sorted(parts, key=lambda part: part.file)),
            tuple(part.file for part in before.parts) if before else (),
            counts,
        )
        data = {"kind": _KIND, "format": FORMAT, **asdict(manifest)}
        self.swap(MANIFEST, json.dumps(data, indent=1, sort_keys=True).encode())
        return manifest

    def swap(self, name: str, data: bytes) -> None:
        """Put a file in the place of the one of this name, whole or not at all.

        Raises:
            StoreError: the store cannot be written.
        """
        temporary = self.store / f"{name}.new"
        try:
            with _private(temporary, os.O_TRUNC) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.store / name)
            _sync_folder(self.store)
        except OSError:
            raise StoreError("the index store cannot be written; is the disk full?") from None

    def tidy(self, manifest: Manifest | None, more: Iterable[Part] = ()) -> None:
        """Remove parts that neither the valid version nor the one before it names, nor ``more``."""
        named = {part.file for part in (*(manifest.parts if manifest else ()), *more)}
        named.update(manifest.previous if manifest else ())
        for file in self.store.iterdir():
            if is_part(file.name) and file.name not in named:
                file.unlink(missing_ok=True)


def _make(store: Path) -> None:
    if store.is_dir():
        if not (store / MANIFEST).is_file() and any(
            not is_part(file.name) and file.name not in _OURS for file in store.iterdir()
        ):
            raise StoreError("the folder for the index store holds something else")
    elif store.exists():
        raise StoreError("the place of the index store is a file, not a folder")
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.chmod(0o700)


def _private(path: Path, flags: int) -> IO[bytes]:
    """Open a file for writing that no one else may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "wb")


def _take(lock: IO[bytes]) -> None:
    """Hold the store for this process; the system lets go when the process ends."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX only; elsewhere one writer is the caller's care
    except ImportError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StoreError("another scan is writing this index store") from None


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
