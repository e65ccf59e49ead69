"""Every series of the real test data against dcm2niix: exact, refused by name, or different.

    python benchmarks/exact.py [--default] [--verbose] [FOLDER …]

Each suite is exported by the public face, as a user would: ``ck.scan``, ``ck.plan``, ``ck.export``
under ``exact.toml``, with a key made on the spot. The NIfTI files of the release are matched with
those of ``dcm2niix -z n`` by their content, one to one (``exact_volumes.py`` says what *exact*
is). A file of ours that no reference equals *differs*; so does a second one that equals a
reference already taken.

Of a reference that no file was matched with, it is told whether it is

- a *copy*: equal to a reference that was matched. An export writes one of several copies of an
  object and counts the others as duplicates; dcm2niix may write each;
- a *contradiction*: dcm2niix's own reading of a matched one with the slices in the other order on
  the same affine (of copies in several transfer syntaxes it turns some over);
- or *not made*.

A file of ours has *no oracle* where dcm2niix reported an error for every file that it is made of:
it then equals what an export of those files alone makes.

Without ``--default`` the policies are chosen that accept most: see ``POLICIES``. Without FOLDER
the data are COHORTKIT_TEST_DATA, or ../shared/data; exits 0 if at least 50 of dcm2niix's volumes
are exact (copies included), none differs and no series failed. With FOLDER: if none differs and
none failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import exact_volumes as volumes
import polars as pl

import cohortkit as ck

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("COHORTKIT_TEST_DATA") or ROOT.parent / "shared" / "data")
RECIPE = ROOT / "benchmarks" / "exact.toml"
POLICIES = ck.Nifti(
    compress=False,
    single="keep-2d",
    tilt="resample",
    spacing="resample",
    missing="resample",
    colour="rgb",
    unplaced="keep",
)
LEAST = 50

EXACT, COPY, DIFFERS = "exact", "copies of an exact one", "differ"
CONTRADICTION, NOT_MADE = "contradict dcm2niix itself", "not made"
NO_ORACLE, FAILED = "no oracle (dcm2niix: error)", "failed"


def export(folder: Path, policies: ck.Nifti, work: Path) -> tuple[ck.Export, dict[str, str]]:
    """The NIfTI export of a folder, and for each series' pseudonym the folder of its files."""
    work.mkdir(parents=True)
    index = ck.scan(folder, progress=False)
    cohort = index.search()
    key = ck.Key.new(work / "exact.key", "exact")
    plan = ck.plan(cohort, ck.load_recipe(str(RECIPE)), to=[policies])
    made = ck.export(plan, work / "out", key=key, progress=False)
    rows = cohort.to_polars(identified=True).select("series_key", "SeriesInstanceUID").rows()
    pseudonyms = key.pseudonyms()
    names = {uid: pseudonyms.series(uid) for _, uid in rows}
    files = index.instances(pl.Series([key for key, _ in rows])).group_by("series_key").first()
    first = dict(files.select("series_key", "path").rows())
    return made, {names[uid]: str(Path(first[key]).parent) for key, uid in rows}


def released(made: ck.Export) -> Iterator[tuple[str, volumes.Stored]]:
    """Each volume of a release with its series' pseudonym; its file is then deleted."""
    images = made.table("files").filter(pl.col("role") == "image")
    for series, name in images.sort("path").select("series", "path").rows():
        path = made.release / name
        yield series, volumes.stored(path)
        path.unlink()


def judge(suite: Path, policies: ck.Nifti, work: Path, *, verbose: bool) -> Counter[str]:
    """Print and count what became of one suite."""
    folder = suite / "In" if (suite / "In").is_dir() else suite
    references, errors = volumes.oracle(folder, work / "reference")
    made, folders = export(folder, policies, work / "ours")
    said: dict[str, Counter[str]] = {series: Counter() for series in folders}
    spare = _of_errors(errors, policies, work) if errors else []
    for series, ours in released(made):
        verdict = _verdict(ours, references, spare)
        said[series][verdict] += 1
        if verbose and verdict == DIFFERS:
            print(f"    {suite.name}: differs: {ours.name} {ours.values.shape}")
    for series, status, reason in made.table("tasks").select("series", "status", "reason").rows():
        if status != "written":
            said[series][f"{status} ({reason})"] += 1
    totals = sum(said.values(), Counter())
    _tell(suite, folders, said)
    totals += _left_over(suite, references, verbose=verbose)
    totals["made by dcm2niix"] = len(references)
    return totals


def _verdict(
    ours: volumes.Stored, references: Sequence[volumes.Stored], spare: Sequence[volumes.Stored]
) -> str:
    if volumes.first_equal(ours, references) is not None:
        return EXACT
    return NO_ORACLE if volumes.first_equal(ours, spare) is not None else DIFFERS


def _of_errors(files: Sequence[Path], policies: ck.Nifti, work: Path) -> list[volumes.Stored]:
    """What an export makes of the files that dcm2niix cannot read, and of no other."""
    alone = work / "errors"
    alone.mkdir()
    for n, path in enumerate(files):
        shutil.copy(path, alone / str(n))
    made, _ = export(alone, policies, work / "of-errors")
    return [ours for _, ours in released(made)]


def _left_over(suite: Path, references: Sequence[volumes.Stored], *, verbose: bool) -> Counter[str]:
    """Count the references that no file was matched with, and name them."""
    kinds = {COPY: volumes.copies(references), CONTRADICTION: volumes.contradictions(references)}
    known = {id(one) for found in kinds.values() for one in found}
    kinds[NOT_MADE] = [one for one in references if not one.taken and id(one) not in known]
    if verbose:
        for kind, found in kinds.items():
            for one in found:
                colour = ", in colour" if one.colour else ""
                print(f"    {suite.name}: {kind}: {one.name} {one.values.shape}{colour}")
    return Counter({kind: len(found) for kind, found in kinds.items()})


def _tell(suite: Path, folders: Mapping[str, str], said: Mapping[str, Counter[str]]) -> None:
    for series, where in sorted(folders.items(), key=lambda item: item[1]):
        told = ", ".join(f"{n} {what}" for what, n in sorted(said[series].items()))
        short = os.path.relpath(where, suite.parent)
        print(f"{short[-60:]:<60} {told}", flush=True)


def _totals(totals: Counter[str]) -> None:
    print()
    for what, n in sorted(totals.items()):
        if what not in {EXACT, COPY, DIFFERS, "made by dcm2niix"}:
            print(f"{n:>4} {what}")
    print(
        f"dcm2niix makes {totals['made by dcm2niix']} volumes: "
        f"{totals[EXACT] + totals[COPY]} exact ({totals[COPY]} of them copies), "
        f"{totals[DIFFERS]} differ"
    )


def main() -> int:
    """Print the table and the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="suites; default: all of the data")
    parser.add_argument("--default", action="store_true", help="with the default policies")
    parser.add_argument("--verbose", action="store_true", help="name references left over")
    given = parser.parse_args()
    policies = ck.Nifti(compress=False) if given.default else POLICIES
    warnings.simplefilter("ignore")
    suites = given.folders or sorted(path for path in DATA.iterdir() if path.is_dir())
    totals: Counter[str] = Counter()
    for suite in suites:
        with tempfile.TemporaryDirectory() as work:
            totals += judge(suite.resolve(), policies, Path(work), verbose=given.verbose)
    _totals(totals)
    failed = sum(n for what, n in totals.items() if what.startswith(FAILED))
    enough = bool(given.folders) or totals[EXACT] + totals[COPY] >= LEAST
    return 0 if enough and not totals[DIFFERS] and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
