"""What an earlier run left: records that stand, records that do not, and litter."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cohortkit.errors import OutputError
from cohortkit.model import Record, Status, Task
from cohortkit.run.attest import attest
from cohortkit.run.identity import same_table
from cohortkit.run.place import (
    FINISHED,
    Place,
    files_under,
    finished,
    sweep,
    sweep_parts,
    sync_folder,
)
from cohortkit.run.plan import Plan
from cohortkit.run.posted import Posted
from cohortkit.run.records import from_json
from cohortkit.run.shards import Shard
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


def read_all(place: Place) -> Iterator[Record]:
    """Every whole record; a damaged one is none."""
    for path in sorted(place.records.glob("*.json")):
        record = from_json(path.read_bytes())
        if record is not None and record.task == path.stem:
            yield record


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
    records = {record.task: record for record in read_all(place)}
    same_table(work.ids, records.values(), said)
    with pseudonyms.together():
        tasks = {token_of(pseudonyms, task): task for task in plan.tasks}
        if work.ids is not None:
            for task in plan.chosen:  # drawn here, so that a worker's record never lacks its names
                names_of(pseudonyms, task)
    mine = frozenset(tasks) if shard is None else shard.of_all(tasks)
    strangers = [record for name, record in records.items() if name not in tasks]
    if strangers:
        _part_with(place, work, strangers, said, allowed=gone == "withdraw")
    standing = {
        name: record
        for name, record in records.items()
        if name in mine
        and stands(place, record, inputs_of(work.key, tasks[name]))
        and not _again(record, retry)
    }
    chosen = {token_of(pseudonyms, task) for task in plan.chosen} & mine
    todo = tuple(task for name, task in tasks.items() if name in chosen - standing.keys())
    if shard is None:
        _take_back(place, frozenset(standing))
        remove_litter(place, standing.values(), keep_finished=not todo)
    else:
        _take_back(place, records.keys() - mine | standing.keys())
        if todo:
            unfinish(place)
    again = sum(token_of(pseudonyms, task) in records for task in todo)
    increment = Increment(len(todo) - again, again, len(strangers), len(standing))
    return Standing(frozenset(standing), todo, mine & chosen, increment)


def _part_with(
    place: Place, work: Work, strangers: list[Record], said: str, *, allowed: bool
) -> None:
    """Let go of what the plan does not have, with a line in the vault; or refuse to.

    Raises:
        OutputError: it is not allowed to.
    """
    patients = {record.names.patient for record in strangers if record.names is not None}
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


def stands(place: Place, record: Record, inputs: str) -> bool:
    """Whether a record tells of these inputs, and its files are there."""
    return record.inputs == inputs and _whole(place, record)


def missing(place: Place, plan: Plan, work: Work) -> int:
    """How many series of a run have no record, or one of other inputs or files."""
    pseudonyms = work.pseudonyms()
    records = {record.task: record for record in read_all(place)}
    count = 0
    for task in plan.chosen:
        record = records.get(token_of(pseudonyms, task))
        count += record is None or not stands(place, record, inputs_of(work.key, task))
    return count


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
    for name in list(files_under(place.records)):
        # a hidden one is half written: of a dead process, or of another shard's living one
        if name.removesuffix(".json") not in standing and not name.startswith("."):
            (place.records / name).unlink(missing_ok=True)
    sync_folder(place.records)


def unfinish(place: Place) -> None:
    """Remove what an earlier run finished: it tells no longer what is there."""
    for top in FINISHED:
        path = place.release / top
        if path.is_dir():
            for name in list(files_under(path)):
                (path / name).unlink(missing_ok=True)
        else:
            path.unlink(missing_ok=True)


def remove_litter(place: Place, records: Iterable[Record], *, keep_finished: bool) -> None:
    """Remove files in no record: of a killed attempt, or of a record that was taken back.

    Args:
        place: the output.
        records: those that stand.
        keep_finished: leave what an earlier run finished.
    """
    told = list(records)
    wanted = {one.path for record in told for one in record.artifacts}
    if keep_finished:
        wanted |= {name for name in files_under(place.release) if finished(name)}
    sweep(place.release, frozenset(wanted))
    tasks = {record.task for record in told}
    held = {name for name in files_under(place.quarantine) if name.split("/")[0] in tasks}
    sweep(place.quarantine, frozenset(held))
    shutil.rmtree(place.fetched, ignore_errors=True)
    sweep_parts(place)
    Posted.sweep(place.vault, locks=False)
