"""What became of each statement of CTP's scripts: prints as text, shows itself as HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import polars as pl

from cohortkit.recipe.ctp.elements import Row
from cohortkit.recipe.ctp.wanted import Verdict
from cohortkit.recipe.model import Recipe

_COLUMNS = ("place", "about", "written", "verdict", "words")
_WIDEST = 60


@dataclass(frozen=True, slots=True, repr=False)
class Imported:
    """A recipe that was made of scripts, and the table of their statements.

    Attributes:
        rows: in the order of the scripts; what is not enabled in them is not among them.
    """

    recipe: Recipe
    rows: tuple[Row, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many statements were taken over, made stricter, refused."""
        found = Counter(row.verdict for row in self.rows)
        return {str(verdict): found[verdict] for verdict in Verdict}

    def to_polars(self) -> pl.DataFrame:
        """A row a statement: place, about, written, verdict, words."""
        return pl.DataFrame(
            [{name: str(getattr(row, name)) for name in _COLUMNS} for row in self.rows],
            schema=dict.fromkeys(_COLUMNS, pl.String),
        )

    def summary(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "recipe": self.recipe.name,
            "digest": self.recipe.digest,
            "counts": self.counts,
            "statements": self.to_polars().to_dicts(),
        }

    def _lines(self) -> Iterator[str]:
        counted = ", ".join(f"{count:,} {verdict}" for verdict, count in self.counts.items())
        yield f"{self.recipe.name}: {counted}"
        for row in self.rows:
            said = row.written if len(row.written) <= _WIDEST else f"{row.written[:_WIDEST]}…"
            words = f": {row.words}" if row.words else ""
            yield f"  {row.verdict:<10} {row.place}, {row.about}: {said or '(nothing)'}{words}"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(str(getattr(r, n)))}</td>" for n in _COLUMNS) + "</tr>"
            for r in self.rows
        )
        return f"<p>{escape(next(self._lines()))}</p><table><tr>{head}</tr>{body}</table>"
