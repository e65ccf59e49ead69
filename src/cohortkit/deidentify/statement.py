"""What was done, said in the header and beside it in the same words (PS3.15 E.1.1, PS3.3 C.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag

from cohortkit.deidentify.items import items_of
from cohortkit.deidentify.values import Element, encodings_of, texts
from cohortkit.errors import Refusal
from cohortkit.model import Statement
from cohortkit.recipe.model import BASIC_CODE, CODES, Option, Recipe

CHARACTER_SET = Tag("SpecificCharacterSet")
IDENTITY_REMOVED = Tag("PatientIdentityRemoved")
METHOD = Tag("DeidentificationMethod")
METHOD_CODES = Tag("DeidentificationMethodCodeSequence")
BURNED_IN = Tag("BurnedInAnnotation")
VISUAL = Tag("RecognizableVisualFeatures")
TEMPORAL = Tag("LongitudinalTemporalInformationModified")

WITHHELD = "an earlier de-identification, its words withheld"

_KNOWN_CODES = dict((BASIC_CODE, *CODES.values()))
_STRENGTH = ("UNMODIFIED", "MODIFIED", "REMOVED")
_CODE_VALUE = Tag("CodeValue")
_DATES = tuple(
    Tag(word)
    for word in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime")
)


@lru_cache(maxsize=8)
def statement_of(recipe: Recipe, *, defaced: bool = False) -> Statement:
    """What the recipe does, and no more than that; to a series that was defaced, or was not."""
    claims = recipe.claims(defaced=defaced)
    return Statement(
        basis=str(recipe.basis),
        recipe=recipe.name,
        recipe_digest=recipe.digest,
        identity_removed=claims.identity_removed,
        method=claims.method,
        codes=claims.codes,
        temporal=str(claims.temporal),
    )


def stamp(source: Dataset, said: Statement, *, pixels: bool) -> dict[BaseTag, Element]:
    """The elements that say so, after what an earlier de-identification said.

    Where pixel data are claimed to be clean, every object that has any says so (0028,0301), and
    so of faces (0028,0302).

    Earlier codes of CID 7050 stay, in the standard's words, unless this recipe keeps what the basic
    profile does not. Earlier methods are free text of an unknown hand, so only that there was one
    is passed on, unless this program wrote it. That the dates were removed cannot be true of a
    header with dates.
    """
    clean = {}
    if pixels and CODES[Option.CLEAN_PIXEL_DATA] in said.codes:
        clean[BURNED_IN] = DataElement(BURNED_IN, "CS", "NO")
    if pixels and CODES[Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES] in said.codes:
        clean[VISUAL] = DataElement(VISUAL, "CS", "NO")
    return {**_method_stamp(source, said), **clean}


def _method_stamp(source: Dataset, said: Statement) -> Mapping[BaseTag, Element]:
    if not any(tag in source for tag in (METHOD, METHOD_CODES, TEMPORAL)):
        return _first_stamp(said)
    encodings = encodings_of(source, ("iso8859",))
    methods = [*_earlier_methods(source, encodings, said), *said.method]
    codes = [code for code, _ in said.codes]
    if BASIC_CODE in said.codes:
        codes = [*_earlier_codes(source, encodings), *codes]
    return _stamp(said.identity_removed, methods, codes, _temporal(source, encodings, said))


@lru_cache(maxsize=8)
def _first_stamp(said: Statement) -> Mapping[BaseTag, Element]:
    """The stamp of a header that makes no earlier claim: one for all of them, never changed."""
    codes = [code for code, _ in said.codes]
    return _stamp(said.identity_removed, list(said.method), codes, said.temporal)


def _stamp(
    identity_removed: str, methods: list[str], codes: list[str], temporal: str
) -> dict[BaseTag, Element]:
    elements = [
        DataElement(CHARACTER_SET, "CS", "ISO_IR 192"),
        DataElement(IDENTITY_REMOVED, "CS", identity_removed),
        DataElement(METHOD, "LO", list(dict.fromkeys(methods))),
        DataElement(TEMPORAL, "CS", temporal),
    ]
    if codes:
        items = Items([_code(code) for code in dict.fromkeys(codes)])
        elements.append(DataElement(METHOD_CODES, "SQ", items))
    return {element.tag: element for element in elements}


def _code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = _KNOWN_CODES[value]
    return item


def _earlier(source: Dataset, tag: BaseTag, vr: str, encodings: Sequence[str]) -> list[str]:
    if tag not in source:
        return []
    values = texts(source.get_item(tag), vr, encodings)
    return [WITHHELD] if values is None else [one for one in values if one]


def _earlier_methods(source: Dataset, encodings: Sequence[str], said: Statement) -> list[str]:
    earlier = _earlier(source, METHOD, "LO", encodings)
    return [one if one in said.method else WITHHELD for one in earlier]


def _earlier_codes(source: Dataset, encodings: Sequence[str]) -> list[str]:
    if METHOD_CODES not in source:
        return []
    try:
        items = items_of(source.get_item(METHOD_CODES), encodings)
    except Refusal:
        return []  # removed unseen, like any element that is not kept
    found = (_earlier(item, _CODE_VALUE, "SH", encodings) for item in items)
    return [values[0] for values in found if values and values[0] in _KNOWN_CODES]


def _temporal(source: Dataset, encodings: Sequence[str], said: Statement) -> str:
    true = _STRENGTH[:-1] if _has_dates(source) else _STRENGTH
    earlier = [v for v in _earlier(source, TEMPORAL, "CS", encodings) if v in true]
    return max([*earlier, said.temporal], key=_STRENGTH.index)


def _has_dates(source: Dataset) -> bool:
    elements = (source.get_item(tag) for tag in _DATES if tag in source)
    return any(element.value for element in elements)
