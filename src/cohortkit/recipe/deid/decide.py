"""What the lines of a recipe in deid's language say of one element: asked once for each kind.

As in deid, a KEEP goes before everything but ADD, a REMOVE gives way to any REPLACE or JITTER of
the same element, and of the rest the last line counts. ADD is for the top level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cohortkit.recipe import vr as vrs
from cohortkit.recipe.deid.fields import By, Finder, Names
from cohortkit.recipe.deid.lines import Line, Script, Source, Verb
from cohortkit.recipe.deid.names import meant, names_of, within_of
from cohortkit.recipe.deid.values import KEYED
from cohortkit.recipe.model import Action
from cohortkit.recipe.profile import direct_identifiers
from cohortkit.recipe.targets import Known

OBJECT_UIDS = frozenset({0x00080016, 0x00080018, 0x0020000D, 0x0020000E})
"""Without these no object is one: a line that would take them away gives them new values."""
BIRTH = frozenset({0x00100030, 0x00100033, 0x00100034})
"""Dates of birth and death, which nothing keeps or moves."""
_NO_TEXT = frozenset({"SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT"})


@dataclass(frozen=True, slots=True)
class Said:
    """What the lines say of an element.

    Attributes:
        line: the one that decides.
        asked: a function decides whether it is removed, and if not, ``otherwise`` holds.
    """

    action: Action
    line: Line
    asked: bool = False
    otherwise: Said | None = None


class Lines:
    """The lines of a script, ready to be asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._lines = [line for line in script.lines if not line.values]
        self._owners: list[int] = []
        fields = []
        for number, line in enumerate(self._lines):
            for one in line.fields:
                self._owners.append(number)
                fields.append(one)
        self._finder = Finder(fields)

    def said(self, tag: int, vr: str, creator: str | None, within: str = "") -> Said | None:
        """What is said of an element, ADD aside; None where nothing is."""
        return self._fold(self._meaning(names_of(tag, vr, creator, within)), vr, adding=False)

    def added(self) -> dict[int, Said]:
        """The elements of the top level that ADD lines leave there."""
        found = {}
        for known in dict.fromkeys(self._added()):
            vr = known.vr.split(" or ")[0]
            lines = self._meaning(names_of(known.tag, vr, None))
            first = next(n for n, line in enumerate(lines) if line.verb is Verb.ADD)
            # What stands before the first ADD is about a value that the ADD writes over.
            said = self._fold(lines[first:], vr, adding=True)
            if said is not None and said.action is not Action.REMOVE:
                found[known.tag] = said
        return found

    def _added(self) -> Iterator[Known]:
        for line in self._lines:
            if line.verb is Verb.ADD:
                yield from meant(line.fields[0])[:1]

    def _meaning(self, names: Names) -> list[Line]:
        owners = dict.fromkeys(self._owners[n] for n in self._finder.find(names))
        return [self._lines[owner] for owner in sorted(owners)]

    def _fold(self, lines: list[Line], vr: str, *, adding: bool) -> Said | None:
        keep = next((one for one in lines if one.verb is Verb.KEEP), None)
        if keep is not None and not adding:
            return Said(Action.KEEP, keep)
        spared = any(one.verb in (Verb.REPLACE, Verb.JITTER) for one in lines)
        said: Said | None = None
        for line in lines:
            said = _next(said, line, vr, spared=spared, adding=adding)
        return said

    def nested(self) -> Iterator[tuple[str, Known]]:
        """Elements that lines name by the sequences around them."""
        for line in self._lines:
            for one in line.fields:
                if within := within_of(one):
                    yield from ((within, known) for known in meant(one))


def _next(said: Said | None, line: Line, vr: str, *, spared: bool, adding: bool) -> Said | None:
    """What is said after one more line."""
    new = said
    match line.verb:
        case Verb.ADD if adding:
            new = Said(Action.SET, line)
        case Verb.REPLACE if not _out_of_place(line, vr):
            new = Said(_replacing(line, vr), line)
        case Verb.JITTER if vr in vrs.DATED and not adding:
            new = Said(Action.MOVE, line)
        case Verb.BLANK:
            new = Said(Action.EMPTY, line)
        case Verb.REMOVE if not spared:
            asked = line.given is not None
            new = Said(Action.REMOVE, line, asked, said if asked else None)
    return new


def _out_of_place(line: Line, vr: str) -> bool:
    """A text for everything that an expander finds is none for what can hold no text."""
    return vr in _NO_TEXT and not line.exact


def _replacing(line: Line, vr: str) -> Action:
    given = line.given
    own = given is not None and given.source is Source.OWN
    if own and given is not None and given.text not in KEYED:
        return Action.MOVE if vr in vrs.DATED else Action.EMPTY
    return Action.UID if own and vr == "UI" else Action.SET


def keeps_direct(line: Line) -> tuple[Known, ...]:
    """Direct identifiers that a KEEP line means."""
    if line.verb is not Verb.KEEP:
        return ()
    return tuple(
        known
        for one in line.fields
        for known in meant(one)
        if known.vr == "PN" or known.tag in direct_identifiers()
    )


def names_private(line: Line) -> bool:
    """Whether a line can mean a private element by its creator."""
    return any('"' in one.word for one in line.fields if one.by is not By.VALUES)
