"""From one version of a store to the next: what is new, what is gone, what stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

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
from cohortkit.index.rollup import SERIES_SORTED_BY, roll_up, series_schema, with_study_counts
from cohortkit.index.unfinished import Unfinished, record
from cohortkit.index.walk import Listing
from cohortkit.reasons import Reason

_FILE = list(LISTING)
_NOTED = ["series_key", "SOPInstanceUID", *_FILE]
_FLUSH = 100_000  # rows in memory before parts are written
_SECONDS = 20.0  # after which they are written at the latest: a kill costs no more than that
_SMALL = 50_000  # rows of a part that is worth merging
_MANY = 8  # small parts of one label before they are merged
NOT_OPENED: Final = [str(Reason.NOT_A_FILE), str(Reason.FILE_NAME)]
"""Reasons that the walk itself gives."""

TRY_AGAIN: Final = [str(Reason.UNREADABLE_FILE), str(Reason.INTERNAL), str(Reason.WORKER_DIED)]
"""Reasons for which the next scan opens the file again."""


class Tables(Protocol):
    """Parts by table: a version, or what an interrupted scan has left."""

    def of(self, table: str) -> list[Part]:
        """The parts of one table."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between a listing and what is known.

    Attributes:
        fresh: files to be read: new, changed, or to be tried again.
        stale: for each source of what is known, its files that are gone or changed; their rows go.
        gone: how many of those of the first source are gone.
        unchanged: how many files stay unopened.
    """

    fresh: pl.DataFrame
    stale: tuple[pl.DataFrame, ...]
    gone: int
    unchanged: int


def compare(files: pl.DataFrame, store: Path, sources: Sequence[Tables]) -> Change:
    """Compare a listing with the files that are known, by path, size and time."""
    fresh, stale, gone = files, [], []
    for source in sources:
        fresh, lost, absent = _apart(fresh, _known(store, source))
        stale.append(lost)
        gone.append(absent)
    return Change(fresh, tuple(stale), gone[0], files.height - fresh.height)


def _apart(files: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """What lies there and is not known so, what is known and does not lie there so, what is gone.

    One join of a million paths, and not one for each question.
    """
    if known.is_empty():
        return files, known, 0
    both = files.join(known, on="path", how="full", coalesce=True, suffix="_known")
    same = pl.lit(value=True)
    for name in _FILE[1:]:
        same &= pl.col(name).eq_missing(pl.col(f"{name}_known"))
    both = both.filter(~same)
    here, there = pl.col("size").is_not_null(), pl.col("size_known").is_not_null()
    as_known = [pl.col(f"{name}_known").alias(name) for name in _FILE[1:]]
    fresh = both.filter(here).select(_FILE).sort("path")
    return fresh, both.filter(there).select("path", *as_known), both.filter(~here).height


def _known(store: Path, source: Tables) -> pl.DataFrame:
    instances = scan_parts(store, source.of("instances"), INSTANCES).select(_FILE)
    return pl.concat([instances, _read_skipped(store, source).select(_FILE)]).collect()


def _read_skipped(store: Path, source: Tables) -> pl.LazyFrame:
    """The files that were opened, are no instances, and will not be on a second look."""
    skipped = scan_parts(store, source.of("skipped"), SKIPPED)
    return skipped.filter(~pl.col("reason").is_in([*NOT_OPENED, *TRY_AGAIN]))


@dataclass(slots=True)
class Update:
    """The next version while it is made."""

    writer: Writer
    left: Unfinished
    kept: list[Part] = field(default_factory=list)
    skipped: list[pl.DataFrame] = field(default_factory=list)
    issues: list[pl.DataFrame] = field(default_factory=list)
    touched: list[pl.Series] = field(default_factory=list)
    removed: list[pl.DataFrame] = field(default_factory=list)
    moved: int = 0
    read: int = 0
    _recorded: list[Part] = field(default_factory=list)
    _buffer: list[Batch] = field(default_factory=list)
    _waiting: int = 0
    _since: float = field(default_factory=time.monotonic)

    def carry_over(self, change: Change, listing: Listing) -> None:
        """Take over what has not changed; only parts that lose rows are written again."""
        self.skipped.append(listing.skipped)
        manifest = self.writer.manifest
        if manifest is not None:
            for part in manifest.of("instances"):
                self._keep(part, change.stale[0])
            self._tell(manifest, change.stale[0])
        for part in self.left.of("instances"):
            before = len(self.kept)
            self._keep(part, change.stale[-1])
            for now in self.kept[before:]:
                self._recorded.append(now)
                self._note(scan_parts(self.writer.store, [now], INSTANCES).select(_NOTED).collect())
        self._tell(self.left, change.stale[-1])
        self._recorded += [*self.left.of("skipped"), *self.left.of("issues")]

    def _keep(self, part: Part, stale: pl.DataFrame) -> None:
        rows = scan_parts(self.writer.store, [part], INSTANCES)
        lost = rows.select(_NOTED).collect().join(stale, on=_FILE, how="semi")
        if lost.is_empty():
            self.kept.append(part)
            return
        self.touched.append(lost["series_key"].unique())
        self.removed.append(lost)
        left = rows.join(stale.lazy(), on=_FILE, how="anti").collect()
        if not left.is_empty():
            self.kept.append(self.writer.add("instances", part.label, left))

    def _tell(self, source: Tables, stale: pl.DataFrame) -> None:
        """Take over what was said of files that are no instances, and of values."""
        store = self.writer.store
        issues = scan_parts(store, source.of("issues"), ISSUES)
        self.skipped.append(
            _read_skipped(store, source).join(stale.lazy(), on=_FILE, how="anti").collect()
        )
        self.issues.append(issues.join(stale.lazy(), on="path", how="anti").collect())

    def _note(self, rows: pl.DataFrame) -> None:
        """Remember which series have won rows, and which of these were elsewhere before."""
        self.touched.append(rows["series_key"].unique())
        if self.removed:
            before = pl.concat(self.removed)
            same = ["SOPInstanceUID", "size", "mtime_ns"]
            elsewhere = rows.join(before, on="path", how="anti")
            self.moved += elsewhere.join(before, on=same, how="semi").height

    def add(self, batch: Batch) -> None:
        """Take what was read; write parts when enough has gathered, or when it was long ago."""
        self.read += batch.files
        self.skipped.append(batch.skipped)
        self.issues.append(batch.issues)
        self._buffer.append(batch)
        self._waiting += batch.instances.height
        if self._waiting >= _FLUSH or time.monotonic() - self._since > _SECONDS:
            self.save()

    def save(self) -> None:
        """Write what has gathered, and say so: what is said is not read again after a kill."""
        new = self._flush()
        if new:
            self._recorded += new
            record(self.writer, self.left, self._recorded)
        self._since = time.monotonic()

    def _flush(self) -> list[Part]:
        """Parts of what has gathered; those of instances are in the next version."""
        batches, self._buffer, self._waiting = self._buffer, [], 0
        rows = pl.concat([pl.DataFrame(schema=INSTANCES), *(b.instances for b in batches)])
        self._note(rows)
        parts = [
            self.writer.add("instances", label, part.sort(SORTED_BY))
            for label, part in _by_label(rows)
        ]
        self.kept += parts
        for table, frames in (
            ("skipped", [b.skipped for b in batches]),
            ("issues", [b.issues for b in batches]),
        ):
            if any(not frame.is_empty() for frame in frames):
                parts.append(self.writer.add(table, "all", pl.concat(frames)))
        return parts

    def finish(self) -> list[Part]:
        """Write what is left, and the tables that follow from the instances."""
        self.save()
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
        # a filter and no join: so polars opens only what holds such rows
        changed = pl.col("series_key").is_in(touched.implode())
        kept = scan_parts(store, manifest.of("series"), series_schema()).filter(~changed).collect()
        new = roll_up(instances.filter(changed))
        both = pl.concat([kept.drop("NumberOfStudyRelatedSeries"), new])
        return with_study_counts(both.sort(SERIES_SORTED_BY))


def _by_label(rows: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
    """Rows by Modality, in the order of their labels; what is no term together."""
    for label in (*sorted(MODALITIES), OTHER):
        part = rows.filter(label_of() == label)
        if not part.is_empty():
            yield label, part
