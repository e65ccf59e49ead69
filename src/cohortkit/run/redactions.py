"""What was taken out of pixels and texts: for the record, for the vault, for the report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple

from cohortkit.deidentify.text.cleaner import Cleaner
from cohortkit.model import FORMAT, DeidentifiedSeries, PixelWork, Record
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.redact import Redaction
from cohortkit.pixels.redacted import RedactedPixels


def counts(series: DeidentifiedSeries) -> dict[str, int]:
    """How many instances had parts blanked, were verified, and lost a face."""
    done = Counter(str(work) for work in series.pixel_work if work)
    if series.defaced:
        done[str(PixelWork.DEFACED)] = sum(handle is not None for handle in series.pixels)
    return dict(sorted(done.items()))


def boxes(series: DeidentifiedSeries) -> bytes | None:
    """For the vault: which parts of which instances are black; None where none is.

    Instances are counted as in the record, parts are left, top, width and height in pixels.
    """
    alike: dict[Redaction, list[int]] = {}
    for ordinal, handle in enumerate(series.pixels):
        if isinstance(handle, RedactedPixels) and handle.what is not None:
            alike.setdefault(handle.what, []).append(ordinal)
    if not alike:
        return None
    body = {
        "format": FORMAT,
        "redactions": [
            {
                "instances": ordinals,
                "blank": _plain(what.blank),
                "keep": None if what.keep is None else _plain(what.keep),
                "black": what.black,
            }
            for what, ordinals in alike.items()
        ],
    }
    return json.dumps(body, indent=1).encode() + b"\n"


def _plain(parts: Iterable[Rectangle]) -> list[tuple[int, ...]]:
    return [astuple(part) for part in parts]


def total(records: Iterable[Record]) -> Mapping[PixelWork, tuple[int, int]]:
    """Series and objects by what was done to their pixels, over all records."""
    found = dict.fromkeys(PixelWork, (0, 0))
    for record in records:
        for word, objects in record.pixel_work.items():
            work = PixelWork(word)
            found[work] = (found[work][0] + 1, found[work][1] + objects)
    return found


def residue(cleaner: Cleaner) -> bytes:
    """For the vault: every value that was cleaned or withheld, what is left, and by which rules."""
    body = {
        "format": FORMAT,
        "values": [
            {
                "field": one.field,
                "value": one.value,
                "left": one.left,
                "rules": dict(one.rules),
                "count": one.count,
            }
            for one in cleaner.residue()
        ],
    }
    return json.dumps(body, indent=1).encode() + b"\n"
