"""How a cohort looks in a notebook: counts, question, and the first series without identity."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import polars as pl

from cohortkit.cohort.steps import Counts

ROWS: Final = 8
_COLUMNS: Final = 10
_CELL: Final = 40

_FIRST: Final = (
    "Modality",
    "BodyPartExamined",
    "kind",
    "NumberOfSeriesRelatedInstances",
    "Rows",
    "Columns",
    "SliceThickness",
    "PixelSpacing",
    "Manufacturer",
)
_STYLE: Final = (
    "<style>.cohortkit table{border-collapse:collapse;font-size:12px}"
    ".cohortkit th,.cohortkit td{padding:3px 8px;text-align:left;border-bottom:1px solid #cbd5e1}"
    ".cohortkit p{margin:4px 0}.cohortkit small{color:#64748b}</style>"
)


def html(
    counts: Counts, asked: Sequence[str], hints: Sequence[str], head: pl.DataFrame, height: int
) -> str:
    """A block of HTML with everything escaped; ``head`` holds no identity columns."""
    meant = "".join(f"<p>{escape(line)}</p>" for line in hints)
    question = "".join(f"<li>{escape(line)}</li>" for line in asked)
    return (
        f'{_STYLE}<div class="cohortkit"><p><b>Cohort</b> of {escape(str(counts))}</p>'
        f"<ol>{question}</ol>{meant}{_table(_chosen(head))}"
        f"<p><small>{_told(head.height, height)} Identity columns are left out, and "
        "values that are no known terms; <code>to_polars(identified=True)</code> shows them."
        "</small></p></div>"
    )


def _told(shown: int, height: int) -> str:
    return f"The first {shown} of {height:,} series." if shown < height else "All series."


def _chosen(head: pl.DataFrame) -> pl.DataFrame:
    """A few columns that hold something: the best known, then others in their order."""
    full = [column.name for column in head if column.null_count() < head.height]
    known = [name for name in _FIRST if name in full]
    others = [name for name in reversed(full) if name not in known]
    return head.select((known + others)[:_COLUMNS])


def _table(head: pl.DataFrame) -> str:
    if head.is_empty():
        return ""
    top = "".join(f"<th>{escape(name)}</th>" for name in head.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in head.rows()
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = "\\".join(map(str, value)) if isinstance(value, list) else str(value)
    return escape(f"{text[: _CELL - 1]}…" if len(text) > _CELL else text)
