"""Who of an index is named in a text: people and ids as `traces` spells them.

A few lines are held against everybody of an index. So the index is narrowed down first, in polars,
to the values with which the lines have letters or digits in common in whatever spelling; these
alone are spelled out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl
from pydicom._dicom_dict import DicomDictionary

from cohortkit.dicom.keywords import vr_of
from cohortkit.traces.days import date_forms, day_of
from cohortkit.traces.fields import Kind, kind_of
from cohortkit.traces.find import standing
from cohortkit.traces.patterns import LEAST_DIGITS, SHORT, Pattern, Patterns, Rule
from cohortkit.traces.scripts import weight
from cohortkit.traces.spellings import (
    ORDINARY,
    accents,
    fold,
    identifier,
    name_in_full,
    name_parts,
    with_initials,
    words_in,
)

_LEAST: Final = 5
"""Less is a count or a size more often than an id, a word more often than a name."""
_LEAST_MIXED: Final = 4
"""Letters and digits together are less often anything else."""
_NAMED: Final = 2
"""Family and given name: two words of a name are a name, whatever else they mean."""
_NAMES: Final = frozenset({Kind.NAME, Kind.PHYSICIAN})
_IDS: Final = frozenset({Kind.PATIENT_ID, Kind.IDENTIFIER, Kind.PHONE, Kind.UID})
_OF_MANY: Final = frozenset({"IssuerOfPatientID", "SOPClassUID", "TransferSyntaxUID"})
"""What identifies in a header and nobody in a sentence."""
_SERIAL: Final = "DeviceSerialNumber"
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UMLAUT: Final = re.compile("ae|oe|ue")


@dataclass(frozen=True, repr=False)
class Named:
    """The people of an index whom some lines may name."""

    patterns: Patterns
    pairs: frozenset[tuple[str, str]]

    def stand_in(self, text: str) -> bool:
        """Whether one of them, or an id or birth date, stands in a text.

        A family name alone counts where it is no word of the trade.
        """
        apart = _HUMP.sub(" ", text)
        if any(True for one in {text, apart} for _ in standing(self.patterns, one)):
            return True
        forms = accents(fold(text)) | accents(fold(apart))
        words = {word for form in forms for word in words_in(form)}
        return any(words.issuperset(pair) for pair in self.pairs)


def near(texts: Iterable[str], series: pl.LazyFrame) -> Named:
    """Whom of an index some texts may name.

    Args:
        texts: what somebody wrote.
        series: the index, identified.
    """
    said = _Said.of(texts)
    patterns: dict[str, Pattern] = {}
    pairs: set[tuple[str, str]] = set()
    for column, dtype in series.collect_schema().items():
        kind = _kind(column)
        if kind is None:
            continue
        value = pl.col(column).explode() if isinstance(dtype, pl.List) else pl.col(column)
        raw = series.select(value.cast(pl.String).alias("raw")).drop_nulls().unique()
        for one in _candidates(kind, raw, said):
            patterns |= {pattern.text: pattern for pattern in _spelled(kind, one)}
            pairs |= set(_pairs(one)) if kind in _NAMES else set()
    ordered = tuple(patterns[text] for text in sorted(patterns))
    return Named(Patterns(ordered), frozenset(pairs))


def _kind(column: str) -> Kind | None:
    kind = None if column in _OF_MANY else kind_of(column, vr_of(column) or "")
    if kind in _NAMES or kind in _IDS or kind is Kind.BIRTH_DATE or column == _SERIAL:
        return kind
    return None


@dataclass(frozen=True)
class _Said:
    """Texts in the form in which an index is narrowed down.

    Attributes:
        dense: letters and digits without what stands between them.
        plain: the same, with one letter for each two that may stand for an umlaut.
        digits: the runs of digits.
    """

    dense: str
    plain: str
    digits: str

    @classmethod
    def of(cls, texts: Iterable[str]) -> _Said:
        forms = sorted({form for text in texts for form in accents(fold(text))})
        dense = "\n".join("".join(words_in(form)) for form in forms)
        return cls(dense, _plainer(dense), " ".join(re.findall(r"\d+", " ".join(forms))))


def _plainer(text: str) -> str:
    return _UMLAUT.sub(lambda two: two[0][0], text)


def _candidates(kind: Kind, raw: pl.LazyFrame, said: _Said) -> Iterator[str]:
    if kind in _NAMES:
        return _near_names(raw, said)
    return _near_dates(raw, said) if kind is Kind.BIRTH_DATE else _near_ids(raw, said)


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
    there = words.filter(
        pl.col("word").str.len_chars() >= _NAMED,
        pl.lit(said.plain).str.contains(pl.col("word"), literal=True),
    )
    size = pl.col("word").str.len_chars().max()
    known = there.group_by("raw").agg(size.alias("size"), pl.col("word").n_unique().alias("words"))
    close = known.filter((pl.col("size") >= _LEAST) | (pl.col("words") >= _NAMED)).collect()["raw"]
    yield from close
    foreign = raw.filter(bare.str.contains(r"[^\x00-\x7F]")).collect()["raw"]
    for one in set(foreign) - set(close):
        if any("".join(words_in(form)) in said.dense for form in name_parts(one)):
            yield one


def _near_dates(raw: pl.LazyFrame, said: _Said) -> Iterator[str]:
    """Days of which the year stands there, or its last two figures with day and month."""
    days = {one: day for one in raw.collect()["raw"] if (day := day_of(one)) is not None}
    for one, day in days.items():
        short = all(f"{part}" in said.digits for part in (day.day, f"{day.year % 100:02d}"))
        if f"{day.year}" in said.digits or short:
            yield one


def _spelled(kind: Kind, raw: str) -> Iterator[Pattern]:
    """The spellings of one value that are nobody else's by chance."""
    if kind in _NAMES:
        yield from _name(kind, raw)
    elif kind is Kind.BIRTH_DATE:
        yield from (Pattern(text, kind, Rule.DATE) for text in date_forms(raw))
    elif kind is Kind.UID:
        yield Pattern(fold(raw), kind, Rule.UID)
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
    return len(text) >= _LEAST and not _ordinary(text)


def _name(kind: Kind, raw: str) -> Iterator[Pattern]:
    """A name in full wherever it stands; the family name, or a log-in name, as a word."""
    families = [group.split("^")[0] for group in raw.split("=")]
    parts = name_parts(raw)
    alone = {text for family in families for text in name_parts(family)}
    for text in name_in_full(raw) - parts:
        if weight(text) >= _LEAST and not _ordinary(text):
            rule = Rule.TOKEN if text.isalnum() or weight(text) < SHORT else Rule.ANYWHERE
            yield Pattern(text, kind, rule)
    for text in alone | with_initials(raw):
        if weight(text) >= _LEAST and not text.isdigit() and not _ordinary(text):
            yield Pattern(text, kind, Rule.TOKEN)


def _pairs(raw: str) -> Iterator[tuple[str, str]]:
    """Family and given name, which name somebody wherever in a text they stand."""
    for group in raw.split("="):
        for form in accents(" ".join(fold(group).split("^")[:_NAMED])):
            match words_in(form)[:_NAMED]:
                case [family, given]:
                    yield family, given


def _ordinary(text: str) -> bool:
    """Whether all its words are of the trade: nobody is known by them."""
    return all(word in _trade() for word in words_in(text))


@cache
def _trade() -> frozenset[str]:
    """Words of the data dictionary (PS3.6), by which alone nobody is known."""
    names = (entry[2] for entry in DicomDictionary.values())
    said = {word for name in names for word in words_in(fold(name))}
    return ORDINARY | said
