"""What a recipe says, frozen: what privacy asks and nothing else.

A recipe is made by ``load_recipe``, which finds every fault; what stands here only holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from cohortkit.faces.block import DEPTH
from cohortkit.protocols import Defacer
from cohortkit.recipe.deid.lines import Given, Script
from cohortkit.recipe.pixelmodel import (
    Area,
    Criterion,
    Deed,
    Match,
    PixelAcceptance,
    PixelPolicy,
    PixelRisk,
    PixelRule,
    Recompress,
)
from cohortkit.recipe.text import TextPolicy

__all__ = [  # the door to all that a recipe says, pixels too
    "Area",
    "Criterion",
    "Deed",
    "Match",
    "PixelAcceptance",
    "PixelPolicy",
    "PixelRisk",
    "PixelRule",
    "Recompress",
]


_WEEK: Final = 7

BLOCK: Final = "block"
"""The method that ships: all outside a smooth block within the head is blanked."""


class Basis(StrEnum):
    """On what ground the data may leave. Written into every output."""

    EXPERT_DETERMINATION = "expert-determination"  # 45 CFR 164.514(b)(1)
    SAFE_HARBOR = "safe-harbor"  # 45 CFR 164.514(b)(2), with random ids: (c)
    LIMITED_DATA_SET = "limited-data-set"  # 45 CFR 164.514(e)
    GDPR_PSEUDONYMISED = "gdpr-pseudonymised"  # GDPR article 4(5): still personal data
    AUTHORIZATION = "authorization"  # the patients' consent to what is kept


class Ids(StrEnum):
    """How the new names, UIDs and tokens come about."""

    KEYED = "keyed"  # made from the old ones with the project's key
    TABLE = "table"  # drawn at random, and kept in a table


class Option(StrEnum):
    """The options of PS3.15 Annex E (CID 7050), by the standard's names."""

    CLEAN_PIXEL_DATA = "clean-pixel-data"
    CLEAN_RECOGNIZABLE_VISUAL_FEATURES = "clean-recognizable-visual-features"
    CLEAN_GRAPHICS = "clean-graphics"
    CLEAN_STRUCTURED_CONTENT = "clean-structured-content"
    CLEAN_DESCRIPTORS = "clean-descriptors"
    RETAIN_FULL_DATES = "retain-full-dates"
    RETAIN_MODIFIED_DATES = "retain-modified-dates"
    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    RETAIN_DEVICE_IDENTITY = "retain-device-identity"
    RETAIN_UIDS = "retain-uids"
    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    RETAIN_INSTITUTION_IDENTITY = "retain-institution-identity"


CODES: Final[Mapping[Option, tuple[str, str]]] = MappingProxyType(
    {
        Option.CLEAN_PIXEL_DATA: ("113101", "Clean Pixel Data Option"),
        Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES: (
            "113102",
            "Clean Recognizable Visual Features Option",
        ),
        Option.CLEAN_GRAPHICS: ("113103", "Clean Graphics Option"),
        Option.CLEAN_STRUCTURED_CONTENT: ("113104", "Clean Structured Content Option"),
        Option.CLEAN_DESCRIPTORS: ("113105", "Clean Descriptors Option"),
        Option.RETAIN_FULL_DATES: (
            "113106",
            "Retain Longitudinal Temporal Information Full Dates Option",
        ),
        Option.RETAIN_MODIFIED_DATES: (
            "113107",
            "Retain Longitudinal Temporal Information Modified Dates Option",
        ),
        Option.RETAIN_PATIENT_CHARACTERISTICS: ("113108", "Retain Patient Characteristics Option"),
        Option.RETAIN_DEVICE_IDENTITY: ("113109", "Retain Device Identity Option"),
        Option.RETAIN_UIDS: ("113110", "Retain UIDs Option"),
        Option.RETAIN_SAFE_PRIVATE: ("113111", "Retain Safe Private Option"),
        Option.RETAIN_INSTITUTION_IDENTITY: ("113112", "Retain Institution Identity Option"),
    }
)
"""CID 7050: code value and meaning of each option."""

BASIC_CODE: Final = ("113100", "Basic Application Confidentiality Profile")
"""CID 7050: the profile itself."""


