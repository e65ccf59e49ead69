"""isocenter with its default policy: ingest, audit, anonymize, export, in a session of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import frame
import pydicom
from isocenter import Session


def many(sources: Sequence[Path], target: Path) -> dict[str, str]:
    """A folder in, a folder out; outputs are known again by their Instance Number."""
    names = {_number(one): one.name for one in sources}
    with tempfile.TemporaryDirectory() as work:
        room = Path(work)
        (room / "in").mkdir()
        for one in sources:
            shutil.copy(one, room / "in")
        with Session(str(room / "session.db")) as session:
            session.ingest(str(room / "in"))
            session.anonymize(session.audit())
            session.export(str(room / "out"))
        for path in sorted((room / "out").rglob("*.dcm")):
            shutil.copy(path, target / names.pop(_number(path), path.name))
    return dict.fromkeys(names.values(), "not exported")


def _number(path: Path) -> int:
    number = pydicom.dcmread(path, stop_before_pixels=True).get("InstanceNumber")
    return int(number) if number else 0


if __name__ == "__main__":
    frame.run(many)
