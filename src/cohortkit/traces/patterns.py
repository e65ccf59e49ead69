"""What to search for: the identifying values of one source patient, in their usual spellings."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from itertools import chain

import ahocorasick_rs
from pydicom.dataset import Dataset

from cohortkit.dicom.keywords import all_keywords, vr_of
from cohortkit.dicom.members import split
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal
from cohortkit.model import Task
from cohortkit.reasons import Reason
from cohortkit.traces.days import date_forms, day_of
from cohortkit.traces.fields import (
    MAKER,
    MAKERS,
    PERSONAL,
    Kind,
    is_direct,
    kind_of,
    source_texts,
)
from cohortkit.traces.scripts import dense, weight
from cohortkit.traces.spellings import (
    ORDINARY,
    digests,
    fold,
    identifier,
    misread,
    name_in_full,
    name_parts,
    places,
    with_initials,
    words,
)

SHORT = 6
"""Values with fewer characters are found as whole tokens only."""

LONG_WORD = 8
"""A word of a name is found inside other words from this length on. Shorter ones are parts of words
that are nobody's: Philip of Philips."""

NUMBERED = 5
"""From this length on it is found with digits beside it."""

LEAST_DIGITS = 5
"""A number with fewer digits is any number: it is found where it is written alone, as a text."""

LONG_NUMBER = 10
"""Digits alone are found inside longer runs of digits from this length on: a shorter number
is inside every other UID by chance."""


LONGEST = 256
"""Of a longer value its beginning is searched for (of a path, its end): whoever leaks the whole
leaks that too, and the automaton's cost grows with the square of a hostile name."""


_DAY = 8  # digits
_REMEMBERED, _MOST = 256, 1 << 16  # letters of a text, and how many texts


class Rule(StrEnum):
    """Where a pattern counts as found."""

    ANYWHERE = "anywhere"
    TOKEN = "token"  # noqa: S105 - a word of text, not a secret
    WORD = "word"  # as TOKEN; digits may touch it, and letters too where it is long
    NUMBER = "number"  # a whole run of digits, not a part of a decimal number or UID
    DATE = "date"  # as NUMBER, in text only
    UID = "uid"  # not a part of a longer UID


@dataclass(frozen=True, slots=True, repr=False)
class Pattern:
    """One spelling. The repr shows its kind alone."""

    text: str
    kind: Kind
    rule: Rule

    def __repr__(self) -> str:
        return f"<Pattern {self.kind}>"


@dataclass(frozen=True, repr=False)
class Patterns:
    """All spellings of one patient, with the automaton that finds them.

    Attributes:
        items: sorted by text.
        left_out: (why, kind) → how many spellings are not searched for. Why is ``kept`` (the
            recipe keeps that value), ``ordinary`` (a word of the trade or a placeholder, alone)
            or ``one-character``.
        shifted: the recipe moves dates, so that a cell of type date is not searched for dates: a
            moved date may equal another source date by chance. Text that is a date is no such
            cell: nothing moves it.
    """

    items: tuple[Pattern, ...]
    left_out: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shifted: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"<{len(self.items)} patterns, {sum(self.left_out.values())} left out>"

    @cached_property
    def automaton(self) -> ahocorasick_rs.AhoCorasick:
        """Finds the items, by their place in ``items``, in folded text."""
        return ahocorasick_rs.AhoCorasick([item.text for item in self.items], store_patterns=False)

    @cached_property
    def silent(self) -> set[str]:
        """Texts in which none of them stands: a series says most things often."""
        return set()

    def hush(self, text: str) -> None:
        """None of them stands in this text; long ones are not remembered, nor too many."""
        if len(text) <= _REMEMBERED and len(self.silent) < _MOST:
            self.silent.add(text)

    @cached_property
    def numbers(self) -> Mapping[str, tuple[int, ...]]:
        """The items that are numbers, by their digits without leading zeros; dates are none."""
        found: dict[str, tuple[int, ...]] = {}
        for index, item in enumerate(self.items):
            if (
                item.rule is not Rule.DATE
                and item.text.isdigit()
                and len(item.text) >= LEAST_DIGITS
            ):
                digits = item.text.lstrip("0")
                found[digits] = (*found.get(digits, ()), index)
        return found

    @cached_property
    def days(self) -> Mapping[dt.date, int]:
        """The item of each day that is searched for."""
        found = {}
        for index, item in enumerate(self.items):
            if item.rule is Rule.DATE and len(item.text) == _DAY and item.text.isdigit():
                day = day_of(item.text)
                if day is not None:
                    found[day] = index
        return found


