"""Steps as plain JSON values and back, for the cohort file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cohortkit.cohort.steps import Counts, Loss, Note, Step
from cohortkit.errors import StoreError
from cohortkit.model.query import (
    Absent,
    AnyOf,
    Between,
    Exactly,
    Like,
    Matches,
    Predicate,
    Query,
)

_TIMES: Final[Mapping[str, type[dt.datetime | dt.date | dt.time]]] = {
    "datetime": dt.datetime,  # before date, of which it is one
    "date": dt.date,
    "time": dt.time,
}

Plain = dict[str, Any]


def encode(step: Step) -> Plain:
    """A step as JSON values. Identified: it holds the terms of a search."""
    return {
        "action": step.action,
        "words": step.words,
        "reason": step.reason,
        "before": _counts(step.before),
        "kept": _counts(step.kept),
        "losses": [
            [loss.out, loss.unsure, _counts(loss.not_matched), _counts(loss.unknown)]
            for loss in step.losses
        ],
        "notes": [[note.words, note.count] for note in step.notes],
        "query": None if step.query is None else encoded(step.query),
        "detail": step.detail,
    }


def noted(steps: Iterable[Step]) -> Plain:
    """What the log of a shared index is told: question and counts. Identified."""
    told = [encode(step) for step in steps]
    words = ("action", "words", "reason", "kept", "query", "detail")
    return {"steps": [{word: one[word] for word in words} for one in told]}


def decode(plain: Plain) -> Step:
    """The step that was encoded.

    Raises:
        StoreError: it is no step.
    """
    try:
        query = plain["query"]
        return Step(
            action=str(plain["action"]),
            words=str(plain["words"]),
            before=Counts(*plain["before"]),
            kept=Counts(*plain["kept"]),
            losses=tuple(
                Loss(out, unsure, Counts(*a), Counts(*b)) for out, unsure, a, b in plain["losses"]
            ),
            notes=tuple(Note(words, count) for words, count in plain["notes"]),
            reason=str(plain["reason"]),
            query=None if query is None else query_of(query),
            detail=str(plain["detail"]),
        )
    except (KeyError, TypeError, ValueError):
        raise StoreError("the cohort file is damaged: a step cannot be read") from None


def encoded(query: Query) -> list[list[object]]:
    """The terms of a search as JSON values. Identified."""
    return [[word, _value(asked)] for word, asked in query.terms]


def query_of(terms: Any) -> Query:  # noqa: ANN401 - read from a file, of whatever form
    """The terms that were encoded.

    Raises:
        ValueError, TypeError: they are none.
    """
    return Query(tuple((str(word), _predicate(asked)) for word, asked in terms))


def _counts(counts: Counts) -> list[int | None]:
    return [counts.patients, counts.studies, counts.series, counts.instances]


def _value(value: object) -> object:
    match value:
        case Exactly(wanted):
            return {"exactly": _value(wanted)}
        case AnyOf(values):
            return {"any": [_value(member) for member in values]}
        case Between(low, high):
            return {"between": [_value(low), _value(high)]}
        case Like(pattern):
            return {"like": pattern}
        case Matches(regex, ignore_case):
            return {"matches": regex, "ignore_case": ignore_case}
    return {"absent": True} if isinstance(value, Absent) else _scalar(value)


def _scalar(value: object) -> object:
    for name, cls in _TIMES.items():
        if isinstance(value, cls):
            return {name: value.isoformat()}
    return value


def _predicate(plain: Plain) -> Predicate:
    match plain:
        case {"exactly": value}:
            return Exactly(_read(value))
        case {"any": values}:
            return AnyOf(tuple(_read(value) for value in values))
        case {"between": [low, high]}:
            return Between(_read(low), _read(high))
        case {"like": pattern}:
            return Like(pattern)
        case {"matches": regex, "ignore_case": bool(ignore_case)}:
            return Matches(regex, ignore_case)
        case {"absent": True}:
            return Absent()
    raise ValueError("no predicate")


def _read(plain: object) -> object:
    if not isinstance(plain, dict):
        return plain
    for name, cls in _TIMES.items():
        if name in plain:
            return cls.fromisoformat(plain[name])
    return _predicate(plain)
