"""The verbs that make a release: ``plan``, ``export``, ``run``, ``status``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cohortkit as ck
from cohortkit.cli_words import (
    OK,
    IdsPath,
    Json,
    KeyPath,
    On,
    People,
    To,
    Variables,
    Workers,
    ids_of,
    key_of,
    say,
)


def plan(
    cohort: Path,
    *,
    recipe: str,
    to: To,
    on: On = "basic",
    variables: Variables = None,
    people: People = None,
    unsure: Path | None = None,
    fewest: int = 5,
    json: Json = False,
) -> int:
    """Say what an export would write, how large, and what it would refuse. Nothing is touched.

    Args:
        cohort: A cohort file, from ``cohortkit search -o``.
        recipe: A name that ships, or a path.
        unsure: Write here (a new .csv or .parquet) who may be one person under two ids. It names
            people.
        fewest: Count the values of joined columns that fewer patients have.
    """
    said = ck.load_recipe(recipe, on=on, variables=variables)
    planned = ck.plan(ck.load_cohort(cohort), said, to=to, people=people, fewest=fewest)
    if unsure is not None:
        planned.save_unsure(unsure)
    say(planned, planned.summary(), json)
    return OK


def export(
    cohort: Path,
    out: Path,
    *,
    recipe: str,
    to: To,
    on: On = "basic",
    variables: Variables = None,
    key: KeyPath = None,
    ids: IdsPath = None,
    people: People = None,
    workers: Workers = None,
    engine: str = "local",
    limit: int | None = None,
    errors: Literal["record", "raise"] = "record",
    retry: Literal["failed", "refused"] = "failed",
    gone: Literal["refuse", "withdraw"] = "refuse",
    changed: Literal["refuse", "redo"] = "refuse",
    shard: str | None = None,
    task_minutes: float = 60,
    task_gigabytes: float | None = None,
    json: Json = False,
) -> int:
    """Write the de-identified release. The same command again resumes and retries.

    Args:
        cohort: A cohort file, from ``cohortkit search -o``.
        out: The folder of the export, with ``release``, ``quarantine`` and ``vault`` in it.
        recipe: A name that ships, or a path.
        engine: ``local``, or the address of a Dask scheduler, such as tcp://host:8786.
        limit: Try this many series first.
        errors: ``raise`` stops at the first series that fails; ``record`` goes on.
        gone: Series that are in OUT and no longer in the cohort: ``refuse`` to go on, or
            ``withdraw`` them from the release.
        changed: An export in OUT under another recipe, with other outputs, or by another version:
            ``refuse`` to go on, or ``redo`` all of it.
        retry: What an earlier run left and is tried again: what failed, or also what was refused.
        shard: Do this part of all parts only, such as 2/8: one command for each job of an array.
            The last one that is done finishes for all.
        task_minutes: How long a series may take.
        task_gigabytes: How much memory a worker may have; default: nearly what the machine has.
    """
    said = ck.load_recipe(recipe, on=on, variables=variables)
    planned = ck.plan(ck.load_cohort(cohort), said, to=to, people=people)
    made = ck.export(
        planned,
        out,
        key=key_of(key),
        ids=ids_of(ids),
        workers=workers,
        engine=engine,
        limit=limit,
        errors=errors,
        retry=retry,
        gone=gone,
        changed=changed,
        shard=shard,
        task_minutes=task_minutes,
        task_gigabytes=task_gigabytes,
        progress=not json,
    )
    say(made, made.summary(), json)
    return made.exit_code


def run_(job: Path, *, shard: str | None = None, json: Json = False) -> int:
    """Do all that a job file says: scan, search, export. The same command again goes on.

    Args:
        job: A TOML file, for cron and job arrays; docs/how-to.md shows a whole one.
        shard: Do this part of all parts only, such as 2/8.
    """
    made = ck.run_job(job, shard=shard, progress=not json)
    say(made, made.summary(), json)
    return made.exit_code


def status(out: Path, *, json: Json = False) -> int:
    """Say how far an export is, while it runs or after it was stopped. Nothing is touched.

    Args:
        out: The folder of the export.
    """
    found = ck.status(out)
    say(found, found.summary(), json)
    return OK
