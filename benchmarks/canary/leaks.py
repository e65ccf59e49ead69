"""Writers that betray the patient on purpose, each in another place, to see whether it is noticed.

What they say is told to them by the variable CANARY, for a writer is given nobody to betray.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cohortkit.model import Artifact, DeidentifiedSeries, Payload, PayloadKind


@dataclass(frozen=True)
class Leak:
    """Writes one small text file for each volume; ``where`` says what is wrong with it."""

    where: str
    name: ClassVar[str] = "leak"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.VOLUME})

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """One file, honest but for what it was told to betray."""
        del series
        secret = os.environ["CANARY"]
        name, text = f"{stem}.txt", "volume"
        if self.where == "writer":
            text += f" of {secret}"
        elif self.where == "digest":
            text += f" {hashlib.sha256(secret.encode()).hexdigest()}"
        elif self.where == "file name":
            name = f"{stem}_{secret}.txt"
        path = folder / name
        path.write_text(text, "utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        return [Artifact("leak", "text", name, digest, len(text), payload.instances)]
