"""A view tells nobody by a value of a joined column, and shows what one joins a column for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.cohort.labelled import FEWEST, WITHHELD, is_plain
from fake_index import FakeIndex, row

PEOPLE = [f"Zyx{number}" for number in range(12)]
BIRTH, SEEN = dt.date(1923, 8, 17), dt.date(2021, 3, 17)
ORDINARY = [
    "malignant", "Pneumothorax", "T2", "MCI", "val", "train", "test", "no finding", "Grade III",
    "yes", "No", "3", "stage 4", "mild", "BI-RADS 4", "holdout", "responder", "Benign", "",
]  # fmt: skip
CODES = ["C34", "I21.4", "AD", "CN", "C34.1", "NSCLC-2", "57", "1.5", "pT2 N0 M0", "Adenokarzinom"]
TELLING = [
    "王伟民", "Li Xu", "4711", "A12", "17.8.", "1953", "97", "Quisling", "QRX", "Xu", "17 8",
    "Jg. 1953", "53", "A.M.F.", "a m f", "A-17", "0123", "x2b", "12/7",
]  # fmt: skip


def labelled(
    values: Sequence[object], kind: pl.DataType | None = None, column: str = "x", **one: object
) -> Cohort:
    """A cohort of as many patients, each with a value; ``one`` is said of the first."""
    rows = [row(n, PEOPLE[n], f"1.{n}", StudyDate=SEEN) for n in range(len(values))]
    rows[0] |= one
    ids = [r["PatientID"] for r in rows]
    table = pl.DataFrame({"PatientID": ids, column: pl.Series(values, dtype=kind)})
    return Cohort.start(FakeIndex.of(*rows)).join(table, on="PatientID")


def views(cohort: Cohort) -> dict[str, str]:
    """Everything that a notebook shows unasked."""
    return {
        "repr": repr(cohort), "text": str(cohort), "html": cohort._repr_html_(),
        "table": cohort.to_polars().write_json(), "pandas": cohort.to_pandas().to_csv(),
        "arrow": pl.DataFrame(cohort).write_json(), "asked": "\n".join(cohort.asked()),
        "flow": str(cohort.flow()), "svg": cohort.flow().svg(),
        "described": repr(cohort.describe()) + cohort.describe()._repr_html_(),
    }  # fmt: skip


def column_of(cohort: Cohort, column: str = "x") -> list[object]:
    return cohort.to_polars()[column].to_list()


@pytest.mark.parametrize("value", ORDINARY)
def test_ordinary_words_are_shown_of_whoever_has_them(value: str) -> None:
    """What a label says of a picture is what one joins it for; absent stays absent."""
    assert [value, None] == column_of(labelled([value, None]))


@pytest.mark.parametrize("value", CODES)
def test_a_code_is_shown_where_enough_patients_have_it(value: str) -> None:
    """From five on it tells nobody; of fewer it may be anybody's."""
    many, few = labelled([value] * FEWEST), labelled([value] * (FEWEST - 1))

    assert [value] * FEWEST == column_of(many)
    assert [WITHHELD] * (FEWEST - 1) == column_of(few)


@pytest.mark.parametrize("value", TELLING)
@pytest.mark.parametrize("column", ["x", "finding", "grade", "Nachname"])
def test_no_view_tells_one_patient_by_a_value(value: str, column: str) -> None:
    """In no form, also where the question asks for it."""
    cohort = labelled([value, "benign"], column=column)
    joined = {view for view, text in views(cohort).items() if f"{value}<" in text or value in text}
    asked = views(cohort.search(**{column: value}).filter(pl.col(column) == value))

    assert joined <= {"html", "svg"} if len(value) < 3 else set() == joined  # figures of style
    assert [WITHHELD, "benign"] == column_of(cohort, column)
    for view in ("repr", "text", "asked", "flow"):
        assert f"is {value}" not in asked[view]
        assert f"'{value}'" not in asked[view]
        assert f'"{value}"' not in asked[view]


