"""Running a plan: lock, resume, work, finish. The same command again goes on where it was."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from cohortkit import given
from cohortkit.cohort.named import demand_plain
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import ExportFailed, KeyFileError, OutputError, UsageError, unwritten
from cohortkit.model import Record, Status, Task
from cohortkit.places import inside
from cohortkit.progress import bar
from cohortkit.protocols import Engine
from cohortkit.reasons import Reason
from cohortkit.run.about import About
from cohortkit.run.attest import attest, released
from cohortkit.run.engines import SCHEMES, Local
from cohortkit.run.facade import Export
from cohortkit.run.finish import finish
from cohortkit.run.identity import demand_ids, keep_people
from cohortkit.run.ledger import note
from cohortkit.run.limits import Limits
from cohortkit.run.lock import alone, hold
from cohortkit.run.naming import demand_unnamed
from cohortkit.run.pace import Pace, Paced
from cohortkit.run.place import (
    MANIFEST,
    Place,
    cause,
    check,
    finished,
    into_folders,
    publish,
    sync_folder,
)
from cohortkit.run.plan import Plan
from cohortkit.run.posted import Posted
from cohortkit.run.records import to_json
from cohortkit.run.resume import (
    Gone,
    Retry,
    Standing,
    missing,
    remove_litter,
    resume,
    unfinish,
    untell,
)
from cohortkit.run.settings import Changed, Settings, differing, keep, settings_of
from cohortkit.run.shards import Part, Shard, holding, part_of
from cohortkit.run.shelf import Shelf, read_all
from cohortkit.run.worker import Work, ended
from cohortkit.sources.located import Located
from cohortkit.verify.canary import canary

__all__ = ["Export", "export"]

_PROJECT = "the key's project"
_GOES_ON = "the same command goes on"


def export(
    plan: Plan,
    out: str | Path,
    key: Key,
    *,
    ids: IdTable | None = None,
    workers: int | None = None,
    engine: str = "local",
    limit: int | None = None,
    errors: Literal["record", "raise"] = "record",
    retry: Retry = "failed",
    gone: Gone = "refuse",
    changed: Changed = "refuse",
    shard: str | None = None,
    task_minutes: float | None = 60,
    task_gigabytes: float | None = None,
    pace: Pace | None = None,
    progress: bool = True,
) -> Export:
    """Do what the plan says. Run again, it resumes, and retries what failed for the moment.

    Args:
        plan: from ``plan``.
        out: the folder of the export: a new one, an empty one, or that of the same export.
        key: the project's key.
        ids: the project's table of random ids, where the recipe asks for them.
        workers: processes; default: one for each core.
        engine: ``local``, processes of this machine; or the address of a Dask scheduler, such as
            ``tcp://host:8786``, whose workers see archive, key and output under the same paths.
        limit: do this many series only; without it the same command does the rest.
        errors: ``raise`` stops at the first series that fails.
        retry: what an earlier run left that is tried again: what failed for the moment, or also
            what was refused ("refused").
        gone: what becomes of series that the output holds and the cohort has no longer: refuse to
            go on, or withdraw them from the release (an opt-out list, say).
        changed: what becomes of an export of the same project and key that was made under another
            recipe, with other outputs, or by another version of cohortkit or of its codecs: refuse
            to go on, or redo all of it, so that nothing of the old one is left.
        shard: do this part of all parts, such as "2/8", and nothing else; a job array runs one
            command for each. The last one that is done finishes for all.
        task_minutes: how long a series may take; its worker is ended then, and it is tried once
            more. None is for ever.
        task_gigabytes: how much memory a worker may have; default: nine tenths of the machine's,
            or of the container's.
        pace: when a series may begin, and how many a minute; the run stops where none may, and
            the same command goes on.
        progress: show a bar on the terminal or in the notebook.

    Raises:
        UsageError: wrong use, an output that cannot be used, a key whose project names a patient
            of the index.
        ExportFailed: a series failed and ``errors="raise"``.
        NoRoom: the disk is full.
        CohortkitError: the search missed its planted canary, or workers do not start.
        KeyboardInterrupt: Ctrl-C; the workers are gone, and the same command goes on.
    """
    given.a(Plan, "plan", plan, "what plan gives, as in ck.export(ck.plan(cohort, …), …)")
    given.together(
        lambda: given.path("output", out, OutputError),
        lambda: limit is None or given.whole("limit", limit),
        lambda: workers_of(workers, engine),
        lambda: Limits.of(task_minutes, None),
        lambda: Limits.of(None, task_gigabytes),
        lambda: given.one_of("errors", errors, ("record", "raise")),
        lambda: given.one_of("retry", retry, ("failed", "refused")),
        lambda: given.one_of("gone", gone, ("refuse", "withdraw")),
        lambda: given.one_of("changed", changed, ("refuse", "redo")),
        lambda: _part(shard, gone, changed),
        lambda: _demand_key(key),
        lambda: _demand_pace(pace),
    )
    if limit is not None:
        plan = plan.limit(limit)
    count = min(workers_of(workers, engine), max(1, len(plan.tasks)))  # none for nothing
    limits = Limits.of(task_minutes, task_gigabytes)
    part = _part(shard, gone, changed)
    canary()
    _demand_outside(key, plan)
    demand_plain({_PROJECT: key.project}, plan.series)
    people = {plan.people.one(task.person) for task in plan.tasks}
    demand_ids(ids, key, plan.recipe, plan.archive, people)
    place = check(out, plan.archive)
    if engine != "local" and not place.root.exists():
        _demand_cluster(engine)  # a refused address leaves nothing behind
    if plan.noted is not None:
        plan.noted()
    parts = plan.about.parts
    settings = settings_of(plan.recipe, plan.outputs, key, ids, plan.people, parts=parts)
    work = Work(
        plan.recipe,
        plan.outputs,
        plan.source,
        key,
        place.root,
        settings.digest,
        ids=ids,
        people=plan.people,
        words=() if plan.words is None else (*plan.words, (_PROJECT, key.project)),
    )
    paced = Paced(pace or Pace(), place.root)
    run = _Run(plan, work, place, str(out), part, retry, gone, paced, errors == "raise", progress)
    try:
        differing(place, settings, str(out), changed=changed)
        place.prepare()
        with holding(place, part, str(out)) as handles:
            with run.for_a_moment():
                _settle(place, settings, key, differing(place, settings, str(out), changed=changed))
                keep_people(place, plan.people)
            return run.held(_engine(engine, count, place, handles, limits), handles[0])
    except OSError as error:
        told = f"output {out}: {cause(error)}; {_GOES_ON} once that is mended"
        raise unwritten(OutputError, told, error) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; {_GOES_ON} where it was") from None


def _demand_outside(key: Key, plan: Plan) -> None:
    if key.path is not None and inside(key.path, _objects_in(plan.archive)):
        raise KeyFileError(
            f"key file {key.path.name}: it is inside the archive or its index, which are only "
            "read; move it elsewhere"
        )


def _settle(place: Place, settings: Settings, key: Key, other: tuple[str, ...]) -> None:
    """Make the output that of this run; of an export that is to be made otherwise nothing is left.

    First said in the audit log, then what tells of the whole is taken away, then the settings are
    others: from then on no record of the old export stands.
    """
    there = place.settings.exists()
    if other:
        was = hashlib.sha256(place.settings.read_bytes()).hexdigest()
        told = {"what": list(other), "settings_sha256": was}
        attest(place, key.pseudonyms(), "changed", **told)
        unfinish(place)
    if other or not there:
        keep(place, settings)


def _objects_in(archive: Sequence[str]) -> list[str]:
    """The folders that hold objects, or an index store; not the one in which only a table lies."""
    tables = {folder for folder in archive if os.path.isfile(folder)}  # noqa: PTH113 - no error if hidden
    folders = [folder for folder in archive if folder not in tables]
    beside = {os.path.dirname(table) for table in tables}  # noqa: PTH120 - text
    return [
        folder
        for folder in folders
        if folder not in beside or any(one != folder and inside(one, [folder]) for one in folders)
    ]


def _demand_key(key: object) -> None:
    if not isinstance(key, Key):
        raise KeyFileError("no key, no export: pass a Key")


def _demand_pace(pace: object) -> None:
    if pace is not None and not isinstance(pace, Pace):
        raise UsageError("pace: a ck.Pace, such as ck.Pace(hours='20:00-06:00')")


def _part(shard: str | None, gone: Gone, changed: Changed) -> Shard | None:
    """Which part a run does, and that it is asked for nothing that concerns the whole."""
    if shard is None:
        return None
    if gone == "withdraw":
        raise UsageError("gone: a shard withdraws nothing; a run of the whole does")
    if changed == "redo":
        raise UsageError("changed: a shard cannot tell what is old; begin with a run of the whole")
    return Shard.read(shard)


def _demand_cluster(address: str) -> None:
    from cohortkit.run.cluster import demand_answer  # noqa: PLC0415 - only for a cluster

    demand_answer(address)


def _engine(
    name: str, count: int, place: Place, handles: tuple[int, ...], limits: Limits
) -> Engine:
    if name == "local":
        return Local(count, place.log, handles, seconds=limits.seconds, memory=limits.memory)
    from cohortkit.run.cluster import Dask  # noqa: PLC0415 - only for a cluster

    return Dask(name, place.vault, seconds=limits.seconds, memory=limits.memory)


def workers_of(asked: int | None, engine: str) -> int:
    """How many workers an engine starts; as many as there are cores where nothing is asked.

    Raises:
        UsageError: another engine, or no number of workers.
    """
    cluster = engine != "local"
    given.together(
        lambda: demand_engine(engine), lambda: asked is None or given.whole("workers", asked)
    )
    if cluster and asked is not None:
        raise UsageError("workers: a cluster has as many as it has; leave it out")
    if asked is None:
        return max(1, len(os.sched_getaffinity(0)))
    return asked


def demand_engine(engine: str) -> str:
    """An engine, which is this machine or the address of a scheduler.

    Raises:
        UsageError: it is another word.
    """
    if engine != "local" and not str(engine).startswith(SCHEMES):
        raise UsageError("engine: 'local', or the address of a Dask scheduler: tcp://host:8786")
    return engine


@dataclass(frozen=True, slots=True)
class _Run:
    """One run on one output."""

    plan: Plan
    work: Work
    place: Place
    said: str
    shard: Shard | None
    retry: Retry
    gone: Gone
    paced: Paced
    raises: bool
    progress: bool

    def about(self) -> About:
        """What the release will say of itself."""
        key = self.work.key
        return replace(
            self.plan.about,
            project=key.project,
            key_id=key.key_id,
            first=self.plan.first,
            table_id="" if self.work.ids is None else self.work.ids.table_id,
        )

    @contextmanager
    def for_a_moment(self) -> Iterator[None]:
        """Hold what all shards write: the vault's settings and what it says of the export."""
        with hold(self.place.vault / "settings.lock", self.said, wait=True):
            yield

    def note(self, event: str, **facts: object) -> None:
        """A line of this run's ledger; shards have one each, for a network's appends may tear."""
        note(self.place.ledger_of("" if self.shard is None else self.shard.slug), event, **facts)

    def held(self, engine: Engine, handle: int) -> Export:
        """Resume, work and finish, with the output held.

        A shard finishes if it is the last: nobody else at work, and nothing missing.
        """
        with self.for_a_moment():
            into_folders(self.place)
        standing = resume(
            self.place,
            self.plan,
            self.work,
            self.said,
            retry=self.retry,
            gone=self.gone,
            shard=self.shard,
        )
        if isinstance(engine, Local) and isinstance(self.work.source, Located):
            self.work.source.demand(standing.todo)
        with self.for_a_moment():
            publish(self.place.vault / "about.json", self.about().to_json())
        lost = self._work(engine, standing)
        if self.shard is not None or self.paced.stopped:
            lacking = missing(self.place, self.plan, self.work) if alone(handle) else None
            if lacking is None or lacking:
                part = self._part(standing, lacking)
                return Export(self.place.root, part, standing.increment)
        self._finish(lost)
        return Export(self.place.root, increment=standing.increment)

    def _part(self, standing: Standing, lacking: int | None) -> Part:
        records = read_all(self.place, rows=False)
        return part_of(self.shard, standing.mine, records, lacking, self.paced.stopped)

    def _finish(self, lost: list[Record]) -> None:
        place = self.place
        sync_folder(place.records)  # whose folders several workers made
        records = Shelf.on(place, lost)
        if self.work.words:
            self._demand_unnamed(records)
        made = finish(records, self.about(), self.plan.outputs)
        # of dead workers: nobody has searched it
        remove_litter(place, records.rowless(), made=made)
        new = {name: data for name, data in made.items() if not _there(place, name, data)}
        if new:
            untell(place)
        # noted before it is there: no release without a line of who made it
        released(place, self.work.key.pseudonyms(), made[MANIFEST], records=len(records))
        for name in sorted(new, key=lambda name: (name == MANIFEST, name)):
            _put(place, name, new[name])
        Posted.sweep(place.vault, locks=True)
        self.note("end", records=len(records), unpublished=len(lost))

    def _demand_unnamed(self, records: Shelf) -> None:
        """Publish nothing that tells of the whole where a word names somebody."""
        try:
            demand_unnamed(self.place, (one.task for one in records.bare), self.said)
        except UsageError:
            unfinish(self.place)
            raise

    def _work(self, engine: Engine, standing: Standing) -> list[Record]:
        """Do what is left to do.

        Returns:
            Records that could not be published (a full disk): they count as failed in this run's
            tables, and the next run finds their tasks undone.
        """
        todo = standing.todo
        by_number = {task.number: task for task in todo}
        self.note("begin", tasks=len(todo), pid=os.getpid(), **asdict(standing.increment))
        unpublished: list[Record] = []
        results = engine.run(self.work, self.paced.tasks(todo))
        for number, result in _shown(results, len(todo), shown=self.progress):
            record = self._record(by_number[number], result)
            if not self.place.record(record.task).exists():
                unpublished.append(record)
            statuses = Counter(str(one.status) for one in record.outcomes)
            self.note("task", task=record.task, **statuses)
            if self.raises and (reason := _failure(record)) is not None:
                results.close()  # type: ignore[attr-defined]  # a generator: its workers end here
                raise ExportFailed(f"series {number} of the plan failed: {reason}. {reason.words}")
        return unpublished

    def _record(self, task: Task, result: Record | Reason) -> Record:
        """What a worker says; or of a task whose worker died on it, twice, what there is to say."""
        if isinstance(result, Record):
            return result
        record = ended(self.work, task, result)
        publish(self.place.record(record.task), to_json(record))
        return record


def _shown(
    results: Iterator[tuple[int, Record | Reason]], total: int, *, shown: bool
) -> Iterator[tuple[int, Record | Reason]]:
    if not shown or not total:
        yield from results
        return
    with bar(total, "export", "series") as shows:
        for one in results:
            yield one
            shows.update()


def _failure(record: Record) -> Reason | None:
    for one in record.outcomes:
        if one.status is Status.FAILED:
            return one.reason
    return None


def _there(place: Place, name: str, data: bytes) -> bool:
    path = place.release / name
    return path.is_file() and path.read_bytes() == data


def _put(place: Place, name: str, data: bytes) -> None:
    """A finished file, in its place."""
    assert finished(name)
    path = place.release / name
    path.parent.mkdir(exist_ok=True)
    publish(path, data, mode=0o644, staging=place.vault)
