"""Running a plan: lock, resume, work, finish. The same command again goes on where it was."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import ExportFailed, KeyFileError, OutputError, UsageError
from cohortkit.model import Record, Status, Task
from cohortkit.reasons import Reason
from cohortkit.run.engines import Local
from cohortkit.run.facade import Export
from cohortkit.run.finish import finish
from cohortkit.run.ledger import note
from cohortkit.run.limits import Limits
from cohortkit.run.lock import hold
from cohortkit.run.place import FINISHED, Place, cause, check, publish
from cohortkit.run.plan import Plan
from cohortkit.run.records import to_json
from cohortkit.run.resume import Standing, read_all, remove_litter, resume
from cohortkit.run.settings import settings_of, settle
from cohortkit.run.worker import Work, ended, token_of
from cohortkit.verify.canary import canary

__all__ = ["Export", "export"]

_GOES_ON = "the same command goes on"


def export(
    plan: Plan,
    out: str | Path,
    key: Key,
    *,
    workers: int | None = None,
    limit: int | None = None,
    errors: Literal["record", "raise"] = "record",
    task_minutes: float | None = 60,
    task_gigabytes: float | None = None,
    progress: bool = True,
) -> Export:
    """Do what the plan says. Run again, it resumes, and retries what failed for the moment.

    Args:
        plan: from ``plan``.
        out: the folder of the export: a new one, an empty one, or that of the same export.
        key: the project's key.
        workers: processes; default: one for each core.
        limit: do this many series only; without it the same command does the rest.
        errors: ``raise`` stops at the first series that fails.
        task_minutes: how long a series may take; its worker is ended then, and it is tried once
            more. None is for ever.
        task_gigabytes: how much memory a worker may have; default: nine tenths of the machine's,
            or of the container's.
        progress: show a bar on the terminal or in the notebook.

    Raises:
        UsageError: wrong use, an output that cannot be used.
        ExportFailed: a series failed and ``errors="raise"``.
        CohortkitError: the search missed its planted canary, or workers do not start.
        KeyboardInterrupt: Ctrl-C; the workers are gone, and the same command goes on.
    """
    if limit is not None:
        plan = plan.limit(limit)
    count = _workers(workers)
    limits = Limits.of(task_minutes, task_gigabytes)
    if errors not in {"record", "raise"}:
        raise UsageError("errors: 'record' or 'raise'")
    if not isinstance(key, Key):
        raise KeyFileError("no key, no export: pass a Key")
    canary()
    place = check(out, plan.archive)
    settings = settings_of(plan.recipe, plan.outputs, key)
    work = Work(plan.recipe, plan.outputs, plan.source, key, place.root, settings.digest)
    try:
        settle(place, settings, str(out), write=False)
        place.prepare()
        with hold(place.vault / "lock", str(out)) as handle:
            settle(place, settings, str(out), write=True)
            engine = Local(
                count, place.log, (handle,), seconds=limits.seconds, memory=limits.memory
            )
            _held(plan, work, engine, str(out), errors=errors, progress=progress)
    except OSError as error:
        raise OutputError(f"output {out}: {cause(error)}; {_GOES_ON} once that is mended") from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; {_GOES_ON} where it was") from None
    return Export(place.root)


def _held(plan: Plan, work: Work, engine: Local, said: str, *, errors: str, progress: bool) -> None:
    """Resume, work and finish, with the output held."""
    place = Place(work.root)
    about = replace(plan.about, project=work.key.project, key_id=work.key.key_id, first=plan.first)
    standing = resume(place, plan, work, said)
    publish(place.vault / "about.json", about.to_json())
    lost = _run(engine, work, standing, place, errors=errors, progress=progress)
    records = [*read_all(place), *lost]
    remove_litter(place, records, keep_finished=True)  # of dead workers: nobody has searched it
    for name, data in finish(records, about, plan.outputs).items():
        _put(place, name, data)
    note(place.ledger, "end", records=len(records), unpublished=len(lost))


def _workers(asked: int | None) -> int:
    if asked is None:
        return max(1, len(os.sched_getaffinity(0)))
    if asked < 1:
        raise UsageError("workers: a whole number from 1")
    return asked


def _run(
    engine: Local,
    work: Work,
    standing: Standing,
    place: Place,
    *,
    errors: str,
    progress: bool,
) -> list[Record]:
    """Do what is left to do.

    Returns:
        Records that could not be published (a full disk): they count as failed in this run's
        tables, and the next run finds their tasks undone.
    """
    todo = standing.todo
    by_number = {task.number: task for task in todo}
    note(place.ledger, "begin", tasks=len(todo), done=len(standing.done), pid=os.getpid())
    unpublished: list[Record] = []
    results = engine.run(work, todo)
    for number, result in _shown(results, len(todo), shown=progress):
        task = by_number[number]
        record = result if isinstance(result, Record) else _give_up(work, task, result, place)
        if not place.record(record.task).exists():
            unpublished.append(record)
        statuses = Counter(str(one.status) for one in record.outcomes)
        note(place.ledger, "task", task=record.task, **statuses)
        if errors == "raise" and (reason := _failure(record)) is not None:
            results.close()  # type: ignore[attr-defined]  # a generator: its workers end here
            raise ExportFailed(f"series {number} of the plan failed: {reason}. {reason.words}")
    return unpublished


def _shown(
    results: Iterator[tuple[int, Record | Reason]], total: int, *, shown: bool
) -> Iterator[tuple[int, Record | Reason]]:
    if not shown or not total:
        yield from results
        return
    from tqdm.auto import tqdm  # noqa: PLC0415 - only where a bar is shown

    # None: a bar for a terminal or a notebook, none in a log
    yield from tqdm(results, total=total, desc="export", unit="series", disable=None)


def _give_up(work: Work, task: Task, reason: Reason, place: Place) -> Record:
    """The record of a task whose worker died on it, twice."""
    record = ended(work, task, reason)
    publish(place.record(token_of(work.key.pseudonyms(), task)), to_json(record))
    return record


def _failure(record: Record) -> Reason | None:
    for one in record.outcomes:
        if one.status is Status.FAILED:
            return one.reason
    return None


def _put(place: Place, name: str, data: bytes) -> None:
    """A finished file, in its place if it is not there already."""
    assert name.split("/", maxsplit=1)[0] in FINISHED
    path = place.release / name
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(exist_ok=True)
    publish(path, data, mode=0o644, staging=place.vault)
