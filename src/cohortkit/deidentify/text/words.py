"""Which words of a text are of the trade, and so may stay; numbers too, if they are short."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cohortkit.recipe.text import Words
from cohortkit.traces.spellings import fold, plain

_HIDDEN = "\u0300-\u036f\u00ad\u200b-\u200f\u2060-\u2064\ufeff"
RUN = re.compile(rf"(?:[^\W_]|[{_HIDDEN}])+")
"""Letters and digits, with the accents and invisible ones among them."""
_PARTS = re.compile(r"[a-zA-Z]+|[0-9]+")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SIZE = re.compile(r"[0-9]{1,4}(?:[xX][0-9]{1,4}){1,3}(?:mm|cm)?")
_DIMENSIONS = re.compile(r"[1-4][dD](?=[a-zA-Z])")
_MOST_PARTS, _MOST_DIGITS = 4, 4
_BETWEEN = 3  # characters between the words of a phrase
_SIGNS = frozenset(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\t\r\n\f°±÷…”„•·§½¼¾²³€£") | frozenset(
    "\N{MULTIPLICATION SIGN}\N{EN DASH}\N{EM DASH}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{LEFT SINGLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}"
)
_MICRO = str.maketrans({"μ": "u", "µ": "u"})
_MOST_REMEMBERED = 50_000


@dataclass(slots=True)
class Vocabulary:
    """The words that may stay, ready to be asked."""

    words: Words
    _judged: dict[str, bool] = field(default_factory=dict)

    def unknown(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a word, a number or a sign stands that may not stay."""
        runs = [match.span() for match in RUN.finditer(text)]
        known = [self.knows(text[start:end]) for start, end in runs]
        for first, last in self._phrases(text, runs, known):
            known[first:last] = [True] * (last - first)
        end = 0
        for (start, stop), good in zip(runs, known, strict=True):
            yield from _strange_signs(text, end, start)
            end = stop
            if not good:
                yield start, stop
        yield from _strange_signs(text, end, len(text))

    def listed(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a word or a phrase with figures in it stands that is on the list as it is."""
        runs = [match.span() for match in RUN.finditer(text)]
        for first, last in self._phrases(text, runs, (False,)):
            yield runs[first][0], runs[last - 1][1]
        for start, end in runs:
            if _bare(text[start:end]).casefold() in self.words.single:
                yield start, end

    def knows(self, run: str) -> bool:
        """Whether a run of letters and digits may stay: a word, a short number, or both in one."""
        found = self._judged.get(run)
        if found is None:
            if len(self._judged) >= _MOST_REMEMBERED:
                self._judged.clear()
            found = self._judged[run] = self._knows(run)
        return found

    def _knows(self, run: str) -> bool:
        bare = _bare(run)
        if bare.casefold() in self.words.single or _SIZE.fullmatch(bare):
            return True
        if not bare.isascii() or not bare:
            return False
        dimensions = _DIMENSIONS.match(bare)
        parts = _PARTS.findall(bare[dimensions.end() :] if dimensions else bare)
        digits = sum(len(part) for part in parts if part.isdigit())
        return (
            len(parts) <= _MOST_PARTS
            and digits <= _MOST_DIGITS
            and all(part.isdigit() or self._is_word(part) for part in parts)
        )

    def _is_word(self, part: str) -> bool:
        """A letter, a word, or words of which each begins with a capital (``ReconFilter``)."""
        if len(part) == 1 or part.casefold() in self.words.single:
            return True
        humps = [hump.casefold() for hump in _HUMPS.findall(part)]
        return any(len(hump) > 1 for hump in humps) and all(
            len(hump) == 1 or hump in self.words.single for hump in humps
        )

    def _phrases(
        self, text: str, runs: Sequence[tuple[int, int]], known: Sequence[bool]
    ) -> Iterator[tuple[int, int]]:
        """From which run to which a phrase stands."""
        if all(known):
            return
        folded = [_bare(text[start:end]).casefold() for start, end in runs]
        for first, word in enumerate(folded):
            for phrase in self.words.phrases.get(word, ()):
                last = first + len(phrase)
                near = all(
                    runs[n + 1][0] - runs[n][1] <= _BETWEEN
                    for n in range(first, min(last, len(runs)) - 1)
                )
                if tuple(folded[first:last]) == phrase and near:
                    yield first, last

    def share(self, text: str, unknown: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """How many words of a text (two letters or more) stay, and how many do not."""
        strange = {start for start, _ in unknown}
        kept = lost = 0
        for match in RUN.finditer(text):
            if sum(letter.isalpha() for letter in match[0]) > 1:
                lost += match.start() in strange
                kept += match.start() not in strange
        return kept, lost


def parts_of(run: str) -> list[str]:
    """The words and numbers in a run of letters and digits, as its capitals and digits part it."""
    return [
        piece.casefold()
        for part in _PARTS.findall(_bare(run))
        for piece in ([part] if part.isdigit() else _HUMPS.findall(part))
    ]


def _bare(run: str) -> str:
    """Without accents and what cannot be seen, wide letters narrow, case as it is."""
    if run.isascii():
        return run
    shown = "".join(c for c in unicodedata.normalize("NFKC", run) if fold(c))
    return plain(shown).translate(_MICRO)


def _strange_signs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for place in range(start, end):
        if text[place] not in _SIGNS:
            yield place, place + 1
