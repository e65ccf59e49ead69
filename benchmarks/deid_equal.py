"""``ck.compat.deid_apply`` beside deid: equal on every file on which deid does not crash.

Every file of pydicom, pydicom-data and deid-data (and of COHORTKIT_TEST_DATA, with ``--all``),
under deid's default recipe and under PS3.15's table written as a recipe, each with private elements
and without. Datasets are compared element by element: tag, VR, value, items, and file meta. Exit
code 1 where one differs, or where this side fails and deid does not.

    python benchmarks/deid_equal.py [--all]
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pydicom
from deid.config import DeidRecipe
from deid_side import DEFAULT, deid_itself, difference, files, length, standard_recipe
from pydicom.dataset import Dataset

import cohortkit as ck

ITEM = {"entity_id": "E-1", "item_id": "I-1", "entity_timestamp": "19000101"}
"""Variables of deid's default recipe; one that it names is left undefined."""


def compare(path: Path, name: Path, recipe: DeidRecipe, *, remove_private: bool) -> str:
    """What came of one file: equal, deid fails, or where the two differ."""
    try:
        theirs = deid_itself(_read(path), recipe, ITEM, remove_private=remove_private)
        pristine = difference(theirs, theirs)
    except Exception as error:  # noqa: BLE001 - whatever deid does not survive
        return f"deid fails: {type(error).__name__}"
    source = _read(path)
    try:
        ours = ck.compat.deid_apply(source, name, item=ITEM, remove_private=remove_private)
        found = pristine or difference(theirs, ours)
        found = found or difference(_meta(theirs), _meta(ours), "file meta ")
        found = found or difference(source, _read(path), "the source was changed at ")
    except Exception as error:  # noqa: BLE001 - told below, and the exit code is 1
        found = f"this side fails: {type(error).__name__}"
    return found or "equal"


def _read(path: Path) -> Dataset:
    return pydicom.dcmread(path, force=True)


def _meta(dataset: Dataset) -> Dataset:
    return getattr(dataset, "file_meta", None) or Dataset()


def recipes(folder: Path) -> Iterator[Path]:
    """The default recipe of deid and the table of PS3.15."""
    yield DEFAULT
    table = folder / "ps315.dicom"
    table.write_text(standard_recipe(), "utf-8")
    yield table


def main(*, everything: bool) -> int:
    """Print what came of all files under each recipe."""
    warnings.simplefilter("ignore")
    paths = list(files())
    if everything:
        root = Path(os.environ["COHORTKIT_TEST_DATA"])
        paths += sorted(p for p in root.rglob("*") if p.suffix.lower() in {".dcm", ".ima"})
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in recipes(Path(folder)):
            recipe = DeidRecipe(str(name))
            for remove_private in (False, True):
                said = {p: compare(p, name, recipe, remove_private=remove_private) for p in paths}
                counts = Counter(said.values())
                private = ", private removed" if remove_private else ""
                print(f"{name.name}, {length(name)} lines{private}: {len(paths)} files")
                for words, count in counts.most_common():
                    print(f"  {count:5} {words}")
                wrong = [p for p, w in said.items() if w != "equal" and not w.startswith("deid")]
                bad += len(wrong)
                for path in wrong[:5]:
                    print(f"    {path.name}: {said[path]}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(everything="--all" in sys.argv[1:]))
