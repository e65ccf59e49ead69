"""What a user writes beside a cohort names nobody, in any spelling, and may say ordinary things."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit.cohort.named import demand_plain
from cohortkit.errors import UsageError
from factory import Patient, Series, write_series

DAY, BIRTH = dt.date(2021, 3, 17), dt.date(1948, 2, 29)
FAMILIES = ("Quisling", "Young", "Li", "Müller", "Petrov", "Rose", "Oberholzer")
GIVEN = ("Marjolein", "Ida", "Jo", "Mark", "Grace", "Anna-Lena")
ORDINARY = Path(__file__).with_name("ordinary_reasons.txt").read_text("utf-8").splitlines()

INDEX = pl.LazyFrame(
    {
        "PatientID": ["MRN-00471113", "0771823", "P-12-34-5"],
        "StudyInstanceUID": ["1.2.826.0.1.3680043.8.1055.1", "2.25.771", "2.25.772"],
        "PatientBirthDate": [BIRTH, None, None],
        "StudyDate": [DAY, dt.date(2019, 11, 3), None],
        "PatientAddress": ["Weidenstrasse 17, 82941 Oberdorf", None, None],
    }
)


def index_of(family: str, given_name: str) -> pl.LazyFrame:
    return INDEX.with_columns(pl.lit(f"{family}^{given_name}").alias("PatientName"))


NAMES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda name: f"{name}s",
    lambda name: f"{name}'s",
    lambda name: f"({name})",
    lambda name: f"id_{name}_2",
)
LONGER: tuple[Callable[[str], str], ...] = (
    str.lower,
    lambda name: f"{name}en",
    lambda name: f"{name}Study",
)
SENTENCES = ("{}", "not {} again", "{} withdrew", "repeat of {}, bad quality", "asked for: {}")


@given(
    st.sampled_from(FAMILIES),
    st.sampled_from(GIVEN),
    st.booleans(),
    st.sampled_from(NAMES),
    st.sampled_from(SENTENCES),
)
def test_a_lone_name_is_known_in_every_case_and_form(
    family: str,
    given_name: str,
    of_family: bool,  # noqa: FBT001 - which of the two
    spell: Callable[[str], str],
    sentence: str,
) -> None:
    """Family or given name, short ones too, as they are written and with an ending."""
    name = family if of_family else given_name
    if len(name) == 2 and spell is str.upper:
        return  # two capitals are an abbreviation
    text = sentence.format(spell(name))
    with pytest.raises(UsageError, match="names a patient") as caught:
        demand_plain({"here": text}, index_of(family, given_name))

    assert text not in str(caught.value)


@given(st.sampled_from(("Quisling", "Müller", "Petrov", "Oberholzer")), st.sampled_from(LONGER))
def test_a_name_that_is_no_word_is_known_in_small_letters_and_inside_words(
    name: str, spell: Callable[[str], str]
) -> None:
    """What no sentence has by chance is a name wherever it stands."""
    with pytest.raises(UsageError, match="names a patient"):
        demand_plain({"here": f"without {spell(name)} at all"}, index_of(name, "Jo"))


DAYS = (
    "%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%y", "%m/%d/%Y", "%d %B %Y", "%d%b%Y", "%B %d, %Y",
    "%y%m%d", "%G-W%V-%u", "%Y-%j", "%d. %m. %Y", "%Y_%m_%d", "%d-%b-%y",
)  # fmt: skip


@given(st.sampled_from((DAY, BIRTH)), st.sampled_from(DAYS), st.sampled_from(SENTENCES))
def test_a_day_of_the_index_is_known_in_every_form(day: dt.date, form: str, sentence: str) -> None:
    """Birth dates and days of examinations alike."""
    with pytest.raises(UsageError, match="names a patient"):
        demand_plain({"here": sentence.format(day.strftime(form))}, index_of("Quisling", "Jo"))


@pytest.mark.parametrize(
    "text",
    [
        "see 471113", "MRN 00471113", "mrn00471113x and mrn-00471113", "id p 12 34 5", "p12345",
        "Weidenstrasse again", "from oberdorf", "postcode 82941", "weidenstrasse 17",
        "1.2.826.0.1.3680043.8.1055.1", "1.2.3.4.5.6.7.8 of another index", "a woman of 064Y",
        "the 97-year-old", "aged 101", "Jo Quisling", "quisling jo", "jquisling", "QuislingJo",
    ],
)  # fmt: skip
def test_ids_addresses_uids_and_ages_are_known(text: str) -> None:
    """A UID and an age beyond ninety tell of somebody whoever it is."""
    with pytest.raises(UsageError, match=r"^here: "):
        demand_plain({"here": text}, index_of("Quisling", "Jo"))


@pytest.mark.parametrize(
    "text",
    [
        "as told: 0761 5554321", "see a.fremd@klinik.example", "Dr. Fremdname",
        "asked by Frau Fremdname",
        "SSN 123-45-6789", "of Lindenallee 44", "4. Mai 1931", "04.05.1931", "on 2021-03-04",
        "born in August 1953", "97 Jahre", "97 \u043b\u0435\u0442",
        "ninety-seven year old, aged 97",
    ],
)  # fmt: skip
def test_what_reaches_or_names_anybody_by_its_form_is_refused(text: str) -> None:
    """Whoever it is: the index holds nobody of that name, number or day."""
    with pytest.raises(UsageError, match=r"^here: ") as caught:
        demand_plain({"here": text}, index_of("Quisling", "Jo"))

    assert text not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["Approved by Dr. Fremdname on 2021-03-04", "write to privacy@klinik.example"]
)
def test_who_answers_for_a_recipe_may_be_said(text: str) -> None:
    """And where: but not the telephone, nor somebody of the index."""
    index = index_of("Quisling", "Jo")
    demand_plain({"here": text}, index, signed={"here"})
    for more in ("0761 5554321", "Quisling"):
        with pytest.raises(UsageError, match=r"^here: "):
            demand_plain({"here": f"{text}, {more}"}, index, signed={"here"})


@pytest.mark.parametrize("text", ["not young mark", "Mark Young left", "mark, young"])
def test_two_ordinary_words_side_by_side_are_a_name(text: str) -> None:
    """Who is called by words of the language is known by both of them."""
    with pytest.raises(UsageError, match="names a patient"):
        demand_plain({"here": text}, index_of("Young", "Mark"))


COMMON = (
    "An Bad Best Black Brown Case Church Close Cook Day Dean Dose Down English Field Fine Fisher "
    "Fox Francis French Good Grace Gray Green Hand Hart Head Hill Hope Hunter Jan Jean Joy King "
    "Lane Large Late Law Lee Light Little Long Love Low Major Mark May Mean Miller Moon Noble Old "
    "Page Park Penny Poor Power Price Quick Rich Rose Sage Savage Scan Sharp Short Small Smart "
    "Spring Still Strong Summer Thin Thick To Too True Wait Waters Weeks White Will Winter Wise "
    "Wood Wrong Young Zone Li Ma He Do So"
)
"""People who are called by words of the language."""


@pytest.fixture(scope="module")
def crowd() -> pl.LazyFrame:
    """Everybody is called by such a word, and was examined on some day of ten years."""
    names = COMMON.split()
    people = [f"{one}^{names[(n * 7 + 3) % len(names)]}" for n, one in enumerate(names)]
    days = [dt.date(2014, 1, 1) + dt.timedelta(days=37 * n) for n in range(len(people))]
    ids = [f"{n:06d}" for n in range(470000, 470000 + len(people))]
    return pl.LazyFrame({"PatientName": people, "PatientID": ids, "StudyDate": days})


def test_ordinary_reasons_pass_whatever_people_are_called(crowd: pl.LazyFrame) -> None:
    """Nobody is kept from saying why: each of these is told as it is."""
    refused = []
    for reason in ORDINARY:
        try:
            demand_plain({"here": reason}, crowd)
        except UsageError:
            refused.append(reason)
    assert [] == refused
    assert len(ORDINARY) > 80


def test_a_reason_is_refused_where_it_is_given(tmp_path: Path) -> None:
    """So it is in no view, no flow and no saved cohort."""
    write_series(tmp_path, Patient(), Series(slices=1))
    cohort = ck.scan(tmp_path, progress=False, workers=1).search()
    labels = pl.DataFrame({"AccessionNumber": ["ACC-7719023"], "grade": [1]})
    visits = pl.DataFrame({"PatientID": ["MRN-00471113"], "day": [dt.date(2020, 1, 1)]})
    steps: tuple[Callable[[str], object], ...] = (
        lambda why: cohort.filter(pl.col("Rows") > 0, reason=why),
        lambda why: cohort.first_per("patient", by="StudyDate", reason=why),
        lambda why: cohort.only(patients=["MRN-00471113"], reason=why),
        lambda why: cohort.exclude(patients=["MRN-00471113"], reason=why),
        lambda why: cohort.join(labels, on="AccessionNumber", reason=why),
        lambda why: cohort.nearest(visits, on="PatientID", date="day", days=(0, None), reason=why),
        lambda why: cohort.best_per("study", prefer="Rows", reason=why),
        lambda why: cohort.pairs(days=(0, 9), reason=why),
        lambda why: cohort.match(pl.col("Rows") > 0, same="Modality", reason=why),
        lambda why: cohort.text("lung", reason=why),
    )
    for step in steps:
        step("too few slices")
        with pytest.raises(UsageError, match="the reason: names a patient") as caught:
            step("not Marjolein")
        assert "Marjolein" not in str(caught.value)


SCRIPTS = (
    ("Kuznetsov^Ivan", "\u041a\u0443\u0437\u043d\u0435\u0446\u043e\u0432"),
    ("Kuznetsova^Anna", "\u041a\u0443\u0437\u043d\u0435\u0446\u043e\u0432\u043e\u0439"),
    ("\u041a\u0443\u0437\u043d\u0435\u0446\u043e\u0432^\u0418\u0432\u0430\u043d", "Kusnezow"),
    ("Papadopoulos^Nikos", "Παπαδόπουλος"),
    ("王^偉民", "王伟民"),
    ("張^國華", "张国华"),
    ("ヤマダ^ハナコ", "やまだ"),
    ("齋藤^花子", "斎藤"),
    ("كريم^علي", "کریم"),
)


@pytest.mark.parametrize(("header", "label"), SCRIPTS)
@pytest.mark.parametrize("column", ["PatientName", "ReferringPhysicianName"])
def test_a_name_is_known_in_another_script_than_the_header_s(
    header: str, label: str, column: str
) -> None:
    """By the letters or the sound, as a label that is to be released is asked."""
    people = INDEX.with_columns(
        pl.Series(column, ["Oberholzer^Ida", header, None]), Modality=pl.lit("CT")
    )
    with pytest.raises(UsageError, match="names a patient"):
        demand_plain({"reason": f"not {label}, bad quality"}, people)


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("Petrov^Ivan", "\u043f\u0435\u0447\u0435\u043d\u044c"),
        ("Kuznetsov^Ivan", "Kusine"),
        ("\u0418\u0432\u0430\u043d\u043e\u0432^\u0418\u0432\u0430\u043d", "invasion of the vein"),
        ("張^國華", "肺部"),
        ("やまだ^はなこ", "ノジュール"),
    ],
)
def test_a_word_of_another_script_is_no_name(header: str, label: str) -> None:
    """Words of the trade stay."""
    demand_plain({"reason": label}, INDEX.with_columns(pl.lit(header).alias("PatientName")))
