from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.traces.days import date_forms
from cohortkit.traces.spellings import (
    ORDINARY,
    fold,
    identifier,
    misread,
    name_in_full,
    name_parts,
    places,
)


@pytest.mark.parametrize(
    "written",
    [
        "Quisling^Marjolein",
        "MARJOLEIN QUISLING",
        "Quisling, Marjolein",
        "quisling_marjolein",
        "MarjoleinQuisling",
        "marjolein.quisling",
        "Quisling^Marjolein^Odile",
        "Marjolein Odile Quisling",
    ],
)
def test_a_name_is_known_in_its_usual_orders(written: str) -> None:
    """Order, case and separator do not hide a name."""
    assert fold(written) in name_in_full("Quisling^Marjolein^Odile^Dr.")


def test_a_name_read_in_the_wrong_set_is_put_right_and_a_right_one_is_not_broken() -> None:
    """UTF-8 read as Latin-1 becomes the name; a Cyrillic name gives no tokens of one letter."""
    assert "M\u00fcller" in misread("M\u00c3\u00bcller")
    assert {"\u0418\u0432\u0430\u043d\u043e\u0432"} == misread(
        "\u0418\u0432\u0430\u043d\u043e\u0432"
    )
    assert {"Smith"} == misread("Smith")


def test_title_suffix_and_initials_are_not_names() -> None:
    """``Dr.`` and a single letter name nobody."""
    parts = name_parts("Quisling^M^O^Dr.^III")

    assert "dr." not in parts
    assert "iii" not in parts
    assert {"quisling"} == {part for part in parts if len(part) > 1}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Müller^Jörg", "muller"),
        ("Müller^Jörg", "mueller"),
        ("Müller^Jörg", "jorg"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田"),
        ("van der Berg^Jan", "berg"),
        ("DOE JOHN", "john"),
        ("Mueller^Jan", "muller"),
        ("Jørgensen^Pål", "joergensen"),
        ("Jørgensen^Pål", "jorgensen"),
        ("Strauß^Jan", "strauss"),
        ("Иванов^Пётр", "ivanov"),
        ("Щукин^Пётр", "shchukin"),
        ("Παπαδόπουλος^Νίκος", "papadopoylos"),
        ("王^小明", "王"),
        ("김^민준", "김"),
    ],
)
def test_a_name_is_known_without_accents_in_each_script_and_by_its_words(
    name: str, written: str
) -> None:
    """Accents, the ideographic group and words inside a component are spelled out."""
    assert written in name_parts(name)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("0012345", "12345"),
        ("12-345-67", "1234567"),
        ("MRN 00471113", "mrn00471113"),
        ("ID/7788", "id7788"),
        ("MRN-00471113", "mrn 00471113"),
        ("MRN-00471113", "mrn_00471113"),
        ("MRN-00471113", "00471113"),
        ("MRN00471113", "471113"),
    ],
)
def test_an_identifier_is_known_without_zeros_and_separators(raw: str, written: str) -> None:
    """Leading zeros and separators do not hide an identifier."""
    assert written in identifier(raw)


@pytest.mark.parametrize(
    ("raw", "full", "alone"),
    [
        ("St. Elsewhere Hospital", "st_elsewhere", "elsewhere"),
        ("St. Elsewhere Hospital", "stelsewhere", "elsewhere"),
        ("Charité Berlin", "charite_berlin", "charite"),
        ("Weidenstrasse 17, Oberdorf", "weidenstrasse 17", "oberdorf"),
        ("Charitéplatz 1, 10117 Berlin", "10117 berlin", "10117"),
        ("Universitätsklinikum Aachen", "universitatsklinikum aachen", "aachen"),
    ],
)
def test_a_place_is_known_by_its_own_words(raw: str, full: str, alone: str) -> None:
    """With anything between them, and each of its own alone."""
    assert full in places(raw)[0]
    assert alone in places(raw)[1]


def test_words_that_any_place_may_have_are_none_of_its_own() -> None:
    """University, hospital, street, and words of the trade, such as right in German."""
    assert set() == places("University Hospital, Dept. of Radiology, MR 1, Main Street 12")[1]
    assert {"isar"} == places("Klinikum rechts der Isar")[1]
    assert {"sinai"} == places("Mount Sinai Spine and Bone Center, Open MRI")[1]


def test_a_short_rest_behind_zeros_is_no_spelling() -> None:
    """``0010`` does not become ``10``, which is any number."""
    assert {"0010"} == identifier("0010")


@given(st.dates(dt.date(1900, 1, 2), dt.date(2100, 1, 1)))
def test_every_date_has_at_least_six_forms_and_reads_back(day: dt.date) -> None:
    """The forms are of this day and of no other."""
    forms = date_forms(f"{day:%Y%m%d}")

    assert {f"{day:%Y%m%d}", day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%m/%d/%Y}"} <= forms
    assert len(forms) >= 6
    assert forms == date_forms(f"{day:%Y.%m.%d}")


@pytest.mark.parametrize(
    "raw", ["19000101", "1900-01-01", "", "2004", "20041301", "00000000", "not a date", "2004 119"]
)
def test_what_is_no_date_has_no_forms(raw: str) -> None:
    """A malformed date gives nothing to search for, and no crash."""
    assert frozenset() == date_forms(raw)


@given(st.text(max_size=40))
def test_any_text_is_spelled_without_a_crash_and_never_empty(text: str) -> None:
    """Names and identifiers are input from strangers."""
    for form in name_in_full(text) | name_parts(text) | identifier(text):
        assert form


@pytest.mark.parametrize("word", ["mri", "fmri", "mra", "cta", "mrcp", "ct", "mr"])
def test_acronyms_of_examinations_are_ordinary_alone(word: str) -> None:
    """Nobody is called so; with the words beside it the name is one like any other."""
    assert word in ORDINARY
    assert f"zzz {word}" in name_in_full(f"Zzz^{word.upper()}")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gb18030", "张^伟民"), ("cp932", "山田^太郎"), ("cp949", "김^철수"), ("big5", "陳^大文"),
        ("cp1251", "Петрова^Анна"), ("iso8859-5", "Петрова^Анна"), ("koi8-r", "Петрова^Анна"),
        ("iso8859-7", "Παπάς^Νίκος"), ("cp1254", "Şahin^Gül"), ("cp1256", "محمد^علي"),
        ("cp1250", "Dvořák^Jiří"), ("cp850", "Müller^Jörg"), ("utf-8", "Müller^Jörg"),
    ],
)  # fmt: skip
def test_a_character_set_that_lies_hides_no_name(encoding: str, name: str) -> None:
    """What a console wrote in its code page and called Latin-1 is known as what it is."""
    assert name in misread(name.encode(encoding).decode("latin-1"))


@given(st.text(st.characters(codec="ascii")))
def test_plain_text_is_read_in_one_way(text: str) -> None:
    """Nothing is guessed where there is nothing to guess."""
    assert {text} == misread(text)
