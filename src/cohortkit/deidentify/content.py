"""Content items (PS3.3 C.17.3) that repeat an attribute of the header: they go where it goes.

A birth date, an age, a size or a sex may stand in a report, an acquisition context or a protocol
as a concept with a value (TID 1007). The item stays, so that positions by which others refer to
it still hold; its value does not.
"""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.deidentify import dummies
from cohortkit.deidentify.ages import OLDEST
from cohortkit.deidentify.values import texts
from cohortkit.recipe.model import Action

CONCEPT_NAME = BaseTag(0x0040A043)
_CONCEPT = BaseTag(0x0040A168)
_MEASURED, _NUMBER = BaseTag(0x0040A300), BaseTag(0x0040A30A)
_DATES = {BaseTag(0x0040A120): "DT", BaseTag(0x0040A121): "DA", BaseTag(0x0040A122): "TM"}
_VALUE, _LONG_VALUE = BaseTag(0x00080100), BaseTag(0x00080119)

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
    keyword = _KEYWORDS.get(_code_of(item))
    if keyword is None:
        return
    done = action(keyword)
    if keyword == "PatientAge":
        keeps = ages and done in (Action.KEEP, Action.CAP_AGE) and _young(item)
    else:
        keeps = keyword != "PatientBirthDate" and done is Action.KEEP
    if not keeps:
        _empty(item)


def _code_of(item: Dataset) -> str:
    names = item._dict[CONCEPT_NAME].value  # noqa: SLF001 - as the walk has left it
    if not isinstance(names, Items) or not names:
        return ""
    for tag in (_VALUE, _LONG_VALUE):
        element = names[0]._dict.get(tag)  # noqa: SLF001 - as above
        found = texts(element, "SH", ("utf8",)) if element is not None else None
        if found:
            return found[0]
    return ""


def _young(item: Dataset) -> bool:
    """Whether every number is below 90: an age is, in whatever unit but days and weeks."""
    try:
        values = item[_MEASURED].value
        return all(float(one[_NUMBER].value) < OLDEST for one in values)
    except (KeyError, TypeError, ValueError):
        return False


def _empty(item: Dataset) -> None:
    """No number, a date and a code that mean nothing: what the type of the item asks for."""
    if _MEASURED in item:
        item[_MEASURED] = DataElement(_MEASURED, "SQ", Items())
    if _CONCEPT in item:
        code = dummies.sequence("ConceptCodeSequence", "")
        item[_CONCEPT] = DataElement(_CONCEPT, "SQ", code)
    for tag, vr in _DATES.items():
        if tag in item:
            item[tag] = DataElement(tag, vr, dummies.value("", vr))
