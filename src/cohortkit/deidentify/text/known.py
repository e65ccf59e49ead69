"""What is known of a patient and must not stay in a text, in its usual spellings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from cohortkit.dicom.keywords import vr_of
from cohortkit.errors import Refusal
from cohortkit.model import Scalar, Task
from cohortkit.recipe.text import shipped
from cohortkit.traces.days import date_forms
from cohortkit.traces.fields import Kind, kind_of
from cohortkit.traces.own import Own, own_of
from cohortkit.traces.patterns import LONG_NUMBER, Pattern, Patterns, Rule, collect
from cohortkit.traces.spellings import ORDINARY, fold, identifier, words_in

_SHORTEST = 3  # characters of a word of a joined column
_LEAST_DIGITS = 5  # of a joined number: fewer are a count, a size, an age
_LONGEST = 2000  # characters of a joined value
_NAME = 3  # words: more are a text
_DAY = 8  # figures of a day that is written in one
_SERIES = 64  # whose names are remembered
_STATED = (
    "AccessionNumber",
    "AcquisitionDate",
    "ContentDate",
    "PatientAge",
    "PatientBirthDate",
    "PatientName",
    "SeriesDate",
    "StudyDate",
)
_PATIENT = tuple(
    map(
        BaseTag,
        (
            0x00100010,  # PatientName
            0x00101001,  # OtherPatientNames
            0x00101005,  # PatientBirthName
            0x00101060,  # PatientMotherBirthName
            0x00102297,  # ResponsiblePerson
        ),
    )
)
_OTHERS = tuple(
    map(
        BaseTag,
        (
            0x00080090,  # ReferringPhysicianName
            0x00081048,  # PhysiciansOfRecord
            0x00081050,  # PerformingPhysicianName
            0x00081060,  # NameOfPhysiciansReadingStudy
            0x00081070,  # OperatorsName
            0x00321032,  # RequestingPhysician
        ),
    )
)
_NAMES = frozenset({Kind.NAME, Kind.PHYSICIAN})
_NUMBERED = frozenset({Kind.PATIENT_ID, Kind.IDENTIFIER, Kind.PHONE})


def known(headers: Sequence[Dataset], task: Task, *, claimed: bool) -> Patterns:
    """All that names the patient: in any header of the task, in the index, in joined columns.

    Whole texts (comments) are not among them: they are what is cleaned. What the recipe keeps
    elsewhere is: that a name may stand in its attribute lets no description name it.

    Args:
        headers: the source headers.
        task: its person, what the index knows, joined columns that the recipe does not release.
        claimed: the output says that the patient's identity was removed.
    """
    try:
        found = collect(headers, task, frozenset(), claimed=claimed)
    except Refusal:  # nothing names the patient: whether that is let pass the search decides
        found = Patterns(())
    items = {item.text: item for item in found.items if item.kind is not Kind.TEXT}
    for item in _joined(task.joined):
        items.setdefault(item.text, item)
    return Patterns(tuple(items[text] for text in sorted(items)))


def own(headers: Sequence[Dataset], task: Task, patterns: Patterns) -> Own:
    """What figures may tell of the patient: of what the patterns know, and of what they do not.

    Args:
        headers: the source headers, for what they state of the patient and the study.
        task: its person, and what the index knows of all its studies.
        patterns: of the same.
    """
    born = (item.text for item in patterns.items if item.kind is Kind.BIRTH_DATE)
    numbers = (item.text for item in patterns.items if item.kind in _NUMBERED)
    names = (item.text for item in patterns.items if item.kind is Kind.NAME and " " in item.text)
    told = (
        *(("PatientBirthDate", text) for text in born if len(text) == _DAY and text.isdigit()),
        *(("AccessionNumber", text) for text in numbers),
        *(("PatientName", text) for text in names),
    )
    return own_told(headers, task) | own_of(told) | Own(days=frozenset(patterns.days))


def own_told(headers: Sequence[Dataset], task: Task) -> Own:
    """The same of what the index knows, and of what headers state of the patient and the study."""
    stated = {
        (keyword, _stated(header, keyword))
        for header in headers
        for keyword in _STATED
        if keyword in header
    }
    return own_of((("PatientID", task.person.patient_id), *sorted(stated), *task.known))


def own_names(headers: Sequence[Dataset], task: Task) -> Own:
    """The names of people that headers and index tell, of the patient and of others.

    Args:
        headers: the source headers; of the top levels of all the patient's names are taken, of the
            first and the last the others, since each look costs and a series repeats them.
        task: what the index knows.
    """
    held = [header._dict for header in headers]  # noqa: SLF001 - a Dataset would decode what is raw
    asked = [(_PATIENT, held), (_OTHERS, [*held[:1], *held[-1:]])]
    told = {
        (keyword_for_tag(tag), name)
        for tags, looked_at in asked
        for tag in tags
        for value in _distinct([one[tag].value for one in looked_at if tag in one])
        for name in _each_name(value)
    }
    told |= {one for one in task.known if kind_of(*_with_vr(one[0])) in _NAMES}
    return _own_names(frozenset(told))


@lru_cache(maxsize=_SERIES)
def _own_names(told: frozenset[tuple[str, str]]) -> Own:
    """The series of a patient name the same people; of a process's run alone."""
    return own_of(sorted(told))


def _with_vr(keyword: str) -> tuple[str, str]:
    return keyword, vr_of(keyword) or "LO"


def _distinct(values: Sequence[object]) -> list[object]:
    """Each once, where it is bytes of a file."""
    raw = {one for one in values if isinstance(one, bytes)}
    return [*raw, *(one for one in values if not isinstance(one, bytes))]


def _each_name(value: object) -> list[str]:
    """Bytes are not decoded by what the file claims: `misread` tries what they may be."""
    if isinstance(value, bytes):
        return value.decode("latin-1").split("\\")
    return [str(one) for one in value] if isinstance(value, MultiValue | list) else [str(value)]


def _stated(header: Dataset, keyword: str) -> str:
    """As it stands there; what is raw stays raw."""
    raw = header.get_item(keyword).value
    return (raw.decode("latin-1") if isinstance(raw, bytes) else str(raw or "")).strip("\0 ")


def _joined(joined: Sequence[tuple[str, Scalar | None]]) -> Iterator[Pattern]:
    """What joined columns say that are not released: whole, and the words of it.

    Of a longer text only the words that are none of the trade: it is no name, but may hold one.
    """
    for _, value in joined:
        match value:
            case None | bool():
                continue
            case float():
                if value.is_integer():  # a number that its table has nulls beside
                    yield from _of_text(str(int(value)))
            case dt.date():
                for form in date_forms(f"{value:%Y%m%d}"):
                    yield Pattern(form, Kind.DATE, Rule.DATE)
            case _:
                yield from _of_text(str(value))


def _of_text(value: str) -> Iterator[Pattern]:
    text = fold(value.replace("\0", "")).strip()[:_LONGEST]
    words = words_in(text)
    forms = {*identifier(text), *words}
    if len(words) > _NAME:
        forms -= shipped().single
    for form in forms:
        digits = form.isdigit()
        if len(form) >= (_LEAST_DIGITS if digits else _SHORTEST) and form not in ORDINARY:
            number = Rule.ANYWHERE if len(form) >= LONG_NUMBER else Rule.NUMBER
            yield Pattern(form, Kind.IDENTIFIER, number if digits else Rule.TOKEN)
