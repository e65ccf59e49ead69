"""Records on disk: one small JSON file a task, which alone says what of it is in the release."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cohortkit.errors import OutputError
from cohortkit.model import (
    FORMAT,
    Artifact,
    Names,
    Outcome,
    Record,
    Searched,
    Statement,
)
from cohortkit.reasons import Reason, Status

_TYPE = "$type"
_TAGGED = frozenset({_TYPE, "value"})


def to_json(record: Record) -> bytes:
    """The bytes of a record: the same record gives the same bytes."""
    body: dict[str, Any] = {
        "format": FORMAT,
        "task": record.task,
        "plan": record.plan,
        "inputs": record.inputs,
        "names": None if record.names is None else asdict(record.names),
        "instances": record.instances,
        "outcomes": [_outcome(outcome) for outcome in record.outcomes],
        "artifacts": [asdict(artifact) for artifact in record.artifacts],
        "rows": {
            name: [{column: pack(value) for column, value in row.items()} for row in rows]
            for name, rows in sorted(record.rows.items())
        },
        "statement": None if record.statement is None else asdict(record.statement),
        "searched": None if record.searched is None else asdict(record.searched),
        "pixel_work": dict(sorted(record.pixel_work.items())),
    }
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


_ROWS, _BEHIND = b',"rows":{', b',"statement":'
"""What a record's rows stand between; no text holds it, for a quote in one is escaped."""


def from_json(data: bytes, *, rows: bool = True) -> Record | None:
    """The record in these bytes; None where they are damaged (a torn or foreign file).

    Args:
        data: of a file.
        rows: whether the table rows are wanted; to read them takes nine tenths of the time.

    Raises:
        OutputError: a record of a later format.
    """
    if not rows:
        start, end = data.find(_ROWS), data.rfind(_BEHIND)
        if 0 < start < end:
            data = data[: start + len(_ROWS)] + b"}" + data[end:]
    try:
        body = json.loads(data, object_hook=_tagged)
        if body["format"] != FORMAT:
            raise OutputError("the output holds records of another version of cohortkit")
        return _record(body)
    except (ValueError, KeyError, TypeError):
        return None


def _record(body: Mapping[str, Any]) -> Record:
    names, statement, searched = body["names"], body["statement"], body["searched"]
    return Record(
        task=body["task"],
        plan=body["plan"],
        inputs=body["inputs"],
        names=None if names is None else Names(**names),
        instances=body["instances"],
        outcomes=tuple(_to_outcome(item) for item in body["outcomes"]),
        artifacts=tuple(_to_artifact(item) for item in body["artifacts"]),
        rows={name: tuple(rows) for name, rows in body["rows"].items()},
        statement=None if statement is None else _to_statement(statement),
        searched=None if searched is None else Searched(**searched),
        pixel_work=body["pixel_work"],
    )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "output": outcome.output,
        "status": str(outcome.status),
        "reason": None if outcome.reason is None else str(outcome.reason),
        "numbers": dict(sorted(outcome.numbers.items())),
        "instances": list(outcome.instances),
    }


def _to_outcome(item: Mapping[str, Any]) -> Outcome:
    reason = item["reason"]
    return Outcome(
        item["output"],
        Status(item["status"]),
        tuple(item["instances"]),
        None if reason is None else Reason.from_code(reason),
        item["numbers"],
    )


def _to_artifact(item: Mapping[str, Any]) -> Artifact:
    tuples = {name: tuple(item[name]) for name in ("instances", "shape", "spacing")}
    return Artifact(**{**item, **tuples})


def _to_statement(item: Mapping[str, Any]) -> Statement:
    return Statement(
        **{
            **item,
            "method": tuple(item["method"]),
            "codes": tuple((code, meaning) for code, meaning in item["codes"]),
        }
    )


def pack(value: object) -> object:
    """A cell as JSON: dates and times are tagged, so that they come back as what they were."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dt.datetime():
            return {_TYPE: "datetime", "value": value.isoformat()}
        case dt.date():
            return {_TYPE: "date", "value": value.isoformat()}
        case dt.time():
            return {_TYPE: "time", "value": value.isoformat()}
        case list() | tuple():
            return [pack(item) for item in value]
        case _:
            raise TypeError(f"a table cell cannot hold a {type(value).__name__}")


def _tagged(found: dict[str, Any]) -> object:
    """What ``pack`` made of a date or a time, as what it was."""
    if found.keys() != _TAGGED:
        return found
    text = found["value"]
    match found[_TYPE]:
        case "datetime":
            return dt.datetime.fromisoformat(text)
        case "date":
            return dt.date.fromisoformat(text)
        case "time":
            return dt.time.fromisoformat(text)
    raise ValueError("an unknown type of cell")
