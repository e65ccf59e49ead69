"""DICOM: every instance as an object again, its header de-identified and its pixels untouched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cohortkit.dicom.splice import file_of
from cohortkit.errors import Refusal
from cohortkit.model import Artifact, DeidentifiedSeries, Object, Payload, PayloadKind, Reason
from cohortkit.writers import files


@dataclass(frozen=True, slots=True)
class Dicom:
    """Writes objects as ``<stem>/i0001.dcm``, numbered in the order of Instance Number.

    Pixels are not decoded or compressed anew, their bytes are the source's, but where the recipe
    blanks parts of them: those keep a lossless encoding, and others become what it says. Text is
    UTF-8, the transfer syntax the source's (what was deflated is explicit little endian), the file
    meta information new, the preamble zeros. What hides beside the picture does not leave: bits
    that no pixel uses, bytes behind the last pixel, comments and profiles inside JPEG streams,
    what lies between or behind fragments. Where that cannot be taken away without decoding, the
    object is refused by name.
    """

    name: ClassVar[str] = "dicom"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.OBJECT})

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write one object.

        Raises:
            Refusal: ``pixel-length``: the source ends before its pixels do.
            TaskFailure: the source cannot be read, or the place cannot be written.
        """
        if not isinstance(payload, Object):
            raise Refusal(Reason.NO_PAYLOAD)
        name = f"{stem}/i{payload.number:04d}.dcm"
        files.make_folder(folder / stem)
        header = series.headers[payload.instance]
        try:
            written = files.write(folder / name, file_of(header, payload))
        except Refusal:
            (folder / name).unlink(missing_ok=True)  # half an object is none
            raise
        return [
            Artifact(self.name, "object", name, written.sha256, written.size, payload.instances)
        ]