@pytest.mark.parametrize("value", [1953, 97, 4711, 178, 57, 12.5, 17.8, 19480229, -4711, 90, 2.75])
def test_a_number_of_few_patients_is_withheld(value: float) -> None:
    """Their column is text then: what is reckoned from the rest would be wrong."""
    cohort = labelled([value, 3])

    assert WITHHELD == column_of(cohort)[0]
    assert pl.String == cohort.to_polars().schema["x"]
    assert f">{value}<" not in cohort._repr_html_()


@pytest.mark.parametrize("values", [[0, 1, 1, 0], [3, 4], [1.0, 2.0, 0.0], [57] * 5 + [3]])
def test_grades_and_what_many_have_stay_numbers(values: list[float]) -> None:
    """They can be reckoned with."""
    assert values == column_of(labelled(values))
    assert labelled(values).to_polars().schema["x"].is_numeric()


def test_yes_and_no_are_shown() -> None:
    """Two values tell nobody."""
    assert [True, False, None] == column_of(labelled([True, False, None]))


def test_columns_of_days_are_not_shown() -> None:
    """Whatever they are called, and however many have one."""
    days = [SEEN] * 6
    assert "x" not in labelled(days).to_polars().columns
    assert [WITHHELD] * 6 == column_of(labelled([str(day) for day in days], pl.String))


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Quisling", {"PatientName": "Quisling^Ada"}),
        ("Li Xu", {"PatientName": "Li^Xu"}),
        ("王伟民", {"PatientName": "Wang^Weimin=王^偉民"}),
        ("Кузнецов", {"PatientName": "Kuznetsov^Ivan"}),
        ("acc 17 3", {"AccessionNumber": "ACC-17-3"}),
        ("17.8.1923", {"PatientBirthDate": BIRTH}),
        ("Jg. 1950", {}),
        ("born 1923", {}),
        ("0761 5554321", {}),
        ("a.b@klinik.example", {}),
        ("Frau Meier", {}),
        ("aged 94", {}),
        ("of 2019-11-03", {}),
        ("1923", {"PatientBirthDate": BIRTH}),
        ("97", {"PatientBirthDate": BIRTH}),
    ],
)
def test_what_many_have_may_still_name_somebody(value: str, header: dict[str, object]) -> None:
    """Of the index, by its form, or by what the header of one who has it says."""
    assert [WITHHELD] * 6 == column_of(labelled([value] * 6, **header))


@pytest.mark.parametrize("value", [1923, 97, 97.0, 98])
def test_a_birth_year_or_high_age_of_one_who_has_it_is_withheld(value: float) -> None:
    """However many others have the number."""
    told = {"PatientBirthDate": BIRTH}

    assert [WITHHELD] * 6 == column_of(labelled([value] * 6, **told))
    assert [value] * 6 == column_of(labelled([value] * 6))


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("young", {"PatientName": "Young^A"}),
        ("Young", {"PatientName": "Young^A"}),
        ("long", {"PatientName": "Long^Bo"}),
        ("3", {"PatientID": "3"}),
        ("3", {"AccessionNumber": "003"}),
        ("no", {"PatientID": "NO"}),
    ],
)
def test_an_ordinary_word_that_names_its_patient_is_withheld(
    value: str, header: dict[str, object]
) -> None:
    """A word is somebody's name, a figure somebody's number; of others it is shown."""
    assert [WITHHELD, None] == column_of(labelled([value, None], **header))
    assert [value, None] == column_of(labelled([value, None], PatientName="Abel^B"))


def test_a_number_of_its_patient_is_withheld() -> None:
    """One figure may be all of it."""
    assert [WITHHELD, "2"] == column_of(labelled([3, 2], PatientID="3"))


def test_a_column_of_many_texts_is_free_text() -> None:
    """Of it only ordinary words are shown."""
    texts = [f"Q{number}" for number in range(600)]
    rows = [row(n, f"p{n // 600}-{n % 600}") for n in range(3000)]
    table = pl.DataFrame(
        {"PatientID": [r["PatientID"] for r in rows], "x": [*(texts * 5)[:-1], "benign"]}
    )
    shown = column_of(Cohort.start(FakeIndex.of(*rows)).join(table, on="PatientID"))

    assert {WITHHELD, "benign"} == set(shown)


