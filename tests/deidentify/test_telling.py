"""Joined columns that tell of their patients: refused before an export; ordinary columns pass."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cohortkit.deidentify import telling
from cohortkit.deidentify.labels import released
from cohortkit.model import Person, Scalar, Task
from cohortkit.recipe.model import DATED_LABELS, Basis, Label, LabelType, Option, Recipe
from cohortkit.traces.own import own_of

UNIX, SHEET, JULIAN = dt.date(1970, 1, 1), dt.date(1899, 12, 30), 1_721_424.5
NAMES = ("Quisling^Axel^Mia", "Vogt^Tim^Bo", "Ng^Ho^Ping", "Lund^Eva^Kari", "Roy^Zoe^Uma")


class Someone:
    """A made-up patient, seen twice."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.born = dt.date(1930, 1, 1) + dt.timedelta(days=chance.randrange(27_000))
        self.seen = dt.date(2012, 1, 1) + dt.timedelta(days=chance.randrange(4_000))
        self.again = self.seen + dt.timedelta(days=chance.randrange(30, 600))
        self.number = str(chance.randrange(10**7, 10**8))
        self.name = NAMES[number % len(NAMES)]

    @property
    def age(self) -> int:
        seen, born = self.seen, self.born
        return seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))

    def known(self) -> tuple[tuple[str, str], ...]:
        return (
            ("PatientBirthDate", f"{self.born:%Y%m%d}"),
            ("PatientName", self.name),
            ("StudyDate", f"{self.seen:%Y%m%d}"),
            ("StudyDate", f"{self.again:%Y%m%d}"),
        )

    def task(self, at: int, cell: Scalar) -> Task:
        person = Person("", f"MRN-{self.number}")
        label = (("t", cell),)
        return Task(at, str(at), person, "1", "2", "3", "CT", (), labels=label, known=self.known())


def people(many: int, seed: int) -> list[Someone]:
    chance = random.Random(seed)
    return [Someone(chance, at) for at in range(many)]


def recipe(kind: LabelType, *options: Option) -> Recipe:
    return Recipe(
        name="r",
        basis=Basis.GDPR_PSEUDONYMISED,
        options=frozenset(options),
        labels=(Label("t", kind),),
    )


def refused(who: Sequence[Someone], cells: Sequence[Scalar], kind: LabelType) -> list[str]:
    tasks = [one.task(at, cell) for at, (one, cell) in enumerate(zip(who, cells, strict=True))]
    return list(telling.faults(recipe(kind), tasks))


def seconds(day: dt.date, first: dt.date) -> int:
    return (day - first).days * 86_400 + 40_000


TOLD: dict[str, Callable[[Someone], Scalar]] = {
    "age": lambda one: one.age,
    "age with decimals": lambda one: round((one.seen - one.born).days / 365.25, 1),
    "age in months": lambda one: (
        (one.seen.year - one.born.year) * 12
        + (one.seen.month - one.born.month - (one.seen.day < one.born.day))
    ),
    "age in days": lambda one: (one.seen - one.born).days,
    "spreadsheet": lambda one: (one.seen - SHEET).days,
    "spreadsheet of 1904": lambda one: (one.seen - dt.date(1904, 1, 1)).days,
    "spreadsheet of the birth": lambda one: (one.born - SHEET).days,
    "Julian day": lambda one: one.seen.toordinal() + JULIAN,
    "modified Julian day": lambda one: (one.seen - dt.date(1858, 11, 17)).days,
    "days since 1970": lambda one: (one.seen - UNIX).days,
    "days since 1960": lambda one: (one.seen - dt.date(1960, 1, 1)).days,
    "seconds since 1970": lambda one: seconds(one.seen, UNIX),
    "milliseconds": lambda one: seconds(one.seen, UNIX) * 1000,
    "nine figures": lambda one: seconds(one.seen, dt.date(2001, 1, 1)),
    "seconds since 1900": lambda one: seconds(one.seen, dt.date(1900, 1, 1)),
    "day in one number": lambda one: int(f"{one.seen:%d%m%y}"),
    "year of birth": lambda one: one.born.year,
    "end of the number": lambda one: int(one.number[-4:]),
}
WRITTEN: dict[str, Callable[[Someone], Scalar]] = {
    "sex and age": lambda one: f"m, {one.age}",
    "age in a text": lambda one: f"F{one.age}",
    "age alone": lambda one: str(one.age),
    "underscores": lambda one: f"{one.seen.day}_{one.seen.month}_{one.seen:%y}",
    "month and year": lambda one: f"{one.seen:%m/%y}",
    "spaced number": lambda one: f"{one.number[:4]} {one.number[4:]}",
    "initials": lambda one: "".join(word[0] for word in one.name.split("^")),
    "serial as text": lambda one: str((one.seen - SHEET).days),
}


