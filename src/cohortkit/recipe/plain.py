"""A recipe in plain words, for whoever signs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape

from cohortkit.recipe import pixelrules
from cohortkit.recipe.model import (
    BLOCK,
    CODES,
    Basis,
    FacePolicy,
    Ids,
    Option,
    Recipe,
    Rule,
    SafeList,
    Temporal,
    Unlisted,
)
from cohortkit.recipe.policy import cleans

_BASES = {
    Basis.EXPERT_DETERMINATION: "an expert has determined that the risk of re-identification is "
    "very small (45 CFR 164.514(b)(1))",
    Basis.SAFE_HARBOR: "all eighteen kinds of identifiers are removed (45 CFR 164.514(b)(2))",
    Basis.LIMITED_DATA_SET: "a limited data set under a data use agreement (45 CFR 164.514(e)); "
    "it is still protected health information",
    Basis.GDPR_PSEUDONYMISED: "pseudonymised data (GDPR article 4(5)); they are still personal "
    "data",
    Basis.AUTHORIZATION: "the patients' authorization or consent to what is kept",
}
_TEMPORAL = {
    Temporal.REMOVED: "Dates and times are removed.",
    Temporal.UNMODIFIED: "Dates and times stay as they are; the birth date does not.",
}
_OPTIONS = {
    Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES: "Series that were defaced are stated to hold no "
    "recognizable visual features; it is no guarantee.",
    Option.CLEAN_PIXEL_DATA: "Pixels leave only where a rule below cleans them or has them "
    "verified, whatever their header says; they are then stated to hold no name.",
    Option.CLEAN_GRAPHICS: "Graphics of presentation states stay; their texts do not, unless "
    "descriptors are cleaned; overlays and curves go whole.",
    Option.CLEAN_STRUCTURED_CONTENT: "Reports and other trees of content stay item by item: names, "
    "UIDs and dates in them are treated as in a header, texts stay as far as they name nobody.",
    Option.CLEAN_DESCRIPTORS: "Descriptions, comments and labels of the table stay as far as they "
    "name nobody, in sequences too.",
    Option.RETAIN_PATIENT_CHARACTERISTICS: "Age (90 and over as 90), sex, size, weight and other "
    "characteristics of the patient stay.",
    Option.RETAIN_DEVICE_IDENTITY: "Names and serial numbers of devices stay, and unless dates "
    "are shifted, when they were made and calibrated and when a beam was held: true dates.",
    Option.RETAIN_UIDS: "The UIDs of the profile's table stay as they are: who has the archive "
    "can find every image again.",
    Option.RETAIN_SAFE_PRIVATE: "The private elements that the standard calls safe stay (Table "
    "E.3.10-1).",
    Option.RETAIN_INSTITUTION_IDENTITY: "Names and addresses of institutions stay.",
}
_IDS = {
    Ids.KEYED: "New names, UIDs and numbers are made from the old ones with the project's key.",
    Ids.TABLE: "New names, UIDs and numbers are drawn at random and kept in a table, or a broker's "
    "codes; none is made here from what it replaces (45 CFR 164.514(c)).",
}
_CLEANED = (
    "Text that is cleaned keeps words of the trade and short numbers: what is known of the patient "
    "goes, then dates, times, ages, telephones, addresses, long numbers and titled names, then "
    "every word that is on no list of words. What went is in the vault's report."
)
_MANY = 30
_OUTSIDE = (
    "Outside the table numbers and valid codes stay, UIDs are replaced; dates, ages, names and "
    "addresses go; text and bytes stay only if they are on the technical list."
)


def describe(recipe: Recipe) -> tuple[str, ...]:
    """What the recipe does, one sentence or two a line."""
    return (
        f"Basis: {recipe.basis}: {_BASES[recipe.basis]}.",
        "Profile: PS3.15 Annex E, basic; an attribute of its table goes unless said below.",
        _IDS[recipe.ids],
        *_options(recipe),
        *_pictures(recipe),
        *_texts(recipe),
        _OUTSIDE,
        *_lines(recipe),
        *_rules(recipe.rules),
        *_rest(recipe),
        _claimed(recipe),
    )


def text(recipe: Recipe) -> str:
    """The recipe as text: title, name, then a line for each thing it does."""
    head = f"{recipe.title or recipe.name}  [{recipe.name}, {recipe.digest[:16]}]"
    return "\n".join([head, *(f"  - {line}" for line in describe(recipe))])


def html(recipe: Recipe) -> str:
    """The recipe as HTML, for notebooks and the report."""
    items = "".join(f"<li>{escape(line)}</li>" for line in describe(recipe))
    about = "".join(f"<p>{escape(part)}</p>" for part in recipe.description.split("\n\n") if part)
    return (
        f"<div><h4>{escape(recipe.title or recipe.name)}</h4>"
        f"<p><code>{escape(recipe.name)}</code> <code>{recipe.digest[:16]}</code></p>"
        f"{about}<ul>{items}</ul></div>"
    )


def _options(recipe: Recipe) -> Iterator[str]:
    if recipe.temporal is Temporal.MODIFIED:
        low, high = recipe.dates.low, recipe.dates.high
        weeks = recipe.dates.same_weekday
        steps, days = ("weeks", " days") if weeks else ("days", "")
        yield (
            f"All dates of a patient move by one secret number of whole {steps} between {low} and "
            f"{high}{days}, never 0; times of day stay; the birth date goes."
        )
    else:
        yield _TEMPORAL[recipe.temporal]  # what a device keeps is told with its option
    for option in sorted(recipe.options):
        if option in _OPTIONS:
            yield _OPTIONS[option]
    if recipe.safe_private is SafeList.NUMBERS:
        yield (
            "So do private elements that hold numbers and are on a list of another archive, but "
            "for those that may count people, things or moments."
        )
    if recipe.claims().temporal is Temporal.UNMODIFIED:
        yield "An age that stays is in whole years: one in days, with a true date, is a birth date."


def _pictures(recipe: Recipe) -> Iterator[str]:
    yield "Series in whose pixels names may be drawn are refused" + (
        ", but for what follows." if recipe.pixels.accept or recipe.pixels.rules else "."
    )
    for item in recipe.pixels.accept:
        place = f"modality {item.modality}" if item.modality else f"SOP class {item.sop_class}"
        yield f"Accepted for {place}: {', '.join(sorted(item.risks))}, because: {item.reason}"
    yield from pixelrules.describe(recipe.pixels)
    faces = recipe.faces
    accepted = [
        words
        for words, said in (
            ("series of the head", faces.accept_heads),
            ("series of an unknown body part", faces.accept_unknown),
        )
        if said
    ]
    if faces.defaces:
        yield from _defaced(faces)
    if accepted:
        yield f"Faces are NOT removed; {' and '.join(accepted)} leave, because: {faces.reason}"
    if not (faces.accept_heads or faces.deface_heads):
        yield "Series of the head are refused, since a face could be drawn from them."
    if not (faces.accept_unknown or faces.deface_unknown):
        yield "Series that may be of the head, for all that is known, are refused too."


def _defaced(faces: FacePolicy) -> Iterator[str]:
    which = "the head, and of an unknown body part," if faces.deface_unknown else "the head"
    how = f"by the method {faces.method}"
    if faces.method == BLOCK:
        how = (
            f"outside a smooth block within the head, {faces.depth} mm below the skin of the "
            "forehead and the sides: face, ears, jaw and neck"
        )
    yield f"Series of {which} leave defaced, because: {faces.reason}"
    yield (
        f"What shows a face is blanked {how}. Where no head is found with confidence, or a frame "
        "is in no volume, the series is refused. Every other voxel stays as it is."
    )


def _texts(recipe: Recipe) -> Iterator[str]:
    if recipe.unlisted is Unlisted.KEEP:
        yield (
            "Text outside the table stays as it is, whatever somebody typed there; so the basic "
            "profile is not claimed. Names, dates, ages and addresses still go."
        )
    if not cleans(recipe):
        return
    yield _CLEANED
    if recipe.unlisted is Unlisted.CLEAN:
        yield "Text outside the table is cleaned too, and stays as far as it names nobody."
    if recipe.text.words:
        yield f"Words of the site that stay: {', '.join(recipe.text.words)}."
    if recipe.text.patients:
        yield (
            f"Words that stand in the index's descriptions of {recipe.text.patients} patients or "
            "more, and in no name, stay too."
        )
    if recipe.text.detectors:
        names = ", ".join(name for name, _ in recipe.text.detectors)
        yield f"What these detectors find goes as well: {names}."


def _lines(recipe: Recipe) -> Iterator[str]:
    """Lines in deid's language, and what is done otherwise than deid does it."""
    for line in recipe.script.lines:
        yield f"{recipe.script.language}, {line}"
    for note in recipe.script.notes:
        yield f"Note on {note}"
    names = ", ".join(sorted(recipe.script.variables.names))
    if names:
        yield f"Values that the caller's table gives: {names}."


