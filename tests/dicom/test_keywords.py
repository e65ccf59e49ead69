"""Keywords and their neighbours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cohortkit.dicom.keywords import all_keywords, is_multiple, neighbours, tag_of, vr_of


def test_tag_and_vr_come_from_the_dictionary() -> None:
    """A keyword has its tag as a plain number, and its VR."""
    assert tag_of("PatientID") == 0x00100020
    assert type(tag_of("PatientID")) is int
    assert vr_of("StudyDate") == "DA"
    assert vr_of("SmallestImagePixelValue") == "US or SS"


def test_what_is_no_keyword_has_neither() -> None:
    """Absent is None, never an exception or a guess."""
    assert tag_of("PatientsID") is None
    assert vr_of("patientid") is None
    assert tag_of("OverlayData") is None
    assert tag_of("") is None


def test_value_multiplicity() -> None:
    """Attributes of several values are lists in the index."""
    assert is_multiple("ImageType")
    assert not is_multiple("PatientID")


def test_misspelt_words_find_their_neighbours() -> None:
    """The word that was meant is among the first."""
    assert "PatientID" in neighbours("PatientId")
    assert neighbours("StudyDatte")[0] == "StudyDate"
    assert neighbours("modality")[0] == "Modality"
    assert "BodyPartExamined" in neighbours("bodypart")
    assert neighbours("BodyPart", ["BodyPartExamined", "Rows"]) == ("BodyPartExamined",)


def test_nonsense_has_no_neighbours() -> None:
    """Nothing near is said as nothing."""
    assert neighbours("") == ()
    assert neighbours("∆∆∆") == ()
    assert neighbours("qqqqqqqqqqqq") == ()


@given(st.text(max_size=300))
def test_neighbours_are_known_words(word: str) -> None:
    """Whatever is written, a neighbour is one of the known words, and there are at most three."""
    known = ("PatientID", "StudyDate", "Modality", "size")
    near = neighbours(word, known)

    assert set(near) <= set(known)
    assert len(near) <= 3


def test_all_keywords_have_tags() -> None:
    """The known words are usable ones."""
    assert all(word and tag_of(word) is not None for word in all_keywords())
