"""One unit of work, one series, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cohortkit.model.released import Names, Scalar, Statement
from cohortkit.model.series import FileRef, Person
from cohortkit.reasons import Reason, Status

Parts = tuple[tuple[str, float], ...]
"""The parts of a split, in order, with the share of patients of each; together 1."""


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """One series to export. Identified: it lives in memory and in the vault.

    Attributes:
        number: place in the plan, from 0; progress and messages name a task by it.
        series_key: the index's opaque key.
        files: sorted by SOP Instance UID, so that ordinals are the same in every run.
        over_89: whether the person may be 90 or older in any study that the index holds; None
            where the index cannot tell. Then no age leaves.
        labels: joined columns, by name.
        known: (keyword, value) of what the index knows of the person from all of its studies, to
            be searched for: a name that this series lacks is hers all the same.
        joined: joined columns that the recipe does not release: no cleaned text may hold them.
        seen: a digest of the words that the index's descriptions have in common, where the recipe
            lets these stay.
    """

    number: int
    series_key: str
    person: Person
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    modality: str
    files: tuple[FileRef, ...]
    over_89: bool | None = False
    labels: tuple[tuple[str, Scalar | None], ...] = ()
    known: tuple[tuple[str, str], ...] = ()
    joined: tuple[tuple[str, Scalar | None], ...] = ()
    seen: str = ""

    def __repr__(self) -> str:
        return f"<Task {self.number}: {len(self.files)} files>"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of the release.

    Attributes:
        output: the writer's name.
        role: what the file is: ``image``, ``sidecar``, ``bval``, ``bvec`` …
        path: relative to ``release/``, with forward slashes.
        sha256: of the file's bytes.
        instances: ordinals of the instances in it.
        shape, spacing, dtype: of an image, spacing in mm along the axes of shape where known.
    """

    output: str
    role: str
    path: str
    sha256: str
    size: int
    instances: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    spacing: tuple[float, ...] = ()
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some instances for one kind of output. Every instance is in exactly one."""

    output: str
    status: Status
    instances: tuple[int, ...]
    reason: Reason | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Searched:
    """What the search before publication did: counts only."""

    patterns: int
    kept: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Record:
    """What one task left in the release. Pseudonymous; published by one atomic rename.

    Attributes:
        task: keyed digest of the series key; the record's file name.
        names: pseudonyms; None where the task ended before it had any.
        inputs: keyed digest of what the task was asked to do: another one is done anew.
        rows: released table rows by table name (``patients``, ``studies``, ``series``,
            ``instances``, ``labels``): each a mapping of column → scalar, list of scalars or None.
        pixel_work: instances of which parts were ``blanked``, that were ``verified``, ``defaced``.
    """

    task: str
    plan: str
    names: Names | None
    instances: int
    outcomes: tuple[Outcome, ...]
    artifacts: tuple[Artifact, ...] = ()
    rows: Mapping[str, tuple[Mapping[str, object], ...]] = field(default_factory=dict)
    statement: Statement | None = None
    searched: Searched | None = None
    inputs: str = ""
    pixel_work: Mapping[str, int] = field(default_factory=dict)
