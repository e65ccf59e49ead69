"""Who of an index is named in a text: people, ids and days as `traces` spells them.

A few lines are held against everybody of an index. So the index is narrowed down first, in polars,
to the values with which the lines have letters or digits in common in whatever spelling; these
alone are spelled out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import polars as pl

from cohortkit.cohort.ordinary import is_english, is_ordinary, of_the_trade
from cohortkit.deidentify.text.reach import TITLED, telling
from cohortkit.dicom.keywords import tag_of, vr_of
from cohortkit.dicom.sop_classes import is_registered
from cohortkit.errors import UsageError
from cohortkit.traces.aged import OLDEST, ages
from cohortkit.traces.bent import BENT, is_form, plainer
from cohortkit.traces.dated import tells_date, tells_day
from cohortkit.traces.days import date_forms, day_of
from cohortkit.traces.fields import Kind, kind_of
from cohortkit.traces.find import standing
from cohortkit.traces.own import Own, one_spelling
from cohortkit.traces.patterns import LEAST_DIGITS, SHORT, Pattern, Patterns, Rule
from cohortkit.traces.scripts import is_foreign, roman, sound, weight
from cohortkit.traces.spellings import (
    accents,
    fold,
    identifier,
    name_in_full,
    name_parts,
    places,
    with_initials,
    words_in,
)

_LEAST: Final = 5
"""Less is a count or a size more often than an id."""
_LEAST_MIXED: Final = 4
"""Letters and digits together are less often anything else."""
_NAMED: Final = 2
"""Family and given name: two words of a name are a name, whatever else they mean."""
_NAMES: Final = frozenset({Kind.NAME, Kind.PHYSICIAN})
_DAYS: Final = frozenset({Kind.BIRTH_DATE, Kind.DATE})
_IDS: Final = frozenset({Kind.PATIENT_ID, Kind.IDENTIFIER, Kind.PHONE, Kind.UID})
_OF_MANY: Final = frozenset({"IssuerOfPatientID", "SOPClassUID", "TransferSyntaxUID"})
"""What identifies in a header and nobody in a sentence."""
_SERIAL: Final = "DeviceSerialNumber"
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD: Final = re.compile(r"[^\W_]+")
_SIX_FIGURES: Final = re.compile(r"(?<!\d)\d{6}(?!\d)")
_UID: Final = re.compile(r"(?<![\w.])[012](?:\.\d+){5,}")
_AGE: Final = re.compile(r"(?<!\w)0\d\d[dwmy](?!\w)")
_SIGNED: Final = frozenset({"address", "e-mail", TITLED})


def demand_plain(
    texts: Mapping[str, str], series: pl.LazyFrame, *, signed: Collection[str] = ()
) -> None:
    """Refuse words that tell of somebody by their form, whoever it is, or name one of an index.

    Args:
        texts: what the user wrote, by the place where it stands.
        series: the index, identified.
        signed: places in which it may be said who answers for something, since when, and where to
            reach them.

    Raises:
        UsageError: it says in which place, and not the value.
    """
    for place, text in texts.items():
        if any(not is_registered(uid) for uid in _UID.findall(text)):
            raise UsageError(f"{place}: holds a UID, and would be shown")
        demand_no_age(place, text)
    demand_nobody(texts, series)
    for place, text in texts.items():
        demand_formless(place, text, spared=_SIGNED if place in signed else frozenset())
        if place not in signed and tells_day(text):
            raise UsageError(f"{place}: holds a day, and would be shown; months and years may stay")


def demand_no_age(place: str, text: str) -> None:
    """Refuse an age as DICOM writes it, and one above 90.

    Raises:
        UsageError: it says in which place, and not the value.
    """
    if _AGE.search(fold(text)) or any(age > OLDEST for age in ages(text)):
        raise UsageError(f"{place}: tells an age as a patient has it; write a limit, up to 90")


def demand_formless(place: str, text: str, *, spared: Collection[str] = ()) -> None:
    """Refuse text that reaches or names somebody by its form, whoever it is.

    Raises:
        UsageError: it says in which place and by which form, and not the value.
    """
    found = sorted(telling(text) - frozenset(spared))
    if found:
        raise UsageError(
            f"{place}: holds what has the form of somebody's {found[0]}, and would be shown; use "
            "other words"
        )


def demand_nobody(texts: Mapping[str, str], series: pl.LazyFrame, *, days: bool = True) -> None:
    """Refuse words that hold a name, an identifier, an address or a day of an index.

    Args:
        texts: what the user wrote, by the place where it stands.
        series: the index, identified.
        days: whether days are looked for.

    Raises:
        UsageError: it says in which place, and not the value.
    """
    people = near(texts.values(), series, days=days)
    for place, text in texts.items():
        if people.stand_in(text):
            raise UsageError(
                f"{place}: names a patient or physician of the index, or holds an id, address or "
                "date of one, and would be shown; use other words (an ordinary word that is "
                "somebody's name is taken for a word in small letters)"
            )


def says_nothing(text: str) -> bool:
    """Whether a text is of ordinary words and short figures alone.

    No word of it names anybody. Two side by side still may: that is asked when it is to leave.
    """
    figures = sum(map(str.isdigit, text))
    words = [word for word in _tokens(text) if not word.isdigit()]
    return figures < _LEAST_MIXED and all(map(is_ordinary, words))


@dataclass(frozen=True, repr=False)
class Named:
    """The people of an index whom some lines may name.

    Attributes:
        patterns: full names, log-in names, ids, days and addresses.
        names: single words of names and addresses.
        pairs: family and given name.
        sounds: the words of names, to be known in another script.
    """

    patterns: Patterns
    names: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    sounds: Own = field(default_factory=Own)

    def stand_in(self, text: str) -> bool:
        """Whether one of them, or an id, address or day of one, stands in a text.

        A name alone counts with its endings, and not where it is an ordinary word as written.
        """
        apart = _HUMP.sub(" ", text)
        if any(True for one in {text, apart} for _ in standing(self.patterns, one)):
            return True
        words = list(_tokens(text))
        unusual = [word for word in words if not is_ordinary(word)]
        if any(map(self._is_name, unusual)) or self._paired(words, unusual):
            return True
        return self.sounds.heard(one_spelling(f) for word in unusual for f in accents(fold(word)))

    def _is_name(self, word: str) -> bool:
        if not _written_as_a_name(word):
            return False
        forms = {spelt for form in accents(fold(word)) for spelt in (form, one_spelling(form))}
        return any(
            is_form(form, name, common=is_english(name)) for form in forms for name in self.names
        )

    def _paired(self, words: list[str], unusual: list[str]) -> bool:
        """Whether two words are a name: beside each other, or one of them is no ordinary word."""
        forms = {word: accents(fold(word)) for word in words}
        every = set().union(*forms.values())
        odd = set().union(*(forms[word] for word in unusual))
        beside = {
            pair
            for one, two in pairwise(words)
            for pair in ((a, b) for a in forms[one] for b in forms[two])
        }
        for family, given in self.pairs:
            if (family, given) in beside or (given, family) in beside:
                return True
            if every.issuperset((family, given)) and not odd.isdisjoint((family, given)):
                return True
        return False


def _tokens(text: str) -> Iterator[str]:
    """The words as they were written, those of a compound one by one; keywords name nobody."""
    seen = unicodedata.normalize("NFKC", text)
    seen = "".join(c for c in seen if unicodedata.category(c) != "Cf")
    for word in _WORD.findall(seen):
        if tag_of(word) is None:
            yield from _HUMP.sub(" ", word).split()


def _written_as_a_name(word: str) -> bool:
    """Whether a short word may be a name: of two letters Li, of three Ida and IDA as well."""
    if not word.isascii() or len(word) >= BENT:
        return weight(word) > 1
    return word.istitle() if len(word) == _NAMED else len(word) > _NAMED and not word.islower()


def near(texts: Iterable[str], series: pl.LazyFrame, *, days: bool = True) -> Named:
    """Whom of an index some texts may name.

    Args:
        texts: what somebody wrote.
        series: the index, identified.
        days: whether its days count.
    """
    said = _Said.of(texts)
    patterns: dict[str, Pattern] = {}
    names: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for column, dtype in series.collect_schema().items() if said.dense else ():
        kind = _kind(column)
        if kind is None or (kind in _DAYS and not (days and said.dated)):
            continue
        value = pl.col(column).explode() if isinstance(dtype, pl.List) else pl.col(column)
        raw = series.select(value.cast(pl.String).alias("raw")).drop_nulls().unique()
        for one in _candidates(kind, raw, said):
            patterns |= {pattern.text: pattern for pattern in _spelled(kind, one)}
            names |= set(_alone(kind, one))
            pairs |= set(_pairs(one)) if kind in _NAMES else set()
    ordered = tuple(patterns[text] for text in sorted(patterns))
    spelt = frozenset(map(one_spelling, names))
    return Named(Patterns(ordered), spelt | names, frozenset(pairs), Own(names=spelt))


def _kind(column: str) -> Kind | None:
    kind = None if column in _OF_MANY else kind_of(column, vr_of(column) or "")
    if kind in _NAMES | _IDS | _DAYS or kind is Kind.ADDRESS or column == _SERIAL:
        return kind
    return None


@dataclass(frozen=True)
class _Said:
    """Texts in the form in which an index is narrowed down.

    Attributes:
        dense: letters and digits without what stands between them.
        plain: the same, with one letter for each two that may stand for an umlaut.
        words: the words, in that form, with and without an s at the end.
        digits: the runs of digits.
        dated: whether there may be a day.
        alike: as ``dense``, in one spelling of the several that a script has for a name.
        latin: how its words in Latin letters sound.
        foreign: how those in Cyrillic and Greek letters do.
    """

    dense: str
    plain: str
    words: tuple[str, ...]
    digits: str
    dated: bool
    alike: str
    latin: str
    foreign: str

    @classmethod
    def of(cls, texts: Iterable[str]) -> _Said:
        said = list(texts)
        forms = sorted({form for text in said for form in accents(fold(text))})
        compact = "\n".join("".join(words_in(form)) for form in forms)
        tokens = {word for text in said for word in _tokens(text)}
        words = {plainer(form) for word in tokens for form in accents(fold(word))}
        latin = (sound(word) for word in words if word.isascii())
        foreign = (sound(roman(word)) for word in words if is_foreign(word))
        heard = "\n".join(latin), "\n".join(foreign)
        words |= {word.removesuffix("s") for word in words}
        digits = " ".join(re.findall(r"\d+", " ".join(forms)))
        dated = any(tells_date(text) or _SIX_FIGURES.search(text) for text in said)
        bare = plainer(compact)
        return cls(
            compact, bare, tuple(sorted(words)), digits, dated, one_spelling(compact), *heard
        )

    def sounds_as(self, name: str) -> bool:
        """Whether a word of another script may sound as a folded word of a name."""
        said = self.foreign if name.isascii() else self.latin if is_foreign(name) else ""
        heard = sound(roman(one_spelling(name))).removesuffix("a") if said else ""
        return len(heard) >= BENT - 1 and heard in said

    def spells(self, name: str) -> bool:
        """Whether the letters of a folded name that are no Latin ones stand there."""
        dense = "".join(words_in(name))
        return dense in self.dense or one_spelling(dense) in self.alike


def _candidates(kind: Kind, raw: pl.LazyFrame, said: _Said) -> Iterator[str]:
    if kind in _NAMES or kind is Kind.ADDRESS:
        return _near_names(raw, said)
    return _near_dates(raw, said) if kind in _DAYS else _near_ids(raw, said)


def _near_ids(raw: pl.LazyFrame, said: _Said) -> Iterator[str]:
    """Identifiers that stand there without separators and leading zeros, or a number of them."""
    folded = pl.col("raw").str.normalize("NFKC").str.to_lowercase()
    whole = folded.str.replace_all(r"[^\p{L}\p{N}]", "").str.strip_chars_start("0")
    runs = folded.str.extract_all(r"\d{5,}").list.eval(pl.element().str.strip_chars_start("0"))
    forms = raw.with_columns(pl.concat_list(whole, runs).alias("form")).explode("form")
    there = forms.filter(
        pl.col("form").str.len_chars() >= _LEAST_MIXED,
        pl.lit(said.dense).str.contains(pl.col("form"), literal=True),
    )
    yield from there.select("raw").unique().collect()["raw"]


def _near_names(raw: pl.LazyFrame, said: _Said) -> Iterator[str]:
    """Names of which a long word, or two words, stand there as parts of whatever."""
    bare = pl.col("raw").str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    words = raw.with_columns(bare.str.extract_all(r"[\p{L}\p{N}]+").alias("word")).explode("word")
    for pair in ("ae", "oe", "ue"):
        words = words.with_columns(pl.col("word").str.replace_all(pair, pair[0], literal=True))
    size, at_home = pl.col("word").str.len_chars(), pl.col("word").is_in(list(said.words))
    within = pl.lit(said.plain).str.contains(pl.col("word"), literal=True)
    there = words.filter(size >= _NAMED, at_home | within)
    lone = at_home | (size >= _LEAST)
    known = there.group_by("raw").agg(lone.any().alias("lone"), pl.col("word").n_unique())
    close = known.filter(pl.col("lone") | (pl.col("word") >= _NAMED)).collect()["raw"]
    yield from close
    foreign = raw.filter(bare.str.contains(r"[^\x00-\x7F]")).collect()["raw"]
    for one in set(foreign) - set(close):
        if any(said.spells(form) or said.sounds_as(form) for form in name_parts(one)):
            yield one
    if said.foreign:
        every = words.select("word").drop_nulls().unique().collect()["word"]
        heard = [one for one in every if said.sounds_as(one)]
        yield from words.filter(pl.col("word").is_in(heard)).select("raw").unique().collect()["raw"]


def _near_dates(raw: pl.LazyFrame, said: _Said) -> Iterator[str]:
    """Days of which the year stands there, in full or its last two figures, and the day or week."""
    for one in raw.collect()["raw"]:
        day = day_of(one)
        if day is None:
            continue
        number, week = f"{day:%j}", f"{day:%V}"
        parts = (f"{day.day}", number, week)
        if f"{day.year % 100:02d}" in said.digits and any(part in said.digits for part in parts):
            yield one


def _spelled(kind: Kind, raw: str) -> Iterator[Pattern]:
    """The spellings of one value that are nobody else's by chance."""
    if kind in _NAMES:
        yield from _name(kind, raw)
    elif kind in _DAYS:
        yield from (Pattern(text, kind, Rule.DATE) for text in date_forms(raw))
    elif kind is Kind.UID:
        yield Pattern(fold(raw), kind, Rule.UID)
    elif kind is Kind.ADDRESS:
        full, alone = places(raw)
        yield from (Pattern(text, kind, _rule(text)) for text in full if weight(text) >= _LEAST)
        yield from (Pattern(text, kind, Rule.NUMBER) for text in alone if text.isdigit())
    else:
        for text in identifier(raw):
            if _identifies(text):
                yield Pattern(text, kind, Rule.NUMBER if text.isdigit() else Rule.TOKEN)


