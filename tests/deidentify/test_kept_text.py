"""Technical text stays as it is, but for what tells of somebody or names who is named here."""

from __future__ import annotations

import pydicom
import pydicom.sr._concepts_dict as standard
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.deidentify.text.kept import Text, tells, text_of
from cohortkit.model import (
    Facts,
    FileRef,
    Person,
    ReleasedHeader,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe import profile
from cohortkit.recipe.model import Action, Attribute, Basis, Recipe, Rule
from cohortkit.traces.own import own_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("kept", bytes(range(32)))
STRICT = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)
WORD = "REMOVED"
CT = "1.2.840.10008.5.1.4.1.1.2"


def header(**values: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = CT, "1.2.3.4", "CT"
    dataset.BodyPartExamined, dataset.PatientID = "CHEST", "0007"
    dataset.PatientName = "Dvořák^Jan"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in values.items():
        vr = pydicom.datadict.dictionary_VR(Tag(keyword))
        dataset[keyword] = DataElement(Tag(keyword), vr, value, validation_mode=0)
    return dataset


def out(
    *headers: Dataset, recipe: Recipe = STRICT, known: tuple[tuple[str, str], ...] = ()
) -> ReleasedHeader:
    who = Person("", "0007")
    task = Task(0, "k", who, "1.2.3", "1.2.3.5", CT, "CT", (), known=known)
    instances = tuple(SourceInstance(one, None, FileRef("x", 1, 1, "x")) for one in headers)
    source = SourceSeries(who, instances, Facts(instances=()))
    return deidentify(source, task, recipe, KEY).headers[-1]


def code(meaning: str, value: str = "1") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "99X", meaning
    return Sequence([item])


TOLD = [
    "Herr Müller, geb. 12.03.1923, Tel. 0351 4582", "geb. 12.03.1923", "12.03.1923", "1923-03-12",
    "Tel. 0351 4582", "0351 4582117", "(0351) 4582", "91 123 45 67", "22 123 45 67", "555 1234",
    "8 495 123 45 67", "555-867-5309", "Mueller^Hans", "Dr. Wackernagel", "Frau Meier",
    "095Y", "040Y", "age 095Y", "aged 95", "97 years", "95-year-old", "MRN 00471113", "471113",
    "a.meier@klinik.example", "Hauptstr. 12", "123-45-6789", "born in May", "nacido 1923",
    "1.2.276.0.7230010.3.1.4.12345",
]  # fmt: skip
ORDINARY = [
    "HU", "US", "OD_REL", "SOMATOM Definition AS+", "Precision 500D", "CADstream 6.0.1.933",
    "Senographe Essential VERSION ADS_53.10.10", "git@github.com:QIICR/dcmqi.git",
    "https://github.com/QIICR/dcmqi.git", "B30f", "*tfl3d1_16ns", "HE1-4;NE1,2",
    "In-Stack Position", "T1 (Sagittal)", "5 mm", "^113m^Indium", "Effective Dose 2007",
    "CR/DR Mechanical Configuration",
    "120 kV", "R-00339", "1.5T", "ISO_10918_1", "MONOCHROME2", "IM00001D", "Lung 5.0 B70f",
]  # fmt: skip


@pytest.mark.parametrize("text", TOLD)
def test_a_term_that_tells_of_somebody_gives_its_place_to_a_word(text: str) -> None:
    """Whoever it is of: these headers name another. At the top and in items alike."""
    one = header(RescaleType=text, AnatomicRegionSequence=code(f"x {text}"))
    left = out(one)
    assert left.get("RescaleType") is None  # a dummy is no value
    assert WORD == left._dataset.RescaleType
    item = left._dataset.AnatomicRegionSequence[0]
    assert (WORD, "1") == (item.CodeMeaning, item.CodeValue)


@pytest.mark.parametrize("text", ORDINARY)
def test_a_term_of_the_trade_stays(text: str) -> None:
    """Models, versions, kernels, isotopes, where programs come from."""
    assert text == out(header(ManufacturerModelName=text)).get("ManufacturerModelName")


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("SoftwareVersions", "2.1.0.515__Ultrasound--[2011/04/27]-07:23:23"),
        ("SoftwareVersions", "51.80.108.010"), ("ApplicationVersion", "5.3.0.3"),
        ("CodeValue", "1004163002"), ("CodeValue", "19041007"), ("CodeValue", "5.10.2.1-3"),
        ("LongCodeValue", "123456789012345678"), ("CodeValue", "12345-6"),
    ],
)  # fmt: skip
def test_versions_have_days_and_codes_are_numbers(keyword: str, text: str) -> None:
    """What nobody could tell from a day or a number is not asked of them."""
    assert text == out(header(**{keyword: text}))._dataset[keyword].value


@pytest.mark.parametrize("keyword", ["SoftwareVersions", "CodeValue", "LongCodeValue"])
@pytest.mark.parametrize("text", ["Tel. 0351 4582", "Mueller^Hans", "Dr. Wackernagel", "dob 1923"])
def test_but_they_reach_and_name_nobody(keyword: str, text: str) -> None:
    """A telephone is no version."""
    assert WORD == out(header(**{keyword: text}))._dataset[keyword].value


