"""Which standard attributes a rule speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cohortkit.dicom import keywords
from cohortkit.recipe import profile
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.model import Attribute, EveryVR, Matching, Target


@dataclass(frozen=True, slots=True)
class Known:
    """A standard attribute that the dictionary or the profile's table knows.

    Attributes:
        vr: the dictionary's; empty where it does not know the tag.
    """

    tag: int
    keyword: str
    vr: str

    @property
    def name(self) -> str:
        """Keyword, or the tag where there is none."""
        return str(Attribute(self.tag, self.keyword))


@cache
def everything() -> tuple[Known, ...]:
    """Every standard attribute, in tag order; repeating groups are not among them."""
    tags = {tag for word in keywords.all_keywords() if (tag := keywords.tag_of(word)) is not None}
    tags.update(profile.table())
    return tuple(Known(tag, vrs.keyword_of(tag), vrs.of_tag(tag)) for tag in sorted(tags))


def expand(target: Target) -> tuple[Known, ...]:
    """The standard attributes that a target names; none for a private element."""
    match target:
        case Attribute(tag=tag, keyword=keyword):
            return (Known(tag, keyword, vrs.of_tag(tag)),)
        case Matching() as pattern:
            return tuple(k for k in everything() if k.keyword and pattern.fits(k.keyword))
        case EveryVR(vr=vr):
            return tuple(k for k in everything() if vr in k.vr.split(" or "))
        case _:
            return ()


def is_direct(known: Known) -> bool:
    """Whether an attribute names a person or a record by itself."""
    return known.vr == "PN" or known.tag in profile.direct_identifiers()
