"""The items of a sequence, however a file has it, or a refusal where it is broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from cohortkit.deidentify.values import Element
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

_UNDEFINED = 0xFFFFFFFF
_ITEM = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
_END = {True: b"\xfe\xff\xdd\xe0", False: b"\xff\xfe\xe0\xdd"}


def items_of(element: Element, encodings: Sequence[str]) -> Sequence[Dataset]:
    """The items of a sequence, however it is encoded.

    Raises:
        Refusal: ``not-understood``; it would have been kept for what is inside, unseen.
    """
    value = element.value
    if isinstance(value, Items):
        return value
    if not value:
        return ()
    if not isinstance(element, RawDataElement) or not holds_items(element):
        raise Refusal(Reason.NOT_UNDERSTOOD)
    raw = element._replace(VR="SQ")
    if element.VR == "UN":  # implicit little endian, whatever is around it (PS3.5 6.2.2)
        raw = raw._replace(is_implicit_VR=True, is_little_endian=True)
    if not _whole(value, "little" if raw.is_little_endian else "big"):
        raise Refusal(Reason.NOT_UNDERSTOOD)
    try:
        with quiet():
            items = convert_raw_data_element(raw, encoding=list(encodings)).value
    except Exception:  # noqa: BLE001 - pydicom raises whatever comes up on a broken sequence
        raise Refusal(Reason.NOT_UNDERSTOOD) from None
    if not isinstance(items, Items):
        raise Refusal(Reason.NOT_UNDERSTOOD)
    return items


def holds_items(element: Element) -> bool:
    """Whether the bytes of a value begin as those of a sequence do."""
    value = element.value
    return isinstance(value, bytes) and value[:4] in (*_ITEM.values(), *_END.values())


def _whole(value: bytes, order: Literal["little", "big"]) -> bool:
    """Whether items of stated length fill a sequence exactly, as far as lengths are stated."""
    place = 0
    while place < len(value):
        if value[place : place + 4] not in _ITEM.values():
            return value[place : place + 4] in _END.values()
        length = int.from_bytes(value[place + 4 : place + 8], order)
        if length == _UNDEFINED:
            return True
        place += 8 + length
    return place == len(value)
