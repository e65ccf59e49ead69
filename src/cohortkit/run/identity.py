"""Whose ids an export takes: keyed or out of a table, and who is merged with whom."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from cohortkit.cohort.join import Table, read_table
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.deidentify.people import People, merged
from cohortkit.errors import IdTableError, OutputError, QueryError, UsageError
from cohortkit.model import FORMAT, Person, Record
from cohortkit.protocols import Index
from cohortkit.recipe.model import Ids, Recipe
from cohortkit.run.persons import person_of
from cohortkit.run.place import Place, publish

_FROM: Final = ("IssuerOfPatientID", "PatientID")
_INTO: Final = ("IntoIssuerOfPatientID", "IntoPatientID")
_SHOWN = 10


def demand_ids(
    ids: IdTable | None,
    key: Key,
    recipe: Recipe,
    archive: Iterable[str],
    people: Iterable[Person] = (),
) -> None:
    """Hold the ids to what the recipe asks for, and a broker's codes to the people of a plan.

    Raises:
        IdTableError: there is a table where ids are to be keyed, or none where they are not; it is
            another key's, holds codes of none of the people, or lies in the archive, which is
            only read.
    """
    if ids is not None and not isinstance(ids, IdTable):
        raise UsageError("ids: a table of random ids, as ck.IdTable.from_file gives it")
    if ids is None:
        if recipe.ids is Ids.TABLE:
            raise IdTableError(
                f"recipe {recipe.name} asks for random ids: give the project's table (ids=, "
                "--ids); cohortkit ids new makes one"
            )
        return
    if recipe.ids is not Ids.TABLE:
        raise IdTableError(
            f"recipe {recipe.name} asks for keyed ids, and here is a table of random ones; say "
            'ids = "table" in the recipe, so that what is signed is what is done'
        )
    ids.pseudonyms(key)
    ids.demand_met(people, key)
    place = Path(os.path.realpath(ids.path))
    if any(place.is_relative_to(os.path.realpath(folder)) for folder in archive):
        raise IdTableError(
            f"table of ids {ids.path.name}: it is inside the archive or its index, which are only "
            "read; keep it in a place of its own"
        )


def same_table(ids: IdTable | None, records: Iterable[Record], said: str) -> None:
    """Hold a table to the records that were made out of it, before anything is drawn.

    Raises:
        OutputError: some of their ids are not in it.
    """
    if ids is None:
        return
    lost = sum(not all(map(ids.gave, _names(record))) for record in records)
    if lost:
        raise OutputError(
            f"output {said}: the ids of {lost} of its series are not in this table; it is an older "
            "copy of the one that the export was made with. Go on with that one"
        )


def _names(record: Record) -> list[str]:
    names = record.names
    if names is None:
        return [record.task]
    longer = (names.patient, names.study, names.series)
    return [record.task, *filter(None, longer)]


def read_people(table: Table, default_issuer: str) -> People:
    """Who is merged with whom, as a caller brings it.

    Raises:
        UsageError: no table, other columns, rows without an id, merges that contradict each other.
    """
    try:
        read = read_table(table, (*_FROM, *_INTO))
    except QueryError as error:
        raise UsageError(f"people: {error}") from None
    there = set(read.columns)
    lacking = {"PatientID", "IntoPatientID"} - there
    more = there - {*_FROM, *_INTO}
    if lacking or more:
        wrong = (
            f"it lacks {', '.join(sorted(lacking))}" if lacking else f"{len(more)} more are there"
        )
        raise UsageError(
            "people: the columns are PatientID and IntoPatientID, and perhaps IssuerOfPatientID "
            f"and IntoIssuerOfPatientID; {wrong}"
        )
    cells = _cells(read, (*_FROM, *_INTO))
    pairs = [(Person(a, b), Person(c, d)) for a, b, c, d in cells.iter_rows()]
    people, wrong_rows = merged(pairs, default_issuer)
    if wrong_rows:
        more_rows = f"; and {len(wrong_rows) - _SHOWN} more" if len(wrong_rows) > _SHOWN else ""
        raise UsageError(f"people: {'; '.join(wrong_rows[:_SHOWN])}{more_rows}")
    return people


def assign_codes(ids: IdTable, table: Table, key: Key, issuer: str) -> int:
    """Take a broker's codes out of a table with the columns PatientID and Code; how many are new.

    Raises:
        UsageError: no table, other columns, codes that cannot be (`IdTable.assign`).
        IdTableError: another key.
    """
    wanted = ("IssuerOfPatientID", "PatientID", "Code")
    try:
        read = read_table(table, wanted)
    except QueryError as error:
        raise UsageError(f"codes: {error}") from None
    if set(read.columns) | {wanted[0]} != set(wanted):
        raise UsageError("codes: the columns are PatientID, Code, and perhaps IssuerOfPatientID")
    cells = _cells(read, wanted)
    return ids.assign(cells.iter_rows(), key, issuer=issuer)


def _cells(read: pl.DataFrame, wanted: Iterable[str]) -> pl.DataFrame:
    """Columns of text; one that is not there is empty."""
    columns = [pl.col(n) if n in read.columns else pl.lit("").alias(n) for n in wanted]
    return read.select(one.cast(pl.String, strict=False).fill_null("") for one in columns)


def met(people: People, index: Index, default_issuer: str) -> int:
    """How many of the ids that are merged are in an index.

    Raises:
        UsageError: none of them; merges that do nothing would look like merges that were done.
    """
    if not people:
        return 0
    frame = index.series()
    who = [name for name in _FROM if name in frame.collect_schema().names()]
    rows = frame.select(who).unique().collect().iter_rows(named=True)
    found = len({person_of(row, default_issuer) for row in rows} & people.into.keys())
    if not found:
        raise UsageError(
            "people: none of the ids that go into others is in this index; an issuer belongs to "
            "them (IssuerOfPatientID) where the archive has one"
        )
    return found


def keep_people(place: Place, people: People) -> None:
    """Leave in the vault who was merged, for whoever has to find them again."""
    if not people:
        return
    rows = sorted(
        [one.issuer, one.patient_id, into.issuer, into.patient_id]
        for one, into in people.into.items()
    )
    body = {"format": FORMAT, "columns": [*_FROM, *_INTO], "rows": rows}
    publish(place.people, json.dumps(body, indent=1).encode() + b"\n")


def people_of(place: Place) -> People:
    """Who was merged in an export.

    Raises:
        OutputError: it cannot be read; taken for nobody, a search would miss what is hers.
    """
    try:
        body = json.loads(place.people.read_bytes())
    except FileNotFoundError:
        return People()
    except ValueError:
        body = None
    try:
        return People({Person(a, b): Person(c, d) for a, b, c, d in body["rows"]})
    except (KeyError, TypeError, ValueError):
        raise OutputError(f"output {place.root}: its vault is damaged (people.json)") from None


def table_of(settings: object, ids: IdTable | None, said: str, *, needed: bool) -> None:
    """Hold a table to what the vault says of the export (``settings["ids"]``).

    Raises:
        IdTableError: another table, one where ids are keyed, or none where it is needed.
    """
    table_id = settings.get("table") if isinstance(settings, dict) else None
    if ids is not None and ids.table_id != table_id:
        raise IdTableError(f"output {said}: made with ids out of another table, or of none")
    if ids is None and table_id is not None and needed:
        raise IdTableError(
            f"output {said}: its ids are random; give the table that they are out of (ids=, --ids)"
        )
