"""The search of what one task wrote, before its record is published."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.errors import Refusal
from cohortkit.model import (
    FORMAT,
    Artifact,
    DeidentifiedSeries,
    Names,
    Outcome,
    Searched,
    Statement,
    Task,
)
from cohortkit.reasons import Reason
from cohortkit.run.place import Place, move
from cohortkit.run.produce import Product
from cohortkit.run.version import VERSION
from cohortkit.traces.find import standing
from cohortkit.traces.patterns import Patterns, collect
from cohortkit.traces.spellings import fold
from cohortkit.verify.containers import Buffer
from cohortkit.verify.memory import Memory
from cohortkit.verify.search import Hit, Ours, Scanned, scan_file, scan_rows
from cohortkit.verify.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Finding:
    """What the search found, and how much it looked at."""

    hits: tuple[Hit, ...]
    searched: Searched


def ours_of(statement: Statement | None, names: Names, outputs: Iterable[str]) -> Ours:
    """What cohortkit writes itself, and where: whoever is called NIFTI is still searched for."""
    places = {"Reason": {str(reason) for reason in Reason}}
    places |= {"ConversionSoftware": {"cohortkit"}, "ConversionSoftwareVersion": {VERSION}}
    if statement is not None:
        said = {
            "DeidentificationBasis": {statement.basis},
            "basis": {statement.basis},
            "DeidentificationRecipe": {statement.recipe},
            "DeidentificationRecipeSHA256": {statement.recipe_digest},
            "PatientIdentityRemoved": {statement.identity_removed},
            "LongitudinalTemporalInformationModified": {statement.temporal},
            "DeidentificationMethod": {*statement.method, "\\".join(statement.method)},
            "CodeValue": {code for code, _ in statement.codes},
            "CodeMeaning": {meaning for _, meaning in statement.codes},
        }
        places |= said
    return Ours(
        names=frozenset(map(fold, _said(names))),
        folders=frozenset(map(fold, outputs)),
        places={place: frozenset(map(fold, texts)) for place, texts in places.items()},
    )


def _said(names: Names) -> tuple[str, ...]:
    """The pseudonyms, whole and in the pieces that folders of a file-set are called after."""
    whole = (names.patient, names.study, names.series)
    return (*whole, *(piece for name in whole for piece in (name[1:9], name[9:])))


def patterns_of(
    headers: Sequence[Dataset], task: Task, kept: frozenset[str], statement: Statement
) -> Patterns:
    """What to search for, given what the output says of itself.

    Raises:
        Refusal: ``no-pattern``.
    """
    return collect(
        headers,
        task,
        kept,
        shifted=statement.temporal == "MODIFIED",
        claimed=statement.identity_removed == "YES",
    )


def prove(
    release: Path, patterns: Patterns, series: DeidentifiedSeries, product: Product
) -> Finding:
    """Search all that was written for the source patient: names, headers, rows, shapes."""
    outputs = (artifact.output for artifact in product.artifacts)
    ours = ours_of(series.statement, series.names, outputs)
    found = scan_rows(patterns, product.rows, ours=ours)
    found += scan_rows(patterns, told_of((), product.artifacts), ours=ours)
    looked, hits = scan_all(patterns, release, [one.path for one in product.artifacts], ours)
    found += Scanned(tuple(sorted({hit for _, hit in hits})), looked)
    left_out = sum(patterns.left_out.values())
    searched = Searched(len(patterns), left_out, len(product.artifacts), found.bytes)
    return Finding(found.hits, searched)


def told_of(
    outcomes: Iterable[Outcome], artifacts: Iterable[Artifact]
) -> dict[str, list[dict[str, object]]]:
    """What the tables of tasks and files say in numbers, as rows to be searched."""
    return {
        "tasks": [{"numbers": dict(one.numbers)} for one in outcomes],
        "files": [{"shape": one.shape, "spacing": one.spacing} for one in artifacts],
    }


def unidentified(
    numbers: Mapping[str, float], headers: Sequence[Dataset], task: Task
) -> dict[str, float]:
    """Of the numbers that explain a refusal, those that are not the patient's.

    Nothing is kept here by any recipe. Where nobody can be searched for, none is told.
    """
    if not numbers:
        return {}
    try:
        patterns = collect(headers, task, frozenset())
    except Refusal:
        return {}
    return _not_of(patterns, numbers)


def explained(product: Product, patterns: Patterns) -> Product:
    """What was made, without the numbers behind its outcomes that are the patient's."""
    outcomes = tuple(
        replace(one, numbers=_not_of(patterns, one.numbers)) for one in product.outcomes
    )
    return replace(product, outcomes=outcomes)


def _not_of(patterns: Patterns, numbers: Mapping[str, float]) -> dict[str, float]:
    """However short a number is: without one an explanation is poorer, and nothing is lost."""
    return {name: value for name, value in numbers.items() if not _identifies(patterns, value)}


def _identifies(patterns: Patterns, value: float) -> bool:
    digits = str(abs(int(value))) if float(value).is_integer() else repr(value)
    if any(True for _ in standing(patterns, digits)):
        return True
    return any(item.text.lstrip("0") == digits for item in patterns.items if item.text.isdigit())


def scan_all(
    patterns: Patterns, root: Path, names: Sequence[str], ours: Ours
) -> tuple[int, list[tuple[str, Hit]]]:
    """Search files of one person, all at once; and one by one where that finds something.

    Returns:
        How many bytes were looked at, and the hits by name.
    """
    sweep = Sweep(patterns, ours)
    for name in names:
        with _mapped(root, name) as data:
            sweep.take(name, data)
    if sweep.clean():
        return sweep.looked, []
    memory, found = Memory(), []
    for name in names:
        with _mapped(root, name) as data:
            hits = scan_file(patterns, name, data, ours=ours, seen=memory).hits
        found += [(name, hit) for hit in hits]
    return sweep.looked, found


def scan(patterns: Patterns, root: Path, name: str, ours: Ours) -> Scanned:
    """Search one file."""
    with _mapped(root, name) as data:
        return scan_file(patterns, name, data, ours=ours)


@contextmanager
def _mapped(root: Path, name: str) -> Iterator[Buffer]:
    """A file's bytes: mapped and not read, since its samples are not looked at."""
    handle = os.open(f"{root}/{name}", os.O_RDONLY)
    try:
        if os.fstat(handle).st_size == 0:
            yield b""
            return
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
            yield view
    finally:
        os.close(handle)


def residual(patterns: Patterns, series: DeidentifiedSeries, finding: Finding) -> bytes:
    """For the vault: what was not searched for, and where a hit was. Kinds, never values."""
    body = {
        "format": FORMAT,
        "kept": sorted(series.kept),
        "left_out": [
            {"why": why, "kind": str(kind), "count": count}
            for (why, kind), count in sorted(patterns.left_out.items())
        ],
        "hits": [{"place": hit.place, "kind": str(hit.kind)} for hit in finding.hits],
        "searched": asdict(finding.searched),
    }
    return json.dumps(body, indent=1).encode() + b"\n"


def quarantine(place: Place, task: str, product: Product) -> None:
    """Take everything that the task wrote out of the release."""
    for artifact in product.artifacts:
        move(artifact.path, place.release, place.quarantine / task)
