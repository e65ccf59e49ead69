"""How fast an archive is indexed, beside a pydicom loop that makes the same columns.

    python benchmarks/scan.py [ARCHIVE] [--rounds N] [--imgtools PYTHON]

1. Reading, in one process, by turns with the loop, page cache warm, the reader new in each round:
   the archive, and a CT of 257 elements a file (pydicom's CT_small, 600 slices of it). The ratio
   is of the medians of CPU time, which other work on the machine changes little.
2. A whole scan into a store, and a second one, which opens nothing: beside the loop.
3. The same with 5 ms more for each file that is opened, as on a file system over a network.
4. A store of a million rows, of which one in a hundred is read anew.
5. Where a Python with med-imagetools is given: its crawl of the archive, with two processes.

Goals: 10 times the loop on the archive, 6 times on the CT; the second scan 100 times the loop;
the update of a million rows in 0.8 s; 8 times med-imagetools.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from statistics import median
from unittest import mock

import polars as pl
import pydicom
from pydicom.data import get_testdata_file
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

from cohortkit.dicom.values import Field
from cohortkit.index import batch, scan
from cohortkit.index.batch import Batch, Reading, read_batch
from cohortkit.index.changes import compare
from cohortkit.index.columns import FIELDS, ISSUES, LISTING, READ, SKIPPED, dtype_of
from cohortkit.index.unfinished import Unfinished
from cohortkit.index.update import Update
from cohortkit.index.walk import Listing, list_files
from cohortkit.index.writer import writing

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


CRAWL = """
import sys, tempfile, time
from pathlib import Path
from imgtools.dicom.crawl import Crawler
import shutil
root = Path(sys.argv[1])
begin = time.perf_counter()
Crawler(dicom_dir=root, n_jobs=2, force=True).crawl()
print(time.perf_counter() - begin)
"""
DELAY = 0.005


class Slow(FileIO):
    """A file that takes 5 ms more to open."""

    def __init__(self, path: str) -> None:
        time.sleep(DELAY)
        super().__init__(path)


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one run."""
    begin = clock()
    work()
    return clock() - begin


def reading(archive: Path, rounds: int) -> float:
    """Print how fast headers are read; the loop's wall time, in seconds."""
    files = list_files(archive).files.rows()
    paths = [path for path, _, _ in files]
    ours, theirs, wall = [], [], []
    for _ in range(rounds):
        batch._reader.cache_clear()  # noqa: SLF001 - nothing is known of the files beforehand
        ours.append(seconds(lambda: read_batch(Reading(str(archive)), files), time.process_time))
        begin = time.perf_counter()
        theirs.append(seconds(lambda: pydicom_loop(archive, paths), time.process_time))
        wall.append(time.perf_counter() - begin)
    fast, loop = median(ours), median(theirs)
    print(f"{len(files)} files, {len(FIELDS)} typed columns, one process, {rounds} rounds")
    print(f"cohortkit   {fast:7.3f} s CPU  {len(files) / fast:8.0f} files/s")
    print(f"pydicom     {loop:7.3f} s CPU  {len(files) / loop:8.0f} files/s")
    print(f"ratio       {loop / fast:7.1f}")
    return median(wall)


def slices(folder: Path, count: int) -> None:
    """A series of a CT with 257 elements a file."""
    dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    for number in range(count):
        dataset.SOPInstanceUID = f"1.2.3.{number + 1}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.InstanceNumber = number + 1
        dataset.SliceLocation = f"{-100 + number * 0.7:.4f}"
        dataset.ImagePositionPatient = ["-158.13", "-179.03", f"{-100 + number * 0.7:.4f}"]
        dataset.save_as(folder / f"{number:05}.dcm")


def scanning(archive: Path, loop: float, rounds: int) -> None:
    """Print a first scan and one that finds everything as it was; then both with slow opens."""
    files = list_files(archive).files.height
    twice(archive, "scan into a store", loop, rounds)
    with mock.patch("cohortkit.dicom.ahead.FileIO", Slow):
        twice(archive, "the same, 5 ms an open", loop + files * DELAY, rounds)


