"""One series of each group by a stated preference, and by what each was chosen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from cohortkit.cohort.choose import group_of, ordinary, present, without_ties
from cohortkit.cohort.keys import KNOWN, PLACE, beside_keys
from cohortkit.cohort.phrases import Phrase, literal
from cohortkit.cohort.query import parse, verdicts
from cohortkit.cohort.steps import Note, plural
from cohortkit.errors import QueryError
from cohortkit.model.query import Query

Preference = str | Mapping[str, object]
"""Terms as ``search`` takes them; or a column, of which the least value is preferred, and with a
``-`` before it the greatest."""


@dataclass(frozen=True, slots=True)
class Preferred:
    """One of each group.

    Attributes:
        keep: whether a row is it; null where its group is absent.
        phrase: what was preferred.
        notes: by what each was chosen.
    """

    keep: pl.Series
    phrase: Phrase
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Wish:
    """One preference: a value for each row, of which the least or the greatest is preferred."""

    value: pl.Expr
    words: str
    query: Query | None = None
    greatest: bool = False

    def best(self, name: str, group: str) -> pl.Expr:
        """Whether a row has the best value of its group, or nobody there has one."""
        value = pl.col(name)
        best = (value.max() if self.greatest else value.min()).over(group)
        return ((value == best) | best.is_null()).fill_null(value=False)


def best_per(rows: pl.LazyFrame, of: str, prefer: Preference | Sequence[Preference]) -> Preferred:
    """The series of each group that the first preference prefers, then the second, then by UID.

    What is not known to fulfil a preference comes behind what does.

    Raises:
        UnknownKeyword: no such column.
        QueryError: no preference, or one that cannot be asked.
    """
    columns = rows.collect_schema()
    group = group_of("best_per", of, "series", columns)
    wishes = [_wish(one, columns) for one in _listed(prefer)]
    values = {f"__wish{at}": wish for at, wish in enumerate(wishes, 1)}
    beside = [] if group.startswith("__") else [pl.col(group)]
    asked = [wish.value.alias(name) for name, wish in values.items()]
    table = beside_keys(rows, [*beside, *asked])
    sure = pl.all_horizontal(KNOWN.get(group) or present(group))
    left = table.filter(sure)
    alone = _alone(left, group)
    counted = {f"{plural(of)} with one series": alone}
    for at, (name, wish) in enumerate(values.items(), 1):
        left, before = left.filter(wish.best(name, group)), alone
        alone = _alone(left, group)
        counted[f"chosen by preference {at}"] = alone - before
    chosen = without_ties(rows, left, group, "series")
    counted["alike in all of them, chosen by UID"] = chosen.height - alone
    keep = pl.col(PLACE).is_in(chosen[PLACE].implode())
    words = "; ".join(f"{at}. {wish.words}" for at, wish in enumerate(wishes, 1))
    return Preferred(
        table.select(pl.when(sure).then(keep)).to_series(),
        Phrase(
            f"the best series of each {literal(of)}: {words}",
            tuple(wish.query for wish in wishes if wish.query is not None),
        ),
        tuple(Note(said, number) for said, number in counted.items() if number),
    )


def _alone(left: pl.DataFrame, group: str) -> int:
    """How many groups have one row left."""
    return left.group_by(group).len().filter(pl.col("len") == 1).height


def _listed(prefer: object) -> Sequence[Preference]:
    """The preferences, of which one may be given alone."""
    many = [prefer] if isinstance(prefer, str | Mapping) else prefer
    if not isinstance(many, Sequence) or not many:
        raise QueryError("best_per: prefer= is a list of terms or columns, the first counts most")
    return many


def _wish(one: Preference, columns: pl.Schema) -> _Wish:
    if isinstance(one, Mapping):
        if not one or not all(isinstance(word, str) for word in one):
            raise QueryError("best_per: terms are as search takes them, {'Modality': 'CT'}")
        query = parse(one, columns)
        met = pl.all_horizontal(verdicts(query, columns)).fill_null(value=False)
        return _Wish(met.cast(pl.Int8), "{}", query, greatest=True)
    if not isinstance(one, str):
        raise QueryError("best_per: a preference is terms ({'Modality': 'CT'}) or a column")
    name = one.removeprefix("-")
    ordinary(name, columns, "best_per: prefer=")
    value = pl.col(name).fill_nan(None) if columns[name].is_float() else pl.col(name)
    greatest = name != one
    words = f"{'greatest' if greatest else 'least'} {literal(name)}"
    return _Wish(value, words, greatest=greatest)
