"""A table made of rows as they come: memory holds a piece of it at a time, the rest is packed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

PIECE: Final = 2000
"""Rows that are held as Python objects at a time."""

_ROWS_A_GROUP: Final = 25_000  # one is held unpacked, of each table as it is written

Row = Mapping[str, Any]


class Sheet:
    """The rows of one table, packed; their bytes as Parquet depend on the rows alone.

    Not on how they were cut into pieces, nor on how many processors there are.

    Attributes:
        schema: its columns.
        height: how many rows it has.
    """

    def __init__(self, schema: pl.Schema) -> None:
        self.schema = schema
        self.height = 0
        self._held: list[Row] = []
        self._pieces: list[bytes] = []

    def extend(self, rows: Iterable[Row]) -> None:
        """Some more rows, whose cells are what the schema says."""
        self._held.extend(rows)
        if len(self._held) >= PIECE:
            self._pack()

    def _pack(self) -> None:
        if self._held:
            cells = {name: [row.get(name) for row in self._held] for name in self.schema}
            self.add(pl.DataFrame(cells, schema=self.schema))
            self._held = []

    def add(self, frame: pl.DataFrame) -> None:
        """The same, as a frame; not between rows."""
        out = io.BytesIO()
        frame.write_ipc(out, compression="zstd")
        self._pieces.append(out.getvalue())
        self.height += frame.height

    def lazy(self) -> pl.LazyFrame:
        """The whole table; unpacked as it is asked for."""
        self._pack()
        if not self._pieces:
            return pl.LazyFrame(schema=self.schema)
        return pl.scan_ipc(list(self._pieces))

    def frames(self) -> Iterator[pl.DataFrame]:
        """Piece by piece."""
        self._pack()
        yield from (pl.read_ipc(piece) for piece in self._pieces)

    def parquet(self, *, by: Sequence[str] = ()) -> bytes:
        """The file.

        Args:
            by: columns to sort the rows by, where they do not come in order; rows that are equal
                in these stay as they came.
        """
        rows = self._sorted(by).lazy() if by else self.lazy()
        out = io.BytesIO()
        rows.sink_parquet(
            out,
            compression="zstd",
            compression_level=3,
            statistics=True,
            row_group_size=_ROWS_A_GROUP,
            maintain_order=True,
        )
        return out.getvalue()

    def _sorted(self, by: Sequence[str]) -> Sheet:
        """The same rows in order, cut as others are: a sort hands them on by its threads."""
        found = Sheet(self.schema)
        for piece in self.lazy().sort(by, maintain_order=True).collect().iter_slices(PIECE):
            found.add(piece)
        return found
