"""The index of scanned files, in memory or in a store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path

import polars as pl

from cohortkit import given
from cohortkit.cohort import Cohort
from cohortkit.cohort.describe import Description, describe
from cohortkit.errors import StoreError, UsageError
from cohortkit.index.columns import HISTORY, INSTANCES, ISSUES, SKIPPED, label_of
from cohortkit.index.folder import Manifest, collected, read_manifest, scan_parts
from cohortkit.index.rollup import series_schema
from cohortkit.index.schema import schema, tables_of
from cohortkit.index.sql import SqlIndex
from cohortkit.index.sql_copy import copy_to
from cohortkit.index.sql_read import asked_in_sql
from cohortkit.index.writer import earlier, pin_of, put

_PERSON = ("IssuerOfPatientID", "PatientID")


@dataclass(frozen=True, repr=False, eq=False)
class StoreIndex:
    """What a scan found. Implements ``protocols.Index``.

    Its tables are identified; its printed forms show counts only.

    Attributes:
        version: which state of the index this is.
        location: the store's folder; empty for an index in memory.
        roots: the scanned archive, which nothing is ever written into.
        counts: what the last scan did: files read, unchanged, gone, moved …
    """

    version: str
    location: str
    roots: tuple[str, ...]
    tables: dict[str, pl.LazyFrame] = field(repr=False)
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, store: Path) -> StoreIndex:
        """Open a store.

        Raises:
            StoreError: there is none, it is damaged, or of a newer format.
        """
        manifest = read_manifest(store)
        if manifest is None:
            raise StoreError("the folder holds no index store; make one with scan")
        return cls.of(store, manifest)

    def at(self, version: str) -> StoreIndex:
        """The index as it was in an earlier version.

        Raises:
            StoreError: the version is gone: versions stay for a month, and longer where they are
                pinned.
        """
        if version == self.version:
            return self
        manifest = read_manifest(Path(self.location), version) if self.location else None
        if manifest is None:
            raise StoreError(
                "this version of the index is gone: search again (save pins a version)"
            )
        return StoreIndex.of(Path(self.location), manifest)

    def pin(self, *, keep: bool = True) -> None:
        """Keep this version until it is let go (``keep=False``).

        A cohort that is saved pins the version that it was chosen from.

        Raises:
            StoreError: the index is in memory, or its store cannot be written.
        """
        if not self.location:
            raise StoreError("the index is in memory: it has no versions to keep")
        if keep:
            put(Path(self.location), pin_of(self.version), b"")
        else:
            (Path(self.location) / pin_of(self.version)).unlink(missing_ok=True)

    def versions(self) -> pl.DataFrame:
        """The versions that can be opened, the latest first: version, made, pinned. No identity."""
        when = pl.Datetime("us", "UTC")
        schema = pl.Schema({"version": pl.String(), "made": when, "pinned": pl.Boolean()})
        store = Path(self.location)
        valid = read_manifest(store) if self.location else None
        found = [valid, *earlier(store)] if valid else []
        rows = [
            (
                one.version,
                dt.datetime.fromtimestamp(one.made, dt.UTC),
                (store / pin_of(one.version)).exists(),
            )
            for one in found
        ]
        return pl.DataFrame(rows, schema, orient="row")

    @classmethod
    def of(cls, store: Path, manifest: Manifest) -> StoreIndex:
        """The index of one version of a store."""
        tables = {
            name: scan_parts(store, manifest.of(name), schema) for name, schema in schemas().items()
        }
        location = str(store.resolve())
        return cls(manifest.version, location, (manifest.root,), tables, dict(manifest.counts))

    def series(self) -> pl.LazyFrame:
        """Every series, one row each with its unique ``series_key``. Identified."""
        return self.tables["series"]

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        """The instances of these series, sorted by series_key, SOPInstanceUID, path. Identified.

        ``path`` is absolute. A SOP Instance UID that several files carry has a row for each.
        """
        given.a(pl.Series, "series_keys", series_keys, "a polars Series of them")
        keys = series_keys.cast(pl.String).unique().implode()
        rows = self.tables["instances"].filter(pl.col("series_key").is_in(keys))
        return collected(self._absolute(rows).sort("series_key", "SOPInstanceUID", "path"))

    def table(self, name: str) -> pl.LazyFrame:
        """A table by its name: patients, studies, series, instances, history, ct, mr … Identified.

        Side tables hold what is asked of one kind, a row a series; ``schema()`` lists all.

        Raises:
            UnknownKeyword: there is no such table.
        """
        return tables_of(self.tables, name)

    @staticmethod
    def schema() -> pl.DataFrame:
        """Every column of every table: table, column, type, meaning. No identity."""
        return schema()

    def skipped(self, *, identified: bool = False) -> pl.DataFrame:
        """Every file that is not indexed: reason, size; identified also path and mtime_ns."""
        found = collected(self._absolute(self.tables["skipped"]).sort("path"))
        return _seen(found, ("reason", "size"), identified=identified)

    def issues(self, *, identified: bool = False) -> pl.DataFrame:
        """Every value that could not be parsed and is null in the index: keyword, problem.

        Identified also path, SOPInstanceUID and the value.
        """
        found = collected(self._absolute(self.tables["issues"]).sort("path", "keyword"))
        return _seen(found, ("keyword", "problem"), identified=identified)

    def search(self, /, **terms: object) -> Cohort:
        """The series for which every term holds; no term at all is everything.

        Keys are DICOM keywords. A value is exact, a list is any of them, a tuple is a closed
        range of dates, times or numbers, ``*`` and ``?`` in text are wildcards; a compiled
        regular expression is searched for; ``None`` is absent.

        Raises:
            UnknownKeyword: a word that is no column.
            QueryError: a value that the column cannot have.
        """
        return Cohort.start(self, **terms)

    def describe(self) -> Description:
        """How much of which modality, department and year there is, and how complete it is.

        It draws itself in a notebook, and holds no identity.
        """
        return describe(self.series())

    def sql(self, statement: str, *, identified: bool = False) -> pl.DataFrame:
        """The answer of one SELECT over ``series`` and ``instances``.

        What an answer shows of itself in a notebook is saved with it. So the tables have the
        columns of ``to_polars()`` alone, unless identified ones are asked for.

        Raises:
            QueryError: another statement than a question, or one that cannot be worked out.
        """
        tables = {name: self.tables[name] for name in ("series", "instances")}
        tables["instances"] = self._absolute(tables["instances"])
        return asked_in_sql(tables, statement, identified=identified)

    def copy_to(self, url: str, *, audit: str | Path = "") -> SqlIndex | StoreIndex:
        """Write the index into a database, in tables of cohortkit's own, and open it there.

        Or publish its store in a bucket: parts that are not there yet, then the manifest.

        An earlier copy is replaced at once: readers see that one or this. Skipped files and
        issues are not copied.

        Args:
            url: ``postgresql://…``, ``sqlite:///…`` or ``duckdb:///…``; or ``s3://…``, ``gs://…``,
                ``abfs://…``.
            audit: a folder in which everybody who asks the copy has to be noted; of a database.

        Raises:
            UsageError: no such database, or the URL names a table; a bucket for an index in
                memory.
            StoreError: it cannot be written to.
            MissingDependency: ``cohortkit[sql]`` is not installed.
        """
        from cohortkit.index.bucket import in_bucket, publish  # noqa: PLC0415 - it knows this one

        if not in_bucket(url):
            return copy_to(self, url, audit)
        if audit:
            raise UsageError("copy_to: audit is for databases: a bucket has its own log of access")
        return publish(self, url)

    def summary(self) -> pl.DataFrame:
        """Patients, studies, series, instances and bytes by Modality, and of all. No identity."""
        return self._summary.clone()

    @cached_property
    def _summary(self) -> pl.DataFrame:
        study = (*_PERSON, "StudyInstanceUID")
        counts = [
            pl.struct(_PERSON).n_unique().cast(pl.Int64).alias("patients"),
            pl.struct(study).n_unique().cast(pl.Int64).alias("studies"),
            pl.len().cast(pl.Int64).alias("series"),
            pl.col("NumberOfSeriesRelatedInstances").sum().alias("instances"),
            pl.col("size").sum().alias("bytes"),
        ]
        words = [*study, "NumberOfSeriesRelatedInstances", "size"]
        rows = collected(self.series().select(*words, label_of().alias("Modality")))
        by_modality = rows.group_by("Modality").agg(counts).sort("Modality")
        total = rows.select(pl.lit("all").alias("Modality"), *counts)
        return pl.concat([by_modality, total.select(by_modality.columns)])

    @cached_property
    def _left_out(self) -> pl.DataFrame:
        """How many files are skipped, by reason."""
        reasons = self.tables["skipped"].group_by("reason").agg(pl.len().alias("files"))
        return collected(reasons.sort("reason"))

    def __repr__(self) -> str:
        with pl.Config(
            tbl_hide_dataframe_shape=True,
            tbl_hide_column_data_types=True,
            tbl_formatting="NOTHING",
            tbl_rows=-1,
        ):
            return f"<{self._headline()}>\n{self._summary}"

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        head = "".join(f"<th>{name}</th>" for name in self._summary.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{_shown(value)}</td>" for value in row) + "</tr>"
            for row in self._summary.iter_rows()
        )
        return (
            f"<p>{escape(self._headline())}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _headline(self) -> str:
        skipped = dict(self._left_out.iter_rows())
        told = ", ".join(f"{count:,} {reason}" for reason, count in skipped.items())
        left_out = f"{sum(skipped.values()):,} files skipped ({told})" if told else "none skipped"
        place = "a store" if self.location else "memory"
        return f"index in {place}, version {self.version}: {left_out}"

    def _absolute(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        root = self.roots[0].rstrip("/")
        return rows.with_columns(pl.concat_str(pl.lit(f"{root}/"), "path").alias("path"))


def schemas() -> dict[str, pl.Schema]:
    """The columns of the tables in a store."""
    return {
        "instances": INSTANCES,
        "series": series_schema(),
        "skipped": SKIPPED,
        "issues": ISSUES,
        "history": HISTORY,
    }


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return escape(str(value))


def _seen(table: pl.DataFrame, plain: tuple[str, ...], *, identified: bool) -> pl.DataFrame:
    """The table, or of it what names nobody: what a notebook shows is saved with it."""
    given.a(bool, "identified", identified, "True or False")
    return table if identified else table.select(plain).sort(plain)
