"""Joined columns: what the recipe names may leave, in its type; anything else is dropped.

Dates. A column of type date is treated as the dates of the study are; of type year, the year alone
of a date stays, unless dates move. In a text or a number a day
can be in any form, cannot surely be read, and so is never moved: where the recipe removes or moves
dates, a text that tells a day (or a part of a date that is finer than a year) and a number that may
be one are null. Where true dates stay, they stay here too. Two short figures side by side
(``06/22``) may be a score as well, and are taken for one; a season or a part of life is let out.

Ages. A text that tells an age, and a column that is called one, follow Patient's Age: null unless
the recipe keeps ages, and null for whoever reaches 90. A column that is called a birth follows
Patient's Birth Date. What a column is called is all that tells an age from another number.

Births. A date that is the patient's birth date follows it, too, whatever its column is called. So
does the year of it, also as a number or in a text; and a text that says of anybody when they were
born. A year in which the patient was examined as well is that of the examination.

Contacts. A text with an e-mail address, a URL, a telephone number, a street, the number of a
person, a UID, or a title with a name in it is null; so is a column that is called a telephone, a
post code or a patient's number, unless the recipe keeps it.

Ids and intervals. A column of type id leaves as a pseudonym of the column's own: equal where the
values are, and nothing to whoever has no key. Days between two dates of a person leave where the
dates do, moved or not, for there they can be counted anyhow; and only of a column of durations, for
any number may be the days since a birth.

The patient's own. Whatever a column is called, a cell that tells the patient's own day, number or
initials is null, and of whoever reaches 90 one that is an age of theirs. Whether a whole column
does so is asked when the export is planned (`cohortkit.deidentify.telling`).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from cohortkit.deidentify import dates
from cohortkit.deidentify.text.reach import telling
from cohortkit.dicom.keywords import tag_of
from cohortkit.model import Scalar
from cohortkit.recipe.model import Action, Label, LabelType, Recipe, Temporal
from cohortkit.recipe.policy import Policy
from cohortkit.recipe.text import shipped
from cohortkit.traces.aged import OLDEST, ages
from cohortkit.traces.born import tells_birth, years
from cohortkit.traces.dated import number_tells_date, tells_date
from cohortkit.traces.narrow import narrow
from cohortkit.traces.own import Own, What, lowered
from cohortkit.traces.spellings import fold, plain

Joined = tuple[tuple[str, Scalar | None], ...]
Token = Callable[[str, str], str]
"""Makes a pseudonym of a domain and a value."""

_AGE = frozenset(
    {"age", "aged", "agey", "ages", "ageyears", "alder", "alter", "edad", "eta", "idade"}
    | {"ika", "leeftijd", "lebensalter", "vek", "wiek"}
)
_NO_AGE = frozenset({"gestation", "gestational"})
_BIRTH = frozenset(
    {"birth", "birthdate", "birthday", "birthyear", "born", "dob", "geboren", "geboortedatum"}
    | {"fodselsdato", "geboortejaar", "jahrgang", "narozeni", "urodzenia"}
    | {"geburt", "geburtsdatum", "geburtsjahr", "nacimiento", "naissance", "nascita", "yob"}
)
_NO_BIRTH = frozenset({"height", "length", "order", "plurality", "weight"})
_BORN = re.compile(
    r"birth|\Ageb(?:dat|dt|jahr|jaar|tag)|\Af?nac(?:im|\Z)|nascimento|\Abdate|\Addn\Z"
)
"""The same within a longer word: many tables have DATEOFBIRTH in one."""
_DATE = frozenset({"date", "dates", "datum", "datetime", "dod", "epoch", "fecha", "timestamp"})
_CALLED = {
    **dict.fromkeys(("tel", "telephone", "telefon", "phone", "mobile", "handy", "fax"), "phone"),
    **dict.fromkeys(("zip", "zipcode", "postcode", "postal", "plz", "street"), "address"),
    **dict.fromkeys(("mrn", "ssn", "nhs", "patientid", "passport"), "number"),
}
_KEPT_BY = {"phone": "PatientTelephoneNumbers", "address": "PatientAddress", "number": "PatientID"}
_LEAST_OWN = 10_000
"""Of a number that is a day of the patient or a part of a number: a smaller one is any number."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_FIGURES = re.compile(r"\d+(?:\.\d+)?")
_ALONE = re.compile(r"-?\d{1,18}(?:\.\d{1,9})?", re.ASCII)
_YEAR = 365  # days; a little less than one is enough
_PER_YEAR = {"month": 12.0, "week": 365.25 / 7, "day": 365.25}


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the recipe and the person allow a label to tell."""

    temporal: Temporal
    days: int
    ages: bool
    births: bool
    called: frozenset[str] = frozenset()
    own: Own = field(default_factory=Own)
    over_89: bool = True
    token: Token | None = None

    @property
    def true_births(self) -> bool:
        """Whether a birth may be told as it was."""
        return self.births and self.temporal is Temporal.UNMODIFIED

    def lets_out(self, age: float) -> bool:
        """Whether an age in years may be told. Beside true dates one in days is a birth date."""
        finer = self.temporal is Temporal.UNMODIFIED and not float(age).is_integer()
        return self.ages and age < OLDEST and not finer


@dataclass(frozen=True, slots=True)
class _Name:
    """What the name of a column says of its values."""

    age: bool
    birth: bool
    date: bool
    per_year: float
    called: str = ""


def released(
    joined: Joined,
    recipe: Recipe,
    days: int,
    *,
    over_89: bool | None,
    own: Own | None = None,
    token: Token | None = None,
) -> Joined:
    """The columns that the recipe releases, in its order; null where the value may not leave.

    Args:
        joined: columns of the task.
        recipe: says which may leave, and what becomes of dates and ages.
        days: by which this person's dates move, if they do.
        over_89: whether the person reaches 90 in some study; None: nobody knows. Then no label
            tells an age.
        own: what is known of this person, whatever a cell is called.
        token: makes the pseudonyms of columns of type id; without it these are null.
    """
    values = dict(joined)
    keep_ages, keep_births, called = _kept(recipe)
    terms = _Terms(
        recipe.temporal,
        days,
        keep_ages and over_89 is False,
        keep_births,
        called,
        own or Own(),
        over_89 is not False,
        token,
    )
    return tuple(
        (label.column, _released(values[label.column], label, terms))
        for label in recipe.labels
        if label.column in values
    )


@lru_cache(maxsize=8)
def _kept(recipe: Recipe) -> tuple[bool, bool, frozenset[str]]:
    """Whether the recipe keeps ages, and birth dates in some form; what else of `_KEPT_BY`."""
    policy = Policy(recipe)

    def action(keyword: str, vr: str) -> Action:
        tag = tag_of(keyword)
        assert tag is not None
        return policy.decide(tag, vr, None).action

    age, birth = action("PatientAge", "AS"), action("PatientBirthDate", "DA")
    called = frozenset(
        said for said, keyword in _KEPT_BY.items() if action(keyword, "LO") is Action.KEEP
    )
    return age in {Action.KEEP, Action.CAP_AGE}, birth in {Action.KEEP, Action.SHIFT}, called


def keeps_ages(recipe: Recipe) -> bool:
    """Whether ages leave, of those who are under 90."""
    return _kept(recipe)[0]


def keeps_births(recipe: Recipe) -> bool:
    """Whether birth dates leave, in some form."""
    return _kept(recipe)[1]


def _released(value: Scalar | None, label: Label, terms: _Terms) -> Scalar | None:
    if label.type is LabelType.ID:  # whatever it is called, it tells nothing
        return _pseudonym(value, label.column, terms)
    name = _named(label.column)
    untold = name.called and name.called not in terms.called
    if (untold or (name.birth and not terms.births)) and label.type is not LabelType.BOOLEAN:
        return None
    match label.type:
        case LabelType.DATE | LabelType.YEAR | LabelType.INTERVAL:
            return _TIMES[label.type](value, terms)
        case LabelType.AGE | LabelType.NUMBER | LabelType.MEASURE:
            name = replace(name, age=name.age or label.type is LabelType.AGE)
            return value if _is_number(value) and _number_may(value, name, terms) else None
        case LabelType.BOOLEAN:
            return value if isinstance(value, bool) else None
        case LabelType.TEXT:
            return _text(value, name, terms)


def _text(value: Scalar | None, name: _Name, terms: _Terms) -> str | None:
    """A text, or a code that a table has as a whole number, where it tells nobody."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if _number_may(value, name, terms) else None
    return value if isinstance(value, str) and _text_may(value, name, terms) else None