def collect(
    headers: Sequence[Dataset],
    task: Task,
    kept: frozenset[str],
    *,
    shifted: bool = False,
    claimed: bool = True,
) -> Patterns:
    """The patterns of the patient of one series, from all its source headers at all depths.

    Private elements give their person names, UIDs and dates; their free text is not taken, since
    it is nearly all technical and what identifies in it is found by the other patterns.

    Args:
        headers: the source headers, with file meta where there is one.
        task: its person, what is known of them, UIDs and paths are patterns as well.
        kept: keywords whose source values the recipe keeps: those values are left out.
        shifted: the recipe moves dates.
        claimed: the output says that the patient's identity was removed. Then a direct identifier
            that was kept all the same is a contradiction, and is searched for.

    Raises:
        Refusal: ``no-pattern``: nothing that would name this patient is left to search for.
    """
    with quiet():  # pydicom's warnings quote values
        found, spared = _gather(headers, task, kept, claimed=claimed)
    _from_task(found, task)
    patterns = found.patterns(spared, shifted=shifted)
    if not any(item.kind in PERSONAL for item in patterns.items) and (claimed or not spared.direct):
        raise Refusal(Reason.NO_PATTERN)
    return patterns


def _gather(
    headers: Sequence[Dataset], task: Task, kept: frozenset[str], *, claimed: bool
) -> tuple[_Found, _Spared]:
    """The spellings of all headers and of what the index knows; the texts that the recipe keeps."""
    found, spared = _Found(), _Spared()
    told = (
        (keyword, vr_of(keyword) or "LO", [value])
        for keyword, value in task.known
        if kind_of(keyword, vr_of(keyword) or "LO") is not Kind.DATE  # of other studies: `own`
    )
    for keyword, vr, texts in chain(source_texts(headers), told):
        kind, direct = kind_of(keyword, vr), is_direct(keyword, vr)
        if keyword in kept and not (claimed and direct):
            spared.add(keyword, kind, texts, direct=direct)
            found.leave(kind, len(texts))
        elif kind is not None:
            for text in texts:
                for spelt in misread(text):
                    found.add(kind, spelt, keyword)
    return found, spared


_PLACES = frozenset({Kind.ADDRESS, Kind.INSTITUTION})
_HASHED = frozenset({Kind.NAME, Kind.PATIENT_ID, Kind.IDENTIFIER})


@dataclass(slots=True)
class _Spared:
    """What the recipe keeps, and so what is no leak where a pattern is equal to it.

    A kept date, UID, device or institution is spared wherever else the same value stands: it is
    out, and the recipe says so. What merely stands in some text or code that the recipe keeps is
    not: that somebody typed it there is the very leak that is looked for. A name or number of the
    patient is spared only if the recipe says that it keeps it; a word, if a maker is called so.
    """

    direct: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)

    def add(self, keyword: str, kind: Kind | None, texts: Iterable[str], *, direct: bool) -> None:
        """Take the values of one kept attribute."""
        for text in map(fold, texts):
            if kind is Kind.DATE:
                self.dates |= date_forms(text)
            elif kind is not None:
                self.values.add(text.strip())
            if kind in _PLACES:
                self.values |= set().union(*places(text))
            if direct:
                self.direct |= {text.strip(), *identifier(text)}
                self.direct |= set().union(*places(text)) if kind in _PLACES else set()
            if keyword == MAKER:
                self.words |= words(text) & MAKERS

    def covers(self, pattern: Pattern) -> bool:
        """Whether the recipe keeps this very text."""
        if pattern.rule is Rule.DATE:
            return pattern.text in self.dates
        if pattern.kind in PERSONAL or pattern.kind is Kind.PHYSICIAN:
            named = pattern.kind in {Kind.NAME, Kind.PHYSICIAN} and pattern.text in self.words
            return named or pattern.text in self.direct
        return pattern.text in self.values or pattern.text in self.words


def _from_task(found: _Found, task: Task) -> None:
    found.add(Kind.PATIENT_ID, task.person.patient_id)
    found.add(Kind.IDENTIFIER, task.person.issuer)
    found.add(Kind.UID, task.study_instance_uid)
    found.add(Kind.UID, task.series_instance_uid)
    for file in task.files:
        found.add(Kind.UID, file.sop_instance_uid)
        inside = split(file.path)
        found.add(Kind.PATH, inside[0] if inside else file.path)
        if inside:  # as who unpacks it has it
            found.add(Kind.PATH, f"{inside[0]}/{inside[2]}")


_RANK = {kind: (kind not in PERSONAL, kind is Kind.TEXT) for kind in Kind}
"""A value that names the patient is no device's, whatever else has it: what is kept of a device
does not spare it."""


