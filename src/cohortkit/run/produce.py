"""From a de-identified series to files, table rows and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from cohortkit.protocols import Keeping, Placing, Shaping, Writer
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
    try:
        for payload in _assembled(series, kind):
            for one in takers:
                for item in _shaped(payload, one):
                    made += _hand_over(item, one, series, tallies[one.name], release)
    except Refusal as refusal:  # of the assembly as a whole: it stands for what is left
        for one in takers:
            tally = tallies[one.name]
            tally.add(Status.REFUSED, tally.rest(), refusal.reason, refusal.numbers)
    return made


def _shaped(payload: Payload | Refused, one: Writer) -> Iterable[Payload | Refused]:
    """The payload as the writer's policies want it."""
    return one.shaped(payload) if isinstance(one, Shaping) else (payload,)


def _hand_over(
    payload: Payload | Refused,
    one: Writer,
    series: DeidentifiedSeries,
    tally: Tally,
    release: Path,
) -> list[Artifact]:
    """Let one writer write one payload, and say what became of its instances."""
    if isinstance(payload, Refused):
        tally.add(payload.status, payload.instances, payload.reason, payload.numbers)
        return []
    names = series.names
    inside = folder_of(one, names)
    folder = release / inside
    folder.mkdir(parents=True, exist_ok=True)
    try:
        written = one.write(payload, series, folder, stem_of(one, names))
    except Refusal as refusal:
        tally.add(Status.REFUSED, payload.instances, refusal.reason, refusal.numbers)
        return []
    accepted = payload.accepted if isinstance(payload, Volume) else ()
    reason = next((one.reason for one in accepted if one.reason is not None), None)
    numbers = {name: value for item in accepted for name, value in item.numbers.items()}
    tally.add(Status.WRITTEN, payload.instances, reason, numbers)
    return [replace(artifact, path=f"{inside}/{artifact.path}") for artifact in written]
