"""The ten actions, and intervals: what is asked of one value of one file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """By the names of the challenge; the last is ours: a shift must keep what lies between."""

    DATE_SHIFTED = "date shifted"
    INTERVAL_KEPT = "interval kept"
    PATIENT_ID_CONSISTENT = "patient id consistent"
    PIXELS_HIDDEN = "pixels hidden"
    PIXELS_RETAINED = "pixels retained"
    TAG_RETAINED = "tag retained"
    TEXT_NOT_NULL = "text not null"
    TEXT_REMOVED = "text removed"
    TEXT_RETAINED = "text retained"
    UID_CHANGED = "uid changed"
    UID_CONSISTENT = "uid consistent"


PASSED_WHEN_ABSENT = frozenset(
    {Action.DATE_SHIFTED, Action.PIXELS_HIDDEN, Action.TEXT_REMOVED, Action.UID_CHANGED}
)
"""What is not there gives nothing away; all else is lost with a file that did not come out."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question.

    Attributes:
        file: number of the file.
        path: keywords from the top, by slashes.
        value: as it was planted; of pixels nothing.
        patient: number of the patient; intervals and ids are compared within and across.
    """

    action: Action
    file: int
    path: str
    value: str = ""
    patient: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """Where a name is drawn into every frame, in pixels."""

    left: int
    top: int
    width: int
    height: int
