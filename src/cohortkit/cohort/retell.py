"""The steps of a cohort in words that may leave: they say nothing that a recipe holds back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import polars as pl

from cohortkit.cohort import words
from cohortkit.cohort.labelled import Telling
from cohortkit.cohort.phrases import Phrase
from cohortkit.cohort.steps import Step
from cohortkit.cohort.words import Released

PHRASED: Final = frozenset({"best_per", "match", "text"})
"""Actions whose words are made of what they asked; all else that they say holds no value."""

_COLUMN: Final = re.compile(r'col\("([^"]*)"\)')


def retold(
    steps: tuple[Step, ...], columns: pl.Schema, telling: Telling, released: Released
) -> tuple[Step, ...]:
    """The same steps with the same counts, told anew out of what was asked.

    Args:
        steps: of a cohort.
        columns: its columns.
        telling: what a view of the cohort shows of those that were joined.
        released: whether the values of a column leave as they are.
    """
    return tuple(_retold(step, columns, telling, released) for step in steps)


def _retold(step: Step, columns: pl.Schema, telling: Telling, released: Released) -> Step:
    if step.query is not None:
        told = words.terms(step.query, columns, telling, released)
        losses = tuple(
            replace(loss, out=words.missed(said))
            for loss, said in zip(step.losses, told, strict=True)
        )
        # a hint is for whoever asks, and tells what the index holds
        return replace(step, words=words.search(told), losses=losses, notes=())
    if step.action == "filter":
        roots = _COLUMN.findall(step.detail)
        said = words.condition(step.detail, roots, columns, telling, released)
        out = step.reason or words.missed(said)
        losses = tuple(replace(loss, out=out, unsure=words.unsure(said)) for loss in step.losses)
        return replace(step, words=said, losses=losses)
    if step.action in PHRASED:
        return replace(step, words=Phrase.decode(step.detail).told(columns, telling, released))
    return step
