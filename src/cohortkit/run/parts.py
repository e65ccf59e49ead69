"""Into which part of a split a patient goes: a pure function of the name that leaves.

That name is made of the person under the key of the export, or is random, or a broker's: so nobody
places a patient without it, whoever has the release can check who is where, and nobody moves when
others are added. The name itself is hashed once more, for a broker's codes may be numbers in a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, Final

from cohortkit.model import Parts
from cohortkit.payloads.columns import SPLIT

_DOMAIN: Final = b"cohortkit split 1\0"
_BYTES: Final = 8
_WHOLE: Final = 1 << 8 * _BYTES

Rows = dict[str, list[Mapping[str, object]]]


def part_of(patient: str | None, parts: Parts) -> str | None:
    """The part of a patient; None of whoever has no name."""
    if not patient or not parts:
        return None
    digest = hashlib.sha256(_DOMAIN + patient.encode()).digest()
    number = int.from_bytes(digest[:_BYTES], "big")
    ends = accumulate(share for _, share in parts)
    for (name, _), end in zip(parts, ends, strict=True):
        if number < round(end * _WHOLE):
            return name
    return parts[-1][0]  # shares that make 1 but for a rounding


def placed(rows: Iterable[Mapping[str, Any]], parts: Parts) -> list[dict[str, Any]]:
    """The rows with the part that each is in, behind their names; as they are without a split."""
    if not parts:
        return [dict(row) for row in rows]
    return [{**row, SPLIT.name: part_of(row["patient"], parts)} for row in rows]


def shares(patients: Iterable[str], parts: Parts) -> dict[str, int]:
    """How many patients are in each part."""
    told = dict.fromkeys((name for name, _ in parts), 0)
    for patient in set(patients):
        part = part_of(patient, parts)
        if part is not None:
            told[part] += 1
    return told
