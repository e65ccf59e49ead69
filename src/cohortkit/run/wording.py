"""What a recipe says in words of its own: it goes into the report as it is.

Such words, those of a cohort's steps, the names of joined columns and the key's project are the
only words of a release that no recipe judges and no search before publication sees
(`cohortkit.cohort.named` does).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Final

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.named import demand_formless, demand_no_age, demand_nobody, demand_plain
from cohortkit.cohort.steps import Step
from cohortkit.deidentify.telling import faults
from cohortkit.dicom.keywords import tag_of
from cohortkit.errors import UsageError
from cohortkit.model import Task
from cohortkit.model.query import AnyOf, Exactly, Like, Matches, Predicate
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe
from cohortkit.run.naming import Words, knows_names
from cohortkit.traces.dated import tells_day

_PROSE: Final = frozenset(
    {"name", "title", "description", "default_issuer", "reason", "words", "column"}
)
"""Fields of a recipe that somebody wrote for people to read."""
_NO_WORDS: Final = frozenset({"script", "seen", "detectors", "profile"})
"""Fields that are read apart (lines), come from the index, or are names that a program gave."""
_SIGNED: Final = frozenset({"title", "description"})
"""Where a recipe says whose it is."""
_NUMBERED: Final = frozenset({"uid", "path"})
_QUOTED: Final = re.compile(r'"([^"]*)"')
_PLACES: Final = {"name": "file name"}


_DRAWN = frozenset({"sample", "match"})
"""Steps that tell a seed."""


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
    said = _numbered(steps)
    free, prose, commands = _written(cohort, said, recipe)
    signed = {place for place in prose if place.removeprefix("the recipe's ") in _SIGNED}
    demand_plain({**free, **prose}, series, signed=signed)
    draws = {place: str(step) for place, step in said.items() if step.action in _DRAWN}
    demand_nobody(draws, series, days=False)  # a seed is often written as a day
    rest = {place: str(step) for place, step in said.items() if place not in draws}
    demand_nobody({**rest, **commands}, series)
    for place, text in rest.items():
        demand_no_age(place, text)
        demand_formless(place, text, spared=_NUMBERED)  # a question may be for a SOP class
    for place, text in _asked(said, cohort.labels).items():
        if tells_day(text):
            raise UsageError(f"{place}: asks a joined text for a day, and would be shown")


def unproved(cohort: Cohort, steps: Sequence[Step], recipe: Recipe) -> Words | None:
    """All that the user wrote, where the index cannot say whom it names; None where it can."""
    if knows_names(cohort.index.series()):
        return None
    said = _numbered(steps)
    free, prose, commands = _written(cohort, said, recipe)
    asked = {f"{place} (question)": text for place, text in _asked(said, cohort.labels).items()}
    words = {**free, **prose, **commands, **asked}
    return tuple((place, text) for place, text in words.items() if text)


def _numbered(steps: Sequence[Step]) -> dict[str, Step]:
    return {f"step {number}": step for number, step in enumerate(steps, 1)}


def _written(
    cohort: Cohort, steps: Mapping[str, Step], recipe: Recipe
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Reasons and names of joined columns; a recipe's own words; what it does. By place."""
    reasons = {place: step.reason for place, step in steps.items()}
    joined = {f"joined column {number}": name for number, name in enumerate(cohort.labels, 1)}
    return {**reasons, **joined}, *_words(recipe)


def _asked(steps: Mapping[str, Step], labels: Collection[str]) -> dict[str, str]:
    """The texts that joined columns are asked for: a column of dates is asked for dates."""
    found = {}
    for place, step in steps.items():
        terms = step.query.terms if step.query else ()
        texts = [repr(asked) for name, asked in terms if name in labels and _of_text(asked)]
        quoted = _QUOTED.findall(step.words) if step.action == "filter" else []
        found[place] = "; ".join([*texts, *quoted])
    return found


def _of_text(asked: Predicate) -> bool:
    """Whether a term asks for text, whatever it is called."""
    match asked:
        case Exactly(value):
            return isinstance(value, str)
        case AnyOf(values):
            return any(isinstance(one, str | Like | Matches) for one in values)
    return isinstance(asked, Like | Matches)


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
