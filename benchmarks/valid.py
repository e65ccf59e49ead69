"""Every DICOM object that leaves, held against its source by dciodvfy: no error may be new.

    python benchmarks/valid.py [--recipe RECIPE] [--keep FOLDER] [--verbose] [FOLDER …]

Needs dciodvfy and dcentvfy (Debian's dicom3tools). The real data of ``all_data.py`` (or of the
folders named) are exported as DICOM by the public face. Each object of the release is matched with
the file that it was made from, by the keyed UID of its source; both go through dciodvfy, and an
error of the result that the source does not have is new. Numbers and values in messages are left
out of the comparison, since a moved date is another value. The DICOMDIR beside them goes through
dciodvfy too, and all objects together through dcentvfy, which asks whether what describes one
patient, study or series says the same in all of them: a disagreement that the sources do not have
is new.

An error of the kind that PS3.15 itself orders is counted apart: an attribute that an object needs
and that Table E.1-1 removes (X) all the same.

It also follows every reference from object to object: one that a source of the data answers must
be answered by the release, unless what it names was refused. Prints what was refused and why;
exits 1 if an error is new, a reference is lost or a series failed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from all_data import RECIPE, roots
from pydicom.dataset import Dataset

import cohortkit as ck
from cohortkit.dicom.sop_classes import TABLE
from cohortkit.model import Risk
from cohortkit.recipe import profile

_VALUE = re.compile(r"(?<!Element=)(?<!Module=)<[^>]*>|\[\d+\]|value \d+|= .*$")


_REMOVED = {row.keyword for row in profile.table().values() if row.basic == "X"}


@dataclass
class Found:
    """What the comparison came to."""

    objects: int = 0
    source_errors: int = 0
    errors: int = 0
    new: Counter[str] = field(default_factory=Counter)
    ordered: int = 0
    references: int = 0
    lost: int = 0
    examples: dict[str, str] = field(default_factory=dict)


def errors(path: Path) -> Counter[str]:
    """The errors that dciodvfy finds in a file, without the values in them."""
    done = subprocess.run(["dciodvfy", path], capture_output=True, check=False)
    lines = (done.stderr + done.stdout).decode("latin-1").splitlines()
    return Counter(_VALUE.sub("_", line) for line in lines if line.startswith("Error"))


def entities(paths: Iterable[Path]) -> Counter[str]:
    """Where dcentvfy finds objects of one patient, study or series at odds, without the values."""
    done = subprocess.run(["dcentvfy", *paths], capture_output=True, check=False)
    lines = (done.stderr + done.stdout).decode("latin-1").splitlines()
    said = (line.split(" for file ")[0] for line in lines if line.startswith("Error"))
    return Counter(re.sub(r"\b\d[\d.]{8,}", "_", line) for line in said)


def _ordered(line: str) -> bool:
    """Whether an attribute is missed that Table E.1-1 says to remove."""
    missed = re.match(r"Error - Missing attribute .* Element=<(\w+)>", line)
    return missed is not None and missed[1] in _REMOVED


def objects(folders: Iterable[Path]) -> Iterator[tuple[Path, Dataset]]:
    """Every readable object below the folders."""
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            try:
                dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
                known = bool(dataset.get("SOPInstanceUID")) and bool(dataset.get("SOPClassUID"))
            except Exception:  # noqa: BLE001 - no object: the scan says why
                continue
            if known:
                yield path, dataset


def referenced(dataset: Dataset) -> Iterator[str]:
    """Every instance that an object refers to."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from referenced(item)
        elif element.keyword == "ReferencedSOPInstanceUID" and element.value:
            yield str(element.value)


