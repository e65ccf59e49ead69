"""What is asked, written as text: ``KEYWORD=VALUE``, as the shell and job files have it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import polars as pl

from cohortkit import given
from cohortkit.cohort.query import unknown
from cohortkit.cohort.values import family
from cohortkit.dicom.keywords import vr_of
from cohortkit.errors import QueryError

_RANGE = re.compile(r"\w+\.\.\w+")


def read_terms(terms: Sequence[str], columns: pl.Schema) -> dict[str, object]:
    """The words of a search as ``search()`` takes them, typed by the index's columns.

    Raises:
        QueryError: a word without ``=``, or a value that the column cannot have. It names the
            keyword or the place of the word, never the value.
    """
    asked: dict[str, list[object]] = {}

    def take(number: int, word: str) -> None:
        keyword, equals, text = word.partition("=")
        if not (keyword and equals):
            raise QueryError(f"term {number} is not KEYWORD=VALUE")
        asked.setdefault(keyword, []).append(_value(keyword, text, columns.get(keyword)))

    faults = given.faults(partial(take, number, word) for number, word in enumerate(terms, 1))
    strange = [word for word in asked if word not in columns] if faults else []
    given.demand_none(
        [*(unknown(word, columns.names(), "this search") for word in strange), *faults]
    )
    return {keyword: found if len(found) > 1 else found[0] for keyword, found in asked.items()}


def _value(keyword: str, text: str, dtype: pl.DataType | None) -> object:
    kind = "text" if dtype is None else family(dtype)
    if text and ".." in text and kind in {"date", "time", "datetime", "number"}:
        low, _, high = text.partition("..")
        return (_scalar(keyword, low, kind), _scalar(keyword, high, kind))
    if dtype is not None and kind == "text" and _RANGE.fullmatch(text):
        raise QueryError(f"{keyword} is text; LOW..HIGH is for dates, times and numbers")
    if dtype is not None and vr_of(keyword) == "CS" and "," in text.strip(","):
        more = f"{keyword}=CT {keyword}=MR"
        raise QueryError(f"{keyword}: no code has a comma; each of several is a term, as in {more}")
    return _scalar(keyword, text, kind)


def _scalar(keyword: str, text: str, kind: str) -> object:
    if text == "":
        return None
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind != "number":
        return text
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise QueryError(f"{keyword} takes a number, not this text") from None
