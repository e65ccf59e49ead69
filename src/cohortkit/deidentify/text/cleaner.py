"""One value cleaned: what is known, what has a telling form, what is no word of the trade.

Looking is done again after each cut, until nothing is found: what stands on both sides of a cut
may be a name as well. So a cleaned text cleans to itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom.dataset import Dataset

from cohortkit.deidentify.statement import statement_of
from cohortkit.deidentify.text import shapes
from cohortkit.deidentify.text.known import known, own
from cohortkit.deidentify.text.numbers import Place, Token, placed, runs_with
from cohortkit.deidentify.text.words import RUN, Vocabulary, parts_of
from cohortkit.model import Task
from cohortkit.recipe.model import Recipe
from cohortkit.recipe.policy import cleans
from cohortkit.recipe.text import TextPolicy, shipped
from cohortkit.traces.aged import OLDEST
from cohortkit.traces.fields import Kind
from cohortkit.traces.find import spans
from cohortkit.traces.narrow import narrow
from cohortkit.traces.own import Own, What, lowered
from cohortkit.traces.patterns import Patterns, Rule
from cohortkit.traces.spellings import fold, plain

GLUED, WORD, WITHHELD, UNREADABLE = "known, glued", "word", "withheld", "unreadable"
UNPLACED = "number"
"""Rules of the report beside those of ``shapes``, the kinds of ``traces.fields`` and detectors."""

_MOST_TURNS = 12  # a text in which there is still something to find goes whole
_MOST_REMEMBERED = 8192
_NAMES = frozenset({Kind.NAME, Kind.PHYSICIAN})
_WHOLE = frozenset({Rule.TOKEN, Rule.WORD, Rule.NUMBER})
_SHORTEST = 3  # characters: fewer are a part of any code
_CUT = "\0"  # stands where something was; no value holds it
_PARTED = r"[\s,;:^_/#&+|=~*.-]"
_SEAM = re.compile(rf"(?<!{_PARTED})({_PARTED}*)\0(?:{_PARTED}*\0)*({_PARTED}*)")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}|<\s*>|\"\s*\"")
_INITIALS_BEFORE = re.compile(r"(?:(?<![^\W_])[^\W\d_](?:\.|(?=[\s,^]))[\s,^]{0,2}){1,3}$")
_INITIALS_BEHIND = re.compile(r"[\s,^]{0,2}(?:[^\W\d_](?![^\W_])\.?[\s,^]{0,2}){1,3}")
_LETTERS = re.compile(r"[^\W\d_]+")
_SAY_NOTHING = frozenset(
    """
    a an and as at by dr for from if in is it no not of on or the this to via was with
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_GROUPS = re.compile(r"(?<!\d)\d+(?:[ ./-]{1,2}\d+)+")
_DEEPEST = 3  # brackets in brackets that a cut has emptied
_AGE_FIGURES = 3
_NEAR = 24  # characters in which initials are looked for

Found = tuple[int, int, str]
"""Start, end, and the rule by which it goes."""


@dataclass(frozen=True, slots=True, repr=False)
class Cleaned:
    """What is left of a text, and by which rules something went, each as often as it did."""

    left: str
    rules: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Residue:
    """One value that did not stay as it was. Identified: for the vault alone."""

    field: str
    value: str
    left: str
    rules: tuple[tuple[str, int], ...]
    count: int


