"""What was asked, as it may leave: under a recipe the question says no more than the data do."""

from __future__ import annotations

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.flow import Flow
from cohortkit.cohort.identity import BOOKKEEPING
from cohortkit.cohort.vocabulary import attribute_of, counted
from cohortkit.cohort.words import Released
from cohortkit.dicom.keywords import tag_of, vr_of
from cohortkit.recipe.model import DATED_LABELS, KEYED_LABELS, Action, Recipe
from cohortkit.recipe.policy import Policy


def asked(cohort: Cohort, recipe: Recipe) -> Flow:
    """The flow of a cohort in the words that a release under this recipe may hold."""
    return cohort.told(released(recipe, cohort.labels))


def released(recipe: Recipe, labels: tuple[str, ...] = ()) -> Released:
    """Whether the values of a column leave as they are.

    A label does if the recipe releases it, an attribute if the recipe keeps it wherever it
    stands: what is removed, cleaned, moved, capped or hashed does not. What the index counts, or
    says of a SOP class, is no value of the source.

    Args:
        recipe: what may stay.
        labels: the cohort's joined columns.
    """
    policy = Policy(recipe)
    changed = DATED_LABELS | KEYED_LABELS
    let_out = {one.column for one in recipe.labels if one.type not in changed}

    def holds(column: str) -> bool:
        if column in labels:
            return column in let_out
        keyword = attribute_of(column)
        if counted(column) or (column in BOOKKEEPING and keyword == column):
            return True
        tag = tag_of(keyword)
        if tag is None:
            return False
        decision = policy.decide(tag, vr_of(keyword) or "UN", None)
        return decision.action is Action.KEEP and decision.otherwise is None

    return holds
