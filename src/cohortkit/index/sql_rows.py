"""The rows of a table in a database as a LazyFrame: only the columns that are asked for travel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from cohortkit.errors import StoreError
from cohortkit.index.sql_place import NUL, Place
from cohortkit.index.sql_session import Session, asked
from cohortkit.index.sql_words import Column, relation


@dataclass(frozen=True, repr=False)
class Rows:
    """A table of a database at one version.

    Attributes:
        place: the database.
        table: its name there.
        columns: by their names here.
        version: what ``stamp`` said when the index was opened.
        stamp: a statement whose one value is another where the table has changed; empty where the
            files tell.
        order: columns, as they are here, that put the rows in one order.
        schema: types that cohortkit's own tables are brought back to.
    """

    place: Place
    table: str
    columns: Mapping[str, Column]
    version: str
    stamp: str = ""
    order: tuple[str, ...] = ()
    schema: pl.Schema | None = None

    @cached_property
    def types(self) -> pl.Schema:
        """The columns as they are handed on."""
        if self.schema is not None:
            return self.schema
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    def where(self, condition: str = "") -> pl.LazyFrame:
        """The rows for which a condition in SQL holds, in one order."""

        def read(
            names: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
        ) -> Iterator[pl.DataFrame]:
            frame = self.read(names, condition, rows if predicate is None else None)
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame if rows is None else frame.head(rows)

        return register_io_source(read, schema=self.types, is_pure=True)

    def read(
        self, names: list[str] | None = None, condition: str = "", most: int | None = None
    ) -> pl.DataFrame:
        """Rows with some columns.

        Raises:
            StoreError: the database cannot be asked, or is another than when it was opened.
        """
        wanted = self.types.names() if names is None else names
        # some names differ in case alone, which to a database is not at all
        told = ", ".join(f"{self.columns[n].read} AS c{at}" for at, n in enumerate(wanted))
        sql = f"SELECT {told or '1 AS one'} {self._from(condition)}{self._order()}"
        if most is not None:
            sql += f" LIMIT {most}"
        frame = self.asked(sql)
        frame.columns = wanted or frame.columns
        if not wanted:
            return pl.DataFrame(height=frame.height)
        made = pl.Schema({name: self.types[name] for name in wanted})
        return frame.select(wanted).cast(made) if self.schema is None else decoded(frame, made)

    def asked(self, sql: str) -> pl.DataFrame:
        """The answer of a statement, of the version that the index was opened at."""

        def work(session: Session) -> pl.DataFrame:
            if stamped(session, self.place, self.stamp) != self.version:
                raise StoreError(
                    "the database has changed since the index was opened; open it again"
                )
            return session.ask(sql)

        return asked(self.place, work)

    def _from(self, condition: str) -> str:
        return f"FROM {relation(self.table)} AS t{f' WHERE {condition}' if condition else ''}"

    def _order(self) -> str:
        bytewise = ' COLLATE "C"' if self.place.backend == "postgresql" else ""
        columns = [self.columns[name] for name in self.order if name in self.columns]
        told = [c.read + (bytewise if c.dtype == pl.String() else "") for c in columns]
        return f" ORDER BY {', '.join(told)}" if told else ""


def stamped(session: Session, place: Place, stamp: str) -> str:
    """What tells this state of a table from another."""
    said = "|".join(str(value) for value in session.ask(stamp).row(0)) if stamp else _files(place)
    return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()


def _files(place: Place) -> str:
    told = []
    for name in (place.target, f"{place.target}-wal", f"{place.target}.wal"):
        try:
            status = Path(name).stat()
        except OSError:
            continue
        told.append(f"{status.st_size} {status.st_mtime_ns}")
    return " ".join(told)


def decoded(frame: pl.DataFrame, types: pl.Schema) -> pl.DataFrame:
    """Columns of our own tables as they were: SQLite has lists, dates and times as text."""
    columns = [_decoded(frame[name], dtype) for name, dtype in types.items()]
    return each_text(pl.DataFrame(columns), {f"{NUL}0": "\0", f"{NUL}1": NUL})


def _decoded(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    if column.dtype == pl.String() and isinstance(dtype, pl.List):
        return column.str.json_decode(dtype)
    if column.dtype == pl.String() and dtype == pl.Date():
        return column.str.to_date("%Y-%m-%d")
    if column.dtype == pl.String() and dtype == pl.Time():
        return column.str.to_time("%H:%M:%S%.f")
    if column.dtype == pl.String() and isinstance(dtype, pl.Datetime):
        column = column.cast(pl.Int64())
    return column.cast(dtype)


def each_text(frame: pl.DataFrame, signs: Mapping[str, str]) -> pl.DataFrame:
    """Replace signs in all texts, one after the other, also in lists."""

    def replaced(value: pl.Expr) -> pl.Expr:
        for old, new in signs.items():
            value = value.str.replace_all(old, new, literal=True)
        return value

    texts = [pl.col(n) for n, kind in frame.schema.items() if kind == pl.String()]
    lists = [pl.col(n) for n, kind in frame.schema.items() if kind == pl.List(pl.String())]
    made = [replaced(column) for column in texts]
    return frame.with_columns(*made, *(c.list.eval(replaced(pl.element())) for c in lists))
