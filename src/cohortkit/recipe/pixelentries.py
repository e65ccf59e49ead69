"""The form of what a recipe file says of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cohortkit.recipe import words
from cohortkit.recipe.model import Recompress

DEEDS = ("blank", "keep", "keep_regions", "verified")


class Entry(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class AcceptEntry(Entry):
    """Burned-in risks that someone answers for."""

    modality: Annotated[words.Modality | None, Field(description="Modality it holds for")] = None
    sop_class: Annotated[
        words.SopClassWord | None, Field(description="SOP class, by UID or the standard's name")
    ] = None
    risks: Annotated[list[words.RiskWord], Field(min_length=1, description="what is accepted")]
    reason: Annotated[words.Reason, Field(description="why no name is in these pixels")]

    @model_validator(mode="after")
    def _one_place(self) -> AcceptEntry:
        if (self.modality is None) is (self.sop_class is None):
            raise words.fault("names exactly one of modality, sop_class")
        return self


class RectangleEntry(Entry):
    """A part of every frame, in whole pixels."""

    left: Annotated[int, Field(ge=0, le=65535, description="its first column, from 0")]
    top: Annotated[int, Field(ge=0, le=65535, description="its first row, from 0")]
    width: Annotated[int, Field(ge=1, le=65535, description="columns")]
    height: Annotated[int, Field(ge=1, le=65535, description="rows")]


class PixelRuleEntry(Entry):
    """What is known of the pixels of a device; exactly one of the four deeds."""

    when: Annotated[
        dict[words.Asked, words.Answers],
        Field(
            min_length=1,
            description="attributes and the values that they must have, all of them, exactly; a "
            "list is any of its values",
        ),
    ]
    blank: Annotated[
        list[RectangleEntry] | None, Field(min_length=1, description="parts that turn black")
    ] = None
    keep: Annotated[
        list[RectangleEntry] | None, Field(min_length=1, description="all else turns black")
    ] = None
    keep_regions: Annotated[
        Literal[True] | None, Field(description="all outside the ultrasound regions turns black")
    ] = None
    verified: Annotated[
        Literal[True] | None, Field(description="someone has seen that no name is drawn here")
    ] = None
    reason: Annotated[words.Reason, Field(description="how it is known")]

    @model_validator(mode="after")
    def _one_deed(self) -> PixelRuleEntry:
        named = [name for name in DEEDS if getattr(self, name) is not None]
        if len(named) != 1:
            found = " and ".join(named) or "none"
            raise words.fault(f"a rule has exactly one of {', '.join(DEEDS)}; found {found}")
        return self

    @model_validator(mode="after")
    def _known_terms(self) -> PixelRuleEntry:
        for keyword, read in (("SOPClassUID", words.sop_class), ("Modality", words.modality)):
            for answer in self.when.get(keyword, ()):
                read(answer)
        return self

    def criteria(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each attribute with its values, SOP classes by UID."""
        for keyword, answers in self.when.items():
            if keyword == "SOPClassUID":
                yield keyword, tuple(words.sop_class(answer) for answer in answers)
            else:
                yield keyword, answers


class PixelsEntry(Entry):
    """Pixel policy: every burned-in risk is refused but for what is said here."""

    accept: list[AcceptEntry] = Field(default_factory=list)
    rules: list[PixelRuleEntry] = Field(default_factory=list)
    devices: Annotated[
        words.DevicesWord | None,
        Field(description="rules of others for known devices, from the package that is installed"),
    ] = None
    recompress: Annotated[
        words.RecompressWord,
        Field(description="how pixels are written that were compressed with loss"),
    ] = Recompress.NATIVE