@lru_cache(maxsize=1024)
def _dates(kind: Kind, raw: str) -> tuple[Pattern, ...]:
    """A day has hundreds of forms, and a series has it in every second attribute."""
    return tuple(Pattern(text, kind, Rule.DATE) for text in date_forms(raw))


def _order(pattern: Pattern) -> tuple[bool, bool, bool]:
    return (*_RANK[pattern.kind], pattern.rule is Rule.DATE)


class _Found:
    """Spellings as they are gathered; a spelling is of the most personal kind that has it."""

    def __init__(self) -> None:
        self._full: dict[str, Pattern] = {}
        self._done: set[tuple[Kind, str]] = set()
        self._left_out: Counter[tuple[str, str]] = Counter()

    def leave(self, kind: Kind | None, count: int) -> None:
        """Leave values out that the recipe keeps."""
        if kind is not None and count:
            self._left_out["kept", kind] += count

    def add(self, kind: Kind, raw: str, keyword: str = "") -> None:
        """Take one source value in all its spellings; an attribute's own name is no value."""
        raw = raw.replace("\0", "").strip()
        if not raw or (kind, raw) in self._done:
            return
        if fold(raw) == fold(keyword):
            self._left_out["ordinary", kind] += 1
            return
        self._done.add((kind, raw))
        self._take(Kind.DIGEST, digests(raw) if kind in _HASHED else ())
        match kind:
            case Kind.NAME | Kind.PHYSICIAN:
                self._take(kind, name_in_full(raw))
                self._take(kind, name_parts(raw) | with_initials(raw), whole=True)
            case Kind.BIRTH_DATE | Kind.DATE:
                for pattern in _dates(kind, raw):
                    self._keep(pattern)
            case Kind.UID:
                self._take(kind, {fold(raw)}, rule=Rule.UID)
            case Kind.PATH:
                self._take(kind, _paths(raw))
            case Kind.ADDRESS | Kind.INSTITUTION:
                full, alone = places(raw)
                self._take(kind, full)
                self._take(kind, alone, whole=True)
            case Kind.TEXT:
                self._take(kind, {fold(" ".join(raw.split()))})
            case _:
                self._take(kind, identifier(raw))

    def _take(
        self, kind: Kind, texts: Iterable[str], *, rule: Rule | None = None, whole: bool = False
    ) -> None:
        for full in texts:
            text = full[-LONGEST:] if kind is Kind.PATH else full[:LONGEST]
            if weight(text) < 2:  # noqa: PLR2004 - one letter is in everything
                self._left_out["one-character", kind] += 1
            elif text in ORDINARY or text in _keywords():
                self._left_out["ordinary", kind] += 1
            else:
                self._keep(Pattern(text, kind, rule or _rule(text, whole=whole)))

    def _keep(self, new: Pattern) -> None:
        """Of two with one text the more personal; a number that is a date as well is a number."""
        old = self._full.setdefault(new.text, new)
        if old is not new and _order(new) < _order(old):
            self._full[new.text] = new

    def patterns(self, spared: _Spared, *, shifted: bool) -> Patterns:
        """What is left once the values that the recipe keeps are left out."""
        left_out = Counter(self._left_out)
        items = []
        for text in sorted(self._full):
            pattern = self._full[text]
            if spared.covers(pattern):
                left_out["kept", pattern.kind] += 1
            else:
                items.append(pattern)
        return Patterns(tuple(items), dict(sorted(left_out.items())), shifted)


@cache
def _keywords() -> frozenset[str]:
    """Names of attributes, which some put in place of the values that they removed.

    Those of one word are left to the attribute that is called so: a patient may be called Rows.
    """
    return frozenset(fold(one) for one in all_keywords() if sum(map(str.isupper, one)) > 1)


def _rule(text: str, *, whole: bool) -> Rule:
    if text.isdigit():
        if len(text) >= LONG_NUMBER:
            return Rule.ANYWHERE
        return Rule.NUMBER if len(text) >= SHORT else Rule.TOKEN
    if whole and len(text) == NUMBERED and text.isalpha():
        return Rule.WORD
    if weight(text) < SHORT:
        return Rule.TOKEN
    if not whole or dense(text):
        return Rule.ANYWHERE
    # what is a part of an attribute's name would be found in all that we write
    return Rule.TOKEN if text in _all_keywords() else Rule.WORD


@cache
def _all_keywords() -> str:
    return "\n".join(map(fold, all_keywords()))


def _paths(raw: str) -> set[str]:
    """The whole path, its folder, and the file with its folder: what a trace would show."""
    path = fold(raw.replace("\\", "/"))
    parts = [part for part in path.split("/") if part]
    forms = {path, "/".join(parts[:-1]), "/".join(parts[-2:])}
    return {form for form in forms if "/" in form}
