"""Cohortkit with dates moved, and the box blanked into which one ultrasound draws names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cohortkit_export
import frame

_RULE = """
[[pixels.rules]]
when = { Manufacturer = "Sonic Works", ManufacturerModelName = "Probe 9", Rows = "48", \
Columns = "64" }
blank = [{ left = 4, top = 2, width = 40, height = 9 }]
reason = "This made-up device draws names here."
"""


def many(sources: Sequence[Path], target: Path) -> dict[str, str]:
    """A folder in, a folder out."""
    return cohortkit_export.export(sources, target, ("retain-modified-dates",), _RULE)


if __name__ == "__main__":
    frame.run(many)
