"""From a hospital's imaging archive to a research data set that its privacy office will sign.

::

    import cohortkit as ck

    index = ck.scan("archive/", "index/")
    cohort = index.search(Modality="CT", BodyPartExamined="CHEST")
    recipe = ck.load_recipe("chest-ct")
    plan = ck.plan(cohort, recipe, to=[ck.Nifti(), ck.Tables()])
    export = ck.export(plan, "exports/chest-ct", key=ck.Key.from_file("chest-ct.key"))

The names below are the public face; everything else may move. They are found on first use, so
that importing cohortkit costs little.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cohortkit import compat as compat
    from cohortkit import convert as convert
    from cohortkit import errors as errors
    from cohortkit.cohort.cohort import Cohort as Cohort
    from cohortkit.deidentify.idtable import IdTable as IdTable
    from cohortkit.deidentify.keyfile import Key as Key
    from cohortkit.index import open_index as open_index
    from cohortkit.index.demo import demo_index as demo_index
    from cohortkit.index.scan import scan as scan
    from cohortkit.index.sql_table import sql_table as sql_table
    from cohortkit.job.job import run_job as run_job
    from cohortkit.pixels.show import show as show
    from cohortkit.reasons import Reason as Reason
    from cohortkit.reasons import Status as Status
    from cohortkit.recipe.file import load_recipe as load_recipe
    from cohortkit.recipe.model import Recipe as Recipe
    from cohortkit.release.crosswalk import Crosswalk as Crosswalk
    from cohortkit.release.crosswalk import crosswalk as crosswalk
    from cohortkit.release.inventory import Inventory as Inventory
    from cohortkit.release.inventory import inventory as inventory
    from cohortkit.run.batch import Export as Export
    from cohortkit.run.batch import export as export
    from cohortkit.run.facade import open_export as open_export
    from cohortkit.run.pace import Pace as Pace
    from cohortkit.run.plan import Plan as Plan
    from cohortkit.run.plan import plan as plan
    from cohortkit.run.status import Progress as Progress
    from cohortkit.run.status import status as status
    from cohortkit.run.verify import verify as verify
    from cohortkit.writers.dicom import Dicom as Dicom
    from cohortkit.writers.nifti import Nifti as Nifti
    from cohortkit.writers.png import Png as Png
    from cohortkit.writers.tables import Tables as Tables

_HOME = MappingProxyType(
    {
        "Cohort": "cohort.cohort",
        "Crosswalk": "release.crosswalk",
        "Dicom": "writers.dicom",
        "Export": "run.batch",
        "IdTable": "deidentify.idtable",
        "Inventory": "release.inventory",
        "Key": "deidentify.keyfile",
        "Nifti": "writers.nifti",
        "Pace": "run.pace",
        "Plan": "run.plan",
        "Png": "writers.png",
        "Progress": "run.status",
        "Reason": "reasons",
        "Recipe": "recipe.model",
        "Status": "reasons",
        "Tables": "writers.tables",
        "compat": "",
        "convert": "",
        "crosswalk": "release.crosswalk",
        "demo_index": "index.demo",
        "errors": "",
        "export": "run.batch",
        "inventory": "release.inventory",
        "load_recipe": "recipe.file",
        "open_export": "run.facade",
        "open_index": "index",
        "plan": "run.plan",
        "run_job": "job.job",
        "scan": "index.scan",
        "show": "pixels.show",
        "sql_table": "index.sql_table",
        "status": "run.status",
        "verify": "run.verify",
    }
)
"""Where a public name lives, below ``cohortkit``, if not here."""

__all__ = [
    "Cohort",
    "Crosswalk",
    "Dicom",
    "Export",
    "IdTable",
    "Inventory",
    "Key",
    "Nifti",
    "Pace",
    "Plan",
    "Png",
    "Progress",
    "Reason",
    "Recipe",
    "Status",
    "Tables",
    "compat",
    "convert",
    "crosswalk",
    "demo_index",
    "errors",
    "export",
    "inventory",
    "load_cohort",
    "load_recipe",
    "open_export",
    "open_index",
    "plan",
    "run_job",
    "scan",
    "show",
    "sql_table",
    "status",
    "verify",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def load_cohort(path: str | Path) -> Cohort:
    """A cohort that was saved, over the index that it was chosen from.

    Raises:
        StoreError: no cohort file, or its index is gone or has changed since.
    """
    from cohortkit.cohort.file import load  # noqa: PLC0415 - importing cohortkit stays cheap
    from cohortkit.index import open_index  # noqa: PLC0415 - the same

    return load(path, open_index)


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - reads the disk

        return version(__name__)
    if home is None:
        raise AttributeError(f"module 'cohortkit' has no attribute {name!r}")
    if not home:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Face(ModuleType):
    """The module, with one rule: a package of the house never hides a verb of the same name.

    When ``cohortkit.verify`` (a package) is imported, the import system sets it as an attribute
    of its parent, where users expect the verb ``verify``.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _HOME.get(name):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
