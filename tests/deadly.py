"""A writer whose worker dies as that of a codec does that crashes on a hostile file."""

from __future__ import annotations

import ctypes
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import cohortkit as ck
from cohortkit.model import Artifact, DeidentifiedSeries, Payload, PayloadKind

DYING = "COHORTKIT_TEST_DEADLY"
"""Folder, how often, and how: read in the worker, so that the writer itself is always the same."""


@dataclass(frozen=True)
class Deadly:
    """Writes NIfTI; the first volume that is turned over to it is the end of its worker."""

    name: ClassVar[str] = "nifti"
    accepts: ClassVar[frozenset[PayloadKind]] = ck.Nifti.accepts

    honest: ck.Nifti = field(default_factory=ck.Nifti)

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write all of it, and then die: what is there was never searched."""
        made = self.honest.write(payload, series, folder, stem)
        place, often, how = os.environ.get(DYING, "::").split(":")
        if place and _mine(Path(place), stem, int(often)):
            (folder / f"{stem}_half.nii.gz").write_bytes(b"\x1f\x8b half of it")
            _die(how)
        return made


def _mine(place: Path, stem: str, often: int) -> bool:
    """Whether this series is the chosen one, the first that came, and is still to die."""
    chosen = place / "stem"
    try:
        handle = os.open(chosen, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(handle, stem.encode())
        os.close(handle)
    except FileExistsError:
        pass
    if chosen.read_text() != stem:
        return False
    deaths = len(list(place.glob("death*")))
    (place / f"death{deaths}").touch()
    return deaths < often


def _die(how: str) -> None:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    ctypes.string_at(0)
