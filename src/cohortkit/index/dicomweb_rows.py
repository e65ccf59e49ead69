"""From objects in DICOM JSON (PS3.18 F) to the rows that a scan makes of files. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from cohortkit.dicom.reader import Header, Issue
from cohortkit.dicom.values import Decoder, Field, Unparsable, Value, parse
from cohortkit.index.batch import frame_of, row_of
from cohortkit.index.columns import FIELDS
from cohortkit.index.served_rows import NOT_TOLD, Item, path_of, text_of, told, values_of

_DECODED: Final = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
_CHARSET: Final = b"ISO_IR 192"
_ASCII: Final = {0xA5: "\\", 0x203E: "~"}  # codes and numbers that were read as JIS X 0201
_RETRIEVE: Final = "00081190"
_BULK: Final = ("BulkDataURI", "InlineBinary")


def state_of(item: Item) -> int:
    """63 bits of a digest of all that a server says of an object; another object has another.

    Where the server is, and where bulk data lie, are left out.
    """
    body = {tag: _bare(element) for tag, element in item.items() if tag != _RETRIEVE}
    text = json.dumps(body, sort_keys=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def instances_of(items: Iterable[Item]) -> pl.DataFrame:
    """One row an object; ``size`` is not known."""
    rows = []
    for item in items:
        header = _header(item)
        uids = (told(item, f"{level}InstanceUID") for level in ("Study", "Series", "SOP"))
        rows.append(row_of(header, (path_of(*uids), 0, state_of(item))))
    return frame_of(rows)


def _header(item: Item) -> Header:
    header = Header([None] * len(FIELDS), "")
    decode = Decoder(_CHARSET)
    for place, wanted in enumerate(FIELDS):
        element = item.get(f"{wanted.tag:08X}")
        if element is not None and wanted.keyword not in NOT_TOLD:
            header.values[place] = _typed(wanted, element, header, decode)
    return header


def _typed(wanted: Field, element: object, header: Header, decode: Decoder) -> Value:
    """The typed value, as it would be read from the file; what is wrong with it is an issue."""
    raw = "\\".join(map(text_of, values_of(element)))
    try:
        if wanted.vr in _DECODED:
            return parse(wanted, raw.encode(), wanted.vr, little=True, decode=decode)
        plain = raw.translate(_ASCII).encode("latin-1", "replace")
        return parse(wanted, plain, "", little=True, decode=decode)
    except Unparsable as wrong:
        header.issues.append(Issue(wanted.keyword, str(wrong), raw))
        return None


def _bare(value: object) -> object:
    """Without what tells where bytes lie."""
    if isinstance(value, Mapping):
        return {word: _bare(one) for word, one in value.items() if word not in _BULK}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value
