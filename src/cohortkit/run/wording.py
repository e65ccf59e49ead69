"""What a recipe says in words of its own: it goes into the report as it is.

Such words, those of a cohort's steps, the names of joined columns and the key's project are the
only words of a release that no recipe judges and no search before publication sees
(`cohortkit.cohort.named` does).
"""

from __future__ import annotations

from collections.abc import Sequence

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.named import demand_nobody, demand_plain
from cohortkit.cohort.steps import Step
from cohortkit.deidentify.telling import faults
from cohortkit.errors import UsageError
from cohortkit.model import Task
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe


def demand_silent(cohort: Cohort, steps: Sequence[Step], recipe: Recipe) -> None:
    """Refuse what the user wrote where it tells of somebody in the index.

    Args:
        cohort: whose reasons and joined columns are looked at.
        steps: of the cohort, as they will be told.
        recipe: whose words are looked at.

    Raises:
        UsageError: it says in which place, and not the value.
    """
    series = cohort.index.series()
    said = {f"step {number}": step for number, step in enumerate(steps, 1)}
    reasons = {place: step.reason for place, step in said.items()}
    joined = {f"joined column {number}": name for number, name in enumerate(cohort.labels, 1)}
    demand_plain({**reasons, **joined, **_prose(recipe)}, series)
    draws = {place: str(step) for place, step in said.items() if step.action == "sample"}
    demand_nobody(draws, series, days=False)  # a seed is often written as a day
    rest = {place: str(step) for place, step in said.items() if place not in draws}
    demand_nobody({**rest, **_commands(recipe)}, series)


def demand_untelling(recipe: Recipe, tasks: Sequence[Task]) -> None:
    """Refuse joined columns that tell of their patients what their type does not say.

    Raises:
        UsageError: all of them, with what to do; no value.
    """
    found = list(faults(recipe, tasks))
    if found:
        raise UsageError("; ".join(found))


def _prose(recipe: Recipe) -> dict[str, str]:
    """What a recipe says in words of its own, by place; one that ships says only ours."""
    if _is_ours(recipe):
        return {}
    told = {
        "the recipe's file name": recipe.name,
        "the recipe's title": recipe.title,
        "the recipe's description": recipe.description,
        "the recipe's default_issuer": recipe.default_issuer,
        "the recipe's faces.reason": recipe.faces.reason,
    }
    for number, word in enumerate(recipe.text.words):
        told[f"the recipe's text.words[{number}]"] = word
    for number, item in enumerate(recipe.pixels.accept):
        told[f"the recipe's pixels.accept[{number}].reason"] = item.reason
    for number, rule in enumerate(recipe.rules):
        told[f"the recipe's rules[{number}].reason"] = rule.reason
    return told


def _commands(recipe: Recipe) -> dict[str, str]:
    """What a recipe does: made-up values, roots of UIDs and patterns may stand there."""
    if _is_ours(recipe):
        return {}
    told = {f"the recipe's rules[{n}]": str(rule.target) for n, rule in enumerate(recipe.rules)}
    for line in recipe.script.lines:
        told[f"the recipe's {line.place}"] = f"{line.written} {line.given or ''}"
    return told


def _is_ours(recipe: Recipe) -> bool:
    return recipe.name in shipped() and recipe == load_recipe(recipe.name)
