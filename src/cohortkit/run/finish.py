"""Tables, manifest and report out of the records.

Pure: the same records give the same bytes, in whatever order they come and however often.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from cohortkit.model import FORMAT, Parts, PixelWork, Record
from cohortkit.payloads.columns import SPLIT
from cohortkit.protocols import Writer
from cohortkit.run.about import About
from cohortkit.run.counts import counts, reasons
from cohortkit.run.parts import placed, shares
from cohortkit.run.redactions import total
from cohortkit.run.report import report
from cohortkit.run.shelf import Shelf
from cohortkit.run.version import VERSION
from cohortkit.writers.sheet import Sheet

TASKS = pl.Schema(
    {
        "patient": pl.String,
        "study": pl.String,
        "series": pl.String,
        "output": pl.String,
        "status": pl.String,
        "reason": pl.String,
        "explanation": pl.String,
        "instances": pl.Int64,
        "numbers": pl.String,
        "task": pl.String,
    }
)
"""A row for each series, output and outcome; ``numbers`` is JSON."""

_FILES: dict[str, pl.DataType | type[pl.DataType]] = {
    "path": pl.String,
    "output": pl.String,
    "role": pl.String,
    "patient": pl.String,
    "study": pl.String,
    "series": pl.String,
    "shape": pl.List(pl.Int64),
    "spacing": pl.List(pl.Float64),
    "dtype": pl.String,
    "instances": pl.Int64,
    "size": pl.Int64,
    "sha256": pl.String,
    "defaced": pl.String,
    "task": pl.String,
}
FILES = pl.Schema(_FILES)
"""A row for each file of the release that a task wrote; ``path`` is relative to the release."""


_Tables = Callable[
    [Iterable[Mapping[str, Any]], Mapping[str, str], Mapping[str, Sheet]], Mapping[str, bytes]
]
"""Rows by table, of one record after the other, what the recipe does, and the tables at the top of
the release; to files by name."""


def finish(
    records: Shelf | Iterable[Record], about: About, outputs: Sequence[Writer] = ()
) -> dict[str, bytes]:
    """The files at the top of the release, by name."""
    shelf = records if isinstance(records, Shelf) else Shelf.of(records)
    written: set[str] = set()
    top = _listed(shelf, about.parts, written)
    made = {
        "tasks.parquet": top["tasks"].parquet(),
        "files.parquet": top["files"].parquet(by=["path"]),
    }
    for one in outputs:
        finisher: _Tables | None = getattr(one, "finish", None)
        if finisher is not None:
            said = finisher(_rows(shelf, about.parts), about.treatment, top)
            made |= {f"{one.name}/{name}": data for name, data in said.items()}
    made["report.html"] = report(shelf.bare, about).encode("utf-8")
    made["export.json"] = _manifest(shelf.bare, written, about, made)
    return dict(sorted(made.items()))


def _rows(shelf: Shelf, parts: Parts) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The table rows of one record after the other."""
    for record in shelf:
        yield {name: placed(rows, parts) for name, rows in record.rows.items()}


def _listed(shelf: Shelf, parts: Parts, written: set[str]) -> dict[str, Sheet]:
    """The tables of tasks and files; and noted, the patients of whom there is a file."""
    beside: list[tuple[str, pl.DataType]] = [(SPLIT.name, pl.String())] if parts else []
    tasks, files = (Sheet(pl.Schema([*one.items(), *beside])) for one in (TASKS, FILES))
    for record in shelf.rowless():
        tasks.extend(placed(_tasks(record), parts))
        files.extend(placed(_files(record), parts))
        if record.names is not None and record.artifacts:
            written.add(record.names.patient)
    return {"tasks": tasks, "files": files}


def _names(record: Record) -> dict[str, str | None]:
    names = record.names
    return {
        "patient": names.patient or None if names else None,
        "study": names.study if names else None,
        "series": names.series if names else None,
    }


def _tasks(record: Record) -> Iterator[dict[str, Any]]:
    for one in record.outcomes:
        yield {
            **_names(record),
            "output": one.output,
            "status": str(one.status),
            "reason": None if one.reason is None else str(one.reason),
            "explanation": None if one.reason is None else one.reason.words,
            "instances": len(one.instances),
            "numbers": json.dumps(dict(sorted(one.numbers.items()))) if one.numbers else None,
            "task": record.task,
        }


def _files(record: Record) -> Iterator[dict[str, Any]]:
    for one in record.artifacts:
        yield {
            **_names(record),
            "path": one.path,
            "output": one.output,
            "role": one.role,
            "shape": list(one.shape),
            "spacing": [float(step) for step in one.spacing],
            "dtype": one.dtype or None,
            "instances": len(one.instances),
            "size": one.size,
            "sha256": one.sha256,
            "defaced": "YES" if str(PixelWork.DEFACED) in record.pixel_work else None,
            "task": record.task,
        }


def _manifest(
    records: Sequence[Record], written: Iterable[str], about: About, made: Mapping[str, bytes]
) -> bytes:
    body = {
        "format": FORMAT,
        "cohortkit": VERSION,
        "recipe": {
            "name": about.recipe,
            "title": about.title,
            "basis": about.basis,
            "digest": about.digest,
        },
        "project": about.project,
        "key_id": about.key_id,
        "ids": {"kind": about.ids, "table": about.table_id or None},
        "outputs": list(about.outputs),
        "asked": list(about.asked),
        "flow": list(about.flow),
        "planned": {"series": about.series, "instances": about.instances},
        "limited_to": about.first,
        "counts": [
            {
                "output": line.output,
                "level": line.level,
                "in": line.units,
                **{str(status): count for status, count in line.by.items()},
            }
            for line in counts(records)
        ],
        "reasons": [
            {
                "output": line.output,
                "status": str(line.status),
                "reason": None if line.reason is None else str(line.reason),
                "series": line.series,
                "instances": line.instances,
            }
            for line in reasons(records)
        ],
        "searched": searched(records),
        "small_cells": list(about.small),
        "split": _split(written, about.parts),
        "pixels": {
            str(work): {"series": series, "objects": objects}
            for work, (series, objects) in total(records).items()
        },
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(made.items())},
    }
    return json.dumps(body, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"


def _split(written: Iterable[str], parts: Parts) -> list[dict[str, object]]:
    """Each part with its share and how many of the patients who were written are in it."""
    there = shares(written, parts)
    return [{"part": name, "share": share, "patients": there[name]} for name, share in parts]


def searched(records: Iterable[Record]) -> dict[str, int]:
    """What the searches looked at, over all records."""
    told = {"patients": 0, "series": 0, "patterns": 0, "left_out": 0, "files": 0, "bytes": 0}
    patients = set()
    for record in records:
        if record.searched is not None and record.names is not None:
            patients.add(record.names.patient)
            told["series"] += 1
            told["patterns"] += record.searched.patterns
            told["left_out"] += record.searched.kept
            told["files"] += record.searched.files
            told["bytes"] += record.searched.bytes
    told["patients"] = len(patients)
    return told
