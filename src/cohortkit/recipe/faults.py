"""What a recipe must not say: contradictions, and what this version does not do.

Each fault is one line, ``place: what is wrong``, with the place as in the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cohortkit.dicom import keywords
from cohortkit.recipe import basisfaults, facefaults, pixelrules, rulefaults
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.basisfaults import STRICT
from cohortkit.recipe.deid import checks
from cohortkit.recipe.model import (
    Action,
    LabelType,
    Option,
    PixelRisk,
    Recipe,
    SafeList,
    Temporal,
    Unlisted,
)
from cohortkit.recipe.policy import Policy
from cohortkit.recipe.rulefaults import NEVER

_LONGEST_SHIFT = 36_500
_LEAST_SHIFTS = 30


def find(recipe: Recipe, *, basis: bool = True) -> tuple[str, ...]:
    """Every fault of a recipe whose words are all known.

    Args:
        recipe: to be looked at.
        basis: whether its basis is what the file says, and no stand-in for a faulty one.
    """
    return (
        *(basisfaults.find(recipe) if basis else ()),
        *_options(recipe),
        *_dates(recipe),
        *facefaults.find(recipe, basis=basis),
        *_pictures(recipe, basis=basis),
        *pixelrules.find(recipe),
        *rulefaults.find(recipe, strict=basis and recipe.basis in STRICT),
        *_labels(recipe),
        *checks.find(recipe),
    )


def _options(recipe: Recipe) -> Iterator[str]:
    if {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES} <= recipe.options:
        yield "options: retain-full-dates contradicts retain-modified-dates; choose one"
    if recipe.safe_private is SafeList.NUMBERS and Option.RETAIN_SAFE_PRIVATE not in recipe.options:
        yield "safe_private: no private element stays; that is the option retain-safe-private"
    if recipe.unlisted is Unlisted.KEEP and recipe.basis in STRICT:
        yield (
            f"unlisted: {recipe.basis} forbids names, and text that is kept as it is may hold "
            'them; "clean" lets it through without'
        )


def _dates(recipe: Recipe) -> Iterator[str]:
    low, high = recipe.dates.low, recipe.dates.high
    if low > high:
        yield f"dates.shift_days: from {low} lies after to {high}"
    elif max(abs(low), abs(high)) > _LONGEST_SHIFT:
        yield f"dates.shift_days: at most {_LONGEST_SHIFT} days either way"
    elif recipe.dates.many < _LEAST_SHIFTS:
        weeks = " of whole weeks" if recipe.dates.same_weekday else ""
        yield (
            f"dates.shift_days: fewer than {_LEAST_SHIFTS} different shifts{weeks} hide nothing "
            "(0 is never used)"
        )


def _pictures(recipe: Recipe, *, basis: bool) -> Iterator[str]:
    seen: Counter[tuple[str | None, str | None, PixelRisk]] = Counter()
    for number, item in enumerate(recipe.pixels.accept):
        for risk in sorted(item.risks):
            seen[item.modality, item.sop_class, risk] += 1
            if seen[item.modality, item.sop_class, risk] > 1:
                yield f"pixels.accept[{number}].risks: {risk} is already accepted above"
        if basis and recipe.basis in STRICT and PixelRisk.STATED_YES in item.risks:
            yield f"pixels.accept[{number}].risks: {recipe.basis} forbids names, also in pixels"


def _keeps_ages(policy: Policy) -> bool:
    tag = keywords.tag_of("PatientAge")
    assert tag is not None
    return policy.decide(tag, "AS", None).action in {Action.KEEP, Action.CAP_AGE}


def _labels(recipe: Recipe) -> Iterator[str]:
    policy = Policy(recipe)
    folded = Counter(label.column.casefold() for label in recipe.labels)
    for label in recipe.labels:
        place = f"labels.{label.column}"
        if folded[label.column.casefold()] > 1:
            yield f"{place}: another column differs in case only"
        if label.type is LabelType.DATE and recipe.temporal is Temporal.REMOVED:
            yield (
                f"{place}: dates are removed by this recipe; choose a retain-…-dates option, or "
                'the type "year"'
            )
        if label.type is LabelType.INTERVAL and recipe.temporal is Temporal.REMOVED:
            yield (
                f"{place}: dates are removed by this recipe, and days between them with them; "
                "choose a retain-…-dates option, or take it out"
            )
        if label.type is LabelType.YEAR and recipe.temporal is Temporal.MODIFIED:
            yield f"{place}: a true year beside shifted dates gives the shift away; say date"
        if label.type is LabelType.AGE and not _keeps_ages(policy):
            yield (
                f"{place}: ages are removed by this recipe, so the column would be empty; choose "
                "retain-patient-characteristics, or take it out"
            )
        tag = keywords.tag_of(label.column)
        if tag is None:
            continue
        action = policy.decide(tag, vrs.of_tag(tag), None).action
        shifted = action is Action.SHIFT and label.type is LabelType.DATE
        year = label.type is LabelType.YEAR and vrs.of_tag(tag) in vrs.DATED and tag not in NEVER
        if action is not Action.KEEP and not shifted and not year:
            yield f"{place}: the recipe does not keep {label.column}; a joined column cannot either"
