"""From a de-identified series to files, table rows and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cohortkit.dicom.sop_classes import lookup
from cohortkit.errors import Refusal
from cohortkit.model import (
    Artifact,
    DeidentifiedSeries,
    Names,
    Outcome,
    Payload,
    PayloadKind,
    Reason,
    Refused,
    Status,
    Task,
    Volume,
)
from cohortkit.payloads import frames, objects, volume
from cohortkit.payloads.rows import left_out
from cohortkit.payloads.rows import rows as rows_of
from cohortkit.protocols import Gathering, Keeping, Placing, Shaping, Writer
from cohortkit.run.tally import Tally

Rows = Mapping[str, tuple[Mapping[str, object], ...]]


@dataclass(frozen=True, slots=True)
class Product:
    """What was made of one series; paths are relative to the release."""

    outcomes: tuple[Outcome, ...]
    artifacts: tuple[Artifact, ...]
    rows: Rows


def produce(
    series: DeidentifiedSeries, task: Task, outputs: Sequence[Writer], release: Path
) -> Product:
    """Assemble each payload once, and let every writer that takes its kind write it."""
    count = len(task.files)
    tallies = {one.name: Tally(one.name, count) for one in outputs}
    artifacts: list[Artifact] = []
    there = _payloads(series, task)
    for kind in sorted(there):
        takers = [one for one in outputs if kind in one.accepts]
        if takers:
            artifacts += _write(series, kind, takers, tallies, release)
    tabled = any(not one.accepts for one in outputs)
    rows = dict(rows_of(series)) if tabled else {}
    for one in outputs:
        tally = tallies[one.name]
        if not one.accepts:
            again = left_out(series, rows)
            tally.add(Status.DUPLICATE, again, Reason.SAME_INSTANCE)
            tally.add(Status.WRITTEN, tally.rest())
        elif not one.accepts & there:
            tally.add(Status.NOT_APPLICABLE, range(count), Reason.NO_PAYLOAD)
    outcomes = tuple(outcome for one in outputs for outcome in tallies[one.name].outcomes())
    for one in outputs:
        if isinstance(one, Keeping):
            rows |= one.rows(artifacts, release, series.names)
    return Product(outcomes, tuple(artifacts), rows)


def folder_of(one: Writer, names: Names) -> str:
    """Where a writer puts what it writes of a study, below the release."""
    inside = one.folder(names) if isinstance(one, Placing) else f"{names.patient}/{names.study}"
    return f"{one.name}/{inside}"


def stem_of(one: Writer, names: Names) -> str:
    """What the names of all that it writes of a series begin with."""
    return one.stem(names) if isinstance(one, Placing) else names.series


def _payloads(series: DeidentifiedSeries, task: Task) -> frozenset[PayloadKind]:
    """What the classes of these instances can be assembled into."""
    uids = {header.text("SOPClassUID") or task.sop_class_uid for header in series.headers}
    found = [sop for sop in map(lookup, sorted(uids)) if sop is not None]
    return frozenset().union(*(sop.payloads for sop in found))


def _assembled(series: DeidentifiedSeries, kind: PayloadKind) -> Iterator[Payload | Refused]:
    if kind is PayloadKind.VOLUME:
        yield from volume.assemble(series)
    elif kind is PayloadKind.FRAMES:
        yield from frames.assemble(series)
    elif kind is PayloadKind.OBJECT:
        yield from objects.assemble(series)


def _write(
    series: DeidentifiedSeries,
    kind: PayloadKind,
    takers: Sequence[Writer],
    tallies: Mapping[str, Tally],
    release: Path,
) -> list[Artifact]:
    made: list[Artifact] = []
    hands = [_Hand(one, series, tallies[one.name], release) for one in takers]
    try:
        for payload in _assembled(series, kind):
            for hand in hands:
                made += hand.take(payload)
            del payload  # before the next is read, so that memory holds one
    except Refusal as refusal:  # of the assembly as a whole: it stands for what is left
        for hand in hands:
            tally = hand.tally
            tally.add(Status.REFUSED, tally.rest(), refusal.reason, refusal.numbers)
    for hand in hands:
        made += hand.close()
    return made


@dataclass(frozen=True, slots=True)
class _Hand:
    """One writer at work on one series.

    Attributes:
        pieces: what it keeps of what was written, for the end.
    """

    one: Writer
    series: DeidentifiedSeries
    tally: Tally
    release: Path
    pieces: list[object] = field(default_factory=list)

    def take(self, payload: Payload | Refused) -> list[Artifact]:
        """Write the payload as the writer's policies want it."""
        made: list[Artifact] = []
        for item in self.one.shaped(payload) if isinstance(self.one, Shaping) else (payload,):
            made += self._write(item)
            del item
        return made

    def close(self) -> list[Artifact]:
        """Write what the whole series makes."""
        if not (self.pieces and isinstance(self.one, Gathering)):
            return []
        return self._placed(
            self.one.gathered(self.pieces, self.series, self._folder(), self._stem())
        )

    def _write(self, item: Payload | Refused) -> list[Artifact]:
        """Let the writer write one payload, and say what became of its instances."""
        if isinstance(item, Refused):
            self.tally.add(item.status, item.instances, item.reason, item.numbers)
            return []
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            written = self.one.write(item, self.series, folder, self._stem())
        except Refusal as refusal:
            self.tally.add(Status.REFUSED, item.instances, refusal.reason, refusal.numbers)
            return []
        if isinstance(self.one, Gathering):
            self.pieces.extend(self.one.pieces(item, self.series))
        accepted = item.accepted if isinstance(item, Volume) else ()
        reason = next((one.reason for one in accepted if one.reason is not None), None)
        numbers = {name: value for one in accepted for name, value in one.numbers.items()}
        self.tally.add(Status.WRITTEN, item.instances, reason, numbers)
        return self._placed(written)

    def _placed(self, artifacts: Iterable[Artifact]) -> list[Artifact]:
        inside = folder_of(self.one, self.series.names)
        return [replace(artifact, path=f"{inside}/{artifact.path}") for artifact in artifacts]

    def _folder(self) -> Path:
        return self.release / folder_of(self.one, self.series.names)

    def _stem(self) -> str:
        return stem_of(self.one, self.series.names)
