"""What one recipe lets through that another does not: attribute by attribute, and all it says else.

Each attribute that the dictionary, the profile, the safe private list or either recipe knows is
decided under both. How much a decision lets through is ranked as for claims (``reach.level``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import polars as pl
from pydicom._dicom_dict import RepeatersDictionary

from cohortkit.recipe import profile, terms
from cohortkit.recipe.deid import reach
from cohortkit.recipe.deid.fields import By
from cohortkit.recipe.deid.names import PRIVATE
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Action, Decision, PrivateElement, Recipe
from cohortkit.recipe.policy import Policy
from cohortkit.recipe.targets import Known, everything, is_direct
from cohortkit.recipe.terms import Term

_COLUMNS = ("change", "attribute", "tag", "vr", "a", "b", "why_a", "why_b", "direct")


class Change(StrEnum):
    """What becomes of an attribute, or of anything else, from the first recipe to the second."""

    MORE = "more"  # the second lets more of it through
    LESS = "less"
    OTHER = "other"  # as much, but otherwise, or what cannot be compared


@dataclass(frozen=True, slots=True)
class Differing:
    """One attribute of which two recipes decide differently.

    Attributes:
        attribute: keyword, tag, or private element; behind the sequences around it where a rule
            names it by them.
        tag: as ``(gggg,eeee)``.
        a, b: what happens to it under each.
        why_a, why_b: by which rule.
        direct: it names a person or a record by itself.
    """

    change: Change
    attribute: str
    tag: str
    vr: str
    a: Action
    b: Action
    why_a: str
    why_b: str
    direct: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """Two recipes compared: prints as text, shows itself as HTML, and is a table.

    Attributes:
        a, b: their names.
        rows: attributes, in tag order.
        terms: options, pixels, faces, dates, labels and whatever else they say.
    """

    a: str
    b: str
    rows: tuple[Differing, ...]
    terms: tuple[Term, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.rows and not self.terms

    @property
    def lets_more_through(self) -> bool:
        """Whether the second lets through, anywhere, what the first does not."""
        changes = [*(row.change for row in self.rows), *(term.change for term in self.terms)]
        return Change.MORE in changes

    def groups(self, change: Change) -> dict[tuple[Action, Action, str], tuple[Differing, ...]]:
        """The attributes of one kind of change by what happens to them and the rule that does it.

        The rule is the second recipe's, and where that lets less through, too.
        """
        found: dict[tuple[Action, Action, str], list[Differing]] = {}
        for row in self.rows:
            if row.change is change:
                found.setdefault((row.a, row.b, row.why_b), []).append(row)
        return {key: tuple(rows) for key, rows in found.items()}

    def to_polars(self) -> pl.DataFrame:
        """A row an attribute: change, attribute, tag, vr, a, b, why_a, why_b, direct."""
        return pl.DataFrame(
            [self._row(row) for row in self.rows],
            schema=dict.fromkeys(_COLUMNS[:-1], pl.String) | {"direct": pl.Boolean},
        )

    def summary(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "lets_more_through": self.lets_more_through,
            "attributes": [self._row(row) for row in self.rows],
            "terms": [
                {"change": str(one.change), "about": one.about, "words": one.words}
                for one in self.terms
            ],
        }

    @staticmethod
    def _row(row: Differing) -> dict[str, object]:
        cells = (getattr(row, name) for name in _COLUMNS)
        return {
            n: c if isinstance(c, bool) else str(c) for n, c in zip(_COLUMNS, cells, strict=True)
        }

    def __str__(self) -> str:
        from cohortkit.recipe.diffpage import text  # noqa: PLC0415 - needs this module

        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from cohortkit.recipe.diffpage import html  # noqa: PLC0415 - needs this module

        return html(self)


def diff(a: str | Recipe, b: str | Recipe) -> Difference:
    """What the second recipe lets through that the first does not, and the other way round.

    Args:
        a: a recipe, or the name or path of one.
        b: the other.

    Raises:
        RecipeError: one of them has faults.
    """
    one, other = load_recipe(a), load_recipe(b)
    return Difference(
        one.name, other.name, tuple(_attributes(one, other)), tuple(terms.differing(one, other))
    )


def _attributes(a: Recipe, b: Recipe) -> Iterator[Differing]:
    policies = Policy(a), Policy(b)
    for within, known in _places(policies):
        vr = known.vr or "UN"
        first, second = (policy.decide(known.tag, vr, None, within) for policy in policies)
        before = "".join(f"{part}." for part in within.split("__") if part)
        yield from _differing(replace(known, keyword=before + known.name), first, second)
    yield from _added(policies)
    for target in _private(a, b):
        safe = profile.listed_private().get((target.group, target.creator, target.element))
        vr = safe.vr if safe else ""
        tag = (target.group << 16) | 0x1000 | target.element
        first, second = (policy.decide(tag, vr or "UN", target.creator) for policy in policies)
        yield from _differing(Known(tag, str(target), vr), first, second)


def _differing(known: Known, a: Decision, b: Decision) -> Iterator[Differing]:
    """A row where both decisions differ; its keyword is what the attribute is called there."""
    change = _change(a, b)
    if change is None:
        return
    group, element = known.tag >> 16, known.tag & 0xFFFF
    block = f"xx{element & 0xFF:02x}" if group % 2 else f"{element:04x}"
    yield Differing(
        change,
        known.keyword,
        f"({group:04x},{block})",
        known.vr,
        a.action,
        b.action,
        a.why,
        b.why,
        is_direct(known),
    )


def _change(a: Decision, b: Decision) -> Change | None:
    """None where both let the same through: that they give other reasons is no difference."""
    before, after = _through(a), _through(b)
    if before != after:
        return Change.MORE if after > before else Change.LESS
    return None if _deed(a) == _deed(b) else Change.OTHER


def _through(decision: Decision) -> tuple[int, bool]:
    return reach.level(decision), reach.level(decision) > 0 and not decision.valid_only


def _deed(decision: Decision) -> tuple[object, ...]:
    other = None if decision.otherwise is None else _deed(decision.otherwise)
    return decision.action, decision.given, other


def _places(policies: Iterable[Policy]) -> Iterator[tuple[str, Known]]:
    """Standard attributes, one of each repeating group, and what lines name inside sequences."""
    yield from (("", known) for known in everything())
    yield from (("", known) for known in _repeating())
    inside = {
        place: None
        for policy in policies
        if policy.lines is not None
        for place in policy.lines.nested()
    }
    yield from inside


def _repeating() -> Iterator[Known]:
    for mask, (vr, _, _, _, keyword) in RepeatersDictionary.items():
        digits = mask.replace("x", "0")
        if keyword and int(digits[:4], 16) % 2 == 0:
            yield Known(int(digits, 16), keyword, vr)


def _added(policies: tuple[Policy, Policy]) -> Iterator[Differing]:
    """Attributes that lines put there, whether they were or not."""
    first, second = (policy.lines.added() if policy.lines else {} for policy in policies)
    known = {one.tag: one for one in everything()}
    for tag in sorted(first.keys() ^ second.keys()):
        one = known[tag]
        decisions = [
            policy.by_line(said[tag], tag, one.vr, None) if tag in said else None
            for policy, said in zip(policies, (first, second), strict=True)
        ]
        absent = Decision(Action.REMOVE, "not added")
        before, after = (decision or absent for decision in decisions)
        yield from _differing(replace(one, keyword=f"{one.name} (added)"), before, after)


def _private(a: Recipe, b: Recipe) -> list[PrivateElement]:
    """Private elements that the safe list or either recipe names."""
    found = {PrivateElement(*key) for key in profile.listed_private()}
    for recipe in (a, b):
        found |= {r.target for r in recipe.rules if isinstance(r.target, PrivateElement)}
        fields = [one for line in recipe.script.lines for one in line.fields]
        words = [one.word for one in fields if one.by is By.NAME]
        for match in filter(None, map(PRIVATE.fullmatch, words)):
            found.add(PrivateElement(int(match[1], 16), match[2], int(match[3], 16)))
    return sorted(found, key=lambda one: (one.group, one.creator, one.element))
