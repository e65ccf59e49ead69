"""What a recipe may claim: the deeds of PS3.15 Annex E that it does in full, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cohortkit.recipe import profile, targets
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.deid import reach
from cohortkit.recipe.deid.lines import Script
from cohortkit.recipe.model import (
    BASIC_CODE,
    BLOCK,
    CODES,
    Action,
    Claims,
    Ids,
    Option,
    PixelRisk,
    PrivateElement,
    Recipe,
    Rule,
    SafeList,
    Temporal,
    Unlisted,
)
from cohortkit.recipe.policy import TEXT_VALUE, Policy, cleans, safe_private

_METHOD_LIMIT = 64
_FACES = Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES
_OUTSIDE = {
    Unlisted.BY_RULE: "by rule",
    Unlisted.CLEAN: "by rule, text cleaned",
    Unlisted.KEEP: "by rule, text kept",
}


def claims(recipe: Recipe, *, defaced: bool = False) -> Claims:
    """What (0012,0062), (0012,0063), (0012,0064) and (0028,0303) may say.

    113102 is claimed of a series that was defaced and of no other.

    An option that a rule cuts short is not claimed, and then the profile is not either, since
    what the rest of the option keeps would stand unsaid. A rule that keeps more than profile
    and options drops the profile. A direct identifier that is kept, or pixels accepted although
    they are stated to hold names, make the identity not removed.
    """
    beyond, cut = _against_the_profile(recipe)
    done = recipe.options if defaced else recipe.options - {_FACES}
    codes = [CODES[option] for option in sorted(done - cut, key=CODES.__getitem__)]
    if not beyond and not cut:
        codes.insert(0, BASIC_CODE)
    identity = "NO" if _keeps_identity(recipe) else "YES"
    method = _method(recipe, done, beyond=beyond)
    return Claims(tuple(codes), identity, _temporal(recipe), method)


def looser(rule: Rule, recipe: Recipe) -> tuple[targets.Known, ...]:
    """The standard attributes of which a rule lets more through than profile and options do."""
    without = Policy(replace(recipe, rules=(), script=Script()))
    by_rule = Policy(replace(recipe, script=Script()))
    return tuple(
        known
        for known in targets.expand(rule.target)
        if _level(by_rule, known) > _level(without, known)
    )


def _level(policy: Policy, known: targets.Known) -> int:
    return reach.level(policy.decide(known.tag, known.vr or "UN", None))


def _against_the_profile(recipe: Recipe) -> tuple[bool, frozenset[Option]]:
    """Whether a rule keeps more than profile and options; which options a rule cuts short."""
    without = Policy(replace(recipe, rules=(), script=Script()))
    by_rule = Policy(replace(recipe, script=Script()))
    beyond = reach.reveals_private(recipe) or recipe.unlisted is Unlisted.KEEP
    cut: set[Option] = set()
    for known, decision, other in reach.decided(recipe):
        now, then = reach.level(decision), reach.level(other)
        beyond |= now > then
        cut |= _cut_short(known, now, then) & recipe.options
    for rule in recipe.rules:
        if isinstance(rule.target, PrivateElement):
            more, options = _private(rule.target, rule.action, recipe)
            beyond |= more
            cut |= options
            continue
        for known in targets.expand(rule.target):
            then, now = _level(without, known), _level(by_rule, known)
            beyond |= now > then
            cut |= _cut_short(known, now, then) & recipe.options
    return beyond, frozenset(cut)


def _cut_short(known: targets.Known, now: int, then: int) -> frozenset[Option]:
    """Options that are not applied in full where this much is let through, and not that much.

    Less than an option lets through, or text as it is that the option would have cleaned.
    """
    row = profile.table().get(known.tag)
    if known.tag == TEXT_VALUE and now > then:
        return frozenset({Option.CLEAN_STRUCTURED_CONTENT})
    if row is None or now == then:
        return frozenset()
    return row.keep | row.clean if now < then else row.clean & {Option.CLEAN_DESCRIPTORS}


def _private(
    target: PrivateElement, action: Action, recipe: Recipe
) -> tuple[bool, frozenset[Option]]:
    key = (target.group, target.creator, target.element)
    safe = key in safe_private(recipe)
    reveals = action in (Action.KEEP, Action.SHIFT, Action.CAP_AGE, Action.UID)
    cut = frozenset({Option.RETAIN_SAFE_PRIVATE}) if safe and not reveals else frozenset()
    return reveals and not safe, cut


def _revealed(recipe: Recipe) -> Iterator[tuple[targets.Known, Action]]:
    policy = Policy(recipe)
    for rule in recipe.rules:
        for known in looser(rule, recipe):
            yield known, policy.decide(known.tag, known.vr or "UN", None).action
    for known, now in reach.beyond(recipe):
        yield known, now.action


def _keeps_identity(recipe: Recipe) -> bool:
    if any(PixelRisk.STATED_YES in item.risks for item in recipe.pixels.accept):
        return True
    # What a function makes of an identifier is searched for the identifier (Action.SET).
    return any(
        targets.is_direct(known) and action is not Action.SET for known, action in _revealed(recipe)
    )


def _temporal(recipe: Recipe) -> Temporal:
    """The weakest that is true of any object: retain-device-identity keeps true dates (E.3.7).

    Its K on calibrations, and on the moment of a treatment (300C,0127), leaves them beside dates
    that are gone; where dates are shifted C goes before K.
    """
    if recipe.temporal is not Temporal.REMOVED:
        return recipe.temporal
    if Option.RETAIN_DEVICE_IDENTITY in recipe.options:
        return Temporal.UNMODIFIED
    actions = {action for known, action in _revealed(recipe) if known.vr in vrs.TEMPORAL}
    if Action.KEEP in actions:
        return Temporal.UNMODIFIED
    moved = {Action.SHIFT, Action.MOVE}
    return Temporal.MODIFIED if moved & actions else Temporal.REMOVED


def _method(recipe: Recipe, done: frozenset[Option], *, beyond: bool) -> tuple[str, ...]:
    lines = [
        f"PS3.15 Annex E basic profile, edition {profile.BASIC_EDITION}",
        *(f"option {option}" for option in sorted(done)),
        f"attributes outside the table: {_OUTSIDE[recipe.unlisted]}",
        f"basis: {recipe.basis}",
        f"recipe {recipe.digest[:16]} {recipe.name}",
    ]
    kept = "some keep more than the profile" if beyond else "none keeps more than the profile"
    if cleans(recipe):
        lines.insert(-2, "text: known values, telling forms and unknown words removed")
    if Option.CLEAN_GRAPHICS in recipe.options:
        lines.insert(-2, "graphics: texts are dummies or cleaned; overlays, curves go whole")
    if _FACES in done:
        lines.insert(-2, f"faces: {_defaced(recipe)}; no guarantee")
    if recipe.rules:
        lines.insert(-2, f"{len(recipe.rules)} rules of the recipe; {kept}")
    if recipe.safe_private is SafeList.NUMBERS:
        lines.insert(-2, "private: Table E.3.10-1, and numbers that another list holds")
    if recipe.ids is Ids.TABLE:
        lines.insert(-2, "ids: out of a table; none made here from what it replaces")
    if recipe.script.lines:
        lines.insert(-2, f"{len(recipe.script.lines)} lines of {recipe.script.language}; {kept}")
    return tuple(line[:_METHOD_LIMIT].rstrip() for line in lines)


def _defaced(recipe: Recipe) -> str:
    faces = recipe.faces
    if faces.method == BLOCK:
        return f"blanked outside a block {faces.depth} mm below skin"
    return f"blanked by method {faces.method}"
