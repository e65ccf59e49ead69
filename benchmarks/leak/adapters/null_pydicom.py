"""Nothing but a read and a write: what the others are measured against."""

from __future__ import annotations

from pathlib import Path

import frame
import pydicom


def one(source: Path, target: Path) -> None:
    """Read and write."""
    pydicom.dcmread(source).save_as(target)


if __name__ == "__main__":
    frame.run(frame.each(one))
