"""Read a whole header, whatever its encoding, and say where the pixels lie.

pydicom parses; the bounds, the refusals and what follows the pixels are added here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import BytesLengthException
from pydicom.filereader import data_element_generator, read_partial
from pydicom.tag import BaseTag
from pydicom.uid import UID

from cohortkit.dicom import plain
from cohortkit.dicom.elements import NotPlain
from cohortkit.dicom.layout import Start, find_start
from cohortkit.dicom.plain import Known, Pixels
from cohortkit.dicom.quiet import quiet
from cohortkit.dicom.streams import MAX_HEADER, BoundedFile, InflatingFile, size_of
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.model.facts import PixelType
from cohortkit.reasons import Reason

_PIXELS = {
    0x7FE00008: PixelType.FLOAT,
    0x7FE00009: PixelType.DOUBLE,
    0x7FE00010: PixelType.INTEGER,
}
_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_SEQUENCE_END = 0xFFFEE0DD
_CHARSET = 0x00080005
_HEAD = 32 * 1024
_QUICK = 1 << 20  # bytes more in which a header is looked for before pydicom streams it
_MAX_META = 1024 * 1024  # file meta information beyond this is no real one
_Elements = dict[BaseTag, RawDataElement | DataElement]


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where the pixels of a file lie.

    Attributes:
        attribute: which attribute holds them.
        offset: of the value: in the file, or in the inflated data set where ``deflated``.
        length: bytes of the value. For fragments (``encapsulated``) the bytes from the basic
            offset table on up to the sequence delimiter, which is not counted; None where the
            file ends before it.
        encapsulated: whether the length is undefined in the file (PS3.5 A.4).
        transfer_syntax: the file's; where it says none, what its bytes show.
        deflated: whether the data set is deflated.
        start: offset in the file of the data set.
        vr: value representation in the file; empty where it has none.
    """

    attribute: PixelType
    offset: int
    length: int | None
    encapsulated: bool
    transfer_syntax: str
    deflated: bool = False
    start: int = 0
    vr: str = ""


_MOST_ELEMENTS = 1 << 16


class _Stop:
    """Stops pydicom before the pixels and at what cannot be; remembers where the pixels are."""

    def __init__(self, stream: BoundedFile | InflatingFile) -> None:
        self._stream = stream
        self._count = 0
        self.found: Pixels | None = None

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        self._count += 1
        if self._count > _MOST_ELEMENTS:  # zeros behind a head read as elements of no length
            raise Refusal(Reason.HEADER_TOO_LARGE)
        if tag in _PIXELS:
            self.found = Pixels(int(tag), vr or "", self._stream.tell(), length)
            return True
        if length != _UNDEFINED:
            left = self._stream.remaining()
            if left is not None and length > left:
                raise Refusal(Reason.TRUNCATED)
            if length > MAX_HEADER:
                raise Refusal(Reason.HEADER_TOO_LARGE)
        return False


class Openable(Protocol):
    """What can be opened as a path can."""

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """A stream of its bytes."""
        ...


def read_header(
    path: str | Openable, known: Known | None = None
) -> tuple[Dataset, PixelPlace | None]:
    """Read the header of one file.

    Args:
        path: a DICOM file in any encoding, with or without preamble; a member of a container.
        known: what the file before held, of a reader of one series; from file to file the same
            bytes are the same element, as an object.

    Returns:
        The data set complete but for the pixels, with ``file_meta`` (empty where the file has
        none), and the place of the pixels (None where there are none).

    Raises:
        Refusal: ``empty-file``, ``not-dicom``, ``truncated``, ``header-unreadable``,
            ``header-too-large``.
        TaskFailure: ``file-vanished``, ``read-error``.
    """
    there: Openable = Path(path) if isinstance(path, str) else path
    with reading(), there.open("rb") as file, quiet():
        head, start = _start(file)
        meta = _read_meta(head[: start.dataset])
        dataset, place = _read_dataset(file, head, start, known)
        dataset.file_meta = meta
        if not start.preamble and not _says_what_it_is(dataset):
            raise Refusal(Reason.NOT_DICOM)
        return dataset, place


