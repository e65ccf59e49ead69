"""Elements that follow one another as they did in a file before: known by one comparison.

The files of a series have the same elements, and most of these the same length in each. So a run
of elements is remembered by its heads (tag, VR and length, which is all that a walk looks at); in
the next file all heads are taken at once and compared. If one differs, the run ends before it. So
a remembered run says nothing about a file that the file does not say itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

LARGEST: Final = 1024
"""Bytes of a value in a run; more is better stepped over in the file."""

_KEY = 8
_LONGEST = 32  # elements of a run
_FEWEST = 3  # elements that are worth a comparison
_MOST = 4096  # runs that are remembered
_MOST_MISSES = 16  # after which all are learned anew: the files have become others

Head = tuple[int, bytes, int, str]
"""Tag, the bytes of the head, length of the value, VR ("" where the file has none)."""


@dataclass(frozen=True, slots=True)
class Run:
    """Elements that may follow one another.

    Attributes:
        heads: its elements.
        layout: takes the heads and leaves out the values.
        bytes_of: the heads as they have to be.
        size: bytes of the run in a file.
        first, last: tags at its ends; in between they ascend.
        values: tag, VR, and where the value lies in the run, of the wanted elements.
    """

    heads: tuple[Head, ...]
    layout: Struct
    bytes_of: tuple[bytes, ...]
    size: int
    first: int
    last: int
    values: tuple[tuple[int, str, int, int], ...]


class Runs:
    """The runs that are known, by the first eight bytes of each; None where none is worth it.

    Args:
        wanted: tags of which the value is wanted.
    """

    def __init__(self, wanted: frozenset[int]) -> None:
        self.wanted = wanted
        self.known: dict[bytes, Run | None] = {}
        self._misses = 0

    def learn(self, heads: list[Head]) -> list[Head]:
        """Remember elements that were met one by one, in ascending order; an empty list."""
        if len(self.known) >= _MOST or self._misses >= _MOST_MISSES:
            self.known.clear()
            self._misses = 0
        for at in range(0, len(heads), _LONGEST):
            piece = heads[at : at + _LONGEST]
            key = piece[0][1][:_KEY]
            if key not in self.known:
                self.known[key] = self._run(piece)
        return []

    def shorter(self, run: Run, found: tuple[bytes, ...]) -> Run | None:
        """The part of a run that agrees with the heads found; known from now on in its place."""
        self._misses += 1
        same = next(at for at, head in enumerate(run.bytes_of) if head != found[at])
        left = self.known[run.bytes_of[0][:_KEY]] = self._run(run.heads[:same])
        return left

    def _run(self, heads: Sequence[Head]) -> Run | None:
        if len(heads) < _FEWEST:
            return None
        at, values = 0, []
        for tag, head, length, vr in heads:
            at += len(head)
            if tag in self.wanted:
                values.append((tag, vr, at, at + length))
            at += length
        return Run(
            heads=tuple(heads),
            layout=Struct("<" + "".join(f"{len(head)}s{size}x" for _, head, size, _ in heads)),
            bytes_of=tuple(head for _, head, _, _ in heads),
            size=at,
            first=heads[0][0],
            last=heads[-1][0],
            values=tuple(values),
        )
