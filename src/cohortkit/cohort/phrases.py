"""The words of a step that asks several things at once, told anew where less may be told.

A step keeps what it asked beside its words. So what stands in a release is made of that, under the
recipe, by the same function that made the words of the notebook.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohortkit.cohort import plain, words
from cohortkit.cohort.labelled import Telling
from cohortkit.cohort.words import Released
from cohortkit.errors import StoreError
from cohortkit.model.query import Query


@dataclass(frozen=True, slots=True)
class Expression:
    """A polars expression: as polars writes it, and its columns."""

    text: str
    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """Texts that were looked for in columns."""

    texts: tuple[str, ...]
    columns: tuple[str, ...]


Part = Query | Expression | Sought


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words with gaps (``{}``) for what was asked.

    Attributes:
        words: ours, with a gap for each part.
        parts: what was asked. Identified.
    """

    words: str
    parts: tuple[Part, ...] = ()

    def told(self, columns: pl.Schema, telling: Telling, released: Released | None = None) -> str:
        """The words that name nobody.

        Args:
            columns: of what was asked.
            telling: what a view of the cohort shows of the columns that were joined.
            released: whether the values of a column leave as they are; None: nothing leaves.
        """
        return self.words.format(*(_said(one, columns, telling, released) for one in self.parts))

    def encode(self) -> str:
        """As a line of JSON, for the cohort file. Identified."""
        return json.dumps({"words": self.words, "parts": [_plain(one) for one in self.parts]})

    @classmethod
    def decode(cls, line: str) -> Phrase:
        """The phrase that was encoded.

        Raises:
            StoreError: it is none.
        """
        try:
            read = json.loads(line)
            return cls(str(read["words"]), tuple(map(_part, read["parts"])))
        except (KeyError, TypeError, ValueError):
            raise StoreError("the cohort file is damaged: a step cannot be read") from None


def literal(text: str) -> str:
    """A text that has no gaps in a phrase."""
    return text.replace("{", "{{").replace("}", "}}")


def _said(part: Part, columns: pl.Schema, telling: Telling, released: Released | None) -> str:
    if isinstance(part, Query):
        return " and ".join(words.terms(part, columns, telling, released))
    if isinstance(part, Expression):
        return words.condition(part.text, part.roots, columns, telling, released)
    return words.sought(part.texts, part.columns, telling, released)


def _plain(part: Part) -> dict[str, Sequence[object] | str]:
    if isinstance(part, Query):
        return {"query": plain.encoded(part)}
    if isinstance(part, Expression):
        return {"expression": part.text, "roots": part.roots}
    return {"texts": part.texts, "columns": part.columns}


def _part(read: dict[str, list[object] | str]) -> Part:
    if "query" in read:
        return plain.query_of(read["query"])
    if "expression" in read:
        return Expression(str(read["expression"]), tuple(map(str, read["roots"])))
    return Sought(tuple(map(str, read["texts"])), tuple(map(str, read["columns"])))