def _rules(rules: tuple[Rule, ...]) -> Iterator[str]:
    """A line a rule; of very many that do the same for the same reason one line for all."""
    alike = Counter((rule.action, rule.reason) for rule in rules if not rule.acknowledged)
    for (action, reason), count in alike.items():
        if count > _MANY:
            because = f", because: {reason}" if reason else ""
            yield f"Rule: {action} {count:,} attributes, each told by recipe explain{because}"
    for rule in rules:
        if not rule.acknowledged and alike[rule.action, rule.reason] > _MANY:
            continue
        because = f", because: {rule.reason}" if rule.reason else ""
        direct = " (a DIRECT IDENTIFIER, acknowledged)" if rule.acknowledged else ""
        yield f"Rule: {rule.action} {rule.target}{direct}{because}"


def _rest(recipe: Recipe) -> Iterator[str]:
    if recipe.default_issuer:
        yield "Where no issuer of a patient's id is said, the one that the recipe names stands in."
    columns = ", ".join(f"{label.column} ({label.type})" for label in recipe.labels)
    yield f"Joined columns that leave: {columns or 'none'}."


def _claimed(recipe: Recipe) -> str:
    claims = recipe.claims()
    codes = ", ".join(f"{code} {meaning}" for code, meaning in claims.codes) or "no profile"
    faces = Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES
    code, meaning = CODES[faces]
    more = f" Of series that were defaced also: {code} {meaning}."
    more = more if faces in recipe.options else ""
    return (
        f"Claimed: {codes}; patient identity removed: {claims.identity_removed}; "
        f"dates: {claims.temporal}.{more}"
    )
