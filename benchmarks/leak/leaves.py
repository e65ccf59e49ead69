"""Everything that can be read in a DICOM file, piece by piece: text, bytes, file meta, preamble."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from leak.table import name_of


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value.

    Attributes:
        path: keywords from the top, by slashes.
        text: decoded as its character set says; bytes as Latin-1; values joined by backslashes.
        items: of a sequence, how many; -1 of anything else.
    """

    path: str
    vr: str
    text: str
    items: int = -1


def leaves(data: bytes) -> list[Leaf]:
    """Every value of a file; nothing where pydicom cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(BytesIO(data), force=True)
            found = list(_of_dataset(dataset, ""))
    except Exception:  # noqa: BLE001 - pydicom raises whatever comes up
        return []
    meta = getattr(dataset, "file_meta", None)
    if meta:
        found += _of_dataset(meta, "(meta)/")
    if dataset.preamble:
        found.append(Leaf("(preamble)", "", dataset.preamble.decode("latin-1")))
    return found if len(dataset) else []


def _of_dataset(dataset: Dataset, around: str) -> Iterator[Leaf]:
    for tag in sorted(dataset.keys()):
        path = around + name_of(int(tag))
        try:
            element = dataset[tag]
        except Exception:  # noqa: BLE001 - what pydicom cannot convert is looked at as it lies
            raw = dataset.get_item(tag)
            value = raw.value if isinstance(raw.value, bytes) else str(raw.value).encode()
            yield Leaf(path, raw.VR or "UN", value.decode("latin-1"))
            continue
        if element.VR == "SQ":
            yield Leaf(path, "SQ", "", len(element.value or ()))
            for item in element.value or ():
                yield from _of_dataset(item, f"{path}/")
        else:
            yield Leaf(path, element.VR, _text(element.value))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join(_text(one) for one in value)
    if isinstance(value, BaseTag):
        return str(int(value))
    return str(value)
