"""The form of a recipe file as JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from cohortkit.recipe.entries import RecipeEntry


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a recipe file.

    It knows every word but DICOM keywords and SOP classes, of which there are too many;
    ``load_recipe`` checks those, and that nothing contradicts itself.
    """
    made = RecipeEntry.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "cohortkit recipe",
    }
