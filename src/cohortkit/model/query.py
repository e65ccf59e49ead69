"""What is asked of an index: DICOM keywords and typed predicates, frozen and comparable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exactly:
    """The value itself; of several values, any one of them."""

    value: object


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these values."""

    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A closed range of dates, times or numbers; None leaves a side open."""

    low: object
    high: object


@dataclass(frozen=True, slots=True)
class Like:
    """Text with ``*`` (any run) and ``?`` (any one character), case as written."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Matches:
    """Text in which this regular expression is found."""

    regex: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """No value, or an empty one."""


Predicate = Exactly | AnyOf | Between | Like | Matches | Absent


@dataclass(frozen=True, slots=True, repr=False)
class Query:
    """One question: every term must hold. No term at all is everything.

    Attributes:
        terms: (keyword, predicate). Identified: the repr shows keywords only.
    """

    terms: tuple[tuple[str, Predicate], ...] = ()

    def __repr__(self) -> str:
        return f"<Query on {', '.join(keyword for keyword, _ in self.terms) or 'everything'}>"
