"""An index store in a bucket, read there: ``s3://``, ``gs://``, ``abfs://``.

A store is scanned on disk and published (``index.copy_to("s3://…")``): its parts first, under names
that never come again, then the manifest, which is one object and so is there whole or as it was. A
bucket has no rename, no lock and no folder to sync; none is needed for that. Nothing is removed
there: who reads an earlier version goes on reading it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import polars as pl
from polars.io.plugins import register_io_source

from cohortkit.errors import MissingDependency, StoreError, UsageError
from cohortkit.index.folder import (
    MANIFEST,
    ROW,
    Manifest,
    Part,
    manifest_from,
    manifest_of,
    read_manifest,
    undamaged,
)
from cohortkit.index.store import StoreIndex, schemas
from cohortkit.index.writer import told

SCHEMES: Final = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
    "memory": "fsspec",
}
"""By scheme, the library that speaks to it; ``memory`` is this process alone, for tests."""

_EXTRAS: Final = {"s3fs": "s3", "gcsfs": "gs", "adlfs": "abfs", "fsspec": "s3"}
_HELD: Final = frozenset({"series", "skipped"})  # parts that each question asks stay in memory
T = TypeVar("T")


def in_bucket(place: object) -> bool:
    """Whether a place is in a bucket."""
    scheme, colon, _ = str(place).partition("://")
    return bool(colon) and scheme.lower() in SCHEMES


@dataclass(frozen=True, slots=True, eq=False)
class Bucket:
    """A prefix in a bucket. Credentials are those of the environment, as its library finds them.

    Attributes:
        url: without a slash at its end.
    """

    url: str
    _files: Any = field(repr=False)
    _held: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, url: str) -> Bucket:
        """Connect.

        Raises:
            MissingDependency: the library for the scheme is not installed.
            UsageError: a URL with credentials in it, or without a bucket.
        """
        scheme = url.partition("://")[0].lower()
        parts = urlsplit(url)
        if parts.query or parts.fragment or parts.password is not None:
            raise UsageError(
                f"{scheme}://…: a bucket and a prefix; credentials are taken from the environment"
            )
        if not (parts.netloc or parts.path).strip("/"):
            raise UsageError(f"{scheme}://…: which bucket?")
        library = SCHEMES[scheme]
        try:
            import_module(library)
            fsspec = import_module("fsspec")
        except ImportError:
            raise MissingDependency(
                f"{scheme}:// needs {library}: pip install 'cohortkit[{_EXTRAS[library]}]'"
            ) from None
        return cls(url.rstrip("/"), _spoken(partial(fsspec.filesystem, scheme)))

    def read(self, name: str) -> bytes | None:
        """One object; None where there is none.

        Raises:
            StoreError: the bucket cannot be read.
        """
        self._files.invalidate_cache()  # else what others put there since would not be seen
        try:
            return bytes(_spoken(lambda: self._files.cat_file(f"{self.url}/{name}")))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Put one object, in the place of the one of this name: whole, or not at all.

        Raises:
            StoreError: it cannot be written.
        """
        _spoken(lambda: self._files.pipe_file(f"{self.url}/{name}", data))

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""
        try:
            return int(_spoken(lambda: self._files.info(f"{self.url}/{name}"))["size"])
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """Of all objects."""
        self._files.invalidate_cache()
        try:
            found = _spoken(lambda: self._files.ls(self.url, detail=False))
        except FileNotFoundError:
            return []
        return sorted(str(path).rpartition("/")[2] for path in found)

    def manifest(self, version: str = "") -> Manifest | None:
        """A version of the store, the valid one if none is named.

        Raises:
            StoreError: it is damaged, or of a newer format.
        """
        data = self.read(manifest_of(version) if version else MANIFEST)
        return None if data is None else manifest_from(data)

    def part(self, table: str, name: str, size: int) -> BytesIO:
        """The bytes of a part.

        Raises:
            StoreError: it is gone, or of another size.
        """
        data = self._held.get(name)
        if data is None:
            data = self.read(name)
            if data is None or len(data) != size:
                raise StoreError("a part of the index store in the bucket is missing or damaged")
            if table in _HELD:
                self._held[name] = data
        return BytesIO(data)


def _spoken(ask: Callable[[], T]) -> T:
    """Ask the bucket's library; of what it raises only that there is no such object is passed on.

    Raises:
        FileNotFoundError: there is none.
        StoreError: anything else; its messages quote requests.
    """
    try:
        return ask()
    except FileNotFoundError:
        raise FileNotFoundError from None
    except Exception as error:  # noqa: BLE001 - each library has errors of its own
        raise StoreError(f"the bucket cannot be used ({type(error).__name__})") from None