@pytest.mark.parametrize("kind", TOLD)
@given(seed=st.integers(0, 10**6), many=st.integers(8, 60), share=st.sampled_from((0.5, 1.0)))
def test_a_column_of_numbers_that_tells_its_patients_is_refused(
    kind: str, seed: int, many: int, share: float
) -> None:
    """Whatever it is called, and also where only every second cell does.

    Of eight people three may be born in one year: then few cells of theirs prove nothing.
    """
    who, chance = people(many, seed), random.Random(seed)
    assume(len({TOLD[kind](one) for one in who[:8]}) == 8)
    cells = [TOLD[kind](one) if chance.random() < share else chance.random() for one in who]
    cells[:4] = [TOLD[kind](one) for one in who[:4]]

    assert refused(who, cells, LabelType.NUMBER)


@pytest.mark.parametrize("kind", WRITTEN)
@given(seed=st.integers(0, 10**6), many=st.integers(8, 60))
def test_a_column_of_texts_that_tells_its_patients_is_refused(
    kind: str, seed: int, many: int
) -> None:
    """The same of what is written."""
    who = people(many, seed)

    assert refused(who, [WRITTEN[kind](one) for one in who], LabelType.TEXT)


ORDINARY: dict[str, Callable[[random.Random], Scalar]] = {
    "yes or no": lambda chance: chance.randrange(2),
    "a score": lambda chance: chance.randrange(6),
    "percent": lambda chance: chance.randrange(101),
    "millimetres": lambda chance: round(chance.uniform(1, 80), 1),
    "volume": lambda chance: round(chance.lognormvariate(6, 2), 2),
    "volume in mm3": lambda chance: int(chance.lognormvariate(11, 2)),
    "Agatston": lambda chance: int(chance.expovariate(1 / 300)),
    "days to relapse": lambda chance: chance.randrange(30, 4000),
    "platelets": lambda chance: chance.randrange(10_000, 450_000),
    "weight": lambda chance: round(chance.gauss(75, 15), 1),
    "height": lambda chance: round(chance.gauss(170, 10)),
    "creatinine": lambda chance: round(chance.uniform(0.4, 3), 2),
    "year of a scanner": lambda chance: chance.randrange(2005, 2020),
}
TEXTS = (
    "nodule, 12 mm", "C34.1", "M54.5", "F10.2", "BI-RADS 4", "T2 N1 M0", "benign", "2/3", "grade 3",
    "left lower lobe", "pT1c", "Gleason 3+4=7", "ER+ PR-", "control", "8 of 12 segments", "",
)  # fmt: skip


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_columns_pass(kind: str) -> None:
    """Of forty tables none is refused: what is met by chance is known as chance."""
    for seed in range(10):
        chance = random.Random(seed)
        for many in (1, 2, 20, 150):
            who = people(many, seed)
            cells = [ORDINARY[kind](chance) for _ in who]

            assert [] == refused(who, cells, LabelType.NUMBER), (seed, many)


def test_ordinary_texts_pass() -> None:
    """Findings, codes, stages."""
    for seed in range(15):
        who, chance = people(60, seed), random.Random(seed)

        assert [] == refused(who, [chance.choice(TEXTS) for _ in who], LabelType.TEXT)


