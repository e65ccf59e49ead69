"""The main job by the public face, in short words."""

from __future__ import annotations

from pathlib import Path

import cohortkit as ck


def planned(
    archive: Path, to: object = "tables", recipe: str = "basic", **terms: object
) -> ck.Plan:
    cohort = ck.scan(archive, progress=False, workers=1).search(**terms)
    return ck.plan(cohort, ck.load_recipe(recipe), to=to)  # type: ignore[arg-type]  # as given


def keeping(folder: Path, keyword: str) -> str:
    """A recipe that keeps an attribute, whoever it names: only the search stands between."""
    path = folder / "keeping.toml"
    path.write_text(
        'basis = "gdpr-pseudonymised"\n[[rules]]\n'
        f'keyword = "{keyword}"\naction = "keep"\nreason = "the trial asks it"\n'
    )
    return str(path)


def run(plan: ck.Plan, out: Path, key: ck.Key, **options: object) -> ck.Export:
    return ck.export(plan, out, key=key, progress=False, **options)  # type: ignore[arg-type]  # as given
