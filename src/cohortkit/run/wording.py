"""What a recipe says in words of its own: it goes into the report as it is.

Such words, those of a cohort's steps, the names of joined columns and the key's project are the
only words of a release that no recipe judges and no search before publication sees
(`cohortkit.cohort.named` does).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Final

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.named import demand_nobody, demand_plain
from cohortkit.cohort.steps import Step
from cohortkit.deidentify.telling import faults
from cohortkit.dicom.keywords import tag_of
from cohortkit.errors import UsageError
from cohortkit.model import Task
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe

_PROSE: Final = frozenset(
    {"name", "title", "description", "default_issuer", "reason", "words", "column"}
)
"""Fields of a recipe that somebody wrote for people to read."""
_NO_WORDS: Final = frozenset({"script", "seen", "detectors", "profile"})
"""Fields that are read apart (lines), come from the index, or are names that a program gave."""
_PLACES: Final = {"name": "file name"}


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
    prose, commands = _words(recipe)
    demand_plain({**reasons, **joined, **prose}, series)
    draws = {place: str(step) for place, step in said.items() if step.action == "sample"}
    demand_nobody(draws, series, days=False)  # a seed is often written as a day
    rest = {place: str(step) for place, step in said.items() if place not in draws}
    demand_nobody({**rest, **commands}, series)


def demand_untelling(recipe: Recipe, tasks: Sequence[Task]) -> None:
    """Refuse joined columns that tell of their patients what their type does not say.

    Raises:
        UsageError: all of them, with what to do; no value.
    """
    found = list(faults(recipe, tasks))
    if found:
        raise UsageError("; ".join(found))


def _words(recipe: Recipe) -> tuple[dict[str, str], dict[str, str]]:
    """All words of a recipe by place: its own words, and what it does; one that ships has ours.

    Made-up values, roots of UIDs and patterns may stand in what it does.
    """
    prose, commands = dict[str, str](), dict[str, str]()
    if _is_ours(recipe):
        return prose, commands
    for place, name, text in _texts("", recipe):
        (prose if name in _PROSE else commands)[f"the recipe's {place}"] = text
    for line in recipe.script.lines:
        commands[f"the recipe's {line.place}"] = f"{line.written} {line.given or ''}"
    return prose, commands


def _texts(place: str, value: object, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Every free text inside records and tuples: its place, its field's name, itself."""
    if isinstance(value, Enum) or name in _NO_WORDS:
        return
    if isinstance(value, str):
        if tag_of(value) is None:  # a keyword of the standard is nobody's word
            yield _PLACES.get(place, place), name, value
    elif is_dataclass(value):
        for one in fields(value):
            inner = f"{place}.{one.name}" if place else one.name
            yield from _texts(inner, getattr(value, one.name), one.name)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _texts(f"{place}[{number}]", item, name)


def _is_ours(recipe: Recipe) -> bool:
    return recipe.name in shipped() and recipe == load_recipe(recipe.name)
