"""What a recipe says of pixels, frozen: risks that are accepted, and what is known of devices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cohortkit.pixels.rectangles import Rectangle


class PixelRisk(StrEnum):
    """Why names may be drawn into pixels (PS3.15 E.3.1). Each is accepted by name or refused."""

    HIGH_RISK_CLASS = "high-risk-class"  # captures, ultrasound, photographs …: by class or Modality
    STATED_YES = "stated-yes"  # BurnedInAnnotation is YES
    NOT_STATED = "not-stated"  # BurnedInAnnotation is absent where it must say NO (CR, DX …)
    DERIVED_SECONDARY = "derived-secondary"  # ImageType DERIVED\SECONDARY
    SCREEN_SAVE = "screen-save"  # ImageType or a description names a page that a scanner draws
    COLOUR = "colour"  # RGB, YBR or PALETTE where grey is expected (CT, MR, PT, NM)
    CONVERSION_TYPE = "conversion-type"  # ConversionType, or what only a captured picture has


@dataclass(frozen=True, slots=True)
class PixelAcceptance:
    """Burned-in risks that someone answers for, for one modality or one SOP class.

    Attributes:
        risks: what is accepted.
        reason: why, in words; shown in explain and report.
        modality: Modality it holds for, or None.
        sop_class: SOP Class UID it holds for, or None. Exactly one of the two is set.
    """

    risks: frozenset[PixelRisk]
    reason: str
    modality: str | None = None
    sop_class: str | None = None


class Match(StrEnum):
    """How a criterion asks one attribute of the top level of a header.

    Several values are asked as one text with backslashes between them. Blanks and NUL around a
    value do not count.
    """

    IS = "is"  # exactly this text, case too; numbers as numbers
    IS_NOT = "is-not"  # anything else, or nothing
    MATCHES = "matches"  # the regular expression is found anywhere in it, case apart
    MATCHES_NOT = "matches-not"  # it is not found, or there is nothing
    PRESENT = "present"  # the attribute is there, empty or not
    ABSENT = "absent"
    EMPTY = "empty"  # it is there, without a value


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question to a header; ``value`` means nothing to PRESENT, ABSENT and EMPTY."""

    keyword: str
    match: Match = Match.PRESENT
    value: str = ""


class Deed(StrEnum):
    """What a rule does to the pixels that it is for."""

    BLANK = "blank"  # these parts turn black
    KEEP = "keep"  # all but these parts turns black
    VERIFIED = "verified"  # nothing: someone answers for it that no name is drawn here
    REFUSE = "refuse"  # the image does not leave; said in deid's language only


class Area(StrEnum):
    """Which parts of a frame a rule means."""

    RECTANGLES = "rectangles"  # its own
    REGIONS = "ultrasound-regions"  # those of (0018,6011)
    ALL = "all"  # the whole frame, but for what a KEEP rule keeps


class Recompress(StrEnum):
    """How blanked pixels are written that cannot be put back into their own encoding unharmed."""

    NATIVE = "native"  # explicit little endian, not compressed
    RLE = "rle"
    JPEG_LS = "jpeg-ls-lossless"
    JPEG_2000 = "jpeg-2000-lossless"


@dataclass(frozen=True, slots=True)
class PixelRule:
    """What is known of the pixels of some devices.

    All rules that fit an image hold at once: what any of them blanks is black, also where
    another keeps it; where there is a KEEP or an ALL, so is what no KEEP keeps.

    Attributes:
        criteria: clauses; the rule fits where of every clause at least one criterion does.
        rectangles: of the image as it is stored, in all its frames.
        reason: why, in words; shown in explain and report.
        clipped: what of a rectangle reaches beyond the image does not count; else the image is
            refused.
        origin: whose rule it is, where it is not the recipe's own.
        whole: REFUSE holds for objects of every kind, not for those alone that may hold pixels.
    """

    criteria: tuple[tuple[Criterion, ...], ...]
    deed: Deed
    area: Area = Area.RECTANGLES
    rectangles: tuple[Rectangle, ...] = ()
    reason: str = ""
    clipped: bool = False
    origin: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class PixelPolicy:
    """Which burned-in risks are accepted, and what is cleaned. Nothing unless the recipe says it.

    Attributes:
        accept: risks that are taken.
        rules: what is known of devices.
        recompress: for what was compressed with loss.
    """

    accept: tuple[PixelAcceptance, ...] = ()
    rules: tuple[PixelRule, ...] = ()
    recompress: Recompress = Recompress.NATIVE

    def accepts(self, risk: PixelRisk, *, modality: str | None, sop_class: str | None) -> bool:
        """Whether this risk is accepted for an object of this Modality and SOP Class UID."""
        return any(
            risk in item.risks
            and (
                (item.modality is not None and item.modality == modality)
                or (item.sop_class is not None and item.sop_class == sop_class)
            )
            for item in self.accept
        )
