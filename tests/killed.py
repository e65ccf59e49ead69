"""What the kill tests run and kill: one export by the public face, in its own process."""

from __future__ import annotations

import sys
from pathlib import Path

import cohortkit as ck


def export(base: Path, out: Path, *, limit: int | None = None) -> ck.Export:
    """Export the whole archive at ``base``; tables as CSV too, so that finishing takes longer."""
    index = ck.open_index(base / "index")
    to = ["nifti", "png", ck.Tables(csv=True)]
    plan = ck.plan(index.search(), ck.load_recipe("basic"), to=to)
    key = ck.Key.from_file(base / "key")
    return ck.export(plan, out, key=key, workers=2, limit=limit, progress=False)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
    print("finished", flush=True)
