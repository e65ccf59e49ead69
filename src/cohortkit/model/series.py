"""The identified side of one series, as a source hands it over. Never written, never printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydicom.dataset import Dataset

from cohortkit.model.facts import Facts


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Who: the person is (issuer, Patient ID). The repr shows neither."""

    issuer: str
    patient_id: str

    def __repr__(self) -> str:
        return "<Person>"


@dataclass(frozen=True, slots=True, repr=False)
class FileRef:
    """One file of the archive as the index saw it: path, size, time of last change."""

    path: str
    size: int
    mtime_ns: int
    sop_instance_uid: str

    def __repr__(self) -> str:
        return f"<FileRef of {self.size} bytes>"


class PixelHandle(Protocol):
    """Pixels that have not been read yet, so that memory holds one volume and not two."""

    def read(self) -> bytes:
        """The value of the pixel attribute as it lies in the (inflated) file.

        Native: the bytes in the file's byte order. Encapsulated: the fragments with their item
        tags, from the basic offset table on.

        Raises:
            Refusal: ``no-pixels``, ``pixel-length``.
            TaskFailure: ``file-vanished``, ``file-changed``, ``read-error``.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class SourceInstance:
    """One object: its header (all but the pixels) and a handle on its pixels.

    ``header.file_meta`` is set where the file has one.
    """

    header: Dataset
    pixels: PixelHandle | None
    file: FileRef

    def __repr__(self) -> str:
        return f"<SourceInstance {self.file!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class SourceSeries:
    """One series of one person, with the facts that were read before anything was changed."""

    person: Person
    instances: tuple[SourceInstance, ...]
    facts: Facts

    def __repr__(self) -> str:
        return f"<SourceSeries of {len(self.instances)} instances>"
