"""Many recipes looked at, none of them raising: what ``cohortkit recipe check`` tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import MissingDependency, NotBuilt, RecipeError
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Recipe


@dataclass(frozen=True, slots=True)
class Checked:
    """One recipe, and its faults.

    Attributes:
        source: as the caller wrote it.
        recipe: None where there are faults.
        faults: one line each, ``place: what is wrong``.
    """

    source: str
    recipe: Recipe | None
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.recipe is not None:
            return f"{self.source}: sound; digest {self.recipe.digest[:16]}"
        lines = "".join(f"\n  {fault}" for fault in self.faults)
        noun = "fault" if len(self.faults) == 1 else "faults"
        return f"{self.source}: {len(self.faults)} {noun}{lines}"


def check(sources: Iterable[str | Path]) -> tuple[Checked, ...]:
    """Look at each recipe, by name or path, and tell all its faults."""
    return tuple(_one(source) for source in sources)


def _one(source: str | Path) -> Checked:
    try:
        return Checked(str(source), load_recipe(source))
    except RecipeError as error:
        return Checked(str(source), None, error.faults)
    except (NotBuilt, MissingDependency) as error:
        return Checked(str(source), None, (str(error),))
