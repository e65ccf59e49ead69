"""Joined columns: what a cell may tell of days and ages, under each of the recipe's answers."""

from __future__ import annotations

import datetime as dt

import pytest

from cohortkit.deidentify.labels import released
from cohortkit.model import Scalar
from cohortkit.recipe.model import Basis, Label, LabelType, Option, Recipe
from cohortkit.traces.own import Own

REMOVED: tuple[Option, ...] = ()
MOVED = (Option.RETAIN_MODIFIED_DATES,)
TRUE = (Option.RETAIN_FULL_DATES,)
AGES = (Option.RETAIN_PATIENT_CHARACTERISTICS,)


def cell(
    value: Scalar,
    kind: LabelType,
    *options: Option,
    column: str = "finding",
    over_89: bool | None = False,
    own: Own | None = None,
) -> Scalar | None:
    """What leaves of one cell."""
    recipe = Recipe(
        name="r",
        basis=Basis.GDPR_PSEUDONYMISED,
        options=frozenset(options),
        labels=(Label(column, kind),),
    )
    ((name, left),) = released(((column, value),), recipe, 100, over_89=over_89, own=own)
    assert column == name
    return left


@pytest.mark.parametrize(
    "text",
    [
        "March 11, 2019", "11 Mar 2019", "11/3/19", "3/11/2019", "2019-W11-1", "2019-070",
        "2019.03.11", "2019-03-11", "20190311", "since March 2019", "1552262400", "1552262400123",
    ],
)  # fmt: skip
def test_a_text_that_tells_a_day_leaves_only_where_true_dates_do(text: str) -> None:
    """Nobody can say which day it is for sure, so it is never moved: gone, gone, or as it is."""
    for words in (text, f"nodule, seen {text}; stable"):
        assert None is cell(words, LabelType.TEXT, *REMOVED)
        assert None is cell(words, LabelType.TEXT, *MOVED)
        assert words == cell(words, LabelType.TEXT, *TRUE)


@pytest.mark.parametrize("text", ["nodule, 12 mm", "C34.1", "BI-RADS 4", "2019", "233604007", ""])
@pytest.mark.parametrize("options", [REMOVED, MOVED, TRUE, AGES])
def test_other_text_leaves(text: str, options: tuple[Option, ...]) -> None:
    """A measure, a code, a year alone."""
    assert text == cell(text, LabelType.TEXT, *options)


@pytest.mark.parametrize("number", [20190311, 1552262400, 1552262400123, 20190311102233.0])
def test_a_number_that_may_be_a_day_leaves_only_where_true_dates_do(number: float) -> None:
    """As it is written, in seconds, in milliseconds."""
    assert None is cell(number, LabelType.NUMBER, *REMOVED)
    assert None is cell(number, LabelType.NUMBER, *MOVED)
    assert number == cell(number, LabelType.NUMBER, *TRUE)


@pytest.mark.parametrize("column", ["scan_date", "DateOfDeath", "timestamp", "datum"])
def test_a_number_in_a_column_that_is_called_a_date_is_one(column: str) -> None:
    """The days of a spreadsheet (43535) are any number, but for their column's name."""
    assert None is cell(43535, LabelType.NUMBER, column=column)
    assert None is cell(43535, LabelType.NUMBER, *MOVED, column=column)
    assert 43535 == cell(43535, LabelType.NUMBER, *TRUE, column=column)
    assert 43535 == cell(43535, LabelType.NUMBER, column="platelets")


@pytest.mark.parametrize("column", ["age", "Age", "PatientAge", "age_at_scan", "ageYears", "Alter"])
def test_a_column_that_is_called_an_age_follows_the_patient_s_age(column: str) -> None:
    """Null without the option, null from 90 on, null for whoever reaches 90, or nobody knows."""
    for value, kind in ((45, LabelType.NUMBER), (45.0, LabelType.NUMBER), ("45", LabelType.TEXT)):
        assert None is cell(value, kind, column=column)
        assert value == cell(value, kind, *AGES, column=column)
        assert None is cell(value, kind, *AGES, column=column, over_89=True)
        assert None is cell(value, kind, *AGES, column=column, over_89=None)
    for old, kind in ((93, LabelType.NUMBER), (90, LabelType.NUMBER), ("93", LabelType.TEXT)):
        assert None is cell(old, kind, *AGES, column=column)
        assert None is cell(old, kind, *AGES, *TRUE, column=column)


