"""The command ``cohortkit``: the same verbs as the library.

Exit codes: 0 all written or refused by name; 2 wrong use, a recipe with faults, a key or place
that cannot be used; 3 some of it failed (the same command tries again); 4 nothing was written;
1 a fault in cohortkit itself; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

import cohortkit as ck
from cohortkit.cli_recipe import recipe_app
from cohortkit.cli_words import (
    FAILED,
    FAULT,
    OK,
    STOPPED,
    USAGE,
    Json,
    On,
    Page,
    Variables,
    complain,
    demand_words,
    say,
    write_page,
)
from cohortkit.cohort.terms import read_terms
from cohortkit.errors import CohortkitError, UsageError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
TRACEBACK = "COHORTKIT_TRACEBACK"
"""Set this variable to see the traceback of a fault. It may show values: not for sharing."""

_AS_JSON = "--json"

app = App(
    name="cohortkit",
    help="From a hospital's imaging archive to a de-identified research data set.",
    version=lambda: version("cohortkit"),
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)
key_app = App(name="key", help="Project keys.")
ids_app = App(name="ids", help="Tables of random ids.")
app.command(key_app)
app.command(ids_app)
app.command(recipe_app)

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer with its exit code. No error shows a traceback.

    Args:
        argv: the words after ``cohortkit``; default: those of the process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        demand_words(words)
        code = app(words)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as in ``| head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (CohortkitError, CycloptsError) as error:
        code = USAGE if isinstance(error, UsageError | CycloptsError) else FAILED
        if _AS_JSON in words:
            say("", {"error": str(error), "exit_code": code}, as_json=True)
        return complain(str(error), code)
    except KeyboardInterrupt:
        return complain("stopped; the same command goes on where it was", STOPPED)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM:
            # of no file by name, and files of ours have errors of their own: standard output
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return complain("standard output cannot be written: no space left", FAILED)
        if os.environ.get(TRACEBACK):
            raise
        what = f"a fault in cohortkit ({type(error).__name__}); set {TRACEBACK}=1 to see where"
        return complain(what, FAULT)
    return code if isinstance(code, int) else OK


@app.command
def scan(
    archive: Path,
    index: Path,
    *,
    digest: bool = False,
    workers: Workers = None,
    json: Json = False,
) -> int:
    """Index an archive in place. Run again, it opens only what changed.

    Args:
        archive: The folder of DICOM files. It is only read.
        index: The folder of the index store. It holds identities: keep it as the archive is kept.
        digest: Read every file to its end, each time: what has changed is seen where size and time
            do not tell, and what was moved or copied is known again.
    """
    store = ck.scan(archive, index, digest=digest, workers=workers, progress=not json)
    skipped = store.skipped().group_by("reason").len().sort("reason")
    facts = {
        "index": index,
        "version": store.version,
        "files": store.counts,
        "skipped": dict(skipped.iter_rows()),
        "found": store.summary().to_dicts(),
    }
    say(repr(store), facts, json)
    return OK


@app.command
def search(
    index: str,
    *terms: str,
    text: list[str] | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    json: Json = False,
) -> int:
    """Choose series by DICOM keywords and save the choice as a cohort file.

    A term is KEYWORD=VALUE. ``*`` and ``?`` in text are wildcards, LOW..HIGH is a closed range of
    dates, times or numbers (a side may be left open), nothing after ``=`` is an absent value, and
    the same keyword again is another accepted value.

    Args:
        index: An index store, or a Parquet or CSV table with DICOM keywords as columns.
        terms: What is asked, for example ``Modality=CT StudyDate=2022-01-01..2024-12-31``.
        text: Words that the descriptions hold, all of them, whatever case and accents. Said again,
            one of the texts is enough.
        out: The cohort file to write. It holds identities.
    """
    opened = ck.open_index(index)
    cohort = opened.search(**read_terms(terms, opened.series().collect_schema()))
    cohort = cohort.text(*text) if text else cohort
    if out is not None:
        cohort.save(out)
    say(cohort, {"cohort": out, "flow": cohort.flow().to_polars().to_dicts()}, json)
    return OK


@app.command
def describe(index: str, *, html: Page = None, json: Json = False) -> int:
    """Say what an index holds: modalities, departments, years, and how complete its columns are.

    Args:
        index: An index store, a table, a database or a server.
    """
    found = ck.open_index(index).describe()
    if html is not None:
        write_page(html, found._repr_html_())
    say(found, found.summary(), json)
    return OK


@key_app.command(name="new")
def key_new(file: Path, *, project: str, json: Json = False) -> int:
    """Make the key of a new project: 32 secret bytes, in a file that only you can read.

    Args:
        file: Where to write it; never over a file that is there.
        project: The project's name. Pseudonyms of two projects have nothing in common.
    """
    key = ck.Key.new(file, project)
    text = (
        f"{file}: {key!r}\n"
        "Keep it as you keep the archive: who has it can find the patients again, "
        "and without it no later export can use the same pseudonyms."
    )
    say(text, {"file": file, "project": key.project, "key_id": key.key_id}, json)
    return OK


@ids_app.command(name="new")
def ids_new(file: Path, *, key: KeyPath = None, json: Json = False) -> int:
    """Make an empty table of random ids, in a file that only you can read.

    Exports of recipes that say ``ids = "table"`` draw from it. Several runs may share it.

    Args:
        file: Where to write it; never over a file that is there.
    """
    table = ck.IdTable.new(file, _key(key))
    text = (
        f"{file}: {table!r}\n"
        "Back it up after each export, and keep it where the key is not: with both, and the "
        "index, the patients can be found again; without it no later export can use the same ids."
    )
    say(text, {"file": file, "project": table.project, "table_id": table.table_id}, json)
    return OK


@ids_app.command(name="import")
def ids_import(
    file: Path, codes: Path, *, key: KeyPath = None, issuer: str = "", json: Json = False
) -> int:
    """Take a broker's codes as the names of people, instead of random ones.

    Args:
        file: The table of ids.
        codes: A table with PatientID and Code, and perhaps IssuerOfPatientID. All is taken, or
            nothing.
        issuer: Stands in where a row has no issuer.
    """
    from cohortkit.run.identity import assign_codes  # noqa: PLC0415 - needs polars

    new = assign_codes(ck.IdTable.from_file(file), codes, _key(key), issuer)
    say(f"{file}: {new:,} new codes", {"file": file, "new": new}, json)
    return OK


@app.command
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


@app.command
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
        key=_key(key),
        ids=_ids(ids),
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


@app.command(name="run")
def run_(job: Path, *, shard: str | None = None, json: Json = False) -> int:
    """Do all that a job file says: scan, search, export. The same command again goes on.

    Args:
        job: A TOML file, for cron and job arrays; docs/how-to.md shows a whole one.
        shard: Do this part of all parts only, such as 2/8.
    """
    made = ck.run_job(job, shard=shard, progress=not json)
    say(made, made.summary(), json)
    return made.exit_code


@app.command
def status(out: Path, *, json: Json = False) -> int:
    """Say how far an export is, while it runs or after it was stopped. Nothing is touched.

    Args:
        out: The folder of the export.
    """
    found = ck.status(out)
    say(found, found.summary(), json)
    return OK


@app.command
def verify(
    out: Path,
    *,
    key: KeyPath = None,
    ids: IdsPath = None,
    index: str | None = None,
    also: list[Path] | None = None,
    json: Json = False,
) -> int:
    """Check a finished export again: every file and digest, and a search for source identities.

    Args:
        out: The folder of the export.
        index: The index that the export was made from.
        also: A file that is to leave with it, as a notebook or a log; say it once for each.
    """
    found = ck.verify(out, key=_key(key), index=index, ids=_ids(ids), also=also or ())
    say(found, found.summary(), json)
    return OK if found.ok else FAILED


@app.command
def crosswalk(
    out: Path,
    to: Path,
    *,
    index: str,
    reason: str,
    level: Literal["patient", "study", "series", "instance"] = "patient",
    only: list[str] | None = None,
    key: KeyPath = None,
    ids: IdsPath = None,
    json: Json = False,
) -> int:
    """Write which pseudonym is which person. The vault notes who asked, when, for whom and why.

    Args:
        out: The folder of the export.
        to: The file to write, .csv or .parquet: new, for its owner alone, outside of any release.
        index: The index that the export was made from.
        reason: Why, in words.
        level: What a row is of.
        only: A pseudonym of a patient, study or series; say it once for each. Default: all.
    """
    made = ck.crosswalk(
        out, to, _key(key), index, reason=reason, level=level, only=only or (), ids=_ids(ids)
    )
    say(made, made.summary(), json)
    return OK


@app.command
def inventory(out: Path, *, json: Json = False) -> int:
    """Count every distinct value that a finished export lets out, the rare ones first.

    The whole of it is a page and a table in the vault, for whoever signs.

    Args:
        out: The folder of the export.
    """
    made = ck.inventory(out)
    say(made, made.summary(), json)
    return FAILED if made.unread else OK


@app.command
def demo(folder: Path = Path("demo"), *, json: Json = False) -> int:
    """Run the main job on the real DICOM that ships inside pydicom, and say where to look.

    Args:
        folder: Where to put index, recipe, key and export: a new folder, or that of a demo.
    """
    from cohortkit.demo import run  # noqa: PLC0415 - the other commands do not need it

    made = run(folder, progress=not json)
    say(made.words(), made.facts(), json)
    return made.export.exit_code


def _key(path: Path | None) -> ck.Key:
    return ck.Key.from_env() if path is None else ck.Key.from_file(path)


def _ids(path: Path | None) -> ck.IdTable | None:
    return None if path is None else ck.IdTable.from_file(path)
