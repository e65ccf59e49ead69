"""The search of what one task wrote, before its record is published."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.model import FORMAT, DeidentifiedSeries, Searched, Statement, Task
from cohortkit.run.place import Place, move
from cohortkit.run.produce import Product
from cohortkit.run.version import VERSION
from cohortkit.traces.patterns import Patterns, collect
from cohortkit.traces.spellings import fold
from cohortkit.verify.search import NOTHING_SCANNED, Hit, Scanned, scan_file, scan_rows


@dataclass(frozen=True, slots=True)
class Finding:
    """What the search found, and how much it looked at."""

    hits: tuple[Hit, ...]
    searched: Searched


def our_words(statement: Statement | None) -> frozenset[str]:
    """Texts that cohortkit writes itself: a cell that is one of them is not from a patient."""
    words = {"cohortkit", VERSION, f"cohortkit {VERSION}"}
    if statement is not None:
        words |= {statement.basis, statement.recipe, statement.recipe_digest}
        words |= {statement.identity_removed, statement.temporal, *statement.method}
        words |= {text for code in statement.codes for text in code}
        words |= {"\\".join(statement.method), "; ".join(statement.method)}
    return frozenset(fold(word) for word in words)


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
    """Search names, headers and rows of all that was written for the source patient."""
    names = series.names
    ours = our_words(series.statement) | {names.patient, names.study, names.series}
    ours |= {fold(artifact.output) for artifact in product.artifacts}
    found = scan_rows(patterns, product.rows, ours=ours)
    for artifact in product.artifacts:
        found += scan(patterns, release, artifact.path, ours)
    left_out = sum(patterns.left_out.values())
    searched = Searched(len(patterns), left_out, len(product.artifacts), found.bytes)
    return Finding(found.hits, searched)


def scan(patterns: Patterns, root: Path, name: str, ours: frozenset[str]) -> Scanned:
    """Search one file; it is mapped and not read, since its samples are not looked at."""
    handle = os.open(root / name, os.O_RDONLY)
    try:
        if os.fstat(handle).st_size == 0:
            return NOTHING_SCANNED + scan_file(patterns, name, b"", ours=ours)
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
            return scan_file(patterns, name, view, ours=ours)
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
