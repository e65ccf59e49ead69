"""Joined columns: what the recipe names may leave, in its type; anything else is dropped."""

from __future__ import annotations

import datetime as dt
import math

from cohortkit.deidentify import dates
from cohortkit.model import Scalar
from cohortkit.recipe.model import Label, LabelType, Recipe, Temporal

Joined = tuple[tuple[str, Scalar | None], ...]


def released(joined: Joined, recipe: Recipe, days: int) -> Joined:
    """The columns that the recipe releases, in its order; null where the value is not of its type.

    Args:
        joined: columns of the task.
        recipe: says which may leave, and what becomes of dates.
        days: by which this person's dates move, if they do.
    """
    values = dict(joined)
    return tuple(
        (label.column, _released(values[label.column], label, recipe.temporal, days))
        for label in recipe.labels
        if label.column in values
    )


def _released(value: Scalar | None, label: Label, temporal: Temporal, days: int) -> Scalar | None:
    match label.type:
        case LabelType.DATE:
            return _date(value, temporal, days)
        case LabelType.NUMBER:
            return value if _is_number(value) else None
        case LabelType.BOOLEAN:
            return value if isinstance(value, bool) else None
        case LabelType.TEXT:
            return value if isinstance(value, str) else None


def _is_number(value: Scalar | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _date(value: Scalar | None, temporal: Temporal, days: int) -> Scalar | None:
    """A date as the recipe treats the dates of the study: gone, moved, or as it is."""
    if temporal is Temporal.REMOVED:
        return None
    move = dt.timedelta(days=days if temporal is Temporal.MODIFIED else 0)
    if isinstance(value, str):
        text = dates.shift_da(value.replace("-", ""), 0)
        value = None if text is None else dt.date.fromisoformat(text)
    if not isinstance(value, dt.date):  # a date-time is one too
        return None
    try:
        return value + move
    except OverflowError:
        return None
