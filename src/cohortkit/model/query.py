"""What is asked of an index: DICOM keywords and typed predicates, frozen and comparable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an index can be asked without reading all of it, as it was proved at connect.

    Attributes:
        backend: what it is, in words of ours and its own version number; no address.
        pushes: keyword → the kinds of predicates that the backend answers as this package does.
        unknown: series without a value come with the others, so that they can be counted.
        whole: every row can be read, so that any step can be asked here.
    """

    backend: str
    pushes: Mapping[str, frozenset[type]] = field(default_factory=dict)
    unknown: bool = True
    whole: bool = True

    def proves(self, keyword: str, asked: Predicate) -> bool:
        """Whether this term may be left to the backend: each member of a list has to be."""
        known = self.pushes.get(keyword, frozenset())
        if not isinstance(asked, AnyOf):
            return type(asked) in known
        nested = {type(one) for one in asked.values if isinstance(one, Like | Matches | Absent)}
        return {AnyOf, *nested} <= known
