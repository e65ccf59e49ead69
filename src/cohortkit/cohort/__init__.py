"""Choosing: search, filter, lists, first of each, sample, join; every step keeps its counts."""

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.file import load, save
from cohortkit.cohort.flow import Flow
from cohortkit.cohort.steps import Counts, Loss, Note, Step

__all__ = ["Cohort", "Counts", "Flow", "Loss", "Note", "Step", "load", "save"]
