"""The form of a recipe file: strict, and nothing that is not written here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cohortkit.recipe import words
from cohortkit.recipe.model import Ids, SafeList, Unlisted
from cohortkit.recipe.pixelentries import Entry, PixelsEntry
from cohortkit.recipe.text import LEAST_PATIENTS
from cohortkit.recipe.words import Heads, Profile, SiteWord

DEEP = 8, 30
"""mm: less leaves skin, more takes brain."""

TARGETS = ("keyword", "tag", "private", "vr", "pattern")


class PrivateEntry(Entry):
    """One private element."""

    group: Annotated[words.Hex4, Field(description="four hexadecimal digits, odd")]
    creator: Annotated[words.Exact, Field(description="the private creator, as the device has it")]
    element: Annotated[words.Hex2, Field(description="last byte, two hexadecimal digits")]

    @model_validator(mode="after")
    def _odd(self) -> PrivateEntry:
        if int(self.group, 16) % 2 == 0:
            raise words.fault("the group of a private element is odd")
        return self


class RuleEntry(Entry):
    """What happens to single attributes; exactly one of keyword, tag, private, vr, pattern."""

    keyword: Annotated[words.Keyword | None, Field(description="a DICOM keyword")] = None
    tag: Annotated[words.TagText | None, Field(description="a standard tag")] = None
    private: Annotated[PrivateEntry | None, Field(description="a private element")] = None
    vr: Annotated[words.VR | None, Field(description="every standard attribute of a VR")] = None
    pattern: Annotated[
        words.Pattern | None, Field(description="every standard keyword that fits, with * and ?")
    ] = None
    action: Annotated[words.ActionWord, Field(description="what happens")]
    reason: Annotated[words.Reason | None, Field(description="why; needed where more is kept")] = (
        None
    )
    acknowledge: Annotated[
        words.AcknowledgementWord | None,
        Field(description="needed to keep a direct identifier"),
    ] = None

    @model_validator(mode="after")
    def _one_target(self) -> RuleEntry:
        named = [name for name in TARGETS if getattr(self, name) is not None]
        if len(named) != 1:
            found = " and ".join(named) or "none"
            raise words.fault(f"a rule names exactly one of {', '.join(TARGETS)}; found {found}")
        return self


class FacesEntry(Entry):
    """Faces policy."""

    heads: Annotated[words.HeadsWord, Field(description="series of the head")] = Heads.REFUSE
    unknown_body_part: Annotated[
        words.HeadsWord, Field(description="series that may be of the head")
    ] = Heads.REFUSE
    method: Annotated[
        words.Exact | None, Field(description="of defacing: block, or the name of a defacer")
    ] = None
    depth_mm: Annotated[
        int | None,
        Field(ge=DEEP[0], le=DEEP[1], description="mm that block leaves out below the skin"),
    ] = None
    reason: Annotated[words.Reason | None, Field(description="needed to accept or deface")] = None


class DatesEntry(Entry):
    """How dates move under retain-modified-dates."""

    shift_days: Annotated[
        list[int],
        Field(min_length=2, max_length=2, description="[from, to] in whole days, both included"),
    ]
    same_weekday: Annotated[
        bool, Field(description="only whole weeks: each date stays on its day of the week")
    ] = False


class TextEntry(Entry):
    """What text that is cleaned may keep beside the words of the trade."""

    words: Annotated[list[SiteWord], Field(description="words of the site, which name nobody")] = (
        Field(default_factory=list)
    )
    patients: Annotated[
        int | None,
        Field(
            ge=LEAST_PATIENTS,
            description="words in descriptions of this many patients of the index stay too",
        ),
    ] = None


class RecipeEntry(Entry):
    """A recipe of cohortkit: what privacy asks of an export, and nothing else."""

    format: Annotated[Literal[1], Field(description="version of this form")] = 1
    title: Annotated[words.Prose | None, Field(description="one line")] = None
    description: Annotated[words.Prose | None, Field(description="for whom, and what for")] = None
    basis: Annotated[words.BasisWord, Field(description="on what ground the data may leave")]
    ids: Annotated[
        words.IdsWord,
        Field(description="new ids: keyed from the old ones, or at random and kept in a table"),
    ] = Ids.KEYED
    safe_private: Annotated[
        words.SafeListWord,
        Field(description="private elements that stay under retain-safe-private"),
    ] = SafeList.STANDARD
    profile: Annotated[words.ProfileWord, Field(description="PS3.15 Annex E")] = Profile.BASIC
    options: Annotated[
        list[words.OptionWord], Field(description="options of PS3.15 Annex E, by their names")
    ] = Field(default_factory=list)
    unlisted: Annotated[words.UnlistedWord, Field(description="attributes that no table lists")] = (
        Unlisted.BY_RULE
    )
    default_issuer: Annotated[
        words.Exact | None, Field(description="where Issuer of Patient ID is absent")
    ] = None
    dates: DatesEntry | None = None
    faces: FacesEntry = FacesEntry()
    pixels: PixelsEntry = PixelsEntry()
    text: TextEntry = TextEntry()
    rules: list[RuleEntry] = Field(default_factory=list)
    labels: Annotated[
        dict[words.Exact, words.LabelWord],
        Field(description="joined columns that may be released, each with its type"),
    ] = Field(default_factory=dict)
