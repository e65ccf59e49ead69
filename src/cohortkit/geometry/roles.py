"""What Image Type and its kin say of a frame, as an enumeration."""

from __future__ import annotations

from collections.abc import Sequence

from cohortkit.model.facts import ImageRole

_WHOLE = {
    "M": ImageRole.MAGNITUDE,
    "MAGNITUDE": ImageRole.MAGNITUDE,
    "P": ImageRole.PHASE,
    "PHASE": ImageRole.PHASE,
    "PHASE MAP": ImageRole.PHASE,
    "R": ImageRole.REAL,
    "REAL": ImageRole.REAL,
    "I": ImageRole.IMAGINARY,
    "IMAGINARY": ImageRole.IMAGINARY,
    "W": ImageRole.WATER,
    "WATER": ImageRole.WATER,
    "F": ImageRole.FAT,
    "FAT": ImageRole.FAT,
    "IP": ImageRole.IN_PHASE,
    "IN_PHASE": ImageRole.IN_PHASE,
    "OP": ImageRole.OUT_PHASE,
    "OUT_PHASE": ImageRole.OUT_PHASE,
    "OPP_PHASE": ImageRole.OUT_PHASE,
}
_BEFORE_UNDERSCORE = {
    "M": ImageRole.MAGNITUDE,
    "P": ImageRole.PHASE,
    "R": ImageRole.REAL,
    "I": ImageRole.IMAGINARY,
}
_TISSUES = frozenset({ImageRole.WATER, ImageRole.FAT, ImageRole.IN_PHASE, ImageRole.OUT_PHASE})


def role_of(image_type: Sequence[str], component: Sequence[str]) -> ImageRole:
    """The role of a frame.

    Args:
        image_type: Image Type or Frame Type, upper case; its first two values are skipped.
        component: Complex Image Component (0008,9208), which decides where it is known.
    """
    found = [_of_word(word) for word in image_type[2:]]
    for role in found:
        if role in _TISSUES:
            return role
    for word in component[:1]:
        if word in _WHOLE:
            return _WHOLE[word]
    return next((role for role in found if role is not None), ImageRole.OTHER)


def is_derived(image_type: Sequence[str]) -> bool:
    """Whether the pixels were computed from others (value 1 of Image Type)."""
    return image_type[:1] == ("DERIVED",) or list(image_type[:1]) == ["DERIVED"]


def _of_word(word: str) -> ImageRole | None:
    if word in _WHOLE:
        return _WHOLE[word]
    head, underscore, _ = word.partition("_")
    return _BEFORE_UNDERSCORE.get(head) if underscore else None
