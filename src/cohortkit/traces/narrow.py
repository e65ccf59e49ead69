"""A text in plain letters and figures, and where in it each of them comes from.

Full-width, raised and circled figures, those of other scripts, accents and what cannot be seen
between two letters make another text for a program and none for a reader.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cohortkit.traces.spellings import fold, plain

_MOST = 4096


class Narrow(NamedTuple):
    """The letters, and for each the place in the source that it stands for."""

    text: str
    places: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """From where to where a part of it stands in the source; ``end`` is not included."""
        return self.places[start], self.places[end - 1] + 1


def narrow(source: str) -> Narrow:
    """The text without accents and invisible signs, its figures as those from 0 to 9."""
    if source.isascii():
        return Narrow(source, range(len(source)))
    letters = [(shown, place) for place, sign in enumerate(source) for shown in _narrow(sign)]
    return Narrow("".join(shown for shown, _ in letters), [place for _, place in letters])


@lru_cache(maxsize=_MOST)
def _narrow(sign: str) -> str:
    if not fold(sign):
        return ""
    figure = unicodedata.digit(sign, None)
    if figure is not None:
        return str(figure)
    shown = plain(unicodedata.normalize("NFKC", sign))
    return "".join(str(unicodedata.digit(one, one)) for one in shown)
