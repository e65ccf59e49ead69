"""What a database is and what of it can be trusted, found out when it is opened.

A column is compared by the database only if that gives what comparing here would: no text with
blanks or NUL around it (they are trimmed here), no CHAR(n), which pads, no type of its own. It is
counted in the data, in one pass; what is not proved is read and compared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from cohortkit.dicom.keywords import tag_of
from cohortkit.errors import StoreError
from cohortkit.index.sql_place import NUL
from cohortkit.index.sql_session import Session
from cohortkit.index.sql_words import Column, Held, quoted, relation, text

_TEXT: Final = frozenset({"text", "character varying", "varchar"})
_INTEGER: Final = frozenset({"smallint", "integer", "bigint", "int", "tinyint"})
_REAL: Final = frozenset({"real", "double precision", "double", "float"})
_AS_IT_IS: Final = frozenset(
    {
        "date",
        "time without time zone",
        "time",
        "timestamp without time zone",
        "timestamp with time zone",
        "timestamp",
        "boolean",
        "array",
    }
)
_DIGITS: Final = "[0-9]"


def columns_of(
    session: Session, backend: str, table: str, mapping: Mapping[str, str]
) -> list[Column]:
    """The columns of a table, each with what was proved of it.

    Raises:
        StoreError: there is no such table.
    """
    names = _names(session, backend, table)
    if not names:
        raise StoreError("there is no such table in the database, or nothing of it may be read")
    source = relation(table)
    if backend == "sqlite":
        found = _of_sqlite(session, source, names, mapping)
    else:
        found = [_typed(name, kind, mapping) for name, kind in names.items()]
    told = ", ".join(f"{column.read} AS c{at}" for at, column in enumerate(found))
    types = session.ask(f"SELECT {told} FROM {source} LIMIT 0").dtypes
    found = [
        column if column.dtype != pl.Unknown() else replace(column, dtype=dtype)
        for column, dtype in zip(found, types, strict=True)
    ]
    return _proved(session, backend, source, found)


def _names(session: Session, backend: str, table: str) -> dict[str, str]:
    """Column → type, in the order of the table."""
    schema, _, name = table.rpartition(".")
    if backend == "sqlite":
        rows = session.ask(f"SELECT name, lower(type) AS kind FROM pragma_table_info({text(name)})")
    else:
        here = f"= {text(schema)}" if schema else "= current_schema()"
        # a collation of its own may have no LIKE
        rows = session.ask(
            "SELECT column_name AS name, CASE WHEN collation_name IS NULL THEN '' ELSE 'own ' END "
            "|| lower(data_type) AS kind FROM information_schema.columns "
            f"WHERE table_name = {text(name)} AND table_schema {here} ORDER BY ordinal_position"
        )
    return dict(rows.iter_rows())


def _typed(name: str, kind: str, mapping: Mapping[str, str]) -> Column:
    """A column whose type the database holds to."""
    own, kind = kind.startswith("own "), kind.removeprefix("own ")
    keyword, plain = mapping.get(name, name), kind.partition("(")[0]
    held = Held.OTHER
    if kind in _TEXT:
        held = Held.TEXT
    elif kind in _INTEGER:
        held = Held.INTEGER
    elif kind in _REAL:
        held = Held.REAL
    elif kind == "date":
        held = Held.DATE
    known = held is not Held.OTHER or plain in _AS_IT_IS or kind.endswith("[]")
    read = quoted(name) if known else f"CAST({quoted(name)} AS VARCHAR)"
    return Column(name, keyword, read, pl.Unknown(), held, like=not own)


def _of_sqlite(
    session: Session, source: str, names: Iterable[str], mapping: Mapping[str, str]
) -> list[Column]:
    """Columns of SQLite, where every cell has a type of its own: they are looked at."""
    told = [
        f"sum(typeof({quoted(name)}) = '{kind}') AS {quoted(f'{number} {kind}')}"
        for number, name in enumerate(names)
        for kind in ("integer", "real", "text", "blob")
    ]
    row = session.ask(f"SELECT {', '.join(told)} FROM {source}").row(0, named=True)
    found = []
    for number, name in enumerate(names):
        whole, real, texts, blobs = (
            int(row[f"{number} {kind}"] or 0) for kind in ("integer", "real", "text", "blob")
        )
        keyword, held, read = mapping.get(name, name), Held.TEXT, f"CAST({quoted(name)} AS TEXT)"
        dtype: pl.DataType = pl.String()
        if not texts and not blobs and (whole or real):
            held = Held.REAL if real else Held.INTEGER
            dtype = pl.Float64() if real else pl.Int64()
            read = f"CAST({quoted(name)} AS {'REAL' if real else 'INTEGER'})"
        elif whole or real or blobs:
            held = Held.OTHER
        found.append(Column(name, keyword, read, dtype, held, like=True))
    return found


def _proved(session: Session, backend: str, source: str, columns: list[Column]) -> list[Column]:
    """What a look at all texts leaves of what the types promise."""
    texts = [column for column in columns if column.held is Held.TEXT]
    if not texts:
        return columns
    told = [
        f"sum(CASE WHEN {what} THEN 1 ELSE 0 END) AS {quoted(f'{number} {word}')}"
        for number, column in enumerate(texts)
        for word, what in _faults(backend, quoted(column.name)).items()
    ]
    row = session.ask(f"SELECT {', '.join(told)} FROM {source}").row(0, named=True)
    known = {}
    for number, column in enumerate(texts):
        faults = {word: int(row[f"{number} {word}"] or 0) for word in _faults(backend, "")}
        known[column.keyword] = _held(column, faults)
    liked = _likes(session)
    return [replace(c, held=known.get(c.keyword, c.held), like=liked and c.like) for c in columns]


def _held(column: Column, faults: Mapping[str, int]) -> Held:
    if faults["trimmed"] or faults["nul"]:
        return Held.OTHER
    date = tag_of(column.keyword) is not None and column.keyword.endswith("Date")
    if date and not faults["digits"]:
        return Held.DIGITS
    if date and not faults["dashes"]:
        return Held.DASHES
    return Held.TEXT


def _faults(backend: str, name: str) -> dict[str, str]:
    """Conditions of a text that is not what it should be, to be counted."""
    nul = {
        "postgresql": "FALSE",  # it has none
        "sqlite": f"instr(CAST({name} AS BLOB), x'00') > 0",
        "duckdb": f"contains({name}, chr(0))",
    }[backend]
    digits, dashes = _DIGITS * 8, "-".join((_DIGITS * 4, _DIGITS * 2, _DIGITS * 2))
    match = {
        "postgresql": "{0} !~ '^{1}$'",
        "sqlite": "{0} NOT GLOB '{1}'",
        "duckdb": "NOT regexp_full_match({0}, '{1}')",
    }[backend]
    trim = "btrim" if backend == "postgresql" else "trim"
    return {
        "trimmed": f"{name} <> {trim}({name}, ' ')",
        "nul": f"({nul}) OR {name} LIKE {text(f'%{NUL}%')}",
        "digits": f"{name} <> '' AND {match.format(name, digits)}",
        "dashes": f"{name} <> '' AND {match.format(name, dashes)}",
    }


def _likes(session: Session) -> bool:
    """Whether LIKE reads its signs as they are meant, character by character."""
    pairs = {"a_%b": "a!_!%b", "\u00e9x": "__", "a!b": "a!!b", "a\\b": "a\\_", "a\nb": "a%b"}
    told = [f"({text(a)} LIKE {text(b)} ESCAPE '!')" for a, b in pairs.items()]
    return bool(session.ask(f"SELECT ({' AND '.join(told)}) AS good")["good"][0])
