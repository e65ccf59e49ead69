"""The main job on data that everyone has: real DICOM that ships inside the pydicom package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from cohortkit.cohort.cohort import Cohort
from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import OutputError
from cohortkit.index.scan import scan
from cohortkit.index.store import StoreIndex
from cohortkit.recipe.file import load_recipe
from cohortkit.run.batch import Export, export
from cohortkit.run.plan import Plan, plan

OUTPUTS: Final = ("nifti", "png", "tables")
PROJECT: Final = "demo"

RECIPE: Final = """\
# The recipe of the demo. Recipes that ship, to begin your own with: cohortkit recipe check basic
format = 1
title = "Demo: files that the pydicom project publishes"
description = \"\"\"
The basic profile, with dates moved by each patient's own number of days. Head images, and images
that do not say which part of the body they show, may leave: these files are public already.
\"\"\"
basis = "authorization"
profile = "basic"
options = ["retain-modified-dates"]

[faces]
heads = "accept"
unknown_body_part = "accept"
reason = "The pydicom project publishes these images."
"""


def archive() -> Path:
    """The folder of pydicom's own test files: CT, MR, CR, ultrasound, reports, plans and an ECG."""
    import pydicom.data  # noqa: PLC0415 - its path alone is needed, and only here

    return Path(pydicom.data.__file__).parent


def choose(index: StoreIndex) -> Cohort:
    """The demo's cohort: the first study of each patient in four modalities."""
    return (
        index.search(Modality=["CT", "MR", "CR", "US"])
        .filter(pl.col("Rows").is_not_null(), reason="no image")
        .first_per("patient", by="StudyDate", level="study")
    )


@dataclass(frozen=True)
class Demo:
    """What the demo made, and where.

    Attributes:
        folder: holds ``index/``, ``demo.toml``, ``demo.key``, ``demo.cohort`` and ``export/``.
    """

    folder: Path
    cohort: Cohort
    plan: Plan
    export: Export

    def words(self) -> str:
        """What was done and where to look, for people."""
        release = self.export.release
        return f"""\
Which series were chosen, of the real DICOM files inside pydicom:

{self.cohort.flow()}

What was written:

{self.export!r}

Where to look:
  {release / "report.html"}
      open this first: what was asked, written, refused and why, searched, and not done
  {release / "nifti"}
      volumes; any viewer of NIfTI opens them
  {release / "png"}
      the same and other images, frame by frame
  {release / "tables"}
      patients, studies, series and instances, under the same pseudonyms
  {self.folder / "demo.toml"}
      the recipe: what was allowed to stay

What must not leave: everything else in {self.folder} (the key, the index, the cohort,
and beside the release the vault and the quarantine)."""

    def facts(self) -> dict[str, object]:
        """The same as plain values."""
        return {"folder": str(self.folder), **self.export.summary()}


def run(folder: str | Path, *, progress: bool = True) -> Demo:
    """Scan, search, decide, export. Run again in the same folder, it goes on where it was.

    Raises:
        OutputError: the folder holds something else.
    """
    place = Path(folder)
    _prepare(place)
    index = scan(archive(), place / "index", progress=progress)
    cohort = choose(index)
    cohort.save(place / "demo.cohort")
    recipe = load_recipe(place / "demo.toml")
    planned = plan(cohort, recipe, to=OUTPUTS)
    made = export(planned, place / "export", _key(place / "demo.key"), progress=progress)
    return Demo(place, cohort, planned, made)


def _prepare(place: Path) -> None:
    """The folder with the recipe in it; the recipe is how a demo is known again."""
    recipe = place / "demo.toml"
    try:
        if place.is_dir() and any(place.iterdir()) and not recipe.exists():
            raise OutputError(f"{place} holds something else; name a new folder")
        place.mkdir(parents=True, exist_ok=True)
        if not recipe.exists():
            recipe.write_text(RECIPE, "utf-8")
    except OSError as error:
        raise OutputError(f"{place}: {error.strerror}") from None


def _key(path: Path) -> Key:
    return Key.from_file(path) if path.exists() else Key.new(path, PROJECT)
