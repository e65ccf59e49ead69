"""A question that somebody writes in SQL: one SELECT, whatever answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from cohortkit.cohort.steps import evaluated
from cohortkit.errors import QueryError

_ASIDE: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
"""Texts, names and comments: what stands in them is no statement."""


def asked_in_sql(tables: Mapping[str, pl.LazyFrame], statement: str) -> pl.DataFrame:
    """The answer of a statement over some tables.

    Raises:
        QueryError: no question, or one that cannot be worked out.
    """
    plain = demand_read_only(statement)
    try:
        return evaluated(pl.SQLContext(dict(tables)).execute(plain))
    except (pl.exceptions.PolarsError, QueryError):
        raise QueryError(
            f"sql: this cannot be worked out: is it one SELECT over {' and '.join(tables)}, and "
            "columns that there are?"
        ) from None


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
