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
from cohortkit.recipe.text import shipped
from cohortkit.traces.aged import OLDEST
from cohortkit.traces.spellings import fold, plain

CONCEPT_NAME = BaseTag(0x0040A043)
_CONCEPT = BaseTag(0x0040A168)
_MEASURED, _NUMBER = BaseTag(0x0040A300), BaseTag(0x0040A30A)
_DATES = {BaseTag(0x0040A120): "DT", BaseTag(0x0040A121): "DA", BaseTag(0x0040A122): "TM"}
_VALUE, _LONG_VALUE, _MEANING = BaseTag(0x00080100), BaseTag(0x00080119), BaseTag(0x00080104)
# what a code of a local scheme is called
_BIRTH = re.compile(
    r"\b(?:birth\w*|born|dob|yob|geburt\w*|geboren|geboorte\w*|naissance|nacimiento|"
    r"nascita|jahrgang)\b",
    re.IGNORECASE,
)
_AT_BIRTH = re.compile(
    r"\b(?:weight|height|length|size|order|score|circumference|multiple|plurality|\w*gewicht|\w*grosse|"
    r"\w*größe|poids|peso)\b",
    re.IGNORECASE,
)
"""What is measured at a birth and is none."""
_AGE = re.compile(
    r"^\W*(?:years?|yrs?|jahre|lebensjahre?|ann?i|años|anos|ans|lat|jaar)"
    r"(?: (?:of life|of age|old|alt|oud))?\W*$|"
    r"\b(?:ages?|aged|\w*alter|lebensjahre?|edad|età|eta|idade|leeftijd|âge|ålder|wiek|věk|возраст)\b|年[齢龄齡]|나이",
    re.IGNORECASE,
)
_OTHER_AGE = re.compile(
    r"\b(?:gestation\w*|bone|skeletal|dental|f(?:o?)etal|menstrual|knochen\w*|image)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"\b(?:(?:patient\w*|pat\.?|subject|person|case|record|visit|admission|accession|fall\w*)"
    r"(?:\W?s)?\W{0,3}(?:ids?|identifier|number|no|nr|num|nummer|code)|mrn|accession|patientid|"
    r"(?:patient|fall)\w*(?:nummer|nr))\b",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"\b(?:person|physician|doctor|radiologist|radiographer|technologist|technician|operator|nurse|"
    r"reader|observer|perform\w+|referr\w+|institution|organi[sz]ation|hospital|clinic|ward|"
    r"department|site|station|\w*arzt|\w*ärztin|radiologe|klinik|krankenhaus|abteilung|befunder)\b",
    re.IGNORECASE,
)
_WHO_CODES = frozenset(
    """
    113870 113871 113872 113873 113877 113878 113880 121006 121007 121008 121009 121012 121013
    121014 121016 121017 121028 121029 121030 121036 128774
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""DCM: people, organisations, devices as observers, by name and number (TID 1002 to 1007, 1020)."""
_SCHEMES = frozenset(
    """
    ACR BARI BI CPT4 DCM FMA I10 I9C ICD10 ICDO3 IETF4646 ISO3166_1 LN MA MDC NCIT NEU RADLEX
    RFC3066 RFC5646 RXNORM SCT SNM3 SRT UCUM UMLS UNS 99SDM
    """.split()  # noqa: SIM905 - the same
)
"""Of which a code names nobody."""
_SCHEME = BaseTag(0x00080102)
_UNITY = frozenset({"", "1", "10*0", "no units"})
_LONG, _YEARS = 10_000, range(1880, 2040)
_SAYING = (_VALUE, _MEANING)
_LETTERS = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
_UNITS, _IN_YEARS = BaseTag(0x004008EA), frozenset({"a", "a_j", "a_g", "a_t", "year", "years"})

_SAID = {
    "PatientBirthDate": "121031 21112-8 80904-6 184099003",
    "PatientAge": (
        "121033 30525-0 29553-5 21612-7 35659-2 63900-5 21611-9 39016-1 397669002 424144002"
    ),
    "PatientID": "121030 76435-7 113871",
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
    code, meaning, local = _concept(item)
    if meaning == dummies.WORD:  # what it is called told of somebody, and so may what it says
        _empty(item)
        return
    keyword = _KEYWORDS.get(code) or _called(meaning)
    if keyword is None:
        if local and (_own_code(item) or _bare_number(item)):
            _empty(item)
        if _BIRTH.search(meaning):
            _empty(item, dates_alone=True)
        if _names_who(item, code, meaning) or (_in_years(item) and not _young(item)):
            _empty(item)
        return
    done = action(keyword)
    if keyword == "PatientAge":
        keeps = ages and done in (Action.KEEP, Action.CAP_AGE) and _young(item)
    else:
        keeps = keyword != "PatientBirthDate" and done is Action.KEEP
    if not keeps:
        _empty(item)


def _called(meaning: str) -> str | None:
    """The attribute of the header that an item repeats, by what a site calls it."""
    if _BIRTH.search(meaning):
        return None if _AT_BIRTH.search(meaning) else "PatientBirthDate"
    if _AGE.search(meaning) and not _OTHER_AGE.search(meaning):
        return "PatientAge"
    return "PatientID" if _NUMBERED.search(meaning) else None


def _names_who(item: Dataset, code: str, meaning: str) -> bool:
    """Whether the code of an item says who or where: no scheme that everybody uses has such."""
    if _CONCEPT not in item or not (code in _WHO_CODES or _WHO.search(meaning)):
        return False
    values = item._dict[_CONCEPT].value  # noqa: SLF001 - as the walk has left it
    if not isinstance(values, Items):
        return bool(values)
    return any(map(_is_local, values))


def _own_code(item: Dataset) -> bool:
    """Whether the code of an item is a site's own, and is called as people and places are.

    That is by a capital word which is none of the trade.
    """
    try:
        values = [one for one in item[_CONCEPT].value if isinstance(one, Dataset)]
    except (KeyError, TypeError):
        return False
    said = " ".join(_said(one, tag) for one in values if _is_local(one) for tag in _SAYING)
    return any(
        word[0].isupper() and plain(fold(word)) not in shipped().single
        for word in _LETTERS.findall(said)
    )


def _bare_number(item: Dataset) -> bool:
    """Whether a number without a unit is as long as that of a person, or a year of our time."""
    try:
        measured = list(item[_MEASURED].value)
        units = [unit for one in measured if _UNITS in one for unit in one[_UNITS].value]
        numbers = [float(one[_NUMBER].value) for one in measured]
    except (KeyError, TypeError, ValueError):
        return _MEASURED in item
    if any(_said(unit, _VALUE).partition("{")[0] not in _UNITY for unit in units):
        return False
    whole = [int(number) for number in numbers if number.is_integer()]
    return any(abs(number) >= _LONG or number in _YEARS for number in whole)


def _is_local(code: Dataset) -> bool:
    return _said(code, _SCHEME).upper() not in _SCHEMES


def _in_years(item: Dataset) -> bool:
    """Whether a number of an item counts years."""
    try:
        units = [unit for one in item[_MEASURED].value for unit in tuple(one[_UNITS].value)]
    except (KeyError, TypeError):
        return False
    known = [unit for unit in units if isinstance(unit, Dataset)]
    return any(_said(unit, _VALUE).casefold() in _IN_YEARS for unit in known)


def _concept(item: Dataset) -> tuple[str, str, bool]:
    """Code value and meaning of a content item's name, and whether a site made it; or nothing."""
    names = item._dict[CONCEPT_NAME].value  # noqa: SLF001 - as the walk has left it
    if not isinstance(names, Items) or not names:
        return "", "", True
    code = _said(names[0], _VALUE) or _said(names[0], _LONG_VALUE)
    return code, _said(names[0], _MEANING), _is_local(names[0])


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
