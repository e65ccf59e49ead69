"""The data dictionary (PS3.6) by keyword, and the nearest words to one that it lacks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache

from pydicom import datadict
from pydicom._dicom_dict import RepeatersDictionary

_NEAREST = 3
_WORD_LIMIT = 200  # no keyword is longer; what is longer is not compared with all of them


def tag_of(keyword: str) -> int | None:
    """The tag of a keyword as one number (group << 16 | element); None where it has none.

    Keywords of repeating groups (overlays, curves) stand for many tags and have none.
    """
    tag = datadict.tag_for_keyword(keyword) if keyword else None  # unnamed rows have ""
    return None if tag is None else int(tag)


@cache
def _repeating() -> dict[str, int]:
    rows = RepeatersDictionary.items()
    return {row[4]: int(mask.replace("x", "0"), 16) for mask, row in rows if row[4]}


def repeating_tag_of(keyword: str) -> int | None:
    """The first tag of a keyword that stands for many (overlays, curves); None for any other."""
    return _repeating().get(keyword)


def vr_of(keyword: str) -> str | None:
    """The value representation of a keyword as the dictionary has it (``"US or SS"`` too)."""
    tag = tag_of(keyword) or repeating_tag_of(keyword)
    return None if tag is None else datadict.dictionary_VR(tag)


def is_multiple(keyword: str) -> bool:
    """Whether the dictionary allows the attribute more than one value."""
    tag = tag_of(keyword)
    return tag is not None and datadict.dictionary_VM(tag) != "1"


@cache
def all_keywords() -> frozenset[str]:
    """Every keyword of the dictionary that stands for one tag."""
    return frozenset(keyword for keyword in datadict.keyword_dict if keyword)


def neighbours(word: str, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """The known words nearest to a misspelt one, nearest first, at most three.

    Args:
        word: what somebody wrote.
        known: the words that would have been right; all keywords if None.
    """
    written = _folded(word[:_WORD_LIMIT])
    if not written:
        return ()
    by_fold = _by_fold() if known is None else _by_folds(known)
    near = difflib.get_close_matches(written, by_fold, n=_NEAREST, cutoff=0.6)
    contained = sorted((w for w in by_fold if written in w), key=lambda w: (len(w), w))
    return tuple(by_fold[w] for w in dict.fromkeys([*near, *contained]))[:_NEAREST]


@cache
def _by_fold() -> dict[str, str]:
    return _by_folds(all_keywords())


def _by_folds(known: Iterable[str]) -> dict[str, str]:
    by_fold: dict[str, str] = {}
    for candidate in sorted(known):
        by_fold.setdefault(_folded(candidate), candidate)
    return by_fold


def _folded(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())
