"""The form of a job file: strict, and nothing that is not written here."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from cohortkit.recipe.draft import KINDS
from cohortkit.recipe.hints import hint
from cohortkit.recipe.pixelentries import Entry

Text = Annotated[str, Field(min_length=1)]


class ListsEntry(Entry):
    """Files with ids, as ``only`` and ``exclude`` of a cohort take them."""

    patients: Text | None = None
    accessions: Text | None = None
    studies: Text | None = None
    series: Text | None = None
    reason: str = ""


class RunEntry(Entry):
    """As ``export`` takes them."""

    workers: int | None = None
    engine: Text = "local"
    limit: int | None = None
    errors: Literal["record", "raise"] = "record"
    retry: Literal["failed", "refused"] = "failed"
    gone: Literal["refuse", "withdraw"] = "refuse"
    changed: Literal["refuse", "redo"] = "refuse"
    task_minutes: float = 60
    task_gigabytes: float | None = None


class PaceEntry(Entry):
    """As ``Pace`` takes them."""

    hours: str | None = None
    stop_file: Text | None = None
    reserve_gigabytes: float | None = None
    per_minute: float | None = None


class JobEntry(Entry):
    """The file."""

    format: Literal[1] = 1
    archive: Text | None = None
    digest: bool = False
    containers: bool | None = None
    index: Text | None = None
    cohort: Text | None = None
    search: dict[str, Any] = Field(default_factory=dict)
    only: ListsEntry | None = None
    exclude: ListsEntry | None = None
    then: list[Text] = Field(default_factory=list)
    recipe: Text | None = None
    on: Text = "basic"
    variables: Text | None = None
    key: Text | None = None
    ids: Text | None = None
    people: Text | None = None
    out: Text | None = None
    to: list[Text] = Field(default_factory=list)
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    run: RunEntry = RunEntry()
    pace: PaceEntry = PaceEntry()


_FORMS: Mapping[str, type[Entry]] = {
    "": JobEntry,
    "only": ListsEntry,
    "exclude": ListsEntry,
    "run": RunEntry,
    "pace": PaceEntry,
}


def read(document: Mapping[str, Any]) -> tuple[JobEntry, list[str]]:
    """The sound part of a job file, and ``place: what is wrong`` for the rest."""
    try:
        return JobEntry.model_validate(document), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    left = deepcopy(dict(document))
    for detail in sorted(details, key=lambda one: tuple(map(str, one["loc"])), reverse=True):
        _drop(left, detail["loc"])
    return JobEntry.model_validate(left), [_told(detail) for detail in details]


def _drop(document: dict[str, Any], place: tuple[int | str, ...]) -> None:
    """Take a faulty value out, so that what is beside it is looked at as well."""
    holder: Any = document
    for part in place[:-1]:
        holder = holder[part]
    del holder[place[-1]]


def _told(detail: ErrorDetails) -> str:
    *above, last = map(str, detail["loc"])
    place = ".".join([*above, last])
    kind = detail["type"]
    if kind == "extra_forbidden":
        form = _FORMS.get(".".join(above))
        return f"{place}: unknown word{hint(last, form.model_fields if form else {})}"
    if kind in KINDS:
        return f"{place}: must be {KINDS[kind]}"
    if kind == "literal_error" and last == "format":
        return f"{place}: this version reads format 1"
    words = {"string_too_short": "must not be empty", "float_type": "must be a number"}
    return f"{place}: {words.get(kind) or detail['msg']}"
