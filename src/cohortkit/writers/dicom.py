"""DICOM: every instance as an object again, its header de-identified and its pixels untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cohortkit import given
from cohortkit.dicom import directory
from cohortkit.dicom.splice import file_of
from cohortkit.errors import Refusal
from cohortkit.model import (
    Artifact,
    DeidentifiedSeries,
    Names,
    Object,
    Payload,
    PayloadKind,
    Reason,
)
from cohortkit.writers import files


@dataclass(frozen=True, slots=True)
class Dicom:
    """Writes objects as ``<stem>/i0001.dcm``, numbered in the order of Instance Number.

    Pixels are not decoded or compressed anew, their bytes are the source's, but where the recipe
    blanks parts of them: those keep a lossless encoding, and others become what it says. Text is
    UTF-8, the transfer syntax the source's (what was deflated is explicit little endian), the file
    meta information new, the preamble zeros. What hides beside the picture does not leave: bits
    that no pixel uses, bytes behind the last pixel, comments, profiles and unused tables inside
    JPEG streams, what lies between or behind fragments. Where that cannot be taken away without
    decoding, the object is refused by name.

    Attributes:
        dicomdir: a DICOMDIR beside the objects, whose folders and files are then called as those of
            a file-set may be: the pseudonyms in capitals, in pieces of eight, ``I0000001``.
    """

    name: ClassVar[str] = "dicom"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.OBJECT})

    dicomdir: bool = False

    def __post_init__(self) -> None:
        given.a(bool, "Dicom(dicomdir=…)", self.dicomdir, "True or False")

    def folder(self, names: Names) -> str:
        """Where the objects of a study lie, below the folder of this kind of output."""
        return directory.folder(names) if self.dicomdir else f"{names.patient}/{names.study}"

    def stem(self, names: Names) -> str:
        """What the names of all that is written of a series begin with."""
        return directory.pieces(names.series)[0] if self.dicomdir else names.series

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
        if self.dicomdir:
            inside = "/".join(directory.pieces(series.names.series))
            name = f"{inside}/{directory.file_name(payload.number)}"
        files.make_folder((folder / name).parent)
        header = series.headers[payload.instance]
        try:
            written = files.write(folder / name, file_of(header, payload))
        except Refusal:
            (folder / name).unlink(missing_ok=True)  # half an object is none
            raise
        return [
            Artifact(self.name, "object", name, written.sha256, written.size, payload.instances)
        ]

    def rows(
        self, artifacts: Iterable[Artifact], release: Path, names: Names
    ) -> Mapping[str, tuple[Mapping[str, object], ...]]:
        """What the record of a series keeps for ``finish``: nothing without a directory.

        Args:
            artifacts: what was written of the series; paths are relative to ``release``.
            release: the folder.
            names: of the series.
        """
        if not self.dicomdir:
            return {}
        written = [release / one.path for one in artifacts if one.output == self.name]
        made = tuple(directory.row(path, names, int(path.name[1:])) for path in written)
        return {directory.TABLE: made} if made else {}

    def finish(
        self,
        rows: Iterable[Mapping[str, Sequence[Mapping[str, object]]]],
        treatment: Mapping[str, str],  # noqa: ARG002 - the protocol's: no column to describe
        top: Mapping[str, object],  # noqa: ARG002 - the same
    ) -> dict[str, bytes]:
        """The directory, where one is asked for. Pure."""
        if not self.dicomdir:
            return {}
        kept = (row for one in rows for row in one.get(directory.TABLE, ()))
        return {directory.NAME: directory.directory(kept)}