class Action(StrEnum):
    """What happens to one attribute.

    On a sequence KEEP means to recurse, REMOVE to drop it whole, EMPTY to leave no item, DUMMY
    to put one valid dummy item in its place.
    """

    KEEP = "keep"  # K
    REMOVE = "remove"  # X
    EMPTY = "empty"  # Z
    DUMMY = "dummy"  # D: a value that is valid and means nothing
    UID = "uid"  # U: a new UID, unless the value is registered in PS3.6
    SHIFT = "shift"  # the patient's keyed whole-day shift; the time of day stays
    CAP_AGE = "cap-age"  # the age, 90 and over as 90
    CLEAN = "clean"  # C: what names someone goes out of the text, the rest stays
    SET = "set"  # a value that the recipe gives; said in deid's language only
    MOVE = "move"  # days that the recipe says; in deid's language only


class Unlisted(StrEnum):
    """What happens to attributes outside the profile's table."""

    BY_RULE = "by-rule"
    CLEAN = "clean"  # text is cleaned as under C
    KEEP = "keep"  # text stays as it is, and the output does not claim the basic profile


class SafeList(StrEnum):
    """Which private elements stay under retain-safe-private."""

    STANDARD = "standard"  # Table E.3.10-1
    NUMBERS = "numbers"  # and those of another archive's list that hold numbers


class Temporal(StrEnum):
    """(0028,0303) Longitudinal Temporal Information Modified."""

    REMOVED = "REMOVED"
    MODIFIED = "MODIFIED"
    UNMODIFIED = "UNMODIFIED"


@dataclass(frozen=True, slots=True)
class FacePolicy:
    """What happens to series in which a face may be seen.

    Attributes:
        accept_heads: head series may leave with their faces.
        accept_unknown: series whose body part is not known may leave.
        reason: why, in words; empty only where nothing is accepted or defaced.
        deface_heads: head series may leave when what shows a face is blanked.
        deface_unknown: so may series whose body part is not known.
        method: by which name what shows a face is found; ``BLOCK`` is the one that ships.
        depth: mm that the block leaves out below the skin.
        defacer: the caller's function of another method.
    """

    accept_heads: bool = False
    accept_unknown: bool = False
    reason: str = ""
    deface_heads: bool = False
    deface_unknown: bool = False
    method: str = BLOCK
    depth: int = int(DEPTH)
    defacer: Defacer | None = None

    @property
    def defaces(self) -> bool:
        """Whether any series is defaced."""
        return self.deface_heads or self.deface_unknown


