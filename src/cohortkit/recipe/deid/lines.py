"""What a recipe in deid's language says of headers, frozen: its lines in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cohortkit.recipe.deid.fields import By, Field

Function = Callable[..., Any]


class Verb(StrEnum):
    """What a line does to the elements that its field means."""

    ADD = "ADD"
    BLANK = "BLANK"
    JITTER = "JITTER"
    KEEP = "KEEP"
    REPLACE = "REPLACE"
    REMOVE = "REMOVE"


class Source(StrEnum):
    """Where the value of a line comes from."""

    CONSTANT = "constant"
    VARIABLE = "var"
    FUNCTION = "func"
    OWN = "deid_func"  # one that deid brings


@dataclass(frozen=True, slots=True)
class Given:
    """The value of a line.

    Attributes:
        text: the constant, or the name of the variable or function.
        options: of a function that deid brings.
    """

    source: Source
    text: str
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if self.source is Source.CONSTANT:
            return repr(self.text)
        options = "".join(f" {name}={value}" for name, value in self.options)
        return f"{self.source}:{self.text}{options}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of ``%header``.

    Attributes:
        place: ``line 12``, with the file where there are several.
        written: the field as it stands there.
        fields: what it means; several where it names a ``%fields`` list.
        values: the ``%values`` list that it names, or empty.
    """

    place: str
    verb: Verb
    written: str
    fields: tuple[Field, ...]
    given: Given | None = None
    values: str = ""

    @property
    def exact(self) -> bool:
        """Whether it names one attribute, and no expander finds it."""
        return all(one.by is By.NAME for one in self.fields)

    def __str__(self) -> str:
        value = f" {self.given}" if self.given else ""
        return f"{self.place}: {self.verb} {self.written}{value}"


@dataclass(frozen=True, slots=True)
class Extract:
    """A line of a ``%values`` list: values of these elements are looked for elsewhere.

    Attributes:
        by: what the value is split by; empty where it is taken whole.
        least: characters that a part has at least.
    """

    field: Field
    by: str = ""
    least: int = 1


class Variables:
    """Values for ``var:``, for everyone or by patient. It shows names and a count, no value."""

    __slots__ = ("_key", "names", "rows", "shared")

    def __init__(
        self,
        shared: Mapping[str, str] | None = None,
        rows: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
    ) -> None:
        """Hold them.

        Args:
            shared: values for everyone, by name.
            rows: by (issuer or empty, Patient ID), values by name.
        """
        self.shared = dict(shared or {})
        self.rows = {person: dict(row) for person, row in (rows or {}).items()}
        self.names = frozenset(self.shared).union(*self.rows.values())
        by_person = ((who, tuple(sorted(row.items()))) for who, row in self.rows.items())
        self._key = (tuple(sorted(self.shared.items())), tuple(sorted(by_person)))

    def plain(self) -> object:
        """All of it, for a keyed digest. Identified."""
        return self._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Variables) and self._key == other._key

    def __hash__(self) -> int:
        return hash((self.names, len(self.rows)))

    def __repr__(self) -> str:
        return f"Variables({', '.join(sorted(self.names))}; {len(self.rows)} patients)"


@dataclass(frozen=True, slots=True)
class Script:
    """The lines of one or several recipes in deid's language, or taken over from another.

    Attributes:
        lists: ``%values`` lists by name.
        functions: by name, sorted.
        notes: what is stricter than deid, or not taken over, one line each.
        language: whose lines they are.
    """

    lines: tuple[Line, ...] = ()
    lists: tuple[tuple[str, tuple[Extract, ...]], ...] = ()
    variables: Variables = field(default_factory=Variables)
    functions: tuple[tuple[str, Function], ...] = ()
    notes: tuple[str, ...] = ()
    language: str = "deid"

    @property
    def steady(self) -> bool:
        """Whether equal elements of one series always become the same: nothing else is asked."""
        given = [line.given for line in self.lines if line.given is not None]
        return not self.lists and all(one.source is not Source.FUNCTION for one in given)

    @property
    def nested(self) -> bool:
        """Whether a line names an element by the sequences around it."""
        return any("__" in one.word for line in self.lines for one in line.fields)