def read_pixels(path: str | Path, place: PixelPlace) -> bytes:
    """The value of the pixel attribute as it lies in the (inflated) file.

    Raises:
        Refusal: ``pixel-length`` where the file ends before the value does.
        TaskFailure: ``file-vanished``, ``read-error``.
    """
    return b"".join(pixel_chunks(path, place, place.length or 1))


def pixel_chunks(path: str | Path, place: PixelPlace, size: int = 4 << 20) -> Iterator[bytes]:
    """The same in pieces of ``size`` bytes, the last one shorter.

    Raises:
        Refusal: ``pixel-length``.
        TaskFailure: ``file-vanished``, ``read-error``.
    """
    left = place.length
    if left is None:
        raise Refusal(Reason.PIXEL_LENGTH)
    with reading(), Path(path).open("rb", buffering=0) as file:
        stream = _at_pixels(file, place)
        while left:
            data = stream.read(min(size, left))
            if not data:
                raise Refusal(Reason.PIXEL_LENGTH)
            left -= len(data)
            yield data


def _at_pixels(file: FileIO, place: PixelPlace) -> FileIO | InflatingFile:
    """The file, or what it inflates to, standing at the pixels."""
    assert place.length is not None
    if not place.deflated:
        if place.offset + place.length > os.fstat(file.fileno()).st_size:
            raise Refusal(Reason.PIXEL_LENGTH)
        file.seek(place.offset)
        return file
    file.seek(place.start)
    inflated = InflatingFile(file, limit=place.length)
    if not inflated.skip(place.offset):
        raise Refusal(Reason.PIXEL_LENGTH)
    return inflated


@contextmanager
def reading() -> Iterator[None]:
    """Turn what pydicom, zlib and the operating system raise into a Reason.

    None of their messages passes: they quote values and paths.
    """
    try:
        yield
    except FileNotFoundError:
        raise TaskFailure(Reason.FILE_VANISHED) from None
    except OSError as error:
        if error.errno is None:  # pydicom's, of a file that ends where an element should begin
            raise Refusal(Reason.TRUNCATED) from None
        raise TaskFailure(Reason.READ_ERROR) from None
    except EOFError:
        raise Refusal(Reason.TRUNCATED) from None
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        BytesLengthException,
        LookupError,
        NotImplementedError,
        RecursionError,
        TypeError,
        ValueError,
        struct.error,
    ):
        raise Refusal(Reason.HEADER_UNREADABLE) from None


def _start(file: BinaryIO) -> tuple[bytes, Start]:
    head = file.read(_HEAD)
    try:
        return head, find_start(head)
    except Refusal as refusal:
        more = refusal.reason is Reason.TRUNCATED and file.read(_MAX_META)
        if not more:
            raise
        return head + more, find_start(head + more)


def _read_meta(head: bytes) -> FileMetaDataset:
    """The file meta information from the bytes up to behind it."""
    if not head or head[-4:] == b"DICM":
        return FileMetaDataset()
    begin = 132 if head[128:132] == b"DICM" else 0
    try:
        found, _ = plain.elements(head, begin, implicit=False, whole=True)
    except NotPlain:
        return read_partial(BytesIO(head), force=True).file_meta
    return FileMetaDataset(cast("_Elements", found))


def _read_dataset(
    file: BinaryIO, head: bytes, start: Start, known: Known | None
) -> tuple[Dataset, PixelPlace | None]:
    elements, found, stream = _header(file, head, start, known)
    if found is None:
        return _dataset(elements, start), None
    encapsulated = found.length == _UNDEFINED
    stream.seek(found.offset)
    extent = _fragments(stream, start) if encapsulated else found.length
    place = PixelPlace(
        attribute=_PIXELS[found.tag],
        offset=found.offset,
        length=extent,
        encapsulated=encapsulated,
        transfer_syntax=start.transfer_syntax,
        deflated=start.deflated,
        start=start.dataset,
        vr=found.vr,
    )
    if extent is not None:
        end = found.offset + extent + (8 if encapsulated else 0)
        elements |= _behind(file, stream, start, end)
    return _dataset(elements, start), place


