"""From one version of a store to the next: parts stay as they are, with lists of what is gone."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from cohortkit.cohort.vocabulary import OTHER
from cohortkit.dicom.members import SEPARATOR
from cohortkit.index.batch import Batch
from cohortkit.index.changes import FILE, PART, Change, Tables, read_before
from cohortkit.index.columns import (
    HISTORY,
    INSTANCES,
    ISSUES,
    MODALITIES,
    READ,
    RUN,
    SCHEMA,
    SKIPPED,
    SORTED_BY,
    label_of,
)
from cohortkit.index.folder import ROW, Part, placed, scan_parts
from cohortkit.index.rollup import SERIES_SORTED_BY, roll_up, series_schema, with_study_counts
from cohortkit.index.unfinished import Unfinished, record
from cohortkit.index.walk import Listing
from cohortkit.index.writer import Writer

_NOTED: Final = [*(name for name in HISTORY if name in INSTANCES), "digest"]
_STUDY: Final = ["IssuerOfPatientID", "PatientID", "StudyInstanceUID"]
_WERE: Final = pl.Schema(
    {
        **{name: pl.String() for name in ("series_key", *_STUDY)},
        ROW: pl.UInt32(),
        PART: pl.String(),
    }
)
_SAME: Final = ["SOPInstanceUID", "size", "mtime_ns"]
_HELD: Final = ["SOPInstanceUID", "size", "digest"]
_FLUSH = 100_000  # rows in memory before parts are written
_SECONDS = 20.0  # after which they are written at the latest: a kill costs no more than that
_SMALL = 50_000  # rows of a part that is worth merging
_MANY = 8  # small parts of one label before they are merged
_HOLLOW = 4  # a part of which more than one row in so many is gone is written again
_IN_MEMORY = 500_000  # rows of series that have changed


@dataclass(slots=True)
class Update:
    """The next version while it is made.

    Attributes:
        kept: its parts, of all tables.
        removed: rows that were instances and are so no more.
        touched: keys of series that have won or lost an instance.
    """

    writer: Writer
    left: Unfinished
    kept: list[Part] = field(default_factory=list)
    touched: list[pl.Series] = field(default_factory=list)
    removed: list[pl.DataFrame] = field(default_factory=list)
    arrived: list[pl.DataFrame] = field(default_factory=list)
    read: int = 0
    _concerned: int = 0
    _recorded: list[Part] = field(default_factory=list)
    _buffer: list[Batch] = field(default_factory=list)
    _waiting: int = 0
    _since: float = field(default_factory=time.monotonic)

    def carry_over(self, change: Change, listing: Listing) -> None:
        """Take over what has not changed."""
        manifest = self.writer.manifest
        if manifest is not None:
            self._take_over(manifest, change.stale[0])
            self.kept += manifest.of("history")
        before = len(self.kept)
        self._take_over(self.left, change.stale[-1])
        self._recorded += self.kept[before:]
        for part in self.kept[before:]:
            if part.table == "instances":
                rows = scan_parts(self.writer.store, [part], INSTANCES)
                self._note(rows.select(_NOTED).collect())
        self._put("skipped", [listing.skipped])

    def _take_over(self, source: Tables, stale: pl.DataFrame) -> None:
        """Keep the parts of a source, but for the rows that tell of stale files."""
        store = self.writer.store
        for part in source.of("instances"):
            lost = stale.filter(pl.col(PART) == part.file)[ROW]
            if not lost.is_empty():
                rows = placed(store, part, INSTANCES).filter(pl.col(ROW).is_in(lost.implode()))
                gone = rows.select(_NOTED).collect()
                self.touched.append(gone["series_key"].unique())
                self.removed.append(gone)
                self._concerned += gone.height
            self.kept += self._keep(part, lost, INSTANCES, SORTED_BY)
        for part in source.of("skipped"):
            stay = read_before(store, part).select(*FILE, ROW).collect()
            stay = stay.join(stale, on=FILE, how="anti")
            every = placed(store, part, SKIPPED).select(ROW).collect()
            lost = every.join(stay, on=ROW, how="anti")[ROW]
            self.kept += self._keep(part, lost, SKIPPED, ("path",))
        for part in source.of("issues"):
            told = placed(store, part, ISSUES).select("path", ROW).collect()
            lost = told.join(stale, on="path", how="semi")[ROW]
            self.kept += self._keep(part, lost, ISSUES, ("path",))

    def _keep(
        self, part: Part, lost: pl.Series, schema: pl.Schema, order: Sequence[str]
    ) -> list[Part]:
        """A part without some of its rows; one that is hollow by then is written again."""
        if lost.is_empty():
            return [part]
        if len(lost) == part.left:
            return []
        if part.rows - part.left + len(lost) <= part.rows / _HOLLOW:
            return [self.writer.lose(part, lost)]
        rows = placed(self.writer.store, part, schema)
        left = rows.filter(~pl.col(ROW).is_in(lost.implode())).drop(ROW).collect()
        return [self.writer.add(part.table, part.label, left.sort(order))]

    def _note(self, rows: pl.DataFrame) -> None:
        """Remember which series have won rows, and what may have been elsewhere before."""
        self.touched.append(rows["series_key"].unique())
        self._concerned += rows.height
        if self.removed:
            self.arrived.append(rows.select("path", *_SAME, "digest"))

    def add(self, batch: Batch) -> None:
        """Take what was read; write parts when enough has gathered, or when it was long ago."""
        self.read += batch.files
        self._buffer.append(batch)
        self._waiting += batch.instances.height
        if self._waiting >= _FLUSH or time.monotonic() - self._since > _SECONDS:
            self.save()

    def save(self) -> None:
        """Write what has gathered, and say so: what is said is not read again after a kill."""
        before = len(self.kept)
        self._flush()
        if self.kept[before:]:
            self._recorded += self.kept[before:]
            record(self.writer, self.left, self._recorded)
        self._since = time.monotonic()

    def _flush(self) -> None:
        """Write parts of what has gathered."""
        batches, self._buffer, self._waiting = self._buffer, [], 0
        rows = pl.concat([pl.DataFrame(schema=READ), *(b.instances for b in batches)])
        rows = rows.with_columns(run_of(self.left.root, self.writer.number, self._now()))
        self._note(rows)
        for label, part in _by_label(rows):
            self.kept.append(self.writer.add("instances", label, part.sort(SORTED_BY)))
        self._put("skipped", [b.skipped for b in batches])
        self._put("issues", [b.issues for b in batches])

    def _put(self, table: str, frames: Sequence[pl.DataFrame]) -> None:
        some = [frame for frame in frames if not frame.is_empty()]
        if some:
            self.kept.append(self.writer.add(table, "all", pl.concat(some).sort("path")))

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.writer.made, dt.UTC)

    def finish(self) -> list[Part]:
        """Write what is left, and the tables that follow from the instances."""
        self.save()
        self._put("history", [self._history()])
        self.kept += self._series()
        for table, schema, order in (
            ("instances", INSTANCES, SORTED_BY),
            ("series", series_schema(), SERIES_SORTED_BY),
            ("skipped", SKIPPED, ("path",)),
            ("issues", ISSUES, ("path",)),
            ("history", HISTORY, ("path",)),
        ):
            self._merge(table, schema, order)
        return self.kept

    @property
    def moved(self) -> int:
        """How many files lie elsewhere, as they were."""
        files = ~pl.col("path").str.contains(SEPARATOR, literal=True)
        return int(self._removed().filter(files)["moved"].sum()) if self.removed else 0

    def _removed(self) -> pl.DataFrame:
        """The rows that are no more, and whether their files were moved."""
        gone = pl.concat(self.removed)
        empty = gone.select("path", *_SAME, "digest").clear()
        elsewhere = pl.concat([empty, *self.arrived]).join(gone, on="path", how="anti")
        same = elsewhere.select(_SAME).unique().with_columns(same=pl.lit(value=True))
        held = elsewhere.select(_HELD).drop_nulls().unique().with_columns(held=pl.lit(value=True))
        rows = gone.join(same, on=_SAME, how="left", nulls_equal=True)
        rows = rows.join(held, on=_HELD, how="left")
        return rows.with_columns(moved=pl.any_horizontal("same", "held").fill_null(value=False))

    def _history(self) -> pl.DataFrame:
        if not self.removed:
            return pl.DataFrame(schema=HISTORY)
        here = pl.concat(
            [pl.DataFrame(schema={"path": pl.String}), *(a.select("path") for a in self.arrived)]
        )
        rows = self._removed()
        named = pl.col("path").str.replace(rf"{SEPARATOR}\d+/", SEPARATOR)  # wherever in there
        changed = rows.select(named)["path"].is_in(here.select(named)["path"].implode())
        return rows.with_columns(
            pl.lit(self._now()).dt.cast_time_unit("us").alias("valid_to"),
            (~(pl.col("moved") | changed)).alias("deleted"),
        ).select(pl.col(name).cast(kind) for name, kind in HISTORY.items())

    def _merge(self, table: str, schema: pl.Schema, order: Sequence[str]) -> None:
        """Make one part of many small ones, so that nightly scans do not leave hundreds."""
        mine = [part for part in self.kept if part.table == table]
        for label in sorted({part.label for part in mine}):
            small = [p for p in mine if p.label == label and p.left < _SMALL]
            if len(small) > _MANY:
                rows = scan_parts(self.writer.store, small, schema).sort(order).collect()
                self.kept = [part for part in self.kept if part not in small]
                self.kept.append(self.writer.add(table, label, rows))

    def _series(self) -> list[Part]:
        """All series: those that lost or won an instance anew, the others as they were."""
        store, manifest = self.writer.store, self.writer.manifest
        parts = [part for part in self.kept if part.table == "instances"]
        instances = scan_parts(store, parts, INSTANCES)
        if manifest is None or manifest.schema != SCHEMA:
            return self._add_series(with_study_counts(roll_up(instances)))
        touched = pl.concat([pl.Series("series_key", [], pl.String), *self.touched]).unique()
        # a filter and no join: so polars opens only what holds such rows
        changed = pl.col("series_key").is_in(touched.implode())
        mine = instances.filter(changed)
        new = roll_up(mine.collect().lazy() if self._concerned < _IN_MEMORY else mine)
        return self._series_after(manifest.of("series"), changed, new)

    def _series_after(
        self, parts: Sequence[Part], changed: pl.Expr, new: pl.DataFrame
    ) -> list[Part]:
        """The parts of series, with all rows anew of the studies in which something has changed."""
        store = self.writer.store
        told = [
            placed(store, part, series_schema()).select(
                "series_key", *_STUDY, ROW, pl.lit(part.file).alias(PART)
            )
            for part in parts
        ]
        were = pl.concat([pl.LazyFrame(schema=_WERE), *told]).collect()
        studies = pl.concat([were.filter(changed).select(_STUDY), new.select(_STUDY)]).unique()
        concerned = were.join(studies, on=_STUDY, how="semi", nulls_equal=True)
        stay, kept = [new], []
        for part in parts:
            lost = concerned.filter(pl.col(PART) == part.file)[ROW]
            if not lost.is_empty():
                rows = placed(store, part, series_schema()).filter(
                    pl.col(ROW).is_in(lost.implode()), ~changed
                )
                stay.append(rows.select(new.columns).collect())
            kept += self._keep(part, lost, series_schema(), SERIES_SORTED_BY)
        return kept + self._add_series(with_study_counts(pl.concat(stay).sort(SERIES_SORTED_BY)))

    def _add_series(self, rows: pl.DataFrame) -> list[Part]:
        return [self.writer.add("series", label, some) for label, some in _by_label(rows)]


def run_of(root: str, number: int, when: dt.datetime) -> list[pl.Expr]:
    """The columns of ``RUN``."""
    values = zip(RUN.items(), (root, number, when), strict=True)
    return [pl.lit(value).cast(kind).alias(name) for (name, kind), value in values]


def _by_label(rows: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
    """Rows by Modality, in the order of their labels; what is no term together."""
    for label in (*sorted(MODALITIES), OTHER):
        part = rows.filter(label_of() == label)
        if not part.is_empty():
            yield label, part