@dataclass(slots=True, repr=False)
class Cleaner:
    """Cleans the texts of one patient, and keeps what has to be reported.

    Attributes:
        patterns: what is known of the patient.
        vocabulary: the words that may stay.
        policy: the recipe's detectors.
        own: what figures may tell of the patient.
    """

    patterns: Patterns
    vocabulary: Vocabulary
    policy: TextPolicy = field(default_factory=TextPolicy)
    own: Own = field(default_factory=Own)
    _done: dict[str, Cleaned] = field(default_factory=dict)
    _residue: Counter[tuple[str, str, Cleaned]] = field(default_factory=Counter)
    _words: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Single out the known words and short numbers that count as whole words only."""
        alone = (item.text for item in self.patterns.items if item.rule in _WHOLE)
        self._words = frozenset(one for one in alone if len(one) >= _SHORTEST and one.isalnum())

    def values(self, name: str, given: Sequence[str]) -> list[str]:
        """Each value of an attribute as it may stay; empty where nothing of it may.

        Args:
            name: of the attribute, for the report.
            given: its values, trimmed.
        """
        return [self._one(name, value) for value in given]

    def clean(self, text: str) -> Cleaned:
        """One text."""
        found = self._done.get(text)
        if found is None:
            if len(self._done) >= _MOST_REMEMBERED:
                self._done.clear()
            found = self._done[text] = self._clean(text)
        return found

    def unreadable(self, name: str) -> None:
        """Report a value that cannot be read, so that nothing of it stays."""
        self._residue[name, "", Cleaned("", ((UNREADABLE, 1),))] += 1

    def residue(self) -> tuple[Residue, ...]:
        """Every value that was cleaned or withheld, sorted."""
        return tuple(
            Residue(name, value, cleaned.left, cleaned.rules, count)
            for (name, value, cleaned), count in sorted(
                self._residue.items(), key=lambda item: item[0][:2]
            )
        )

    def _one(self, name: str, value: str) -> str:
        cleaned = self.clean(value)
        if cleaned.left != value:
            self._residue[name, value, cleaned] += 1
        return cleaned.left

    def _clean(self, text: str) -> Cleaned:
        rules: Counter[str] = Counter()
        for _ in range(_MOST_TURNS):
            telling = _apart(self._telling(text))
            if telling:
                text = _cut(text, telling)
            strange = [(start, end, WORD) for start, end in self.vocabulary.unknown(text)]
            rules.update(rule for _, _, rule in (*telling, *strange))
            if strange and self._mostly(text, strange):
                rules[WITHHELD] += 1
                return Cleaned("", tuple(sorted(rules.items())))
            if strange:
                text = _cut(text, strange)
            if not telling and not strange:
                return self._rest(text, rules)
        return Cleaned("", ((WITHHELD, 1), *sorted(rules.items())))

    def _telling(self, text: str) -> Iterator[Found]:
        for start, end, kind in spans(self.patterns, text):
            first, last = _with_initials(text, start, end) if kind in _NAMES else (start, end)
            yield first, last, f"known {kind}"
        for start, end in self._glued(text):
            yield start, end, GLUED
        for name, detector in self.policy.detectors:
            for start, end in detector(text):
                if not 0 <= start < end <= len(text):
                    raise ValueError(f"detector {name}: a part that is not in the text")
                yield start, end, f"detector {name}"
        yield from shapes.found(text)
        yield from self._figures(text)

    def _figures(self, text: str) -> Iterator[Found]:
        """What figures tell of the patient; numbers without a place; forms in plain figures too."""
        shown = narrow(text)
        if shown.text != text:
            for start, end, rule in shapes.found(shown.text):
                yield *shown.span(start, end), rule
        low = lowered(shown.text)
        tokens = placed(low, self.vocabulary.listed(shown.text))
        measures = {t.span for t in tokens if t.place is Place.SURE and "." in t.figures}
        for start, end, what in self.own.found(low):
            if what is not What.PART or (start, end) not in measures:  # 2.5 mm is no 2 May
                yield *shown.span(start, end), what
        aged = [one for one in tokens if self._is_age(one)]
        for start, end in runs_with(low, aged):
            yield *shown.span(start, end), What.AGE
        strange = [one for one in tokens if one.place is Place.NOWHERE]
        for start, end in runs_with(low, strange):
            yield *shown.span(start, end), UNPLACED

    def _is_age(self, token: Token) -> bool:
        """Of two figures or three: one alone is in every text. A measure is one from 90 on."""
        figures = token.whole
        if not 1 < len(figures) <= _AGE_FIGURES or int(figures) not in self.own.ages:
            return False
        measure = token.place is Place.SURE and (int(figures) < OLDEST or "." in token.figures)
        return not measure

    def _glued(self, text: str) -> Iterator[tuple[int, int]]:
        """Words in one with others or with digits, of which one is known: ``CTVista``, ``MRN0815``.

        Where each part is of the trade, or a short number, nothing else would see them. A known
        number in groups (``4711 0815``) is one too.
        """
        for match in _GROUPS.finditer(text):
            digits = "".join(letter for letter in match[0] if letter.isdigit())
            if any(number in digits for number in self.patterns.numbers):
                yield match.span()
        for match in RUN.finditer(text):
            parts = parts_of(match[0])
            if len(parts) > 1 and not self._words.isdisjoint(parts):
                yield match.span()

    def _mostly(self, text: str, strange: Iterable[Found]) -> bool:
        """Whether more words go than stay: what is left would be nobody's sentence."""
        kept, lost = self.vocabulary.share(text, [(start, end) for start, end, _ in strange])
        return lost > kept

    def _rest(self, text: str, rules: Counter[str]) -> Cleaned:
        """What is left; nothing if something was cut and what stands there says nothing."""
        if rules and not _says_something(text):
            text = ""
        return Cleaned(text, tuple(sorted(rules.items())))


