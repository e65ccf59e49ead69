"""File meta information made from nothing (PS3.10 7.1): no application entity, no private part."""

from __future__ import annotations

import struct
from typing import Final

from cohortkit.dicom.encode import Encoding, head

IMPLEMENTATION_UID: Final = "2.25.23241486976999051438484941544100712164"
IMPLEMENTATION_NAME: Final = "COHORTKIT"

_AS_EVERY_FILE: Final = Encoding(implicit=False, little=True)
_VERSION: Final = b"\0\1"


def preamble_and_meta(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """The file from its first byte up to the data set: the preamble is zeros.

    Args:
        sop_class: SOP Class UID of the object, as its data set has it.
        sop_instance: SOP Instance UID, the same.
        syntax: the transfer syntax in which the data set follows.
    """
    group = b"".join(
        (
            head(0x00020001, "OB", len(_VERSION), _AS_EVERY_FILE) + _VERSION,
            _uid(0x00020002, sop_class),
            _uid(0x00020003, sop_instance),
            _uid(0x00020010, syntax),
            _uid(0x00020012, IMPLEMENTATION_UID),
            _element(0x00020013, "SH", IMPLEMENTATION_NAME.ljust(10).encode()),
        )
    )
    length = _element(0x00020000, "UL", struct.pack("<I", len(group)))
    return bytes(128) + b"DICM" + length + group


def _uid(tag: int, uid: str) -> bytes:
    value = uid.encode("ascii")
    return _element(tag, "UI", value + b"\0" * (len(value) & 1))


def _element(tag: int, vr: str, value: bytes) -> bytes:
    return head(tag, vr, len(value), _AS_EVERY_FILE) + value
