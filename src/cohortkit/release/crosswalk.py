"""Which pseudonym is which person: for the steward, with key and reason, and never unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, Literal, get_args

import polars as pl

from cohortkit import given
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.deidentify.people import Merged, People
from cohortkit.errors import OutputError, UsageError, unwritten
from cohortkit.index import open_index
from cohortkit.model import Names, Person, Task
from cohortkit.protocols import Index, Pseudonyms
from cohortkit.recipe.model import Action
from cohortkit.run.about import About
from cohortkit.run.attest import attest
from cohortkit.run.identity import people_of, same_table, table_of
from cohortkit.run.place import Place, cause
from cohortkit.run.plan import archive_of
from cohortkit.run.recall import about_of, recall
from cohortkit.run.secret import demand_place, write_new
from cohortkit.run.settings import KEYED, Settings, of_export
from cohortkit.run.shelf import read_all

Level = Literal["patient", "study", "series", "instance"]

_LEVELS: Final[tuple[Level, ...]] = get_args(Level)
_FEWEST_WORDS, _LONGEST_REASON = 2, 1000
_OF_LEVEL: Final = {
    "patient": ("patient", "IssuerOfPatientID", "PatientID"),
    "study": ("study", "StudyInstanceUID", "ReleasedStudyInstanceUID"),
    "series": ("series", "SeriesInstanceUID", "ReleasedSeriesInstanceUID"),
    "instance": ("SOPInstanceUID", "ReleasedSOPInstanceUID"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Crosswalk:
    """A crosswalk that was written. It shows counts; the file holds the identities.

    Attributes:
        path: the file.
        level: what a row is of.
        rows: how many there are.
        patients: of how many pseudonyms.
        missing: series of the export that this index does not hold; their people are left out.
    """

    path: Path
    level: Level
    rows: int
    patients: int
    missing: int

    def summary(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "crosswalk": str(self.path),
            "level": self.level,
            "rows": self.rows,
            "patients": self.patients,
            "missing": self.missing,
        }

    def __repr__(self) -> str:
        told = f"{self.path}: {self.rows:,} rows, a {self.level} each, {self.patients:,} patients"
        if self.missing:
            told += f"\n{self.missing:,} series are not in this index: was the export made from it?"
        return f"{told}\nIt names people. Keep it as the archive is kept; the vault says who asked."

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def crosswalk(
    out: str | Path,
    to: str | Path,
    key: Key,
    index: Index | str | Path,
    *,
    reason: str,
    level: Level = "patient",
    only: Iterable[str] = (),
    ids: IdTable | None = None,
) -> Crosswalk:
    """Write which pseudonym of an export is which person, and note in its vault who asked and why.

    Args:
        out: the folder of the export.
        to: the file to write, ``.csv`` or ``.parquet``, of mode 0600; never over another.
        key: the key that the export was made with.
        index: the index that it was made from.
        reason: why, in two words or more; it stays in the vault.
        level: what a row is of: a patient, a study, a series or an object.
        only: pseudonyms of patients, studies or series; default: all of them.
        ids: the table of random ids, where the export was made with one.

    Raises:
        KeyFileError: another key.
        IdTableError: another table, or none.
        OutputError: no export, a place that must not hold identities, a vault that cannot be
            written.
        UsageError: no reason, a level or pseudonym that is none, nothing to write.
    """
    said = _reason(reason)
    _demand_kinds(out, to, key, index, ids)
    only = _pseudonyms(only)
    if level not in _LEVELS:
        raise UsageError(f"level: {' or '.join(map(repr, _LEVELS))}")
    place = Place(Path(out).expanduser())
    settings = of_export(place, str(out), key)
    kind = settings.body.get("ids", KEYED)
    table_of(kind, ids, str(out), needed=True)
    opened = open_index(index) if isinstance(index, str | Path) else index
    try:
        same_table(ids, read_all(place, rows=False), str(out))
        reading = _Reading(place, about_of(place, str(out)), key, ids)
        tasks, missing = reading.tasks(opened)
        target = demand_place(to, archive_of(opened, tasks.values()), place)
        frame = _chosen(_frame(reading.rows(tasks, level), level), only)
        made = Crosswalk(target, level, frame.height, frame["patient"].n_unique(), missing)
        if not made.rows:
            raise UsageError("nothing to write: none of its series is in this index")
        with write_new(target, frame) as digest:
            # noted before anything is on disk: nobody looks without a trace, a kill or not
            _attest(place, key, made, settings, said, only=sorted(set(only)), sha256=digest)
    except OSError as error:
        raise unwritten(OutputError, f"output {out}: {cause(error)}", error) from None
    return made


def _demand_kinds(out: object, to: object, key: object, index: object, ids: object) -> None:
    """Refuse the wrong kind of thing, whatever it was given for."""
    for name, value in (("output", out), ("file", to)):
        given.path(name, value, OutputError)
    given.a(Key, "key", key, "the key that the export was made with")
    given.a(str | Path | Index, "index", index, "the index that the export was made from")
    given.a(IdTable | None, "ids", ids, "the table of random ids")


def _pseudonyms(only: object) -> tuple[str, ...]:
    if isinstance(only, Iterable) and not isinstance(only, str | bytes):
        several = tuple(only)
        if all(isinstance(one, str) for one in several):
            return several
    raise UsageError("only: pseudonyms, in a list")


def _reason(reason: object) -> str:
    said = " ".join(str(reason).split()) if isinstance(reason, str) else ""
    if len(said.split()) < _FEWEST_WORDS:
        raise UsageError(f"reason: why, in {_FEWEST_WORDS} words or more; it stays in the vault")
    if len(said) > _LONGEST_REASON:
        raise UsageError(f"reason: at most {_LONGEST_REASON} characters")
    return said


class _Reading:
    """The rows of a crosswalk: source identities from the index, pseudonyms from the records."""

    def __init__(self, place: Place, about: About, key: Key, ids: IdTable | None) -> None:
        self.about = about
        self.people: People = people_of(place)
        made = key.pseudonyms() if ids is None else ids.pseudonyms(key)
        self.pseudonyms: Pseudonyms = Merged(made, self.people) if self.people else made

        self.names = {
            one.task: one.names for one in read_all(place, rows=False) if one.names is not None
        }

    def tasks(self, index: Index) -> tuple[dict[str, Task], int]:
        """The series of the export, by record, and how many the index does not hold."""
        issuer = self.about.default_issuer
        tasks = recall(index, self.names, self.pseudonyms, issuer, self.people)
        return tasks, len(self.names.keys() - tasks.keys())

    def rows(self, tasks: Mapping[str, Task], level: Level) -> Iterator[tuple[str, ...]]:
        """Every row, some of them more than once."""
        for name, task in tasks.items():
            yield from self._of(task, self.names[name], level)

    def _of(self, task: Task, names: Names, level: Level) -> Iterator[tuple[str, ...]]:
        parts: list[tuple[str, ...]] = []
        if level != "patient":
            parts.append((names.study, *self._uid("StudyInstanceUID", task.study_instance_uid)))
        if level in ("series", "instance"):
            parts.append((names.series, *self._uid("SeriesInstanceUID", task.series_instance_uid)))
        uids = {file.sop_instance_uid for file in task.files} if level == "instance" else {""}
        for person in self._persons(task):
            who = (names.patient, person.issuer, person.patient_id)
            for uid in uids:
                last = self._uid("SOPInstanceUID", uid) if level == "instance" else ()
                yield (*who, *(cell for part in parts for cell in part), *last)

    def _persons(self, task: Task) -> set[Person]:
        """Under which ids the archive may know her."""
        one = self.people.one(task.person)
        return {task.person, one, *(who for who, into in self.people.into.items() if into == one)}

    def _uid(self, keyword: str, uid: str) -> tuple[str, str]:
        """A UID and what stands in its place in released objects; nothing where that is unknown."""
        match self.about.uids.get(keyword):
            case Action.UID | Action.DUMMY:
                return uid, self.pseudonyms.held_uid(uid)
            case Action.KEEP:
                return uid, uid
            case _:
                return uid, ""


def _frame(rows: Iterable[tuple[str, ...]], level: Level) -> pl.DataFrame:
    above = _LEVELS[: _LEVELS.index(level) + 1]
    columns = [name for one in above for name in _OF_LEVEL[one]]
    schema = dict.fromkeys(columns, pl.String)
    return pl.DataFrame(sorted(set(rows)), schema=schema, orient="row")


def _chosen(frame: pl.DataFrame, only: Sequence[str]) -> pl.DataFrame:
    if not only:
        return frame
    columns = [name for name in ("patient", "study", "series") if name in frame.columns]
    known = {value for name in columns for value in frame[name]}
    unknown = [one for one in only if one not in known]
    if unknown:
        raise UsageError(
            f"only: {unknown[0]!r} is no {' or '.join(columns)} of this export that the index holds"
        )
    return frame.filter(pl.any_horizontal(pl.col(name).is_in(only) for name in columns))


def _attest(
    place: Place, key: Key, made: Crosswalk, settings: Settings, reason: str, **facts: object
) -> None:
    """A sealed line in the vault: who, when, how many, why; durable before anybody has the file."""
    kind: object = settings.body.get("ids", KEYED)
    attest(
        place,
        key.pseudonyms(),
        "crosswalk",
        reason=reason,
        key_id=settings.body["key_id"],
        ids=kind,
        **made.summary(),
        **facts,
    )
