"""The de-identified side. ``cohortkit.deidentify`` is the only maker of what stands here.

The seal makes that a fact at run time; a test reads every module for its name, and the type
checker holds payloads, writers and released tables to these types.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import PersonName

from cohortkit.model.alike import Tags, differing
from cohortkit.model.facts import Facts
from cohortkit.model.series import PixelHandle

Scalar = str | int | float | bool | dt.date | dt.time | dt.datetime | dt.timedelta

_CHARSET = 0x00080005

SEAL: Final = object()
"""Named by ``cohortkit.deidentify`` alone."""


def _require(seal: object) -> None:
    if seal is not SEAL:
        raise TypeError("only deidentify() makes this")


class ReleasedHeader:
    """The header of one instance after de-identification, read by DICOM keyword.

    A dummy (an action D of PS3.15) reads as None: it is there to keep an object valid, not to be
    analysed.
    """

    __slots__ = ("_dataset", "_dummies")

    def __init__(self, dataset: Dataset, dummies: frozenset[int], *, seal: object) -> None:
        _require(seal)
        self._dataset = dataset
        self._dummies = dummies

    def get(self, keyword: str) -> object | None:
        """The value: a scalar, a list for several values, None for absent, empty or dummy.

        Numbers come as int or float, text as str. Sequences are not reached from here.
        """
        tag = tag_for_keyword(keyword)
        # asked about a hundred keywords an instance, most of them absent: this way is 5x faster
        if tag is None or tag not in self._dataset._dict or tag in self._dummies:  # noqa: SLF001 - for speed
            return None
        data = self._dataset[BaseTag(tag)]
        if data.VR == "SQ" or data.is_empty:
            return None
        value = data.value
        if isinstance(value, MultiValue):
            return [_plain(item) for item in value]
        return _plain(value)

    def stored(self, tag: int) -> tuple[object, ...] | None:
        """What makes the value, where it stands as in the source: equal here, equal in ``get``.

        Empty where ``get`` is None; None where the value was made and does not lie in bytes.
        """
        held = self._dataset._dict  # noqa: SLF001 - for speed
        element = held.get(tag)  # type: ignore[call-overload]  # a tag is a number
        if element is None or tag in self._dummies:
            return ()
        charset = held.get(_CHARSET)  # type: ignore[call-overload]  # the same
        if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
            return None
        said = None if charset is None else str(charset.value)
        return element.VR, element.value, element.is_implicit_VR, element.is_little_endian, said

    def differing(self, other: ReleasedHeader) -> Tags | None:
        """The tags of which ``get`` may say something else than of the other header.

        None where that may be any. Asked before values are: what was read is no longer shared.
        """
        held, before = self._dataset._dict, other._dataset._dict  # noqa: SLF001 - for speed
        changed = differing(held, before)
        if changed is None or _CHARSET in changed or self._dummies != other._dummies:
            return None
        return changed

    def text(self, keyword: str) -> str | None:
        """The value as DICOM text (several values joined by a backslash), or None."""
        value = self.get(keyword)
        if value is None:
            return None
        return "\\".join(map(str, value)) if isinstance(value, list) else str(value)

    def number(self, keyword: str) -> float | None:
        """The (first) value as a number, or None."""
        value = self.get(keyword)
        if isinstance(value, list):
            value = value[0] if value else None
        return float(value) if isinstance(value, int | float) else None

    def is_dummy(self, keyword: str) -> bool:
        """Whether the value is there for validity alone."""
        return int(Tag(keyword)) in self._dummies

    @property
    def encoding(self) -> tuple[bool, bool]:
        """Whether the source left VRs out, and whether its numbers are little endian."""
        implicit, little = self._dataset.original_encoding
        return implicit is True, little is not False

    def elements(self) -> Iterator[DataElement | RawDataElement]:
        """The elements in tag order, for writing them: raw where the source's bytes stand.

        They are yielded and the data set is not handed out, so that nothing can be put into it.
        """
        held = self._dataset._dict  # noqa: SLF001 - asking the data set would decode what is raw
        return (held[tag] for tag in sorted(held))

    def __iter__(self) -> Iterator[str]:
        """Keywords of the top level, in tag order."""
        return (e.keyword for e in self._dataset if e.keyword)

    def __repr__(self) -> str:
        return f"<ReleasedHeader of {len(self._dataset)} attributes>"


def _plain(value: object) -> object:
    if isinstance(value, bool | bytes):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, PersonName):
        return str(value)
    as_float = getattr(value, "__float__", None)
    if as_float is not None and not isinstance(value, str):
        return float(value)  # type: ignore[arg-type]  # it has __float__
    return str(value)


class PixelWork(StrEnum):
    """What the recipe did to the pixels of an instance."""

    BLANKED = "blanked"  # parts are black
    VERIFIED = "verified"  # someone answers for it that they show no name
    DEFACED = "defaced"  # what shows a face is blanked, in all instances of the series


@dataclass(frozen=True, slots=True)
class Names:
    """The pseudonymous names of a series: safe in paths, and the same in every run of a key."""

    patient: str
    study: str
    series: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What was done, in the words of PS3.15; the same in sidecars, tables and report.

    Attributes:
        basis: the recipe's legal basis, by name.
        recipe: the recipe's name.
        recipe_digest: SHA-256 of the recipe as it was applied.
        identity_removed: (0012,0062), YES or NO.
        method: (0012,0063), each value at most 64 characters.
        codes: (0012,0064): (code value, meaning) of 113100 and each option applied in full.
        temporal: (0028,0303): REMOVED, MODIFIED or UNMODIFIED.
    """

    basis: str
    recipe: str
    recipe_digest: str
    identity_removed: str
    method: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    temporal: str


@dataclass(frozen=True, slots=True, repr=False)
class DeidentifiedSeries:
    """One series that may leave: what payloads, writers and released tables take.

    Attributes:
        facts: the numbers for assembly, read before the header was touched.
        headers: by instance, in the order of ``facts.instances``.
        pixels: handles by instance; None where an instance has no pixels.
        pixel_work: by instance; None where nothing was done, as far as there are pixels.
        labels: joined columns that the recipe releases, in its order.
        kept: keywords whose source values the recipe kept, for verification to leave out.
        withheld: figures (``FIGURES``) that the recipe removes: no output states them.
        defaced: what may show a face was blanked in every frame of the series.
    """

    names: Names
    facts: Facts
    headers: tuple[ReleasedHeader, ...]
    pixels: tuple[PixelHandle | None, ...]
    statement: Statement
    pixel_work: tuple[PixelWork | None, ...] = ()
    labels: tuple[tuple[str, Scalar | None], ...] = ()
    kept: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    defaced: bool = False
    seal: object = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _require(self.seal)

    def __repr__(self) -> str:
        return f"<DeidentifiedSeries {self.names.series} of {len(self.headers)} instances>"
