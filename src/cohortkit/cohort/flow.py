"""The flow of a cohort: who was left out, at which step, and why. A table that draws itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from cohortkit.cohort import draw
from cohortkit.cohort.steps import INDEX, Counts, Step
from cohortkit.errors import MissingDependency

SCHEMA: Final = pl.Schema(
    {
        "step": pl.Int64,
        "action": pl.String,
        "outcome": pl.String,
        "what": pl.String,
        "patients": pl.Int64,
        "studies": pl.Int64,
        "series": pl.Int64,
        "instances": pl.Int64,
    }
)
"""One row for what came in, each thing left out (``did not match`` or ``unknown``), and what was
kept; ``note`` rows hold further counts in ``series``, which are of ids, keys or series."""

_Row = tuple[int, str, str, str, int | None, int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps with their counts at four levels. It holds no identity.

    At every level and step, in = kept + did not match + unknown. It shows itself as a table in
    text, as a picture in a notebook, and as SVG text by ``svg()``.
    """

    steps: tuple[Step, ...]

    def to_polars(self) -> pl.DataFrame:
        """The table; its columns are those of ``SCHEMA``."""
        return pl.DataFrame(list(self._rows()), schema=SCHEMA, orient="row")

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas is not imported here, not even its types
        """The table for pandas.

        Raises:
            MissingDependency: pandas or pyarrow is not installed.
        """
        try:
            return self.to_polars().to_pandas()
        except ModuleNotFoundError:
            raise MissingDependency("pandas: pip install 'cohortkit[pandas]'") from None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow stream."""
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def svg(self) -> str:
        """The picture: what is kept down the middle, what is left out to the right."""
        return draw.svg(self.steps)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return f'<div class="cohortkit-flow" style="max-width:{draw.WIDTH}px">{self.svg()}</div>'

    def _rows(self) -> Iterator[_Row]:
        for number, step in enumerate(self.steps):
            if step.action != INDEX:
                yield _row(number, step.action, "in", str(step), step.before)
            for loss in step.losses:
                yield _row(number, step.action, "did not match", loss.out, loss.not_matched)
                yield _row(number, step.action, "unknown", loss.unsure, loss.unknown)
            for note in step.notes:
                yield (number, step.action, "note", note.words, None, None, note.count, None)
            yield _row(number, step.action, "kept", str(step), step.kept)

    def __str__(self) -> str:
        lines = [_line("", Counts(), heading=True)]
        for step in self.steps:
            if step.action != INDEX:
                lines.append(str(step))
            for loss in step.losses:
                lines += [
                    _line(f"  - {words}", counts)
                    for words, counts in ((loss.out, loss.not_matched), (loss.unsure, loss.unknown))
                    if counts != Counts(instances=counts.instances and 0) or counts.instances
                ]
            lines += [f"  · {note.words}: {note.count:,}" for note in step.notes]
            lines.append(_line(str(step) if step.action == INDEX else "  = kept", step.kept))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def _row(number: int, action: str, outcome: str, what: str, counts: Counts) -> _Row:
    four = (counts.patients, counts.studies, counts.series, counts.instances)
    return (number, action, outcome, what, *four)


_WORDS: Final = 56


def _line(words: str, counts: Counts, *, heading: bool = False) -> str:
    if len(words) > _WORDS:
        words = f"{words[: _WORDS - 1]}…"
    if heading:
        cells = ("patients", "studies", "series", "instances")
    else:
        many = "?" if counts.instances is None else f"{counts.instances:,}"
        cells = (f"{counts.patients:,}", f"{counts.studies:,}", f"{counts.series:,}", many)
    return f"{words:<{_WORDS}}" + "".join(f"{cell:>13}" for cell in cells)
