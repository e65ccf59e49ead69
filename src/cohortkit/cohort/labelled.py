"""Which values of joined columns a view may show: by the values, whatever a column is called.

Tables are joined from everywhere, and their columns are called in every language. What a notebook
shows is saved with it. So a value stands in a view that nobody asked to be identified if it tells
nobody by itself:

- it is of ordinary words, or one figure alone (``malignant``, ``no finding``, ``val``, ``3``); or
- at least `FEWEST` patients of the cohort have it (``C34.1``, ``MCI``, ``57``);

and, whichever it is, it names nobody of the index, holds no day, birth, contact or age of 90 or
more by its form, and is no name, number, birth year or age of 90 or more of who has it. Another is
``withheld``. A column of numbers in which one is withheld is shown as text, for what is reckoned
from the others would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from cohortkit.cohort.keys import beside_keys
from cohortkit.cohort.named import near, says_nothing
from cohortkit.cohort.ordinary import of_labels
from cohortkit.cohort.steps import evaluated
from cohortkit.cohort.vocabulary import FIGURE
from cohortkit.deidentify.text.reach import telling
from cohortkit.dicom.keywords import vr_of
from cohortkit.traces.aged import OLDEST, ages
from cohortkit.traces.born import tells_birth
from cohortkit.traces.dated import tells_day
from cohortkit.traces.fields import Kind, kind_of
from cohortkit.traces.own import own_of
from cohortkit.traces.spellings import fold

WITHHELD: Final = "withheld"
"""What stands for a value that a view does not show."""

FEWEST: Final = 5
"""Patients that a value should have at least, unless told otherwise."""

_MOST: Final = 500
"""Different texts of a column that are held against the index: one that has more is free text."""
_LONGEST: Final = 40
_PLACES: Final = 4  # of a decimal fraction; more may be an id behind a point
_ONE_FIGURE: Final = 10
_RUN: Final = re.compile(r"[^\W_]+")
_OWN: Final = frozenset({Kind.NAME, Kind.PHYSICIAN, Kind.PATIENT_ID, Kind.IDENTIFIER})
_YEAR: Final = 365.25  # days

Value = str | int | float


def is_plain(text: str) -> bool:
    """Whether a text is of ordinary words, however written, with one figure at most."""
    runs = _RUN.findall(text.lower())
    if sum(map(str.isdigit, text)) > 1 or sum(len(run) == 1 for run in runs) > 1:
        return False  # initials are letters alone, too
    return says_nothing(" ".join(word for word in runs if not of_labels(word)))


@dataclass(frozen=True, eq=False, repr=False)
class Telling:
    """The joined columns of a cohort, and what of them and of a question may be shown.

    Attributes:
        labels: the columns.
        rows: of the cohort. Identified.
        series: of the index. Identified.
    """

    labels: tuple[str, ...] = ()
    rows: pl.LazyFrame = field(default_factory=pl.LazyFrame)
    series: pl.LazyFrame = field(default_factory=pl.LazyFrame)
    _often: dict[str, frozenset[Value]] = field(default_factory=dict, init=False)

    def __contains__(self, column: object) -> bool:
        return column in self.labels

    def neutral(self, table: pl.DataFrame) -> pl.DataFrame:
        """A table of the cohort with ``withheld`` for each value of a label that is not shown."""
        made = [self._neutral(table[name]) for name in self.labels if name in table.columns]
        return table.with_columns(made)

    def _neutral(self, values: pl.Series) -> pl.Series:
        kind = values.dtype
        if kind == pl.Boolean or values.null_count() == values.len():
            return values
        name, texts = values.name, values.cast(pl.String, strict=False)
        if kind.is_nested() or kind.is_temporal():
            return values.is_null().replace_strict({True: None, False: WITHHELD}).alias(name)
        plain = values if kind.is_numeric() else texts
        distinct = plain.drop_nulls().unique().to_list()
        shown = self.shown(name, distinct)
        if len(shown) == len(distinct):
            return plain
        hidden = plain.is_not_null() & ~plain.is_in(pl.Series(shown, dtype=plain.dtype).implode())
        return texts.set(hidden, WITHHELD)

    def shown(self, column: str, values: Iterable[Value]) -> list[Value]:
        """The values of a label that a view may show."""
        often = self._frequent(column)
        plain = [one for one in values if one in often or _is_ordinary(one)]
        texts = [one for one in plain if isinstance(one, str)]
        if len(texts) > _MOST:
            texts = [one for one in texts if is_plain(one)]
        numbers = [one for one in plain if not isinstance(one, str) and _is_short(one)]
        left = [*self._nobodys(texts), *numbers]
        many, few = (
            [one for one in left if (one in often) is frequent] for frequent in (True, False)
        )
        told = self._own_years(column, many) | self._own_words(column, few)
        return [one for one in left if one not in told]

    def asks(self, column: str, value: object) -> bool:
        """Whether a question may be told with a value that a label was asked for.

        A limit is none of anybody's values: a whole number under 90, or a fraction of one.
        """
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float) and (0 < value < 1 or value in range(OLDEST)):
            return _is_short(value) and not self._numbered(value)
        if not isinstance(value, str | int | float):
            return False
        same = self.rows.collect_schema()[column].is_numeric() is not isinstance(value, str)
        return same and self.shown(column, [value]) == [value]

    def says(self, text: str) -> bool:
        """Whether words that somebody looked for are ordinary, and name nobody of the index."""
        return is_plain(text) and bool(self._nobodys([text]))

    def _frequent(self, column: str) -> frozenset[Value]:
        """The values that enough patients of the cohort have."""
        if column not in self._often:
            cells = beside_keys(self.rows, [column]).filter("__named").drop_nulls(column)
            if not cells[column].dtype.is_numeric():
                cells = cells.with_columns(pl.col(column).cast(pl.String, strict=False))
            many = cells.group_by(column).agg(pl.col("__person").n_unique())
            self._often[column] = frozenset(many.filter(pl.col("__person") >= FEWEST)[column])
        return self._often[column]

    def _nobodys(self, texts: Collection[str]) -> list[str]:
        """The texts that tell nobody by their form, and name nobody of the index."""
        formless = [text for text in texts if is_plain(text) or not _tells_by_form(text)]
        asked = [text for text in formless if not says_nothing(text)]
        people = near(asked, self.series) if asked else None
        return [text for text in formless if people is None or not people.stand_in(text)]

    def _having(self, column: str, values: Sequence[Value]) -> tuple[pl.Expr, pl.LazyFrame]:
        """The column as its values are compared, and the rows that have one of some."""
        kind = self.rows.collect_schema()[column]
        cell = pl.col(column) if kind.is_numeric() else pl.col(column).cast(pl.String)
        wanted = pl.Series(values, dtype=kind if kind.is_numeric() else pl.String, strict=False)
        return cell, self.rows.filter(cell.is_in(wanted.implode()))

    def _own_years(self, column: str, values: Sequence[Value]) -> set[Value]:
        """The values that tell the birth year, or an age from 90 on, of somebody who has them."""
        columns = self.rows.collect_schema()
        if not values or not columns.get("PatientBirthDate", pl.Null()).is_temporal():
            return set()
        cell, rows = self._having(column, values)
        born, number = pl.col("PatientBirthDate"), cell.cast(pl.Float64, strict=False)
        own = cell.cast(pl.String).str.contains(born.dt.year().cast(pl.String), literal=True)
        if columns.get("StudyDate", pl.Null()).is_temporal():
            age = (pl.col("StudyDate") - born).dt.total_days() / _YEAR
            own |= (number >= OLDEST) & ((number - age).abs() <= 1)
        return set(evaluated(rows.filter(own).select(cell.unique()))[column])

    def _own_words(self, column: str, values: Sequence[Value]) -> set[Value]:
        """The values of few patients that are a name or a whole number of one who has them."""
        if not values:
            return set()
        names = [name for name in self.rows.collect_schema() if _kind(name) in _OWN]
        cell, rows = self._having(column, values)
        cells = evaluated(rows.select(cell, *names).unique())
        return {value for value, *told in cells.iter_rows() if _is_own(value, names, told)}

    def _numbered(self, value: float) -> bool:
        """Whether a number is somebody's Patient ID from end to end."""
        if "PatientID" not in self.series.collect_schema():
            return False
        bare = pl.col("PatientID").cast(pl.String).str.strip_chars(" \0").str.strip_chars_start("0")
        return bool(evaluated(self.series.select((bare == _bare(value)).any())).item())


