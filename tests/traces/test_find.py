"""Where patterns stand, in the letters of the text itself."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from cohortkit.model import Person, Task
from cohortkit.traces.find import spans, standing
from cohortkit.traces.patterns import Patterns, collect


def patterns(name: str = "Groß-Björk^Ána") -> Patterns:
    header = Dataset()
    header.PatientName = name
    header.PatientID = "MRN-00471113"
    header.PatientBirthDate = "19480229"
    person = Person("", "MRN-00471113")
    return collect([header], Task(0, "k", person, "1.2.3", "1.2.4", "", "", ()), frozenset())


def cut(found: Patterns, text: str) -> str:
    """The text with every span as underscores."""
    letters = list(text)
    for span in spans(found, text):
        letters[span.start : span.end] = "_" * (span.end - span.start)
    return "".join(letters)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AX mrn-00471113 T2", "AX ____________ T2"),
        ("born 29.02.1948!", "born __________!"),
        ("für GROSS-BJORK, T2", "für ___________, T2"),
        ("für Groß-Björk, T2", "für __________, T2"),
        ("½ Gross-Bjo\u0308rk ½", "½ ____________ ½"),
        ("½ GROSS-BJOERK ½", "½ ____________ ½"),
        ("Gro\u00adß-Björk T2", "___________ T2"),
        ("groß t2", "____ t2"),
        ("AX T2 FSE", "AX T2 FSE"),
        ("", ""),
    ],
)
def test_a_place_is_told_in_the_letters_of_the_text(text: str, expected: str) -> None:
    """However many letters the folded forms have, what is cut out is the name and no more."""
    assert expected == cut(patterns(), text)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("Kowalczyk^Jan", "THXKOWALCZYKZ", True),
        ("Kowalczyk^Jan", "CT_Kowalczyk2", True),
        ("Kowalczyk^Jan", "CT Kowalcz", False),
        ("Philip^Ann", "Philips", False),  # the maker's name
        ("Philip^Ann", "CT2Philip2", True),
        ("Lee^Ann", "1Lee2", False),
        ("Maier^Ann", "CT Maier02", True),
        ("Maier^Ann", "2MAIER_1", True),
        ("Maier^Ann", "Maiering", False),
        ("Position^Ann", "ImagePositionPatient", False),  # an attribute's name
        ("Position^Ann", "for Position, Ann", True),
    ],
)
def test_a_word_of_a_name_inside_another_word(name: str, text: str, found: bool) -> None:  # noqa: FBT001 - a table
    """From eight letters on it is found there, from six between digits, shorter ones alone."""
    assert found == bool(list(standing(patterns(name), text)))


@given(
    st.text(max_size=12),
    st.sampled_from(["groß-björk", "Bjo\u0308rk Ána", "MRN-00471113", "ÁNA^GROSS-BJÖRK"]),
    st.text(max_size=12),
)
def test_nothing_stands_in_what_is_left(before: str, planted: str, after: str) -> None:
    """Whatever is around it: all that the search would find is inside of a span."""
    text = f"{before} {planted} {after}"
    found = patterns()

    left = cut(found, text).replace("_", "\n")

    assert list(standing(found, text))
    assert not list(standing(found, left))


def test_where_letters_join_across_two_places_the_whole_text_is_the_span() -> None:
    """Korean written in single letters is put together by folding: no place can be told."""
    text = "\u1100\u1161 MRN-00471113"

    assert "_" * len(text) == cut(patterns(), text)


def test_zeros_around_a_number_are_walked_once() -> None:
    """A number of zeros in a text of zeros: each is looked at, and none of them again."""
    header = Dataset()
    header.PatientID = "000000"
    task = Task(0, "k", Person("", "000000"), "1.2.3", "1.2.4", "", "", ())
    zeros = collect([header], task, frozenset())
    started = time.process_time()

    assert not list(standing(zeros, "0" * 40_000))
    assert time.process_time() - started < 5
