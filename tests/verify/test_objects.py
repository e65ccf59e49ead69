"""The search in DICOM files: every place is read, and what is no identity is no hit."""

from __future__ import annotations

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from cohortkit.model import Person, Task
from cohortkit.traces.fields import Kind
from cohortkit.verify import Patterns, collect, scan_file, search
from cohortkit.verify.memory import Memory
from cohortkit.verify.objects import parts
from cohortkit.verify.search import Ours
from factory import Patient
from planted import plant
from stored import NAME, NUMBER, clean, patterns, stored

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


PATTERNS = patterns()


def kinds(data: bytes, of: Patterns = PATTERNS) -> set[Kind]:
    """What is found in it."""
    return {hit.kind for hit in search(of, "dicom/p/s/r/i0001.dcm", data)}


@given(
    syntax=st.sampled_from(SYNTAXES),
    keyword=st.sampled_from(["StudyDescription", "ImageComments", "OperatorsName", "ScanOptions"]),
    depth=st.integers(0, 3),
    undefined=st.sampled_from(["undefined", "stated"]),
)
def test_a_name_is_found_at_any_depth_in_any_encoding(
    syntax: UID, keyword: str, depth: int, undefined: str
) -> None:
    """Items of stated and of undefined length, with and without value representations."""
    inner = Dataset()
    setattr(inner, keyword, "of quisling, MARJOLEIN")
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedStudySequence = Sequence([inner])
        outer["ReferencedStudySequence"].is_undefined_length = undefined == "undefined"
        inner.is_undefined_length_sequence_item = undefined == "undefined"
        inner = outer
    dataset = clean()
    dataset.update(inner)

    assert Kind.NAME in kinds(stored(dataset, syntax))
    assert kinds(stored(clean(StudyDescription="nobody"), syntax)) == set()


@pytest.mark.parametrize("characters", ["ISO_IR 100", "ISO_IR 192", "ISO_IR 144", "GB18030", ""])
def test_a_name_is_found_whatever_the_character_set_is_said_to_be(characters: str) -> None:
    """Text is looked at as it is said to be, and as the bytes that it is."""
    of = patterns(PatientName="Müßelmänn^Jörg")
    for codec in ("latin-1", "utf-8"):
        dataset = clean(SpecificCharacterSet=characters)
        dataset.add_new(0x00081030, "UN", "MÜSSELMÄNN".replace("SS", "ß").encode(codec))

        assert Kind.NAME in kinds(stored(dataset), of)


def test_every_marker_of_a_planted_file_can_be_searched_for() -> None:
    """Whatever is planted wherever in a file is found in it as well."""
    planted = plant(["PatientComments", "StationName", "RequestedProcedureDescription"])
    for marker in planted.markers:
        of = collect(
            [clean(PatientName=marker if not marker.isdigit() else "x", PatientID=marker)],
            Task(0, "k", Person("", marker), "2.25.11", "2.25.12", "", "CT", ()),
            frozenset(),
        )

        assert kinds(planted.data, of), planted.markers[marker]


def test_comments_in_fragments_are_text_and_coded_samples_are_not() -> None:
    """A JPEG comment is found; the same letters inside the scan are noise."""
    dataset = clean(Rows=1, Columns=1)
    comment = b"\xff\xd8\xff\xfe\0\x1a" + b"Quisling^Marjolein 24ch " + b"\xff\xd9"
    scan = b"\xff\xd8\xff\xda\0\x02" + b"Quisling" + b"\xff\xd9"
    for stream, expected in ((comment, {Kind.NAME}), (scan, set())):
        dataset.PixelData = encapsulate([stream])
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"

        assert expected == kinds(stored(dataset, JPEGBaseline8Bit))


def test_native_pixels_are_not_text() -> None:
    """Among millions of samples any few letters stand somewhere."""
    dataset = clean(Rows=1, Columns=8, BitsAllocated=8)
    dataset.add_new(0x7FE00010, "OB", b"Quisling")

    assert kinds(stored(dataset)) == set()


def test_a_moved_date_is_no_hit_and_a_raw_one_in_text_is() -> None:
    """By chance a moved date is another of the patient's dates; in words it is a leak."""
    of = patterns(shifted=True)
    day = Patient().study_date

    assert kinds(stored(clean(StudyDate=day, AcquisitionDateTime=day + "1011")), of) == set()
    assert Kind.DATE in kinds(stored(clean(ImageComments=f"on {day}")), of)
    assert Kind.DATE in kinds(stored(clean(StudyDate=day)))


def test_numbers_are_compared_as_numbers() -> None:
    """A short number of a patient is no hit in a slice's number, and is one in words."""
    of = patterns(PatientID="1207", IssuerOfPatientID="")

    assert kinds(stored(clean(InstanceNumber=1207, SliceThickness="1207")), of) == set()
    assert Kind.PATIENT_ID in kinds(stored(clean(ImageComments="of 1207")), of)


