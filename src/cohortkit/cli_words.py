"""What the verbs of the command share: exit codes, options, and how they say something."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import cohortkit as ck
from cohortkit.errors import UsageError

OK, FAULT, USAGE, FAILED, NOTHING, STOPPED = 0, 1, 2, 3, 4, 130

Json = Annotated[bool, Parameter(name="--json", help="Print one line of JSON and no progress.")]
On = Annotated[
    str,
    Parameter(
        name="--on", help="What a recipe in deid's language, or a script of CTP, is put on top of."
    ),
]
Variables = Annotated[
    Path | None,
    Parameter(
        name="--variables",
        help="Values for var: in deid's language: a table with PatientID and a column for each.",
    ),
]
Page = Annotated[Path | None, Parameter(help="Write it as a page, too.")]
Workers = Annotated[int | None, Parameter(help="Worker processes; default: one for each core.")]
KeyPath = Annotated[
    Path | None, Parameter(help="The project's key file; default: the variable COHORTKIT_KEY.")
]
IdsPath = Annotated[
    Path | None,
    Parameter(
        name="--ids", help="The project's table of random ids, where the recipe asks for it."
    ),
]
People = Annotated[
    Path | None,
    Parameter(
        name="--people",
        help="Ids of one person: a table with PatientID and the IntoPatientID that it goes into.",
    ),
]
To = Annotated[
    list[str],
    Parameter(
        help="A kind of output: dicom, nifti, png or tables. Say it once for each. Its options "
        "stand behind a colon: nifti:tilt=resample,colour=rgb."
    ),
]


def complain(message: str, code: int) -> int:
    """Say what is wrong, and pass the exit code on."""
    print(f"cohortkit: {message}", file=sys.stderr)
    return code


def say(text: object, facts: Mapping[str, object], as_json: bool) -> None:  # noqa: FBT001 - the flag as given
    """The answer: in words, or as one line of JSON."""
    line = json.dumps(facts, ensure_ascii=False, default=str) if as_json else str(text)
    print(line)


def write_page(path: Path, body: str) -> None:
    """Write what a notebook would show as a page.

    Raises:
        UsageError: the place cannot be written.
    """
    page = f'<!doctype html><meta charset="utf-8"><title>cohortkit</title>{body}\n'
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def demand_words(words: Sequence[str]) -> None:
    """Refuse an empty word, which would be taken for this folder.

    Raises:
        UsageError: one is.
    """
    if not all(word.strip() for word in words):
        raise UsageError("an empty word among the arguments; is a variable of the shell unset?")


def key_of(path: Path | None) -> ck.Key:
    """The key in a file; without one, that of the environment."""
    return ck.Key.from_env() if path is None else ck.Key.from_file(path)


def ids_of(path: Path | None) -> ck.IdTable | None:
    """The table of random ids in a file, if there is one."""
    return None if path is None else ck.IdTable.from_file(path)
