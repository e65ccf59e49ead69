"""Read a batch of files into tables. Runs in a worker process, or in this one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from cohortkit.dicom.reader import Header, HeaderReader
from cohortkit.dicom.sop_classes import MEDIA_DIRECTORY, lookup
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.index.columns import FIELDS, INSTANCES, ISSUES, SKIPPED, series_key
from cohortkit.reasons import Reason

File = tuple[str, int, int]
"""Path relative to the archive, bytes, time of last change."""

_RAW_LIMIT = 256


@dataclass(slots=True)
class Batch:
    """What became of some files: each is in exactly one of ``instances`` and ``skipped``."""

    instances: pl.DataFrame
    skipped: pl.DataFrame
    issues: pl.DataFrame
    files: int = 0


@dataclass(slots=True)
class _Rows:
    instances: list[dict[str, object]] = field(default_factory=list)
    skipped: list[tuple[str, int, int, str]] = field(default_factory=list)
    issues: list[tuple[str, object, str, str, str]] = field(default_factory=list)

    def frames(self, files: int) -> Batch:
        return Batch(
            _by_column(self.instances),
            pl.DataFrame(self.skipped, SKIPPED, orient="row"),
            pl.DataFrame(self.issues, ISSUES, orient="row"),
            files,
        )


def _by_column(rows: list[dict[str, object]]) -> pl.DataFrame:
    """A frame of the rows; columns of lists are made flat, which is ten times as fast."""
    columns = []
    for name, dtype in INSTANCES.items():
        values = [row.get(name) for row in rows]
        if isinstance(dtype, pl.List):
            columns.append(_lists(name, values, dtype))
        else:
            columns.append(pl.Series(name, values, dtype))
    return pl.DataFrame(columns)


def _lists(name: str, values: list[object], dtype: pl.List) -> pl.Series:
    """A column of lists, of which none is empty; absent ones are null."""
    held = [(place, value) for place, value in enumerate(values) if isinstance(value, list)]
    flat = pl.DataFrame(
        [
            pl.Series("row", [place for place, value in held for _ in value], pl.UInt32()),
            pl.Series(name, [one for _, value in held for one in value], dtype.inner),
        ]
    )
    lists = flat.group_by("row", maintain_order=True).agg(name)
    spine = pl.DataFrame({"row": pl.Series(range(len(values)), dtype=pl.UInt32())})
    return spine.join(lists, on="row", how="left", maintain_order="left")[name].cast(dtype)


@cache
def _reader() -> HeaderReader:
    return HeaderReader(FIELDS)


def read_batch(archive: str, files: Sequence[File]) -> Batch:
    """Read the headers of some files.

    No file can end it: what goes wrong with one is the reason why that one is skipped.
    """
    rows = _Rows()
    for file in files:
        reason = _read(archive, file, rows)
        if reason is not None:
            rows.skipped.append((*file, str(reason)))
    return rows.frames(len(files))


def lost(file: File) -> Batch:
    """The batch of one file on which a worker process died."""
    rows = _Rows()
    rows.skipped.append((*file, str(Reason.WORKER_DIED)))
    return rows.frames(1)


def _read(archive: str, file: File, rows: _Rows) -> Reason | None:
    try:
        header = _reader().read(os.path.join(archive, file[0]))  # noqa: PTH118 - half the time
        reason, row = _row(header, file)
    except Refusal as refusal:
        return refusal.reason
    except TaskFailure:
        return Reason.UNREADABLE_FILE
    except Exception:  # noqa: BLE001 - the one catch point: one file never ends a scan
        return Reason.INTERNAL
    if reason is None:
        rows.instances.append(row)
        uid = row["SOPInstanceUID"]
        rows.issues += [
            (file[0], uid, issue.keyword, issue.problem, issue.raw[:_RAW_LIMIT])
            for issue in header.issues
        ]
    return reason


def _row(header: Header, file: File) -> tuple[Reason | None, dict[str, object]]:
    words = (wanted.keyword for wanted in FIELDS)
    row: dict[str, object] = dict(zip(words, header.values, strict=True))
    sop_class = row["SOPClassUID"]
    if MEDIA_DIRECTORY in {sop_class, header.media_class}:
        return Reason.DICOMDIR, row
    if not sop_class:
        return Reason.NO_SOP_CLASS, row
    if not (row["StudyInstanceUID"] and row["SeriesInstanceUID"] and row["SOPInstanceUID"]):
        return Reason.NO_UIDS, row
    row["path"], row["size"], row["mtime_ns"] = file
    row["TransferSyntaxUID"] = header.transfer_syntax or None
    row["series_key"] = series_key(row)
    known = lookup(str(sop_class))
    if known is not None:
        row["kind"] = str(known.kind)
        row["department"] = str(known.department)
        row["risk"] = str(known.risk)
    return None, row