def test_an_age_leaves_where_the_recipe_says_age_and_keeps_ages() -> None:
    """What is refused is told with what to do, and then it is done; who is 90 stays untold."""
    who = people(30, 1)
    cells = [one.age for one in who]
    (fault,) = [one for one in refused(who, cells, LabelType.NUMBER) if "age" in one]
    kept = recipe(LabelType.AGE, Option.RETAIN_PATIENT_CHARACTERISTICS)

    assert fault.startswith("labels.t: its patient's age in ")
    assert 'give it the type "age"' in fault
    assert [] == refused(who, cells, LabelType.AGE)
    assert (("t", 45),) == released((("t", 45),), kept, 0, over_89=False)
    assert (("t", None),) == released((("t", 45),), kept, 0, over_89=True)
    assert (("t", None),) == released((("t", 45),), recipe(LabelType.AGE), 0, over_89=False)


@pytest.mark.parametrize(
    "options", [(), (Option.RETAIN_MODIFIED_DATES,), (Option.RETAIN_FULL_DATES,)]
)
@pytest.mark.parametrize("kind", [LabelType.DATE, LabelType.YEAR])
@given(seed=st.integers(0, 10**6), many=st.integers(8, 60), written=st.booleans())
def test_a_column_of_birth_dates_is_refused_and_each_is_empty(
    kind: LabelType, options: tuple[Option, ...], seed: int, many: int, *, written: bool
) -> None:
    """Under the type that is right for them, and whatever the column is called."""
    who = people(many, seed)
    cells: list[Scalar] = [str(one.born) if written else one.born for one in who]
    made = recipe(kind, *options)
    tasks = [one.task(at, cell) for at, (one, cell) in enumerate(zip(who, cells, strict=True))]

    (fault,) = telling.faults(made, tasks)
    assert fault.startswith("labels.t: its patient's birth date in ")
    for one, task in zip(who, tasks, strict=True):
        own = own_of(one.known())
        assert (("t", None),) == released(task.labels, made, 5, over_89=False, own=own)


@pytest.mark.parametrize(
    "options", [(), (Option.RETAIN_MODIFIED_DATES,), (Option.RETAIN_FULL_DATES,)]
)
@pytest.mark.parametrize("kind", [LabelType.DATE, LabelType.YEAR])
def test_a_day_of_ninety_years_ago_tells_an_age(
    kind: LabelType, options: tuple[Option, ...]
) -> None:
    """Also where the headers know no birth date, or another than the table."""
    own = own_of([("StudyDate", "20200125")])
    made = recipe(kind, *options)
    cells = (dt.date(1923, 8, 17), "1923-08-17")

    for cell in cells:
        assert (("t", None),) == released((("t", cell),), made, 5, over_89=True, own=own)


@given(seed=st.integers(0, 10**6), many=st.integers(8, 60))
def test_a_column_of_other_days_passes(seed: int, many: int) -> None:
    """The day of an examination is none of birth."""
    who = people(many, seed)
    for kind in (LabelType.DATE, LabelType.YEAR):
        assert [] == refused(who, [one.seen for one in who], kind)


@pytest.mark.parametrize("value", [94, 94.0, " 94", "m, 94", "F94", "94 J."])
def test_an_age_of_who_is_over_89_is_empty_in_any_column(value: Scalar) -> None:
    """One cell is enough, under every recipe and type."""
    own = own_of([("PatientBirthDate", "19260814"), ("StudyDate", "20210317")])
    for kind in (LabelType.TEXT, LabelType.NUMBER, LabelType.MEASURE):
        for options in ((), (Option.RETAIN_PATIENT_CHARACTERISTICS,), (Option.RETAIN_FULL_DATES,)):
            made = recipe(kind, *options)
            ((_, left),) = released((("t", value),), made, 5, over_89=True, own=own)

            assert None is left


