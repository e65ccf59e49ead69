"""Searching bytes, rows and names for the patterns of a patient. A hit never holds the value."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cohortkit.dicom.keywords import all_keywords
from cohortkit.model import Scalar
from cohortkit.model.terms import TERMS
from cohortkit.traces.fields import Kind
from cohortkit.traces.find import standing
from cohortkit.traces.patterns import LEAST_DIGITS, SHORT, Pattern, Patterns, Rule
from cohortkit.traces.spellings import fold
from cohortkit.verify.containers import (
    Buffer,
    Cell,
    Form,
    Piece,
    Place,
    json_cells,
    pieces,
    table_cells,
)
from cohortkit.verify.memory import Memory

_NOISE = 4  # bytes: shorter tokens are in any binary by chance
_DAY = 8  # figures of a date
_LEAST = 10 ** (LEAST_DIGITS - 1)
_FIGURES = (int, float)  # and not bool
_NUMBER = 8  # bytes, as which a number is counted
_SUFFIXES = (
    ".nii.gz",
    ".nii",
    ".dcm",
    ".json",
    ".png",
    ".bval",
    ".bvec",
    ".parquet",
    ".csv",
    ".html",
)


@dataclass(frozen=True, slots=True)
class Ours:
    """What cohortkit itself writes, and where: there, and as the whole value, it is no hit.

    Attributes:
        names: pseudonyms and our other made-up words, which stand for nobody anywhere; folded.
        folders: the first folder of a path: the kinds of output.
        places: column, key or DICOM keyword → texts that we write there; folded. The same text in
            any other place is somebody's.
    """

    names: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def wrote(self, value: str, of: str) -> bool:
        """Whether this text in this place is from us and not from a patient."""
        text = fold(value)
        return text in self.names or text in self.places.get(of, ())


NOBODY = Ours()


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Where an identity stands and of what kind it is.

    Attributes:
        place: ``name``, ``nifti header``, ``png chunk``, ``json``, ``table`` …; never a value.
    """

    place: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Scanned:
    """The hits, sorted, and how many bytes were looked at."""

    hits: tuple[Hit, ...]
    bytes: int

    def __add__(self, other: Scanned) -> Scanned:
        return Scanned(tuple(sorted({*self.hits, *other.hits})), self.bytes + other.bytes)


NOTHING_SCANNED = Scanned((), 0)


def search(patterns: Patterns, name: str, data: Buffer, *, ours: Ours = NOBODY) -> tuple[Hit, ...]:
    """The hits in one file: in its name and in every part that is not samples.

    Args:
        patterns: of the patient whose file it is.
        name: path in the release, with forward slashes.
        data: the file's bytes.
        ours: what cohortkit writes itself, and where.
    """
    return scan_file(patterns, name, data, ours=ours).hits


def scan_file(
    patterns: Patterns,
    name: str,
    data: Buffer,
    *,
    ours: Ours = NOBODY,
    seen: Memory | None = None,
) -> Scanned:
    """As ``search``, with the count of bytes that were looked at.

    ``seen`` is of files that were searched for these same patterns, and with the same ``ours``.
    """
    found = {Hit("name", item.kind) for item in _in_name(patterns, name, ours)}
    looked = len(name)
    inside: set[Hit] = set()
    for piece in pieces(name, data, seen):
        looked += piece.skipped + len(piece.data)
        looked += sum(len(str(cell)) for _, cell in piece.cells)
        inside |= {Hit(piece.place, item.kind) for item in _in_piece(patterns, piece, ours)}
    if seen is not None:
        seen.settle(clean=not inside)
    found |= inside
    return Scanned(tuple(sorted(found)), looked)


def scan_rows(
    patterns: Patterns,
    rows: Mapping[str, Iterable[Mapping[str, object]]],
    *,
    ours: Ours = NOBODY,
) -> Scanned:
    """The hits in released table rows, by table and column."""
    found: set[Hit] = set()
    looked = 0
    done: set[tuple[str, str, str]] = set()
    for table, lines in rows.items():
        for line in lines:
            for column, value in line.items():
                if _small(value):
                    looked += _NUMBER
                    continue
                key = (table, column, repr(value))
                if key in done:
                    continue
                done.add(key)
                looked += len(key[2])
                place = f"table {table}.{column}"
                found |= {Hit(place, item.kind) for item in in_cell(patterns, value, ours, column)}
    return Scanned(tuple(sorted(found)), looked)


def _small(value: object) -> bool:
    """Whether a cell is nothing, or a number (or a list of them) that is nobody's."""
    if isinstance(value, list | tuple):
        return all(map(_small, value))
    if value is None:
        return True
    return type(value) in _FIGURES and -_LEAST < value < _LEAST


# --- the parts of a file --------------------------------------------------------------------


