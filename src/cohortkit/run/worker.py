"""One series' way: fetch → facts → deidentify → assemble → write → search → record.

There is one catch point. Whatever happens to a series ends as a record with a reason from the
closed list; of a fault in cohortkit the traceback goes to the vault and nowhere else.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.deidentify.cleaning import INTO
from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.deidentify.people import Merged, People
from cohortkit.deidentify.text.cleaner import cleaner_for
from cohortkit.errors import IdTableError, Refusal, TaskFailure
from cohortkit.geometry.facts import read_facts
from cohortkit.model import (
    DeidentifiedSeries,
    Names,
    Outcome,
    Record,
    SourceInstance,
    SourceSeries,
    Status,
    Task,
)
from cohortkit.payloads.faceless import faceless
from cohortkit.protocols import Pseudonyms, Source, Writer
from cohortkit.reasons import Reason
from cohortkit.recipe.model import Recipe
from cohortkit.run.naming import Words, naming, note_naming
from cohortkit.run.place import Place, publish, sweep_stems, sync_files
from cohortkit.run.produce import Product, folder_of, produce, stem_of
from cohortkit.run.records import to_json
from cohortkit.run.redactions import boxes, counts, residue
from cohortkit.run.searching import (
    Finding,
    explained,
    patterns_of,
    prove,
    quarantine,
    residual,
    unidentified,
)
from cohortkit.run.tally import complete

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Work:
    """All that a worker needs; pickled, it holds no secret (a key says where to load it again).

    Attributes:
        root: the output folder.
        plan: digest of the settings, written into every record.
        ids: random ids; without a table they are keyed.
        people: who is merged with whom.
        words: of the user's, in which each task looks for its patient.
    """

    recipe: Recipe
    outputs: tuple[Writer, ...]
    source: Source
    key: Key
    root: Path
    plan: str
    ids: IdTable | None = None
    people: People = field(default_factory=People)
    words: Words = ()

    def pseudonyms(self) -> Pseudonyms:
        """The maker of all that stands in the release for an identity."""
        made = self.key.pseudonyms() if self.ids is None else self.ids.pseudonyms(self.key)
        return Merged(made, self.people) if self.people else made

    def __call__(self, task: Task) -> Record:
        """Do one task and publish its record."""
        record = self._attempt(task)
        place = Place(self.root)
        try:
            sync_files(place.release, (artifact.path for artifact in record.artifacts))
            publish(place.record(record.task), to_json(record))
        except OSError as error:
            self.clear(task)
            return ended(self, task, _of_os(error))
        return record

    def clear(self, task: Task) -> None:
        """Take out of the release what an attempt left there: it is in no record."""
        names = names_of(self.pseudonyms(), task)
        try:
            self._sweep(names)
        except OSError:
            return  # it is litter still, and removed when the next run begins

    def _attempt(self, task: Task) -> Record:
        place = Place(self.root)
        names = names_of(self.pseudonyms(), task)
        try:
            self._sweep(names)
            record = self._do(task)
        except TaskFailure as failure:
            record = ended(self, task, failure.reason)
        except IdTableError:  # names are drawn before the run; what failed is to draw UIDs
            record = ended(self, task, Reason.WRITE_ERROR)
        except MemoryError:
            record = ended(self, task, Reason.OUT_OF_MEMORY)
        except OSError as error:
            record = ended(self, task, _of_os(error))
        except Exception:  # noqa: BLE001 - the one catch point: the run goes on, the vault has it
            self._keep_traceback(place, task)
            record = ended(self, task, Reason.INTERNAL)
        if not record.artifacts:
            self.clear(task)
        return record

    def _sweep(self, names: Names) -> None:
        release = Place(self.root).release
        for one in self.outputs:
            sweep_stems(release, [folder_of(one, names)], stem_of(one, names))

    def _keep_traceback(self, place: Place, task: Task) -> None:
        name = f"{token_of(self.pseudonyms(), task)}.txt"
        try:
            publish(place.tracebacks / name, traceback.format_exc().encode("utf-8", "replace"))
        except OSError:
            return  # a full disk: the reason is recorded, the next attempt may keep it

    def _do(self, task: Task) -> Record:
        headers: list[Dataset] = []
        scratch = Place(self.root).fetched / token_of(self.pseudonyms(), task)
        try:
            instances = self.source.fetch(task, scratch)
            headers = [instance.header for instance in instances]
            if self.words:
                found = naming(self.words, headers)
                note_naming(Place(self.root), token_of(self.pseudonyms(), task), found)
            return self._export(task, instances, headers)
        except Refusal as refusal:
            numbers = unidentified(refusal.numbers, headers, task)
            return ended(self, task, refusal.reason, numbers)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _export(
        self, task: Task, instances: tuple[SourceInstance, ...], headers: list[Dataset]
    ) -> Record:
        pseudonyms = self.pseudonyms()
        source = SourceSeries(task.person, instances, read_facts(headers))
        cleaner = cleaner_for(headers, task, self.recipe)
        recipe = self.recipe
        deface = partial(faceless, policy=recipe.faces, into=INTO[recipe.pixels.recompress])
        series = deidentify(source, task, recipe, pseudonyms, cleaner=cleaner, deface=deface)
        patterns = patterns_of(headers, task, series.kept, series.statement)
        place = Place(self.root)
        product = explained(produce(series, task, self.outputs, place.release), patterns)
        finding = prove(place.release, patterns, series, product)
        name = token_of(pseudonyms, task)
        if cleaner is not None:
            publish(place.text(name), residue(cleaner))
        publish(place.residual(name), residual(patterns, series, finding))
        if finding.hits:
            quarantine(place, name, product)
            return ended(self, task, Reason.IDENTITY_FOUND, {"places": len(finding.hits)})
        blanked = boxes(series)
        if blanked is not None:
            publish(place.redaction(name), blanked)
        return self._record(task, series, product, finding)

    def _record(
        self, task: Task, series: DeidentifiedSeries, product: Product, finding: Finding
    ) -> Record:
        count = len(task.files)
        if not complete(product.outcomes, (one.name for one in self.outputs), count):
            raise ValueError("instances without an outcome, or with two")
        return Record(
            task=token_of(self.pseudonyms(), task),
            plan=self.plan,
            names=series.names,
            instances=count,
            outcomes=product.outcomes,
            artifacts=product.artifacts,
            rows=product.rows,
            statement=series.statement,
            searched=finding.searched,
            inputs=inputs_of(self, task),
            pixel_work=counts(series),
        )


def ended(
    work: Work, task: Task, reason: Reason, numbers: dict[str, float] | None = None
) -> Record:
    """The record of a task that wrote nothing: refused or failed, for every output."""
    failed = reason.transient
    status = Status.FAILED if failed else Status.REFUSED
    everything = tuple(range(len(task.files)))
    pseudonyms = work.pseudonyms()
    return Record(
        task=token_of(pseudonyms, task),
        plan=work.plan,
        names=names_of(pseudonyms, task),
        instances=len(task.files),
        outcomes=tuple(
            Outcome(one.name, status, everything, reason, numbers or {}) for one in work.outputs
        ),
        inputs=inputs_of(work, task),
    )


def token_of(pseudonyms: Pseudonyms, task: Task) -> str:
    """The name of a task on disk."""
    return pseudonyms.token("task", task.series_key)


def names_of(pseudonyms: Pseudonyms, task: Task) -> Names:
    """The pseudonyms of a series. Who has no Patient ID has no name, and is not one person."""
    patient = pseudonyms.patient(task.person) if task.person.patient_id else ""
    return Names(
        patient=patient,
        study=pseudonyms.study(task.study_instance_uid),
        series=pseudonyms.series(task.series_instance_uid),
    )


def inputs_of(work: Work, task: Task) -> str:
    """A keyed digest of what the task was made from; where the files lie does not matter.

    It stays in the vault, so that it may be keyed where the ids of the release are random.
    """
    files = [(file.sop_instance_uid, file.size, file.mtime_ns) for file in task.files]
    labels = [(name, type(value).__name__, str(value)) for name, value in task.labels]
    joined = [(name, type(value).__name__, str(value)) for name, value in task.joined]
    cleaning: list[object] = [joined, task.seen] if joined or task.seen else []
    cleaning += [["words", *work.words]] if work.words else []
    text = json.dumps([task.sop_class_uid, task.modality, task.over_89, labels, files, *cleaning])
    return work.key.pseudonyms().token("inputs", hashlib.sha256(text.encode()).hexdigest())


def _of_os(error: OSError) -> Reason:
    return Reason.DISK_FULL if error.errno in _FULL else Reason.WRITE_ERROR


def transient(outcomes: Iterable[Outcome]) -> bool:
    """Whether the same command is to try again."""
    return any(
        one.status is Status.FAILED and one.reason is not None and one.reason.transient
        for one in outcomes
    )
