"""Cases and their controls: patients alike in what is asked, each taken once. Pure.

Rounds: in each, every case in turn takes the control that is nearest to it and free. So no case
has a second before each has had the chance of a first. Cases take turns, and ties go, by a hash of
seed and identity: neither the order of rows nor that of Patient IDs decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from cohortkit.cohort.choose import draw, ordinary
from cohortkit.cohort.keys import beside_keys
from cohortkit.cohort.steps import Note, counted, person
from cohortkit.errors import QueryError

LABELS: Final = pl.Schema({"match_id": pl.String(), "match_role": pl.String()})
"""What the step puts beside the series of a case and its controls: whose set, and which role."""

CASE, CONTROL = "case", "control"
_ISSUER, _PATIENT = "__issuer", "__patient"
_ROUNDING: Final = 1e-9
_Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class _Pool:
    """Who may be a control, in the order of the first number.

    Attributes:
        numbers: a row each.
        drawn: their places in the order of the draw.
        free: who is in no set yet.
    """

    numbers: _Numbers
    drawn: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    free: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    @classmethod
    def of(cls, numbers: _Numbers) -> _Pool:
        """Everybody, in the order of the draw."""
        everybody = np.arange(len(numbers))
        drawn = np.argsort(numbers[:, 0], kind="stable") if numbers.shape[1] else everybody
        return cls(numbers[drawn], drawn, np.ones(len(numbers), np.bool_))

    def take(self, case: _Numbers, far: _Numbers) -> int | None:
        """The free one nearest to a case, of several the first that was drawn; and no more free."""
        low, high = 0, len(self.drawn)
        if len(far):
            first, edge = self.numbers[:, 0], far[0] + _ROUNDING
            low = int(np.searchsorted(first, case[0] - edge))
            high = int(np.searchsorted(first, case[0] + edge, "right"))
        apart = np.abs(self.numbers[low:high] - case)
        good = np.flatnonzero(self.free[low:high] & (apart <= far + _ROUNDING).all(axis=1))
        if not len(good):
            return None
        distance = (apart[good] / np.where(far > 0, far, 1)).sum(axis=1)
        best = low + good[distance == distance.min()]
        taken = best[self.drawn[best].argmin()]
        self.free[taken] = False
        return int(self.drawn[taken])


@dataclass(frozen=True, slots=True)
class Alike:
    """What a control has in common with its case.

    Attributes:
        same: columns of which both have the same values.
        within: columns of numbers, and how far apart the least value of each may be.
        controls: for each case, at most.
        seed: of what is drawn.
    """

    same: tuple[str, ...]
    within: Mapping[str, float]
    controls: int
    seed: int

    @classmethod
    def of(
        cls, same: Sequence[str], within: object, controls: int, seed: int, columns: pl.Schema
    ) -> Alike:
        """Check it against the columns of a cohort.

        Raises:
            UnknownKeyword: no such column.
            QueryError: nothing to be alike in, or what cannot be compared.
        """
        if not isinstance(within, Mapping):
            raise QueryError("match: within= is a column of numbers and how far apart, in a dict")
        for name in same:
            ordinary(name, columns, "match: same=")
        for name, far in within.items():
            ordinary(name, columns, "match: within=")
            if not columns[name].is_numeric():
                raise QueryError(f"match: {name} holds no numbers")
            if isinstance(far, bool) or not isinstance(far, int | float) or not 0 <= far < np.inf:
                raise QueryError(f"match: within= says how far {name} may be apart, 0 or more")
        if not same and not within:
            raise QueryError(
                "match: say what controls have in common with their case: same= or within="
            )
        return cls(tuple(same), dict(within), controls, seed)

    def __str__(self) -> str:
        told = [f"the same {name}" for name in self.same]
        told += [f"{name} within {far:g}" for name, far in self.within.items()]
        many = f"{counted(self.controls, 'control')} for each"
        return f"{many}: {', '.join(told)}; seed {self.seed}"


def match(
    rows: pl.LazyFrame, case: pl.Expr, alike: Alike
) -> tuple[pl.Series, pl.DataFrame, tuple[Note, ...]]:
    """Which rows are of a case with a control, or of such a control; their labels; and counts.

    A patient is a case if the condition holds for some series, a control if it does for none.
    Null where neither can be known, where the patient has no identity, or where a column in which
    they have to be alike is absent.
    """
    columns = rows.collect_schema()
    issuer, name = person(columns)
    wanted = [pl.col(one) for one in dict.fromkeys((*alike.same, *alike.within))]
    table = beside_keys(rows, [issuer, name, *wanted, case.alias("__case")])
    again = beside_keys(rows, [issuer, case.alias("__case")])["__case"]
    if not table["__case"].equals(again):
        raise QueryError("a condition has another answer each time it is asked")
    people = _people(table, alike)
    ready = people.filter(pl.all_horizontal(pl.exclude(_ISSUER, "__draw").is_not_null()))
    sets, have = _matched(ready, alike)
    known = people.select("__person").join(
        ready.select("__person", pl.lit(value=True).alias("__ready")), on="__person", how="left"
    )
    labels = known.join(sets, on="__person", how="left")
    beside = table.join(labels, on="__person", how="left", maintain_order="left")
    verdict = pl.when("__ready").then(pl.col("match_id").is_not_null()).alias("__holds")
    return (
        beside.select(verdict).to_series(),
        beside.select(LABELS.names()),
        _notes(have, people.height - ready.height, alike.controls),
    )


def _people(table: pl.DataFrame, alike: Alike) -> pl.DataFrame:
    """A row for each patient that has a name: what they are, and what they have."""
    is_case = pl.col("__case")
    same = [_values(name).alias(f"__same{at}") for at, name in enumerate(alike.same)]
    near = [
        pl.col(name).cast(pl.Float64).fill_nan(None).min().alias(f"__near{at}")
        for at, name in enumerate(alike.within)
    ]
    role = (
        pl.when(is_case.any())
        .then(pl.lit(CASE))
        .when(~is_case.any(ignore_nulls=False))
        .then(pl.lit(CONTROL))
    )
    people = (
        table.filter("__named")
        .group_by("__person")
        .agg(pl.col(_ISSUER, _PATIENT).first(), role.alias("__role"), *same, *near)
    )
    drawn = [draw(alike.seed, who) for who in people.select(_ISSUER, _PATIENT).iter_rows()]
    return people.with_columns(pl.Series("__draw", drawn, pl.Binary)).sort(
        "__draw", _ISSUER, _PATIENT
    )


def _values(name: str) -> pl.Expr:
    """All values of a patient as one text; null where there is none."""
    values = pl.col(name).cast(pl.String).drop_nulls().unique().sort()
    values = values.filter(values != "")
    return pl.when(values.len() > 0).then(values.str.join("\n"))


def _matched(people: pl.DataFrame, alike: Alike) -> tuple[pl.DataFrame, list[int]]:
    """The set of each patient that is in one, and how many controls each case has."""
    same = [name for name in people.columns if name.startswith("__same")]
    sets: list[tuple[int, str, str]] = []
    have: list[int] = []
    for alike_people in people.partition_by(same, maintain_order=True) if same else [people]:
        cases = alike_people.filter(pl.col("__role") == CASE)
        others = alike_people.filter(pl.col("__role") == CONTROL)
        given = _drawn(_numbers(cases, alike), _numbers(others, alike), alike)
        numbers = others["__person"].to_list()
        for row, mine in zip(cases.iter_rows(named=True), given, strict=True):
            have.append(len(mine))
            name = f"{row[_ISSUER]} {row[_PATIENT]}".strip()
            sets += [(row["__person"], name, CASE)] if mine else []
            sets += [(numbers[one], name, CONTROL) for one in mine]
    schema = {"__person": people.schema["__person"], **LABELS}
    return pl.DataFrame(sets, schema, orient="row"), have


def _numbers(people: pl.DataFrame, alike: Alike) -> _Numbers:
    """What they have of the columns of numbers, a row each."""
    near = [f"__near{at}" for at in range(len(alike.within))]
    return people.select(near).to_numpy().reshape(people.height, len(near))


def _drawn(cases: _Numbers, others: _Numbers, alike: Alike) -> list[list[int]]:
    """The controls of each case; both in the order of the draw."""
    far = np.array(list(alike.within.values()), np.float64)
    pool = _Pool.of(others)
    mine: list[list[int]] = [[] for _ in cases]
    for turn in range(alike.controls):
        for case, taken in zip(cases, mine, strict=True):
            control = pool.take(case, far) if len(taken) == turn else None
            if control is not None:
                taken.append(control)
    return mine


def _notes(have: Sequence[int], unknown: int, controls: int) -> tuple[Note, ...]:
    told = {"cases": len(have)}
    for number in range(controls, -1, -1):
        words = f"cases with {counted(number, 'control')}" if number else "cases without a control"
        told[words] = have.count(number)
    told["patients of whom it is not known whether they can be compared"] = unknown
    return tuple(
        Note(words, number) for words, number in told.items() if number or words == "cases"
    )
