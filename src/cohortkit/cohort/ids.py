"""Lists of identifiers against a cohort: ids are text, matched whole, never as patterns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from cohortkit.cohort.steps import Note, person
from cohortkit.errors import QueryError

COLUMN_OF: Final = MappingProxyType(
    {
        "patients": "PatientID",
        "accessions": "AccessionNumber",
        "studies": "StudyInstanceUID",
        "series": "SeriesInstanceUID",
    }
)
"""What ``only`` and ``exclude`` take, and the column it is matched with."""

ONE_OF: Final = MappingProxyType(
    {"patients": "patient", "accessions": "accession", "studies": "study", "series": "series"}
)
"""The singular of each."""

MISSES: Final = pl.Schema(
    {"step": pl.Int64, "column": pl.String, "value": pl.String, "what": pl.String}
)
"""The table of ids that did not simply match. Identified."""


@dataclass(frozen=True, slots=True, repr=False)
class IdList:
    """A list of ids as it was given: trimmed text, with the issuer where the list has one.

    Attributes:
        column: the DICOM keyword it is matched with.
        given: columns ``id`` and, for patients of a known issuer, ``issuer``; in order, once each.
        duplicated: ids that were given more than once.
        blank: how many entries were empty.
    """

    column: str
    given: pl.DataFrame
    duplicated: pl.Series
    blank: int

    def __repr__(self) -> str:
        return f"<IdList of {self.given.height} {self.column}>"


def tidy(column: str, values: pl.DataFrame) -> IdList:
    """Trim, drop blanks and repetitions, and count both.

    Args:
        column: the DICOM keyword.
        values: a text column ``id`` and perhaps ``issuer``.
    """
    text = values.with_columns(pl.all().str.strip_chars(" \t\0").fill_null(""))
    full = text.filter(pl.col("id") != "")
    repeated = full.filter(pl.struct(pl.all()).is_duplicated())["id"].unique(maintain_order=True)
    return IdList(column, full.unique(maintain_order=True), repeated, values.height - full.height)


def from_values(keyword: str, values: Iterable[object]) -> pl.DataFrame:
    """A table of ids from a list in Python: texts, or (issuer, id) pairs for patients.

    Raises:
        QueryError: numbers (which have lost their leading zeros) or other things.
    """
    ids: list[str] = []
    issuers: list[str] = []
    for value in values:
        pair = value if isinstance(value, tuple) else ("", value)
        if len(pair) != 2 or not all(isinstance(part, str) for part in pair):  # noqa: PLR2004 - a pair
            raise QueryError(
                f"{keyword}: ids are text (a number has lost its leading zeros), "
                f"not {type(value).__name__}"
            )
        if isinstance(value, tuple) and keyword != "patients":
            raise QueryError(f"{keyword}: only patients come as (issuer, id)")
        if isinstance(value, tuple) != bool(issuers) and ids:
            raise QueryError(f"{keyword}: either all ids come with their issuer, or none")
        ids.append(pair[1])
        issuers.extend([pair[0]] if isinstance(value, tuple) else [])
    columns = {"id": ids, "issuer": issuers} if issuers else {"id": ids}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def listed(rows: pl.DataFrame, ids: IdList) -> pl.Series:
    """Whether each row's identifier is in the list; null where it has none."""
    keyed = _keys(rows.lazy(), ids).collect()
    names = ids.given.columns
    found = keyed.join(
        ids.given.with_columns(__yes=pl.lit(value=True)),
        on=names,
        how="left",
        maintain_order="left",
    )
    return found.select(
        pl.when(pl.col("id") != "").then(pl.col("__yes").fill_null(value=False))
    ).to_series()


def _keys(rows: pl.LazyFrame, ids: IdList) -> pl.LazyFrame:
    issuer, patient = person(rows.collect_schema())
    own = pl.col(ids.column).cast(pl.String).fill_null("").str.strip_chars(" \t\0").alias("id")
    return rows.select(own, issuer.alias("issuer"), patient)


def report(
    rows: pl.DataFrame, whole: pl.LazyFrame, ids: IdList
) -> tuple[tuple[Note, ...], pl.DataFrame]:
    """What there is to say of a list: counts that name nobody, and the ids themselves.

    Args:
        rows: the cohort's series.
        whole: the series of the index.
        ids: the list.
    """
    here, anywhere = _keys(rows.lazy(), ids).collect(), _keys(whole, ids).collect()
    names = ids.given.columns
    gone = ids.given.join(here, on=names, how="anti", maintain_order="left")
    absent = gone.join(anywhere, on=names, how="anti", maintain_order="left")["id"]
    before = gone.join(anywhere, on=names, how="semi", maintain_order="left")["id"]
    wild = ids.given["id"].filter(ids.given["id"].str.contains(r"[*?]"))
    found = {
        "not in the index": absent,
        "left out by an earlier step": before,
        "given more than once": ids.duplicated,
        "with a wildcard, matched as written": wild,
        "of several patients": _shared(here, ids) if len(names) == 1 else absent.clear(),
    }
    notes = [Note(f"ids in the list ({ids.column})", ids.given.height)]
    notes += [Note(f"ids {what}", values.len()) for what, values in found.items() if values.len()]
    notes += [Note("blank entries", ids.blank)] if ids.blank else []
    return tuple(notes), pl.concat(
        [misses(ids.column, values, what) for what, values in found.items()]
    )


def _shared(keyed: pl.DataFrame, ids: IdList) -> pl.Series:
    """Ids of the list that more than one person here has."""
    people = keyed.select("id", pl.struct("issuer", "__patient").alias("who")).unique()
    several = people.filter(pl.col("id").is_duplicated()).select("id").unique()
    return ids.given.join(several, on="id", how="semi", maintain_order="left")["id"]


def misses(column: str, values: pl.Series, what: str) -> pl.DataFrame:
    """Rows of the table of ids that did not simply match; the step is set by the cohort."""
    return pl.DataFrame(
        {"step": None, "column": column, "value": values, "what": what}, schema=MISSES
    )
