"""The main job on data that everyone has: real DICOM that ships inside the pydicom package."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from cohortkit.cohort.cohort import Cohort
from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import OutputError, unwritten
from cohortkit.index.scan import scan
from cohortkit.index.store import StoreIndex
from cohortkit.recipe.file import load_recipe
from cohortkit.run.batch import Export, export
from cohortkit.run.plan import Plan, plan
from cohortkit.writers.nifti import Nifti
from cohortkit.writers.png import Png
from cohortkit.writers.tables import Tables

PROJECT: Final = "demo"

RECIPE: Final = """\
# The recipe of the demo. Recipes that ship, to begin your own with: cohortkit recipe check basic
format = 1
title = "Demo: files that the pydicom project publishes"
description = \"\"\"
The basic profile, with dates moved by each patient's own number of days. Head images, and images
that do not say which part of the body they show, may leave: these files are public already.
Ultrasound is refused, as always, until a recipe says why no name is in its pixels.
\"\"\"
basis = "authorization"
profile = "basic"
options = ["retain-modified-dates"]

[faces]
heads = "accept"
unknown_body_part = "accept"
reason = "The pydicom project publishes these images."

[[pixels.accept]]
modality = "MR"
risks = ["derived-secondary"]
reason = "Someone looked at these MR images: nothing is written in them."
"""


def archive() -> Path:
    """The folder of pydicom's own test files: CT, MR, CR, ultrasound, reports, plans and an ECG."""
    import pydicom.data  # noqa: PLC0415 - its path alone is needed, and only here

    return Path(pydicom.data.__file__).parent


def choose(index: StoreIndex) -> Cohort:
    """The demo's cohort: CT, MR and ultrasound images of somebody."""
    return (
        index.search(Modality=["CT", "MR", "US"])
        .filter(pl.col("Rows").is_not_null(), reason="no image")
        .filter(pl.col("PatientID").is_not_null(), reason="no patient is named")
        .exclude(patients=["4MR1"], reason="one image in nine encodings")
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
      images, frame by frame, as a viewer would show them
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
    place = Path(os.path.realpath(Path(folder).expanduser()))
    _prepare(place)
    index = scan(archive(), place / "index", progress=progress)
    cohort = choose(index)
    cohort.save(place / "demo.cohort")
    recipe = load_recipe(place / "demo.toml")
    planned = plan(cohort, recipe, to=[Nifti(), Png(bits=8), Tables()])
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
        raise unwritten(OutputError, f"{place}: {error.strerror}", error) from None


def _key(path: Path) -> Key:
    return Key.from_file(path) if path.exists() else Key.new(path, PROJECT)
