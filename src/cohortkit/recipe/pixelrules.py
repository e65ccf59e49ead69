"""What a recipe says of pixels: from its file, its faults, and in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cohortkit.pixels.rectangles import Rectangle
from cohortkit.recipe.deid.devices import device_rules
from cohortkit.recipe.model import (
    Area,
    Criterion,
    Deed,
    Match,
    Option,
    PixelPolicy,
    PixelRule,
    Recipe,
    Recompress,
)
from cohortkit.recipe.pixelentries import PixelRuleEntry, PixelsEntry, RectangleEntry

_SIZE = ("Rows", "Columns")
_DEEDS = {
    (Deed.BLANK, Area.RECTANGLES): "these parts are blanked",
    (Deed.BLANK, Area.ALL): "all is blanked that no other rule keeps",
    (Deed.KEEP, Area.RECTANGLES): "all but these parts is blanked",
    (Deed.KEEP, Area.REGIONS): "all outside the ultrasound regions is blanked",
}
_MATCHES = {
    Match.IS: "is",
    Match.IS_NOT: "is not",
    Match.MATCHES: "holds",
    Match.MATCHES_NOT: "holds no",
    Match.PRESENT: "is there",
    Match.ABSENT: "is absent",
    Match.EMPTY: "is empty",
}


def rules(entry: PixelsEntry) -> tuple[PixelRule, ...]:
    """The rules of a recipe file, and behind them those of others that it asks for.

    Raises:
        MissingDependency: the package that holds them is not installed.
    """
    own = tuple(_rule(one) for one in entry.rules)
    return own if entry.devices is None else (*own, *device_rules())


def _rule(entry: PixelRuleEntry) -> PixelRule:
    written: list[RectangleEntry] = entry.blank or entry.keep or []
    deed, area = Deed.VERIFIED, Area.ALL
    if entry.keep_regions:
        deed, area = Deed.KEEP, Area.REGIONS
    elif written:
        deed, area = Deed.BLANK if entry.blank else Deed.KEEP, Area.RECTANGLES
    return PixelRule(
        criteria=tuple(
            tuple(Criterion(keyword, Match.IS, answer) for answer in answers)
            for keyword, answers in sorted(entry.criteria())
        ),
        deed=deed,
        area=area,
        rectangles=tuple(Rectangle(e.left, e.top, e.width, e.height) for e in written),
        reason=entry.reason,
    )


def find(recipe: Recipe) -> Iterator[str]:
    """What contradicts itself, one line each."""
    policy = recipe.pixels
    own = [one for one in policy.rules if not one.origin]
    for number, one in enumerate(own):
        place = f"pixels.rules[{number}]"
        if one in own[:number]:
            yield f"{place}: the same rule stands above"
        if one.rectangles and not one.clipped:
            yield from _sizes(one, place)
    if Option.CLEAN_PIXEL_DATA in recipe.options:
        if not policy.rules:
            yield "options: clean-pixel-data, but nothing in [pixels] says what to clean"
        if policy.accept:
            yield "pixels.accept: to accept is not to clean, as the option clean-pixel-data says"


def _sizes(one: PixelRule, place: str) -> Iterator[str]:
    """A rectangle is true for one size of image, so the rule must name it and hold it."""
    for keyword, ends in zip(
        _SIZE, ([p.bottom for p in one.rectangles], [p.right for p in one.rectangles]), strict=True
    ):
        sizes = [c.value for clause in one.criteria for c in clause if c.keyword == keyword]
        if not sizes:
            yield f"{place}.when: a rectangle fits one size of image; say {keyword} too"
        elif not all(size.isdecimal() for size in sizes):
            yield f"{place}.when.{keyword}: must be a whole number"
        elif max(ends) > min(int(size) for size in sizes):
            yield f"{place}: a rectangle reaches beyond {keyword} {min(map(int, sizes))}"


def describe(policy: PixelPolicy) -> Iterator[str]:
    """What is cleaned, one sentence a rule; rules of others are counted."""
    for one in policy.rules:
        if not one.origin:
            yield f"Pixels where {when(one)}: {done(one)}, because: {one.reason}"
    for origin, count in sorted(_by_origin(policy).items()):
        yield f"Pixels of devices that {origin} knows are cleaned by its {count} rules."
    refusing = sum(one.deed is Deed.REFUSE for one in policy.rules)
    if refusing:
        yield f"Images that {refusing} labels of the recipe flag are refused."
    if policy.rules:
        yield "A series of which every image fits such a rule leaves; what is blanked is black."
    if policy.recompress is not Recompress.NATIVE:
        yield f"Blanked pixels that were compressed with loss are written as {policy.recompress}."


def _by_origin(policy: PixelPolicy) -> Counter[str]:
    doing = (one for one in policy.rules if one.deed is not Deed.REFUSE)
    return Counter(one.origin for one in doing if one.origin)


def when(one: PixelRule) -> str:
    """Which images a rule is for, in words."""
    return ", ".join(_asked(clause) for clause in one.criteria)


def _asked(clause: tuple[Criterion, ...]) -> str:
    if {one.match for one in clause} == {Match.IS} and len({one.keyword for one in clause}) == 1:
        return f"{clause[0].keyword} is {' or '.join(one.value for one in clause)}"
    words = (f"{one.keyword} {_MATCHES[one.match]} {one.value}".rstrip() for one in clause)
    return " or ".join(words)


def done(one: PixelRule) -> str:
    """What it does to them, in words."""
    if one.deed is Deed.VERIFIED:
        return "verified to show no name"
    parts = "; ".join(f"{p.width}x{p.height} at {p.left},{p.top}" for p in one.rectangles)
    return _DEEDS[one.deed, one.area] + (f" ({parts})" if parts else "")


def plain(policy: PixelPolicy) -> list[object]:
    """What is said of pixels beside what is accepted, as plain data; the order means nothing."""
    rules = [
        [
            [[[c.keyword, c.match.value, c.value] for c in clause] for clause in one.criteria],
            one.deed.value,
            one.area.value,
            sorted([p.left, p.top, p.width, p.height] for p in one.rectangles),
            one.reason,
            one.clipped,
            *(["whole"] if one.whole else []),
        ]
        for one in policy.rules
    ]
    return [policy.recompress.value, sorted(rules, key=str)]
