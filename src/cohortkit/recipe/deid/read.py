"""From the text of a recipe in deid's language to its lines, or every fault at once.

deid itself skips what it does not know, drops what it cannot use, and goes on. Here each such line
is a fault with its number. deid's parser says what a sound line means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cohortkit.dicom import keywords
from cohortkit.recipe import deid_text
from cohortkit.recipe.deid import values
from cohortkit.recipe.deid.fields import (
    SEARCHING,
    By,
    Field,
    UnknownExpander,
    field_of,
)
from cohortkit.recipe.deid.lines import Extract, Line, Source, Verb
from cohortkit.recipe.deid.names import unknown
from cohortkit.recipe.hints import hint

SECTIONS = ("header", "filter", "values", "fields", "labels")
_NAMED = ("filter", "values", "fields")
_VERBS = tuple(verb.value for verb in Verb)
_WITH_VALUE = frozenset({Verb.ADD, Verb.REPLACE, Verb.JITTER})
_WITHOUT = frozenset({Verb.KEEP, Verb.BLANK})
_EXPANDERS = ("startswith", "endswith", "contains", "except", "allexcept", "select", "values",
              "fields")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """A LABEL as it stands: its head and its lines, each with its place.

    Attributes:
        group: whitelist, graylist, blacklist or another name of a ``%filter``.
    """

    group: str
    place: str
    head: str
    lines: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Reading:
    """One file while it is read.

    Attributes:
        lists: ``%values`` by name; ``extracts`` of each.
        groups: names of ``%filter`` sections, each with the place where it begins.
    """

    name: str
    several: bool
    faults: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    lists: dict[str, list[Extract]] = field(default_factory=dict)
    fields: dict[str, list[Field]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)

    def place(self, number: int) -> str:
        """Where a line stands."""
        return f"{self.name} line {number}" if self.several else f"line {number}"

    def fault(self, number: int, words: str) -> None:
        """Remember what is wrong."""
        self.faults.append(f"{self.place(number)}: {words}")


def read(text: str, name: str, *, several: bool) -> Reading:
    """A recipe's text, line by line.

    Args:
        text: of the file.
        name: of the file, for places.
        several: whether there are other files, so that a place needs the name.
    """
    reading = Reading(name, several)
    section, title, formats = "", "", 0
    numbered = [(n, one.strip()) for n, one in enumerate(text.splitlines(), 1)]
    rows = [(n, one) for n, one in numbered if one and not one.startswith("#")]
    while rows:
        number, row = rows.pop(0)
        if re.match("format", row, re.IGNORECASE):
            formats += 1
            _format(reading, number, row)
        elif row.startswith("%"):
            section, title = _section(reading, number, row)
        elif section == "filter":
            rows = _label(reading, number, row, rows, title)
        elif section in ("values", "fields"):
            _group(reading, number, row, section, title)
        elif section == "header":
            _header(reading, number, row)
        elif section != "labels":  # deid reads them and does nothing
            reading.fault(number, "stands in no section; %header or %filter comes first")
    if not formats:
        reading.faults.insert(0, f"{name}: FORMAT dicom is missing")
    if not (reading.lines or reading.blocks or reading.faults):
        reading.faults.append(f"{name}: the recipe is empty: no line and no label")
    _resolve(reading)
    return reading


def _format(reading: Reading, number: int, row: str) -> None:
    words = row.partition("#")[0].split()
    if [word.lower() for word in words] != ["format", "dicom"]:
        reading.fault(number, "the format must be FORMAT dicom")


def _section(reading: Reading, number: int, row: str) -> tuple[str, str]:
    words = row.partition("#")[0].split()
    kind, title = words[0].strip("%").lower(), " ".join(words[1:])
    if kind not in SECTIONS:
        known = [f"%{one}" for one in SECTIONS]
        reading.fault(number, f"unknown section {words[0]!r}{hint(words[0], known)}")
        return "labels", ""  # what stands in it means nothing
    if kind in _NAMED and not title:
        reading.fault(number, f"%{kind} needs a name")
    if kind == "filter":
        reading.groups.setdefault(title, reading.place(number))
    elif kind == "values":
        reading.lists.setdefault(title, [])
    elif kind == "fields":
        reading.fields.setdefault(title, [])
    return kind, title


def _label(
    reading: Reading, number: int, row: str, rows: list[tuple[int, str]], group: str
) -> list[tuple[int, str]]:
    """A LABEL with the lines up to the next; gives what is left to read."""
    if not row.upper().startswith("LABEL"):
        reading.fault(number, "stands before the first LABEL of its %filter")
        return rows
    end = next(
        (at for at, (_, one) in enumerate(rows) if one.upper().startswith(("LABEL", "%"))),
        len(rows),
    )
    inside = tuple((reading.place(n), one) for n, one in rows[:end])
    reading.blocks.append(Block(group, reading.place(number), row, inside))
    return rows[end:]


def _group(reading: Reading, number: int, row: str, section: str, title: str) -> None:
    word = row.split(maxsplit=1)[0]
    allowed = ("FIELD", "SPLIT") if section == "values" else ("FIELD",)
    if word not in allowed:
        reading.fault(number, f"unknown word {word!r} in %{section}{hint(word, allowed)}")
        return
    try:
        written = deid_text.group_line(section, row)
    except deid_text.NotUnderstood as error:
        reading.fault(number, str(error))
        return
    found = None if written is None else _field(reading, number, written.field)
    if written is None or found is None:
        return
    if found.by in (By.VALUES, By.FIELDS):
        reading.fault(number, "a list holds no other list")
    elif section == "fields":
        reading.fields[title].append(found)
    else:
        split = values.split_of(written.value, split=written.action == "SPLIT")
        if isinstance(split, str):
            reading.fault(number, split)
        else:
            reading.lists[title].append(Extract(found, *split))


def _header(reading: Reading, number: int, row: str) -> None:
    word = row.split(maxsplit=1)[0]
    if word not in _VERBS:
        reading.fault(number, f"unknown action {word!r}{hint(word, _VERBS)}")
        return
    try:
        written = deid_text.header_line(row)
    except deid_text.NotUnderstood as error:
        reading.fault(number, str(error))
        return
    if written is None:
        reading.fault(number, f"{word}: deid drops this line")
        return
    verb, place = Verb(word), reading.place(number)
    problem = _value_problem(verb, row, written.value)
    if problem:
        reading.fault(number, problem)
        return
    found = _field(reading, number, written.field)
    given = values.given_of(written.value) if (written.value or "").strip() else None
    if found is None:
        return
    listed = found.word if found.by is By.VALUES else ""
    reading.lines.append(Line(place, verb, written.field, (found,), given, listed))


def _value_problem(verb: Verb, row: str, value: str | None) -> str:
    """What is wrong with the value of a line; deid lets all of this pass."""
    text = (value or "").strip()
    if verb in _WITH_VALUE and not text:
        return f"{verb} needs a value"
    rest = " ".join(row.partition("#")[0].split()[2:])
    if verb in _WITHOUT and rest and '"' not in row:
        return f"{verb} takes no value"
    if verb is Verb.REMOVE and text and not text.startswith("func:"):
        return "REMOVE takes no value but func: and a name"
    kind = text.partition(":")[0] if ":" in text else ""
    sources = [one.value for one in Source if one is not Source.CONSTANT]
    if kind.isidentifier() and kind not in sources and keywords.neighbours(kind, sources):
        return f"unknown source {kind!r}{hint(kind, sources)}"
    return ""


def _field(reading: Reading, number: int, written: str) -> Field | None:
    """The field of a line, or a fault."""
    try:
        found = field_of(written)
        if found.by in SEARCHING:
            found.pattern  # noqa: B018 - it compiles
    except UnknownExpander as error:
        reading.fault(number, f"unknown expander {error.word!r}{hint(error.word, _EXPANDERS)}")
        return None
    except re.error as error:
        reading.fault(number, f"{written!r} is no regular expression: {error}")
        return None
    except ValueError as error:
        reading.fault(number, str(error))
        return None
    problem = unknown(found, written)
    if problem:
        reading.fault(number, problem)
        return None
    return found


def _resolve(reading: Reading) -> None:
    """Put lists in the place of their names."""
    resolved: list[Line] = []
    for line in reading.lines:
        named = line.fields[0]
        if named.by not in (By.VALUES, By.FIELDS):
            resolved.append(line)
            continue
        problem = _list_problem(reading, line, named)
        if problem:
            reading.faults.append(f"{line.place}: {problem}")
        elif named.by is By.VALUES:
            resolved.append(line)
        else:
            listed = tuple(reading.fields[named.word])
            resolved.append(Line(line.place, line.verb, line.written, listed, line.given))
    reading.lines = resolved


def _list_problem(reading: Reading, line: Line, named: Field) -> str:
    known: Sequence[str] = list(reading.lists if named.by is By.VALUES else reading.fields)
    if named.word not in known:
        return f"no %{named.by.value} list is called {named.word!r}{hint(named.word, known)}"
    if not (reading.lists if named.by is By.VALUES else reading.fields)[named.word]:
        return f"%{named.by.value} {named.word} is empty, so this line does nothing"
    if line.verb in (Verb.KEEP, Verb.ADD):
        return f"{line.verb} {named.by.value}: does nothing in deid; name each field on its line"
    return ""


def overridden(readings: Sequence[Reading]) -> Iterator[str]:
    """Labels of an earlier recipe that deid would drop in silence for those of a later one."""
    seen: dict[str, str] = {}
    for reading in readings:
        for group, place in reading.groups.items():
            if group in seen:
                yield (
                    f"{place}: %filter {group} stands at {seen[group]} already; deid would drop "
                    "the labels there: put both into one recipe, or name one otherwise"
                )
            seen.setdefault(group, place)
