"""Files in place: the archive as it lies on disk, read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.dicom.loader import PixelPlace, pixel_chunks, read_header, read_pixels
from cohortkit.dicom.plain import Known
from cohortkit.errors import TaskFailure
from cohortkit.model import Codec, FileRef, PixelForm, Reason, SourceInstance, Task

_KNOWN = frozenset(codec.value for codec in Codec)


@dataclass(frozen=True, slots=True)
class Files:
    """The source of an index that was scanned from files."""

    def fetch(self, task: Task, scratch: Path | None = None) -> tuple[SourceInstance, ...]:  # noqa: ARG002 - nothing has to be brought here
        """The objects of one series, headers read and pixels left where they are.

        Args:
            task: whose files are paths.
            scratch: not used.

        Raises:
            TaskFailure: ``file-vanished``, ``file-changed``, ``read-error``.
            Refusal: a file is not what the index said.
        """
        known = Known()
        return tuple(opened(file, known) for file in task.files)


@dataclass(frozen=True, slots=True, repr=False)
class FilePixels:
    """Pixels in a file, read when they are asked for."""

    file: FileRef
    place: PixelPlace
    swapped: bool

    @property
    def form(self) -> PixelForm:
        """How they lie in the file."""
        place = self.place
        codec = Codec(place.transfer_syntax) if place.transfer_syntax in _KNOWN else Codec.OTHER
        length = place.length
        if length is not None and not place.deflated and place.offset + length > self.file.size:
            length = None
        return PixelForm(place.attribute, codec, place.encapsulated, place.vr, length)

    def chunks(self) -> Iterator[bytes]:
        """The value in pieces, as it lies in the (inflated) file.

        Raises:
            Refusal: ``pixel-length`` where the file ends before the value does.
            TaskFailure: ``file-vanished``, ``file-changed``, ``read-error``.
        """
        _unchanged(self.file)
        return pixel_chunks(self.file.path, self.place)

    def read(self) -> bytes:
        """The value of the pixel attribute; bytes that lie in swapped words are put right.

        Raises:
            Refusal: ``pixel-length`` where the file ends before the value does.
            TaskFailure: ``file-vanished``, ``file-changed``, ``read-error``.
        """
        _unchanged(self.file)
        data = read_pixels(self.file.path, self.place)
        return _swap(data) if self.swapped else data

    def __repr__(self) -> str:
        return f"<FilePixels of {self.place.length} bytes>"


def opened(file: FileRef, known: Known) -> SourceInstance:
    """The object in one file.

    Args:
        file: as the index saw it.
        known: of the series' reader.

    Raises:
        TaskFailure: ``file-vanished``, ``file-changed``, ``read-error``.
        Refusal: it is no object, or its header cannot be read.
    """
    _unchanged(file)
    header, place = read_header(file.path, known)
    if place is None:
        return SourceInstance(header, None, file)
    return SourceInstance(header, FilePixels(file, place, _in_words(header, place)), file)


def _unchanged(file: FileRef) -> None:
    """Check that the file is the one that the index saw."""
    try:
        found = Path(file.path).stat()
    except FileNotFoundError:
        raise TaskFailure(Reason.FILE_VANISHED) from None
    except (OSError, ValueError):
        raise TaskFailure(Reason.READ_ERROR) from None
    if (found.st_size, found.st_mtime_ns) != (file.size, file.mtime_ns):
        raise TaskFailure(Reason.FILE_CHANGED)


def _in_words(header: Dataset, place: PixelPlace) -> bool:
    """Whether samples of one byte lie in big-endian words of two (OW; PS3.5 8.1.1)."""
    big = place.transfer_syntax == Codec.EXPLICIT_BIG.value
    return big and place.vr == "OW" and header.get("BitsAllocated") == 8  # noqa: PLR2004 - one byte


def _swap(data: bytes) -> bytes:
    pairs = bytearray(data)
    even = len(data) // 2 * 2
    pairs[0:even:2], pairs[1:even:2] = data[1:even:2], data[0:even:2]
    return bytes(pairs)
