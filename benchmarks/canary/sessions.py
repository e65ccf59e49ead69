"""What is run: as a researcher would, in the shell, in a notebook and in a script that leaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BENCHMARKS = Path(__file__).resolve().parent.parent

_NOTEBOOK = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, force=True)
logging.getLogger("cohortkit").setLevel(logging.DEBUG)
import cohortkit as ck
index = ck.scan("archive", None)
index
index.skipped().group_by("reason").len()
cohort = index.search(Modality=["CT", "DX", "ECG", "SR", "DOC"])
cohort
cohort.flow()
cohort.to_polars()
cohort.to_pandas()
cohort = cohort.join("labels.csv", on="PatientID")
plan = ck.plan(cohort, ck.load_recipe("chest-ct"), to=["nifti", "png", "dicom", "tables"])
plan
plan.tasks
export = ck.export(plan, "of-notebook", key=ck.Key.from_file("the.key"), progress=False)
export
export.refused()
export.table("files")
{name: export.table(name) for name in ("patients", "studies", "series", "instances")}
"""

_LEAK = """
import logging, os, sys
import cohortkit as ck
from canary.leaks import Leak
logging.basicConfig(level=logging.INFO)
out, where, recipe = sys.argv[1:]
if where == "log line":
    logging.getLogger("study").info("exporting %s", os.environ["CANARY"])
cohort = ck.open_index("index").search(PatientID="MRN-00662817", Modality="CT")
if where == "column":
    cohort = cohort = cohort.join("labels.csv", on="PatientID")
plan = ck.plan(cohort, ck.load_recipe(recipe), to=[Leak(where), "nifti", "tables"])
export = ck.export(plan, out, key=ck.Key.from_file("the.key"), progress=False)
for row in export.refused().iter_rows(named=True):
    print(row["output"], row["reason"])
"""


def shell(base: Path, *words: object, log: Path) -> int:
    """One command of the shell, with all that it says in a log."""
    command = [Path(sys.executable).with_name("cohortkit"), *map(str, words)]
    with log.open("ab") as stream:
        return subprocess.run(
            command, cwd=base, stdout=stream, stderr=subprocess.STDOUT, check=False
        ).returncode


def notebook(base: Path) -> Path:
    """Everything that a notebook shows, a cell for each line, logging at its loudest; saved."""
    cells = [nbformat.v4.new_code_cell(line) for line in _NOTEBOOK.strip().splitlines()]
    book = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(base)}}).execute()
    path = base / "shown.ipynb"
    nbformat.write(book, path)
    return path


def leak(base: Path, where: str, recipe: Path, secret: str) -> tuple[Path, Path]:
    """One export with a traitor in it: its output and what it said."""
    out = base / f"leak-{where.replace(' ', '-')}"
    log = base / f"{out.name}.log"
    environment = {**os.environ, "CANARY": secret, "PYTHONPATH": str(BENCHMARKS)}
    with log.open("wb") as stream:
        subprocess.run(
            [sys.executable, "-c", _LEAK, out.name, where, str(recipe)],
            cwd=base, env=environment, stdout=stream, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    return out, log
