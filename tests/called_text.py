"""Detectors for tests: workers import them by name."""

from __future__ import annotations

from collections.abc import Iterator


def vowels(text: str) -> Iterator[tuple[int, int]]:
    """Words that begin with a U."""
    place = 0
    for word in text.split(" "):
        if word.startswith("U"):
            yield place, place + len(word)
        place += len(word) + 1


def beyond(text: str) -> Iterator[tuple[int, int]]:
    """A part that is not in the text."""
    yield 0, len(text) + 1


def failing(text: str) -> Iterator[tuple[int, int]]:
    """It does not work."""
    raise ValueError(text)
