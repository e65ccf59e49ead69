"""What the rules of a recipe must not say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from cohortkit.recipe import targets
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.claims import looser
from cohortkit.recipe.model import (
    Action,
    Attribute,
    EveryVR,
    Matching,
    PrivateElement,
    Recipe,
    Rule,
    Temporal,
)
from cohortkit.recipe.policy import FIXED, safe_private

NEVER = frozenset({0x00100030, 0x00100033, 0x00100034})
"""PatientBirthDate, and dates of birth and death in words: no rule keeps or shifts them."""
PIXELS = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Pixel data, which [pixels] and [faces] judge."""

_REVEALING = frozenset({Action.KEEP, Action.SHIFT, Action.UID, Action.CAP_AGE, Action.CLEAN})
_NEEDED_VRS = {
    Action.UID: frozenset({"UI"}),
    Action.SHIFT: vrs.DATED,
    Action.CAP_AGE: frozenset({"AS"}),
    Action.CLEAN: vrs.FREE_TEXT,
}
_SHOWN = 4


def find(recipe: Recipe, *, strict: bool) -> Iterator[str]:
    """Every fault of the rules, in their order.

    Args:
        recipe: to be looked at.
        strict: whether the basis forbids direct identifiers whoever acknowledges them.
    """
    seen: dict[object, int] = {}
    for number, rule in enumerate(recipe.rules):
        place = f"rules[{number}]"
        if rule.target in seen:
            yield f"{place}: {rule.target} has a rule already, rules[{seen[rule.target]}]"
            continue
        seen[rule.target] = number
        yield from _where(rule, place)
        yield from _action(rule, place)
        yield from _shift_given_away(rule, recipe, place)
        yield from _reasons(rule, recipe, place, strict=strict)
    yield from _conflicts(recipe)


def _where(rule: Rule, place: str) -> Iterator[str]:
    if isinstance(rule.target, Matching) and not targets.expand(rule.target):
        yield f"{place}.pattern: no keyword fits {rule.target.pattern!r}"
    if not isinstance(rule.target, Attribute):
        return
    tag = rule.target.tag
    group = tag >> 16
    if tag & 0xFFFF == 0 or group < 0x0008:  # noqa: PLR2004 - the first group of an object
        yield f"{place}: {rule.target} is no part of an object; it is rebuilt or goes"
    elif group >> 8 in (0x50, 0x60):
        yield f"{place}: {rule.target}: curves and overlays go whole in this version"
    elif tag in FIXED:
        yield f"{place}: {rule.target}: {FIXED[tag].why}"
    elif tag in PIXELS:
        yield f"{place}: {rule.target}: pixels are judged by [pixels] and [faces]"


def _action(rule: Rule, place: str) -> Iterator[str]:
    needed = _NEEDED_VRS.get(rule.action)
    if needed is None or isinstance(rule.target, PrivateElement):
        return
    wrong = [k for k in targets.expand(rule.target) if k.vr and not needed & {*k.vr.split(" or ")}]
    if isinstance(rule.target, EveryVR) and rule.target.vr not in needed:
        yield f"{place}.action: {rule.action} is for VR {_list(needed)}"
    elif wrong and not isinstance(rule.target, EveryVR):
        time = " (the shift is of whole days, so a time would stay: say keep)"
        why = time if rule.action is Action.SHIFT and any(k.vr == "TM" for k in wrong) else ""
        yield f"{place}.action: {rule.action} is for VR {_list(needed)}, not {_names(wrong)}{why}"


def _shift_given_away(rule: Rule, recipe: Recipe, place: str) -> Iterator[str]:
    """A true date beside a shifted one of the same patient gives the shift away."""
    dated = [k for k in targets.expand(rule.target) if k.vr in vrs.DATED]
    if rule.action is Action.KEEP and recipe.temporal is Temporal.MODIFIED and dated:
        yield (
            f"{place}.action: keep would leave {_names(dated)} unshifted beside shifted dates, "
            "which gives the shift away; say shift"
        )
    if rule.action is Action.SHIFT and recipe.temporal is Temporal.UNMODIFIED:
        yield f"{place}.action: shift beside the true dates of retain-full-dates gives it away"
    if (
        rule.action is Action.SHIFT
        and recipe.temporal is Temporal.REMOVED
        and any(r.action is Action.KEEP and _dates(r) for r in recipe.rules)
    ):
        yield f"{place}.action: shift beside dates that another rule keeps gives it away"


def _dates(rule: Rule) -> bool:
    return any(k.vr in vrs.DATED for k in targets.expand(rule.target))


def _reasons(rule: Rule, recipe: Recipe, place: str, *, strict: bool) -> Iterator[str]:
    if rule.action not in _REVEALING:
        if rule.acknowledged:
            yield f"{place}.acknowledge: the rule keeps nothing"
        return
    more = looser(rule, recipe)
    birth = [k for k in targets.expand(rule.target) if k.tag in NEVER]
    if birth:
        yield f"{place}: never kept, not even shifted: {_names(birth)}; PatientAge may be"
    if (more or _unsafe_private(rule, recipe)) and not rule.reason:
        what = _names(more) if more else str(rule.target)
        yield f"{place}.reason: missing; {what} would go without this rule, so say why it stays"
    direct = [k for k in more if targets.is_direct(k) and k.tag not in NEVER]
    if direct and strict:
        yield f"{place}: {recipe.basis} forbids direct identifiers: {_names(direct)}"
    elif direct and not rule.acknowledged:
        yield (
            f"{place}.acknowledge: missing; this keeps what identifies by itself "
            f'({_names(direct)}); to keep it all the same, write "keeps-a-direct-identifier"'
        )


def _unsafe_private(rule: Rule, recipe: Recipe) -> bool:
    if not isinstance(rule.target, PrivateElement):
        return False
    key = (rule.target.group, rule.target.creator, rule.target.element)
    return key not in safe_private(recipe)


def _conflicts(recipe: Recipe) -> Iterator[str]:
    """Two patterns that say different things of one attribute which no rule of its own settles."""
    settled = {rule.target.tag for rule in recipe.rules if isinstance(rule.target, Attribute)}
    patterns = [
        (number, rule, {k for k in targets.expand(rule.target) if k.tag not in settled})
        for number, rule in enumerate(recipe.rules)
        if isinstance(rule.target, Matching)
    ]
    for (first, one, some), (second, other, others) in combinations(patterns, 2):
        if one.action is not other.action and one.target != other.target and some & others:
            yield (
                f"rules[{second}]: rules[{first}] says something else of "
                f"{_names(sorted(some & others, key=lambda k: k.tag))}; give it a rule of its own"
            )


def _names(known: list[targets.Known] | tuple[targets.Known, ...]) -> str:
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(k.name for k in known[:_SHOWN]) + more


def _list(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))
