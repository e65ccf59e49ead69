"""Find what lies in an archive: files in place, opened only where they are new or changed."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from cohortkit import given
from cohortkit.errors import StoreError, UsageError
from cohortkit.index.batch import Batch, File, Reading
from cohortkit.index.bucket import in_bucket
from cohortkit.index.changes import NOT_OPENED, TRY_AGAIN, Change, compare, told_again
from cohortkit.index.columns import HISTORY, ISSUES, READ, SCHEMA, SKIPPED
from cohortkit.index.digests import digests_of
from cohortkit.index.folder import Manifest, scan_parts, undamaged
from cohortkit.index.pool import read_all
from cohortkit.index.rollup import roll_up, with_study_counts
from cohortkit.index.store import StoreIndex
from cohortkit.index.unfinished import Unfinished, forget, left_by
from cohortkit.index.update import Update, run_of
from cohortkit.index.walk import Listing, list_files
from cohortkit.index.writer import Writer, writing
from cohortkit.places import inside_release
from cohortkit.progress import bar

_BATCH = 256
_WORTH_A_WORKER = 4_000  # files; fewer are read before a process has started


def scan(
    archive: str | Path,
    store: str | Path | None = None,
    *,
    digest: bool = False,
    containers: bool | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> StoreIndex:
    """Index every DICOM file under a folder, whatever its name.

    The archive is only read. Every file is indexed or listed by ``skipped()`` with its reason.
    Links are not followed. With a store, files whose size and time are known are not opened
    again. An interrupted scan leaves the version before it, and the next one reads the rest only.

    Args:
        archive: the folder to look in.
        store: folder of the index store, outside the archive; made if it is not there. None
            keeps the index in memory.
        digest: read every file to its end for a digest of it, each time: so a file is seen that
            has changed and kept its size and time, and one that lies elsewhere or has another
            time is known without being parsed. The first such scan parses every file anew.
        containers: also index the files inside tar and zip (stored or deflated, not encrypted),
            where they lie. None does what the scan before did; the first one does not.
        workers: processes; None takes every core where there is enough to read.
        progress: whether a progress bar is shown.

    Returns:
        The index.

    Raises:
        UsageError: the archive is no folder, or ``workers`` is less than one.
        StoreError: the store lies inside the archive or around it, belongs to another archive,
            is in use by another scan, or cannot be written.
    """
    if workers is not None:
        given.whole("workers", workers)
    given.a(bool, "digest", digest, "True or False")
    given.a(bool | None, "containers", containers, "True, False or None")
    if in_bucket(archive) or in_bucket(store):
        raise UsageError(
            "scan: archive and store are folders; a store goes into a bucket by index.copy_to(url)"
        )
    root = given.path("archive", archive)
    if not root.is_dir():
        raise UsageError("the archive is not a folder that can be read")
    root = root.resolve()
    if store is None:
        how = Reading(str(root), digest, containers is True)
        return _in_memory(how, workers, progress=progress)
    place = given.path("store", store, StoreError).resolve()
    _apart(root, place)
    with writing(place) as writer, undamaged():
        was = writer.manifest is not None and writer.manifest.containers
        how = Reading(str(root), digest, was if containers is None else containers)
        return _into_store(how, writer, workers, progress=progress)


def _apart(root: Path, place: Path) -> None:
    if place == root or place.is_relative_to(root):
        raise StoreError("the index store would lie inside the archive; choose another place")
    if inside_release(place):
        raise StoreError("an index is identified: it is never written inside a release")
    if root.is_relative_to(place):
        raise StoreError("the archive lies inside the index store; choose another place")


def _in_memory(how: Reading, workers: int | None, *, progress: bool) -> StoreIndex:
    root = how.archive
    listing = list_files(Path(root))
    batches = list(_read(how, listing.files, workers, progress=progress))
    empty = (pl.DataFrame(schema=schema) for schema in (READ, SKIPPED, ISSUES))
    instances, skipped, issues = empty
    instances = pl.concat([instances, *(batch.instances for batch in batches)])
    instances = instances.with_columns(run_of(root, 1, dt.datetime.now(dt.UTC)))
    tables = {
        "instances": instances.lazy(),
        "series": with_study_counts(roll_up(instances.lazy())).lazy(),
        "skipped": pl.concat(
            [skipped, listing.skipped, *(batch.skipped for batch in batches)]
        ).lazy(),
        "issues": pl.concat([issues, *(batch.issues for batch in batches)]).lazy(),
        "history": pl.LazyFrame(schema=HISTORY),
    }
    counts = _counts(listing, read=listing.files.height)
    return StoreIndex(f"memory-{secrets.token_hex(4)}", "", (root,), tables, counts)


def _into_store(how: Reading, writer: Writer, workers: int | None, *, progress: bool) -> StoreIndex:
    manifest, root = writer.manifest, how.archive
    if manifest is not None and manifest.root != root:
        raise StoreError("the index store belongs to another archive; choose another place")
    left = left_by(writer.store, manifest, root, containers=how.containers)
    writer.tidy(manifest, left.parts)
    listing = list_files(Path(root))
    sources = [manifest or Unfinished("", ""), left]
    digests = partial(digests_of, root, workers=workers or _cores(), progress=progress)
    change = compare(
        listing.files,
        writer.store,
        sources,
        digests if how.digest else None,
        anew=manifest is not None and manifest.schema != SCHEMA,
        other=manifest is not None and manifest.containers != how.containers,
    )
    if manifest is not None and not left.parts and _same(how, listing, change, writer):
        index = StoreIndex.of(writer.store, manifest)
        return replace(index, counts=_counts(listing, 0, change.unchanged))
    batches = _all(
        told_again(writer.store, sources, change.again),
        _read(how, change.fresh, workers, progress=progress),
    )
    made = _next(how, Update(writer, left), listing, change, batches)
    forget(writer.store)
    writer.tidy(made)
    return StoreIndex.of(writer.store, made)


def _all(
    again: Iterator[Batch], read: Generator[Batch, None, None]
) -> Generator[Batch, None, None]:
    yield from again
    yield from read


def _next(
    how: Reading,
    update: Update,
    listing: Listing,
    change: Change,
    batches: Generator[Batch, None, None],
) -> Manifest:
    """Read what is to be read, and make the next version."""
    update.carry_over(change, listing)
    try:
        with closing(batches):
            for batch in batches:
                update.add(batch)
    except BaseException:
        with suppress(StoreError):  # the first fault is the one to tell
            update.save()
        raise
    parts, moved = update.finish(), update.moved
    counts = _counts(listing, update.read, change.unchanged, change.gone - moved, moved)
    return update.writer.publish(how.archive, parts, counts, containers=how.containers)


def _same(how: Reading, listing: Listing, change: Change, writer: Writer) -> bool:
    """Whether there is nothing to read, to remove or to list anew."""
    manifest = writer.manifest
    if manifest is None or (manifest.schema, manifest.containers) != (SCHEMA, how.containers):
        return False
    if not change.fresh.is_empty() or not change.stale[0].is_empty():
        return False
    skipped = scan_parts(writer.store, manifest.of("skipped"), SKIPPED)
    known = skipped.filter(pl.col("reason").is_in([*NOT_OPENED, *TRY_AGAIN])).select(*SKIPPED)
    return known.sort("path").collect().equals(listing.skipped.sort("path"))


def _counts(
    listing: Listing, read: int, unchanged: int = 0, gone: int = 0, moved: int = 0
) -> dict[str, int]:
    return {
        "files": listing.files.height + listing.skipped.height,
        "read": read,
        "unchanged": unchanged,
        "gone": gone,
        "moved": moved,
    }


def _read(
    how: Reading, files: pl.DataFrame, workers: int | None, *, progress: bool
) -> Generator[Batch, None, None]:
    """Read files in batches, in the order of the listing."""
    processes = workers or min(_cores(), max(files.height // _WORTH_A_WORKER, 1))
    size = max(1, min(_BATCH, -(-files.height // (processes * 4))))
    batches: Iterator[list[File]] = (
        files.slice(at, size).rows() for at in range(0, files.height, size)
    )
    with (
        closing(read_all(how, batches, processes)) as answers,
        bar(files.height, "scan", "file") if progress else nullcontext() as shows,
    ):
        for batch in answers:
            if shows is not None:
                shows.update(batch.files)
            yield batch


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
