"""A deid recipe as deid reads it, compiled: which lines mean which kind of element."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cohortkit.errors import RecipeError
from cohortkit.recipe import deid_text
from cohortkit.recipe.deid.fields import By, Field, Finder, Names, UnknownExpander, field_of

SKIPPED = frozenset(
    {
        "PixelData",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
        "VOILUTSequence",
        "FileMetaInformationGroupLength",
        "FileMetaInformationVersion",
        "TransferSyntaxUID",
        "ImplementationClassUID",
    }
)
"""Keywords that deid never looks at, nor into."""

_MOST_KINDS = 50_000
_DEFAULT = "dicom"
_CONTEXT = frozenset(
    {
        0x00080005,  # SpecificCharacterSet
        0x00280010,  # Rows
        0x00280011,  # Columns
        0x00280100,  # BitsAllocated
        0x00280103,  # PixelRepresentation
        0x00283002,  # LUTDescriptor
        0x54001004,  # WaveformBitsAllocated
    }
)
"""Elements by which others are read: where they change, those are read before."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of ``%header``, ``%values`` or ``%fields``.

    Attributes:
        written: the field as written.
        field: None where deid finds nothing by it.
    """

    verb: str
    written: str
    field: Field | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Kind:
    """What happens to one kind of element: one answer for all elements of equal names.

    Attributes:
        lines: numbers of the lines that mean it, in order; not those of lists.
        spared: a REPLACE or JITTER line names it, so that no REMOVE takes it.
        gone: whatever else is said, it is removed or emptied.
        context: others are read by it.
        sequence: its VR is SQ.
    """

    names: Names
    lines: tuple[int, ...]
    spared: bool
    gone: bool
    context: bool
    sequence: bool


Key = tuple[int, str | None, str | None, str | None, bool]
"""Tag, VR as in the file, private creator, names around it, and whether it is not decoded."""


class Script:
    """A recipe, ready to be applied.

    Attributes:
        lines: of ``%header``, in order.
        moving: whether a line looks at values or calls a function, so that the order of lines
            matters beyond one element.
        by_place: whether a line names an element by the numbers of its items.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.lines = [_line(one) for one in config.get("header", ())]
        self.lists = {kind: _lists(config.get(kind)) for kind in ("values", "fields")}
        everything = [*self.lines, *(one for some in self._all_lists() for one in some)]
        self.by_place = any(")__" in one.written for one in everything)
        self.moving = any(_moves(one) for one in self.lines)
        self.keeps = [one.field for one in self.lines if one.verb == "KEEP"]
        self.additions = {one.written for one in self.lines if one.verb == "ADD"}
        self._finder = Finder([None if one.verb == "ADD" else one.field for one in self.lines])
        self._keep_finder = Finder(self.keeps)
        sparing = ("REPLACE", "JITTER")
        self._sparing = Finder([one.field if one.verb in sparing else None for one in self.lines])
        self.quick: dict[Key, Kind] = {}
        self._kinds: dict[tuple[int, str, str, str | None, str], Kind] = {}
        self._kept: dict[tuple[int, str, str | None], bool] = {}

    def _all_lists(self) -> list[Sequence[Line]]:
        return [some for lists in self.lists.values() for some in lists.values()]

    def kind(self, names: Names) -> Kind:
        """What happens to elements of these names."""
        key = (names.tag, names.vr, names.nested, names.creator, names.place)
        found = self._kinds.get(key)
        if found is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            found = self._kinds[key] = self._made(names)
        return found

    def _made(self, names: Names) -> Kind:
        numbers = tuple(self._finder.find(names))
        spared = bool(self._sparing.find(names))
        verbs = [(self.lines[n].verb, self.lines[n].value) for n in numbers]
        removed = not spared and any(v == "REMOVE" and value is None for v, value in verbs)
        blanked = any(v == "BLANK" for v, _ in verbs)
        creator = names.private and (names.tag & 0xFFFF) < 0x0100  # noqa: PLR2004 - PS3.5 7.8.1
        context = creator or names.tag in _CONTEXT
        gone = names.vr == "SQ" and (removed or blanked)
        return Kind(names, numbers, spared, gone, context, names.vr == "SQ")

    def remember(self, key: Key, kind: Kind) -> None:
        """The answer for elements that are not decoded yet."""
        if len(self.quick) >= _MOST_KINDS:
            self.quick.clear()
        self.quick[key] = kind

    def kept(self, names: Names) -> bool:
        """Whether a KEEP line names an element of the top level."""
        key = (names.tag, names.vr, names.creator)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KINDS:
                self._kept.clear()
            self._kept[key] = bool(self._keep_finder.find(names))
        return self._kept[key]


def _moves(line: Line) -> bool:
    value = line.value or ""
    by_list = line.field is not None and line.field.by in (By.VALUES, By.FIELDS)
    filtered = line.verb == "REMOVE" and line.value is not None
    return by_list or filtered or value.startswith("func:")


def _line(read: Mapping[str, str]) -> Line:
    written = read["field"]
    return Line(read["action"], written, _field(written), read.get("value"))


def _field(written: str) -> Field | None:
    for prefix in ("values", "fields"):
        if written.startswith(prefix):
            return Field(By(prefix), written.removeprefix(f"{prefix}:"))
    try:
        return field_of(written)
    except UnknownExpander:
        return None


def _lists(read: Mapping[str, Sequence[Mapping[str, str]]] | None) -> dict[str, list[Line]]:
    return {name: [_line(one) for one in lines] for name, lines in (read or {}).items()}


def script_of(recipe: str | Path | Sequence[str | Path] | None) -> Script:
    """A recipe by path or by the name under which deid ships it, compiled once.

    Raises:
        RecipeError: there is no such recipe, or deid itself cannot read it.
        MissingDependency: deid is not installed.
    """
    sources = [_DEFAULT] if recipe is None else recipe
    sources = [sources] if isinstance(sources, str | Path) else list(sources)
    return _read(tuple(_found(source) for source in sources))


def _found(source: str | Path) -> tuple[str, int, int]:
    """A recipe's file, and what tells whether it has changed."""
    path: Path | None = Path(source)
    try:
        stat = Path(source).stat()
    except OSError:
        path = deid_text.path_of(source)
        if path is None:
            deid_text.required()
            raise RecipeError(
                str(source), ["there is no such file, and deid ships none so named"]
            ) from None
        stat = path.stat()
    return str(path), stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=8)
def _read(files: tuple[tuple[str, int, int], ...]) -> Script:
    paths = [path for path, _, _ in files]
    try:
        return Script(deid_text.as_deid_reads(paths))
    except deid_text.NotUnderstood as error:
        raise RecipeError(", ".join(Path(path).name for path in paths), [str(error)]) from None
    except re.error as error:
        name = ", ".join(Path(path).name for path in paths)
        raise RecipeError(name, [f"no regular expression: {error}"]) from None
