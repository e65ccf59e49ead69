"""The LABELs of a ``%filter``: what they ask, and what becomes of images that they flag.

A whitelist lets nothing through that another gate stops, for deid lets images through by it that
nobody looked at. Labels of every other group hold images back: where they bring coordinates, these
are blanked (or all but these); where they bring none, the image is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cohortkit.dicom import keywords
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.recipe import deid_text
from cohortkit.recipe.deid.read import Block
from cohortkit.recipe.hints import hint
from cohortkit.recipe.model import Area, Criterion, Deed, Match, PixelRule

_QUESTIONS = ("contains", "notcontains", "equals", "notequals", "missing", "present", "empty")
_PLACES = ("coordinates", "keepcoordinates", "ctpcoordinates", "ctpkeepcoordinates")
_MATCHES = {
    "contains": Match.MATCHES,
    "notcontains": Match.MATCHES_NOT,
    "equals": Match.MATCHES,
    "notequals": Match.MATCHES_NOT,
    "missing": Match.ABSENT,
    "present": Match.PRESENT,
    "empty": Match.EMPTY,
}
_REGIONS = "from:SequenceOfUltrasoundRegions"
_MOST_CLAUSES = 512
_WHITE = "whitelist"
_BLACK = "blacklist"

Clauses = tuple[tuple[Criterion, ...], ...]


def rules_of(block: Block, origin: str) -> tuple[tuple[PixelRule, ...], list[str]]:
    """The pixel rules of a label, and its faults.

    Args:
        block: the label as it stands.
        origin: the recipe's name.
    """
    found = list(_line_faults(block))
    if found:
        return (), found
    lines = [line.split(" #")[0].strip() for _, line in block.lines]
    try:
        label = deid_text.label(block.head, lines)
    except deid_text.NotUnderstood as error:
        return (), [f"{block.place}: {error}"]
    found += [f"{block.place}: {one}" for one in _question_faults(label)]
    if not (label.questions or label.places):
        found.append(f"{block.place}: the label asks nothing")
    if found:
        return (), found
    criteria = _criteria(label.questions)
    if len(criteria) > _MOST_CLAUSES:
        return (), [f"{block.place}: the label asks too much for one; make it two"]
    try:
        return tuple(_rules(block, label, criteria, origin)), []
    except ValueError as error:
        return (), [f"{block.place}: {error}"]


def _line_faults(block: Block) -> Iterator[str]:
    """Lines that begin with no word of the language, which deid skips."""
    for place, line in block.lines:
        word = line.lstrip("+| ").split(" ")[0]
        known = (*_QUESTIONS, *_PLACES)
        if word.lower() not in known:
            yield f"{place}: unknown word {word!r} in a LABEL{hint(word, known)}"
        elif word not in known:
            yield f"{place}: {word!r} must be in lower case, or deid takes it for something else"


def _question_faults(label: deid_text.Labelled) -> Iterator[str]:
    for one in label.questions:
        if _keyword(one.field) is None:
            known = keywords.all_keywords()
            yield f"unknown keyword {one.field!r}{hint(one.field, known)}"
        if "contains" in one.action and one.value is not None:
            try:
                re.compile(one.value)
            except re.error as error:
                yield f"{one.value!r} is no regular expression: {error}"
            if re.search(r"\\[A-Z]", one.value):
                yield f"{one.value!r}: deid puts it into lower case, so that it means the opposite"


def _keyword(written: str) -> str | None:
    """The keyword of a field; tags are written ``0xggggeeee``."""
    if written.lower().startswith("0x") and len(written) == 10:  # noqa: PLR2004 - a tag
        try:
            number = int(written, 16)
        except ValueError:
            return None
        return next((k for k in keywords.all_keywords() if keywords.tag_of(k) == number), None)
    return written if keywords.tag_of(written) is not None else None


def _criteria(questions: Sequence[deid_text.Question]) -> Clauses:
    """From left to right, lines one after the other; a line's own questions first."""
    whole: Clauses = ()
    started = False
    for line in _by_line(questions):
        clauses = _folded(line)
        whole = _joined(whole, clauses, line[0].joined) if started else clauses
        started = True
    return whole


def _by_line(questions: Sequence[deid_text.Question]) -> Iterator[list[deid_text.Question]]:
    line: list[deid_text.Question] = []
    for one in questions:
        if one.opens and line:
            yield line
            line = []
        line.append(one)
    if line:
        yield line


def _folded(line: Sequence[deid_text.Question]) -> Clauses:
    clauses: Clauses = ((_criterion(line[0]),),)
    for one in line[1:]:
        clauses = _joined(clauses, ((_criterion(one),),), one.joined)
    return clauses


def _joined(left: Clauses, right: Clauses, how: str) -> Clauses:
    if how == "and":
        return (*left, *right)
    return tuple((*one, *other) for one in left for other in right)


def _criterion(one: deid_text.Question) -> Criterion:
    value = one.value or ""
    if one.action in ("equals", "notequals"):
        value = rf"\A\s*{re.escape(value.strip())}\s*\Z"
    return Criterion(_keyword(one.field) or "", _MATCHES[one.action], value)


def _rules(
    block: Block, label: deid_text.Labelled, criteria: Clauses, origin: str
) -> Iterator[PixelRule]:
    name = re.sub(r"(?i)^label\s*", "", label.name)
    reason = f"{block.place}: {block.group}, LABEL {name}"
    group = block.group.lower()
    if group == _BLACK or (not label.places and group != _WHITE):
        yield PixelRule(criteria, Deed.REFUSE, Area.ALL, reason=reason, origin=origin)
        return
    for keep in (False, True):
        boxes = [text for kept, text in label.places if kept is keep]
        deed = Deed.KEEP if keep else Deed.BLANK
        for area in dict.fromkeys(_area(text, keep=keep) for text in boxes):
            rectangles = tuple(
                dict.fromkeys(_rectangle(t) for t in boxes if _area(t, keep=keep) is area)
                if area is Area.RECTANGLES
                else ()
            )
            yield PixelRule(criteria, deed, area, rectangles, reason, clipped=True, origin=origin)


def _area(text: str, *, keep: bool) -> Area:
    if text.strip().lower() == "all":
        if keep:
            raise ValueError("keepcoordinates all keeps everything, whatever else is said")
        return Area.ALL
    if text.strip() == _REGIONS:
        if not keep:
            raise ValueError("ultrasound regions are kept, by keepcoordinates, and not blanked")
        return Area.REGIONS
    if text.startswith("from:"):
        raise ValueError(f"coordinates come from SequenceOfUltrasoundRegions only, not {text!r}")
    return Area.RECTANGLES


def _rectangle(text: str) -> Rectangle:
    """From ``left,top,right,bottom``, the right column and the bottom row not included."""
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"coordinates are four whole numbers, not {text!r}") from None
    if min(left, top) < 0 or right <= left or bottom <= top:
        raise ValueError(f"coordinates {text!r} enclose nothing")
    return Rectangle(left, top, right - left, bottom - top)
