"""Rectangles of an image: whole pixels, counted from the upper left corner. Pure numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Rectangle:
    """A part of every frame.

    Attributes:
        left, top: column and row of its first pixel, from 0.
        width, height: columns and rows, from 1.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The column after its last."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The row after its last."""
        return self.top + self.height

    def holds(self, row: int, column: int) -> bool:
        """Whether a pixel lies in it."""
        return self.top <= row < self.bottom and self.left <= column < self.right

    def within(self, rows: int, columns: int) -> bool:
        """Whether it holds a pixel and lies in an image of this size whole."""
        holds = self.width >= 1 and self.height >= 1
        return (
            holds
            and min(self.left, self.top) >= 0
            and self.right <= columns
            and (self.bottom <= rows)
        )

    def clipped(self, rows: int, columns: int) -> Rectangle:
        """What of it lies in an image of this size; it holds no pixel where nothing does."""
        left, top = max(self.left, 0), max(self.top, 0)
        right, bottom = min(self.right, columns), min(self.bottom, rows)
        return Rectangle(left, top, max(right - left, 0), max(bottom - top, 0))
