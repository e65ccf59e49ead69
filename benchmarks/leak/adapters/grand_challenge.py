"""grand-challenge-dicom-de-identifier with the procedure that it installs."""

from __future__ import annotations

from pathlib import Path

import frame
from grand_challenge_dicom_de_identifier.deidentifier import DicomDeidentifier

DEIDENTIFIER = DicomDeidentifier()


def one(source: Path, target: Path) -> None:
    """File to file."""
    DEIDENTIFIER.deidentify_file(source, output=target)


if __name__ == "__main__":
    frame.run(frame.each(one))
