"""Joining tables that people bring, by identifier; and reading them, and lists of ids, from files.

A join never multiplies series: a key with several rows is refused, or the first row is taken when
that is asked for. A key that more than one person here has gets no label, since nobody can say
whose it is; it is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, cast, runtime_checkable

import polars as pl

from cohortkit import given
from cohortkit.cohort import ids, tables
from cohortkit.cohort.choose import PERSON, columns, with_person
from cohortkit.cohort.steps import Note
from cohortkit.errors import MissingDependency, QueryError

Many = Literal["refuse", "first"]

_FORMS: Final = {
    ".csv": "a table in UTF-8 with one header line",
    ".tsv": "a table in UTF-8 with one header line",
    ".parquet": "a Parquet file, or it is damaged",
    ".txt": "text in UTF-8",
}
_OF_A_TABLE: Final = re.compile(r'[",;\t]')
"""What stands in no id and in every table: a list that is read in another way lists nobody."""
_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}


@runtime_checkable
class ArrowStream(Protocol):
    """Any table that hands over an Arrow stream (pandas, pyarrow, duckdb, polars …)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream, as a PyCapsule."""
        ...


@dataclass(frozen=True, slots=True)
class _Stream:
    """Nothing but the stream of a table: of pandas, polars itself would lose the named index."""

    table: ArrowStream

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


Table = str | Path | pl.DataFrame | pl.LazyFrame | ArrowStream


@dataclass(frozen=True, slots=True, repr=False)
class Joined:
    """The outcome of a join, row by row of the cohort.

    Attributes:
        labels: the new columns, in the order of the cohort's rows.
        matched: whether a row got its labels; null where its key is absent or is not one
            person's.
        notes: counts that name nobody.
        misses: the keys that did not simply match. Identified.
    """

    labels: pl.DataFrame
    matched: pl.Series
    notes: tuple[Note, ...]
    misses: pl.DataFrame


@dataclass(frozen=True, slots=True, repr=False)
class _Rows:
    """Rows of a brought table: all, those with a key, different ones, those here, one a key."""

    all: pl.DataFrame
    keyed: pl.DataFrame
    usable: pl.DataFrame
    wanted: pl.DataFrame
    one: pl.DataFrame


def match(rows: pl.DataFrame, table: Table, on: str | Sequence[str], many: Many) -> Joined:
    """Look up each row's labels.

    Raises:
        QueryError: the table cannot be read or joined; a key has several rows and ``many`` does
            not say which to take.
    """
    if many not in ("refuse", "first"):
        raise QueryError('join: many is "refuse" or "first"')
    read = read_table(table, columns(on, "join: on="))
    names = tables.checked_on(on, rows.schema, read.schema)
    brought = tables.checked_labels(read, names, rows.schema)
    labels = [name for name in brought.columns if name not in names]
    keys = [f"__{name}" for name in names]
    brought = brought.select(*labels, *(tables.key(name) for name in names))
    keyed = brought.filter(tables.usable(names))
    different = keyed.unique(maintain_order=True)
    mine = with_person(rows).select(*(tables.key(name) for name in names), *PERSON)
    mine = mine.with_columns(__sure=tables.usable(names) & ~_shared(mine, keys))
    sure = mine.filter("__sure").select(keys).unique()
    wanted = different.join(sure, on=keys, how="semi", maintain_order="left")
    one = _one_each(wanted, keys, many)
    found = mine.join(
        one.with_columns(__yes=pl.lit(value=True)), on=keys, how="left", maintain_order="left"
    )
    matched = found.select(pl.when("__sure").then(pl.col("__yes").fill_null(value=False)))
    return Joined(
        found.select(pl.when("__sure").then(pl.col(name)).alias(name) for name in labels),
        matched.to_series(),
        *_told(names, mine, _Rows(brought, keyed, different, wanted, one)),
    )


def _shared(mine: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Whether more than one person here has a row's key."""
    people = mine.select(*keys, *PERSON).unique().select(keys)
    several = people.filter(pl.struct(keys).is_duplicated()).unique()
    flagged = mine.select(keys).join(
        several.with_columns(__several=pl.lit(value=True)),
        on=list(keys),
        how="left",
        maintain_order="left",
    )
    return flagged["__several"].fill_null(value=False)


def _one_each(wanted: pl.DataFrame, keys: Sequence[str], many: Many) -> pl.DataFrame:
    one = wanted.unique(subset=list(keys), keep="first", maintain_order=True)
    if one.height < wanted.height and many == "refuse":
        several = wanted.filter(pl.struct(keys).is_duplicated()).select(keys).n_unique()
        raise QueryError(
            f"join: {several:,} of {one.height:,} keys have several different rows in the table; "
            'make it one row a key, or take the first of each with many="first"'
        )
    return one


def _told(
    names: Sequence[str], mine: pl.DataFrame, rows: _Rows
) -> tuple[tuple[Note, ...], pl.DataFrame]:
    """The counts of both sides, and the keys that did not match."""
    keys = [f"__{name}" for name in names]
    one = rows.one
    usable = mine.filter(tables.usable(names))
    unlabelled = usable.filter("__sure").select(keys).unique().join(one, on=keys, how="anti")
    unused = rows.usable.select(keys).unique(maintain_order=True).join(mine, on=keys, how="anti")
    shared = usable.filter(~pl.col("__sure")).select(keys).unique()
    several = rows.wanted.filter(pl.struct(keys).is_duplicated()).select(keys).unique()
    what = {
        "keys of the table not found here": unused,
        "keys here without a row in the table": unlabelled,
        "keys of several patients, not labelled": shared,
        "keys with several rows, of which the first was taken": several,
    }
    series = usable.filter("__sure").join(one.select(keys), on=keys, how="semi")
    labelling = series.group_by(keys).len().filter(pl.col("len") > 1)
    counted = {
        "rows without a key": rows.all.height - rows.keyed.height,
        "rows that are there again, counted once": rows.keyed.height - rows.usable.height,
        "keys that label several series": labelling.height,
    }
    notes = [
        Note("rows in the table", rows.all.height),
        Note("keys matched", one.height),
        *(Note(words, number) for words, number in counted.items() if number),
        *(Note(words, frame.height) for words, frame in what.items() if frame.height),
    ]
    listed = [
        ids.misses(" + ".join(names), _joined(frame, keys), words) for words, frame in what.items()
    ]
    return tuple(notes), pl.concat(listed)


