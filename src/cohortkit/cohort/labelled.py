"""Which values of joined columns a view may show: by the values, whatever a column is called.

Tables are joined from everywhere, and their columns are called in every language. So a text stands
in a view that nobody asked to be identified if it is of ordinary words and short codes, or names
nobody of the index; else it is ``other``. What a notebook shows is saved with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import polars as pl

from cohortkit.cohort.named import near, says_nothing
from cohortkit.cohort.vocabulary import FIGURE, OTHER
from cohortkit.deidentify.text import shapes

_MOST: Final = 500
"""Different texts of a column that are held against the index: one that has more is free text."""
_CODE: Final = re.compile(r"\w{1,3}")
_TOKEN: Final = re.compile(r"\w+")
_LONGEST: Final = 40


def is_plain(text: str) -> bool:
    """Whether a text is of ordinary words, however written, and codes of three characters."""
    words = [word for word in _TOKEN.findall(text) if not _CODE.fullmatch(word)]
    figures = sum(map(str.isdigit, text))
    return figures < len(str(FIGURE)) - 1 and says_nothing(" ".join(words).lower())


def neutral(table: pl.DataFrame, labels: Iterable[str], series: pl.LazyFrame) -> pl.DataFrame:
    """The table with ``other`` for labels that may name somebody, and without long figures.

    Args:
        table: a table of a cohort.
        labels: which of its columns were joined.
        series: the index, identified.
    """
    made: list[pl.Expr | pl.Series] = []
    for name in labels:
        kind = table[name].dtype
        if kind.is_numeric():
            made.append(pl.when(pl.col(name).abs() < FIGURE).then(pl.col(name)).alias(name))
        elif kind != pl.Boolean:
            texts = table[name].cast(pl.String, strict=False)
            other = dict.fromkeys(_telling(texts, series), OTHER)
            made.append(texts.replace(other).alias(name))
    return table.with_columns(made)


def _telling(values: pl.Series, series: pl.LazyFrame) -> list[str]:
    """The texts that a view must not show."""
    texts = values.drop_nulls().unique().to_list()
    unusual = [text for text in texts if not is_plain(text)]
    told = {text for text in unusual if len(text) > _LONGEST or any(shapes.found(text))}
    rest = [text for text in unusual if text not in told]
    if len(rest) > _MOST:
        return unusual
    people = near(rest, series) if rest else None
    return sorted(told | {text for text in rest if people and people.stand_in(text)})
