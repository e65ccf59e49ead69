"""A question that nothing answers: how what was asked for is spelled here."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

import polars as pl

from cohortkit.cohort.steps import Note, evaluated
from cohortkit.cohort.values import family
from cohortkit.cohort.vocabulary import known
from cohortkit.model.query import AnyOf, Exactly, Predicate, Query

_NEAR: Final = 0.75
_FEW: Final = 3


def spelled_so(query: Query, rows: pl.LazyFrame) -> tuple[Note, ...]:
    """The terms that are here and nearly what was asked for, with the number of their series.

    Only terms of the standard are offered: another value may be somebody's.

    Args:
        query: a search that matched nothing.
        rows: where it was asked.
    """
    return tuple(note for word, asked in query.terms for note in _notes(word, asked, rows))


def _notes(word: str, asked: Predicate, rows: pl.LazyFrame) -> Iterator[Note]:
    dtype = rows.collect_schema()[word]
    wanted = list(_texts(asked))
    if not wanted or family(dtype) != "text":
        return
    column = pl.col(word).list.explode() if isinstance(dtype, pl.List) else pl.col(word)
    counted = evaluated(rows.select(column.cast(pl.String)).drop_nulls().group_by(word).len())
    here = {text: number for text, number in counted.iter_rows() if known(word, text)}
    if any(text in here for text in wanted):
        return  # this term is not the one that nothing answers
    folded = {text.strip().casefold(): text for text in sorted(here)}
    for near in dict.fromkeys(
        near
        for text in wanted
        for near in get_close_matches(text.casefold(), folded, n=_FEW, cutoff=_NEAR)
    ):
        yield Note(f"series whose {word} is {folded[near]}, if that was meant", here[folded[near]])


def _texts(asked: object) -> Iterator[str]:
    if isinstance(asked, Exactly):
        asked = asked.value
    if isinstance(asked, AnyOf):
        for one in asked.values:
            yield from _texts(one)
    elif isinstance(asked, str):
        yield asked
