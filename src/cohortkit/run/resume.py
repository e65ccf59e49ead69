"""What an earlier run left: records that stand, records that do not, and litter."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cohortkit.errors import OutputError
from cohortkit.model import Record, Status, Task
from cohortkit.run.attest import attest
from cohortkit.run.identity import same_table
from cohortkit.run.place import (
    FINISHED,
    MANIFEST,
    Place,
    files_under,
    finished,
    sweep,
    sweep_parts,
    sync_folder,
)
from cohortkit.run.plan import Plan
from cohortkit.run.posted import Posted
from cohortkit.run.settings import read
from cohortkit.run.shards import Shard
from cohortkit.run.shelf import read_all
from cohortkit.run.worker import Work, inputs_of, names_of, token_of, transient

Retry = Literal["failed", "refused"]
Gone = Literal["refuse", "withdraw"]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Increment:
    """What a run had before it, in series.

    Attributes:
        new: without a record.
        again: with one that does not stand: changed files, lost files, a failure.
        withdrawn: in the release, and no longer in the cohort.
        kept: done by an earlier run.
    """

    new: int
    again: int
    withdrawn: int
    kept: int

    @property
    def words(self) -> str:
        """What is not nought."""
        parts = ((self.new, "new"), (self.again, "again"), (self.withdrawn, "withdrawn"))
        told = [f"{count:,} {word}" for count, word in parts if count]
        return ", ".join([*told, f"{self.kept:,} done before"])


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands, what is to be done, and the tokens of all that is this run's to do."""

    done: frozenset[str]
    todo: tuple[Task, ...]
    mine: frozenset[str]
    increment: Increment


def resume(
    place: Place,
    plan: Plan,
    work: Work,
    said: str,
    *,
    retry: Retry = "failed",
    gone: Gone = "refuse",
    shard: Shard | None = None,
) -> Standing:
    """Compare records with the plan, take back those that do not stand, remove litter.

    A record stands if it was made from the same inputs, its files are there, and it tells of
    nothing that is to be tried again. What does not stand is taken back before its files are
    touched, so that a kill never leaves a record that is not true.

    Args:
        place: the output.
        plan: what is to be there in the end.
        work: what a worker would do.
        said: the output as the caller wrote it.
        retry: what is tried again: what failed for the moment, or also what was refused.
        gone: what becomes of series that the output holds and the plan does not.
        shard: the part that this run does; the rest is left alone.

    Raises:
        OutputError: there are records of series that the plan does not have, or with ids that the
            table does not hold.
    """
    pseudonyms = work.pseudonyms()
    same_table(work.ids, read_all(place, rows=False), said)
    with pseudonyms.together():
        tasks = {token_of(pseudonyms, task): task for task in plan.tasks}
        if work.ids is not None:
            for task in plan.chosen:  # drawn here, so that a worker's record never lacks its names
                names_of(pseudonyms, task)
    mine = frozenset(tasks) if shard is None else shard.of_all(tasks)
    under = plans(place, work, said)
    standing: set[str] = set()
    there: set[str] = set()
    strangers: dict[str, str] = {}
    for record in read_all(place):
        there.add(record.task)
        asked = tasks.get(record.task)
        if asked is None:
            strangers[record.task] = "" if record.names is None else record.names.patient
        elif record.task in mine and stands(place, record, inputs_of(work, asked), under):
            standing |= set() if _again(record, retry) else {record.task}
    if strangers:
        _part_with(place, work, strangers, said, allowed=gone == "withdraw")
    chosen = {token_of(pseudonyms, task) for task in plan.chosen} & mine
    left = chosen - standing
    todo = tuple(task for name, task in tasks.items() if name in left)
    if todo or strangers:
        unfinish(place)
    if shard is None:
        _take_back(place, standing)
        remove_litter(place, read_all(place, rows=False))
    else:
        _take_back(place, there - mine | standing)
    again = sum(token_of(pseudonyms, task) in there for task in todo)
    increment = Increment(len(todo) - again, again, len(strangers), len(standing))
    return Standing(frozenset(standing), todo, mine & chosen, increment)


