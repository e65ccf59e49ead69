"""What the user wrote goes into the report as it is; so it must name nobody of the index.

The words of a cohort's steps, the names of joined columns and a recipe's title are the only words
of a release that no recipe judges and that no search before publication sees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import polars as pl

from cohortkit.errors import UsageError

_IDENTIFIERS = ("PatientID", "AccessionNumber", "StudyID")
_SHORTEST = 5
"""Fewer characters are a count or a size more often than an id."""
_NAME_PARTS = 2
"""One word alone may be anybody's name and is a word of the language as well."""


def demand_nobody(texts: Iterable[str], series: pl.LazyFrame) -> None:
    """Refuse words that hold an identifier, or a name in full, of anyone in the index.

    Args:
        texts: what the user wrote, one text a step or column.
        series: the index, identified.

    Raises:
        UsageError: it says which text it is, by its place, and not the value.
    """
    columns = series.collect_schema().names()
    for place, text in enumerate(texts, 1):
        words = _words(text)
        if _has_identifier(words, series, columns) or _has_name(words, series, columns):
            raise UsageError(
                f"text {place} of what was asked (steps, joined columns, the recipe's title) "
                "names a patient of the index, and it would stand in the report; use other words"
            )


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^\w.-]+", _fold(text)) if word]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _has_identifier(words: list[str], series: pl.LazyFrame, columns: list[str]) -> bool:
    bare = [word.strip(".-") for word in words]
    asked = [word for word in bare if len(word) >= _SHORTEST and any(map(str.isdigit, word))]
    there = [name for name in _IDENTIFIERS if name in columns]
    if not there or not asked:
        return False
    values = [pl.col(name).cast(pl.String).str.to_lowercase() for name in there]
    found = pl.any_horizontal([value.is_in(asked) for value in values])
    return bool(series.select(found.any()).collect().item())


def _has_name(words: list[str], series: pl.LazyFrame, columns: list[str]) -> bool:
    if "PatientName" not in columns or len(words) < _NAME_PARTS:
        return False
    parts = pl.col("PatientName").str.to_lowercase().str.split("=").list.first()
    parts = parts.str.replace_all(r"[\^\s,]+", " ").str.strip_chars().str.split(" ")
    named = parts.list.head(_NAME_PARTS)
    both = (named.list.len() == _NAME_PARTS) & named.list.eval(pl.element().is_in(words)).list.all()
    return bool(series.select(both.fill_null(value=False).any()).collect().item())
