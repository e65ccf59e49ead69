"""Tables, manifest and report out of the records.

Pure: the same records give the same bytes, in whatever order they come and however often.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from cohortkit.model import FORMAT, Parts, Record
from cohortkit.payloads.columns import SPLIT
from cohortkit.protocols import Writer
from cohortkit.run.about import About
from cohortkit.run.counts import counts, reasons
from cohortkit.run.parts import placed, shares
from cohortkit.run.redactions import total
from cohortkit.run.report import report
from cohortkit.run.version import VERSION

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
    "task": pl.String,
}
FILES = pl.Schema(_FILES)
"""A row for each file of the release that a task wrote; ``path`` is relative to the release."""


_Tables = Callable[[Mapping[str, Any], Mapping[str, str]], Mapping[str, bytes]]
"""Rows by table, and what the recipe does by keyword; to files by name."""


def finish(
    records: Iterable[Record], about: About, outputs: Sequence[Writer] = ()
) -> dict[str, bytes]:
    """The files at the top of the release, by name."""
    ordered = sorted(records, key=_order)
    parts = about.parts
    beside: list[tuple[str, pl.DataType]] = [(SPLIT.name, pl.String())] if parts else []
    tables = {"tasks": (_tasks(ordered), TASKS), "files": (_files(ordered), FILES)}
    made = {
        f"{name}.parquet": parquet(placed(rows, parts), pl.Schema([*schema.items(), *beside]))
        for name, (rows, schema) in tables.items()
    }
    released = {name: placed(said, parts) for name, said in _rows(ordered).items()}
    for one in outputs:
        finisher: _Tables | None = getattr(one, "finish", None)
        if finisher is not None:
            said = finisher(released, about.treatment)
            made |= {f"{one.name}/{name}": data for name, data in said.items()}
    made["report.html"] = report(ordered, about).encode("utf-8")
    made["export.json"] = _manifest(ordered, about, made)
    return dict(sorted(made.items()))


def _order(record: Record) -> tuple[str, str, str, str]:
    names = record.names
    if names is None:
        return "", "", "", record.task
    return names.patient, names.study, names.series, record.task


def parquet(rows: list[dict[str, Any]], schema: pl.Schema) -> bytes:
    """A table as Parquet bytes that depend on the rows alone."""
    out = io.BytesIO()
    pl.DataFrame(rows, schema=schema).write_parquet(out, compression="zstd", statistics=True)
    return out.getvalue()


def _names(record: Record) -> dict[str, str | None]:
    names = record.names
    return {
        "patient": names.patient or None if names else None,
        "study": names.study if names else None,
        "series": names.series if names else None,
    }


def _tasks(records: Iterable[Record]) -> list[dict[str, Any]]:
    return [
        {
            **_names(record),
            "output": one.output,
            "status": str(one.status),
            "reason": None if one.reason is None else str(one.reason),
            "explanation": None if one.reason is None else one.reason.words,
            "instances": len(one.instances),
            "numbers": json.dumps(dict(sorted(one.numbers.items()))) if one.numbers else None,
            "task": record.task,
        }
        for record in records
        for one in record.outcomes
    ]


def _files(records: Iterable[Record]) -> list[dict[str, Any]]:
    rows = [
        {
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
            "task": record.task,
        }
        for record in records
        for one in record.artifacts
    ]
    return sorted(rows, key=lambda row: str(row["path"]))


def _rows(records: Iterable[Record]) -> dict[str, list[Mapping[str, object]]]:
    """All table rows in the order of the records."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for record in records:
        for name, rows in record.rows.items():
            found.setdefault(name, []).extend(rows)
    return found


def _manifest(records: Sequence[Record], about: About, made: Mapping[str, bytes]) -> bytes:
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
        "split": _split(records, about.parts),
        "pixels": {
            str(work): {"series": series, "objects": objects}
            for work, (series, objects) in total(records).items()
        },
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(made.items())},
    }
    return json.dumps(body, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"


def _split(records: Sequence[Record], parts: Parts) -> list[dict[str, object]]:
    """Each part with its share and how many of the patients who were written are in it."""
    named = (one.names.patient for one in records if one.names is not None and one.artifacts)
    there = shares(named, parts)
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
