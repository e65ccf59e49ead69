"""A question that somebody writes in SQL: one SELECT, whatever answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from cohortkit import given
from cohortkit.cohort.identity import shown
from cohortkit.cohort.steps import evaluated
from cohortkit.cohort.vocabulary import neutral
from cohortkit.errors import QueryError

_ASIDE: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
"""Texts, names and comments: what stands in them is no statement."""
_TEXT: Final = re.compile(r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_FILE: Final = re.compile(r"""\b(?:read|scan)_\w+["`]?\s*\(""", re.IGNORECASE)
"""Functions of polars whose rows come from a file, the index store's own among them."""


def asked_in_sql(
    tables: Mapping[str, pl.LazyFrame], statement: str, *, identified: bool
) -> pl.DataFrame:
    """The answer of a statement over some tables.

    Args:
        tables: by name.
        statement: one SELECT.
        identified: whether columns are there that may name somebody.

    Raises:
        QueryError: no question, or one that cannot be worked out.
    """
    plain = demand_read_only(statement)
    if _FILE.search(_TEXT.sub(" ", plain)):
        raise QueryError(f"sql: the tables are {' and '.join(tables)}; no file can be read here")
    given.a(bool, "identified", identified, "True or False")
    offered = dict(tables) if identified else {name: _blind(one) for name, one in tables.items()}
    try:
        return evaluated(pl.SQLContext(offered).execute(plain))
    except (pl.exceptions.PolarsError, QueryError):
        more = "" if identified else "; identity columns are there with identified=True only"
        raise QueryError(
            f"sql: this cannot be worked out: is it one SELECT over {' and '.join(tables)}, and "
            f"columns that there are{more}?"
        ) from None


def demand_identified(identified: object) -> None:
    """Refuse to show what a database says of columns that may be called anything.

    Raises:
        QueryError: nobody said that the answer may name people.
    """
    given.a(bool, "identified", identified, "True or False")
    if not identified:
        raise QueryError("sql: a database's answer may name people; say identified=True")


def _blind(table: pl.LazyFrame) -> pl.LazyFrame:
    schema = table.collect_schema()
    names = [name for name, kind in schema.items() if shown(name, kind)]
    return table.select(names).map_batches(_neutral, streamable=True)


def _neutral(rows: pl.DataFrame) -> pl.DataFrame:
    return neutral(rows, rows.columns)


def demand_read_only(sql: object) -> str:
    """One statement that begins as a question does; that it is none the database sees to.

    Raises:
        QueryError: another statement, or several.
    """
    if not isinstance(sql, str):
        raise QueryError("sql takes a statement as text")
    bare = _ASIDE.sub(" ", sql).strip().rstrip(";").strip()
    first = bare.split(None, 1)[0].lower().partition("(")[0] if bare else ""
    if first not in {"select", "with"} or ";" in bare:
        raise QueryError("sql is for one question: a statement that begins with SELECT or WITH")
    return sql.strip().rstrip(";")
