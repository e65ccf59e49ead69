"""A description as HTML with small pictures in SVG. Plain text in, plain text out.

Everything that stands in it is escaped; it has no script, no link and no outside font.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

import polars as pl

_COLOURS: Final = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#94a3b8",
)
"""Told apart by most who do not see all colours (Okabe and Ito); the last is for the rest."""

_WIDTH: Final = 880
_HIGH: Final = 180
_LEFT: Final = 64
_FOOT: Final = 24
_BAR: Final = 34
_ROW: Final = 15
_LONGEST: Final = 160
_SIDE_BY_SIDE: Final = 3
_NAME: Final = 178
_REST: Final = "others"
_UNKNOWN: Final = "?"
_CHARS: Final = 27
_STYLE: Final = (
    "<style>.cohortkit-describe{max-width:880px;font-family:system-ui,-apple-system,'Segoe UI',"
    "Roboto,'Helvetica Neue',Arial,sans-serif;font-size:13px;color:#1f2937}"
    ".cohortkit-describe table{border-collapse:collapse;font-size:12.5px}"
    ".cohortkit-describe th,.cohortkit-describe td{padding:3px 10px;text-align:left;"
    "border-bottom:1px solid #cbd5e1}.cohortkit-describe .n{text-align:right}"
    ".cohortkit-describe h4{margin:14px 0 4px}.cohortkit-describe svg text{font-size:11px;"
    "fill:#475569}</style>"
)


def block(total: str, modalities: pl.DataFrame, counts: pl.DataFrame, columns: pl.DataFrame) -> str:
    """What a notebook shows."""
    return (
        f'{_STYLE}<div class="cohortkit-describe"><p><b>{escape(total)}</b></p>'
        f"<h4>Series by year and modality</h4>{_years(modalities, counts)}"
        f"<h4>Modalities and departments</h4>{_table(modalities)}"
        f"<h4>In how many series a column is filled</h4>{_completeness(columns)}</div>"
    )


def _years(modalities: pl.DataFrame, counts: pl.DataFrame) -> str:
    """Stacked bars: a bar for each year, what is of no known year last."""
    order = _most(modalities)
    named = pl.when(pl.col("modality").is_in(order)).then("modality").otherwise(pl.lit(_REST))
    by_year = counts.group_by("year", named.alias("modality")).agg(pl.col("series").sum())
    years = _axis(by_year["year"])
    if not years:
        return "<p>none</p>"
    height = dict.fromkeys(years, 0)
    bars: dict[int | None, dict[str, int]] = {year: {} for year in years}
    for year, modality, series in by_year.iter_rows():
        bars[year][modality] = series
        height[year] += series
    highest = max(height.values())
    step = min(_BAR, (_WIDTH - _LEFT - 8) / len(years))
    parts = [*_scale(highest)]
    for at, year in enumerate(years):
        parts += _bar(_LEFT + at * step, step, bars[year], order, highest)
        if at % max(1, round(_BAR / step)) == 0 or year is None:
            middle, told = _LEFT + (at + 0.5) * step, _UNKNOWN if year is None else str(year)
            foot = _HIGH + _FOOT - 8
            parts.append(f'<text x="{middle:.1f}" y="{foot}" text-anchor="middle">{told}</text>')
    return _svg(_WIDTH, _HIGH + _FOOT, parts) + _legend(
        order, {m for b in bars.values() for m in b}
    )


def _axis(there: pl.Series) -> list[int | None]:
    """Every year from the first to the last, or those there are where that is too long."""
    known = sorted(there.drop_nulls().unique())
    if known and known[-1] - known[0] <= _LONGEST:
        known = list(range(known[0], known[-1] + 1))
    return [*known, *([None] if there.null_count() else [])]


def _most(modalities: pl.DataFrame) -> list[str]:
    """The modalities with most series that have a colour of their own."""
    known = modalities.filter(pl.col("modality").is_not_null())
    summed = known.group_by("modality").agg(pl.col("series").sum())
    ordered = summed.sort("series", "modality", descending=[True, False])
    return ordered["modality"].head(len(_COLOURS) - 1).to_list()


def _scale(highest: int) -> Iterator[str]:
    for part in (0, 0.5, 1):
        level = _HIGH - part * (_HIGH - 12)
        yield f'<path d="M{_LEFT - 4} {level:.1f}H{_WIDTH}" stroke="#e2e8f0"/>'
        text = f"{round(highest * part):,}"
        yield f'<text x="{_LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{text}</text>'


def _bar(
    left: float, step: float, there: dict[str, int], order: Sequence[str], highest: int
) -> Iterator[str]:
    foot = float(_HIGH)
    for colour, modality in zip(_COLOURS, [*order, _REST], strict=False):
        many = there.get(modality, 0)
        tall = many / highest * (_HIGH - 12)
        if many:
            foot -= tall
            yield (
                f'<rect x="{left + 1:.1f}" y="{foot:.1f}" width="{max(step - 2, 0.5):.1f}" '
                f'height="{tall:.1f}" fill="{_colour(modality, order, colour)}">'
                f"<title>{escape(modality)}: {many:,}</title></rect>"
            )


def _colour(modality: str, order: Sequence[str], colour: str) -> str:
    return colour if modality in order else _COLOURS[-1]


def _legend(order: Sequence[str], there: set[str]) -> str:
    told = [
        f'<span style="color:{_colour(name, order, colour)}">&#9632;</span> {escape(name)}'
        for colour, name in zip(_COLOURS, [*order, _REST], strict=False)
        if name in there
    ]
    return f"<p>{' &nbsp; '.join(told)}</p>"


def _table(modalities: pl.DataFrame) -> str:
    figures = ("patients", "studies", "series", "instances")
    head = "".join(f'<th class="n">{name}</th>' for name in figures)
    lines = []
    for modality, department, first, last, *numbers in modalities.iter_rows():
        years = _UNKNOWN if first is None else str(first) if first == last else f"{first} to {last}"
        words = (modality or _UNKNOWN, department or _UNKNOWN, years)
        cells = "".join(f"<td>{escape(word)}</td>" for word in words)
        cells += "".join(f'<td class="n">{_number(number)}</td>' for number in numbers)
        lines.append(f"<tr>{cells}</tr>")
    return (
        f"<table><tr><th>modality</th><th>department</th><th>years</th>{head}</tr>"
        f"{''.join(lines)}</table>"
    )


def _number(number: int | None) -> str:
    return _UNKNOWN if number is None else f"{number:,}"


def _completeness(columns: pl.DataFrame) -> str:
    """A bar for each column, in the order of the index, down and then to the right."""
    rows = -(-columns.height // _SIDE_BY_SIDE)
    wide = _WIDTH // _SIDE_BY_SIDE
    parts = []
    for at, (name, share) in enumerate(columns.select("column", "share").iter_rows()):
        left, top = at // rows * wide, at % rows * _ROW
        label = name if len(name) <= _CHARS else f"{name[: _CHARS - 1]}…"
        room = wide - _NAME - 48
        parts.append(
            f'<text x="{left + _NAME - 6}" y="{top + 11}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{left + _NAME}" y="{top + 3}" width="{room}" height="8" fill="#e2e8f0"/>'
            f'<rect x="{left + _NAME}" y="{top + 3}" width="{room * share:.1f}" height="8" '
            f'fill="{_COLOURS[0]}"/>'
            f'<text x="{left + _NAME + room + 4}" y="{top + 11}">{_percent(share)}</text>'
        )
    return _svg(_WIDTH, rows * _ROW + 4, parts)


def _percent(share: float) -> str:
    """Nothing that is there is called nought, and nothing lacking whole."""
    if 0 < share < 0.01:  # noqa: PLR2004 - a percent
        return "&lt;1%"
    if 0.99 < share < 1:  # noqa: PLR2004 - all but a percent
        return "&gt;99%"
    return f"{share:.0%}"


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'width="100%" style="max-width:{width}px">{"".join(parts)}</svg>'
    )