def _pseudonym(value: Scalar | None, column: str, terms: _Terms) -> str | None:
    """A pseudonym of a text, or of a code that a table has as a whole number."""
    plain_id = isinstance(value, str | int) and not isinstance(value, bool)
    if not plain_id or terms.token is None or not str(value).strip():
        return None
    return terms.token(f"label/{column}", str(value))


def _days(value: Scalar | None, terms: _Terms) -> int | None:
    """Whole days between two dates, where dates leave as well."""
    if not isinstance(value, dt.timedelta) or terms.temporal is Temporal.REMOVED:
        return None
    return value.days


def _is_number(value: Scalar | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _number_may(value: Scalar | None, name: _Name, terms: _Terms) -> bool:
    """Whether a number is no day and no age, or one that the recipe lets out."""
    assert isinstance(value, int | float)
    if name.age:
        return terms.lets_out(value / name.per_year)
    if _is_own(value, terms):
        return False
    if terms.temporal is Temporal.UNMODIFIED:
        return True
    return not (name.date or name.birth or number_tells_date(value))


def _text_may(text: str, name: _Name, terms: _Terms) -> bool:
    """The same of a text; and no way to reach somebody, and no UID, stands in it."""
    if telling(text) or _tells_own(text, terms):
        return False
    told = list(ages(text))
    if name.age:
        told += [float(figures) / name.per_year for figures in _FIGURES.findall(plain(fold(text)))]
    if not all(map(terms.lets_out, told)) or (name.age and not terms.ages):
        return False
    return terms.temporal is Temporal.UNMODIFIED or not tells_date(text)


def _is_own(value: float, terms: _Terms) -> bool:
    """Whether a number is the patient's: a day, a number, or an age where none may be told."""
    if terms.over_89 and terms.own.aged(value):
        return True
    if not terms.true_births and value == int(value) and terms.own.born_in((abs(int(value)),)):
        return True
    if abs(value) < _LEAST_OWN:
        return terms.own.is_number(value)
    dated = terms.temporal is not Temporal.UNMODIFIED and terms.own.counts(value)
    return dated or terms.own.numbered(value)


def _tells_own(text: str, terms: _Terms) -> bool:
    """Whether a text tells a day, a number, an age or the initials of its patient."""
    if terms.own.names_in(text):
        return True
    if terms.own.is_initials(text) and plain(fold(text.strip())) not in shipped().single:
        return True  # but for words of the trade: somebody is called Carl Theodor
    if _ALONE.fullmatch(text.strip()):
        return _is_own(float(text), terms)
    kinds = {what for _, _, what in terms.own.found(lowered(narrow(text).text))} - {What.PART}
    if terms.temporal is Temporal.UNMODIFIED:
        kinds.discard(What.DATE)
    if not terms.true_births and (tells_birth(text) or terms.own.born_in(years(text))):
        return True
    if terms.ages:
        kinds.discard(What.AGE)
    return bool(kinds)


@lru_cache(maxsize=1024)
def _named(column: str) -> _Name:
    found = [word.casefold() for word in _WORD.findall(plain(column))]
    said = frozenset(found)
    unit = next((unit for unit in _PER_YEAR if {unit, f"{unit}s"} & said), "")
    return _Name(
        age=bool(said & _AGE) and not said & _NO_AGE,
        birth=any(map(_is_birth, said)) and not said & _NO_BIRTH,
        date=bool(said & _DATE),
        per_year=_PER_YEAR.get(unit, 1.0),
        called=next((_CALLED[word] for word in found if word in _CALLED), ""),
    )


def _is_birth(word: str) -> bool:
    return word in _BIRTH or _BORN.search(word) is not None


def _year(value: Scalar | None, terms: _Terms) -> int | None:
    """The year of a date (45 CFR 164.514(b)(2)(i)(C)); beside moved ones it tells the shift."""
    true = _date(value, replace(terms, temporal=Temporal.UNMODIFIED))
    known = isinstance(true, dt.date) and terms.temporal is not Temporal.MODIFIED
    if not known or not isinstance(true, dt.date):
        return None
    return true.year if terms.true_births or not terms.own.born_in((true.year,)) else None


def _born_on(value: dt.date, terms: _Terms) -> bool:
    """Whether a day is that of the birth, or one that stands for its month or its year."""
    of_year = value.day == value.month == 1 and terms.own.born_in((value.year,))
    of_month = value.day == 1 and any(born.replace(day=1) == value for born in terms.own.births)
    return value in terms.own.births or of_year or of_month


def day_in(value: Scalar | None) -> dt.date | None:
    """The day of a cell, where it is one."""
    if isinstance(value, str):
        text = dates.shift_da(value.replace("-", ""), 0)
        return None if text is None else dt.date.fromisoformat(text)
    return value if isinstance(value, dt.date) else None  # a date-time is one too


def _day_of(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _date(value: Scalar | None, terms: _Terms) -> Scalar | None:
    """A date as the recipe treats the dates of the study: gone, moved, or as it is."""
    if terms.temporal is Temporal.REMOVED:
        return None
    move = dt.timedelta(days=terms.days if terms.temporal is Temporal.MODIFIED else 0)
    value = day_in(value)
    if value is None or (not terms.births and _born_on(_day_of(value), terms)):
        return None
    if any((day - _day_of(value)).days >= OLDEST * _YEAR for day in terms.own.days):
        return None  # whoever lived on that day is 90 by now, whatever day it was
    try:
        return value + move
    except OverflowError:
        return None


_TIMES = {LabelType.DATE: _date, LabelType.YEAR: _year, LabelType.INTERVAL: _days}
