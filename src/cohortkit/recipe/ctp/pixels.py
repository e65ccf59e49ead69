"""CTP's pixel scripts and filters as pixel rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cohortkit.pixels.rectangles import Rectangle
from cohortkit.recipe.ctp import signatures
from cohortkit.recipe.ctp.calls import NotUnderstood
from cohortkit.recipe.ctp.elements import Row, Taken
from cohortkit.recipe.ctp.names import UnknownName
from cohortkit.recipe.ctp.wanted import Verdict
from cohortkit.recipe.model import Area, Deed, PixelRule

_PART = re.compile(r"\{(?P<signature>[^{}]*)\}|\((?P<region>[^(){}]*)\)|(?P<stray>[{}()])")
_REGION = re.compile(r"\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*")
_MAY_FIT = "images that may fit are refused: nothing here can ask {}"
_OVERLAY = "it asks a curve or an overlay, which go whole"


@dataclass(slots=True)
class _Section:
    """A signature and what is blanked where it fits."""

    number: int
    text: str
    regions: list[Rectangle]


def take_pixels(text: str, name: str, taken: Taken, *, file: str) -> None:
    """Add what a DicomPixelAnonymizer script says.

    CTP blanks by the first signature that fits; here every one that fits blanks.
    """
    before = len(taken.pixels)
    for section in _sections(text, taken, file):
        place = _place(file, section.number)
        if not section.regions:
            taken.faults.append(f"{place}: a signature without a region blanks nothing")
            continue
        try:
            asked = signatures.read(section.text)
        except (NotUnderstood, UnknownName) as problem:
            taken.faults.append(f"{place}: {problem}")
            continue
        rule, row = _blanking(section, asked, place, name)
        taken.rows.append(row)
        if rule is not None:
            taken.pixels.append(rule)
        elif row.verdict is not Verdict.REFUSED:
            taken.faults.append(f"{place}: {row.words}")
    if len(taken.pixels) == before and not taken.faults:
        taken.faults.append(f"{name}: no signature blanks anything")


def _blanking(
    section: _Section, asked: signatures.Asked, place: str, name: str
) -> tuple[PixelRule | None, Row]:
    said = " ".join(section.text.split())
    reason = f"{place}: signature of {name}"
    if not asked.unasked:
        parts = tuple(dict.fromkeys(section.regions))
        rule = PixelRule(
            asked.maybe, Deed.BLANK, Area.RECTANGLES, parts, reason, clipped=True, origin=name
        )
        return rule, Row(place, "signature", said, Verdict.TAKEN)
    if asked.overlays and not asked.maybe:
        return None, Row(place, "signature", said, Verdict.REFUSED, _OVERLAY)
    words = _MAY_FIT.format(", ".join(asked.unasked))
    if not asked.maybe:
        return None, Row(place, "signature", said, Verdict.STRICTER, f"all {words}")
    rule = PixelRule(asked.maybe, Deed.REFUSE, Area.ALL, (), reason, origin=name)
    return rule, Row(place, "signature", said, Verdict.STRICTER, words)


def _sections(text: str, taken: Taken, file: str) -> Iterator[_Section]:
    """All that stands in braces with what follows in brackets; other text is commentary."""
    section: _Section | None = None
    for part in _PART.finditer(text):
        number = text.count("\n", 0, part.start()) + 1
        place = _place(file, number)
        if part["signature"] is not None:
            if section is not None:
                yield section
            section = _Section(number, part["signature"], [])
        elif part["stray"]:
            taken.faults.append(f"{place}: {part['stray']!r} has no partner")
        elif section is None:
            taken.faults.append(f"{place}: a region before the first signature")
        else:
            region = _rectangle(part["region"])
            if region is None:
                written = part["region"][:40]
                taken.faults.append(f"{place}: ({written}): a region is (left,top,width,height)")
            else:
                section.regions.append(region)
    if section is not None:
        yield section
    else:
        taken.faults.append(f"{file or 'the script'}: there is no signature in braces")


def _rectangle(text: str) -> Rectangle | None:
    found = _REGION.fullmatch(text)
    if found is None:
        return None
    left, top, width, height = map(int, found.groups())
    return Rectangle(left, top, width, height) if width and height else None


def take_filter(text: str, name: str, taken: Taken, *, file: str) -> None:
    """Add what a DicomFilter script says: what it does not accept is refused, of any kind."""
    place = _place(file, 1)
    try:
        asked = signatures.read(text)
    except (NotUnderstood, UnknownName) as problem:
        taken.faults.append(f"{place}: {problem}")
        return
    if not asked.not_maybe:
        said = f": nothing here can ask {', '.join(asked.unasked)}" if asked.unasked else ""
        taken.faults.append(f"{place}: it would refuse every object{said}")
        return
    if any(not clause for clause in asked.not_maybe):
        taken.faults.append(f"{place}: it refuses nothing")
        return
    said = " ".join(text.split())
    words = _MAY_FIT.format(", ".join(asked.unasked)) if asked.unasked else ""
    verdict = Verdict.STRICTER if words else Verdict.TAKEN
    taken.rows.append(Row(place, "filter", said, verdict, words))
    reason = f"{place}: not accepted by the filter {name}"
    taken.pixels.append(
        PixelRule(asked.not_maybe, Deed.REFUSE, Area.ALL, (), reason, origin=name, whole=True)
    )


def _place(file: str, number: int) -> str:
    return f"{file} line {number}" if file else f"line {number}"
