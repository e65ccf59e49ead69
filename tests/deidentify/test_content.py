"""Trees of content: under clean-structured-content they stay, valid, and hold nobody."""

from __future__ import annotations

import io

import pydicom
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.model import Facts, FileRef, Person, SourceInstance, SourceSeries, Task
from cohortkit.recipe.model import Basis, Option, Recipe
from cohortkit.traces import patterns
from cohortkit.traces.spellings import ORDINARY, fold

KEY = Keyed("content", bytes(range(32)))
FILE = FileRef("x", 1, 1, "x")
SR = "1.2.840.10008.5.1.4.1.1.88.33"
TREES = Option.CLEAN_STRUCTURED_CONTENT
SHIFTED = Option.RETAIN_MODIFIED_DATES
CHARACTER = Option.RETAIN_PATIENT_CHARACTERISTICS
VALUE_OF = {
    "TEXT": "TextValue", "PNAME": "PersonName", "DATE": "Date", "DATETIME": "DateTime",
    "TIME": "Time", "UIDREF": "UID", "CODE": "ConceptCodeSequence", "NUM": "MeasuredValueSequence",
    "CONTAINER": "ContinuityOfContent", "IMAGE": "ReferencedSOPSequence",
}  # fmt: skip


def code(value: str, meaning: str = "x", scheme: str = "DCM") -> Dataset:
    """An entry of a coding scheme."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def content(kind: str, value: object, concept: str = "99", *inner: Dataset) -> Dataset:
    """A content item of a value type, and those below it."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", kind
    item.ConceptNameCodeSequence = Sequence([code(concept)])
    if kind == "NUM":
        measured = Dataset()
        measured.NumericValue = value
        measured.MeasurementUnitsCodeSequence = Sequence([code("a", "year", "UCUM")])
        value = Sequence([measured])
    if kind == "CODE":
        value = Sequence([value])
    setattr(item, VALUE_OF[kind], value)
    if inner:
        item.ContentSequence = Sequence(inner)
    return item