def compare(folders: list[Path], release: Path, key: ck.Key) -> Found:
    """Hold every object of the release against its source."""
    found, pseudonyms = Found(), key.pseudonyms()
    sources: dict[str, list[Path]] = {}
    wanted: dict[str, set[str]] = {}
    for path, dataset in objects(folders):
        new = pseudonyms.uid(str(dataset.SOPInstanceUID).strip())
        sources.setdefault(new, []).append(path)
        wanted.setdefault(new, set()).update(map(pseudonyms.uid, _read(dataset)))
    made = {str(dataset.SOPInstanceUID): (path, dataset) for path, dataset in objects([release])}
    with ThreadPoolExecutor(2) as pool:
        pairs = [(uid, path, sources.get(uid, [])) for uid, (path, _) in sorted(made.items())]
        for uid, path, known, ours in pool.map(_checked, pairs):
            found.objects += 1
            found.source_errors += sum(known.values())
            found.errors += sum(ours.values())
            for line in ours.keys() - known.keys():
                if _ordered(line):
                    found.ordered += 1
                    continue
                found.new[line] += 1
                found.examples.setdefault(line, f"{sources.get(uid, [])[:1]} → {path}")
            answered = {one for one in wanted.get(uid, ()) if one in made}
            found.references += len(answered)
            found.lost += len(answered - set(_read(made[uid][1])))
    ours = [path for path, _ in made.values()]
    found.new += entities(ours) - entities(one for uid in made for one in sources.get(uid, []))
    found.new += errors(release / "DICOMDIR")
    return found


def _read(dataset: Dataset) -> list[str]:
    try:
        return list(referenced(dataset))
    except Exception:  # noqa: BLE001 - broken on purpose, in pydicom's own files
        return []


def _checked(
    pair: tuple[str, Path, list[Path]],
) -> tuple[str, Path, Counter[str], Counter[str]]:
    """The errors of an object's sources together, and its own."""
    uid, path, sources = pair
    known: Counter[str] = Counter()
    for source in sources:
        known |= errors(source)
    return uid, path, known, errors(path)


def main() -> int:
    """Export, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--keep", type=Path, help="leave everything in this folder")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    if shutil.which("dciodvfy") is None:
        print("dciodvfy is not installed (Debian: dicom3tools)")
        return 2
    warnings.simplefilter("ignore")
    base = given.keep or Path(tempfile.mkdtemp(prefix="valid-"))
    base.mkdir(parents=True, exist_ok=True)
    folders = given.folders or list(roots().values())
    key = ck.Key.new(base / "valid.key", "valid")
    try:
        recipe = given.recipe or _accepting_all(base / "valid.toml")
        return _told(folders, base, key, recipe, verbose=given.verbose)
    finally:
        if given.keep is None:
            shutil.rmtree(base)


def _accepting_all(path: Path) -> Path:
    """The recipe of ``all_data.py``, which takes every burned-in risk as well."""
    risks = "high-risk-class stated-yes not-stated derived-secondary screen-save colour"
    words = ", ".join(f'"{risk}"' for risk in [*risks.split(), "conversion-type"])
    classes = [uid for uid, row in TABLE.items() if row.risk is not Risk.NONE]
    taken = "".join(
        f'[[pixels.accept]]\nsop_class = "{uid}"\nrisks = [{words}]\nreason = "Public data."\n'
        for uid in classes
    )
    path.write_text(RECIPE.read_text("utf-8") + "\n" + taken, "utf-8")
    return path


def _told(folders: list[Path], base: Path, key: ck.Key, recipe: Path, *, verbose: bool) -> int:
    failed = 0
    total = Found()
    for number, folder in enumerate(folders):
        cohort = ck.scan(folder, progress=False).search()
        plan = ck.plan(cohort, ck.load_recipe(recipe), to="dicom:dicomdir")
        made = ck.export(plan, base / str(number), key=key, progress=False)
        tasks = made.table("tasks").select("status", "reason", "instances")
        tasks = tasks.group_by("status", "reason").sum().sort("status", "reason")
        print(f"{folder}:")
        for row in tasks.iter_rows(named=True):
            print(f"  {row['instances']:6} instances {row['status']} {row['reason'] or ''}")
        failed += made.failed().height
        one = compare([folder], made.release / "dicom", key)
        print(
            f"  {one.objects} objects against their sources: {one.source_errors} errors in the "
            f"sources, {one.errors} in the objects, {sum(one.new.values())} new; "
            f"{one.references} references, {one.lost} lost"
        )
        if one.ordered:
            print(f"  {one.ordered} errors more are the profile's: it removes what is missed (X)")
        for line, count in one.new.most_common(None if verbose else 20):
            print(f"    {count:5} x {line}")
            if verbose:
                print(f"          {one.examples[line]}")
        total.new += one.new
        total.lost += one.lost
    print(f"new errors: {sum(total.new.values())}; references lost: {total.lost}; failed: {failed}")
    return 1 if total.new or total.lost or failed else 0


if __name__ == "__main__":
    sys.exit(main())