@pytest.mark.parametrize(
    "value",
    [
        "17_3_21", "17 3 21", "seen 17/03/2021", "47 11 08 15", "4711 0815", "A.M.F.", 44272,
        2459290, 1615939200, 637632000, 170321, 47110815, " 44272", "\uff11\uff17.3.21",
    ],
)  # fmt: skip
def test_a_cell_that_tells_its_patient_is_empty(value: Scalar) -> None:
    """Also alone in a column that tells nobody else."""
    own = own_of(
        [("StudyDate", "20210317"), ("PatientID", "MRN-47110815"), ("PatientName", "F^Axel^Mia")]
    )
    kind = LabelType.TEXT if isinstance(value, str) else LabelType.NUMBER
    ((_, left),) = released((("t", value),), recipe(kind), 5, over_89=False, own=own)

    assert None is left


@pytest.mark.parametrize(
    "value",
    [
        "Quislings Mutter", "Familie Quislingová", "quisling1", "bei Muellerin", "Mc Zdonald",
        "von_oberholzern", "CTQuisling", "QUISLING",
    ],
)  # fmt: skip
def test_a_name_is_known_as_a_sentence_bends_it(value: str) -> None:
    """With endings and figures, glued, in pieces, with an umlaut lost; physicians' names too."""
    told = [
        ("PatientName", "Quisling^Ada"),
        ("PatientBirthName", "MULLERIN"),
        ("OtherPatientNames", "McZdonald"),
        ("ReferringPhysicianName", "Oberholzer^X"),
    ]
    made = recipe(LabelType.TEXT)

    assert (("t", None),) == released((("t", value),), made, 5, over_89=False, own=own_of(told))
    assert (("t", value),) == released((("t", value),), made, 5, over_89=False, own=own_of([]))


@pytest.mark.parametrize("value", ["lesion", "liver", "quiescent", "ada", "over the lobe"])
def test_other_words_are_nobody_s(value: str) -> None:
    """A beginning in common is no name."""
    own = own_of([("PatientName", "Quisling^Adalbert"), ("ReferringPhysicianName", "Overholt^X")])
    left = released((("t", value),), recipe(LabelType.TEXT), 5, over_89=False, own=own)

    assert (("t", value),) == left


@pytest.mark.parametrize("value", [44272, 47110815, 637632000])
def test_the_same_cell_of_somebody_else_stays(value: int) -> None:
    """A number is a number where it is nobody's here."""
    own = own_of([("StudyDate", "20140509"), ("PatientID", "MRN-22334456")])

    left = released((("t", value),), recipe(LabelType.NUMBER), 5, over_89=False, own=own)

    assert (("t", value),) == left


@pytest.mark.parametrize(
    ("column", "value"),
    [("tel", 81937100), ("zip", 79106), ("PLZ", "79106"), ("mrn", 4711), ("home_phone", "555")],
)
def test_a_column_that_is_called_a_contact_or_number_is_empty(column: str, value: Scalar) -> None:
    """Unless the recipe keeps what it is called."""
    kind = LabelType.TEXT if isinstance(value, str) else LabelType.NUMBER
    made = Recipe(name="r", basis=Basis.GDPR_PSEUDONYMISED, labels=(Label(column, kind),))

    assert ((column, None),) == released(((column, value),), made, 5, over_89=False)


def test_sabotage_who_compares_with_nobody_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: with chance taken for certain the columns above pass."""
    who = people(30, 3)
    cells = [one.age for one in who]
    assert refused(who, cells, LabelType.NUMBER)

    monkeypatch.setattr(telling, "_chance", lambda *_: 1.0)

    assert [] == refused(who, cells, LabelType.NUMBER)


def test_sabotage_who_takes_each_meeting_for_proof_refuses_ordinary_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sabotage: the other way round."""
    who, chance = people(150, 5), random.Random(5)
    cells = [ORDINARY["percent"](chance) for _ in who]
    assert [] == refused(who, cells, LabelType.NUMBER)

    monkeypatch.setattr(telling, "_tail", lambda *_: 0.0)

    assert refused(who, cells, LabelType.NUMBER)


