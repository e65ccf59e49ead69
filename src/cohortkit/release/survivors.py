"""The values in the files of a release, one by one: of objects, sidecars, headers and tables."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from cohortkit.dicom import keywords
from cohortkit.dicom.loader import read_header
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.release.counting import Cell

_BYTES: Final = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
_MANY = 64  # members of a table of numbers, which are told as one
_LONGEST = 4096
_ROWS = 20_000
_NIFTI: Final = (
    ("data_type", 4, 10), ("db_name", 14, 18), ("descrip", 148, 80), ("aux_file", 228, 24),
    ("intent_name", 328, 16),
)  # fmt: skip
_NIFTI_HEADER = 348


class Unread(Exception):  # noqa: N818 - the file is told, and the others go on
    """A file that could not be read."""


def of_object(path: Path) -> Iterator[Cell]:
    """Every element of a DICOM file but its pixels, also inside sequences and in file meta.

    Raises:
        Unread: it is no DICOM file.
    """
    try:
        header, _ = read_header(path)
    except (Refusal, TaskFailure, OSError):
        raise Unread from None
    with quiet():
        yield from _dataset(header.file_meta, "")
        yield from _dataset(header, "")


def _dataset(dataset: Dataset, before: str) -> Iterator[Cell]:
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # noqa: BLE001 - pydicom raises of many kinds; whatever it is, it is told
            yield Cell("dicom", f"{before}({tag >> 16:04x},{tag & 0xFFFF:04x})", "", "<unreadable>")
            continue
        name = before + _name(element, dataset)
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _dataset(item, f"{name}.")
        else:
            yield from (Cell("dicom", name, element.VR, text) for text in _texts(element))


def _name(element: DataElement, dataset: Dataset) -> str:
    if element.keyword:
        return element.keyword
    tag = element.tag
    if tag.is_private and tag.element > 0xFF:  # noqa: PLR2004 - a block begins behind its creators
        holder = (tag.group, tag.element >> 8)
        said = str(dataset[holder].value) if holder in dataset else ""
        return f'({tag.group:04x},"{said}",{tag.element & 0xFF:02x})'
    return f"({tag.group:04x},{tag.element:04x})"


def _texts(element: DataElement) -> Iterator[str]:
    value = element.value
    if element.VR in _BYTES or isinstance(value, bytes):
        raw = value if isinstance(value, bytes) else str(value).encode()
        yield f"<{len(raw)} bytes, {hashlib.sha256(raw).hexdigest()[:12]}>"
        return
    members = list(value) if isinstance(value, MultiValue | list) else [value]
    if len(members) > _MANY:
        whole = "\\".join(map(str, members)).encode()
        yield f"<{len(members)} values, {hashlib.sha256(whole).hexdigest()[:12]}>"
        return
    yield from ("" if one is None else _short(str(one)) for one in members)


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[:_LONGEST]}… <{len(text)} characters, {digest}>"


def of_json(path: Path, source: str) -> Iterator[Cell]:
    """Every leaf of a sidecar or manifest, by its path of keys.

    Raises:
        Unread: it is no JSON.
    """
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise Unread from None
    yield from _leaves(body, "", source)


def _leaves(node: object, name: str, source: str) -> Iterator[Cell]:
    if isinstance(node, Mapping):
        for key, inner in node.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key), source)
    elif isinstance(node, list):
        if len(node) > _MANY and not any(isinstance(one, list | Mapping | str) for one in node):
            digest = hashlib.sha256(json.dumps(node).encode()).hexdigest()[:12]
            yield Cell(source, name, _vr(name, 0), f"<{len(node)} values, {digest}>")
            return
        for inner in node:
            yield from _leaves(inner, name, source)
    else:
        text = node if isinstance(node, str) else json.dumps(node)
        yield Cell(source, name, _vr(name, node), _short(text))


def _vr(name: str, value: object) -> str:
    """The VR of the attribute that a key or column is called after; else the kind of the value."""
    known = keywords.vr_of(name.rsplit(".", 1)[-1])
    return known or ("text" if isinstance(value, str) else "number")


def of_nifti(path: Path) -> Iterator[Cell]:
    """The texts of a NIfTI header.

    Raises:
        Unread: it is none.
    """
    opener: Callable[[Path, str], Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            head = file.read(_NIFTI_HEADER)
    except (OSError, EOFError):
        raise Unread from None
    if len(head) < _NIFTI_HEADER or struct.unpack_from("<i", head)[0] != _NIFTI_HEADER:
        raise Unread
    for name, start, length in _NIFTI:
        text = head[start : start + length].split(b"\0")[0].decode("latin-1")
        yield Cell("nifti", f"header.{name}", "text", text)


def of_table(path: Path, source: str) -> Iterator[tuple[str, Cell]]:
    """Every cell of a Parquet file, with the patient of its row, a piece at a time.

    Raises:
        Unread: it is no Parquet file.
    """
    try:
        frame = pl.scan_parquet(path)
        columns = frame.collect_schema().names()
        rows = frame.select(pl.len()).collect().item()
        for start in range(0, rows, _ROWS):
            piece = frame.slice(start, _ROWS).collect()
            patients = piece["patient"].to_list() if "patient" in columns else [""] * piece.height
            for column in columns:
                vr = _vr(column, "" if piece.schema[column].base_type() == pl.String else 0)
                name = f"{path.stem}.{column}"
                for patient, value in zip(patients, piece[column].to_list(), strict=True):
                    yield from ((patient or "", Cell(source, name, vr, t)) for t in _cells(value))
    except (pl.exceptions.PolarsError, OSError):
        raise Unread from None


def _cells(value: object) -> Iterable[str]:
    if isinstance(value, list):
        return [_short(str(one)) for one in value if one is not None]
    return [] if value is None else [_short(str(value))]


READERS: Final[Mapping[str, Callable[[Path], Iterator[Cell]]]] = MappingProxyType(
    {".dcm": of_object, ".nii": of_nifti, ".gz": of_nifti}
)
"""By the ending of a file."""
EMPTY_OF_VALUES: Final = frozenset({".png"})
"""Formats that our writers give no text."""