def _rows(bucket: Bucket, part: Part, schema: pl.Schema) -> pl.LazyFrame:
    source = bucket.part(part.table, part.file, part.size)
    rows = pl.scan_parquet(source, schema=schema, missing_columns="insert", row_index_name=ROW)
    if part.gone is not None:
        lost = pl.read_parquet(bucket.part(part.table, part.gone.file, part.gone.size))["row"]
        rows = rows.filter(~pl.col(ROW).is_in(lost.cast(pl.UInt32).implode()))
    return rows.drop(ROW)


def _table(bucket: Bucket, parts: list[Part], schema: pl.Schema) -> pl.LazyFrame:
    """The valid rows of some parts; each is fetched when it is asked, and let go."""

    def read(
        names: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame(schema=schema).select(names or schema.names())
        for part in parts:
            with undamaged():
                rows = _rows(bucket, part, schema)
                rows = rows if predicate is None else rows.filter(predicate)
                rows = rows if most is None else rows.head(most)
                frame = rows.select(names or schema.names()).collect()
            most = None if most is None else most - frame.height
            yield frame

    return register_io_source(read, schema=schema, is_pure=True)


@dataclass(frozen=True, repr=False, eq=False)
class BucketIndex(StoreIndex):
    """A store in a bucket. Versions stay as long as their objects do, so none needs a pin."""

    @classmethod
    def open_at(cls, url: str, version: str = "") -> BucketIndex:
        """Open a store in a bucket.

        Raises:
            MissingDependency: the library for the scheme is not installed.
            StoreError: there is none, it is damaged, of a newer format, or out of reach.
        """
        bucket = Bucket.of(url)
        manifest = bucket.manifest(version)
        if manifest is None:
            raise StoreError(
                "this version of the index is gone: search again"
                if version
                else "the bucket holds no index store there; publish one with index.copy_to"
            )
        tables = {
            name: _table(bucket, manifest.of(name), schema) for name, schema in schemas().items()
        }
        counts = dict(manifest.counts)
        return cls(manifest.version, bucket.url, (manifest.root,), tables, counts)

    def at(self, version: str) -> StoreIndex:
        """The index as it was in an earlier version that was published.

        Raises:
            StoreError: it is not there.
        """
        return self if version == self.version else self.open_at(self.location, version)

    def pin(self, *, keep: bool = True) -> None:
        """Nothing: no version is removed from a bucket."""

    def versions(self) -> pl.DataFrame:
        """The versions that can be opened, the latest first: version, made, pinned. No identity."""
        bucket = Bucket.of(self.location)
        names = [name for name in bucket.names() if name.startswith("version-")]
        found = [bucket.manifest(name.removeprefix("version-")[:-5]) for name in names]
        rows = [
            (one.version, dt.datetime.fromtimestamp(one.made, dt.UTC), False)
            for one in sorted(filter(None, found), key=lambda one: -one.number)
        ]
        when = pl.Datetime("us", "UTC")
        schema = pl.Schema({"version": pl.String(), "made": when, "pinned": pl.Boolean()})
        return pl.DataFrame(rows, schema, orient="row")


def publish(index: StoreIndex, url: str) -> BucketIndex:
    """Put the version of a store into a bucket, and make it the valid one there.

    What is there already is not sent again. Until all parts are there, readers see the version
    before. Of two who publish at once the later one wins; both versions can be opened.

    Raises:
        UsageError: an index in memory, or of a bucket.
        StoreError: the bucket holds another archive's store or a later version, or cannot be
            written.
    """
    if not index.location or in_bucket(index.location):
        raise UsageError("copy_to: a bucket takes a store on disk: scan into one first")
    store = Path(index.location)
    manifest = read_manifest(store, index.version)
    if manifest is None:
        raise StoreError("this version of the index is gone: scan again")
    bucket = Bucket.of(url)
    there = bucket.manifest()
    if there is not None and there.root != manifest.root:
        raise StoreError("the bucket holds the store of another archive there")
    if there is not None and there.number > manifest.number:
        raise StoreError("the bucket holds a later version of this index: open the store again")
    for part in manifest.parts:
        for name, size in part.files().items():
            if bucket.size(name) != size:
                bucket.write(name, _bytes_of(store / name))
    bucket.write(manifest_of(manifest.version), told(manifest))
    bucket.write(MANIFEST, told(manifest))
    return BucketIndex.open_at(bucket.url)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise StoreError("a part of the index store is missing; open it again") from None