def _joined(frame: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    return frame.select(pl.concat_str(keys, separator=" + ")).to_series().sort()


def read_table(table: Table, text: Sequence[str]) -> pl.DataFrame:
    """A table from a CSV, TSV or Parquet file, or from memory; the columns in ``text`` stay text.

    Raises:
        QueryError: not there, not readable, or not a table.
    """
    if isinstance(table, str | Path):
        return _read_file(Path(table), text)
    try:
        if isinstance(table, pl.LazyFrame):
            return table.collect()
        if isinstance(table, pl.DataFrame):
            return table
        if isinstance(table, ArrowStream):
            brought = pl.DataFrame(_Stream(table))
            return brought.select(name for name in brought.columns if not _is_index(name))
    except ModuleNotFoundError:
        raise MissingDependency(
            "pandas hands over a table by pyarrow: pip install pyarrow"
        ) from None
    except (pl.exceptions.PolarsError, TypeError, ValueError) as fault:
        raise QueryError(f"the table cannot be read ({type(fault).__name__})") from None
    raise QueryError("a table is a path, or anything that hands over an Arrow stream")


def _is_index(name: str) -> bool:
    return name.startswith("__index_level_")  # pandas' name for an index that has none


def _read_file(path: Path, text: Sequence[str]) -> pl.DataFrame:
    kind = path.suffix.lower()
    if kind not in {*_SEPARATORS, ".parquet"}:
        raise QueryError("a table file is .csv, .tsv or .parquet")
    try:
        if kind == ".parquet":
            return pl.read_parquet(path, hive_partitioning=False, glob=False)
        cells = pl.read_csv(
            path, separator=_SEPARATORS[kind], infer_schema=False, glob=False, encoding="utf8"
        )
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as fault:
        raise QueryError(f"the file {path.name!r} {_why(fault, kind)}") from None
    if len(cells.columns) == 1 and kind == ".csv" and ";" in cells.columns[0]:
        raise QueryError(
            f"the file {path.name!r} seems to be separated by semicolons; a .csv is by commas"
        )
    if any("_duplicated_" in name for name in cells.columns):
        raise QueryError(f"the file {path.name!r} has two columns of one name")
    return tables.typed(cells, text)


def _why(fault: Exception, kind: str = ".txt") -> str:
    if isinstance(fault, FileNotFoundError):
        return "is not there"
    if isinstance(fault, PermissionError | IsADirectoryError):
        return "may not be read"
    return f"is not {_FORMS.get(kind, 'a table')}"


def read_ids(keyword: str, source: str | Path | Iterable[object]) -> ids.IdList:
    """A list of ids: in Python, or a file.

    A ``.txt`` file has one id a line; a table, in a file or in memory, has a column named by the
    keyword (``PatientID``, ``AccessionNumber`` …) and, for patients, may have
    ``IssuerOfPatientID``.

    Raises:
        QueryError: not there, not readable, or ids that are numbers.
    """
    column = ids.COLUMN_OF[keyword]
    if not isinstance(source, str | Path):
        if hasattr(type(source), "columns"):
            return _from_table(keyword, read_table(cast("Table", source), ()), "the table")
        if isinstance(source, Mapping) or not isinstance(source, Iterable):
            raise QueryError(f"{keyword}: a list of ids, or the path of a file with them")
        return ids.tidy(column, ids.from_values(keyword, source))
    path = given.path(keyword, source, QueryError)
    if path.suffix.lower() == ".txt":
        return ids.tidy(column, ids.from_values(keyword, _lines(path)))
    if path.suffix.lower() not in {*_SEPARATORS, ".parquet"}:
        raise QueryError(
            f"{keyword}: a text is the path of a .txt, .csv, .tsv or .parquet file; "
            "give ids themselves as a list"
        )
    table = _read_file(path, (column, "IssuerOfPatientID"))
    return _from_table(keyword, table, f"the file {path.name!r}")


def _from_table(keyword: str, table: pl.DataFrame, what: str) -> ids.IdList:
    column = ids.COLUMN_OF[keyword]
    names = {column: "id"} | ({"IssuerOfPatientID": "issuer"} if keyword == "patients" else {})
    if column not in table.columns:
        raise QueryError(f"{what} has no column {column}")
    wanted = table.select(
        pl.col(old).alias(new) for old, new in names.items() if old in table.columns
    )
    if any(kind != pl.String for kind in wanted.dtypes):
        raise QueryError(
            f"{what} holds {column} as numbers, which have lost their leading zeros; write them "
            "as text"
        )
    return ids.tidy(column, wanted)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as fault:
        raise QueryError(f"the file {path.name!r} {_why(fault)}") from None
    if any(_OF_A_TABLE.search(line) for line in lines):
        raise QueryError(
            f"the file {path.name!r} has quotes or commas, so it is more than an id a line; name a "
            "table .csv and its columns by DICOM keywords"
        )
    return lines
