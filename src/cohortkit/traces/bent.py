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
_CUT: Final = 5  # letters of a name that was cut off
_STEM: Final = 5  # letters in front of an ending that a name is known without
_BIRTH_NAMES: Final = re.compile(r"(?:ov|ow|ev|ew)(?:a|na)$|(?<=[sc]k)(?:aya|aja|ij|[aiy])$|[ay]$")
"""What makes a name of a woman, or of a man, in Slavic languages: behind it both have one stem."""
_CASES: Final = frozenset(
    """
    a u y i e o em om im ym ie iu ou ov ow ev ew ova owa eva ewa ove ovi ovo ovu ovy ovou ovom ovym
    ovych owej owie owi owo owy owym owych ovna ovny ovne owna owny ownie evna ego emu ej iej iego
    iemu ich ych aya aja oj oi uju ij
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Endings of Slavic names."""
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
    if 0 < len(behind) <= _ENDING or (len(name) >= _GLUED and name in word):
        return True
    return _is_slavic_form(word, name)


def _is_slavic_form(word: str, name: str) -> bool:
    """Whether both have one stem, and Slavic endings behind it: Dvorak, Dvorakova, Dvorakovi."""
    if word.startswith(name) and word[len(name) :] in _CASES:
        return True
    stem = _BIRTH_NAMES.sub("", name)
    if len(stem) < _STEM or stem == name or not word.startswith(stem):
        return False
    return word == stem or word[len(stem) :] in _CASES


def is_cut(word: str, name: str) -> bool:
    """Whether a word is a name that was cut off, or has another last letter."""
    if len(word) < _CUT or word.isdigit():
        return False
    return name.startswith(word) or (len(name) >= _GLUED and word[:-1] == name[:-1])


def in_pieces(text: str, name: str) -> bool:
    """Whether the letters of a text, whatever stands between them, hold a long name."""
    return len(name) >= _APART and name in text
