"""The verbs of ``cohortkit key`` and ``cohortkit ids``."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

import cohortkit as ck
from cohortkit.cli_words import OK, Json, KeyPath, key_of, say

key_app = App(name="key", help="Project keys.")
ids_app = App(name="ids", help="Tables of random ids.")


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
    table = ck.IdTable.new(file, key_of(key))
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

    new = assign_codes(ck.IdTable.from_file(file), codes, key_of(key), issuer)
    say(f"{file}: {new:,} new codes", {"file": file, "new": new}, json)
    return OK
