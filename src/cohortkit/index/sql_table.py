"""A table out of a database, for a cohort to be joined with."""

from __future__ import annotations

from dataclasses import dataclass, field

from cohortkit import given
from cohortkit.errors import UsageError
from cohortkit.index.sql_place import Place, place_of
from cohortkit.index.sql_read import demand_read_only
from cohortkit.index.sql_session import answered


@dataclass(frozen=True, slots=True, repr=False)
class SqlTable:
    """What a database answers to one SELECT: asked when it is joined, and shown nowhere.

    It hands over an Arrow stream, so that ``join`` and ``nearest`` take it as any other table.
    """

    place: Place
    statement: str = field(repr=False)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The answer as an Arrow stream. Identified.

        Raises:
            QueryError: the database does not take the statement.
            StoreError: it cannot be asked.
        """
        return answered(self.place, self.statement).__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<table of a {self.place.backend} database>"


def sql_table(url: str, statement: str) -> SqlTable:
    """A table out of a database: what it answers to one SELECT. The database is only read.

    Args:
        url: ``postgresql://…``, ``sqlite:///…`` or ``duckdb:///…``; a user or password that it
            lacks come from the environment.
        statement: one SELECT; identifiers as text, in columns that are called by their keywords:
            ``SELECT mrn AS PatientID, grade FROM pathology``.

    Raises:
        UsageError: no such database, or a URL with a table behind a ``#``.
        QueryError: another statement than a question.
    """
    given.a(str, "url", url, "the URL of a database, as text")
    place = place_of(url)
    if place.table:
        raise UsageError("url: the statement says which table, and nothing stands behind a #")
    return SqlTable(place, demand_read_only(statement))
