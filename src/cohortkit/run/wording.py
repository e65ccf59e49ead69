"""What the user wrote goes into the report as it is; so it must name nobody of the index.

The words of a cohort's steps, the names of joined columns and what a recipe says in words of its
own are the only words of a release that no recipe judges and no search before publication sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import polars as pl
from pydicom._dicom_dict import DicomDictionary

from cohortkit.errors import UsageError
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe
from cohortkit.traces.spellings import ORDINARY, accents, fold, name_in_full, words_in

_IDENTIFIERS = (
    "PatientID",
    "AccessionNumber",
    "StudyID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "DeviceSerialNumber",
)
_NAMES = ("PatientName", "ReferringPhysicianName")
_SHORTEST = 5
"""Fewer characters are a count or a size more often than an id, a word more often than a name."""
_NAMED = 2
"""Family and given name: two words of a name are a name, whatever else they mean."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def demand_nobody(texts: Mapping[str, str], series: pl.LazyFrame) -> None:
    """Refuse words that hold an identifier, a name, or a surname of anyone in the index.

    A surname alone counts where it is no word of the trade, as the data dictionary has them.

    Args:
        texts: what the user wrote, by the place where it stands.
        series: the index, identified.

    Raises:
        UsageError: it says in which place, and not the value.
    """
    columns = series.collect_schema().names()
    said = {place: _Said(text) for place, text in texts.items()}
    whole = _Said("\n".join(texts.values()))
    ids = _ids_in(whole, series, [name for name in _IDENTIFIERS if name in columns])
    names = _names_in(whole, series, [name for name in _NAMES if name in columns])
    for place, one in said.items():
        if any(one.holds(value) for value in ids) or any(one.names(value) for value in names):
            raise UsageError(
                f"{place}: names a patient or physician of the index, or holds an id of one, and "
                "would stand in the report; use other words"
            )


def words_of(recipe: Recipe) -> dict[str, str]:
    """What a recipe says in words of its own, by place; one that ships says only ours."""
    if recipe.name in shipped() and recipe == load_recipe(recipe.name):
        return {}
    told = {
        "the recipe's file name": recipe.name,
        "the recipe's title": recipe.title,
        "the recipe's description": recipe.description,
        "the recipe's default_issuer": recipe.default_issuer,
        "the recipe's faces.reason": recipe.faces.reason,
    }
    for number, word in enumerate(recipe.text.words):
        told[f"the recipe's text.words[{number}]"] = word
    for number, item in enumerate(recipe.pixels.accept):
        told[f"the recipe's pixels.accept[{number}].reason"] = item.reason
    for number, rule in enumerate(recipe.rules):
        told[f"the recipe's rules[{number}]"] = f"{rule.target} {rule.reason}"
    for line in recipe.script.lines:
        told[f"the recipe's {line.place}"] = f"{line.written} {line.given or ''}"
    return told


@dataclass(frozen=True)
class _Said:
    """One text, ready to be asked."""

    text: str

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words: folded, without accents too, and what humps and underscores join."""
        apart = fold(_HUMP.sub(" ", self.text))
        return frozenset(
            word
            for text in {self.folded, apart}
            for form in accents(text)
            for word in words_in(form)
        )

    @cached_property
    def rare(self) -> frozenset[str]:
        """Its words that are none of the trade."""
        return frozenset(
            word for word in self.words - _trade() if len(word) >= _SHORTEST and not word.isdigit()
        )

    def holds(self, value: str) -> bool:
        """Whether an identifier stands here, and not as a part of a longer word or number."""
        return re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", self.folded) is not None

    def names(self, raw: str) -> bool:
        """Whether a person of this name is named here."""
        for group in raw.split("="):
            parts = [words_in(form) for form in _forms(group)]
            if any(self._by_words(part) for part in parts):
                return True
        glued = {form for form in name_in_full(raw) if form.isalnum() and len(form) > _SHORTEST}
        return bool(glued & self.words)

    def _by_words(self, parts: list[str]) -> bool:
        pair = parts[:_NAMED]
        if len(pair) == _NAMED and self.words.issuperset(pair):
            return True
        return bool(self.rare.intersection(parts[:1]))


def _forms(group: str) -> set[str]:
    """Family and given name in one text, as written and without accents."""
    return accents(" ".join(fold(group).split("^")[:_NAMED]))


def _ids_in(said: _Said, series: pl.LazyFrame, columns: Iterable[str]) -> frozenset[str]:
    """The identifiers of the index that stand in the text."""
    found: set[str] = set()
    text = pl.lit(said.folded)
    for name in columns:
        value = pl.col(name).cast(pl.String).str.to_lowercase().str.strip_chars(" \0")
        there = series.select(value.alias("id")).filter(
            pl.col("id").str.len_chars() >= _SHORTEST,
            pl.col("id").str.contains(r"\d"),
            text.str.contains(pl.col("id"), literal=True),
        )
        found.update(there.unique().collect()["id"])
    return frozenset(found)


def _names_in(said: _Said, series: pl.LazyFrame, columns: Iterable[str]) -> frozenset[str]:
    """The names of the index with which the text has a rare word or two words in common."""
    spelt = sorted({form for word in said.words for form in (word, word.upper(), word.title())})
    rare = sorted({form for word in said.rare for form in (word, word.upper(), word.title())})
    found: set[str] = set()
    for name in columns:
        value = pl.col(name).cast(pl.String)
        both = value.str.extract_many(spelt, ascii_case_insensitive=True, overlapping=True)
        near = both.list.eval(pl.element().str.to_lowercase()).list.n_unique() >= _NAMED
        if rare:
            near |= value.str.contains_any(rare, ascii_case_insensitive=True)
        found.update(series.filter(near).select(value.unique()).collect().to_series().drop_nulls())
    return frozenset(found)


@cache
def _trade() -> frozenset[str]:
    """Words of the data dictionary (PS3.6), which nobody is known by alone."""
    names = (entry[2] for entry in DicomDictionary.values())
    return ORDINARY | {word for name in names for word in words_in(fold(name))}
