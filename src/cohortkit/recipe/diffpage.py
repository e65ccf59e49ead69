"""Two recipes compared, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

from cohortkit.recipe.model import Action

if TYPE_CHECKING:
    from cohortkit.recipe.diff import Change, Difference, Differing

_HEADS = {
    "more": "{b} lets through what {a} does not",
    "less": "{b} lets through less than {a}",
    "other": "otherwise, but not more",
}
_WIDTH = 96
_HEAD = "<tr><th>what happens<th>because<th>before<th>attributes</tr>"


def text(found: Difference) -> str:
    """A heading for each kind of change, then what is said in general, then the attributes."""
    if found.same:
        return f"{found.a} and {found.b} say the same"
    return "\n".join(_lines(found))


def _lines(found: Difference) -> Iterator[str]:
    for change in _changes():
        terms = [one for one in found.terms if one.change == change]
        groups = found.groups(change)
        if not terms and not groups:
            if change == "more":
                yield f"{found.b} lets nothing through that {found.a} does not"
            continue
        yield _head(found, change)
        yield from (f"  {one.about}: {one.words}" for one in terms)
        for (a, b, why), rows in groups.items():
            yield f"  {_step(a, b)} ({why}): {len(rows)}"
            yield from (f"    {line}" for line in wrap(_names(rows), _WIDTH))


def _changes() -> tuple[Change, ...]:
    from cohortkit.recipe.diff import Change  # noqa: PLC0415 - it imports this module

    return tuple(Change)


def _head(found: Difference, change: Change) -> str:
    count = sum(row.change is change for row in found.rows)
    noun = "attribute" if count == 1 else "attributes"
    words = _HEADS[change].format(a=found.a, b=found.b)
    return f"{words} ({count} {noun})" if count else words


def _step(a: Action, b: Action) -> str:
    return f"{a}, otherwise" if a is b else f"{a} -> {b}"


def _names(rows: Sequence[Differing]) -> str:
    return ", ".join(f"{row.attribute}{' (IDENTIFIES)' if row.direct else ''}" for row in rows)


def html(found: Difference) -> str:
    """The same, a table for each kind of change."""
    if found.same:
        return f"<p>{escape(found.a)} and {escape(found.b)} say the same</p>"
    return "".join(_parts(found))


def _parts(found: Difference) -> Iterator[str]:
    for change in _changes():
        terms = [one for one in found.terms if one.change == change]
        groups = found.groups(change)
        if not terms and not groups:
            continue
        yield f"<h4>{escape(_head(found, change))}</h4>"
        if terms:
            items = (f"<li>{escape(one.about)}: {escape(one.words)}</li>" for one in terms)
            yield f"<ul>{''.join(items)}</ul>"
        if groups:
            body = "".join(
                f"<tr><td>{escape(_step(a, b))}</td><td>{escape(why)}</td>"
                f"<td>{escape(rows[0].why_a)}</td><td>{escape(_names(rows))}</td></tr>"
                for (a, b, why), rows in groups.items()
            )
            head = (
                "<tr><th>what happens</th><th>because</th><th>before</th><th>attributes</th></tr>"
            )
            yield f"<table>{head}{body}</table>"