@dataclass(frozen=True, slots=True)
class DatePolicy:
    """The range of the keyed per-patient shift in whole days, both ends included, never 0.

    Attributes:
        same_weekday: only whole weeks of the range, so that each date stays on its day of the week.
    """

    low: int = -1825
    high: int = -1
    same_weekday: bool = False

    def drawn(self, draw: Callable[[int, int], int]) -> int:
        """The days by which a person's dates move.

        Args:
            draw: a number of that person's within two ends, both included, never 0.
        """
        low, high, step = self.steps
        return step * draw(low, high)

    @property
    def steps(self) -> tuple[int, int, int]:
        """First and last shift, and the days that one step has."""
        if not self.same_weekday:
            return self.low, self.high, 1
        return -(-self.low // _WEEK), self.high // _WEEK, _WEEK

    @property
    def many(self) -> int:
        """How many different shifts there are."""
        low, high, _ = self.steps
        return max(0, high - low + 1 - (low <= 0 <= high))


class LabelType(StrEnum):
    """What a joined column holds."""

    TEXT = "text"
    NUMBER = "number"
    AGE = "age"  # in years, or as the column is called; follows Patient's Age
    MEASURE = "measure"  # a number that only looks like the patient's age or number by chance
    DATE = "date"  # treated as the recipe treats the dates of the study
    YEAR = "year"  # of a date; the year alone, also where dates are removed
    BOOLEAN = "boolean"
    ID = "id"  # leaves as a pseudonym: equal where the values are
    INTERVAL = "interval"  # days between two dates of one person; leaves where the dates do


DATED_LABELS: Final = frozenset({LabelType.DATE, LabelType.YEAR})
"""Types of columns in which the source has dates."""

KEYED_LABELS: Final = frozenset({LabelType.ID})
"""Types of columns of which no value leaves as it is."""


@dataclass(frozen=True, slots=True)
class Label:
    """A joined column that may be released."""

    column: str
    type: LabelType


@dataclass(frozen=True, slots=True)
class Attribute:
    """Rule target: one attribute, at every depth. ``keyword`` is empty where it has none."""

    tag: int
    keyword: str = ""

    def __str__(self) -> str:
        return self.keyword or f"({self.tag >> 16:04x},{self.tag & 0xFFFF:04x})"


@dataclass(frozen=True, slots=True)
class PrivateElement:
    """Rule target: one private element. ``element`` is the last byte (0x00 to 0xFF)."""

    group: int
    creator: str
    element: int

    def __str__(self) -> str:
        return f'({self.group:04x},"{self.creator}",{self.element:02x})'


@dataclass(frozen=True, slots=True)
class EveryVR:
    """Rule target: every standard attribute of one value representation."""

    vr: str

    def __str__(self) -> str:
        return f"VR {self.vr}"


@dataclass(frozen=True, slots=True)
class Matching:
    """Rule target: every standard attribute whose keyword fits, with ``*`` and ``?``."""

    pattern: str

    def __str__(self) -> str:
        return self.pattern

    def fits(self, keyword: str) -> bool:
        """Whether this keyword is meant; case counts."""
        return fnmatchcase(keyword, self.pattern)


Target = Attribute | PrivateElement | EveryVR | Matching


@dataclass(frozen=True, slots=True)
class Rule:
    """What the recipe says about single attributes.

    An attribute or private element goes before a pattern, a pattern before a VR.

    Attributes:
        acknowledged: the recipe says in so many words that a direct identifier is kept.
    """

    target: Target
    action: Action
    reason: str = ""
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one attribute, and why.

    Attributes:
        why: a short text for explain and report; never a value.
        listed: the attribute is in the profile's table.
        from_rule: a rule of the recipe decided.
        valid_only: keep it only where every value is valid for its VR (numbers, code strings);
            else remove it.
        given: the value of SET and MOVE; of REMOVE the function that is asked first.
        otherwise: what happens where that function says no, or where cleaning leaves nothing.
    """

    action: Action
    why: str
    listed: bool = False
    from_rule: bool = False
    valid_only: bool = False
    given: Given | None = None
    otherwise: Decision | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What may be said of the result; the deeds and no more.

    Attributes:
        codes: (0012,0064): (code value, meaning) of 113100 and each option applied in full.
        identity_removed: (0012,0062), YES or NO.
        temporal: (0028,0303).
        method: (0012,0063), each value at most 64 characters.
    """

    codes: tuple[tuple[str, str], ...]
    identity_removed: str
    temporal: Temporal
    method: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Recipe:
    """What privacy asks. Made by ``load_recipe``; compared by what it says.

    Attributes:
        name: the file's stem or the name it ships under; no path.
        default_issuer: stands in where Issuer of Patient ID is absent.
        labels: joined columns that may be released, in the recipe's order.
        script: lines in deid's language, which go before the rules.
    """

    name: str
    basis: Basis
    title: str = ""
    description: str = ""
    profile: str = "basic"
    options: frozenset[Option] = frozenset()
    rules: tuple[Rule, ...] = ()
    unlisted: Unlisted = Unlisted.BY_RULE
    pixels: PixelPolicy = field(default_factory=PixelPolicy)
    faces: FacePolicy = FacePolicy()
    dates: DatePolicy = field(default_factory=DatePolicy)
    default_issuer: str = ""
    labels: tuple[Label, ...] = ()
    script: Script = field(default_factory=Script)
    text: TextPolicy = field(default_factory=TextPolicy)
    ids: Ids = Ids.KEYED
    safe_private: SafeList = SafeList.STANDARD

    def __hash__(self) -> int:
        return hash((self.name, self.options, len(self.rules)))  # what is compiled is looked up

    @property
    def temporal(self) -> Temporal:
        """What the options do to the dates of the table."""
        if Option.RETAIN_FULL_DATES in self.options:
            return Temporal.UNMODIFIED
        if Option.RETAIN_MODIFIED_DATES in self.options:
            return Temporal.MODIFIED
        return Temporal.REMOVED

    @property
    def digest(self) -> str:
        """SHA-256 over what the recipe says and the tables that it is applied with."""
        from cohortkit.recipe.canonical import digest  # noqa: PLC0415 - needs this module

        return digest(self)

    def claims(self, *, defaced: bool = False) -> Claims:
        """What may be said of data that were de-identified by this recipe.

        Args:
            defaced: of a series whose faces were blanked.
        """
        from cohortkit.recipe.claims import claims  # noqa: PLC0415 - needs this module

        return claims(self, defaced=defaced)

    def __repr__(self) -> str:
        from cohortkit.recipe.plain import text  # noqa: PLC0415 - needs this module

        return text(self)

    def _repr_html_(self) -> str:
        from cohortkit.recipe.plain import html  # noqa: PLC0415 - needs this module

        return html(self)
