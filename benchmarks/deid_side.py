"""The other side of `deid_equal.py` and `deid_speed.py`: deid itself, its recipes, real files.

Nothing here imports cohortkit; the PS3.15 table is read from the file of data that ships.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pydicom
from deid.config import DeidRecipe
from deid.dicom import fields
from deid.dicom.parser import DicomParser
from deid.logger import bot
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = Path(str(resources.files("deid") / "data" / "deid.dicom"))
_TABLE = ROOT / "src" / "cohortkit" / "recipe" / "data" / "table.csv"
_LINES = {
    "X": "REMOVE {}",
    "Z": "BLANK {}",
    "D": "REPLACE {} {}",
    "U": "REPLACE {} deid_func:pydicom_uuid",
}
_DUMMIES = {"DA": "20000101", "DT": "20000101000000", "TM": "000000", "AS": "040Y"}

bot.level = 0


def standard_recipe() -> str:
    """PS3.15 Table E.1-1 in deid's language: a line for each attribute that deid can name."""
    kept = (line for line in _TABLE.read_text("utf-8").splitlines() if not line.startswith("#"))
    lines = ["FORMAT dicom", "%header"]
    for row in csv.DictReader(kept):
        letter = row["basic"].rstrip("*").split("/")[-1]
        name = row["keyword"] or f"({row['tag'][:4]},{row['tag'][4:]})"
        if "x" in name.lower() and not row["keyword"]:
            continue
        if row["vr"] in {"SQ", "UN"} or row["vr"].startswith("O"):
            letter = "X" if letter != "Z" else "Z"  # deid can put no text there
        if letter == "U" and row["vr"] != "UI":
            letter = "X"
        lines.append(_LINES[letter].format(name, _DUMMIES.get(row["vr"], "REMOVED")))
    return "\n".join(lines) + "\n"


def length(recipe: Path) -> int:
    """How many lines of a recipe change headers."""
    return len(DeidRecipe(str(recipe)).get_actions())


def deid_itself(
    ds: Dataset, recipe: DeidRecipe, item: Mapping[str, Any], *, remove_private: bool
) -> Dataset:
    """What deid makes of a header. It changes and gives back the dataset itself.

    Its cache is emptied first: it would keep every dataset, and answer for a new one at the same
    address.
    """
    fields._get_fields_inner.cache_clear()  # noqa: SLF001 - see above
    with contextlib.redirect_stdout(io.StringIO()):
        parser = DicomParser(ds, recipe=recipe)
        for name, value in item.items():
            parser.define(name, value)
        parser.parse(remove_private=remove_private)
    return parser.dicom


def files() -> Iterator[Path]:
    """Every file of pydicom, pydicom-data and deid-data that pydicom reads as a dataset."""
    for package in ("pydicom", "data_store", "deid_data"):
        with contextlib.suppress(ModuleNotFoundError):
            yield from sorted(_readable(Path(str(resources.files(package)))))


def _readable(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if path.suffix in {".py", ".pyc", ".json", ".toml", ".md", ".txt", ".zip", ".png"}:
                continue
            with contextlib.suppress(Exception):
                if len(pydicom.dcmread(path, force=True)):
                    yield path


def difference(one: Dataset, other: Dataset, place: str = "") -> str | None:
    """Where two datasets differ first, by tags; None where they are equal in every element."""
    for tag in sorted({*one.keys(), *other.keys()}):
        here = f"{place}{tag}"
        if tag not in one or tag not in other:
            return f"{here} is on one side only"
        found = _differing(one[tag], other[tag], here)
        if found:
            return found
    return None


def _differing(one: DataElement, other: DataElement, place: str) -> str | None:
    if one.VR != other.VR:
        return f"{place} has two VRs"
    left, right = one.value, other.value
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        if len(left) != len(right):
            return f"{place} has two lengths"
        pairs = enumerate(zip(left, right, strict=True))
        return next((d for n, (a, b) in pairs if (d := difference(a, b, f"{place}[{n}]."))), None)
    same = type(left) is type(right) and (left == right or repr(left) == repr(right))
    return None if same else f"{place} has two values"