def _part_with(
    place: Place, work: Work, strangers: Mapping[str, str], said: str, *, allowed: bool
) -> None:
    """Let go of what the plan does not have, with a line in the vault; or refuse to.

    Raises:
        OutputError: it is not allowed to.
    """
    patients = set(filter(None, strangers.values()))
    if not allowed:
        raise OutputError(
            f"output {said}: it holds {len(strangers)} series that this cohort does not have "
            f"(pseudonyms: {_few(patients)}); choose another folder for this cohort, or take them "
            'out of this release with gone="withdraw" (--gone withdraw)'
        )
    told = {"series": len(strangers), "patients": sorted(patients)}
    attest(place, work.key.pseudonyms(), "withdraw", **told)


def _few(names: Collection[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def plans(place: Place, work: Work, said: str) -> frozenset[str]:
    """What a record may have been made under: the settings of this run, however they are written.

    An earlier version, which began the export, wrote fewer of them.
    """
    there = read(place, said)
    return frozenset({work.plan} if there is None else {work.plan, there.digest})


def stands(place: Place, record: Record, inputs: str, under: Collection[str]) -> bool:
    """Whether a record tells of these inputs under these settings, and its files are there."""
    return record.plan in under and record.inputs == inputs and _whole(place, record)


def missing(place: Place, plan: Plan, work: Work) -> int:
    """How many series of a run have no record, or one of other inputs or files."""
    pseudonyms = work.pseudonyms()
    tasks = {token_of(pseudonyms, task): task for task in plan.chosen}
    under = plans(place, work, str(place.root))
    for record in read_all(place):
        task = tasks.get(record.task)
        if task is not None and stands(place, record, inputs_of(work, task), under):
            del tasks[record.task]
    return len(tasks)


def _again(record: Record, retry: Retry) -> bool:
    """Whether it tells of something that is to be tried again."""
    if retry == "refused" and any(one.status is Status.REFUSED for one in record.outcomes):
        return True
    return transient(record.outcomes)


def _whole(place: Place, record: Record) -> bool:
    """Whether the files of a record are there and of their size; digests are for ``verify``."""
    for artifact in record.artifacts:
        try:
            if (place.release / artifact.path).stat().st_size != artifact.size:
                return False
        except OSError:
            return False
    return True


def _take_back(place: Place, standing: Collection[str]) -> None:
    changed = {place.records}
    for name in list(files_under(place.records)):
        # a hidden one is half written: of a dead process, or of another shard's living one
        last = name.rpartition("/")[2]
        if last.removesuffix(".json") not in standing and not last.startswith("."):
            (place.records / name).unlink(missing_ok=True)
            changed.add((place.records / name).parent)
    for folder in changed:  # a record that comes back tells of files that are gone
        sync_folder(folder)


def untell(place: Place) -> None:
    """Take the manifest away, for good: what it tells of is about to change."""
    (place.release / MANIFEST).unlink(missing_ok=True)
    sync_folder(place.release)


def unfinish(place: Place) -> None:
    """Remove what an earlier run finished: it tells no longer what is there.

    First the manifest: no power cut brings it back beside what has changed since.
    """
    untell(place)
    for top in FINISHED:
        path = place.release / top
        if path.is_dir():
            for name in list(files_under(path)):
                (path / name).unlink(missing_ok=True)
        else:
            path.unlink(missing_ok=True)


def remove_litter(
    place: Place, records: Iterable[Record], *, made: Collection[str] | None = None
) -> None:
    """Remove files in no record: of a killed attempt, or of a record that was taken back.

    Args:
        place: the output.
        records: those that stand.
        made: what this run finishes, by name; None: leave whatever an earlier one finished.
    """
    wanted: set[str] = set()
    tasks: set[str] = set()
    for record in records:
        tasks.add(record.task)
        wanted.update(one.path for one in record.artifacts)
    if made is None:
        wanted |= {name for name in files_under(place.release) if finished(name)}
    else:
        wanted |= set(made)
    sweep(place.release, frozenset(wanted))
    held = {name for name in files_under(place.quarantine) if name.split("/")[0] in tasks}
    sweep(place.quarantine, frozenset(held))
    shutil.rmtree(place.fetched, ignore_errors=True)
    sweep_parts(place)
    Posted.sweep(place.vault, locks=False)