@pytest.mark.parametrize("text", ["095Y", "19230312", "0351 4582", "HERR MUELLER", "00471113"])
def test_a_code_string_is_judged_member_by_member(text: str) -> None:
    """The others keep their places."""
    left = out(header(ImageType=["ORIGINAL", "PRIMARY", text]))
    assert ["ORIGINAL", "PRIMARY", WORD] == list(left._dataset.ImageType)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dvořák^Jan", "Dvorakova"), ("Dvořák^Jan", "Dvořákovi"), ("Dvořáková^Eva", "DVORAK"),
        ("Novák^Jan", "Novakova"), ("Nováková^Jana", "novak"), ("Kowalska^Anna", "Kowalskiego"),
        ("Kowalski^Jan", "Kowalska"), ("Novotná^Eva", "Novotny"), ("Novotný^Jan", "Novotneho"),
        ("Straus^Leo", "Strausx"), ("Strauss^Leo", "Strausx"), ("Wackernagel^Leo", "Wackernag"),
        ("Wackernagel^Leo", "for Wackernagels"), ("Müller^Leo", "MUELLERS"),
        ("Petrov^Ivan", "Petrovna"), ("Kuznetsov^Ivan", "Кузнецова"),
    ],
)  # fmt: skip
def test_a_name_of_these_headers_does_not_stay_in_another_form(name: str, text: str) -> None:
    """Bent, of the husband or the wife, glued, cut off, with a letter more or another one."""
    left = out(header(PatientName=name, RescaleType=text, ManufacturerModelName="Optima CT660"))
    assert WORD == left._dataset.RescaleType
    assert "Optima CT660" == left.get("ManufacturerModelName")
    told = out(header(RescaleType=text), known=(("OtherPatientNames", name),))
    assert WORD == told._dataset.RescaleType


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Philip^Leo", "Philips Medical Systems"), ("Siemen^Leo", "SIEMENS"),
        ("Prim^Leo", "PRIMARY"),
        ("Head^Ima", "HEAD_SCAN"), ("Marina^Ana", "Marker"), ("Lu^Wei", "LUNG"),
    ],
)  # fmt: skip
def test_words_of_the_trade_and_makers_are_no_form_of_a_name(name: str, text: str) -> None:
    """Else a patient would take the maker out of every file."""
    assert text == out(header(PatientName=name, Manufacturer=text)).get("Manufacturer")


def test_a_physician_and_a_later_header_count_too() -> None:
    """The names are those of the whole series."""
    first = header(RescaleType="Okonkwos", ReferringPhysicianName="Adams^Ann")
    second = header(RescaleType="Adamss", ReferringPhysicianName="Okonkwo^Obi")
    assert WORD == out(second, first)._dataset.RescaleType
    assert WORD == out(first, second)._dataset.RescaleType


def test_every_name_of_several_counts_and_what_is_no_name_is_no_fault() -> None:
    """As bytes of a file or as pydicom has them; also where the file calls it a sequence."""
    for names in (["Adams^Ann", "Okonkwo^Obi"], b"Adams^Ann\\Okonkwo^Obi"):
        one = header(RescaleType="Okonkwos")
        one[Tag("OperatorsName")] = DataElement(
            Tag("OperatorsName"), "PN", names, validation_mode=0, already_converted=True
        )
        assert WORD == out(one)._dataset.RescaleType
    odd = header(RescaleType="HU")
    odd[Tag("OperatorsName")] = DataElement(Tag("OperatorsName"), "SQ", Sequence([Dataset()]))
    assert "HU" == out(odd).get("RescaleType")


def test_what_a_rule_keeps_is_as_it_is() -> None:
    """Who signs the recipe has said so by name."""
    tag = int(Tag("RescaleType"))
    kept = Rule(Attribute(tag, "RescaleType"), Action.KEEP, "asked for")
    said = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED, rules=(kept,))
    assert "Tel. 0351 4582" == out(header(RescaleType="Tel. 0351 4582"), recipe=said).get(
        "RescaleType"
    )


def test_meanings_and_codes_of_the_standard_stay_but_for_one_in_a_thousand() -> None:
    """Of PS3.16, SNOMED CT, LOINC and the rest that pydicom lists."""
    entries = [
        (value, meaning[0])
        for scheme in standard.concepts.values()
        for codes in scheme.values()
        for value, meaning in codes.items()
    ]
    meanings, values = {one for _, one in entries}, {one for one, _ in entries}
    assert 10_000 < len(meanings)
    assert 1000 * sum(tells(one, Text.TERM) for one in meanings) < len(meanings)
    assert 1000 * sum(tells(one, Text.CODE) for one in values) < len(values)


def test_every_technical_text_is_judged() -> None:
    """As a term where nothing says that it is a version or a code."""
    for keyword in profile.technical():
        assert text_of(keyword, "LO") is not None
    assert (None, Text.TERM) == (text_of("StudyDescription", "LO"), text_of("", "CS"))


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str) -> None:
    """Input is from strangers; what is long is no technical text."""
    assert tells(f"{text} a.meier@klinik.example", Text.CODE)
    assert tells(text + "x" * 600, Text.VERSION)
    assert own_of((("PatientName", text),)).bent("zzzzzzzz") in {True, False}
