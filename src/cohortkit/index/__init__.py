"""Where the objects are: scanned archives, their stores, and tables that others made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cohortkit import given
from cohortkit.dimse import address
from cohortkit.errors import NotBuilt, StoreError, UsageError
from cohortkit.index.bucket import BucketIndex, in_bucket
from cohortkit.index.demo import demo_index
from cohortkit.index.dicomweb import DicomWebIndex
from cohortkit.index.dimse import DimseIndex
from cohortkit.index.scan import scan
from cohortkit.index.sql import SqlIndex
from cohortkit.index.sql_copy import copy_to
from cohortkit.index.sql_place import SCHEMES
from cohortkit.index.store import StoreIndex
from cohortkit.index.table import TableIndex
from cohortkit.net import WEB

__all__ = [
    "DicomWebIndex",
    "DimseIndex",
    "SqlIndex",
    "StoreIndex",
    "TableIndex",
    "copy_to",
    "demo_index",
    "open_index",
    "scan",
]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_WEB = (f"{WEB}http", f"{WEB}https")


def open_index(
    where: str | Path, mapping: Mapping[str, str] | str | None = None
) -> StoreIndex | TableIndex | SqlIndex | DicomWebIndex | DimseIndex:
    """Open an index.

    Args:
        where: the folder of an index store, or a Parquet or CSV table whose columns are DICOM
            keywords, at series or instance grain; or a database: ``postgresql://…``,
            ``sqlite:///…``, ``duckdb:///…``, with the name of a table or view behind a ``#``;
            or a store in a bucket: ``s3://…``, ``gs://…``, ``abfs://…``;
            or a DICOMweb server: ``dicomweb+https://host/path``; or a DIMSE server:
            ``dimse://OUR_AE@host:port/ITS_AE``, ``dimse+tls://…``.
        mapping: for a table: its column → DICOM keyword (or ``path``, ``size``, ``mtime_ns``);
            for a database also ``"omop"``, the imaging extension of the OMOP CDM.

    Raises:
        StoreError: there is no such index, it is damaged, or of a newer format.
        UnknownKeyword: the mapping names no column or no keyword.
        NotBuilt: a database, server or bucket, which this version cannot open.
    """
    path = given.path("index", where, StoreError)
    if mapping is not None:
        given.a(
            Mapping | str, "mapping", mapping, "a mapping of the table's columns to DICOM keywords"
        )
    scheme = _SCHEME.match(str(where))
    if scheme:
        return _of_url(str(where), scheme[1].lower(), mapping)
    if path.is_dir():
        if mapping:
            raise UsageError("mapping: is for tables; an index store has DICOM keywords already")
        return StoreIndex.open(path)
    if not path.is_file():
        raise StoreError(f"there is no index store or table at {str(where)!r}")
    if isinstance(mapping, str):
        raise UsageError("mapping: one with a name is for databases")
    return TableIndex.open(path, mapping)


def _of_url(
    url: str, scheme: str, mapping: Mapping[str, str] | str | None
) -> StoreIndex | SqlIndex | DicomWebIndex | DimseIndex:
    if scheme in SCHEMES:
        return SqlIndex.open(url, mapping)
    if mapping and (in_bucket(url) or scheme in {*_WEB, *address.SCHEMES}):
        what = "an index store" if in_bucket(url) else "a server"
        raise UsageError(f"mapping: is for tables; {what} has DICOM keywords already")
    if in_bucket(url):
        return BucketIndex.open_at(url)
    if scheme in {*_WEB, *address.SCHEMES}:
        kind = DicomWebIndex if scheme in _WEB else DimseIndex
        return kind.open(url)
    raise NotBuilt(
        f"this version cannot open {scheme}:// indexes: it opens the folder of an index store, one "
        "in a bucket (s3, gs, abfs), a Parquet or CSV table, a database (postgresql, sqlite, "
        "duckdb), a DICOMweb server (dicomweb+https) or a DIMSE server (dimse, dimse+tls)"
    )