def cleaner_for(headers: Sequence[Dataset], task: Task, recipe: Recipe) -> Cleaner | None:
    """The cleaner of one series; None where the recipe cleans no text.

    Args:
        headers: all source headers of the task.
        task: what else is known of its person.
        recipe: whose words and detectors are asked.
    """
    if not cleans(recipe):
        return None
    claimed = statement_of(recipe).identity_removed == "YES"
    patterns = known(headers, task, claimed=claimed)
    return Cleaner(patterns, _vocabulary(recipe.text), recipe.text, own(headers, task, patterns))


@lru_cache(maxsize=4)
def _vocabulary(policy: TextPolicy) -> Vocabulary:
    """The words that a recipe lets stay, and what was judged by them: one for all series."""
    given = (plain(fold(word)) for word in policy.words)
    return Vocabulary(shipped().with_more((*given, *policy.seen)))


def _says_something(text: str) -> bool:
    return any(word not in _SAY_NOTHING for word in _LETTERS.findall(text.casefold()))


def _with_initials(text: str, start: int, end: int) -> tuple[int, int]:
    """A name with the initials beside it."""
    before = _INITIALS_BEFORE.search(text[max(0, start - _NEAR) : start])
    behind = _INITIALS_BEHIND.match(text[end : end + _NEAR])
    first = start - len(before[0]) if before else start
    return first, end + len(behind[0].rstrip()) if behind else end


def _apart(found: Iterable[Found]) -> list[Found]:
    """The parts in their order, overlapping ones as one: under the rule of the first."""
    merged: list[Found] = []
    for start, end, rule in sorted(found, key=lambda one: (one[0], -one[1])):
        if merged and start < merged[-1][1]:
            first, last, earlier = merged[-1]
            merged[-1] = (first, max(last, end), earlier)
        else:
            merged.append((start, end, rule))
    return merged


def _cut(text: str, found: Sequence[Found]) -> str:
    """The text without these parts, and without what held them apart from the rest."""
    pieces, place = [], 0
    for start, end, _ in found:
        pieces.append(text[place:start])
        place = end
    left = _CUT.join((*pieces, text[place:]))
    left = _SEAM.sub(_seam, left).strip()
    for _ in range(_DEEPEST):
        left = _EMPTY_BRACKETS.sub("", left).strip()
    return left


def _seam(match: re.Match[str]) -> str:
    """What stands where something was cut out: one of the signs that parted it, or a blank."""
    text = match.string
    if match.start() == 0 or match.end() == len(text):
        return ""
    parting = match[1] + match[2]
    if not parting:
        return " "
    return " " if any(sign.isspace() for sign in parting) else parting[0]