def _is_ordinary(value: Value) -> bool:
    if isinstance(value, str):
        return is_plain(value)
    return 0 <= value < _ONE_FIGURE and value == int(value)


def _is_short(value: float | str) -> bool:
    assert not isinstance(value, str)
    return abs(value) < FIGURE and value == round(value, _PLACES)


def _tells_by_form(text: str) -> bool:
    """Whether a text is long, or tells a way to somebody, a day, a birth or an age over 89."""
    if len(text) > _LONGEST or telling(text) or tells_day(text) or tells_birth(text):
        return True
    return any(age >= OLDEST for age in ages(text))


def _kind(column: str) -> Kind | None:
    return kind_of(column, vr_of(column) or "")


def _bare(value: Value) -> str:
    whole = not isinstance(value, str) and value == int(value)
    return fold(str(int(value) if whole else value)).strip(" \0").lstrip("0")


def _is_own(value: Value, names: Iterable[str], told: Iterable[object]) -> bool:
    """Whether a value is a name or a number of the patient whose header says this."""
    said = list(_said(names, told))
    if any(_bare(value) == _bare(one) for name, one in said if _kind(name) is not Kind.NAME):
        return True
    return isinstance(value, str) and own_of(said).names_in(value)


def _said(names: Iterable[str], told: Iterable[object]) -> Iterator[tuple[str, str]]:
    for name, value in zip(names, told, strict=True):
        several = value if isinstance(value, list) else [value]
        yield from ((name, str(one)) for one in several if one is not None)