BORN_1953 = [("PatientBirthDate", "19530814"), ("StudyDate", "20210317"), ("PatientID", "4711")]


@pytest.mark.parametrize(
    "value",
    [
        "Jg. 1953", "geb. 1953", "*1953", "born 1953", "Jahrgang 53", "née en 1953", "b. 1953",
        "d.o.b 1953", "1953 \u0433.\u0440.", "1953年生", "w, 1953", "W1953", "1953", " 1953 ",
        "in (1953)",
        "昭和28年", "* 14.8.1953", 1953, 1953.0, dt.date(1953, 1, 1), dt.date(1953, 8, 1),
        "1953-08-14",
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize(
    "options", [(), (Option.RETAIN_MODIFIED_DATES,), (Option.RETAIN_FULL_DATES,)]
)
def test_the_year_of_a_birth_leaves_in_no_column(
    value: Scalar, options: tuple[Option, ...]
) -> None:
    """Whatever is written around it, under every type that could carry it."""
    own = own_of(BORN_1953)
    dated = isinstance(value, dt.date) or value == "1953-08-14"
    for kind in DATED_LABELS if dated else (LabelType.TEXT, LabelType.NUMBER, LabelType.MEASURE):
        made = recipe(kind, *options)

        assert (("t", None),) == released((("t", value),), made, 5, over_89=False, own=own)


@pytest.mark.parametrize("value", ["Jg. 1950", "born 1950", "*50", "née en 1950", "* 3.4.1950"])
def test_who_is_said_to_be_born_is_nobody_s_business(value: str) -> None:
    """A birth in words goes where the headers know none, and where they know another one."""
    for told in ([], BORN_1953):
        made = recipe(LabelType.TEXT, Option.RETAIN_FULL_DATES)
        left = released((("t", value),), made, 5, over_89=False, own=own_of(told))

        assert (("t", None),) == left


@pytest.mark.parametrize(
    "value", ["1954", "MRI 1999", 1954, 192, 19, "19", "23", 23, 1.953], ids=repr
)
def test_another_year_stays(value: Scalar) -> None:
    """A year is a year where nobody was born in it."""
    kind = LabelType.TEXT if isinstance(value, str) else LabelType.MEASURE
    left = released((("t", value),), recipe(kind), 5, over_89=False, own=own_of(BORN_1953))

    assert (("t", value),) == left


def test_the_year_of_an_examination_stays_though_its_patient_was_born_in_it() -> None:
    """Of a child both years are one."""
    own = own_of([("PatientBirthDate", "20190814"), ("StudyDate", "20191101")])
    for value, kind in (("MRI 2019", LabelType.TEXT), (2019, LabelType.NUMBER)):
        left = released((("t", value),), recipe(kind), 5, over_89=False, own=own)

        assert (("t", value),) == left
    (year,) = released(
        (("t", dt.date(2019, 11, 1)),), recipe(LabelType.YEAR), 5, over_89=False, own=own
    )
    assert ("t", 2019) == year


@pytest.mark.parametrize("value", [4711, 4711.0, -4711, "4711", "no. 4711"], ids=repr)
@pytest.mark.parametrize("kind", [LabelType.TEXT, LabelType.NUMBER, LabelType.MEASURE])
def test_a_short_number_of_the_patient_is_one(value: Scalar, kind: LabelType) -> None:
    """Four figures are enough where they are the whole of it, also of one patient alone."""
    own = own_of([("PatientID", "4711"), ("PatientName", "A^B")])

    assert (("t", None),) == released((("t", value),), recipe(kind), 5, over_89=False, own=own)
    others = own_of([("PatientID", "47112"), ("AccessionNumber", "94711")])
    if kind is LabelType.MEASURE and not isinstance(value, str):
        left = released((("t", value),), recipe(kind), 5, over_89=False, own=others)
        assert (("t", value),) == left
