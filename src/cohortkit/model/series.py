"""The identified side of one series, as a source hands it over. Never written, never printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pydicom.dataset import Dataset

from cohortkit.model.facts import Codec, Facts, PixelType


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

    def __reduce__(self) -> tuple[type[FileRef], tuple[str, int, int, str]]:
        """For a worker; the way of data classes looks up the fields of each, both times."""
        return FileRef, (self.path, self.size, self.mtime_ns, self.sop_instance_uid)


@dataclass(frozen=True, slots=True)
class PixelForm:
    """How the pixel attribute lies in its file.

    Attributes:
        attribute: which attribute holds them.
        codec: the transfer syntax by which the bytes are to be read.
        encapsulated: whether the value is fragments (PS3.5 A.4).
        vr: value representation in the file; empty where the file has none (implicit).
        length: bytes of the value; None where the file ends before it does.
    """

    attribute: PixelType
    codec: Codec
    encapsulated: bool
    vr: str
    length: int | None


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


@runtime_checkable
class StoredPixels(PixelHandle, Protocol):
    """Pixels that may leave as the bytes that they are."""

    @property
    def form(self) -> PixelForm:
        """How they lie in the file; nothing is read to say it."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The value in pieces of 4 MiB, so that it need not be held; no byte is swapped.

        Raises:
            Refusal: ``pixel-length``.
            TaskFailure: as ``read``.
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
