"""Pairs of studies of one patient that lie some days apart. Pure, and blind to row order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl

from cohortkit.cohort.choose import ordinary, present
from cohortkit.cohort.keys import PLACE, beside_keys
from cohortkit.cohort.spans import Span, demand_date

LABELS: Final = pl.Schema(
    {"pair_id": pl.String(), "pair_role": pl.String(), "pair_days": pl.Duration("us")}
)
"""What the step puts beside the series of a pair: which pair, which of the two, how far apart."""

PRIOR, FOLLOW_UP = "prior", "follow-up"
_UID: Final = "StudyInstanceUID"
_Study = tuple[int, str, int]
"""Its day, its UID, its place in the table of studies."""


def pairs(
    rows: pl.LazyFrame, span: Span, same: Sequence[str], by: str, most: int | None
) -> tuple[pl.Series, pl.DataFrame]:
    """Which rows are of a study in a pair (null where that cannot be known), and their labels.

    A study is in one pair at most. In the order of their days, each study that is in no pair yet
    gets the first later one within the window that is in none. Studies of one day go by UID.

    Args:
        rows: of a cohort.
        span: days from the prior to the follow-up.
        same: columns that both have with one value; of a study, its series with that value.
        by: the day of a study: the first of its series.
        most: pairs of one patient, for each value of ``same``; None is all.

    Raises:
        UnknownKeyword: no such column.
        QueryError: a column of several values, or without dates.
    """
    columns = rows.collect_schema()
    demand_date("pairs", by, columns)
    for name in same:
        ordinary(name, columns, "pairs: same=")
    wanted = [pl.col(name) for name in dict.fromkeys((_UID, *same))]
    table = beside_keys(rows, [*wanted, pl.col(by).cast(pl.Date).alias("__day")])
    unit = ["__person", "__study", *same]
    sure = pl.all_horizontal("__named", "__in_study", *(_said(name, columns) for name in same))
    studies = table.filter(sure).group_by(unit).agg(pl.col("__day").min(), pl.col(_UID).min())
    studies = studies.filter(pl.col("__day").is_not_null())
    studies = studies.sort("__person", *same, "__day", _UID).with_row_index("__at")
    found = _labelled(studies, span, ["__person", *same], most)
    known = studies.select(*unit, "__at").join(found, on="__at", how="left")
    beside = table.join(known, on=unit, how="left", maintain_order="left")
    verdict = pl.when(pl.col("__at").is_not_null()).then(pl.col("pair_id").is_not_null())
    return beside.select(verdict.alias(PLACE)).to_series(), beside.select(LABELS.names())


def _said(name: str, columns: pl.Schema) -> pl.Expr:
    """Whether a row has a value there; an empty text is none."""
    value = present(name)
    return value & (pl.col(name) != "") if columns[name] == pl.String else value


def _labelled(
    studies: pl.DataFrame, span: Span, group: Sequence[str], most: int | None
) -> pl.DataFrame:
    """A row for each study that is in a pair."""
    days = studies["__day"].cast(pl.Int32).to_list()
    uids, numbers = studies[_UID].to_list(), studies.select(group).rows()
    made: list[tuple[int, str, str, int]] = []
    begin = 0
    for end in range(1, len(numbers) + 1):
        if end < len(numbers) and numbers[end] == numbers[begin]:
            continue
        mine = [(days[at], uids[at], at) for at in range(begin, end)]
        for number, (prior, later) in enumerate(_paired(mine, span)):
            if most is not None and number >= most:
                break
            name, gap = f"{prior[1]} {later[1]}", later[0] - prior[0]
            made += [(prior[2], name, PRIOR, gap), (later[2], name, FOLLOW_UP, gap)]
        begin = end
    schema = {"__at": pl.UInt32, "pair_id": pl.String, "pair_role": pl.String}
    frame = pl.DataFrame(made, {**schema, "pair_days": pl.Int64}, orient="row")
    return frame.with_columns(pl.duration(days="pair_days").alias("pair_days"))


def _paired(studies: Sequence[_Study], span: Span) -> Iterator[tuple[_Study, _Study]]:
    """Pairs of one patient's studies, which are in order."""
    taken: set[int] = set()
    for at, prior in enumerate(studies):
        if at in taken:
            continue
        later = _later(studies, range(at + 1, len(studies)), prior[0], span, taken)
        if later is not None:
            taken.add(later)
            yield prior, studies[later]


def _later(
    studies: Sequence[_Study], places: Iterable[int], day: int, span: Span, taken: set[int]
) -> int | None:
    for at in places:
        gap = studies[at][0] - day
        if span.high is not None and gap > span.high:
            return None
        if at not in taken and gap >= (span.low or 0):
            return at
    return None
