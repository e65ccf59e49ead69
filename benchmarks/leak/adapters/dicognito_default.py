"""dicognito, as its command does it: one anonymizer for the run."""

from __future__ import annotations

from pathlib import Path

import frame
import pydicom
from dicognito.anonymizer import Anonymizer

ANONYMIZER = Anonymizer(seed="leak")


def one(source: Path, target: Path) -> None:
    """Read, anonymize, write."""
    with pydicom.dcmread(source) as dataset:
        ANONYMIZER.anonymize(dataset)
        dataset.save_as(target)


if __name__ == "__main__":
    frame.run(frame.each(one))
