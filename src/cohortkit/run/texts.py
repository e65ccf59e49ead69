"""What cleaning of texts asks of index and joined tables beforehand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from cohortkit.deidentify.people import People
from cohortkit.deidentify.text.shapes import MONTHS
from cohortkit.dicom import keywords
from cohortkit.model import Person, Scalar, Task
from cohortkit.protocols import Index
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.model import Action, Recipe
from cohortkit.recipe.policy import Policy, cleans
from cohortkit.recipe.text import LEAST_PATIENTS, shipped
from cohortkit.run.persons import Row, person_of
from cohortkit.traces.spellings import fold, plain

_NAMES: Final = (
    "PatientName",
    "ReferringPhysicianName",
    "InstitutionName",
    "InstitutionalDepartmentName",
    "StationName",
)
Joined = tuple[str, Scalar | None]
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


def ready(
    index: Index,
    recipe: Recipe,
    tasks: Sequence[Task],
    rows: Iterable[Row],
    withheld: Iterable[str],
    *,
    people: People | None = None,
) -> tuple[Recipe, tuple[Task, ...]]:
    """Recipe and tasks with all that cleaning has to know; as they are where no text is cleaned.

    Args:
        index: whose descriptions are counted, if the recipe says so.
        recipe: which texts are cleaned.
        tasks: of the plan.
        rows: of each task, with what was joined.
        withheld: joined columns that the recipe does not release.
        people: who is merged with whom; they are one patient where patients are counted.
    """
    if not cleans(recipe):
        return recipe, tuple(tasks)
    merges = people or People()
    seen = common_words(index, recipe, merges)
    digest = hashlib.sha256("\n".join(sorted(seen)).encode()).hexdigest()[:16] if seen else ""
    names = tuple(withheld)
    joined = [[(name, _scalar(row.get(name))) for name in names] for row in rows]
    common = _categories([merges.one(task.person) for task in tasks], joined)
    told = (
        replace(task, joined=tuple(one for one in mine if one not in common), seen=digest)
        for task, mine in zip(tasks, joined, strict=True)
    )
    return replace(recipe, text=replace(recipe.text, seen=seen)), tuple(told)


def _categories(patients: Iterable[Person], joined: Iterable[list[Joined]]) -> set[Joined]:
    """Values that so many patients share, and that are words of the trade: no name of anybody."""
    people: dict[Joined, set[Person]] = {}
    for patient, mine in zip(patients, joined, strict=True):
        for one in mine:
            people.setdefault(one, set()).add(patient)
    words = shipped().single
    return {
        one
        for one, whose in people.items()
        if len(whose) >= LEAST_PATIENTS and _words(str(one[1])) <= words
    }


def _scalar(value: object) -> Scalar | None:
    return value if value is None or isinstance(value, Scalar) else str(value)


def common_words(index: Index, recipe: Recipe, people: People | None = None) -> frozenset[str]:
    """Words in the index's descriptions of as many patients as the recipe asks, and in no name.

    A patient is who has a Patient ID of an issuer; who are merged are one. All series of the index
    count, whichever are exported, so that no choice of series changes what becomes of a text.
    """
    if recipe.text.patients is None:
        return frozenset()
    frame = index.series()
    there = frame.collect_schema().names()
    who = [name for name in ("IssuerOfPatientID", "PatientID") if name in there]
    policy = Policy(recipe)
    texts = [name for name in there if _is_cleaned(policy, name)]
    if "PatientID" not in there or not texts:
        return frozenset()
    said = pl.concat(
        frame.select(*who, pl.col(name).cast(pl.String).alias("text")) for name in texts
    )
    pairs = said.drop_nulls(["PatientID", "text"]).unique().collect()
    unique = pairs["text"].unique()
    by_text = pl.DataFrame(
        {"text": unique, "word": [sorted(_words(text)) for text in unique]},
        schema={"text": pl.String, "word": pl.List(pl.String)},
    )
    counted = (
        pairs.join(by_text, on="text")
        .explode("word")
        .drop_nulls("word")
        .join(_patients(pairs.select(who), recipe, people), on=who, nulls_equal=True)
        .group_by("word")
        .agg(pl.col("patient").n_unique().alias("patients"))
        .filter(pl.col("patients") >= recipe.text.patients)
    )
    named = _named(frame, [name for name in _NAMES if name in there])
    return frozenset(counted["word"]) - named - MONTHS - _of_phrases()


def _patients(rows: pl.DataFrame, recipe: Recipe, people: People | None) -> pl.DataFrame:
    """Each spelling of a person, and a number for who it is."""
    merges, numbers = people or People(), dict[Person, int]()
    spelled = rows.unique()
    whose = [merges.one(person_of(row, recipe.default_issuer)) for row in spelled.to_dicts()]
    told = [numbers.setdefault(one, len(numbers)) for one in whose]
    return spelled.with_columns(pl.Series("patient", told, dtype=pl.Int64))


def _of_phrases() -> set[str]:
    """Words that stay in phrases alone, however many patients have the phrase."""
    words = shipped()
    phrases = (phrase for several in words.phrases.values() for phrase in several)
    return {word for phrase in phrases for word in phrase} - words.single


def _is_cleaned(policy: Policy, name: str) -> bool:
    tag = keywords.tag_of(name)
    vr = "" if tag is None else vrs.of_tag(tag)
    return tag is not None and policy.decide(tag, vr, None).action is Action.CLEAN


def _named(frame: pl.LazyFrame, columns: Iterable[str]) -> set[str]:
    """Every word of the names of people, institutions and stations in the index."""
    found: set[str] = set()
    for name in columns:
        for text in frame.select(pl.col(name).cast(pl.String).unique()).collect().to_series():
            found |= _words(text or "")
    return found


def _words(text: str) -> set[str]:
    """Its words of two letters or more, as they are compared; numbers and codes are none."""
    return set(_WORD.findall(plain(fold(text))))
