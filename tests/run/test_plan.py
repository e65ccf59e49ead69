"""What a plan refuses to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.errors import UsageError
from factory import Patient, Series, write_series


@pytest.mark.parametrize("recipe", ["basic", None, {}], ids=["name", "nothing", "mapping"])
def test_a_plan_takes_a_loaded_recipe_only(recipe: object, tmp_path: Path) -> None:
    """Anything else is told at once, with what to call."""
    write_series(tmp_path, Patient(), Series(slices=1))
    cohort = ck.scan(tmp_path, progress=False, workers=1).search()

    with pytest.raises(UsageError, match="load_recipe"):
        ck.plan(cohort, recipe, to="tables")  # type: ignore[arg-type]
