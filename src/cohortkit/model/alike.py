"""Where two headers of a series differ: what their elements were read from is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydicom.dataelem import RawDataElement

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

Tags = frozenset["BaseTag"]


def differing(held: Mapping[BaseTag, object], before: Mapping[BaseTag, object]) -> Tags | None:
    """The tags whose element was not read from the same bytes in the other header.

    Args:
        held: elements by tag.
        before: those of the other header.

    Returns:
        None where the two have not the same tags in the same order. An element that both hold as
        one object is equal in both: raw elements do not change.
    """
    if len(held) != len(before):
        return None
    new, old = held.values(), before.values()
    pairs = [pair for pair in zip(held, before, new, old, strict=True) if pair[2] is not pair[3]]
    if any(int.__ne__(tag, other) for tag, other, _, _ in pairs):  # a tag's own comparison is slow
        return None
    return frozenset(tag for tag, _, one, was in pairs if not _alike(one, was))


def _alike(one: object, other: object) -> bool:
    """Whether two elements are raw, and of the same bytes in the same encoding."""
    return (
        isinstance(one, RawDataElement)
        and isinstance(other, RawDataElement)
        and isinstance(one.value, bytes)
        and one.value == other.value
        and one.VR == other.VR
        and one.is_implicit_VR == other.is_implicit_VR
        and one.is_little_endian == other.is_little_endian
    )
