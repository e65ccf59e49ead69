"""Clean descriptors element by element: what each kind of row becomes, and what is reported."""

from __future__ import annotations

import io
from dataclasses import replace

import pydicom
import pytest
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.deidentify.text.cleaner import Cleaner, cleaner_for
from cohortkit.model import (
    DeidentifiedSeries,
    Facts,
    FileRef,
    Person,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe import profile
from cohortkit.recipe.model import Action, Attribute, Basis, Option, Recipe, Rule, Unlisted
from cohortkit.recipe.policy import Policy

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("walk", bytes(range(32)))
CLEANING = Recipe("t", Basis.GDPR_PSEUDONYMISED, options=frozenset({Option.CLEAN_DESCRIPTORS}))
WHO = Person("", "0007")


def rule(keyword: str, action: Action) -> Rule:
    return Rule(Attribute(int(Tag(keyword)), keyword), action, "asked for")


def header(**values: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality, dataset.BodyPartExamined = "CT", "CHEST"
    dataset.PatientID, dataset.PatientName = "0007", "Quisling^Marjolein"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def raw(vr: str, value: bytes) -> RawDataElement:
    """A description as it lies in a file, explicit little endian."""
    return RawDataElement(
        Tag("SeriesDescription"),
        vr,
        len(value),
        value,
        0,
        is_implicit_VR=False,
        is_little_endian=True,
    )


def run(recipe: Recipe, *headers: Dataset) -> tuple[DeidentifiedSeries, Cleaner | None]:
    instances = tuple(SourceInstance(one, None, FileRef("x", 1, 1, "x")) for one in headers)
    source = SourceSeries(WHO, instances, Facts(instances=()))
    task = Task(0, "k", WHO, "1.2.3", "1.2.3.5", "1.2.840.10008.5.1.4.1.1.2", "CT", ())
    own = cleaner_for(headers, task, recipe)
    return deidentify(source, task, recipe, KEY, cleaner=own), own


def out(recipe: Recipe, **values: object) -> Dataset:
    return run(recipe, header(**values))[0].headers[0]._dataset


def rows() -> list[profile.Row]:
    cleaned = profile.table().values()
    return [row for row in cleaned if Option.CLEAN_DESCRIPTORS in row.clean]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.keyword or hex(row.tag))
def test_each_of_the_139_rows_is_cleaned_as_its_kind_is(row: profile.Row) -> None:
    """Text by its words; sequences item by item; bytes and what has no VR as the profile says."""
    decided = {
        vr: Policy(CLEANING).decide(row.tag, vr, None).action
        for vr in ("LO", "ST", "UT", "CS", "SQ", "OB", "UN", "PN", "DA")
    }
    basic = {
        vr: Policy(replace(CLEANING, options=frozenset())).decide(row.tag, vr, None).action
        for vr in decided
    }
    expected = dict(basic)
    if row.vr == "SQ":
        expected["SQ"] = Action.KEEP
    elif row.vr == "CS":
        expected["CS"] = Action.CLEAN
    elif row.vr != "OB":
        expected |= dict.fromkeys(("LO", "ST", "UT"), Action.CLEAN)

    assert expected == decided


def test_there_are_139_of_them() -> None:
    """122 text, 5 sequences, 2 of bytes, a code string and 9 that the dictionary does not know."""
    kinds = [row.vr for row in rows()]

    assert 139 == len(kinds)
    assert (5, 2, 1, 9) == tuple(kinds.count(vr) for vr in ("SQ", "OB", "CS", ""))


@pytest.mark.parametrize(
    ("keyword", "value", "left"),
    [
        ("SeriesDescription", "CT thorax", "CT thorax"),
        ("SeriesDescription", "CT thorax Quisling", "CT thorax"),
        ("SeriesDescription", "Quisling", None),  # X
        ("ContrastBolusAgent", "Quisling", ""),  # Z/D, type 2 in a CT
        ("RequestedProcedureDescription", "Quisling", None),  # X/Z, unknown to a CT
        ("StructureSetLabel", "Quisling", "a dummy"),  # D
        ("TreatmentSites", ["lung", "Quisling", "left neck"], ["lung", "", "left neck"]),
        ("TreatmentSites", ["Quisling", "Marjolein"], None),
        ("ImageComments", "AX LUNG\r\nafter contrast", "AX LUNG\r\nafter contrast"),
    ],
)
def test_what_is_left_or_what_the_profile_says(keyword: str, value: object, left: object) -> None:
    """Where nothing is left of a text the profile's own action is done: gone, empty or a dummy."""
    found = out(CLEANING, **{keyword: value})
    element = found.get(keyword)

    if left == "a dummy":
        assert element not in {None, "", value}
    elif not left:
        assert ((left == ""), None) == (keyword in found, element)
    else:
        assert left == (list(element) if isinstance(left, list) else element)


def test_sequences_stay_and_are_cleaned_inside() -> None:
    """A description in a request is cleaned, its numbers go, its codes stay."""
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "DCM", "Chest"
    item.RequestedProcedureDescription = "CT thorax Quisling"
    item.RequestedProcedureID = "4711"
    item.ReasonForRequestedProcedureCodeSequence = Sequence([code])

    found = out(CLEANING, RequestAttributesSequence=Sequence([item])).RequestAttributesSequence[0]

    assert "CT thorax" == found.RequestedProcedureDescription
    assert not found.get("RequestedProcedureID")
    assert "Chest" == found.ReasonForRequestedProcedureCodeSequence[0].CodeMeaning


@pytest.mark.parametrize(
    "element",
    [
        raw("LO", b"\xff\xfe\x80a"),
        raw("LO", b"CT\x07 "),
        raw("LO", b"CT" * 33),
        raw("PN", b"CT"),
        raw("OB", b"CT"),
    ],
    ids=["a charset that lies", "a bell", "too long", "a name", "bytes"],
)
def test_what_cannot_be_read_goes(element: RawDataElement) -> None:
    """It is not cleaned by guess."""
    source = header(SpecificCharacterSet="ISO_IR 192")
    source._dict[Tag("SeriesDescription")] = element

    found, own = run(CLEANING, source)

    assert "SeriesDescription" not in found.headers[0]._dataset
    assert own is not None
    reported = {one.field for one in own.residue()}
    assert reported <= {"SeriesDescription"}


def test_every_value_is_reported_as_often_as_it_is_there() -> None:
    """Field, value, what is left, by which rules, how often; and nothing that stays."""
    headers = [
        header(
            SeriesDescription="CT thorax Quisling 12.03.2019",
            InstanceNumber=n,
            StudyDescription="CT",
        )
        for n in range(3)
    ]
    source = [pydicom.dcmread(_file(one)) for one in headers]

    _, own = run(CLEANING, *source)

    assert own is not None
    (one,) = own.residue()
    assert ("SeriesDescription", "CT thorax Quisling 12.03.2019", "CT thorax", 3) == (
        one.field,
        one.value,
        one.left,
        one.count,
    )
    assert {"known name": 1, "date": 1} == dict(one.rules)
    assert "Quisling" not in repr(own) + repr(one) + str(one)


def _file(dataset: Dataset) -> io.BytesIO:
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    buffer.seek(0)
    return buffer


def test_what_passed_as_it_was_is_said_to_be_kept() -> None:
    """So that a comment that cleans to itself is no trace of anyone."""
    series, _ = run(CLEANING, header(ImageComments="AX LUNG", StudyComments="AX Quisling"))

    assert "ImageComments" in series.kept
    assert "StudyComments" not in series.kept


@pytest.mark.parametrize(
    ("unlisted", "left"),
    [
        (Unlisted.BY_RULE, None),
        (Unlisted.CLEAN, "lung"),
        (Unlisted.KEEP, "Quisling lung"),
    ],
)
def test_text_outside_the_table(unlisted: Unlisted, left: str | None) -> None:
    """It goes, is cleaned or kept where the recipe says so; the technical list stays."""
    recipe = Recipe("t", Basis.GDPR_PSEUDONYMISED, unlisted=unlisted)

    found = out(recipe, PulserNotes="Quisling lung", ConvolutionKernel="B60f Zorb")

    assert left == found.get("PulserNotes")
    assert "B60f Zorb" == found.ConvolutionKernel
    assert "SeriesDescription" not in out(recipe, SeriesDescription="CT")


def test_a_rule_cleans_a_single_attribute() -> None:
    """With or without the option; where nothing is left it goes."""
    recipe = Recipe(
        "t",
        Basis.GDPR_PSEUDONYMISED,
        rules=(rule("StudyDescription", Action.CLEAN), rule("ConvolutionKernel", Action.CLEAN)),
    )

    found = out(
        recipe, StudyDescription="CT Quisling", ConvolutionKernel="Zorb", SeriesDescription="CT"
    )

    assert "CT" == found.StudyDescription
    assert "ConvolutionKernel" not in found
    assert "SeriesDescription" not in found


def test_a_rule_goes_before_the_option() -> None:
    """Kept raw, or gone."""
    kept = replace(CLEANING, rules=(rule("SeriesDescription", Action.KEEP),))
    gone = replace(CLEANING, rules=(rule("SeriesDescription", Action.REMOVE),))

    assert "Zorb" == out(kept, SeriesDescription="Zorb").SeriesDescription
    assert "SeriesDescription" not in out(gone, SeriesDescription="CT")


def test_cleaned_text_is_written_as_utf_8() -> None:
    """Whatever the source's character set."""
    source = header(SpecificCharacterSet="ISO_IR 100", SeriesDescription="Hüfte Quisling nativ")

    found = run(CLEANING, pydicom.dcmread(_file(source)))[0].headers[0]._dataset

    assert isinstance(found["SeriesDescription"], DataElement)
    assert "Hüfte nativ" == found.SeriesDescription
    assert "ISO_IR 192" == found.SpecificCharacterSet


def test_what_is_known_is_gathered_without_a_trace() -> None:
    """What is raw stays raw: the walk judges the bytes of the file, and passes them on."""
    item = Dataset()
    item.RequestedProcedureDescription = "CT Quisling"
    source = pydicom.dcmread(_file(header(RequestAttributesSequence=Sequence([item]))))
    before = {tag: type(element) for tag, element in source._dict.items()}
    task = Task(0, "k", WHO, "1.2.3", "1.2.3.5", "1.2.840.10008.5.1.4.1.1.2", "CT", ())

    own = cleaner_for([source], task, CLEANING)

    assert own is not None
    assert "CT" == own.clean("CT Quisling").left
    assert before == {tag: type(element) for tag, element in source._dict.items()}
    assert RawDataElement in before.values()
