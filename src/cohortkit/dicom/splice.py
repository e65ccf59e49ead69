"""A whole file out of a released header and the pixels of the source, which are not decoded.

The only door to what is written is ``ReleasedHeader``. Nothing is written that is not in it but
file meta information and the pixels; nothing stands behind the last element.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from cohortkit.dicom.encode import Element, Encoding, encoded, head
from cohortkit.dicom.filemeta import preamble_and_meta
from cohortkit.dicom.layout import plain_syntax
from cohortkit.model import Object, ReleasedHeader
from cohortkit.model.facts import PixelType

TAGS: Final = {
    PixelType.FLOAT: 0x7FE00008,
    PixelType.DOUBLE: 0x7FE00009,
    PixelType.INTEGER: 0x7FE00010,
}
_UNDEFINED: Final = 0xFFFFFFFF
SEQUENCE_END: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"


def file_of(header: ReleasedHeader, payload: Object) -> Iterator[bytes | memoryview]:
    """The file in pieces.

    Args:
        header: of the object; its SOP Class and SOP Instance UID go into the file meta as well.
        payload: the object: its pixels as they are to stand in the file, in the byte order of the
            header's source, and their codec. Native pixels, and no pixels, leave the header's
            encoding as it was: what was deflated is written as explicit little endian, since no
            two compressors give the same bytes. Where it says how the image lies, that stands in
            place of what the header says.
    """
    pixels, codec = payload.pixels, payload.codec
    implicit, little = header.encoding
    if codec is not None and not codec.native:
        implicit, little, syntax = False, True, codec.value
    else:
        syntax = plain_syntax(implicit=implicit, little=little)
    to = Encoding(implicit, little, signed=header.number("PixelRepresentation") == 1)
    before, behind = _parted(header, payload)
    uids = [str(header.text(keyword) or "") for keyword in ("SOPClassUID", "SOPInstanceUID")]
    yield preamble_and_meta(uids[0], uids[1], syntax) + encoded(before, to)
    if pixels is None:
        return
    undefined = pixels.length is None
    length = _UNDEFINED if pixels.length is None else pixels.length
    yield head(TAGS[pixels.attribute], pixels.vr, length, to)
    yield from pixels.chunks()
    if undefined:
        yield SEQUENCE_END
    if behind:
        yield encoded(behind, to)


def _parted(header: ReleasedHeader, payload: Object) -> tuple[list[Element], list[Element]]:
    """The elements before the pixels, and those behind."""
    elements = list(header.elements())
    if payload.pixels is None:
        return elements, []
    if payload.image is not None:
        held = {int(element.tag): element for element in elements} | _image(payload)
        elements = [held[tag] for tag in sorted(held)]
    tag = TAGS[payload.pixels.attribute]
    count = sum(int(element.tag) < tag for element in elements)
    return elements[:count], elements[count:]


def _image(payload: Object) -> dict[int, Element]:
    """What the Image Pixel module says of pixels that were encoded anew (PS3.3 C.7.6.3)."""
    image = payload.image
    assert image is not None
    said: dict[str, int | str] = {
        "PhotometricInterpretation": image.photometric.value,
        "BitsAllocated": image.bits_allocated,
        "BitsStored": image.bits_stored,
        "HighBit": image.high_bit,
    }
    if image.samples > 1:
        said["PlanarConfiguration"] = image.planar
    if payload.lossy:
        said["LossyImageCompression"] = "01"
    return {int(Tag(word)): DataElement(word, dictionary_VR(word), v) for word, v in said.items()}
