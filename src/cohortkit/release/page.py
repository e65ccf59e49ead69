"""An inventory as a page: what could not be read, what is rare, then every attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from cohortkit.release.counting import Values

if TYPE_CHECKING:
    from cohortkit.release.inventory import Inventory

_MOST_RARE = 1000
_COMMON = 5
_LONGEST = 200
_STYLE = (
    "body{font:14px sans-serif;margin:2em;max-width:90em}table{border-collapse:collapse}"
    "td,th{border:1px solid #bbb;padding:2px 6px;text-align:left;vertical-align:top}"
)


def html(
    made: Inventory, attributes: Sequence[tuple[str, str, str, int, int, int]], values: Values
) -> str:
    """The page; of very many values it shows the first, and says where the others are."""
    return "".join(_parts(made, attributes, values))


def _parts(
    made: Inventory, attributes: Sequence[tuple[str, str, str, int, int, int]], values: Values
) -> Iterator[str]:
    yield f'<!doctype html><meta charset="utf-8"><title>Inventory</title><style>{_STYLE}</style>'
    yield "<h1>What is in this release</h1>"
    yield f"<p>{made.files:,} files, {made.attributes:,} attributes, {made.values:,} values.</p>"
    if made.unread:
        yield "<h2>Not read</h2><p>Look at these files yourself.</p>"
        yield f"<ul>{''.join(f'<li>{escape(name)}</li>' for name in made.unread)}</ul>"
    rare, count = made.rarest(_MOST_RARE)
    yield "<h2>In one patient alone</h2><p>What is rare tells most. Words come first.</p>"
    rows = rare.select("source", "attribute", "vr", "value", "count").iter_rows()
    yield _table(("kind of output", "attribute", "VR", "value", "times"), rows)
    if count > _MOST_RARE:
        yield f"<p>… and {count - _MOST_RARE:,} more, in the folder inventory.</p>"
    yield "<h2>Attribute by attribute</h2>"
    heads = ("kind of output", "attribute", "VR", "distinct", "all", "one patient", "commonest")
    yield _table(heads, ((*one, _common(values, one)) for one in attributes))


def _common(values: Values, one: tuple[str, str, str, int, int, int]) -> str:
    found = values.commonest(one[0], one[1], one[2], _COMMON)
    return "; ".join(f"{_short(value)} ({count:,})" for value, count in found)


def _table(heads: Sequence[str], rows: Iterable[tuple[object, ...]]) -> str:
    head = "".join(f"<th>{one}</th>" for one in heads)
    return f"<table><tr>{head}</tr>{''.join(map(_row, rows))}</table>"


def _row(cells: tuple[object, ...]) -> str:
    return f"<tr>{''.join(f'<td>{escape(_cell(one))}</td>' for one in cells)}</tr>"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
