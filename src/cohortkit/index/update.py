"""From one version of a store to the next: what is new, what is gone, what stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from cohortkit.cohort.vocabulary import OTHER
from cohortkit.index.batch import Batch
from cohortkit.index.columns import (
    INSTANCES,
    ISSUES,
    LISTING,
    MODALITIES,
    SKIPPED,
    SORTED_BY,
    label_of,
)
from cohortkit.index.folder import Part, Writer, scan_parts
from cohortkit.index.rollup import roll_up, series_schema, with_study_counts
from cohortkit.index.walk import Listing
from cohortkit.reasons import Reason

_FILE = list(LISTING)
_FLUSH = 100_000  # rows in memory before parts are written
_SMALL = 50_000  # rows of a part that is worth merging
_MANY = 8  # small parts of one label before they are merged
NOT_OPENED: Final = [str(Reason.NOT_A_FILE), str(Reason.FILE_NAME)]
"""Reasons that the walk itself gives."""

TRY_AGAIN: Final = [str(Reason.UNREADABLE_FILE), str(Reason.INTERNAL), str(Reason.WORKER_DIED)]
"""Reasons for which the next scan opens the file again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between a listing and what is known.

    Attributes:
        fresh: files to be read: new, changed, or to be tried again.
        stale: known files that are gone or changed; their rows go.
        gone: how many of them are gone.
        unchanged: how many files stay unopened.
    """

    fresh: pl.DataFrame
    stale: pl.DataFrame
    gone: int
    unchanged: int


def compare(files: pl.DataFrame, instances: pl.LazyFrame, skipped: pl.LazyFrame) -> Change:
    """Compare a listing with the files that the index knows, by path, size and time."""
    read = skipped.filter(~pl.col("reason").is_in([*NOT_OPENED, *TRY_AGAIN]))
    known = pl.concat([instances.select(_FILE), read.select(_FILE)]).collect()
    fresh = files.join(known, on=_FILE, how="anti")
    stale = known.join(files, on=_FILE, how="anti")
    gone = stale.join(files, on="path", how="anti").height
    return Change(fresh, stale.select("path"), gone, files.height - fresh.height)


@dataclass(slots=True)
class Update:
    """The next version while it is made."""

    writer: Writer
    kept: list[Part] = field(default_factory=list)
    skipped: list[pl.DataFrame] = field(default_factory=list)
    issues: list[pl.DataFrame] = field(default_factory=list)
    touched: list[pl.Series] = field(default_factory=list)
    removed: list[pl.DataFrame] = field(default_factory=list)
    moved: int = 0
    read: int = 0
    _buffer: list[pl.DataFrame] = field(default_factory=list)
    _waiting: int = 0

    def carry_over(self, change: Change, listing: Listing) -> None:
        """Take over what has not changed; only parts that lose rows are written again."""
        manifest = self.writer.manifest
        self.skipped.append(listing.skipped)
        if manifest is None:
            return
        store = self.writer.store
        for part in manifest.of("instances"):
            self._keep(part, change.stale)
        skipped = scan_parts(store, manifest.of("skipped"), SKIPPED)
        skipped = skipped.filter(~pl.col("reason").is_in([*NOT_OPENED, *TRY_AGAIN]))
        issues = scan_parts(store, manifest.of("issues"), ISSUES)
        self.skipped.append(skipped.join(change.stale.lazy(), on="path", how="anti").collect())
        self.issues.append(issues.join(change.stale.lazy(), on="path", how="anti").collect())

    def _keep(self, part: Part, stale: pl.DataFrame) -> None:
        rows = scan_parts(self.writer.store, [part], INSTANCES)
        lost = rows.select("series_key", "SOPInstanceUID", *_FILE).collect()
        lost = lost.join(stale, on="path", how="semi")
        if lost.is_empty():
            self.kept.append(part)
            return
        self.touched.append(lost["series_key"].unique())
        self.removed.append(lost)
        left = rows.join(stale.lazy(), on="path", how="anti").collect()
        if not left.is_empty():
            self.kept.append(self.writer.add("instances", part.label, left))

    def add(self, batch: Batch) -> None:
        """Take what was read; write parts when enough has gathered."""
        self.read += batch.files
        self.skipped.append(batch.skipped)
        self.issues.append(batch.issues)
        self._buffer.append(batch.instances)
        self._waiting += batch.instances.height
        if self._waiting >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        rows = pl.concat([pl.DataFrame(schema=INSTANCES), *self._buffer])
        self._buffer, self._waiting = [], 0
        if rows.is_empty():
            return
        self.touched.append(rows["series_key"].unique())
        if self.removed:
            before = pl.concat(self.removed)
            same = ["SOPInstanceUID", "size", "mtime_ns"]
            elsewhere = rows.join(before, on="path", how="anti")
            self.moved += elsewhere.join(before, on=same, how="semi").height
        for label, part in _by_label(rows):
            self.kept.append(self.writer.add("instances", label, part.sort(SORTED_BY)))

    def finish(self) -> list[Part]:
        """Write what is left, and the tables that follow from the instances."""
        self._flush()
        self._merge()
        parts = list(self.kept)
        for label, rows in _by_label(self._series()):
            parts.append(self.writer.add("series", label, rows))
        for table, frames, schema in (
            ("skipped", self.skipped, SKIPPED),
            ("issues", self.issues, ISSUES),
        ):
            rows = pl.concat([pl.DataFrame(schema=schema), *frames]).sort("path")
            if not rows.is_empty():
                parts.append(self.writer.add(table, "all", rows))
        return parts

    def _merge(self) -> None:
        """Make one part of many small ones, so that nightly scans do not leave hundreds."""
        for label in sorted({part.label for part in self.kept}):
            small = [p for p in self.kept if p.label == label and p.rows < _SMALL]
            if len(small) > _MANY:
                rows = scan_parts(self.writer.store, small, INSTANCES).sort(SORTED_BY).collect()
                self.kept = [part for part in self.kept if part not in small]
                self.kept.append(self.writer.add("instances", label, rows))

    def _series(self) -> pl.DataFrame:
        """All series: those that lost or won an instance anew, the others as they were."""
        store, manifest = self.writer.store, self.writer.manifest
        instances = scan_parts(store, self.kept, INSTANCES)
        if manifest is None:
            return with_study_counts(roll_up(instances))
        touched = pl.concat([pl.Series("series_key", [], pl.String), *self.touched]).unique()
        keys = touched.to_frame("series_key").lazy()
        old = scan_parts(store, manifest.of("series"), series_schema())
        kept = old.join(keys, on="series_key", how="anti").collect()
        new = roll_up(instances.join(keys, on="series_key", how="semi"))
        return with_study_counts(pl.concat([kept.drop("NumberOfStudyRelatedSeries"), new]))


def _by_label(rows: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
    """Rows by Modality, in the order of their labels; what is no term together."""
    for label in (*sorted(MODALITIES), OTHER):
        part = rows.filter(label_of() == label)
        if not part.is_empty():
            yield label, part