def twice(archive: Path, name: str, loop: float, rounds: int) -> None:
    """Print the wall time of two scans in one process beside that of the loop."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"

        def go() -> None:
            scan(archive, store, workers=1, progress=False)

        first = seconds(go)
        again = median(seconds(go) for _ in range(rounds))
    print(
        f"{name}: {first:.2f} s, again {again:.3f} s; "
        f"the loop {loop:.2f} s: {loop / first:.1f} and {loop / again:.0f} times"
    )


def rows_of(archive: Path, count: int) -> pl.DataFrame:
    """So many rows of instances, by repeating those of the archive under other names."""
    base = read_batch(Reading(str(archive)), list_files(archive).files.rows()).instances
    times = -(-count // base.height)
    rows = pl.concat([base.with_columns(copy=pl.lit(at)) for at in range(times)]).head(count)
    renamed = ["path", "series_key", "PatientID", "StudyInstanceUID", "SOPInstanceUID"]
    other = [pl.concat_str(name, pl.lit("."), "copy").alias(name) for name in renamed]
    return rows.with_columns(other).select(READ.names()).sort("path")


def update(archive: Path, count: int) -> None:
    """Print how long the next version takes where one row in a hundred is more, or is changed."""
    rows = rows_of(archive, count)
    # of a day's work: whole series, which lie together
    fresh = rows.filter(pl.col("series_key").hash() % 100 == 0)
    rest = rows.join(fresh, on="path", how="anti")
    changed = fresh.with_columns(mtime_ns=pl.col("mtime_ns") + 1)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        publish(store, rest, rest)
        more = seconds(lambda: publish(store, rows, fresh))
        other = seconds(lambda: publish(store, pl.concat([rest, changed]), changed))
    print(f"{count:,} rows, {fresh.height:,} more: {more:.2f} s; as many changed: {other:.2f} s")


def publish(store: Path, known: pl.DataFrame, new: pl.DataFrame) -> None:
    """Write the version of a store in which these rows are known and those were read anew."""
    empty = [pl.DataFrame(schema=schema) for schema in (SKIPPED, ISSUES)]
    listing = Listing(known.select(list(LISTING)), empty[0])
    with writing(store) as writer:
        left = Unfinished(writer.manifest.version if writer.manifest else "", "")
        change = compare(listing.files, store, [writer.manifest or left, left])
        made = Update(writer, left)
        made.carry_over(change, listing)
        for part in new.iter_slices(25_600):
            made.add(Batch(part, *empty, part.height))
        writer.publish("", made.finish(), {})


def crawl(archive: Path, python: str) -> None:
    """Print med-imagetools' crawl, with two processes, beside a scan."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "archive"
        subprocess.run(["cp", "-r", str(archive), str(copy)], check=True)
        done = subprocess.run(
            [python, "-c", CRAWL, str(copy)], check=True, capture_output=True, text=True
        )
        theirs = float(done.stdout.split()[-1])
        ours = seconds(lambda: scan(archive, Path(folder) / "store", progress=False))
    print(f"scan {ours:.2f} s; med-imagetools {theirs:.2f} s: {theirs / ours:.1f}")


def main() -> None:
    """Measure and print."""
    default = os.environ.get("COHORTKIT_TEST_DATA") or "../shared/data"
    parser = argparse.ArgumentParser()
    parser.add_argument("archive", nargs="?", default=default, type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--imgtools", help="a Python that has med-imagetools")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    archive = chosen.archive.resolve()
    loop = reading(archive, chosen.rounds)
    with tempfile.TemporaryDirectory() as folder:
        slices(Path(folder), 600)
        reading(Path(folder), chosen.rounds)
    scanning(archive, loop, chosen.rounds)
    update(archive, chosen.rows)
    if chosen.imgtools:
        crawl(archive, chosen.imgtools)


if __name__ == "__main__":
    main()
