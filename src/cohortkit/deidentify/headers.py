"""One header, asked by keyword without converting it: what the gates need to know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cohortkit.deidentify.rules import effective_vr
from cohortkit.deidentify.values import SIZES, encodings_of, identifiers
from cohortkit.deidentify.walk import items_of
from cohortkit.errors import Refusal

_REGION = "AnatomicRegionSequence"
_AROUND = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_CODE_WORDS = ("CodeValue", "CodeMeaning", "LongCodeValue")


def asked_of(header: Dataset) -> Callable[[str], object | None]:
    """A way to ask a header by keyword: text, a number, a list of them, or None.

    A sequence is answered by the code values and meanings in it. A word that is no keyword (the
    columns that only an index row has) is answered by None.
    """

    def get(keyword: str) -> object | None:
        if keyword == _REGION:
            return list(_regions(header)) or None
        return _value(header, keyword)

    return get


def holds(header: Dataset) -> Callable[[str], bool]:
    """A way to ask whether a header has an attribute, with or without a value."""

    def there(keyword: str) -> bool:
        try:
            return Tag(keyword) in header
        except ValueError:
            return False

    return there


def _value(dataset: Dataset, keyword: str) -> object | None:
    found = _read(dataset, keyword)
    if not found:
        return None
    return found[0] if len(found) == 1 else found


def _read(dataset: Dataset, keyword: str) -> list[object]:
    try:
        tag = Tag(keyword)
    except ValueError:
        return []
    if tag not in dataset:
        return []
    element = dataset.get_item(tag)
    vr = effective_vr(int(tag), element.VR, None)
    if vr == "SQ":
        return []
    value = element.value
    if vr.split(" or ", maxsplit=1)[0] in SIZES and isinstance(value, bytes):
        little = getattr(element, "is_little_endian", True)
        # US, the only binary VR that is asked for
        return [int.from_bytes(value[:2], "little" if little else "big")] if value else []
    if isinstance(value, int | float):
        return [value]
    return [one for one in identifiers(element, encodings_of(dataset, ("iso8859",))) if one]


def _regions(header: Dataset) -> Iterator[object]:
    """Codes of every anatomic region: of the object, or of its frames in functional groups."""
    yield from _codes(header)
    for group in _AROUND:
        for item in _inside(header, group):
            for anatomy in _inside(item, "FrameAnatomySequence"):
                yield from _codes(anatomy)


def _codes(dataset: Dataset) -> Iterator[object]:
    for code in _inside(dataset, _REGION):
        for keyword in _CODE_WORDS:
            yield from _read(code, keyword)


def _inside(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    tag = Tag(keyword)
    if tag not in dataset:
        return ()
    try:
        return items_of(dataset.get_item(tag), encodings_of(dataset, ("iso8859",)))
    except Refusal:
        return ()  # the walk refuses it if it would be kept
