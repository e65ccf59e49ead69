"""Lines done one after the other, each to all elements that it means at that moment.

That is how deid goes about it always. It matters where a line looks at values, which earlier
lines may have changed, or calls a function, which may look at the whole dataset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydicom.multival import MultiValue

from cohortkit.compat.elements import Change, Live
from cohortkit.compat.script import Line, Script
from cohortkit.recipe.deid.fields import By, Finder


def in_order(script: Script, change: Change, lives: list[Live]) -> None:
    """Every line of the recipe, in order."""
    lists = _Lists(script, lives)
    change.item.update(lists.values)
    for number, line in enumerate(script.lines):
        if line.verb == "ADD":
            _add(script, change, line, lives)
            continue
        for live in [one for one in lives if one.there and lists.means(number, line, one, change)]:
            if live.there:
                change.do(line, live)


def _add(script: Script, change: Change, line: Line, lives: list[Live]) -> None:
    tag, _ = change.target(line.written)
    there = next((o for o in lives if o.tag == tag and o.parent is None and o.there), None)
    live = change.add(script, line, there)
    if live is not None and live is not there:
        lives.append(live)


class _Lists:
    """The ``%values`` and ``%fields`` lists of one dataset, before anything is changed."""

    def __init__(self, script: Script, lives: Sequence[Live]) -> None:
        self.values = {
            name: list(_values(lines, lives)) for name, lines in script.lists["values"].items()
        }
        self._tags = {
            name: {live.tag for live in _meant(lines, lives)}
            for name, lines in script.lists["fields"].items()
        }

    def means(self, number: int, line: Line, live: Live, change: Change) -> bool:
        """Whether a line means an element as it is now."""
        field = line.field
        if field is not None and field.by is By.FIELDS:
            return live.tag in self._tags.get(field.word, ())
        if field is not None and field.by is By.VALUES:
            values = [str(one) for one in change.item.get(field.word, ())]
            return bool(values) and _holds(live, f"({'|'.join(values)})")
        return number in live.kind.lines


def _holds(live: Live, expression: str) -> bool:
    value = live.element().value
    values = value if isinstance(value, list) else [value]
    return any(re.search(expression, str(one), re.IGNORECASE) for one in values)


def _meant(lines: Iterable[Line], lives: Sequence[Live]) -> Iterator[Live]:
    finder = Finder([line.field for line in lines if line.verb == "FIELD"])
    return (live for live in lives if finder.find(live.kind.names))


def _values(lines: Iterable[Line], lives: Sequence[Live]) -> set[object]:
    found: set[object] = set()
    for line in lines:
        finder = Finder([line.field])
        for live in lives:
            if finder.find(live.kind.names):
                value = live.element().value
                found |= _whole(value) if line.verb == "FIELD" else _split(value, line.value)
    return found


def _whole(value: object) -> set[object]:
    if value in ("", None):
        return set()
    return set(value) if isinstance(value, MultiValue) else {value}


def _split(value: object, written: str | None) -> set[object]:
    by, least = " ", 1
    for name, said in _parameters(written).items():
        if name == "minlength":
            least = int(said)
        elif name == "by":
            by = said.strip("'").strip('"')
    return {one for one in (str(value) or "").split(by) if len(one) >= least}


def _parameters(written: str | None) -> Mapping[str, str]:
    if written is None:
        return {}
    pairs = (one.split("=") for one in written.split(";"))
    return {name.strip(): value.strip() for name, value in pairs}
