"""No figures of a patient stay in a cleaned text: days, ages, numbers; and no initials."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

import spelled
from cohortkit.deidentify.text import cleaner as cleaning
from cohortkit.deidentify.text import numbers
from cohortkit.deidentify.text.cleaner import Cleaner
from cohortkit.deidentify.text.words import Vocabulary
from cohortkit.model import Person, Task
from cohortkit.recipe.model import Basis, Option, Recipe
from cohortkit.recipe.text import shipped
from cohortkit.traces.narrow import Narrow
from cohortkit.traces.own import Own, own_of
from cohortkit.traces.patterns import Patterns

CLEANING = Recipe(
    name="t",
    basis=Basis.GDPR_PSEUDONYMISED,
    options=frozenset({Option.CLEAN_DESCRIPTORS}),
)
AROUND = (
    "{}", "CT thorax {}", "{} CT thorax", "AX_{}_T", "axial ({}) FLAIR", "SAG {}, control",
    "TE {} axial", "LUNG [{}]", "series {}", "axial, {}; thorax",
)  # fmt: skip
QUIET = ("{}", "CT thorax {}", "{} CT thorax", "AX_{}_T", "axial ({}) FLAIR", "LUNG [{}]")
"""Where no term of the protocol says that a number is a measure."""


def cleaner(born: dt.date, seen: dt.date, number: int) -> Cleaner:
    own = own_of(
        [
            ("PatientBirthDate", f"{born:%Y%m%d}"),
            ("StudyDate", f"{seen:%Y%m%d}"),
            ("PatientID", f"MRN-{number}"),
            ("PatientName", "Quisling^Axel^Mia"),
        ]
    )
    return Cleaner(Patterns(()), Vocabulary(shipped()), own=own)


def figures(text: str) -> str:
    """Every figure that a reader sees there."""
    return "".join(
        str(unicodedata.digit(sign)) for sign in text if unicodedata.digit(sign, -1) > -1
    )


BIRTHS = st.dates(dt.date(1921, 1, 1), dt.date(2008, 12, 31))
STUDIES = st.dates(dt.date(2009, 1, 1), dt.date(2026, 1, 1))
NUMBERS = st.integers(10**7, 10**8 - 1)


@given(BIRTHS, STUDIES, NUMBERS, st.integers(0, 10**6), st.sampled_from(AROUND), st.integers(0, 4))
def test_no_day_and_no_number_stays_in_any_spelling(
    born: dt.date, seen: dt.date, number: int, which: int, around: str, disguise: int
) -> None:
    """Days whole and in part, of birth and study, and numbers, between any words."""
    days = [*spelled.days(born), *spelled.days(seen)]
    days += [*spelled.parts_of_days(born), *spelled.parts_of_days(seen)]
    forms = [*days, *spelled.numbers(str(number))]
    written = list(spelled.disguised(forms[which % len(forms)]))[disguise]

    left = cleaner(born, seen, number).clean(around.format(written)).left

    assert "" == figures(left)


@given(BIRTHS, STUDIES, st.integers(0, 10**6), st.sampled_from(QUIET), st.integers(0, 4))
def test_no_age_and_no_decimal_day_stays_in_any_spelling(
    born: dt.date, seen: dt.date, which: int, around: str, disguise: int
) -> None:
    """With a unit, with a sex, alone; where no term says that it is a measure."""
    decimals = [*spelled.decimals(born), *spelled.decimals(seen)]
    years = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    forms = [form for form in spelled.ages(years) if years > 9 or not form.strip("(_)").isdigit()]
    forms += decimals
    written = list(spelled.disguised(forms[which % len(forms)]))[disguise]

    left = cleaner(born, seen, 47110815).clean(around.format(written)).left

    assert "" == figures(left)


MEASURED = ("TE {}", "{} ms", "series {}", "thorax {} deg", "b{}", "TR/TE 500/{} ms", "80-{} sec")


@given(st.integers(10, 119), st.sampled_from(MEASURED))
def test_from_ninety_on_an_age_is_no_measure(years: int, around: str) -> None:
    """Whatever term or unit says what it counts; below 90 a term or a unit is believed."""
    text = f"axial {around.format(years)}"
    seen = dt.date(2021, 3, 17)
    left = cleaner(seen.replace(year=seen.year - years), seen, 47110815).clean(text).left

    assert (years < 90) == (text == left)
    assert (years < 90) == (str(years) in re.findall(r"\d+", left))


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("form", list(spelled.initials("QAM")))
def test_no_initials_stay(form: str, around: str) -> None:
    """In any order, with points or without."""
    text = around.format(form)

    left = cleaner(dt.date(1926, 8, 14), dt.date(2021, 3, 17), 47110815).clean(text).left

    assert [] == [one for one in re.findall(r"(?<![A-Za-z])[QAM](?![A-Za-z])", left) if one]


@pytest.mark.parametrize(
    "text",
    ["axial 27", "thorax 93 CT", "F95 CT", "CT W1926", "0814 CT", "CT '26", "95j CT", "room 12 CT"],
)
def test_a_number_without_a_place_goes_whoever_it_is_about(text: str) -> None:
    """Of a stranger nothing is known; what no term, unit or sign of the trade explains goes."""
    assert "" == figures(Cleaner(Patterns(()), Vocabulary(shipped())).clean(text).left)


@pytest.mark.parametrize(
    "text",
    [
        "LUNG 5mm", "T2 AX", "3D FSPGR", "TE 30", "DWI b1000", "C2-C6", "series 102", "12 CC BOLUS",
        "b = 0,100,600,1000", "B30f", "Br40", "TR/TE 500/20 ms", "512x512x30", "80-100 sec",
        "th12", "0.625", "120 kV", "thresh=70", "slices 12", "30 deg", "1.5T", "64 dir",
        "phase 40%",
    ],
)  # fmt: skip
def test_a_number_with_a_place_stays(text: str) -> None:
    """Measures, terms, vertebrae, filters, sizes."""
    assert text == cleaner(dt.date(1957, 9, 14), dt.date(2017, 11, 28), 99999999).clean(text).left


def test_words_of_a_recipe_may_hold_figures() -> None:
    """What the recipe says of its site stays as it is written there."""
    words = Vocabulary(shipped().with_more(["zyx99", "site 12"]))

    assert "ZYX99 CT site 12" == Cleaner(Patterns(()), words).clean("ZYX99 CT site 12").left
    assert "" == figures(Cleaner(Patterns(()), words).clean("CT 12 site").left)


def none(*_: object) -> tuple[()]:
    return ()


def as_it_is(text: str) -> Narrow:
    return Narrow(text, range(len(text)))


Sabotage = Callable[[pytest.MonkeyPatch], None]
SABOTAGES: dict[str, tuple[Sabotage, str]] = {
    "nothing is the patient's own": (
        lambda patch: patch.setattr(Own, "found", none),
        "series 3/21",
    ),
    "every number has its place": (
        lambda patch: patch.setattr(numbers, "_place", lambda *_: numbers.Place.SURE),
        "CT 27 thorax",
    ),
    "figures are those of ASCII": (
        lambda patch: patch.setattr(cleaning, "narrow", as_it_is),
        "series ３/２１",  # noqa: RUF001 - that is the point
    ),
    "ages are numbers like others": (
        lambda patch: patch.setattr(Own, "_aged", none),
        "CT f9",
    ),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_sabotage_each_part_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: without one of its parts the text keeps what only that part sees."""
    sabotage, text = SABOTAGES[name]
    who = (dt.date(2011, 8, 14), dt.date(2021, 3, 17), 47110815)
    sound = cleaner(*who).clean(text).left

    sabotage(monkeypatch)

    assert figures(text) != figures(sound)
    assert figures(text) == figures(cleaner(*who).clean(text).left)


def test_the_generator_knows_nothing_of_ours() -> None:
    """What is spelled is spelled by other hands than those that look for it."""
    lines = Path(spelled.__file__).read_text(encoding="utf-8").splitlines()

    assert [] == [
        line for line in lines if line.startswith(("import", "from")) and "cohortkit" in line
    ]


def test_the_days_and_ages_of_other_studies_are_known() -> None:
    """What the index knows of the person counts as what this series says."""
    header = Dataset()
    header.PatientID, header.PatientBirthDate, header.StudyDate = "P4711", "19260814", "20210317"
    person = Person("", "P4711")
    known = (("StudyDate", "20120509"), ("PatientAge", "087Y"))
    task = Task(0, "k", person, "1.2", "1.3", "1.4", "CT", (), known=known)
    cleaner = cleaning.cleaner_for([header], task, CLEANING)
    assert cleaner is not None

    for own in ("series 9/5", "series 3, 85", "series 3, 94", "series 3, 87", "series 17_3_21"):
        assert figures(own) != figures(cleaner.clean(own).left)
    assert "series 8/5" == cleaner.clean("series 8/5").left
