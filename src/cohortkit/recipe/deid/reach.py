"""What lines in deid's language let through beyond profile and options: for claims and faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cohortkit.recipe.deid.decide import names_private
from cohortkit.recipe.deid.fields import By
from cohortkit.recipe.deid.lines import Line, Script, Source, Verb
from cohortkit.recipe.deid.names import PRIVATE
from cohortkit.recipe.model import Action, Decision, Recipe
from cohortkit.recipe.policy import Policy, safe_private
from cohortkit.recipe.targets import Known, everything

_REVEALS = {
    Action.KEEP: 3,
    Action.MOVE: 2,
    Action.SHIFT: 2,
    Action.CAP_AGE: 2,
    Action.CLEAN: 2,
    Action.UID: 1,
}


def level(decision: Decision) -> int:
    """How much of a source value a decision lets through; what a function makes is not known."""
    made = decision.given is not None and decision.given.source is Source.FUNCTION
    if decision.action is Action.SET and made:
        return _REVEALS[Action.KEEP]
    inner = 0 if decision.otherwise is None else level(decision.otherwise)
    return max(_REVEALS.get(decision.action, 0), inner)


def decided(recipe: Recipe) -> Iterator[tuple[Known, Decision, Decision]]:
    """Each attribute of which a line speaks: what happens to it, and what would without lines."""
    by_line, without = Policy(recipe), Policy(replace(recipe, script=Script()))
    if by_line.lines is None:
        return
    places = [*(("", known) for known in everything()), *by_line.lines.nested()]
    for within, known in places:
        vr = known.vr or "UN"
        said = by_line.lines.said(known.tag, vr, None, within)
        now = None if said is None else by_line.decide(known.tag, vr, None, within)
        if now is not None:
            yield known, now, without.decide(known.tag, vr, None, within)
    for tag, said in by_line.lines.added().items():
        known = next(one for one in everything() if one.tag == tag)
        now = by_line.by_line(said, tag, known.vr, None)
        if now is not None:
            yield known, now, without.decide(tag, known.vr, None)


def beyond(recipe: Recipe) -> list[tuple[Known, Decision]]:
    """The attributes of which lines let more through than rules, profile and options do."""
    return [(known, now) for known, now, then in decided(recipe) if level(now) > level(then)]


def reveals_private(recipe: Recipe) -> bool:
    """Whether a line lets a private element through that is not known to be safe."""
    return any(
        line.verb in (Verb.KEEP, Verb.REPLACE, Verb.JITTER)
        and names_private(line)
        and _reveals(line)
        and not _safe(line, recipe)
        for line in recipe.script.lines
    )


def _reveals(line: Line) -> bool:
    return line.verb is not Verb.REPLACE or (
        line.given is not None and line.given.source is Source.FUNCTION
    )


def _safe(line: Line, recipe: Recipe) -> bool:
    listed = {(group, creator.lower(), e) for group, creator, e in safe_private(recipe)}
    matches = [PRIVATE.fullmatch(one.word) for one in line.fields if one.by is By.NAME]
    keys = [(int(m[1], 16), m[2], int(m[3], 16)) for m in matches if m]
    return len(keys) == len(line.fields) and set(keys) <= listed
