"""Read a batch of files into tables. Runs in a worker process, or in this one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from io import FileIO
from typing import cast

import polars as pl

from cohortkit.dicom.ahead import HEAD, Opened, each_opened
from cohortkit.dicom.keywords import tag_of
from cohortkit.dicom.members import SNIFFED, Held, is_container, members
from cohortkit.dicom.reader import Header, HeaderReader
from cohortkit.dicom.sop_classes import MEDIA_DIRECTORY, lookup
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.index.columns import FIELDS, IDENTITY, ISSUES, READ, SKIPPED, series_key
from cohortkit.index.digests import digest_of
from cohortkit.reasons import Reason

File = tuple[str, int, int]
"""Path relative to the archive, bytes, time of last change."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    Attributes:
        archive: the folder that paths are relative to.
        digest: whether a digest of each file is made, too, for which all of it is read.
        containers: whether files in tar and zip are read.
    """

    archive: str
    digest: bool = False
    containers: bool = False


_RAW_LIMIT = 256
_AGAIN = frozenset({Reason.UNREADABLE_FILE, Reason.INTERNAL})
_SERIES = 1 << 10  # whose keys are kept: the files of a series lie together
_AT = {wanted.keyword: place for place, wanted in enumerate(FIELDS)}
_OWNER = tuple(_AT[word] for word in IDENTITY)
_DIRECTORY = 0x0004  # the group of the records of a DICOMDIR
_NAMED = tuple(_AT[word] for word in (*IDENTITY[2:], "SOPInstanceUID"))
_Row = tuple[object, ...]


@dataclass(slots=True)
class Batch:
    """What became of some files: each is in exactly one of ``instances`` and ``skipped``."""

    instances: pl.DataFrame
    skipped: pl.DataFrame
    issues: pl.DataFrame
    files: int = 0


@dataclass(slots=True)
class _Rows:
    instances: list[_Row] = field(default_factory=list)
    skipped: list[tuple[str, int, int, str, str | None]] = field(default_factory=list)
    issues: list[tuple[str, object, str, str, str]] = field(default_factory=list)

    def frames(self, files: int) -> Batch:
        return Batch(
            frame_of(self.instances),
            pl.DataFrame(self.skipped, SKIPPED, orient="row"),
            pl.DataFrame(self.issues, ISSUES, orient="row"),
            files,
        )


def frame_of(rows: list[_Row]) -> pl.DataFrame:
    """A frame of rows of instances."""
    if not rows:
        return pl.DataFrame(schema=READ)
    columns = zip(READ.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame(
        _lists(name, values, dtype)
        if isinstance(dtype, pl.List)
        else pl.Series(name, values, dtype)
        for (name, dtype), values in columns
    )


def _lists(name: str, values: Sequence[object], dtype: pl.List) -> pl.Series:
    """A column of lists; absent ones are null.

    Polars is slow in making lists of Python's: so each is made once, however often it occurs,
    and where all have one length, out of one flat column.
    """
    distinct: dict[tuple[object, ...], int] = {}
    places = [
        distinct.setdefault(tuple(value), len(distinct)) if isinstance(value, list) else None
        for value in values
    ]
    sizes = {len(value) for value in distinct}
    if len(sizes) == 1 and (size := sizes.pop()):
        flat = pl.Series(name, [one for value in distinct for one in value], dtype.inner)
        lists = flat.reshape((len(distinct), size)).arr.to_list()
    else:
        lists = pl.Series(name, [list(value) for value in distinct], dtype)
    return lists.gather(pl.Series(places, dtype=pl.UInt32()))


@cache
def _reader() -> HeaderReader:
    return HeaderReader(FIELDS)


def read_batch(how: Reading, files: Sequence[File]) -> Batch:
    """Read the headers of some files.

    No file can end it: what goes wrong with one is the reason why that one is skipped.
    """
    rows = _Rows()
    paths = [os.path.join(how.archive, file[0]) for file in files]  # noqa: PTH118 - half the time
    for path, file, opened in zip(paths, files, each_opened(paths), strict=True):
        # first: of a file that changes meanwhile, the next scan finds another digest than this
        digest = digest_of(path) if how.digest else None
        reason = _read(path, file, digest, opened, rows)
        if reason is Reason.NOT_DICOM and how.containers:
            reason = _contained(path, file, rows)
        if reason is not None:
            rows.skipped.append((*file, str(reason), digest))
    return rows.frames(len(files))


def lost(file: File) -> Batch:
    """The batch of one file on which a worker process died."""
    rows = _Rows()
    rows.skipped.append((*file, str(Reason.WORKER_DIED), None))
    return rows.frames(1)


def _contained(path: str, file: File, rows: _Rows) -> Reason:
    """The rows of what a container holds, and why it is none itself."""
    inner, said = _Rows(), Reason.CONTAINER
    try:
        with FileIO(path) as box:
            if not is_container(box.read(SNIFFED)):
                return Reason.NOT_DICOM
            for member in members(box):
                place = (member.at(file[0]), member.size, file[2])
                held = Held(box, member)
                reason = member.reason or _read(held, place, None, partial(_head, held), inner)
                if reason is not None:
                    inner.skipped.append((*place, str(reason), None))
                if reason in _AGAIN:
                    said = Reason.UNREADABLE_FILE  # so the next scan opens the container again
    except Refusal as refusal:
        return refusal.reason
    except OSError:
        return Reason.UNREADABLE_FILE
    except Exception:  # noqa: BLE001 - as in _read
        return Reason.INTERNAL
    rows.instances += inner.instances
    rows.skipped += inner.skipped
    rows.issues += inner.issues
    return said


def _head(held: Held) -> Opened:
    stream = held.open()
    return cast("FileIO", stream), stream.read(HEAD)


def _read(
    path: str | Held, file: File, digest: str | None, opened: Callable[[], Opened], rows: _Rows
) -> Reason | None:
    try:
        header = _reader().read(path, opened)
        reason = _unfit(header)
        if reason is None:
            rows.instances.append(row_of(header, file, digest))
    except Refusal as refusal:
        return refusal.reason
    except TaskFailure:
        return Reason.UNREADABLE_FILE
    except Exception:  # noqa: BLE001 - the one catch point: one file never ends a scan
        return Reason.INTERNAL
    if reason is None and header.issues:
        uid = header.values[_AT["SOPInstanceUID"]]
        rows.issues += [
            (file[0], uid, issue.keyword, issue.problem, issue.raw[:_RAW_LIMIT])
            for issue in header.issues
        ]
    return reason


def row_at(path: str, file: File) -> _Row:
    """The row of one object that lies there, told to be elsewhere.

    Raises:
        Refusal: it is none, or cannot be read.
        TaskFailure: it cannot be opened.
    """
    header = _reader().read(path)
    reason = _unfit(header)
    if reason is not None:
        raise Refusal(reason)
    return row_of(header, file)


def _unfit(header: Header) -> Reason | None:
    """Why a file with this header is no row, if it is none."""
    sop_class = header.values[_AT["SOPClassUID"]]
    if MEDIA_DIRECTORY in {sop_class, header.media_class}:
        return Reason.DICOMDIR
    if not sop_class:
        return Reason.TRUNCATED if _ends_before(header, "SOPClassUID") else Reason.NO_SOP_CLASS
    if all(header.values[place] for place in _NAMED):
        return None
    cut = _ends_before(header, "SeriesInstanceUID")
    return Reason.TRUNCATED if cut else Reason.NO_UIDS


def _ends_before(header: Header, keyword: str) -> bool:
    """Whether a data set ends before the place of an attribute: every object has more behind it."""
    tag = tag_of(keyword)
    assert tag is not None
    return header.last is not None and header.last < tag and header.last >> 16 != _DIRECTORY


def row_of(header: Header, file: File, digest: str | None = None) -> _Row:
    """The row of a file, in the order of ``READ``."""
    values = header.values
    key = _key(tuple(str(values[place] or "") for place in _OWNER))
    words = _class_words(str(values[_AT["SOPClassUID"]]))
    return (key, *file, digest, *words, header.transfer_syntax or None, *values)


@lru_cache(_SERIES)
def _key(owner: tuple[str, ...]) -> str:
    return series_key(dict(zip(IDENTITY, owner, strict=True)))


@lru_cache(_SERIES)
def _class_words(sop_class: str) -> tuple[str | None, ...]:
    """Kind, department and risk of a SOP class."""
    known = lookup(sop_class)
    if known is None:
        return (None, None, None)
    return (str(known.kind), str(known.department), str(known.risk))
