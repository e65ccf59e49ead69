"""What the user wrote goes into the report as it is; so it must name nobody of the index.

The words of a cohort's steps, the names of joined columns, what a recipe says in words of its own
and the key's project are the only words of a release that no recipe judges and no search before
publication sees.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cohortkit.errors import UsageError
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe
from cohortkit.run.named import near


def demand_nobody(texts: Mapping[str, str], series: pl.LazyFrame) -> None:
    """Refuse words that hold an identifier, a name, a family name or birth date of an index.

    Args:
        texts: what the user wrote, by the place where it stands.
        series: the index, identified.

    Raises:
        UsageError: it says in which place, and not the value.
    """
    people = near(texts.values(), series)
    for place, text in texts.items():
        if people.stand_in(text):
            raise UsageError(
                f"{place}: names a patient or physician of the index, or holds an id or birth date "
                "of one, and would stand in the report; use other words"
            )


def words_of(recipe: Recipe) -> dict[str, str]:
    """What a recipe says in words of its own, by place; one that ships says only ours."""
    if recipe.name in shipped() and recipe == load_recipe(recipe.name):
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
        told[f"the recipe's rules[{number}]"] = f"{rule.target} {rule.reason}"
    for line in recipe.script.lines:
        told[f"the recipe's {line.place}"] = f"{line.written} {line.given or ''}"
    return told
