"""One walk over a header: each element is judged once, and what passes goes into a new dataset.

The source is only read. Elements that stay as they are stay raw: nothing decodes them, nothing
changes their bytes. Whatever is not understood is not passed on, and where it would have been
kept for what is inside, the series is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydicom import config
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.deidentify import ages, content, dates, dummies
from cohortkit.deidentify.forms import well_formed
from cohortkit.deidentify.given import Values, element_of
from cohortkit.deidentify.items import holds_items, items_of
from cohortkit.deidentify.left import Left
from cohortkit.deidentify.private import Creators, is_private
from cohortkit.deidentify.rules import Rules, Step
from cohortkit.deidentify.text.cleaner import Cleaner
from cohortkit.deidentify.text.kept import Text, names, tells
from cohortkit.deidentify.values import (
    TEXTS,
    Element,
    encodings_of,
    identifiers,
    is_ascii,
    is_binary,
    texts,
)
from cohortkit.dicom.keywords import tag_of
from cohortkit.dicom.sop_classes import is_registered
from cohortkit.errors import Refusal
from cohortkit.model import Person
from cohortkit.protocols import Pseudonyms
from cohortkit.reasons import Reason
from cohortkit.recipe import profile
from cohortkit.recipe.deid.lines import Verb
from cohortkit.recipe.model import Action
from cohortkit.traces.own import Own

PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
_BIRTH_DATE = 0x00100030
_SOP_CLASS = 0x00080016
_DELIMITERS = 0xFFFE
_DEEPEST = 64
# CodeValue, CodeMeaning, LongCodeValue, URNCodeValue
_CODE = frozenset({0x00080100, 0x00080104, 0x00080119, 0x00080120})
_STANDARD_DS = 16
_UID = re.compile(r"[0-2](\.(0|[1-9]\d*)){3,}", re.ASCII)
_LISTED = frozenset({"CS", "DS", "IS"})  # what is no code or number leaves its place empty


@dataclass(frozen=True, slots=True)
class Subject:
    """Of whom the header is, and how that person's values are changed.

    Attributes:
        days: by which dates move, where the recipe moves them.
        over_89: whether the person may reach the age of 90 in any study; None if nobody knows.
        true_dates: whether the recipe keeps any date as it was.
    """

    person: Person
    pseudonyms: Pseudonyms
    days: int
    over_89: bool | None
    true_dates: bool = False

    def patient(self, value: str) -> str:
        """The pseudonym of a Patient ID of this person's issuer."""
        return self.pseudonyms.patient(Person(self.person.issuer, value))


