"""When two indexes say the same."""

from __future__ import annotations

import polars as pl

from cohortkit.index import StoreIndex
from cohortkit.index.columns import RUN


def told(index: StoreIndex) -> list[pl.DataFrame]:
    """All that an index says, but for when it learned it."""
    series = index.series().collect().sort("series_key")
    rows = index.instances(series["series_key"])
    return [series, rows.drop(RUN), index.skipped(), index.issues()]


def assert_same(index: StoreIndex, other: StoreIndex) -> None:
    """Two indexes say the same."""
    for one, two in zip(told(index), told(other), strict=True):
        assert one.equals(two)
