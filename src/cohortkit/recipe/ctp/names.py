"""What an element is called in CTP: by a keyword of its library, a tag, or its private creator."""

from __future__ import annotations

import re
from functools import cache

from cohortkit.dicom import keywords
from cohortkit.recipe.hints import hint
from cohortkit.recipe.model import Attribute, PrivateElement
from cohortkit.recipe.vr import keyword_of

_TAG = re.compile(r"[\[(]?\s*([0-9a-fA-F]{4})\s*,?\s*([0-9a-fA-F]{4})\s*[\])]?")
_PRIVATE = re.compile(r"[\[(]?([0-9a-fA-F]{1,4}),?\[([^\]]+)\]([0-9a-fA-F]{2})[\])]?")
_CREATOR = re.compile(r"[\[(]?([0-9a-fA-F]{1,4}),?00\[([^\]]+)\][\])]?")
_SHORT = (("Ref", "Referenced"), ("Seq", "Sequence"), ("Datetime", "DateTime"))
_RENAMED = {
    "deidentificationmethodcodesequence": "DeidentificationMethodCodeSequence",
    "sequenceofultrasoundregions": "SequenceOfUltrasoundRegions",
    "patientsname": "PatientName",
    "studyid": "StudyID",
}


class UnknownName(ValueError):  # noqa: N818 - told as a fault
    """No element is called so."""


class NoCreator(ValueError):  # noqa: N818 - told as refused
    """A private element by its number alone: nothing says whose it is, so it goes."""


def element(written: str) -> Attribute | PrivateElement:
    """The element that is meant.

    Raises:
        UnknownName: there is none.
        NoCreator: a private one that is named without its creator.
    """
    private = _PRIVATE.fullmatch(written)
    if private:
        group = int(private[1], 16)
        if group % 2 == 0:
            raise UnknownName("the group of a private element is odd")
        return PrivateElement(group, private[2].strip(), int(private[3], 16))
    if _CREATOR.fullmatch(written):
        raise NoCreator("a private creator stays with an element of its block, else it goes")
    tag = _TAG.fullmatch(written)
    number = int(tag[1] + tag[2], 16) if tag else keywords.tag_of(_keyword(written))
    if number is None:
        near = hint(written, keywords.all_keywords())
        raise UnknownName(f"unknown element {written[:64]!r}{near}")
    if number >> 16 & 1:
        raise NoCreator("nothing says whose it is (gggg[creator]ee would), so it goes")
    return Attribute(number, keyword_of(number))


def keyword(written: str) -> str:
    """The keyword of a standard element that a condition asks.

    Raises:
        UnknownName: there is none.
    """
    try:
        found = element(written)
    except NoCreator:
        raise UnknownName(f"{written[:64]!r} is a private element") from None
    if not isinstance(found, Attribute) or not found.keyword:
        raise UnknownName(f"{written[:64]!r} has no keyword to ask by")
    return found.keyword


def asked(written: str) -> str:
    """The keyword of an element that ``@if`` asks; empty where it is one that has none.

    Raises:
        UnknownName: there is no such element.
    """
    try:
        found = element(written)
    except NoCreator:
        return ""
    return found.keyword if isinstance(found, Attribute) else ""


@cache
def _folded() -> dict[str, str]:
    return {word.lower(): word for word in keywords.all_keywords()}


def _keyword(written: str) -> str:
    """CTP's library shortens words of the keywords: Ref for Referenced, Seq for Sequence."""
    if keywords.tag_of(written) is not None:
        return written
    longer = written
    for short, whole in _SHORT:
        longer = re.sub(rf"{short}(?=[A-Z]|$)(?!erenced|uence)", whole, longer)
    folded = longer.lower()
    return _folded().get(folded) or _RENAMED.get(folded, "")
