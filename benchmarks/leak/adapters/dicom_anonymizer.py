"""dicom-anonymizer with its default rules."""

from __future__ import annotations

from pathlib import Path

import frame
from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file


def one(source: Path, target: Path) -> None:
    """File to file; private tags are deleted by default."""
    anonymize_dicom_file(str(source), str(target))


if __name__ == "__main__":
    frame.run(frame.each(one))
