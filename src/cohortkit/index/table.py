"""A table somebody else made, as an index: Parquet or CSV with DICOM keywords as columns."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from cohortkit import given
from cohortkit.cohort import Cohort
from cohortkit.cohort.describe import Description, describe
from cohortkit.cohort.keys import by_place, reach
from cohortkit.dicom.keywords import neighbours, tag_of
from cohortkit.errors import QueryError, StoreError, UnknownKeyword
from cohortkit.index.casts import Cast, cast_of, with_classes, with_key
from cohortkit.index.columns import IDENTITY, INSTANCES
from cohortkit.index.rollup import roll_up, series_schema, with_study_counts

_BOOKKEEPING = ("path", "size", "mtime_ns")
_DISK = 2
"""Parts of a path that are no archive's: ``/data``, where the archive and much else lie."""
_SERIES = "SeriesInstanceUID"
_STUDY = "StudyInstanceUID"
_INSTANCE = "SOPInstanceUID"
_UNREADABLE = "the table cannot be read; is it what its name says, and no row longer than the head?"


@dataclass(frozen=True, slots=True)
class Typing:
    """How the rows of a table become those of an index.

    Attributes:
        casts: of the columns that are DICOM keywords.
        unique: the series UID alone tells the rows apart.
    """

    casts: tuple[Cast, ...]
    unique: bool

    @classmethod
    def of(cls, raw: pl.LazyFrame) -> Typing:
        """Look at a table whose columns have their names here.

        Raises:
            StoreError: it lacks StudyInstanceUID or SeriesInstanceUID (as a column or in a row),
                or repeats a series.
        """
        schema = raw.collect_schema()
        for needed in (_SERIES, _STUDY):
            if needed not in schema:
                raise StoreError(
                    f"the table has no column {needed}; if it has another name, "
                    f"give mapping={{'its name': '{needed}'}}"
                )
        casts = tuple(cast_of(name, dtype) for name, dtype in schema.items() if tag_of(name))
        rows = raw.with_columns(cast.expression for cast in casts)
        return cls(casts, _one_row_a_series(raw, rows))

    def typed(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Rows with types, ``series_key`` and what the SOP class says."""
        counts = [name for name in ("size", "mtime_ns") if name in raw.collect_schema()]
        typed = raw.with_columns(cast.expression for cast in self.casts)
        typed = typed.with_columns(pl.col(counts).cast(pl.Int64(), strict=False))
        return with_classes(with_key(typed, unique=self.unique))


def rolled_up(rows: pl.LazyFrame) -> pl.DataFrame:
    """The series of typed instances; columns that cannot be known are left out."""
    have = rows.collect_schema()
    lacking = [pl.lit(None, dtype).alias(n) for n, dtype in INSTANCES.items() if n not in have]
    series = with_study_counts(roll_up(rows.with_columns(lacking)))
    made = set(series_schema()) - set(INSTANCES)
    known = [name for name in series.columns if name in have or name in made]
    extra = [name for name in have if name not in INSTANCES]
    more = rows.group_by("series_key").agg(pl.col(extra).first()).collect()
    return series.select(known).join(more, on="series_key", how="left", maintain_order="left")


@dataclass(frozen=True, repr=False, eq=False)
class TableIndex:
    """A Parquet or CSV table as an index. Implements ``protocols.Index``.

    One row is an instance where the table has ``SOPInstanceUID``, else a series. Columns that
    are DICOM keywords are typed by VR; the others stay as they are. A column ``path`` says where
    the files are, absolute or relative to the table; without it there is search and no export.

    Attributes:
        version: changes with the file.
        location: the file.
        rows: the typed table with ``series_key``.
    """

    version: str
    location: str
    rows: pl.LazyFrame
    casts: tuple[Cast, ...] = ()
    raw: pl.LazyFrame = field(default_factory=pl.LazyFrame)

    @classmethod
    def open(cls, path: Path, mapping: Mapping[str, str] | None = None) -> TableIndex:
        """Open a table.

        Args:
            path: a file that ends in .parquet, .pq, .csv or .csv.gz.
            mapping: column of the table → DICOM keyword, or ``path``, ``size``, ``mtime_ns``.

        Raises:
            StoreError: the file cannot be read, lacks StudyInstanceUID or SeriesInstanceUID (as a
                column or in a row), or repeats a series.
            UnknownKeyword: the mapping names no keyword, or no column.
        """
        raw = _read(path)
        raw = raw.rename(renamed(raw.collect_schema().names(), mapping or {}))
        typing = Typing.of(raw)
        rows = typing.typed(raw)
        # a million values stay untyped
        reach(rows, lambda places: typing.typed(by_place(raw, places)))
        status = path.stat()
        version = hashlib.blake2b(
            f"{status.st_size} {status.st_mtime_ns} {sorted((mapping or {}).items())}".encode(),
            digest_size=6,
        ).hexdigest()
        return cls(f"table-{version}", str(path.resolve()), rows, typing.casts, raw)

    @property
    def by_instance(self) -> bool:
        """Whether a row is an instance."""
        return _INSTANCE in self.rows.collect_schema()

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The archive, as far as the files of the table tell it; nothing is written there."""
        if "path" not in self.rows.collect_schema():
            return ()
        folders = self.rows.select(pl.col("path").drop_nulls().str.replace(r"[^/]*$", "").unique())
        return archives_of(Path(self.location).parent, folders.collect().to_series())

    def series(self) -> pl.LazyFrame:
        """Every series, one row each with its unique ``series_key``. Identified."""
        return self._rolled_up.lazy() if self.by_instance else self.rows

    @cached_property
    def _rolled_up(self) -> pl.DataFrame:
        return rolled_up(self.rows)

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        """The instances of these series, sorted by series_key, SOPInstanceUID, path. Identified.

        Without a column ``path`` the answer has none: there is nothing to export.
        """
        given.a(pl.Series, "series_keys", series_keys, "a polars Series of them")
        if not self.by_instance:
            return pl.DataFrame(schema={"series_key": pl.String()})
        keys = series_keys.cast(pl.String).unique().implode()
        rows = self.rows.filter(pl.col("series_key").is_in(keys)).collect()
        order = ["series_key", _INSTANCE]
        if "path" in rows.columns:
            rows, order = located(rows, Path(self.location).parent), [*order, "path"]
        return rows.sort(order)

    def issues(self, *, identified: bool = False) -> pl.DataFrame:
        """Values that could not be typed and are null: keyword, how many. No values in any case."""
        given.a(bool, "identified", identified, "True or False")
        counts = [cast.lost.sum().alias(cast.column) for cast in self.casts]
        if not counts:
            return pl.DataFrame(schema={"keyword": pl.String(), "values": pl.UInt32()})
        row = self.raw.select(counts).collect().row(0, named=True)
        found = [(word, count) for word, count in sorted(row.items()) if count]
        return pl.DataFrame(found, {"keyword": pl.String(), "values": pl.UInt32()}, orient="row")

    def search(self, /, **terms: object) -> Cohort:
        """The series for which every term holds; no term at all is everything.

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

    def __repr__(self) -> str:
        grain = "instance" if self.by_instance else "series"
        files = "" if "path" in self.rows.collect_schema() else ", no file paths"
        return f"<index in a table, a row a {grain}{files}, version {self.version}>"


def _one_row_a_series(raw: pl.LazyFrame, rows: pl.LazyFrame) -> bool:
    """Whether the series UID alone tells the rows of a table apart; False for instances.

    Raises:
        StoreError: rows are of no series: nobody could say what they are, or count them; or a
            series has two rows.
    """
    have = rows.collect_schema()
    if _INSTANCE not in have and _plainly_one(raw):
        return True
    uid = pl.col(_SERIES).cast(pl.String)
    blank = uid.fill_null("").str.strip_chars(" \0") == ""
    total, blanks = _counted(rows, [pl.len().alias("rows"), blank.sum().alias("blank")])
    if blanks:
        raise StoreError(f"{blanks:,} rows of the table have no {_SERIES}; leave them out of it")
    if _INSTANCE in have:
        return False
    if _counted(rows, [uid.n_unique()]) == (total,):
        return True
    keys = rows.select(word for word in IDENTITY if word in have)
    if keys.unique().select(pl.len()).collect().item() != total:
        raise StoreError("the table has several rows for one series and no SOPInstanceUID")
    return False


def _plainly_one(raw: pl.LazyFrame) -> bool:
    """Whether all series UIDs stand there without padding, and have as many digests as rows.

    Then they are as many texts; the other way round it has to be counted.
    """
    if raw.collect_schema()[_SERIES] != pl.String():
        return False
    uid = pl.col(_SERIES)
    # what is blank, or begins so, comes before "!"
    padded = uid.is_null() | (uid < "!") | uid.str.ends_with(" ") | uid.str.ends_with("\0")
    asked = [pl.len().alias("rows"), padded.sum().alias("padded"), uid.hash().n_unique().alias("n")]
    total, odd, digests = _counted(raw, asked)
    return not odd and digests == total


def _counted(rows: pl.LazyFrame, asked: Sequence[pl.Expr]) -> tuple[int, ...]:
    try:
        return rows.select(asked).collect().row(0)
    except pl.exceptions.PolarsError:
        raise StoreError(_UNREADABLE) from None


def _read(path: Path) -> pl.LazyFrame:
    name = path.name.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            frame = pl.scan_parquet(path, glob=False)
        elif name.endswith((".csv", ".csv.gz")):
            frame = pl.scan_csv(path, infer_schema=False, glob=False)
        else:
            raise StoreError("a table is a Parquet or CSV file (.parquet, .pq, .csv, .csv.gz)")
        frame.collect_schema()
    except (OSError, pl.exceptions.PolarsError):
        raise StoreError(_UNREADABLE) from None
    return frame


def renamed(columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Column of a table → its name here.

    Raises:
        UnknownKeyword: the mapping names no column, or no keyword.
        QueryError: two columns would be one.
    """
    for column, keyword in mapping.items():
        if column not in columns:
            raise UnknownKeyword(column, neighbours(column, columns), where="mapping (the table)")
        if tag_of(keyword) is None and keyword not in _BOOKKEEPING:
            raise UnknownKeyword(keyword, neighbours(keyword), where="mapping (DICOM)")
    names = {column: mapping.get(column, column) for column in columns}
    twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
    if twice:
        raise QueryError(f"mapping: two columns would be {', '.join(twice)}")
    return names


def archives_of(base: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """The folder that holds all of some folders; of a whole disk those of its own that do.

    Args:
        base: to which relative ones are.
        folders: in any order.
    """
    whole = sorted({os.path.normpath(base / folder) for folder in folders})
    if not whole:
        return ()
    shared = Path(os.path.commonpath(whole))
    if len(shared.parts) > _DISK:
        return (str(shared),)
    deep = len(shared.parts) + 1
    return tuple(sorted({str(Path(*Path(one).parts[:deep])) for one in whole}))


def located(rows: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Absolute paths, and size and time from the files where the table does not say them."""
    paths = [None if path is None else str(folder / path) for path in rows["path"]]
    rows = rows.with_columns(pl.Series("path", paths, pl.String()))
    if "size" in rows.columns and "mtime_ns" in rows.columns:
        return rows
    sizes: list[tuple[int | None, int | None]] = []
    for path in paths:
        try:
            status = Path(path or "").stat()
        except OSError:
            sizes.append((None, None))  # told as vanished when it is fetched
        else:
            sizes.append((status.st_size, status.st_mtime_ns))
    return rows.with_columns(
        pl.Series("size", [size for size, _ in sizes], pl.Int64()),
        pl.Series("mtime_ns", [time for _, time in sizes], pl.Int64()),
    )
