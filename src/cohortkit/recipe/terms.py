"""All that two recipes say beside single attributes, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cohortkit.recipe import pixelrules
from cohortkit.recipe.model import Deed, Ids, Option, PixelRule, Recipe, Unlisted
from cohortkit.recipe.policy import cleans

_MORE, _LESS, _OTHER = "more", "less", "other"
_CLEANING = Option.CLEAN_PIXEL_DATA
_REMOVING = frozenset({_CLEANING, Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES})


@dataclass(frozen=True, slots=True)
class Term:
    """One difference.

    Attributes:
        change: ``more``, ``less`` or ``other``.
        about: basis, options, ids, pixels, faces, dates, text, labels, values, claims.
        words: what the second says that the first does not, or no longer says.
    """

    change: str
    about: str
    words: str


def differing(a: Recipe, b: Recipe) -> Iterator[Term]:
    """Every difference, in the order in which a recipe is read."""
    for compare in _COMPARED:
        yield from compare(a, b)


def _head(a: Recipe, b: Recipe) -> Iterator[Term]:
    if a.basis is not b.basis:
        yield Term(_OTHER, "basis", f"{b.basis} in the place of {a.basis}")
    if a.ids is not b.ids:
        keyed = b.ids is Ids.KEYED
        words = "new ids are made from the old ones" if keyed else "new ids are drawn at random"
        yield Term(_MORE if keyed else _LESS, "ids", words)
    yield from _gained("options", [a.options, b.options], _option)
    if a.unlisted is not b.unlisted:
        freedom = list(Unlisted)
        change = _MORE if freedom.index(b.unlisted) > freedom.index(a.unlisted) else _LESS
        yield Term(change, "unlisted", f"{b.unlisted} in the place of {a.unlisted}")
    if a.default_issuer != b.default_issuer:
        yield Term(_OTHER, "issuer", "another issuer where none is said: other pseudonyms")


def _option(option: str) -> str:
    """An option that removes lets more through where it is lost, not where it is gained."""
    return _LESS if option in _REMOVING else _MORE


def _gained(
    about: str, said: Sequence[Iterable[str]], kind: Callable[[str], str]
) -> Iterator[Term]:
    """Words of the second that the first has not, and the other way round."""
    turned = {_MORE: _LESS, _LESS: _MORE, _OTHER: _OTHER}
    a, b = said
    for word in sorted(set(b) - set(a)):
        yield Term(kind(word), about, f"{word}, which the first has not")
    for word in sorted(set(a) - set(b)):
        yield Term(turned[kind(word)], about, f"without {word}")


def _more(_: str) -> str:
    return _MORE


def _less(_: str) -> str:
    return _LESS


def _pixels(a: Recipe, b: Recipe) -> Iterator[Term]:
    accepted = [
        {
            f"{item.modality or item.sop_class}: {risk}"
            for item in recipe.pixels.accept
            for risk in item.risks
        }
        for recipe in (a, b)
    ]
    yield from _gained("pixels accepted", accepted, _more)
    for rule in b.pixels.rules:
        if rule not in a.pixels.rules:
            yield Term(_LESS if rule.deed is Deed.REFUSE else _MORE, "pixels", _let_in(rule))
    accepts = bool(b.pixels.accept) and _CLEANING not in b.options
    for rule in a.pixels.rules:
        if rule not in b.pixels.rules:
            # Without it an image is refused, unless something else takes it, and then unblanked.
            looser = rule.deed is Deed.REFUSE or (accepts and rule.deed is not Deed.VERIFIED)
            yield Term(_MORE if looser else _LESS, "pixels", f"no longer: {_let_in(rule)}")
    if a.pixels.recompress is not b.pixels.recompress:
        words = f"what was compressed with loss is written as {b.pixels.recompress}"
        yield Term(_OTHER, "pixels", words)


def _let_in(rule: PixelRule) -> str:
    if rule.deed is Deed.REFUSE:
        return f"images that a rule flags are refused ({rule.reason})"
    origin = f", as {rule.origin} has it" if rule.origin else ""
    return f"images leave where {pixelrules.when(rule)}: {pixelrules.done(rule)}{origin}"


def _faces(a: Recipe, b: Recipe) -> Iterator[Term]:
    said = [
        {
            words
            for words, accepted in (
                ("series of the head, with their faces", one.faces.accept_heads),
                ("series of an unknown body part", one.faces.accept_unknown),
            )
            if accepted
        }
        for one in (a, b)
    ]
    yield from _gained("faces", said, _more)
    ways = [
        {
            f"series of {which}, defaced by {one.faces.method}"
            for which, there in (
                ("the head", one.faces.deface_heads),
                ("an unknown body part", one.faces.deface_unknown),
            )
            if there
        }
        for one in (a, b)
    ]
    yield from _gained("faces", ways, _more)
    if a.faces.depth != b.faces.depth and a.faces.defaces and b.faces.defaces:
        words = f"{b.faces.depth} mm below the skin, not {a.faces.depth}"
        yield Term(_MORE if b.faces.depth < a.faces.depth else _LESS, "faces", words)


def _dates(a: Recipe, b: Recipe) -> Iterator[Term]:
    shifting = Option.RETAIN_MODIFIED_DATES
    if a.dates != b.dates and shifting in a.options and shifting in b.options:
        before, after = a.dates.many, b.dates.many
        words = f"dates move by {b.dates.low} to {b.dates.high} days"
        words += " in whole weeks" if b.dates.same_weekday else ""
        was = f", not {a.dates.low} to {a.dates.high}"
        was += " in whole weeks" if a.dates.same_weekday else ""
        yield Term(_MORE if after < before else _OTHER, "dates", words + was)


def _text(a: Recipe, b: Recipe) -> Iterator[Term]:
    if not (cleans(a) and cleans(b)):
        return  # the attributes say it
    yield from _gained("words that stay in text", [a.text.words, b.text.words], _more)
    if a.text.patients != b.text.patients:
        looser = b.text.patients is not None and (a.text.patients or 10**9) > b.text.patients
        said = "none by their number" if b.text.patients is None else f"{b.text.patients} patients"
        yield Term(_MORE if looser else _LESS, "words by number of patients", said)
    detectors = [[name for name, _ in one.text.detectors] for one in (a, b)]
    yield from _gained("detectors", detectors, _less)


def _labels(a: Recipe, b: Recipe) -> Iterator[Term]:
    columns = [[f"{one.column} ({one.type})" for one in recipe.labels] for recipe in (a, b)]
    yield from _gained("joined columns", columns, _more)


def _values(a: Recipe, b: Recipe) -> Iterator[Term]:
    """What acts on whatever holds a value, and so on no attribute that can be named."""
    lines = [[_said(line) for line in one.script.lines if line.values] for one in (a, b)]
    yield from _gained("lines about values", lines, _less)
    names = [sorted(one.script.variables.names) for one in (a, b)]
    yield from _gained("values of the caller", names, lambda _: _OTHER)


def _said(line: object) -> str:
    return str(line).partition(": ")[2]


def _claims(a: Recipe, b: Recipe) -> Iterator[Term]:
    before, after = a.claims(), b.claims()
    codes = [[f"{code} {meaning}" for code, meaning in one.codes] for one in (before, after)]
    yield from _gained("claims", codes, lambda _: _OTHER)
    if before.identity_removed != after.identity_removed:
        words = f"patient identity removed: {after.identity_removed}"
        yield Term(_MORE if after.identity_removed == "NO" else _LESS, "claims", words)
    if before.temporal is not after.temporal:
        yield Term(_OTHER, "claims", f"dates {after.temporal}, not {before.temporal}")


_COMPARED = (_head, _pixels, _faces, _dates, _text, _labels, _values, _claims)
