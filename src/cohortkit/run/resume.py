"""What an earlier run left: records that stand, records that do not, and litter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cohortkit.errors import OutputError
from cohortkit.model import Record, Task
from cohortkit.run.place import FINISHED, Place, files_under, sweep, sweep_parts, sync_folder
from cohortkit.run.plan import Plan
from cohortkit.run.records import from_json
from cohortkit.run.worker import Work, inputs_of, token_of, transient


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands, and what is to be done."""

    done: frozenset[str]
    todo: tuple[Task, ...]


def read_all(place: Place) -> Iterator[Record]:
    """Every whole record; a damaged one is none."""
    for path in sorted(place.records.glob("*.json")):
        record = from_json(path.read_bytes())
        if record is not None and record.task == path.stem:
            yield record


def resume(place: Place, plan: Plan, work: Work, said: str) -> Standing:
    """Compare records with the plan, take back those that do not stand, remove litter.

    A record stands if it was made from the same inputs, its files are there, and it tells of no
    failure that may pass. What does not stand is taken back before its files are touched, so that
    a kill never leaves a record that is not true.

    Raises:
        OutputError: there are records of series that the plan does not have.
    """
    pseudonyms = work.key.pseudonyms()
    tasks = {token_of(pseudonyms, task): task for task in plan.tasks}
    records = {record.task: record for record in read_all(place)}
    strangers = len(records.keys() - tasks.keys())
    if strangers:
        raise OutputError(
            f"output {said}: it holds {strangers} series that this cohort does not have; choose "
            "another folder for this cohort"
        )
    standing = {
        name: record
        for name, record in records.items()
        if record.inputs == inputs_of(pseudonyms, tasks[name])
        and not transient(record.outcomes)
        and _whole(place, record)
    }
    chosen = {token_of(pseudonyms, task) for task in plan.chosen}
    todo = tuple(task for name, task in tasks.items() if name in chosen - standing.keys())
    _take_back(place, standing)
    remove_litter(place, standing.values(), keep_finished=not todo)
    return Standing(frozenset(standing), todo)


def _whole(place: Place, record: Record) -> bool:
    """Whether the files of a record are there and of their size; digests are for ``verify``."""
    for artifact in record.artifacts:
        try:
            if (place.release / artifact.path).stat().st_size != artifact.size:
                return False
        except OSError:
            return False
    return True


def _take_back(place: Place, standing: Mapping[str, Record]) -> None:
    for name in list(files_under(place.records)):
        if name.removesuffix(".json") not in standing:
            (place.records / name).unlink()
    sync_folder(place.records)


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
        tops = set(FINISHED)
        wanted |= {name for name in files_under(place.release) if name.split("/")[0] in tops}
    sweep(place.release, frozenset(wanted))
    tasks = {record.task for record in told}
    held = {name for name in files_under(place.quarantine) if name.split("/")[0] in tasks}
    sweep(place.quarantine, frozenset(held))
    sweep_parts(place)