def report(*items: Dataset, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """A report of one patient, as it is read from a file."""
    root = content("CONTAINER", "SEPARATE", "126000", *items)
    root.SOPClassUID, root.SOPInstanceUID, root.Modality = SR, "1.2.3.9", "SR"
    root.StudyInstanceUID, root.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    root.PatientID, root.PatientName, root.PatientBirthDate = (
        "007421",
        "Mercator^Gerard",
        "19520305",
    )
    root.ReferringPhysicianName, root.StudyDate = "Ortelius^Abraham", "20200101"
    root.file_meta = FileMetaDataset()
    root.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    pydicom.dcmwrite(
        file,
        root,
        enforce_file_format=False,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=True,
    )
    file.seek(0)
    return pydicom.dcmread(file, force=True)


def released(source: Dataset, *options: Option, over_89: bool | None = False) -> Dataset:
    """What leaves of it."""
    recipe = Recipe(name="t", basis=Basis.EXPERT_DETERMINATION, options=frozenset(options))
    person = Person("", "007421")
    task = Task(0, "k", person, "1.2.3.1", "1.2.3.2", SR, "SR", (), over_89=over_89)
    series = SourceSeries(person, (SourceInstance(source, None, FILE),), Facts(instances=()))
    return deidentify(series, task, recipe, KEY).headers[0]._dataset


def items(tree: Dataset) -> list[Dataset]:
    """Every content item of a tree, from the top."""
    return [tree, *(one for item in tree.get("ContentSequence", ()) for one in items(item))]


def shape(tree: Dataset) -> list[object]:
    """Value types and relationships of a tree, by place: what references go by."""
    below: list[object] = [shape(item) for item in tree.get("ContentSequence", ())]
    return [tree.get("ValueType"), tree.get("RelationshipType"), below]


def planted() -> list[Dataset]:
    """Identity in every type of content item, three levels down."""
    return [
        content("CONTAINER", "SEPARATE", "121111",
                content("CONTAINER", "CONTINUOUS", "121112",
                        content("PNAME", "Mercator^Gerard", "121029"),
                        content("TEXT", "Seen by Dr. Ortelius, MRN 007421, on 1 January 2020"),
                        content("TEXT", "007421", "121030"),
                        content("DATE", "19520305", "121031"),
                        content("DATETIME", "20200101101112"),
                        content("TIME", "101112"),
                        content("UIDREF", "1.2.840.99.7.8"),
                        content("NUM", "67", "121033"),
                        content("CODE", code("M", "Male"), "121032"),
                        content("NUM", "4.25", "G-A22A"),
                        content("TEXT", "normal liver"))),
    ]  # fmt: skip


MARKERS = ("Mercator", "Ortelius", "007421", "19520305", "20200101", "1.2.840.99.7.8", "101112")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("more", [(), (SHIFTED,), (CHARACTER,), (SHIFTED, CHARACTER)])
def test_a_tree_stays_whole_and_holds_nobody(syntax: str, more: tuple[Option, ...]) -> None:
    """The same items in the same places, each with a value of its type, and nothing planted."""
    source = report(*planted(), syntax=syntax)
    tree = released(source, TREES, *more)

    assert shape(source) == shape(tree)
    for item in items(tree):
        assert VALUE_OF[item.ValueType] in item
        if item.ValueType not in ("NUM", "CONTAINER"):
            assert item[VALUE_OF[item.ValueType]].value
    shown = str(tree)
    clock = {"101112"} if SHIFTED in more else set()
    assert clock == {marker for marker in MARKERS if marker in shown}
    assert "normal liver" in shown
    assert "4.25" in shown


def test_without_the_option_the_tree_goes() -> None:
    """The profile's D: one item that means nothing."""
    tree = released(report(*planted()))
    (item,) = tree.ContentSequence
    assert ("TEXT", "REMOVED") == (item.ValueType, item.TextValue)
    assert ["113100"] == [one.CodeValue for one in tree.DeidentificationMethodCodeSequence]


def test_the_option_is_claimed() -> None:
    """113104 beside the profile, also with other options."""
    tree = released(report(), TREES, SHIFTED)
    codes = [one.CodeValue for one in tree.DeidentificationMethodCodeSequence]
    assert ["113100", "113104", "113107"] == codes


@pytest.mark.parametrize(
    ("options", "over_89", "age", "expected"),
    [
        ((), False, "67", None),
        ((CHARACTER,), False, "67", "67"),
        ((CHARACTER,), True, "67", None),
        ((CHARACTER,), None, "67", None),
        ((CHARACTER,), False, "93", None),
        ((CHARACTER, Option.RETAIN_FULL_DATES), False, "67", None),
    ],
)
def test_an_age_in_a_tree_goes_as_the_age_of_the_header(
    options: tuple[Option, ...],
    over_89: bool | None,  # noqa: FBT001 - a row
    age: str,
    expected: str | None,
) -> None:
    """It stays below 90 only, under the option that keeps ages, and not beside true dates."""
    tree = released(report(content("NUM", age, "121033")), TREES, *options, over_89=over_89)
    (item,) = tree.ContentSequence
    found = [str(one.NumericValue) for one in item.MeasuredValueSequence]
    assert ([] if expected is None else [expected]) == found


@pytest.mark.parametrize("dates", [SHIFTED, Option.RETAIN_FULL_DATES])
def test_a_birth_date_in_a_tree_is_never_kept_nor_shifted(dates: Option) -> None:
    """Whatever option keeps dates; other dates stay as the option has it."""
    source = report(content("DATE", "19520305", "121031"), content("DATE", "20200101"))
    born, seen = released(source, TREES, dates).ContentSequence
    assert "19000101" == born.Date
    assert (dates is Option.RETAIN_FULL_DATES) is (seen.Date == "20200101")


@pytest.mark.parametrize("meaning", ["Date of Birth", "Patient DOB", "Geburtsdatum", "birthdate"])
def test_a_birth_date_by_a_local_code_is_one_too(meaning: str) -> None:
    """What a scheme of its own calls a birth is a birth, as a number too; a weight at one stays."""
    born, number, weight = (
        content("DATE", "19520305"),
        content("NUM", "1952"),
        content("NUM", "3.1"),
    )
    for item in (born, number):
        item.ConceptNameCodeSequence = Sequence([code("L1", meaning, "99LOCAL")])
    weight.ConceptNameCodeSequence = Sequence([code("L1", f"{meaning}: weight", "99LOCAL")])
    first, second, third = released(report(born, number, weight), TREES, SHIFTED).ContentSequence
    assert "19000101" == first.Date
    assert [] == list(second.MeasuredValueSequence)
    assert "3.1" == str(third.MeasuredValueSequence[0].NumericValue)


@pytest.mark.parametrize("meaning", ["Dr. Huber: born", "Tel. 0351 4582", "Alter: 95 Jahre"])
def test_what_is_called_by_something_told_says_nothing(meaning: str) -> None:
    """The concept's meaning goes, and with it all that would tell what the value is."""
    told, plain = content("DATE", "19520305"), content("NUM", "12")
    told.ConceptNameCodeSequence = Sequence([code("L1", meaning, "99LOCAL")])
    number = content("NUM", "95")
    number.ConceptNameCodeSequence = Sequence([code("L1", meaning, "99LOCAL")])
    first, second, third = released(report(told, number, plain), TREES, SHIFTED).ContentSequence
    assert "19000101" == first.Date
    assert [] == list(second.MeasuredValueSequence)
    assert "12" == str(third.MeasuredValueSequence[0].NumericValue)


@pytest.mark.parametrize("meaning", ["Age", "Patient's Age", "Alter"])
def test_an_age_by_a_local_code_is_one_too(meaning: str) -> None:
    """It goes where the header's goes; the age of something else stays."""
    age, other = content("NUM", "67"), content("NUM", "12")
    age.ConceptNameCodeSequence = Sequence([code("L2", meaning, "99LOCAL")])
    other.ConceptNameCodeSequence = Sequence([code("L3", "Gestational age", "99LOCAL")])
    first, second = released(report(age, other), TREES).ContentSequence
    assert [] == list(first.MeasuredValueSequence)
    assert "12" == str(second.MeasuredValueSequence[0].NumericValue)


@given(st.text(st.characters(min_codepoint=65, max_codepoint=122), min_size=6, max_size=20))
def test_no_name_of_the_patient_survives_in_a_text(name: str) -> None:
    """Whatever the patient is called, but for a word of the trade: alone that names nobody."""
    name = name.replace("\\", "x").replace("^", "x").replace("=", "x")
    assume(fold(name) not in ORDINARY | patterns._keywords())
    source = report(content("TEXT", f"{name}: normal liver"), content("PNAME", name))
    source.PatientName = name
    texts = released(source, TREES).ContentSequence
    assert name not in texts[0].TextValue
    assert "REMOVED" == texts[1].PersonName


def test_graphics_stay_without_their_words() -> None:
    """113103: shapes and their places stay; texts are dummies, or cleaned with descriptors."""
    text, shape_, note = Dataset(), Dataset(), Dataset()
    text.UnformattedTextValue, text.AnchorPoint = "Mercator: normal liver", [1.0, 2.0]
    shape_.GraphicType, shape_.GraphicData = "POLYLINE", [1.0, 2.0, 3.0, 4.0]
    note.GraphicLayer = "LAYER1"
    note.TextObjectSequence, note.GraphicObjectSequence = Sequence([text]), Sequence([shape_])
    source = report()
    source.GraphicAnnotationSequence = Sequence([note])

    gone = released(source)
    kept = released(source, Option.CLEAN_GRAPHICS)
    cleaned = released(source, Option.CLEAN_GRAPHICS, Option.CLEAN_DESCRIPTORS)

    assert "REMOVED" == gone.GraphicAnnotationSequence[0].GraphicLayer
    (item,) = kept.GraphicAnnotationSequence
    assert [1.0, 2.0, 3.0, 4.0] == list(item.GraphicObjectSequence[0].GraphicData)
    assert "REMOVED" == item.TextObjectSequence[0].UnformattedTextValue
    (item,) = cleaned.GraphicAnnotationSequence
    left = item.TextObjectSequence[0].UnformattedTextValue
    assert "Mercator" not in left
    assert "normal liver" in left
    assert {"113100", "113103"} == {c.CodeValue for c in kept.DeidentificationMethodCodeSequence}


def called(
    kind: str, value: object, meaning: str, number: str = "X1", scheme: str = "99X"
) -> Dataset:
    """A content item by what a site calls it."""
    item = content(kind, value)
    item.ConceptNameCodeSequence = Sequence([code(number, meaning, scheme)])
    if kind == "NUM" and "ear" not in meaning:
        units = code("1", "no units", "UCUM")
        item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = Sequence([units])
    return item


def number_of(item: Dataset) -> str | None:
    """What is left of a number."""
    there = item.MeasuredValueSequence
    return str(there[0].NumericValue) if there else None


AGED = [
    "Age (years)", "Patient age at exam", "Age at Study", "Pat. Age", "AGE:",
    "Alter bei Untersuchung",
    "Age in months", "Patientenalter", "edad del paciente",
]  # fmt: skip


@pytest.mark.parametrize("meaning", AGED)
def test_an_age_goes_whatever_a_site_calls_it(meaning: str) -> None:
    """From 90 on, of who is over 89, and where ages go; below it stays where ages stay."""
    for value, options, over_89, left in (
        ("94", (TREES, CHARACTER), False, None),
        ("1130", (TREES, CHARACTER), False, None),
        ("44", (TREES, CHARACTER), True, None),
        ("44", (TREES,), False, None),
        ("44", (TREES, CHARACTER), False, "44"),
    ):
        new = released(report(called("NUM", value, meaning)), *options, over_89=over_89)

        assert left == number_of(items(new)[1])


@pytest.mark.parametrize(
    ("meaning", "value"),
    [
        ("Year of birth", "1923"), ("Birth year", "1923"), ("Jahrgang", "1923"),
        ("Patient ID", "19231"),
        ("Patient number", "4711"), ("MRN", "4711"), ("Patientennummer", "4711"),
        ("Case no.", "4711"),
        ("Years", "94"),
    ],
)  # fmt: skip
def test_a_birth_year_and_a_number_of_the_patient_go(meaning: str, value: str) -> None:
    """As numbers, too; and 90 years and more of whatever."""
    new = released(report(called("NUM", value, meaning)), TREES, CHARACTER)

    assert None is number_of(items(new)[1])


@pytest.mark.parametrize(
    ("meaning", "value"),
    [
        ("Birth weight", "3200"), ("Gestational age", "39"), ("Bone age", "12"),
        ("Number of lesions", "3"),
        ("Mean CTDIvol", "12.5"), ("Average dose", "97"), ("Image number", "97"),
        ("Percentage", "97"),
        ("Series number", "97"), ("Years of smoking", "30"),
    ],
)  # fmt: skip
def test_other_numbers_stay(meaning: str, value: str) -> None:
    """Measures, counts, what is called an age and is none of the patient."""
    new = released(report(called("NUM", value, meaning)), TREES, CHARACTER)

    assert value == number_of(items(new)[1])


@pytest.mark.parametrize(
    ("number", "meaning"),
    [
        ("121028", "Institution"), ("113878", "Person"), ("121014", "Device Observer Name"),
        ("121013", "x"), ("X", "Radiologist"), ("X", "Befundender Arzt"), ("X", "Ward"),
    ],
)  # fmt: skip
def test_a_code_of_a_site_for_who_or_where_goes(number: str, meaning: str) -> None:
    """A code of a scheme that everybody uses names nobody, and stays."""
    own = called("CODE", code("WK1", "Wackernagel, Emil", "99KIS"), meaning, number, "DCM")
    role = called("CODE", code("121094", "Performing", "DCM"), meaning, number, "DCM")
    other = called("CODE", code("L1", "solid", "99KIS"), "Texture")
    first, second, third = released(report(own, role, other), TREES).ContentSequence

    assert "Emil" not in str(first.ConceptCodeSequence)
    assert "WK1" not in str(first.ConceptCodeSequence)
    assert "Performing" == second.ConceptCodeSequence[0].CodeMeaning
    assert "solid" == third.ConceptCodeSequence[0].CodeMeaning


@pytest.mark.parametrize("asked", ["Dictated by", "Wohnort", "Next of kin", "x"])
@pytest.mark.parametrize("said", ["Dr. Marta Hofmann", "Wackernagel, Emil", "Ottilienberg"])
def test_a_site_s_own_code_that_is_called_as_people_are_goes(asked: str, said: str) -> None:
    """Whatever the item asks: nobody can list all words for who and where."""
    item = called("CODE", code("B9", said, "99KIS"), asked, "L1", "99KIS")

    (new,) = released(report(item), TREES).ContentSequence

    assert ["REMOVED"] == [one.CodeMeaning for one in new.ConceptCodeSequence]


@pytest.mark.parametrize(
    ("said", "scheme", "asked_by"),
    [
        ("solid", "99KIS", "99KIS"),
        ("CT Thorax", "99KIS", "99KIS"),
        ("Adenocarcinoma", "SCT", "99KIS"),
        ("Adenokarzinom", "99KIS", "SCT"),
    ],
)
def test_other_codes_stay(said: str, scheme: str, asked_by: str) -> None:
    """Words of the trade, small letters, a scheme that everybody uses, a concept of one."""
    item = called("CODE", code("B9", said, scheme), "Texture", "L1", asked_by)

    (new,) = released(report(item), TREES).ContentSequence

    assert said == new.ConceptCodeSequence[0].CodeMeaning


@pytest.mark.parametrize(
    ("value", "unit", "scheme", "stays"),
    [
        ("5551234", "1", "99KIS", False),
        ("81241", "{none}", "99KIS", False),
        ("1953", "", "99KIS", False),
        ("345", "1", "99KIS", True),
        ("12345.5", "1", "99KIS", True),
        ("81241", "mm3", "99KIS", True),
        ("81241", "1", "LN", True),
    ],
)
def test_a_long_number_without_a_unit_is_anybodys(
    value: str,
    unit: str,
    scheme: str,
    stays: bool,  # noqa: FBT001 - a table
) -> None:
    """Under a concept that a site has made; scores, fractions and measures stay."""
    item = called("NUM", value, "Score", "L1", scheme)
    item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = Sequence([code(unit, "x", "UCUM")])

    (new,) = released(report(item), TREES, CHARACTER).ContentSequence

    assert stays == (value == number_of(new))
