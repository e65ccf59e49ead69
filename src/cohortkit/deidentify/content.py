"""Content items (PS3.3 C.17.3) that repeat an attribute of the header: they go where it goes.

A birth date, an age, a size or a sex may stand in a report, an acquisition context or a protocol
as a concept with a value (TID 1007). The item stays, so that positions by which others refer to
it still hold; its value does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.deidentify import dummies
from cohortkit.deidentify.values import texts
from cohortkit.recipe.model import Action
from cohortkit.traces.aged import OLDEST

CONCEPT_NAME = BaseTag(0x0040A043)
_CONCEPT = BaseTag(0x0040A168)
_MEASURED, _NUMBER = BaseTag(0x0040A300), BaseTag(0x0040A30A)
_DATES = {BaseTag(0x0040A120): "DT", BaseTag(0x0040A121): "DA", BaseTag(0x0040A122): "TM"}
_VALUE, _LONG_VALUE, _MEANING = BaseTag(0x00080100), BaseTag(0x00080119), BaseTag(0x00080104)
# what a code of a local scheme is called
_BIRTH = re.compile(
    r"\b(?:birth\w*|born|dob|geburt\w*|geboren|geboorte\w*|naissance|nacimiento|nascita)\b",
    re.IGNORECASE,
)
_AGE = re.compile(r"(?:(?:subject|patient)(?:\W?s)?\s+)?age|alter|edad", re.IGNORECASE)

_SAID = {
    "PatientBirthDate": "121031 21112-8 184099003",
    "PatientAge": "121033 30525-0 29553-5 21612-7 35659-2 397669002 424144002",
    "PatientSex": "121032 46098-0 263495000 184100006",
    "PatientSize": "8302-2 3137-7 50373000",
    "PatientWeight": "29463-7 3141-9 27113001",
    "EthnicGroup": "32624-9 46463-6 364699009",
}
_KEYWORDS = {code: keyword for keyword, codes in _SAID.items() for code in codes.split()}
"""Code values of DCM, LOINC and SNOMED CT: attribute of the header that says the same."""


def settle(item: Dataset, action: Callable[[str], Action], *, ages: bool) -> None:
    """Take away the value of a new content item whose attribute the recipe does not keep.

    Args:
        item: new, each attribute judged; changed in place.
        action: what the recipe does to an attribute of the header, by keyword.
        ages: whether true ages may stay: nobody is over 89, and no date is true.
    """
    code, meaning = _concept(item)
    keyword = _KEYWORDS.get(code)
    if keyword is None and _BIRTH.search(meaning):
        _empty(item, dates_alone=True)
    if keyword is None and _AGE.fullmatch(meaning):
        keyword = "PatientAge"
    if keyword is None:
        return
    done = action(keyword)
    if keyword == "PatientAge":
        keeps = ages and done in (Action.KEEP, Action.CAP_AGE) and _young(item)
    else:
        keeps = keyword != "PatientBirthDate" and done is Action.KEEP
    if not keeps:
        _empty(item)


def _concept(item: Dataset) -> tuple[str, str]:
    """Code value and meaning of a content item's name; empty where there is none."""
    names = item._dict[CONCEPT_NAME].value  # noqa: SLF001 - as the walk has left it
    if not isinstance(names, Items) or not names:
        return "", ""
    return _said(names[0], _VALUE) or _said(names[0], _LONG_VALUE), _said(names[0], _MEANING)


def _said(code: Dataset, tag: BaseTag) -> str:
    element = code._dict.get(tag)  # noqa: SLF001 - as above
    found = texts(element, "LO", ("utf8",)) if element is not None else None
    return found[0] if found else ""


def _young(item: Dataset) -> bool:
    """Whether every number is below 90: an age is, in whatever unit but days and weeks."""
    try:
        values = item[_MEASURED].value
        return all(float(one[_NUMBER].value) < OLDEST for one in values)
    except (KeyError, TypeError, ValueError):
        return False


def _empty(item: Dataset, *, dates_alone: bool = False) -> None:
    """No number, a date and a code that mean nothing: what the type of the item asks for."""
    if _MEASURED in item and not dates_alone:
        item[_MEASURED] = DataElement(_MEASURED, "SQ", Items())
    if _CONCEPT in item and not dates_alone:
        code = dummies.sequence("ConceptCodeSequence", "")
        item[_CONCEPT] = DataElement(_CONCEPT, "SQ", code)
    for tag, vr in _DATES.items():
        if tag in item:
            item[tag] = DataElement(tag, vr, dummies.value("", vr))