def _header(
    file: BinaryIO, head: bytes, start: Start, known: Known | None
) -> tuple[_Elements, Pixels | None, BoundedFile | InflatingFile]:
    """The elements up to the pixels, where these are, and what they can be read from."""
    if start.little and not start.deflated:
        quick = _quick(file, head, start, known)
        if quick is not None:
            return cast("_Elements", quick[0]), quick[1], BoundedFile(file)
    file.seek(start.dataset)
    stream = InflatingFile(file) if start.deflated else BoundedFile(file)
    stop = _Stop(stream)
    elements = _elements(stream, start, stop)
    if stop.found is None and (any(stream.rest) or stream.read(1)):
        raise Refusal(Reason.TRUNCATED)
    return elements, stop.found, stream


def _quick(
    file: BinaryIO, head: bytes, start: Start, known: Known | None
) -> tuple[dict[BaseTag, RawDataElement], Pixels | None] | None:
    """The same in one loop over bytes, where the file is plain and its header not too large."""
    for more in (0, _QUICK):
        if more:
            file.seek(len(head))
            head += file.read(more)
        whole = len(head) == size_of(file)
        try:
            return plain.elements(
                head, start.dataset, implicit=start.implicit, whole=whole, known=known
            )
        except NotPlain:
            if whole:
                return None
    return None


def _elements(
    stream: BoundedFile | InflatingFile,
    start: Start,
    stop: Callable[[BaseTag, str | None, int], bool],
) -> _Elements:
    source = cast("BinaryIO", stream)
    walk = data_element_generator(source, start.implicit, start.little, stop_when=stop)
    try:
        return {element.tag: element for element in walk if element.tag >> 16}  # 0000: padding
    except struct.error:  # pydicom's, of a file that ends within the length of an element
        raise Refusal(Reason.TRUNCATED) from None


def _dataset(elements: _Elements, start: Start) -> Dataset:
    """A pydicom Dataset that knows its encoding and character set."""
    dataset = Dataset(elements)
    named = elements.get(BaseTag(_CHARSET))
    value = named.value if named is not None else None
    dataset.set_original_encoding(start.implicit, start.little, _encodings(value or b""))
    return dataset


@lru_cache(64)
def _encodings(named: bytes | str) -> list[str] | str:
    """The Python codecs of a character set, by the bytes that name it."""
    text = named.decode("latin-1") if isinstance(named, bytes) else str(named)
    terms = [term.strip() for term in text.strip("\0 ").split("\\")]
    if not any(terms):
        return default_encoding
    return convert_encodings(terms if len(terms) > 1 else terms[0])


def _fragments(stream: BoundedFile | InflatingFile, start: Start) -> int | None:
    """Bytes of the fragments with their item tags; None where the file ends before they do."""
    begin = stream.tell()
    unpack = struct.Struct("<HHL" if start.little else ">HHL").unpack
    while len(head := stream.read(8)) == 8:  # noqa: PLR2004 - an item's tag and length
        group, element, length = unpack(head)
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return stream.tell() - 8 - begin
        left = stream.remaining()
        if tag != _ITEM or length == _UNDEFINED or (left is not None and length > left):
            return None
        if isinstance(stream, InflatingFile):
            if not stream.skip(length):
                return None
        else:
            stream.seek(length, 1)
    return None


def _behind(
    file: BinaryIO, stream: BoundedFile | InflatingFile, start: Start, offset: int
) -> _Elements:
    """The elements that follow the pixels, if what follows is elements and nothing else.

    Behind a wrong pixel length lie pixels, which must not be read as elements: so all of it
    has to parse, in ascending order, up to the last byte (or to zeros).
    """
    if isinstance(stream, InflatingFile):
        if not stream.skip(offset - stream.tell()):
            return {}
    else:
        stream = BoundedFile(file)
        if (stream.remaining() or 0) + file.tell() <= offset:
            return {}
        stream.seek(offset)
    stop = _Stop(stream)
    try:
        found = _elements(stream, start, stop)
    except (Refusal, EOFError, ValueError, LookupError, NotImplementedError, struct.error):
        return {}
    tags = list(found)
    whole = stop.found is None and not any(stream.rest) and not stream.read(1)
    ascending = tags == sorted(tags) and all(tag > max(_PIXELS) for tag in tags)
    return found if whole and ascending else {}


def _says_what_it_is(dataset: Dataset) -> bool:
    """Whether a file without preamble names its SOP class and itself by well-formed UIDs."""
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        value = dataset.get(keyword)
        if not isinstance(value, UID) or not value.is_valid:
            return False
    return True
