"""Doing what a job file says: every fault first, then scan, search and export."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cohortkit import given
from cohortkit.errors import JobError
from cohortkit.job.check import Checked
from cohortkit.job.form import JobEntry, read
from cohortkit.run.batch import Export, export
from cohortkit.run.plan import plan
from cohortkit.run.shards import Shard

_LARGEST = 1_000_000  # bytes


def run_job(job: str | Path, *, shard: str | None = None, progress: bool = True) -> Export:
    """Do all that a job file says. Run again, it scans what changed and does what is not done.

    Paths in the file are relative to its folder.

    Args:
        job: a TOML file.
        shard: do this part of all parts only, such as ``"2/8"``.
        progress: show bars on the terminal or in the notebook.

    Raises:
        JobError: the file has faults; all of them, each with its place. Nothing was begun.
        CohortkitError: what ``scan``, ``plan`` and ``export`` raise.
    """
    path = given.path("job", job)
    found = Checked(path.parent, *_entry(path))
    if shard is not None:
        Shard.read(shard)
    ready = found.ready(str(job))
    cohort = found.cohort(progress=progress)
    planned = plan(cohort, ready.recipe, ready.outputs, people=ready.people)
    run = found.entry.run
    return export(
        planned,
        ready.out,
        ready.key,
        ids=ready.ids,
        workers=run.workers,
        engine=run.engine,
        limit=run.limit,
        errors=run.errors,
        retry=run.retry,
        gone=run.gone,
        changed=run.changed,
        shard=shard,
        task_minutes=run.task_minutes,
        task_gigabytes=run.task_gigabytes,
        pace=ready.pace,
        progress=progress,
    )


def _entry(path: Path) -> tuple[JobEntry, list[str]]:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise JobError(str(path), ["no such file, or no job file"])
        text = path.read_text("utf-8")
        return read(tomllib.loads(text))
    except OSError:
        raise JobError(str(path), ["it cannot be read"]) from None
    except UnicodeDecodeError:
        raise JobError(str(path), ["not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise JobError(str(path), [f"not TOML: {error}"]) from None
