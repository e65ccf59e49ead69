"""From the plain data of a recipe file to a Recipe, or every fault at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cohortkit.dicom import keywords
from cohortkit.protocols import Defacer
from cohortkit.recipe import entries, facefaults, faults, pixelrules
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.draft import Draft
from cohortkit.recipe.model import (
    BLOCK,
    Action,
    Attribute,
    DatePolicy,
    EveryVR,
    FacePolicy,
    Label,
    Matching,
    PixelAcceptance,
    PixelPolicy,
    PrivateElement,
    Recipe,
    Rule,
    Target,
    Temporal,
)
from cohortkit.recipe.policy import cleans
from cohortkit.recipe.text import TextPolicy
from cohortkit.recipe.words import Heads


def parse(
    document: Mapping[str, Any], name: str, defacers: Mapping[str, Defacer] | None = None
) -> tuple[Recipe, tuple[str, ...]]:
    """A recipe and its faults; where there are any, the recipe is what is left without them.

    What is faulty by itself is left out before the rest is looked at for contradictions, so that
    one mistake hides no other.
    """
    draft = Draft(document)
    entry = draft.read()
    recipe = replace(_recipe(entry, name), faces=_faces(entry.faces, defacers or {}))
    found = draft.faults
    if not document:
        found = ["(the whole file): the recipe is empty; it needs a basis at least"]
    found += _said_twice(entry)
    found += _idle(entry, recipe)
    found += _idle_text(recipe)
    found += facefaults.idle(entry.faces.method, entry.faces.depth_mm, recipe.faces, defacers or {})
    told = {line.partition(": ")[0] for line in found}
    later = (draft.renumbered(line) for line in faults.find(recipe, basis=draft.basis))
    # what is left without a faulty word lacks it: that is no second mistake
    found += [line for line in later if line.partition(": missing")[0] not in told]
    return recipe, tuple(sorted(dict.fromkeys(found), key=_order(document)))


def _recipe(entry: entries.RecipeEntry, name: str) -> Recipe:
    return Recipe(
        name=name,
        basis=entry.basis,
        title=entry.title or name,
        description=entry.description or "",
        profile=entry.profile.value,
        options=frozenset(entry.options),
        rules=tuple(
            Rule(_target(rule), rule.action, rule.reason or "", rule.acknowledge is not None)
            for rule in entry.rules
        ),
        unlisted=entry.unlisted,
        pixels=PixelPolicy(
            tuple(
                PixelAcceptance(frozenset(a.risks), a.reason, a.modality, a.sop_class)
                for a in entry.pixels.accept
            ),
            rules=pixelrules.rules(entry.pixels),
            recompress=entry.pixels.recompress,
        ),
        dates=_dates(entry.dates),
        default_issuer=entry.default_issuer or "",
        labels=tuple(Label(column, kind) for column, kind in entry.labels.items()),
        text=TextPolicy(tuple(entry.text.words), entry.text.patients),
        ids=entry.ids,
        safe_private=entry.safe_private,
    )


def _faces(entry: entries.FacesEntry, defacers: Mapping[str, Defacer]) -> FacePolicy:
    method = entry.method or BLOCK
    return FacePolicy(
        accept_heads=entry.heads is Heads.ACCEPT,
        accept_unknown=entry.unknown_body_part is Heads.ACCEPT,
        reason=entry.reason or "",
        deface_heads=entry.heads is Heads.DEFACE,
        deface_unknown=entry.unknown_body_part is Heads.DEFACE,
        method=method,
        depth=FacePolicy().depth if entry.depth_mm is None else entry.depth_mm,
        defacer=defacers.get(method),
    )


def _dates(entry: entries.DatesEntry | None) -> DatePolicy:
    if entry is None:
        return DatePolicy()
    low, high = entry.shift_days
    return DatePolicy(low, high, entry.same_weekday)


def _target(rule: entries.RuleEntry) -> Target:
    if rule.private is not None:
        private = rule.private
        return PrivateElement(int(private.group, 16), private.creator, int(private.element, 16))
    if rule.pattern is not None:
        return Matching(rule.pattern)
    if rule.vr is not None:
        return EveryVR(rule.vr)
    if rule.tag is not None:
        tag = int(rule.tag[1:5] + rule.tag[6:10], 16)
        return Attribute(tag, vrs.keyword_of(tag))
    found = keywords.tag_of(rule.keyword or "")
    assert found is not None  # the form has checked the keyword
    return Attribute(found, rule.keyword or "")


def _said_twice(entry: entries.RecipeEntry) -> Iterator[str]:
    for option in dict.fromkeys(entry.options):
        if entry.options.count(option) > 1:
            yield f"options: {option} is there twice"


def _idle(entry: entries.RecipeEntry, recipe: Recipe) -> Iterator[str]:
    shifting = recipe.temporal is Temporal.MODIFIED or any(
        rule.action is Action.SHIFT for rule in recipe.rules
    )
    if entry.dates is not None and not shifting:
        yield "dates.shift_days: nothing is shifted; that is the option retain-modified-dates"


def _idle_text(recipe: Recipe) -> Iterator[str]:
    if not recipe.text.plain and not cleans(recipe):
        yield "text: nothing is cleaned; that is the option clean-descriptors"


def _order(document: Mapping[str, Any]) -> Callable[[str], tuple[int, int]]:
    """Faults in the order of the file; what is missing comes first."""
    tops = {top: place for place, top in enumerate(document, start=1)}

    def key(fault: str) -> tuple[int, int]:
        place = fault.split(":", maxsplit=1)[0]
        number = re.search(r"\[(\d+)\]", place)
        return tops.get(re.split(r"[.\[]", place)[0], 0), int(number[1]) if number else -1

    return key