@given(
    st.lists(
        st.one_of(st.none(), st.sampled_from(["benign", "C34", "Li Xu", "4711", "no"])),
        min_size=1,
        max_size=12,
    )
)
def test_a_view_shows_what_is_ordinary_or_of_many_and_nothing_else(
    values: list[str | None],
) -> None:
    """Row by row, and never another value than the table's."""
    shown = column_of(labelled(values, pl.String))
    for value, said in zip(values, shown, strict=True):
        often = values.count(value) >= FEWEST
        hidden = value is not None and not often and value not in {"benign", "no"}

        assert (WITHHELD if hidden else value) == said


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.text(min_size=1, max_size=8))
def test_any_label_and_any_question_is_told_without_a_crash(values: list[str], asked: str) -> None:
    """Tables are input from strangers."""
    cohort = labelled(values, pl.String)
    (step,) = cohort.search(x=[asked, "benign"]).steps[-1:]
    for value in set(cohort.to_polars()["x"]) - {WITHHELD}:
        assert value in values
        assert value is None or is_plain(value) or values.count(value) >= FEWEST
    assert is_plain(asked) or asked in values or f" {asked} " not in f" {step.words} "


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"x": "benign"}, "x is benign"),
        ({"x": "C34"}, "x is C34"),
        ({"x": "A12"}, "x is one given value"),
        ({"x": "C35"}, "x is one given value"),
        ({"x": ["C34", "benign"]}, "x is C34 or benign"),
        ({"x": ["C34", "A12"]}, "x is one of 2 given values"),
        ({"x": "*malignant*"}, "x is like *malignant*"),
        ({"x": "*Quis*"}, "x is like a given pattern"),
        ({"x": "17*8*"}, "x is like a given pattern"),
    ],
)
def test_a_question_tells_what_the_table_shows(asked: dict[str, object], words: str) -> None:
    """A code that many have; no other."""
    cohort = labelled(["C34"] * 5 + ["A12", "benign"])

    assert f"search: {words}" == cohort.search(**asked).asked()[-1]


@pytest.mark.parametrize(
    ("limit", "told"),
    [(60, True), (3, True), (0.5, True), (89, True), (90, False), (1953, False), (17.8, False),
     (4711, False), (97, False), (250, True)],
)  # fmt: skip
def test_a_limit_is_told_where_it_is_none_of_anybody_s_numbers(limit: float, told: bool) -> None:  # noqa: FBT001 - a case
    """Below 90, or of many."""
    cohort = labelled([250] * 5 + [97, 1953])
    for said in (
        cohort.filter(pl.col("x") > limit).asked()[-1],
        cohort.search(x=(limit, None)).asked()[-1],
    ):
        assert told is (str(limit) in said)


def test_a_limit_that_is_somebody_s_number_is_not_told() -> None:
    """Of an index in which patients are counted from 1."""
    rows = [row(n, str(n), f"1.{n}") for n in range(40, 44)]
    table = pl.DataFrame({"PatientID": ["40", "41"], "x": [1, 2]})
    cohort = Cohort.start(FakeIndex.of(*rows)).join(table, on="PatientID")

    assert "42" not in cohort.filter(pl.col("x") < 42).asked()[-1]
    assert "44" in cohort.filter(pl.col("x") < 44).asked()[-1]


def test_a_release_tells_no_more_of_a_question_than_the_notebook() -> None:
    """The recipe lets the column out, and few have the value."""
    cohort = labelled(["C34"] * 5 + ["A12"]).search(x=["C34", "A12"]).filter(pl.col("x") != "A12")
    told = "\n".join(str(step) for step in cohort.told(lambda _: True).steps)

    assert "A12" not in told
    assert "A12" not in "\n".join(cohort.asked())
    assert "C34" in str(labelled(["C34"] * 5).search(x="C34").told(lambda _: True))
