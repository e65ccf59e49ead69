"""Where the patterns of a person stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from cohortkit.traces.days import epoch_days
from cohortkit.traces.patterns import LEAST_DIGITS, LONG_WORD, Pattern, Patterns, Rule
from cohortkit.traces.spellings import accents, fold, variants

_LETTER = re.compile(r".[\u0300-\u036f\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*", re.DOTALL)
"""A character, with the accents and invisible ones behind it."""

_ZEROS = re.compile(r"\.0+(?![\d.])")
_EXPONENT = re.compile(r"e[+-]?[0-9]")
_POWER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?e[+-]?[0-9]{1,2}")
_SECONDS = re.compile(r"[0-9]{9,}")
_EPOCHS = frozenset({9, 10, 12, 13, 15, 16, 18, 19})  # digits of seconds and of parts of them
_NO_NUMBER = frozenset({Rule.DATE, Rule.UID})
_EIGHT = 8  # digits: fewer that are a date stand alone, or they are a part of another number
_LONGEST = 20


class Span(NamedTuple):
    """A part of a text, from ``start`` up to ``end``, and as what it was found."""

    start: int
    end: int
    kind: str


def standing(patterns: Patterns, text: str) -> Iterator[Pattern]:
    """The patterns in a text, as it is written and with its accents taken or spelled out."""
    if not text or not patterns.items or text in patterns.silent:
        return
    silent = True
    for form in accents(fold(text)):
        for index, _, _ in _matches(patterns, form):
            silent = False
            yield patterns.items[index]
    if silent:
        patterns.hush(text)


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
        item = patterns.items[index]
        low, high = _number(item, form, start, end)
        if _stands(item, form, low, high):
            yield index, low, high
    yield from _reckoned(patterns, form)


def _number(item: Pattern, text: str, start: int, end: int) -> tuple[int, int]:
    """Where a number begins and ends, with the zeros around it: 00012345 and 12345.0 are one."""
    if item.rule in _NO_NUMBER or not item.text.isdigit() or len(item.text) < LEAST_DIGITS:
        return start, end
    while item.text[0] != "0" and start and text[start - 1] == "0":
        start -= 1
    zeros = _ZEROS.match(text, end)
    return start, zeros.end() if zeros else end


def _stands(item: Pattern, text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    match item.rule:
        case Rule.ANYWHERE:
            return True
        case Rule.UID:
            return not (before.isdigit() or after.isdigit()) and before != "."
        case Rule.WORD:
            return len(item.text) >= LONG_WORD or not (before.isalpha() or after.isalpha())
        case Rule.TOKEN if not item.text.isdigit():
            return not (before.isalnum() or after.isalnum())
    short = item.rule is Rule.DATE and item.text.isdigit() and len(item.text) < _EIGHT
    if short or item.rule is Rule.TOKEN:
        parted = not (before.isalnum() or after.isalnum())
    elif text[start].isalpha():
        parted = not (before.isalpha() or after.isdigit())
    else:
        parted = not (before.isdigit() or after.isdigit())
    return parted and not _decimal(text, start, end)


def _decimal(text: str, start: int, end: int) -> bool:
    """Whether digits go on behind a point: a part of a decimal number or of a UID."""
    left = start > 1 and text[start - 1] == "." and text[start - 2].isdigit()
    right = end + 1 < len(text) and text[end] == "." and text[end + 1].isdigit()
    return left or right


def _reckoned(patterns: Patterns, form: str) -> Iterator[tuple[int, int, int]]:
    """Numbers that are the patient's when they are worked out: 1.2345e4, seconds since 1970."""
    if _EXPONENT.search(form):
        for found in _POWER.finditer(form):
            if _apart(form, *found.span()):
                for index in patterns.numbers.get(_whole(found[0]), ()):
                    yield index, *found.span()
    for found in _SECONDS.finditer(form):
        start, end = found.span()
        if end - start in _EPOCHS and patterns.days and _apart(form, start, end):
            below = (-1,) if form[:start].endswith("-") else ()
            for sign in (1, *below):
                for day in set(epoch_days(sign * int(found[0]))) & patterns.days.keys():
                    yield patterns.days[day], start, end


def _apart(text: str, start: int, end: int) -> bool:
    """Whether a number is no part of a word, a UID or another number; decimals may follow it."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isalnum() or before in "._" or after.isalnum() or after == "_")


def _whole(text: str) -> str:
    """The digits of a number with an exponent; none where it is no whole number."""
    value = Decimal(text)
    whole = value == value.to_integral_value() and value.adjusted() < _LONGEST
    return str(abs(int(value))) if whole else ""
