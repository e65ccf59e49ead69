"""What a server tells of objects, one by one, and the rows of series that come of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from cohortkit.dicom.keywords import tag_of
from cohortkit.index.batch import frame_of
from cohortkit.index.table import rolled_up

Item = Mapping[str, object]
"""Attributes of one object as in DICOM JSON (PS3.18 F.2): by tag, in eight hexadecimal digits."""

NOT_TOLD: Final = frozenset({"SpecificCharacterSet", "TransferSyntaxUID", "size"})
"""Columns of files that a server need not tell, or tells of its answer and not of the file."""

_PN: Final = ("Alphabetic", "Ideographic", "Phonetic")


def told(item: Item, keyword: str) -> str:
    """The first value of an attribute as text; empty where there is none."""
    values = values_of(item.get(f"{tag_of(keyword):08X}"))
    return text_of(values[0]).strip("\0 ") if values else ""


def counted(item: Item, keyword: str) -> int:
    """A number that is told; 0 where there is none."""
    text = told(item, keyword)
    return int(text) if text.isdecimal() else 0


def whose(item: Item) -> tuple[str, str]:
    """Study and series of an object."""
    return told(item, "StudyInstanceUID"), told(item, "SeriesInstanceUID")


def values_of(element: object) -> Sequence[object]:
    """The values of an attribute."""
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values if isinstance(values, list) else ()


def text_of(value: object) -> str:
    """One value as text."""
    if isinstance(value, Mapping):  # a name; an item of a sequence has no text
        return "=".join(str(value.get(group) or "") for group in _PN).rstrip("=")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def path_of(study: str, series: str, instance: str) -> str:
    """Where an object is, below the server's address."""
    return f"studies/{study}/series/{series}/instances/{instance}"


def series_of(instances: pl.DataFrame) -> pl.DataFrame:
    """One row a series, of the columns that a server tells."""
    return rolled_up(instances.lazy()).drop(NOT_TOLD | {"transfer_syntaxes"}, strict=False)


def schema() -> pl.Schema:
    """The columns of ``series_of``."""
    return series_of(frame_of([])).schema
