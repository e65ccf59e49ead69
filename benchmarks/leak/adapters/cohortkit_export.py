"""Cohortkit by its public face: scan, plan, export as DICOM, every gate and search in place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cohortkit_recipe as settings
import frame
import pydicom

import cohortkit as ck


def many(sources: Sequence[Path], target: Path) -> dict[str, str]:
    """A folder in, a folder out; outputs are known again by their Instance Number."""
    return export(sources, target, tuple(os.environ.get("LEAK_OPTIONS", "").split()))


def export(
    sources: Sequence[Path],
    target: Path,
    options: tuple[str, ...] = (),
    more: str = "",
    unlisted: str = "by-rule",
) -> dict[str, str]:
    """The same with options of PS3.15 Annex E, and more text in the recipe."""
    names = {_number(one): one.name for one in sources}
    with tempfile.TemporaryDirectory() as work:
        room = Path(work)
        (room / "in").mkdir()
        for one in sources:
            shutil.copy2(one, room / "in")
        index = ck.scan(room / "in", progress=False)
        recipe = settings.recipe(room, options, more, unlisted)
        plan = ck.plan(index.search(), recipe, to=[ck.Dicom()])
        made = ck.export(plan, room / "out", key=settings.key(room), progress=False)
        for path in sorted((made.release / "dicom").rglob("*.dcm")):
            shutil.copy(path, target / names.pop(_number(path), path.name))
        why = made.refused()["reason"].to_list() + made.failed()["reason"].to_list()
    told = ", ".join(sorted(set(why))) or "not indexed"
    return dict.fromkeys(names.values(), f"refused ({told})")


def _number(path: Path) -> int:
    number = pydicom.dcmread(path, stop_before_pixels=True).get("InstanceNumber")
    return int(number) if number else 0


if __name__ == "__main__":
    frame.run(many)
