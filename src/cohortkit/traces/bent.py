"""A name as a sentence bends it: with an ending, a number, an umlaut lost, glued to a word."""

from __future__ import annotations

import re
from typing import Final

from cohortkit.traces.scripts import dense

BENT: Final = 4
"""Letters of a name that has endings."""

_GLUED: Final = 6  # letters of a name that is known inside a longer word
_APART: Final = 8  # letters of one that is known in pieces: Mc Donaldson
_ENDING: Final = 2
_UMLAUT: Final = re.compile("ae|oe|ue")
_NUMBERED: Final = re.compile(r"\d{1,4}")


def plainer(text: str) -> str:
    """One letter for each two that may stand for an umlaut: Mueller is Muller."""
    return _UMLAUT.sub(lambda two: two[0][0], text)


def is_form(word: str, name: str, *, common: bool = False) -> bool:
    """Whether a word is a name, has a case ending, plural or number behind it, or is glued to it.

    Args:
        word: folded.
        name: folded.
        common: the name is a word of the language, which has endings of its own.
    """
    if word == name:
        return True
    if dense(name):
        return len(name) > 1 and name in word
    behind = word[len(name) :] if word.startswith(name) else ""
    if len(name) >= BENT and _NUMBERED.fullmatch(behind):
        return True
    if common or len(name) < BENT:
        return behind == "s"
    return 0 < len(behind) <= _ENDING or (len(name) >= _GLUED and name in word)


def in_pieces(text: str, name: str) -> bool:
    """Whether the letters of a text, whatever stands between them, hold a long name."""
    return len(name) >= _APART and name in text
