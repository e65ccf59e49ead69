"""What C-FIND tells and C-GET brings, as the rows that a scan makes of files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from pydicom.dataset import Dataset

from cohortkit.dicom.keywords import tag_of
from cohortkit.dicom.quiet import quiet
from cohortkit.dicom.values import Decoder
from cohortkit.dimse.get import Arrived
from cohortkit.errors import TaskFailure
from cohortkit.index.batch import frame_of, row_at
from cohortkit.index.columns import READ
from cohortkit.index.served_rows import Item, path_of
from cohortkit.reasons import Reason

_AT = {name: place for place, name in enumerate(READ)}
_NAMED = [_AT[f"{level}InstanceUID"] for level in ("Study", "Series", "SOP")]


def item_of(answer: Dataset, keywords: Iterable[str]) -> Item:
    """These attributes of an answer, as text."""
    decode = Decoder(_bytes(answer, "SpecificCharacterSet"))
    item: dict[str, object] = {}
    for keyword in keywords:
        text = decode(_bytes(answer, keyword)).strip("\0 ")
        if text:
            values = [one.strip("\0 ") for one in text.split("\\")]
            item[f"{tag_of(keyword):08X}"] = {"Value": values}
    return item


def _bytes(answer: Dataset, keyword: str) -> bytes:
    if keyword not in answer:
        return b""
    with quiet():
        value = answer.get_item(keyword).value
    return value if isinstance(value, bytes) else str(value or "").encode()


class Rows:
    """Rows of the objects of one series, as they come.

    Args:
        study: Study Instance UID.
        series: Series Instance UID.
    """

    def __init__(self, study: str, series: str) -> None:
        self._where = (study, series)
        self._rows: dict[str, tuple[object, ...]] = {}

    def keep(self, arrived: Arrived) -> None:
        """Take one, and let go of its pixels.

        Raises:
            TaskFailure: ``another-object``: of another series, or twice.
            Refusal: it cannot be read.
        """
        with _lying(arrived) as path:
            row = row_at(path, ("", 0, arrived.state))
        study, series, uid = (str(row[place]) for place in _NAMED)
        if (study, series) != self._where or uid in self._rows:
            raise TaskFailure(Reason.ANOTHER_OBJECT)
        place = _AT["path"]
        where = path_of(study, series, uid)
        self._rows[uid] = (*row[:place], where, *row[place + 1 :])

    def lacking(self, told: Iterable[str]) -> list[str]:
        """Which of these have not come."""
        return [uid for uid in told if uid not in self._rows]

    def frame(self) -> pl.DataFrame:
        """One row an object; ``size`` is not known."""
        return frame_of(list(self._rows.values()))


@contextmanager
def _lying(arrived: Arrived) -> Iterator[str]:
    """The object as a file that nobody else sees: in memory, where the system can do that."""
    pieces: list[bytes | memoryview] = [arrived.meta, arrived.body]
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "object"
            place.write_bytes(b"".join(pieces))
            yield str(place)
        return
    with os.fdopen(os.memfd_create("object"), "wb") as file:
        file.writelines(pieces)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
