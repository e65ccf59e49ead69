"""dcmanon with its default tag actions."""

from __future__ import annotations

from pathlib import Path

import frame
from dcmanon import Anonymizer

ANONYMIZER = Anonymizer()


def one(source: Path, target: Path) -> None:
    """Bytes in, bytes out."""
    target.write_bytes(ANONYMIZER.anonymize(str(source)))


if __name__ == "__main__":
    frame.run(frame.each(one))