@pytest.mark.parametrize(
    ("column", "value", "leaves"),
    [
        ("age_months", 132, True),
        ("age_months", 1090, False),
        ("age_days", 33000, False),
        ("age_days", 32000, True),
        ("gestational_age", 38, True),
        ("percentage", 93, True),
        ("agent", 93, True),
    ],
)
def test_the_name_tells_the_unit(column: str, value: int, leaves: bool) -> None:  # noqa: FBT001 - a row
    """132 months are eleven years; a percentage is no age."""
    assert (value if leaves else None) == cell(value, LabelType.NUMBER, *AGES, column=column)


def test_beside_true_dates_an_age_in_days_is_a_birth_date() -> None:
    """Full years may be told, a part of one may not."""
    both = (*AGES, *TRUE)

    assert 45 == cell(45, LabelType.NUMBER, *both, column="age")
    assert None is cell(45.37, LabelType.NUMBER, *both, column="age")
    assert None is cell(16572, LabelType.NUMBER, *both, column="age_days")
    assert None is cell("of 006M", LabelType.TEXT, *both)


@pytest.mark.parametrize("text", ["a 93-year-old", "aged 93", "093Y", "in her nineties", "93 yo M"])
@pytest.mark.parametrize("options", [REMOVED, MOVED, TRUE, AGES])
def test_an_age_over_89_in_a_text_never_leaves(text: str, options: tuple[Option, ...]) -> None:
    """Under no recipe (45 CFR 164.514(b)(2)(i)(C))."""
    assert None is cell(f"nodule, {text}", LabelType.TEXT, *options)


def test_an_age_in_a_text_follows_the_patient_s_age() -> None:
    """It leaves where ages leave."""
    assert None is cell("a 45-year-old", LabelType.TEXT)
    assert "a 45-year-old" == cell("a 45-year-old", LabelType.TEXT, *AGES)
    assert None is cell("a 45-year-old", LabelType.TEXT, *AGES, over_89=True)


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("birth_year", 1931, LabelType.NUMBER),
        ("YearOfBirth", 1931, LabelType.NUMBER),
        ("DOB", dt.date(1931, 2, 3), LabelType.DATE),
        ("Geburtsdatum", "3.2.1931", LabelType.TEXT),
        ("DATEOFBIRTH", dt.date(1931, 2, 3), LabelType.YEAR),
        ("dateofbirth", dt.date(1931, 2, 3), LabelType.DATE),
        ("gebdat", "1931-02-03", LabelType.YEAR),
        ("fnac", 1931, LabelType.NUMBER),
    ],
)
@pytest.mark.parametrize("options", [REMOVED, MOVED, TRUE])
def test_a_column_that_is_called_a_birth_follows_the_birth_date(
    column: str, value: Scalar, kind: LabelType, options: tuple[Option, ...]
) -> None:
    """No profile keeps that."""
    assert None is cell(value, kind, *options, column=column)


def test_a_weight_at_birth_is_a_weight() -> None:
    """Not all that is called a birth is a day."""
    assert 3200 == cell(3200, LabelType.NUMBER, column="birth_weight")
    yes: Scalar = True

    assert yes == cell(yes, LabelType.BOOLEAN, column="born_preterm")


@pytest.mark.parametrize(
    "text",
    ["m.quisling@mail.example", "https://x.example/p/1", "+49-8193-7100", "1.2.826.0.1.3680043.5"],
)
def test_a_text_by_which_somebody_is_reached_never_leaves(text: str) -> None:
    """Addresses, telephones and UIDs go whatever the recipe keeps; so does the text about them."""
    assert None is cell(f"see {text}", LabelType.TEXT, *TRUE)


def test_a_code_that_a_table_has_as_a_number_is_text_where_the_recipe_says_so() -> None:
    """CSV knows no difference; one that may be a day is null as a number is."""
    assert "4" == cell(4, LabelType.TEXT, *REMOVED)
    assert None is cell(20210317, LabelType.TEXT, *REMOVED)
    assert None is cell(4.5, LabelType.TEXT, *REMOVED)


@pytest.mark.parametrize(
    ("column", "value"),
    [("leeftijd", 93), ("Lebensalter", 93), ("jahrgang", 1931), ("geboortejaar", 1931)],
)
def test_ages_and_births_are_known_by_their_names_elsewhere(column: str, value: int) -> None:
    """As for age and birth."""
    assert None is cell(value, LabelType.NUMBER, *TRUE, column=column)


@pytest.mark.parametrize(
    ("text", "stays"),
    [("KZ", False), ("zk", False), ("K.Z.", False), ("KZF", True), ("K", True), ("CT", True)],
)
def test_a_cell_that_is_its_patients_initials_is_empty(text: str, stays: bool) -> None:  # noqa: FBT001 - a table
    """In any order and case; others' letters, more of them, or words of the trade are nobody's."""
    assert stays == (text == cell(text, LabelType.TEXT, own=Own(initials=frozenset({"kz", "ct"}))))
