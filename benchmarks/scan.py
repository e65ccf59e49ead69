"""How fast an archive is indexed, beside a pydicom loop that makes the same columns.

    python benchmarks/scan.py [ARCHIVE] [--rounds N]

Both run in one process over the same files, page cache warm, by turns; the ratio is of medians.
Then the whole ``scan`` into a store, and a second scan, which opens nothing.
Goals: reading at least 5 times as fast as the loop; the second scan 20 times as fast as the first.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import polars as pl
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

from cohortkit.dicom.values import Field
from cohortkit.index import scan
from cohortkit.index.batch import read_batch
from cohortkit.index.columns import FIELDS, dtype_of
from cohortkit.index.walk import list_files

TAGS = [wanted.tag for wanted in FIELDS]
SCHEMA = pl.Schema({wanted.keyword: dtype_of(wanted) for wanted in FIELDS})
CONVERT = {
    "DA": pydicom.valuerep.DA,
    "TM": pydicom.valuerep.TM,
    **dict.fromkeys(("DS", "FD", "FL"), float),
    **dict.fromkeys(("IS", "US", "UL", "SS", "SL"), int),
}


def _value(dataset: pydicom.Dataset, wanted: Field) -> object:
    element = dataset.get(wanted.tag)
    if element is None or element.is_empty:
        return None
    values = list(element.value) if isinstance(element.value, MultiValue) else [element.value]
    convert = CONVERT.get(wanted.vr, str)
    try:
        typed = [convert(value) for value in values]
    except (ValueError, TypeError):
        return None
    if wanted.multiple:
        return typed
    return typed[0] if len(typed) == 1 else "\\".join(map(str, typed))


def pydicom_loop(archive: Path, paths: list[str]) -> pl.DataFrame:
    """The usual loop: read, stop before the pixels, take the columns."""
    rows = []
    for path in paths:
        try:
            dataset = pydicom.dcmread(
                archive / path, stop_before_pixels=True, specific_tags=TAGS, force=False
            )
        except InvalidDicomError:
            continue
        rows.append([_value(dataset, wanted) for wanted in FIELDS])
    return pl.DataFrame(rows, SCHEMA, orient="row", strict=False)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    default = os.environ.get("COHORTKIT_TEST_DATA") or "../shared/data"
    parser = argparse.ArgumentParser()
    parser.add_argument("archive", nargs="?", default=default, type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    archive = chosen.archive.resolve()
    files = list_files(archive).files.rows()
    paths = [path for path, _, _ in files]
    ours, theirs = [], []
    for _ in range(chosen.rounds):
        ours.append(timed(lambda: read_batch(str(archive), files)))
        theirs.append(timed(lambda: pydicom_loop(archive, paths)))
    fast, loop = median(ours), median(theirs)
    print(f"{len(files)} files, {len(FIELDS)} typed columns, one process, {chosen.rounds} rounds")
    print(f"cohortkit   {fast:7.2f} s  {len(files) / fast:8.0f} files/s")
    print(f"pydicom     {loop:7.2f} s  {len(files) / loop:8.0f} files/s")
    print(f"ratio       {loop / fast:7.1f}")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        first = timed(lambda: scan(archive, store, progress=False))
        second = median(
            timed(lambda: scan(archive, store, progress=False)) for _ in range(chosen.rounds)
        )
    print(f"scan into a store {first:.2f} s, again {second:.3f} s, ratio {first / second:.0f}")


if __name__ == "__main__":
    main()
