"""A database as an index: cohortkit's own tables, or a table or view that a hospital has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import polars as pl

from cohortkit import given
from cohortkit.cohort import Cohort
from cohortkit.cohort.describe import Description, describe
from cohortkit.cohort.keys import keys_of
from cohortkit.cohort.steps import count
from cohortkit.errors import StoreError
from cohortkit.index.casts import Cast
from cohortkit.index.columns import IDENTITY, INSTANCES
from cohortkit.index.rollup import series_schema
from cohortkit.index.shared import note
from cohortkit.index.sql_place import Place, place_of
from cohortkit.index.sql_probe import columns_of
from cohortkit.index.sql_read import demand_identified, demand_read_only
from cohortkit.index.sql_rows import Rows, stamped
from cohortkit.index.sql_session import Session, answered, asked
from cohortkit.index.sql_words import (
    Held,
    closing,
    narrowing,
    pushes,
    quoted,
    relation,
    stored,
    text,
)
from cohortkit.index.table import Typing, located, renamed, rolled_up
from cohortkit.model.query import Capabilities, Query
from cohortkit.protocols import Narrowed

SERIES: Final = "cohortkit_series"
INSTANCE_ROWS: Final = "cohortkit_instances"
ABOUT: Final = "cohortkit_about"
FORMAT: Final = 1
_HELD: Final = 20_000  # rows that are fetched with all their columns
_MANY: Final = 1_000  # keys of one statement
_UID: Final = "SOPInstanceUID"


@dataclass(frozen=True, repr=False, eq=False)
class SqlIndex:
    """A database as an index. Implements ``protocols.Index`` and ``Narrowing``. It only reads.

    Attributes:
        version: changes with what the table holds.
        location: the URL without a password.
        roots: the archive, where the database knows it.
        rows: series of cohortkit's own table, or rows of the hospital's.
        files: instances, where they have a table of their own.
        typing: how rows of a hospital's table become those of an index; None for our own.
        audit: the folder of the logs that its owner named.
    """

    version: str
    location: str
    rows: Rows
    files: Rows | None = None
    roots: tuple[str, ...] = ()
    typing: Typing | None = None
    audit: str = ""

    @classmethod
    def open(cls, url: str, mapping: Mapping[str, str] | str | None = None) -> SqlIndex:
        """Open a database and look at what it can be trusted with.

        Args:
            url: ``postgresql://…``, ``sqlite:///…`` or ``duckdb:///…``; behind a ``#`` the table
                or view, else cohortkit's own tables are opened. A user or password that it lacks
                come from the environment (``PGUSER``, ``PGPASSWORD``, ``~/.pgpass``).
            mapping: column of the table → DICOM keyword, or ``path``, ``size``, ``mtime_ns``; or
                ``"omop"``, for the imaging extension of the OMOP CDM.

        Raises:
            StoreError: no such database or table, or it lacks what an index needs.
            UnknownKeyword: the mapping names no column or no keyword.
            MissingDependency: ``cohortkit[sql]`` is not installed.
        """
        place = place_of(url, mapping)
        return _own(place) if not place.table else _foreign(place)

    @property
    def by_instance(self) -> bool:
        """Whether a row of a hospital's table is an instance."""
        return self.typing is not None and _UID in self.rows.columns

    @property
    def casts(self) -> tuple[Cast, ...]:
        """How columns of a hospital's table get their types."""
        return self.typing.casts if self.typing else ()

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the database compares as it is compared here."""
        names = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "duckdb": "DuckDB"}
        types = self._series.collect_schema()
        pushed = {
            name: pushes(column, types[name])
            for name, column in self.rows.columns.items()
            if name in types and not self.by_instance
        }
        return Capabilities(names[self.rows.place.backend], {k: v for k, v in pushed.items() if v})

    def series(self) -> pl.LazyFrame:
        """Every series, one row each with its unique ``series_key``. Identified."""
        return self._series

    @cached_property
    def _series(self) -> pl.LazyFrame:
        rows = self._typed("")
        return rolled_up(rows).lazy() if self.by_instance else rows

    def _typed(self, condition: str) -> pl.LazyFrame:
        rows = self.rows.where(condition)
        return rows if self.typing is None else self.typing.typed(rows)

    @cached_property
    def _whole(self) -> tuple[int, int, int, int | None]:
        counts = count(keys_of(self._series))
        return counts.patients, counts.studies, counts.series, counts.instances

    def narrow(self, query: Query) -> Narrowed:
        """The series that the database cannot rule out. A table of instances is read whole.

        Raises:
            StoreError: the database cannot be asked, or has changed.
        """
        types = self._series.collect_schema()
        condition = "" if self.by_instance else narrowing(query, self.rows.columns, types)
        if not condition:
            return Narrowed(self._series, self._whole)
        few = self.rows.read(condition=condition, most=_HELD + 1)
        if few.height > _HELD:
            close = self._typed(closing(query, self.rows.columns, types))
            return Narrowed(self._typed(condition), self._whole, close)
        held = few.lazy() if self.typing is None else self.typing.typed(few.lazy()).collect().lazy()
        return Narrowed(held, self._whole)

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        """The instances of these series, sorted by series_key, SOPInstanceUID, path. Identified."""
        given.a(pl.Series, "series_keys", series_keys, "a polars Series of them")
        keys = series_keys.cast(pl.String).drop_nulls().unique().sort()
        if self.typing is None:
            frame = self._those("series_key", keys, self.files)
        elif self.by_instance:
            uids = keys.str.split("\n").list.last().unique().sort()  # the key ends in it
            files = self._those("SeriesInstanceUID", uids, self.rows)
            those = pl.col("series_key").is_in(keys.implode())
            frame = self.typing.typed(files.lazy()).filter(those).collect()
        else:
            return pl.DataFrame(schema={"series_key": pl.String()})
        order = ["series_key", _UID]
        if "path" in frame.columns:
            order = [*order, "path"]
            # in tables of our own they are whole, and may be places in containers
            frame = frame if self.typing is None else located(frame, Path("/"))
        return frame.sort(order)

    def _those(self, name: str, values: pl.Series, rows: Rows | None) -> pl.DataFrame:
        """Rows that have one of these values; where it cannot be asked, all rows."""
        assert rows is not None
        column = rows.columns[name]
        if column.held is not Held.TEXT or any("\0" in value for value in values):
            return rows.read()
        parts = [rows.read(most=0)]
        for start in range(0, len(values), _MANY):
            listed = ", ".join(text(value) for value in values[start : start + _MANY])
            parts.append(rows.read(condition=f"{quoted(column.name)} IN ({listed})"))
        return pl.concat(parts)

    def issues(self, *, identified: bool = False) -> pl.DataFrame:
        """Values that could not be typed and are null: keyword, how many. No values in any case."""
        given.a(bool, "identified", identified, "True or False")
        schema = pl.Schema({"keyword": pl.String(), "values": pl.UInt32()})
        counts = [cast.lost.sum().alias(cast.column) for cast in self.casts]
        if not counts:
            return pl.DataFrame(schema=schema)
        row = self.rows.where().select(counts).collect().row(0, named=True)
        found = [(word, number) for word, number in sorted(row.items()) if number]
        return pl.DataFrame(found, schema, orient="row")

    def note(self, event: str, facts: Mapping[str, object]) -> None:
        """Add a line to the log, where there is one.

        Raises:
            StoreError: it cannot be written.
        """
        note(self.audit, self.location, self.version, event, facts)

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
        found = describe(self.series())
        self.note("describe", {"series": found.total.series})
        return found

    def sql(self, statement: str, *, identified: bool = False) -> pl.DataFrame:
        """The answer of one SELECT, in the words of the database: ``identified=True``.

        What a database answers may name people, whatever its columns are called.

        Raises:
            QueryError: another statement than a question, or one that the database does not take.
        """
        plain = demand_read_only(statement)
        demand_identified(identified)
        answer = answered(self.rows.place, plain)
        self.note("sql", {"statement": plain, "rows": answer.height})
        return answer

    def __repr__(self) -> str:
        grain = "instance" if self.by_instance else "series"
        return f"<index in {self.capabilities.backend}, a row a {grain}, version {self.version}>"


def _own(place: Place) -> SqlIndex:
    stamp = f"SELECT version FROM {ABOUT}"

    def look(session: Session) -> SqlIndex:
        about = session.ask(f"SELECT format, version, roots, audit FROM {ABOUT}")
        if about.height != 1 or int(about["format"][0]) != FORMAT:
            raise StoreError(f"the database has tables of another format than {FORMAT}")
        version, roots = about["version"][0], tuple(json.loads(about["roots"][0]))
        seen = stamped(session, place, stamp)
        made = []
        for table, schema, order in (
            (SERIES, series_schema(), ("series_key",)),
            (INSTANCE_ROWS, INSTANCES, ("series_key", _UID, "path")),
        ):
            names = {there: name for name, there in stored(schema).items()}
            found = {c.keyword: c for c in columns_of(session, place.backend, table, names)}
            here = pl.Schema({name: kind for name, kind in schema.items() if name in found})
            made.append(Rows(place, table, found, seen, stamp, order, here))
        audit = str(about["audit"][0])
        return SqlIndex(version, place.location, made[0], made[1], roots, audit=audit)

    try:
        return asked(place, look)
    except StoreError:
        names = asked(place, partial(_tables, place=place))
        if ABOUT in names:
            raise
        raise StoreError(
            "the database has none of cohortkit's tables: name one of its own behind a # of the "
            "URL, or write them there by index.copy_to(…)"
        ) from None


def _tables(session: Session, place: Place) -> list[str]:
    if place.backend == "sqlite":
        return session.ask("SELECT name FROM sqlite_master")["name"].to_list()
    return session.ask("SELECT table_name AS name FROM information_schema.tables")["name"].to_list()


def _foreign(place: Place) -> SqlIndex:
    stamp = ""
    if place.backend == "postgresql":
        digest = "coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS digest"
        stamp = f"SELECT count(*) AS many, {digest} FROM {relation(place.table)} AS t"

    def look(session: Session) -> Rows:
        found = columns_of(session, place.backend, place.table, {})
        names = renamed([column.name for column in found], place.mapping)
        found = columns_of(session, place.backend, place.table, names)
        columns = {column.keyword: column for column in found}
        seen = stamped(session, place, stamp)
        order = (*reversed(IDENTITY), _UID)
        return Rows(place, place.table, columns, seen, stamp, order)

    rows = asked(place, look)
    typing = Typing.of(rows.where())
    told = f"{rows.version} {sorted(place.mapping.items())}"
    version = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
    return SqlIndex(f"{place.backend}-{version}", place.location, rows, typing=typing)