def _identifies(text: str) -> bool:
    runs = words_in(text)
    letters, digits = any(map(str.isalpha, text)), any(map(str.isdigit, text))
    if digits:
        size = len("".join(runs).lstrip("0"))
        return size >= (_LEAST_MIXED if letters else LEAST_DIGITS)
    return len(text) >= _LEAST and not of_the_trade(text)


def _name(kind: Kind, raw: str) -> Iterator[Pattern]:
    """A name in full wherever it stands, and log-in names as a word."""
    for text in name_in_full(raw) - name_parts(raw):
        if weight(text) >= _LEAST and not of_the_trade(text):
            yield Pattern(text, kind, _rule(text))
    for text in with_initials(raw):
        if weight(text) >= _LEAST and not text.isdigit() and not of_the_trade(text):
            yield Pattern(text, kind, Rule.TOKEN)


def _rule(text: str) -> Rule:
    return Rule.TOKEN if text.isalnum() or weight(text) < SHORT else Rule.ANYWHERE


def _alone(kind: Kind, raw: str) -> Iterator[str]:
    """The words of a name or address that somebody is known by."""
    words = name_parts(raw) if kind in _NAMES else set()
    words |= places(raw)[1] if kind is Kind.ADDRESS else set()
    yield from (one for one in words if one.isalnum() and weight(one) > 1 and not one.isdigit())


def _pairs(raw: str) -> Iterator[tuple[str, str]]:
    """Family and given name, which name somebody wherever in a text they stand."""
    for group in raw.split("="):
        for form in accents(" ".join(fold(group).split("^")[:_NAMED])):
            match words_in(form)[:_NAMED]:
                case [family, given]:
                    yield family, given
