"""Which rules of a recipe fit an image, by its header or its row in the index.

A header answers every question. An index row has some attributes only, so it may not be able to
tell; then a rule is taken to fit, for the worker asks again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from cohortkit.model import Kind, SopClass
from cohortkit.recipe.model import Criterion, Deed, Match, PixelPolicy, PixelRule

Get = Callable[[str], object | None]
There = Callable[[str], bool | None]
"""Whether an attribute is there, with or without a value; None where that cannot be told."""

_BLANKS = "\0 \t\n\r"
_PICTURES = frozenset({Kind.IMAGE, Kind.WSI, Kind.SEGMENTATION, Kind.RADIOTHERAPY})
_WITHOUT_PIXELS = frozenset(
    {
        Kind.WAVEFORM,
        Kind.REPORT,
        Kind.PRESENTATION,
        Kind.REGISTRATION,
        Kind.MEASUREMENT,
        Kind.SURFACE,
    }
)


def fitting(get: Get, there: There, sop: SopClass, policy: PixelPolicy) -> tuple[PixelRule, ...]:
    """The rules that fit; none where the object is no still picture.

    Args:
        get: the value of an attribute, by keyword.
        there: whether it is there.
        sop: the row of the SOP class.
        policy: whose rules are asked.
    """
    if sop.kind not in _PICTURES:
        return ()
    asked = _Asked(get, there)
    doing = (rule for rule in policy.rules if rule.deed is not Deed.REFUSE)
    return tuple(rule for rule in doing if _fits(rule, asked, unsure=True))


def refused(get: Get, there: There, sop: SopClass, policy: PixelPolicy) -> bool:
    """Whether a rule holds the object back; one that an index row cannot answer does not yet."""
    asked = _Asked(get, there)
    refusing = (rule for rule in policy.rules if rule.deed is Deed.REFUSE)
    held = may_hold_pixels(sop)
    return any((held or r.whole) and _fits(r, asked, unsure=False) for r in refusing)


def may_hold_pixels(sop: SopClass) -> bool:
    """Whether an object of this class can hold pixels, pages or a video."""
    return sop.kind not in _WITHOUT_PIXELS


class _Asked:
    """Answers of one header or row, each asked for once: many rules ask the same."""

    def __init__(self, get: Get, there: There) -> None:
        self._get, self._there = get, there
        self._known: dict[str, tuple[bool | None, str]] = {}

    def __call__(self, keyword: str) -> tuple[bool | None, str]:
        """Whether the attribute is there (None: it cannot be told), and what it says."""
        if keyword not in self._known:
            present = self._there(keyword)
            text = _said(self._get(keyword)) if present else ""
            self._known[keyword] = present, text
        return self._known[keyword]


def _fits(rule: PixelRule, asked: _Asked, *, unsure: bool) -> bool:
    return all(any(_meets(one, asked, unsure=unsure) for one in clause) for clause in rule.criteria)


def _meets(one: Criterion, asked: _Asked, *, unsure: bool) -> bool:
    present, text = asked(one.keyword)
    if present is None:
        return unsure
    match one.match:
        case Match.IS | Match.IS_NOT:
            return (present and _same(text, one.value)) is (one.match is Match.IS)
        case Match.MATCHES | Match.MATCHES_NOT:
            found = bool(text) and _expression(one.value).search(text) is not None
            return found is (one.match is Match.MATCHES)
        case Match.PRESENT | Match.ABSENT:
            return present is (one.match is Match.PRESENT)
        case Match.EMPTY:
            return present and not text


def _same(text: str, wanted: str) -> bool:
    if text == wanted:
        return True
    try:
        return float(text) == float(wanted)
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _expression(written: str) -> re.Pattern[str]:
    return re.compile(written, re.IGNORECASE)


def _said(value: object) -> str:
    """The value as text, several with backslashes between them, blanks around each gone."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "\\".join(part.strip(_BLANKS) for part in value.split("\\"))
    if isinstance(value, Iterable):
        return "\\".join(_said(one) for one in value)
    return str(value)
