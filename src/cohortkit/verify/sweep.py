"""The search of many files of one person at once.

What their texts say is laid together and looked through in one go; that finds whatever would be
found in one of them. Where it finds something, each file is searched by itself, to say where.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from itertools import chain

from cohortkit.traces.find import standing
from cohortkit.traces.patterns import Patterns
from cohortkit.verify.containers import Buffer, Cell, Form, Piece, Place, json_cells, pieces
from cohortkit.verify.memory import Memory
from cohortkit.verify.search import (
    Ours,
    cells_of,
    folder_text,
    in_bytes,
    in_cell,
    in_names,
    name_text,
    told,
)

_MOST, _MANY = 1 << 20, 1 << 16  # letters and bytes that are held; cells that are remembered


@dataclass(slots=True, repr=False)
class Sweep:
    """Files as they come; ``clean`` says in the end whether anything may be in one of them.

    Attributes:
        patterns: of the patient whose files they are.
        ours: what cohortkit writes itself, and where.
        looked: at how many bytes.
    """

    patterns: Patterns
    ours: Ours
    looked: int = 0
    _memory: Memory = field(default_factory=Memory)
    _texts: set[str] = field(default_factory=set)
    _raw: list[bytes] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _folders: dict[str, str] = field(default_factory=dict)
    _places: set[Place] = field(default_factory=set)
    _held: int = 0
    _found: bool = False

    def take(self, name: str, data: Buffer) -> None:
        """One more file.

        Args:
            name: path in the release, with forward slashes.
            data: the file's bytes.
        """
        folder, _, last = name.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = folder_text(folder, self.ours)
        self._names.append(f"{self._folders[folder]}/{name_text(last, self.ours)}")
        self.looked += len(name)
        for piece in pieces(name, data, self._memory):
            self.looked += piece.skipped + len(piece.data)
            self._piece(piece)
        self._memory.settle(clean=True)  # what was in it is in here, and is searched in the end
        if self._held > _MOST:
            self._look()

    def clean(self) -> bool:
        """Whether nothing is in any of them."""
        self._look()
        return not self._found

    def _look(self) -> None:
        """Search what was laid together, and let go of it."""
        texts, names, raw = "\n".join(self._texts), "\n".join(self._names), b"\1".join(self._raw)
        found = chain(
            in_names(self.patterns, names),
            standing(self.patterns, texts),
            in_bytes(self.patterns, raw),
        )
        self._found = self._found or any(True for _ in found)
        self._texts, self._names, self._raw, self._held = set(), [], [], 0
        if len(self._places) > _MANY:
            self._places = set()

    def _piece(self, piece: Piece) -> None:
        if piece.form is Form.RAW:
            self._plain(piece.data)
        elif piece.form is Form.TEXT:
            text = piece.data.decode("utf-8", "replace")
            self._text(text)
            if "&" in text:
                self._text(html.unescape(text))
        elif piece.form is Form.CELLS:
            for of, known in piece.cells:
                self.looked += len(str(known))
                self._cell(of, known)
        elif not self._structure(piece):
            self._plain(piece.data)

    def _structure(self, piece: Piece) -> bool:
        """The cells of JSON or of a table; whether it is one."""
        if piece.form is Form.JSON and (places := json_cells(piece.data)) is not None:
            for one in places:
                if one not in self._places:
                    self._places.add(one)
                    if told(one):
                        self._cell(one.of, one.value)
            return True
        if piece.form is Form.TABLE and (cells := cells_of(piece)) is not None:
            for of, cell in cells:
                self._cell(of, cell)
            return True
        return False

    def _plain(self, data: Buffer) -> None:
        if data and not self._memory.knows(bytes(data)):
            self._raw.append(bytes(data))
            self._held += len(data)

    def _text(self, text: str) -> None:
        self._texts.add(text)
        self._held += len(text)

    def _cell(self, of: str, cell: Cell) -> None:
        if isinstance(cell, str):
            if cell not in self._texts and not self.ours.wrote(cell, of):
                self._text(cell)
        elif any(True for _ in in_cell(self.patterns, cell, self.ours, of)):
            self._found = True
