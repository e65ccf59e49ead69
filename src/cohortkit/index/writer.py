"""Writing a store: parts under new names, then one rename that makes them the valid version.

A writer that is killed leaves files that no manifest names, which the next one removes.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Final

import polars as pl

from cohortkit.errors import StoreError, unwritten
from cohortkit.index.columns import SCHEMA
from cohortkit.index.folder import (
    FORMAT,
    KIND,
    MANIFEST,
    Gone,
    Manifest,
    Part,
    gone_of,
    is_part,
    manifest_of,
    read_manifest,
)

_LOCK = "lock"
_OURS = frozenset({_LOCK, "unfinished.json", "unfinished.json.new", f"{MANIFEST}.new"})
_ROW_GROUP = 122_880
KEPT_DAYS: Final = 30
"""So long the last version of each day can be opened, and a version that somebody has pinned for
as long as the pin is there."""

KEPT_LAST: Final = 24
"""So many of the latest versions can be opened in any case."""

_DAY = 86_400.0
_UNWRITTEN = "the index store cannot be written; is the disk full?"


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
    except OSError as error:
        raise unwritten(StoreError, "the index store cannot be written", error) from None
    with lock:
        _take(lock)
        yield Writer(store, read_manifest(store))


class Writer:
    """Adds parts to a store and publishes versions. Made by ``writing``.

    Attributes:
        number: of the version that is being made.
        made: when it was begun, in seconds since 1970.
    """

    def __init__(self, store: Path, manifest: Manifest | None) -> None:
        self.store = store
        self.manifest = manifest
        self.number = manifest.number + 1 if manifest else 1
        self.made = time.time()

    def add(self, table: str, label: str, frame: pl.DataFrame) -> Part:
        """Write one part; it is not valid before a manifest names it."""
        name = f"{table}-{label}-{self.number:06d}-{secrets.token_hex(4)}.parquet"
        size = self._write(name, frame)
        return Part(table, label, name, frame.height, size)

    def lose(self, part: Part, rows: pl.Series) -> Part:
        """A part of which these rows are no more either."""
        gone = pl.concat([gone_of(self.store, part), rows.cast(pl.UInt32)]).unique().sort()
        stem = f"{part.table}-{part.label}-{self.number:06d}-{secrets.token_hex(4)}"
        name = f"{stem}-gone.parquet"
        size = self._write(name, pl.DataFrame({"row": gone}))
        return replace(part, gone=Gone(name, gone.len(), size))

    def _write(self, name: str, frame: pl.DataFrame) -> int:
        try:
            with _private(self.store / name, os.O_EXCL) as file:
                frame.write_parquet(file, compression="zstd", row_group_size=_ROW_GROUP)
                file.flush()
                os.fsync(file.fileno())
            return (self.store / name).stat().st_size
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unwritten(StoreError, _UNWRITTEN, error) from None

    def publish(
        self,
        root: str,
        parts: Iterable[Part],
        counts: dict[str, int],
        *,
        containers: bool = False,
    ) -> Manifest:
        """Make these parts the valid version, by one rename; the one before stays for a while."""
        if self.manifest is not None:
            self.swap(manifest_of(self.manifest.version), told(self.manifest))
        manifest = Manifest(
            self.number,
            f"{self.number}-{secrets.token_hex(4)}",
            root,
            tuple(sorted(parts, key=lambda part: part.file)),
            self.made,
            SCHEMA,
            counts,
            containers,
        )
        self.swap(MANIFEST, told(manifest))
        return manifest

    def swap(self, name: str, data: bytes) -> None:
        """Put a file in the place of the one of this name, whole or not at all.

        Raises:
            StoreError: the store cannot be written.
        """
        put(self.store, name, data)

    def tidy(self, manifest: Manifest | None, more: Iterable[Part] = ()) -> None:
        """Remove parts that no version names which is to stay, nor ``more``."""
        named = {file for part in more for file in part.files()}
        for version in self._staying(manifest):
            named.update(file for part in version.parts for file in part.files())
        for file in self.store.iterdir():
            if is_part(file.name) and file.name not in named:
                file.unlink(missing_ok=True)

    def _staying(self, manifest: Manifest | None) -> Iterator[Manifest]:
        """The versions that stay; the manifests of the others are removed."""
        if manifest is not None:
            yield manifest
        days: set[float] = set()
        for place, version in enumerate(earlier(self.store)):
            day = version.made // _DAY
            recent = self.made - version.made < KEPT_DAYS * _DAY and day not in days
            days.add(day)
            if place < KEPT_LAST or recent or (self.store / pin_of(version.version)).exists():
                yield version
            else:
                (self.store / manifest_of(version.version)).unlink(missing_ok=True)


def earlier(store: Path) -> list[Manifest]:
    """The versions before the valid one that can still be opened, the latest first."""
    names = [file.stem.removeprefix("version-") for file in store.glob("version-*-*.json")]
    valid = read_manifest(store)
    versions: list[Manifest] = []
    for name in names:
        with suppress(StoreError):  # a damaged one cannot be opened, and that is all
            found = read_manifest(store, name)
            versions += [found] if found is not None and found != valid else []
    return sorted(versions, key=lambda version: version.number, reverse=True)


def pin_of(version: str) -> str:
    """The name of the file whose presence keeps a version."""
    return f"pin-{version}"


def put(store: Path, name: str, data: bytes) -> None:
    """Put a file in the place of the one of this name, whole or not at all.

    Raises:
        StoreError: the store cannot be written.
    """
    temporary = store / f"{name}.new"
    try:
        with _private(temporary, os.O_TRUNC) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(store / name)
        _sync_folder(store)
    except OSError as error:
        raise unwritten(StoreError, _UNWRITTEN, error) from None


def told(manifest: Manifest) -> bytes:
    """A manifest as it is written."""
    data = {"kind": KIND, "format": FORMAT, **asdict(manifest)}
    return json.dumps(data, indent=1, sort_keys=True).encode()


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