@given(cut=st.integers(150, 420), noise=st.binary(max_size=12))
def test_a_broken_file_is_searched_whole(cut: int, noise: bytes) -> None:
    """What does not parse is bytes, and a name in bytes is found."""
    data = stored(clean(ImageComments=f"seen {NAME} " + "x" * 300))
    broken = data[:cut] + noise

    assert (NAME.encode() not in broken) or Kind.NAME in kinds(broken)
    assert scan_file(PATTERNS, "a.dcm", broken).bytes > 0


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ReferencedFrameNumber", 20471),
        ("SimpleFrameList", [7, 20471]),
        ("RecommendedDisplayFrameRateInFloat", 20471.0),
        ("DiffusionBValue", 20471.0),
        ("SeriesNumber", "00020471"),
        ("SliceThickness", "2.0471e4"),
        ("SliceThickness", "20471.0"),
    ],
)
def test_a_number_is_found_as_binary_and_as_text(syntax: UID, keyword: str, value: object) -> None:
    """Five digits in a row are somebody's in a number as well."""
    of = patterns(PatientID="20471", IssuerOfPatientID="")

    assert {Kind.PATIENT_ID} == kinds(stored(clean(**{keyword: value}), syntax), of)
    assert kinds(stored(clean(**{keyword: value}), syntax)) == set()


@pytest.mark.parametrize("vr", ["US", "UL", "SL", "UV", "SV", "FL", "FD"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_number_is_found_in_every_binary_representation(vr: str, syntax: UID) -> None:
    """In a private element too, whose creator nobody knows."""
    of = patterns(PatientID="20471", IssuerOfPatientID="")
    dataset = clean()
    dataset.private_block(0x0011, "ACME", create=True).add_new(0x01, vr, [1, 20471])

    assert {Kind.PATIENT_ID} == kinds(stored(dataset, syntax), of)


def test_a_time_of_day_is_no_date_in_six_figures() -> None:
    """17 March 2021 as 21:03:17; as a text it is a date."""
    assert Patient().study_date == "20210317"
    assert kinds(stored(clean(ContentTime="210317", AcquisitionTime="210317.25"))) == set()
    assert kinds(stored(clean(ImageComments="on 210317"))) == {Kind.DATE}


def test_a_deflated_file_is_looked_into() -> None:
    """No writer of ours makes one; somebody else's may lie in a release."""
    dataset = clean(ImageComments=f"seen {NAME}")
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1.99")
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)

    assert Kind.NAME in kinds(buffer.getvalue())


def test_only_our_own_word_in_our_own_element_is_ours() -> None:
    """A pseudonym's folder and a stamp are no hits; the same word in a description is one."""
    of = patterns(PatientName="Modified")
    ours = Ours(places={"LongitudinalTemporalInformationModified": frozenset({"modified"})})
    stamped = stored(clean(LongitudinalTemporalInformationModified="MODIFIED"))
    typed = stored(clean(SeriesDescription="MODIFIED"))

    assert () == search(of, "a.dcm", stamped, ours=ours)
    assert search(of, "a.dcm", typed, ours=ours)


def test_what_was_clean_once_is_not_read_again_and_is_counted_all_the_same() -> None:
    """The second object of a series costs what differs; the bytes looked at are those of each."""
    first, second = stored(clean(InstanceNumber="1")), stored(clean(InstanceNumber="2"))
    alone = [scan_file(PATTERNS, "a.dcm", data) for data in (first, second)]
    seen = Memory()

    assert alone == [scan_file(PATTERNS, "a.dcm", data, seen=seen) for data in (first, second)]
    cells = parts(second, seen).cells
    assert [] == [keyword for keyword, _ in cells if keyword != "InstanceNumber"]


@given(
    st.lists(st.sampled_from(["", NAME, NUMBER, "thorax", "Rows"]), min_size=1, max_size=6),
    st.sampled_from(["ImageComments", "SeriesDescription", "PatientID"]),
)
def test_nothing_hides_behind_what_was_clean(texts: list[str], keyword: str) -> None:
    """Whatever was searched before, and whichever of it was found: hits are each object's own."""
    theirs = patterns(PatientName=NAME, PatientID=NUMBER)
    seen = Memory()
    for text in texts:
        data = stored(clean(**{keyword: text}))
        alone = scan_file(theirs, "a.dcm", data)

        assert alone == scan_file(theirs, "a.dcm", data, seen=seen)
        assert bool(alone.hits) == (text in {NAME, NUMBER})


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_a_value_that_is_clean_in_one_place_is_somebodys_in_another(syntax: UID) -> None:
    """By tag, representation and character set: the same bytes elsewhere are read again."""
    ours = Ours(places={"SeriesDescription": frozenset({NAME.casefold()})})
    theirs = patterns(PatientName=NAME)
    seen = Memory()
    first = stored(clean(SeriesDescription=NAME), syntax)
    second = stored(clean(SeriesDescription=NAME, StudyDescription=NAME), syntax)

    assert () == scan_file(theirs, "a.dcm", first, ours=ours, seen=seen).hits
    assert {Kind.NAME} == {
        hit.kind for hit in scan_file(theirs, "a.dcm", second, ours=ours, seen=seen).hits
    }


def test_a_long_value_is_told_from_another_of_its_length() -> None:
    """Of long values a digest is remembered, not the length or the first bytes."""
    theirs, seen = patterns(PatientName=NAME), Memory()
    for text in ("x" * 600 + "thorax".ljust(len(NAME)), "x" * 600 + f" {NAME}"):
        data = stored(clean(ImageComments=text))
        found = scan_file(theirs, "a.dcm", data, seen=seen)
        assert (NAME in text) == bool(found.hits)
