"""The main job by the public face, in short words."""

from __future__ import annotations

from pathlib import Path

import cohortkit as ck


def planned(
    archive: Path, to: object = "tables", recipe: str = "basic", **terms: object
) -> ck.Plan:
    cohort = ck.scan(archive, progress=False, workers=1).search(**terms)
    return ck.plan(cohort, ck.load_recipe(recipe), to=to)  # type: ignore[arg-type]  # as given


def run(plan: ck.Plan, out: Path, key: ck.Key, **options: object) -> ck.Export:
    return ck.export(plan, out, key=key, progress=False, **options)  # type: ignore[arg-type]  # as given
