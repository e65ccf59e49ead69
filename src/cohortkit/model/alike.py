"""Where two headers of a series differ: elements that a reader found alike are one object."""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

Tags = frozenset["BaseTag"]


def differing(held: Mapping[BaseTag, object], before: Mapping[BaseTag, object]) -> Tags | None:
    """The tags whose element is not the very one of the other header.

    Args:
        held: elements by tag.
        before: those of the other header.

    Returns:
        None where the two have not the same tags in the same order. An element that both hold as
        one object is equal in both: raw elements do not change.
    """
    if len(held) != len(before):
        return None
    same = map(is_, held.values(), before.values())
    pairs = [(tag, old) for tag, old, one in zip(held, before, same, strict=True) if not one]
    if any(tag != old for tag, old in pairs):
        return None
    return frozenset(tag for tag, _ in pairs)
