"""A question that somebody writes in SQL: one SELECT, whatever answers it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cohortkit.cohort.steps import evaluated
from cohortkit.errors import QueryError


def asked_in_sql(tables: Mapping[str, pl.LazyFrame], statement: str) -> pl.DataFrame:
    """The answer of a statement over some tables.

    Raises:
        QueryError: no question, or one that cannot be worked out.
    """
    plain = demand_read_only(statement)
    try:
        rows = pl.SQLContext(dict(tables)).execute(plain)
    except pl.exceptions.PolarsError:
        raise QueryError(
            f"sql: this cannot be worked out: is it one SELECT over {' and '.join(tables)}, and "
            "columns that there are?"
        ) from None
    return evaluated(rows)


def demand_read_only(sql: object) -> str:
    """A statement that begins as a question does; that it is none the database sees to.

    Raises:
        QueryError: another statement, or several.
    """
    if not isinstance(sql, str):
        raise QueryError("sql takes a statement as text")
    plain = _without_comments(sql).strip().rstrip(";").strip()
    first = plain.split(None, 1)[0].lower().partition("(")[0] if plain else ""
    if first not in {"select", "with"}:
        raise QueryError("sql is for questions: a statement that begins with SELECT or WITH")
    return plain


def _without_comments(sql: str) -> str:
    """The statement without the comments before its first word."""
    text = sql.lstrip()
    while text.startswith(("--", "/*")):
        _, _, text = text.partition("\n" if text.startswith("--") else "*/")
        text = text.lstrip()
    return text