@dataclass(slots=True)
class Walk:
    """The walk over the headers of one series.

    Attributes:
        cleaner: of the texts that the recipe cleans; without one they go.
        dummies: tags at the top level of the last header that hold a dummy.
        kept: keywords of which a source value has passed as it was.
        own: names that no technical text may tell.
    """

    rules: Rules
    subject: Subject
    cleaner: Cleaner | None = None
    dummies: set[int] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    own: Own = field(default_factory=Own)
    _uids: dict[str, str] = field(default_factory=dict)
    _around: list[str] = field(default_factory=list)
    _given: Values = field(init=False)
    _left: Left = field(default_factory=lambda: Left({}))
    _reported: bool = False
    _sop_class: str = ""

    def __post_init__(self) -> None:
        """Ready the values that the recipe gives."""
        self._given = Values(self.rules.script, self.subject.person, self.subject.pseudonyms)

    def header(self, source: Dataset) -> dict[BaseTag, Element]:
        """What may leave of one header, by tag."""
        self.dummies.clear()
        self._sop_class = _sop_class_of(source)
        if not self.rules.script.lines:
            return self._elements(source, encodings_of(source, ("iso8859",)), 0)
        self._given.begin(source)
        released = self._elements(source, encodings_of(source, ("iso8859",)), 0)
        for number, step in self.rules.additions:
            values = self._given.texts(step, None, ()) if step.action is Action.SET else []
            if values is not None:
                released[BaseTag(number)] = element_of(number, step.vr, values)
        return released

    def _elements(
        self, source: Dataset, encodings: Sequence[str], depth: int
    ) -> dict[BaseTag, Element]:
        if depth > _DEEPEST:
            raise Refusal(Reason.NOT_UNDERSTOOD, depth=depth)
        creators = Creators(source, encodings)
        held = source._dict  # noqa: SLF001 - a Dataset would decode them
        left = self._since(held, encodings) if not depth and self.rules.steady else Left(held)
        where = self._where(depth)
        for tag in left.judged():
            number = int(tag)
            if number >> 16 == _DELIMITERS:
                continue  # left over from a broken sequence; it has no value to ask for
            creator = creators.of(number) if is_private(number) else None
            if not depth:
                self._reported = False
            new = self._judged(held[tag], creator, where, encodings, depth)
            left.take(tag, new, creator, again=self._reported)
        if not depth:
            left.dummies = set(self.dummies)
        return {**left.released, **creators.kept(left.private)}

    def _since(self, held: Mapping[BaseTag, Element], encodings: Sequence[str]) -> Left:
        """What is left of a header, but for what stood otherwise in the one before."""
        left = self._left.of(held, (tuple(encodings), self._sop_class))
        self.dummies |= left.dummies.difference(left.judged())
        self._left = left
        return left

    def _where(self, depth: int) -> tuple[str, str]:
        """The sequences around, where lines ask for them, and the object or sequence, if known."""
        place = self._around[-1] if depth else self._sop_class
        within = "__".join(self._around) if self.rules.nested else ""
        return within, place if place in profile.types() else ""

    def _judged(
        self,
        element: Element,
        creator: str | None,
        where: tuple[str, str],
        encodings: Sequence[str],
        depth: int,
    ) -> Element | None:
        """What becomes of one element; None where it goes."""
        number, value = int(element.tag), element.value
        if creator is None and is_private(number):
            return None
        items = type(value) is not bytes and isinstance(value, Items)
        step = self.rules.step(number, "SQ" if items else element.VR, creator, *where)
        if step.action is Action.REMOVE and step.given is None:
            return None
        return self._changed(step, element, encodings, depth)

    def _changed(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        match step.action:
            case Action.KEEP if step.vr == "SQ" or (step.vr == "UN" and holds_items(element)):
                new: Element | None = self._sequence(element, encodings, depth, who=step.tells_who)
            case Action.KEEP:
                new = self._kept(step, element, encodings, depth)
            case Action.EMPTY:
                new = _made(element.tag, step.vr, Items() if step.vr == "SQ" else None)
            case Action.CLEAN:
                new = self._cleaned(step, element, encodings, depth)
            case Action.DUMMY:
                new = self._dummy(step, element, encodings, depth)
            case Action.UID:
                new = self._new_uids(element, encodings)
            case Action.SHIFT:
                new = self._shifted(step, element, encodings)
            case Action.CAP_AGE:
                new = self._capped(step, element, encodings)
            case _:
                new = self._by_line(step, element, encodings, depth)
        return new

    def _by_line(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        """What only lines in deid's language ask for."""
        match step.action:
            case Action.SET:
                return self._set(step, element, encodings, depth)
            case Action.MOVE:
                return self._moved(step, element, encodings)
            case Action.REMOVE if self._given.asked(step, element, encodings):
                return None
            case Action.REMOVE:
                return self._otherwise(step, element, encodings, depth)
            case _:
                raise Refusal(Reason.NOT_UNDERSTOOD)

    def _otherwise(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        other = step.otherwise
        if other is None or (other.action is Action.REMOVE and other.given is None):
            return None
        return self._changed(other, element, encodings, depth)

    def _set(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        """A value that the recipe gives; registered UIDs stay, as under any action."""
        if step.vr == "UI":
            there = [one for one in identifiers(element, encodings) if one]
            if there and all(is_registered(one) for one in there):
                return element
        values = self._given.texts(step, element, encodings)
        if values is None:
            return self._otherwise(step, element, encodings, depth)
        if not values and step.vr == "UI":
            return self._new_uids(element, encodings)
        return element_of(element.tag, step.vr, values)

    def _moved(self, step: Step, element: Element, encodings: Sequence[str]) -> Element | None:
        values = texts(element, step.vr, encodings)
        if values is None:
            return None
        days = self._given.days(step, element, encodings)
        moved = dates.shift(values, step.vr, days)
        return None if moved is None else _made(element.tag, step.vr, moved)

    def _holding(
        self, step: Step, element: Element, values: Sequence[str], encodings: Sequence[str]
    ) -> tuple[bool, Element | None]:
        """Whether a line takes a value away for what it holds, and what stands there then."""
        line = self._given.listed(values) if self.rules.script.lists else None
        if line is None:
            return False, None
        if line.verb is Verb.BLANK:
            return True, _made(element.tag, step.vr, None)
        asked = replace(step, given=line.given)
        if line.verb is Verb.REPLACE:
            given = self._given.texts(asked, element, encodings) or []
            return True, element_of(element.tag, step.vr, given)
        if line.given is not None and line.verb is Verb.REMOVE:
            return self._given.asked(asked, element, encodings), None
        return True, None

    # ── what each action does ────────────────────────────────────────────────────────────────────

    def _kept(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        vr = step.vr.split(" or ", maxsplit=1)[0]
        form = self._reads_as(element) if vr == "UN" else ""
        if form:
            shifts = self.rules.dated is Action.SHIFT
            return self._shifted(replace(step, vr=form), element, encodings) if shifts else None
        if vr not in TEXTS:
            good = is_binary(element, vr)
            self._note(step, passed=good)
            return _copied(element) if good else None
        values = texts(element, vr, encodings)
        if values is None or not well_formed(values, vr, loose=step.loose):
            return _made(element.tag, vr, None) if vr in _LISTED else None
        taken, instead = self._holding(step, element, values, encodings)
        if taken:
            return instead
        left = values if step.text is None else self._untold(values, step.text)
        if left != values:
            return self._worded(element, vr, left, depth)
        self._note(step, passed=bool(values))
        long = vr == "DS" and any(len(one) > _STANDARD_DS for one in values)
        return element if is_ascii(element) and not long else _made(element.tag, vr, values)

    def _untold(self, values: list[str], text: Text) -> list[str]:
        """A word in place of each technical value that tells of somebody, or who is named here."""
        own = self.own
        return [dummies.WORD if tells(one, text) or names(one, own) else one for one in values]

    def _worded(self, element: Element, vr: str, values: list[str], depth: int) -> Element:
        if depth == 0:
            self.dummies.add(int(element.tag))
        return _made(element.tag, vr, values)

    def _reads_as(self, element: Element) -> str:
        """The VR of a date that a value of no known VR reads as, where true dates must not stay.

        Where they go, UIDs go with them (Safe Harbor).
        """
        if self.rules.dated is Action.KEEP:
            return ""
        values = texts(element, "LO", ("ascii",)) or []
        uids = self.rules.dated is Action.REMOVE and any(map(_UID.fullmatch, values))
        return "UI" if uids else dates.form_of(values)

    def _cleaned(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        """Text without what names someone; what happens otherwise where nothing is left of it."""
        if self.cleaner is None:
            return self._otherwise(step, element, encodings, depth)
        name = step.keyword or f"({element.tag >> 16:04x},{element.tag & 0xFFFF:04x})"
        values = texts(element, step.vr, encodings)
        if values is None or not well_formed(values, step.vr, loose=step.loose):
            self._reported = True
            self.cleaner.unreadable(name)
            return self._otherwise(step, element, encodings, depth)
        taken, instead = self._holding(step, element, values, encodings)
        if taken:
            return instead
        left = self.cleaner.values(name, values)
        if left == values:
            self._note(step, passed=bool(values))
            return element if is_ascii(element) else _made(element.tag, step.vr, values)
        self._reported = True
        if any(left):
            return _made(element.tag, step.vr, left)
        return self._otherwise(step, element, encodings, depth)

    def _sequence(
        self, element: Element, encodings: Sequence[str], depth: int, *, who: bool
    ) -> Element:
        """The items, each judged; without codes and meanings where these say ``who`` it is."""
        items = []
        self._around.append(keyword_for_tag(element.tag))
        for item in items_of(element, encodings):
            inside = encodings_of(item, encodings)
            inner = self._elements(item, inside, depth + 1)
            new = Dataset({t: e for t, e in inner.items() if t not in _CODE} if who else inner)
            if content.CONCEPT_NAME in inner:
                content.settle(new, self._action, ages=self._ages)
            new.set_original_encoding(*item.original_encoding)
            items.append(new)
        self._around.pop()
        return _made(element.tag, "SQ", Items(items))

    def _action(self, keyword: str) -> Action:
        return self.rules.step(tag_of(keyword) or 0, None, None).action

    @property
    def _ages(self) -> bool:
        """Whether an age in numbers may stay: below 90 in every study, and no date is true."""
        return self.subject.over_89 is False and not self.subject.true_dates

    def _dummy(
        self, step: Step, element: Element, encodings: Sequence[str], depth: int
    ) -> Element | None:
        keyword = step.keyword
        if step.vr == "SQ":
            new = _made(element.tag, "SQ", dummies.sequence(keyword, self._uid("")))
        elif step.vr == "UI":
            return self._new_uids(element, encodings)
        elif keyword in dummies.KEYED or int(element.tag) == PATIENT_ID:
            return self._token(step, element, encodings)
        else:
            new = _made(element.tag, step.vr, dummies.value(keyword, step.vr))
        if depth == 0:
            self.dummies.add(int(element.tag))
        return new

    def _token(self, step: Step, element: Element, encodings: Sequence[str]) -> Element:
        values = [one for one in identifiers(element, encodings) if one]
        if step.keyword == "PatientID":
            return _made(element.tag, "LO", [self.subject.patient(one) for one in values])
        token = self.subject.pseudonyms.token
        return _made(element.tag, step.vr, [token(step.keyword, one) for one in values])

    def _new_uids(self, element: Element, encodings: Sequence[str]) -> Element:
        values = identifiers(element, encodings)
        return _made(element.tag, "UI", [self._uid(one) if one else "" for one in values])

    def _uid(self, uid: str) -> str:
        if is_registered(uid):
            return uid
        found = self._uids.get(uid)
        if found is None:
            found = self._uids[uid] = self.subject.pseudonyms.uid(uid)
        return found

    def _shifted(self, step: Step, element: Element, encodings: Sequence[str]) -> Element | None:
        if step.vr not in dates.BY_VR:
            return None
        if int(element.tag) == _BIRTH_DATE and self.subject.over_89 is not False:
            return _made(element.tag, step.vr, None)
        values = texts(element, step.vr, encodings)
        moved = None if values is None else dates.shift(values, step.vr, self.subject.days)
        if moved is None:
            return None
        self._note(step, passed=step.vr == "TM" and bool(moved))
        return _made(element.tag, step.vr, moved)

    def _capped(self, step: Step, element: Element, encodings: Sequence[str]) -> Element | None:
        values = texts(element, "AS", encodings)
        if values is None:
            return None
        old, whole = self.subject.over_89, self.subject.true_dates
        capped = [ages.cap(one, over_89=old, whole_years=whole) for one in values]
        good = [one for one in capped if one is not None]
        self._note(step, passed=bool(good))
        return _made(element.tag, "AS", good) if len(good) == len(capped) else None

    def _note(self, step: Step, *, passed: bool) -> None:
        if passed and step.keyword:
            self.kept.add(step.keyword)


def _sop_class_of(source: Dataset) -> str:
    """The SOP class of an object; empty where there is none."""
    if _SOP_CLASS not in source:
        return ""
    found = identifiers(source.get_item(_SOP_CLASS), ("ascii",))
    return found[0] if found else ""


def _copied(element: Element) -> Element:
    if isinstance(element, RawDataElement):
        return element
    return DataElement(element.tag, element.VR, element.value, already_converted=True)


def _made(tag: BaseTag | int, vr: str, value: object) -> DataElement:
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    vr = vr.split(" or ", maxsplit=1)[0]
    return DataElement(tag, vr, value, validation_mode=config.IGNORE)
