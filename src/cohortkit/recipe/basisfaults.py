"""What the basis of a recipe forbids: options, rules, lines and kinds of ids, and where it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cohortkit.recipe import profile
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.claims import looser
from cohortkit.recipe.deid import reach
from cohortkit.recipe.model import Action, Basis, Ids, Option, PrivateElement, Recipe
from cohortkit.recipe.targets import Known

_SAFE_HARBOR: Final = "45 CFR 164.514(b)(2)"
_LIMITED: Final = "45 CFR 164.514(e)(2)"
FORBIDDEN: Final = {
    Basis.SAFE_HARBOR: {
        Option.RETAIN_FULL_DATES: f"{_SAFE_HARBOR}(i)(C) lets no date but the year through",
        Option.RETAIN_MODIFIED_DATES: f"{_SAFE_HARBOR}(i)(C): a shifted date is made from the date",
        Option.RETAIN_DEVICE_IDENTITY: f"{_SAFE_HARBOR}(i)(M) names device identifiers",
        Option.RETAIN_UIDS: f"{_SAFE_HARBOR}(i)(R) names every other unique number",
        Option.RETAIN_INSTITUTION_IDENTITY: f"{_SAFE_HARBOR}(i)(B) names places below a state",
    },
    Basis.LIMITED_DATA_SET: {
        Option.RETAIN_DEVICE_IDENTITY: f"{_LIMITED}(xiii) names device identifiers",
    },
}
"""Options that a basis forbids, and where it does; what they keep no rule may keep either."""

STRICT: Final = frozenset({Basis.SAFE_HARBOR, Basis.LIMITED_DATA_SET})
"""Bases that forbid direct identifiers, whoever acknowledges them."""

_DATES: Final = f"{_SAFE_HARBOR}(i)(C) lets no date but the year through"
_UIDS: Final = f"{_SAFE_HARBOR}(i)(R) names every other unique number"
_PASSING: Final = frozenset({Action.KEEP, Action.SHIFT, Action.MOVE})
_SHOWN: Final = 4


def find(recipe: Recipe) -> Iterator[str]:
    """Every fault, by place."""
    # what the rules ask for, were it not for the basis, which the policy holds them to
    asked = replace(recipe, basis=Basis.EXPERT_DETERMINATION)
    forbidden = FORBIDDEN.get(recipe.basis, {})
    if recipe.basis is Basis.SAFE_HARBOR and recipe.ids is not Ids.TABLE:
        yield (
            "ids: safe-harbor asks for ids that are not made from the patient's (45 CFR "
            '164.514(c)), and keyed ones are; say ids = "table", and export with a table of '
            "random ids"
        )
    for option in sorted(recipe.options):
        if option in forbidden:
            yield f"options: {recipe.basis} forbids {option}: {forbidden[option]}"
    for number, rule in enumerate(recipe.rules):
        place = f"rules[{number}]"
        if rule.action in _PASSING:
            yield from _each(place, recipe, looser(rule, asked))
        private = isinstance(rule.target, PrivateElement)
        if private and rule.action is Action.SHIFT and recipe.basis is Basis.SAFE_HARBOR:
            yield f"{place}: {recipe.basis} forbids {rule.target}: {_DATES}"
    by_line: dict[str, list[Known]] = {}
    for known, now in reach.beyond(asked):
        if now.action in _PASSING:
            by_line.setdefault(now.why.partition(": ")[0], []).append(known)
    for place, found in by_line.items():
        yield from _each(place, recipe, found)


def _each(place: str, recipe: Recipe, found: list[Known] | tuple[Known, ...]) -> Iterator[str]:
    """A line for each reason by which the basis forbids some of these attributes."""
    why: dict[str, list[str]] = {}
    for known in found:
        reason = _reason(known, recipe)
        if reason:
            why.setdefault(reason, []).append(known.name)
    for reason, names in why.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"{place}: {recipe.basis} forbids {', '.join(names[:_SHOWN])}{more}: {reason}"


def _reason(known: Known, recipe: Recipe) -> str:
    """Why the basis forbids to keep an attribute; empty where it does not."""
    if recipe.basis is Basis.SAFE_HARBOR:
        if known.vr in vrs.TEMPORAL:
            return _DATES
        if known.vr == "UI":
            return _UIDS
    row = profile.table().get(known.tag)
    forbidden = FORBIDDEN.get(recipe.basis, {})
    kept = sorted(row.keep & forbidden.keys()) if row is not None else []
    return forbidden[kept[0]] if kept else ""
