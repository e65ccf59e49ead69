"""The only maker of what may leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from cohortkit.deidentify import dimensions, labels
from cohortkit.deidentify.cleaning import cleaned
from cohortkit.deidentify.gates import held_back, to_be_defaced
from cohortkit.deidentify.headers import asked_of, holds
from cohortkit.deidentify.identities import normalise
from cohortkit.deidentify.private import CHARACTERISTICS, characteristics
from cohortkit.deidentify.rules import Rules, rules_for
from cohortkit.deidentify.statement import stamp, statement_of
from cohortkit.deidentify.text.cleaner import Cleaner, cleaner_for
from cohortkit.deidentify.text.known import own_names, own_told
from cohortkit.deidentify.values import Element, encodings_of, identifiers
from cohortkit.deidentify.walk import PATIENT_ID, PATIENT_NAME, Subject, Walk
from cohortkit.dicom.sop_classes import lookup
from cohortkit.errors import Refusal
from cohortkit.model import (
    FIGURES,
    DeidentifiedSeries,
    Facts,
    Names,
    Person,
    PixelHandle,
    Reason,
    ReleasedHeader,
    SourceSeries,
    Statement,
    Task,
)
from cohortkit.model.facts import SUV_FACTOR
from cohortkit.model.released import SEAL
from cohortkit.pixels.redacted import RedactedPixels
from cohortkit.protocols import Pseudonyms
from cohortkit.recipe.model import Action, Recipe, Temporal

_ISSUER = 0x00100021

Handles = tuple[PixelHandle | None, ...]
Deface = Callable[[Facts, Handles], Handles]


def deidentify(
    series: SourceSeries,
    task: Task,
    recipe: Recipe,
    pseudonyms: Pseudonyms,
    *,
    cleaner: Cleaner | None = None,
    deface: Deface | None = None,
) -> DeidentifiedSeries:
    """One series as it may leave, or a refusal by name. The source is read and not changed.

    Args:
        series: headers, pixel handles, and the facts that were read from them.
        task: whose person every header must name; its labels, and whether the person is over 89.
        recipe: what privacy asks.
        pseudonyms: keyed, or out of a table; there is no default and no other way.
        cleaner: of texts, of a caller that wants its report; default: one of this series.
        deface: blanks faces, given the facts and the pixels as the rules for pixels leave them;
            without it no series leaves that is to be defaced.

    Raises:
        Refusal: ``no-patient-id``, ``person-conflict``, ``unknown-sop-class``,
            ``burned-in-risk``, ``held-by-recipe``, ``face-risk``, ``not-understood``; what
            ``deface`` refuses (``face-not-found``); of a pixel
            rule that fits and cannot be done ``redaction-outside``, ``no-regions``,
            ``nothing-blanked``, ``unsupported-pixels``.
    """
    headers = [instance.header for instance in series.instances]
    person = _person(headers, series, task, recipe, pseudonyms)
    showing = [_pass_gates(header, recipe) for header in headers]
    pixels = [
        cleaned(instance, series.facts, ordinal, recipe.pixels)
        for ordinal, instance in enumerate(series.instances)
    ]
    handles: Handles = tuple(handle for handle, _ in pixels)
    if any(showing):
        handles = _defaced(series.facts, handles, deface)
    days = recipe.dates.drawn(partial(pseudonyms.shift, person))
    said = statement_of(recipe, defaced=any(showing))
    true_dates = said.temporal == Temporal.UNMODIFIED
    subject = Subject(person, pseudonyms, days, task.over_89, true_dates=true_dates)
    cleaner = cleaner or cleaner_for(headers, task, recipe)
    walk = Walk(rules_for(recipe), subject, cleaner, own=own_names(headers, task))
    with pseudonyms.together():
        named = _named(walk)
        names = Names(
            patient=pseudonyms.patient(person),
            study=pseudonyms.study(task.study_instance_uid),
            series=pseudonyms.series(task.series_instance_uid),
        )
        released = tuple(
            _released(header, walk, said, named, pixels=handle is not None)
            for header, handle in zip(headers, handles, strict=True)
        )
    withheld = _withheld(walk.rules)
    return DeidentifiedSeries(
        names=names,
        facts=replace(series.facts, suv=None) if SUV_FACTOR in withheld else series.facts,
        headers=released,
        pixels=handles,
        pixel_work=tuple(work for _, work in pixels),
        statement=said,
        labels=_labels(headers, task, recipe, days, pseudonyms),
        kept=frozenset(walk.kept),
        withheld=withheld,
        defaced=any(showing),
        seal=SEAL,
    )


def _labels(
    headers: Sequence[Dataset], task: Task, recipe: Recipe, days: int, pseudonyms: Pseudonyms
) -> labels.Joined:
    if not task.labels:
        return ()
    known = own_told(headers, task)
    return labels.released(
        task.labels, recipe, days, over_89=task.over_89, own=known, token=pseudonyms.token
    )


def _withheld(rules: Rules) -> frozenset[str]:
    """Figures whose attribute the recipe does not keep."""
    return frozenset(
        figure
        for figure, keywords in FIGURES.items()
        if any(rules.step(Tag(word), None, None).action is not Action.KEEP for word in keywords)
    )


def person_of(header: Dataset, default_issuer: str) -> Person:
    """Of whom a header is.

    Raises:
        Refusal: ``no-patient-id``.
    """
    encodings = encodings_of(header, ("iso8859",))
    patient_id = _identifier(header, PATIENT_ID, encodings)
    if not patient_id:
        raise Refusal(Reason.NO_PATIENT_ID)
    issuer = _identifier(header, _ISSUER, encodings) or normalise(default_issuer)
    return Person(issuer, patient_id)


def _identifier(header: Dataset, tag: int, encodings: Sequence[str]) -> str:
    if tag not in header:
        return ""
    return normalise("\\".join(identifiers(header.get_item(tag), encodings)))


def _person(
    headers: Sequence[Dataset],
    series: SourceSeries,
    task: Task,
    recipe: Recipe,
    pseudonyms: Pseudonyms,
) -> Person:
    """The one person of the series, as task, series and every header say; merged ones are one.

    Raises:
        Refusal: ``no-patient-id``, ``person-conflict``.
    """
    default = normalise(recipe.default_issuer)
    asked = Person(normalise(task.person.issuer) or default, normalise(task.person.patient_id))
    other = Person(normalise(series.person.issuer) or default, normalise(series.person.patient_id))
    said = {asked, other, *(person_of(header, default) for header in headers)}
    if any(not one.patient_id for one in said):
        raise Refusal(Reason.NO_PATIENT_ID)
    if len({pseudonyms.one(one) for one in said}) > 1:
        raise Refusal(Reason.PERSON_CONFLICT)
    return asked


def _pass_gates(header: Dataset, recipe: Recipe) -> bool:
    """Whether the series is to be defaced, for all that this header says.

    Raises:
        Refusal: why it may not leave.
    """
    get = asked_of(header)
    sop = lookup(str(get("SOPClassUID") or ""))
    reason = held_back(get, sop, recipe, holds(header))
    if reason is not None:
        raise Refusal(reason)
    return to_be_defaced(get, sop, recipe)


def _defaced(facts: Facts, pixels: Handles, deface: Deface | None) -> Handles:
    """Handles that give nothing of a face: every one, or the series is held back.

    Raises:
        Refusal: ``face-risk``; what ``deface`` refuses.
    """
    if deface is None:
        raise Refusal(Reason.FACE_RISK)
    made = deface(facts, pixels)
    blanked = [isinstance(one, RedactedPixels) and one.holes is not None for one in made]
    if blanked != [one is not None for one in pixels]:
        raise Refusal(Reason.FACE_RISK)
    return made


def _named(walk: Walk) -> dict[BaseTag, Element]:
    """The patient's pseudonym where name and id stood, the same in every header."""
    named = walk.subject.patient(walk.subject.person.patient_id)
    return {
        BaseTag(tag): DataElement(tag, vr, named)
        for tag, vr in ((PATIENT_NAME, "PN"), (PATIENT_ID, "LO"))
        if walk.rules.step(tag, vr, None).action not in (Action.KEEP, Action.SET)
    }


def _released(
    source: Dataset,
    walk: Walk,
    said: Statement,
    named: Mapping[BaseTag, Element],
    *,
    pixels: bool,
) -> ReleasedHeader:
    elements = {**walk.header(source), **named}
    if walk.rules.private:
        elements.pop(CHARACTERISTICS, None)
        told = characteristics(elements)
        elements.update({} if told is None else {CHARACTERISTICS: told})
    dimensions.settle(elements)
    dummies = frozenset(walk.dummies)
    elements.update(stamp(source, said, pixels=pixels))
    dataset = Dataset(elements)
    dataset.set_original_encoding(*source.original_encoding)
    return ReleasedHeader(dataset, dummies, seal=SEAL)