def _in_name(patterns: Patterns, name: str, ours: Ours) -> Iterator[Pattern]:
    folder, slash, last = name.rpartition("/")
    text = f"{folder_text(folder, ours)}/{name_text(last, ours)}" if slash else _stem(name)
    yield from in_names(patterns, text)


def in_names(patterns: Patterns, text: str) -> Iterator[Pattern]:
    """Names are text, but a short number in one is an ordinal (``0010.png``)."""
    for item in standing(patterns, text):
        if not (item.text.isdigit() and len(item.text) < SHORT):
            yield item


def folder_text(folder: str, ours: Ours) -> str:
    """What of a folder's path is not from us."""
    first, *rest = fold(folder).split("/")
    kept = [] if first in ours.folders else [first]
    return "/".join((*kept, *(part for part in rest if part not in ours.names)))


def name_text(last: str, ours: Ours) -> str:
    """What of a file's name in a folder is not from us, without its suffix."""
    stem = _stem(last)
    return "" if stem in ours.names else stem


def _stem(last: str) -> str:
    folded = fold(last)
    return folded.removesuffix(next((end for end in _SUFFIXES if folded.endswith(end)), ""))


def _in_piece(patterns: Patterns, piece: Piece, ours: Ours) -> Iterator[Pattern]:
    if piece.form is Form.RAW:
        yield from in_bytes(patterns, piece.data)
        return
    if piece.form is Form.TEXT:
        text = piece.data.decode("utf-8", "replace")
        yield from standing(patterns, text)
        if "&" in text:
            yield from standing(patterns, html.unescape(text))
        return
    if piece.form is Form.CELLS:
        yield from _in_cells(patterns, piece.cells, ours)
        return
    cells = cells_of(piece)
    if cells is None:
        yield from in_bytes(patterns, piece.data)
        return
    for of, value in cells:
        yield from in_cell(patterns, value, ours, of)


def cells_of(piece: Piece) -> Iterator[tuple[str, Cell]] | None:
    """The cells of a piece of JSON or of a table, keys of the trade apart; None: it is neither."""
    cells = json_cells(piece.data) if piece.form is Form.JSON else table_cells(piece.data)
    if cells is None:
        return None
    return ((one.of, one.value) for one in cells if told(one))


def told(one: Place) -> bool:
    """Whether it may be from a patient: a key that is a word of the trade is not."""
    return one.role == "value" or not (one.value in TERMS or one.value in all_keywords())


def _in_cells(
    patterns: Patterns, cells: Iterable[tuple[str, Scalar]], ours: Ours
) -> Iterator[Pattern]:
    """Text is looked through all at once, and one by one only where that finds something."""
    known = list(cells)
    texts = [cell for _, cell in known if isinstance(cell, str)]
    found = any(True for _ in standing(patterns, "\n".join(texts)))
    for of, cell in known:
        if found or not isinstance(cell, str):
            yield from in_cell(patterns, cell, ours, of)


def in_bytes(patterns: Patterns, data: bytes) -> Iterator[Pattern]:
    """Bytes that may hold text, however encoded; what is in any by chance does not count."""
    texts = {data.decode("latin-1"), data.decode("utf-8", "replace")}
    if b"\0" in data:  # UTF-16, or text that was padded
        texts |= {text.replace("\0", "") for text in texts}
    for text in texts:
        for item in standing(patterns, text):
            if len(item.text.encode()) >= _NOISE:
                yield item


def in_cell(patterns: Patterns, value: object, ours: Ours, of: str) -> Iterator[Pattern]:
    """A string is text; a whole number is its digits; a date is its ISO form."""
    if isinstance(value, str):
        if value not in patterns.silent and not ours.wrote(value, of):
            yield from standing(patterns, value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from in_cell(patterns, inner, ours, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from in_cell(patterns, inner, ours, of)
    else:
        yield from _in_scalar(patterns, value)


def _in_scalar(patterns: Patterns, value: object) -> Iterator[Pattern]:
    match value:
        case bool() | None | dt.time():
            return
        case int():
            yield from _in_number(patterns, value)
        case float():
            if value.is_integer():
                yield from _in_number(patterns, int(value))
        case dt.date():
            if not patterns.shifted:
                yield from standing(patterns, value.isoformat())
        case _:
            yield from standing(patterns, str(value))


def _in_number(patterns: Patterns, number: int) -> Iterator[Pattern]:
    """A whole number of five digits or more is compared as text; a shorter one is any number.

    A date that somebody wrote as a number (20220103, or seconds since 1970) counts under every
    recipe: no shift moves it. In six figures it does not: a time of day has as many.
    """
    if abs(number) < _LEAST:
        return
    for item in standing(patterns, str(number)):
        if item.rule is not Rule.DATE or len(item.text) >= _DAY:
            yield item
