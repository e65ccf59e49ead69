"""Where the patterns of a person stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cohortkit.traces.patterns import Pattern, Patterns, Rule
from cohortkit.traces.spellings import accents, fold, variants

_LETTER = re.compile(r".[\u0300-\u036f\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*", re.DOTALL)
"""A character, with the accents and invisible ones behind it."""


class Span(NamedTuple):
    """A part of a text, from ``start`` up to ``end``, and as what it was found."""

    start: int
    end: int
    kind: str


def standing(patterns: Patterns, text: str) -> Iterator[Pattern]:
    """The patterns in a text, as it is written and with its accents taken or spelled out."""
    if text and patterns.items:
        for form in accents(fold(text)):
            for index, _, _ in _matches(patterns, form):
                yield patterns.items[index]


def spans(patterns: Patterns, text: str) -> list[Span]:
    """Where they stand, in the letters of the text itself: all that ``standing`` finds.

    Folding may change how many letters there are. Where that hides a place, the whole text is it.
    """
    if not text or not patterns.items:
        return []
    if text.isascii():
        return [
            Span(start, end, patterns.items[index].kind)
            for index, start, end in _matches(patterns, fold(text))
        ]
    found: list[Span] = []
    for number, form in enumerate(variants(fold(text))):
        places = _places(text, number, form)
        found += [
            Span(places[start][0], places[end - 1][1], patterns.items[index].kind)
            for index, start, end in _matches(patterns, form)
        ]
    return found


def _places(text: str, number: int, form: str) -> list[tuple[int, int]]:
    """From where to where in the text each letter of one of its variants comes from."""
    found: list[tuple[int, int]] = []
    folded = []
    for letter in _LETTER.finditer(text):
        folded.append(variants(fold(letter[0]))[number])
        found += [letter.span()] * len(folded[-1])
    return found if "".join(folded) == form else [(0, len(text))] * len(form)


def _matches(patterns: Patterns, form: str) -> Iterator[tuple[int, int, int]]:
    """Pattern, start and end in a folded text."""
    for index, start, end in patterns.automaton.find_matches_as_indexes(form, overlapping=True):
        if _stands(patterns.items[index].rule, form, start, end):
            yield index, start, end


def _stands(rule: Rule, text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    match rule:
        case Rule.ANYWHERE:
            return True
        case Rule.TOKEN:
            return not before.isalnum() and not after.isalnum()
        case Rule.NUMBER | Rule.DATE:
            return not (before.isdigit() or after.isdigit() or _decimal(text, start, end))
        case Rule.UID:
            return not (before.isdigit() or after.isdigit()) and before != "."


def _decimal(text: str, start: int, end: int) -> bool:
    """Whether digits go on behind a point: a part of a decimal number or of a UID."""
    left = start > 1 and text[start - 1] == "." and text[start - 2].isdigit()
    right = end + 1 < len(text) and text[end] == "." and text[end + 1].isdigit()
    return left or right
