"""When two indexes say the same."""

from __future__ import annotations

import polars as pl

from cohortkit.index import StoreIndex
from cohortkit.index.columns import RUN


def series_of(index: StoreIndex) -> pl.DataFrame:
    """Its series, but for when it learned of them."""
    return index.series().collect().sort("series_key").drop(RUN)


def told(index: StoreIndex, *, digest: bool = False) -> list[pl.DataFrame]:
    """All that an index says, but for when it learned it, and digests unless asked for."""
    series = series_of(index)
    rows = index.instances(series["series_key"]).drop(RUN)
    skipped = index.skipped(identified=True)
    if not digest:
        rows, skipped = rows.drop("digest"), skipped.drop("digest")
    return [series, rows, skipped, index.issues(identified=True)]


def assert_same(index: StoreIndex, other: StoreIndex, *, digest: bool = False) -> None:
    """Two indexes say the same."""
    for one, two in zip(told(index, digest=digest), told(other, digest=digest), strict=True):
        assert one.equals(two)
