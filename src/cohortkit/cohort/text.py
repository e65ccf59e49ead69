"""Words in descriptions, whatever their case and accents. Pure.

Nearly all descriptions are of ASCII letters, and are asked by a regular expression as they stand;
the others are folded, once for each different one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Final

import polars as pl

from cohortkit.cohort.choose import columns as named
from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import evaluated
from cohortkit.cohort.values import family
from cohortkit.errors import QueryError
from cohortkit.traces.scripts import UMLAUTS, dense
from cohortkit.traces.spellings import fold, plain

DESCRIPTIONS: Final = ("StudyDescription", "SeriesDescription", "ProtocolName")
_WORD: Final = re.compile(r"[^\W_]+")
_ASKED: Final = re.compile(r"[^\W_]+\*?")
_SIDE: Final = "[^a-z0-9]"


@dataclass(frozen=True, slots=True)
class Word:
    """A word that is looked for.

    Attributes:
        forms: as it is written without accents, and with umlauts as two letters.
        begins: whether a longer word that begins so is one as well.
    """

    forms: frozenset[str]
    begins: bool

    def stands_in(self, words: Iterable[str]) -> bool:
        """Whether one of the words is this one; in scripts without blanks, holds it."""
        return any(self._is(word, form) for word in words for form in self.forms)

    def _is(self, word: str, form: str) -> bool:
        if dense(form):
            return form in word
        return word.startswith(form) if self.begins else word == form

    @property
    def pattern(self) -> str:
        """A regular expression that finds it among ASCII letters and figures."""
        forms = sorted(form for form in self.forms if form.isascii())
        end = "" if self.begins else f"(?:{_SIDE}|$)"
        return f"(?i)(?:^|{_SIDE})(?:{'|'.join(forms)}){end}" if forms else "$^"


Asked = tuple[tuple[Word, ...], ...]


def read(texts: Sequence[object]) -> Asked:
    """The words of each text.

    Raises:
        QueryError: no text, or one without a word.
    """
    if not texts or not all(isinstance(text, str) for text in texts):
        raise QueryError("text: takes the words that are looked for, as text")
    asked = tuple(tuple(map(_word, _ASKED.findall(fold(str(text))))) for text in texts)
    if not all(asked):
        raise QueryError("text: there is no word in it")
    return asked


def _word(text: str) -> Word:
    bare = text.removesuffix("*")
    return Word(frozenset(_forms(bare)), bare != text)


def _forms(folded: str) -> set[str]:
    return {plain(folded), plain(folded.translate(UMLAUTS))}


def where(given: str | Sequence[str] | None, columns: pl.Schema) -> tuple[str, ...]:
    """The columns that are looked into.

    Raises:
        UnknownKeyword: no such column.
        QueryError: a column that is no text, or an index without descriptions.
    """
    if given is None:
        found = tuple(name for name in DESCRIPTIONS if name in columns)
        if not found:
            raise QueryError(f"text: the index has none of {', '.join(DESCRIPTIONS)}; say where=")
        return found
    found = named(given, "text: where=")
    for name in found:
        if name not in columns:
            raise unknown(name, columns.names(), "text: where=")
        if family(columns[name]) != "text" or columns[name].is_nested():
            raise QueryError(f"text: {name} holds no text")
    return found


def holds(rows: pl.LazyFrame, asked: Asked, columns: Sequence[str]) -> pl.Series:
    """Whether all words of some text stand in the columns of a row, in whichever of them.

    Null where no column holds anything.
    """
    joined = pl.concat_str(
        [pl.col(name).cast(pl.String) for name in columns], separator="\n", ignore_nulls=True
    )
    texts = evaluated(rows.select(joined.alias("text")))["text"]
    odd = texts.str.len_bytes() != texts.str.len_chars()
    found = reduce(or_, (_all_in(texts, words) for words in asked))
    if odd.any():
        strange = texts.filter(odd)
        distinct = strange.unique()
        judged = pl.Series([_stand(text, asked) for text in distinct], dtype=pl.Boolean)
        found = found.scatter(odd.arg_true(), strange.replace_strict(distinct, judged))
    said = texts.str.strip_chars(" \n\t\0") != ""
    return pl.select(pl.when(said).then(found)).to_series()


def _all_in(texts: pl.Series, words: Sequence[Word]) -> pl.Series:
    return reduce(and_, (texts.str.contains(word.pattern) for word in words))


def _stand(text: str, asked: Asked) -> bool:
    folded = fold(text)
    words = {word for form in _forms(folded) for word in _WORD.findall(form)}
    return any(all(word.stands_in(words) for word in every) for every in asked)
