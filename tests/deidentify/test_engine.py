"""The engine on single questions: who, UIDs, dates, ages, dummies, claims, labels, refusals."""

from __future__ import annotations

import datetime as dt
import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.errors import Refusal
from cohortkit.model import (
    DeidentifiedSeries,
    Facts,
    FileRef,
    Person,
    Reason,
    ReleasedHeader,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe.model import (
    Action,
    Attribute,
    Basis,
    DatePolicy,
    EveryVR,
    Label,
    LabelType,
    Option,
    PrivateElement,
    Recipe,
    Rule,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("engine", bytes(range(32)))
FILE = FileRef("x", 1, 1, "x")
SHIFTED = Option.RETAIN_MODIFIED_DATES
SAFE_PRIVATE = (0x0043, "GEMS_PARM_01", 0x39)  # b values; in Table E.3.10-1


def said(*options: Option, **more: Any) -> Recipe:  # noqa: ANN401 - any field of a recipe
    return Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED, options=frozenset(options), **more)


def rule(target: str | PrivateElement, action: Action) -> Rule:
    if isinstance(target, str):
        return Rule(Attribute(int(Tag(target)), target), action, "asked for")
    return Rule(target, action, "asked for")


def header(**values: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "CT"
    dataset.BodyPartExamined = "CHEST"
    dataset.PatientID = "0007"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def series(*headers: Dataset, person: Person | None = None) -> tuple[SourceSeries, Task]:
    who = person or Person("", "0007")
    instances = tuple(SourceInstance(one, None, FILE) for one in headers)
    task = Task(0, "k", who, "1.2.3", "1.2.3.5", "1.2.840.10008.5.1.4.1.1.2", "CT", ())
    return SourceSeries(who, instances, Facts(instances=())), task


def run(recipe: Recipe, *headers: Dataset, **more: Any) -> DeidentifiedSeries:  # noqa: ANN401 - any field of a task
    source, task = series(*headers)
    return deidentify(source, replace(task, **more), recipe, KEY)


def out(recipe: Recipe, *, over_89: bool = False, **values: object) -> ReleasedHeader:
    return run(recipe, header(**values), over_89=over_89).headers[0]


def dataset_of(released: ReleasedHeader) -> Dataset:
    return released._dataset


def shift() -> int:
    return KEY.shift(Person("", "0007"), DatePolicy().low, DatePolicy().high)


def from_file(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> Dataset:
    """The same header as it comes out of a file: raw."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def raw(keyword: str, vr: str | None, value: bytes, *, little: bool = True) -> RawDataElement:
    return RawDataElement(Tag(keyword), vr, len(value), value, 0, vr is None, little)


# ── who ──────────────────────────────────────────────────────────────────────────────────────────


def test_names_come_from_the_key() -> None:
    """Patient ID and name are the person's pseudonym; study and series have theirs."""
    result = run(said(), header(PatientName="Muster^Max"))
    pseudonym = KEY.patient(Person("", "0007"))
    assert (pseudonym, KEY.study("1.2.3"), KEY.series("1.2.3.5")) == (
        result.names.patient, result.names.study, result.names.series,
    )  # fmt: skip
    released = result.headers[0]
    assert pseudonym == released.text("PatientID") == released.text("PatientName")


@pytest.mark.parametrize("patient_id", ["", " ", "\0\0", None])
def test_no_patient_id_is_refused(patient_id: str | None) -> None:
    """Without a Patient ID there is no stable pseudonym: refused, absent or blank."""
    blank = header()
    blank.PatientID = patient_id
    absent = header()
    del absent.PatientID
    for one in (blank, absent):
        with pytest.raises(Refusal) as caught:
            run(said(), header(), one)
        assert Reason.NO_PATIENT_ID is caught.value.reason


@pytest.mark.parametrize("other", [{"PatientID": "007"}, {"IssuerOfPatientID": "B"}])
def test_two_people_in_a_series_are_refused(other: dict[str, str]) -> None:
    """007 is not 0007, and 0007 of another issuer is another person."""
    with pytest.raises(Refusal) as caught:
        run(said(), header(), header(**other))
    assert Reason.PERSON_CONFLICT is caught.value.reason
    assert "007" not in str(caught.value)


@pytest.mark.parametrize("spelling", ["0007 ", " 0007", "0007\0"])
def test_blanks_and_nul_are_the_same_person(spelling: str) -> None:
    """Padding does not make another patient."""
    one = header()
    one.PatientID = spelling
    assert KEY.patient(Person("", "0007")) == run(said(), header(), one).names.patient


def test_default_issuer_stands_in() -> None:
    """Where the issuer is absent the recipe's stands in, and it is another person than without."""
    recipe = said(default_issuer="SITE-A")
    both = run(recipe, header(), header(IssuerOfPatientID="SITE-A"))
    assert KEY.patient(Person("SITE-A", "0007")) == both.names.patient


@pytest.mark.parametrize(
    "patient_id",
    ["../../etc/passwd", "=cmd|' /C calc'!A0", "x" * 300, "Müller 山田", "Smi\\th", "Smi\0th"],
)
def test_odd_ids_become_plain_names(patient_id: str) -> None:
    """Paths, formulas, 300 characters, other scripts and NUL: a plain name, and no trace."""
    one = header(SpecificCharacterSet="ISO_IR 192")
    one.add(DataElement(0x00100020, "LO", patient_id, already_converted=True))
    source, task = series(one, person=Person("", patient_id))
    result = deidentify(source, task, said(), KEY)
    assert result.names.patient == result.headers[0].text("PatientID")
    assert patient_id.partition("\\")[0] not in repr(dataset_of(result.headers[0]))


# ── UIDs ─────────────────────────────────────────────────────────────────────────────────────────


def test_uids_are_one_graph() -> None:
    """The same UID gets the same new UID wherever it stands, with NUL, nested."""
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    item.ReferencedSOPInstanceUID = "1.2.3.4"
    released = dataset_of(out(said(), ReferencedImageSequence=Sequence([item])))
    expected = KEY.uid("1.2.3.4")
    nested = released.ReferencedImageSequence[0]
    assert expected == released.SOPInstanceUID == nested.ReferencedSOPInstanceUID
    assert nested.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"


@given(st.lists(st.text(max_size=90), min_size=1, max_size=3))
def test_any_uid_value_is_mapped(values: list[str]) -> None:
    """Malformed, over-long, multi-valued, padded: new valid UIDs, as many as there were."""
    data = "\\".join(values).encode("utf-8", "replace")
    one = header()
    one[Tag("FrameOfReferenceUID")] = raw("FrameOfReferenceUID", "UI", data)
    value = run(said(), one).headers[0].get("FrameOfReferenceUID")
    for uid in value if isinstance(value, list) else [value]:
        assert uid in {None, ""} or (str(uid).startswith("2.25.") and len(str(uid)) <= 44)


def test_registered_uids_stay() -> None:
    """SOP classes, transfer syntaxes and the well-known frame of reference are not identities."""
    for uid in ("1.2.840.10008.1.4.1.1", "1.2.840.10008.1.2.1"):
        assert uid == out(said(), FrameOfReferenceUID=uid).text("FrameOfReferenceUID")
    made_up = "1.2.840.10008.99.1"
    assert KEY.uid(made_up) == out(said(), FrameOfReferenceUID=made_up).text("FrameOfReferenceUID")


# ── dates and ages ───────────────────────────────────────────────────────────────────────────────


def test_basic_removes_dates_and_says_dummy() -> None:
    """Without an option no date of the table is left; what must have one reads as None."""
    released = out(said(), StudyDate="20200101", ContentDate="20200101", SeriesDate="20200102")
    assert [None] * 3 == [released.get(k) for k in ("StudyDate", "ContentDate", "SeriesDate")]
    assert b"2020" not in written(released)
    assert released.text("LongitudinalTemporalInformationModified") == "REMOVED"


def test_shift_moves_every_date_alike() -> None:
    """DA and DT at every depth move by the same days; times stay; the claim says MODIFIED."""
    item = Dataset()
    item.FrameAcquisitionDateTime = "20200101101112.5+0100"
    released = dataset_of(
        out(
            said(SHIFTED),
            StudyDate="20200101",
            StudyTime="101112",
            AcquisitionDateTime="202001",
            SharedFunctionalGroupsSequence=Sequence([item]),
        )
    )
    moved = (dt.date(2020, 1, 1) + dt.timedelta(days=shift())).strftime("%Y%m%d")
    assert moved == released.StudyDate
    assert released.StudyTime == "101112"
    nested = released.SharedFunctionalGroupsSequence[0].FrameAcquisitionDateTime
    assert f"{moved}101112.5+0100" == str(nested)
    assert released.LongitudinalTemporalInformationModified == "MODIFIED"


@given(
    st.text("abcdefghij0123456789", min_size=1, max_size=12),
    st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)),
    st.sampled_from([(-1825, -1), (-400, 400), (1, 800), (-365, 5)]),
)
def test_same_weekday_moves_by_whole_weeks(name: str, day: dt.date, ends: tuple[int, int]) -> None:
    """Within the range, never 0, the same for all dates of a patient; a Monday stays one."""
    recipe = said(SHIFTED, dates=DatePolicy(*ends, same_weekday=True))
    values = {"StudyDate": f"{day:%Y%m%d}", "AcquisitionDateTime": f"{day:%Y%m%d}101112"}
    person = Person("", name)
    source, task = series(header(PatientID=name, **values), person=person)
    released = dataset_of(deidentify(source, task, recipe, KEY).headers[0])
    moved = dt.datetime.strptime(released.StudyDate, "%Y%m%d").date()  # noqa: DTZ007 - a date
    assert (moved - day).days % 7 == 0
    assert moved != day
    assert ends[0] <= (moved - day).days <= ends[1]
    assert f"{moved:%Y%m%d}101112" == released.AcquisitionDateTime


@pytest.mark.parametrize("value", ["Smith", "2020-13-01", "20200101-20200202", "20200132"])
def test_malformed_dates_never_pass(value: str) -> None:
    """What stands in a date's place and is none goes, under every option about dates."""
    for option in (SHIFTED, Option.RETAIN_FULL_DATES):
        one = header()
        one.add(DataElement(0x00080020, "DA", value, already_converted=True))
        assert run(said(option), one).headers[0].get("StudyDate") is None


def test_birth_date_is_never_raw() -> None:
    """No option and no rule lets the true birth date through."""
    everything = (Option.RETAIN_FULL_DATES, Option.RETAIN_PATIENT_CHARACTERISTICS)
    keeping = said(*everything, rules=(rule("PatientBirthDate", Action.KEEP),))
    for recipe in (said(), said(SHIFTED), said(*everything), keeping):
        released = out(recipe, PatientBirthDate="19480229")
        assert released.text("PatientBirthDate") != "19480229"
        assert b"19480229" not in written(released)
    old = said(SHIFTED, rules=(rule("PatientBirthDate", Action.SHIFT),))
    assert out(old, over_89=True, PatientBirthDate="19280229").get("PatientBirthDate") is None


@pytest.mark.parametrize(
    ("age", "over_89", "expected"),
    [("045Y", False, "045Y"), ("089Y", False, "089Y"), ("090Y", False, "090Y"),
     ("103Y", False, "090Y"), ("088Y", True, "090Y"), ("007D", False, "007D"),
     ("Smith", False, None), ("", True, None)],
)  # fmt: skip
def test_ages_are_capped(age: str, expected: str | None, over_89: bool) -> None:  # noqa: FBT001 - a row
    """90 and over is 90, in every study of who reaches it; a rule that keeps cannot change that."""
    for recipe in (
        said(Option.RETAIN_PATIENT_CHARACTERISTICS),
        said(rules=(rule("PatientAge", Action.KEEP),)),
    ):
        one = header()
        one.add(DataElement(0x00101010, "AS", age, already_converted=True))
        assert expected == run(recipe, one, over_89=over_89).headers[0].get("PatientAge")
    assert out(said(), PatientAge="045Y").get("PatientAge") is None


def test_no_age_in_days_beside_true_dates() -> None:
    """Neither by the option nor by one rule that keeps one date; beside moved dates it may stay."""
    old = Option.RETAIN_PATIENT_CHARACTERISTICS
    kept = rule("StudyDate", Action.KEEP)
    for recipe in (said(old, Option.RETAIN_FULL_DATES), said(old, rules=(kept,))):
        assert "000Y" == out(recipe, PatientAge="012D", StudyDate="20200103").text("PatientAge")
    for recipe in (said(old), said(old, SHIFTED)):
        assert "012D" == out(recipe, PatientAge="012D", StudyDate="20200103").text("PatientAge")


# ── what is not understood ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("SliceThickness", "DS", b"Smith "), ("SliceThickness", "DS", b"1.2.3 "),
        ("InstanceNumber", "IS", b"99999999999 "), ("InstanceNumber", "IS", b"Smith "),
        ("BitsAllocated", "US", b"\1\2\3"), ("ImageType", "CS", b"Smith, John "),
        ("ImageType", "CS", b"A" * 40), ("DiffusionBValue", "FD", b"Smith "),
        ("Manufacturer", "LO", b"S" * 65536), ("Manufacturer", "LO", b"A\0B "),
        ("Manufacturer", "LO", b"\xff\xfe"), ("SliceThickness", "LO", b"Smith "),
        ("PixelRepresentation", "LO", b"Smith "), ("SliceThickness", "??", b"Smith "),
        ("SliceThickness", "PN", b"Smith "), ("SliceThickness", "UN", b"Smith "),
    ],
)  # fmt: skip
def test_values_that_break_their_form_go(keyword: str, vr: str, value: bytes) -> None:
    """Text in a number's place, a number out of range, a code that is none, bytes of no text."""
    one = header(SpecificCharacterSet="ISO_IR 192")
    one[Tag(keyword)] = raw(keyword, vr, value)
    released = run(said(), one).headers[0]
    assert released.get(keyword) is None
    assert b"Smith" not in written(released)


def test_unknown_vr_of_a_number_is_read_as_the_dictionary_has_it() -> None:
    """UN and implicit: a good number stays a number."""
    one = header()
    one[Tag("SliceThickness")] = raw("SliceThickness", "UN", b"1.25")
    one[Tag("KVP")] = raw("KVP", None, b"120 ")
    released = run(said(), one).headers[0]
    assert (1.25, 120.0) == (released.number("SliceThickness"), released.number("KVP"))


@pytest.mark.parametrize("value", [b"Smith^John ", b"\xfe\xff\x00\xe0\xff\xff\xff\x7fSmith "])
def test_a_broken_sequence_is_refused_where_it_would_be_kept(value: bytes) -> None:
    """A sequence that is kept for what is inside, and cannot be read: refused, named, no value."""
    one = header()
    one[Tag("SharedFunctionalGroupsSequence")] = raw("SharedFunctionalGroupsSequence", "SQ", value)
    with pytest.raises(Refusal) as caught:
        run(said(), one)
    assert Reason.NOT_UNDERSTOOD is caught.value.reason
    assert caught.value.__cause__ is None
    assert "Smith" not in str(caught.value)


def test_a_broken_sequence_that_goes_anyway_goes_unseen() -> None:
    """What the profile removes need not be understood."""
    one = header()
    one[Tag("RequestAttributesSequence")] = raw("RequestAttributesSequence", "SQ", b"Smith^John ")
    assert "RequestAttributesSequence" not in dataset_of(run(said(), one).headers[0])


def test_depth_is_bounded() -> None:
    """A thousand levels are refused, not a crash."""
    inner = Dataset()
    for _ in range(200):
        outer = Dataset()
        outer.SharedFunctionalGroupsSequence = Sequence([inner])
        inner = outer
    one = header()
    one.SharedFunctionalGroupsSequence = Sequence([inner])
    with pytest.raises(Refusal) as caught:
        run(said(), one)
    assert Reason.NOT_UNDERSTOOD is caught.value.reason


@pytest.mark.parametrize(
    ("charset", "data", "expected"),
    [
        ("ISO_IR 192", "Génie".encode(), "Génie"),
        ("ISO_IR 100", "Génie".encode("latin-1"), "Génie"),
        ("ISO_IR 192", "Génie".encode("latin-1"), None),
        ("ISO_IR 999", "Génie".encode("latin-1"), None),
        ("Smith", "Génie".encode(), None),
        ("\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B", "山田"),
        ("ISO_IR 192", b"GENIE ", "GENIE"),
    ],
)
def test_text_comes_out_as_utf8_or_not_at_all(
    charset: str, data: bytes, expected: str | None
) -> None:
    """Text that stays is in UTF-8 whatever it was in; a character set that lies gives nothing."""
    one = header()
    one[Tag("SpecificCharacterSet")] = raw("SpecificCharacterSet", "CS", charset.encode())
    one[Tag("Manufacturer")] = raw("Manufacturer", "LO", data)
    released = run(said(), one).headers[0]
    assert expected == released.get("Manufacturer")
    assert released.text("SpecificCharacterSet") == "ISO_IR 192"
    again = pydicom.dcmread(io.BytesIO(written(released)))
    assert expected == again.get("Manufacturer")


# ── private elements ─────────────────────────────────────────────────────────────────────────────


def with_private(group: int, creator: str, element: int, vr: str, value: object) -> Dataset:
    one = header()
    one.private_block(group, creator, create=True).add_new(element, vr, value)
    one.private_block(group, "SMITH CLINIC", create=True).add_new(0x01, "LO", "Smith")
    return one


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_safe_private_stays_with_its_creator_alone(syntax: UID) -> None:
    """Of a group only the safe element and its creator stay; other creators go."""
    group, creator, element = SAFE_PRIVATE
    one = from_file(with_private(group, creator, element, "IS", ["1000", "8", "0", "0"]), syntax)
    kept = dataset_of(run(said(Option.RETAIN_SAFE_PRIVATE), one).headers[0])
    private = [int(tag) for tag in kept.keys() if tag.is_private]  # noqa: SIM118 - a Dataset
    assert [0x00430010, 0x00431039] == sorted(private)
    assert creator == kept[0x00430010].value
    assert not [t for t in dataset_of(run(said(), one).headers[0]).keys() if t.is_private]  # noqa: SIM118 - a Dataset


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("options", "rules", "expected"),
    [
        ((), (), None),
        ((Option.RETAIN_SAFE_PRIVATE,), (), ("SAFE", None)),
        ((), (rule(PrivateElement(0x43, "GEMS_PARM_01", 0x01), Action.KEEP),), ("UNSAFE", None)),
        (
            (Option.RETAIN_SAFE_PRIVATE,),
            (rule(PrivateElement(0x43, "GEMS_PARM_01", 0x01), Action.KEEP),),
            ("MIXED", 0x39),
        ),
    ],
)
def test_what_is_left_of_private_blocks_is_told(
    options: tuple[Option, ...],
    rules: tuple[Rule, ...],
    expected: tuple[str, int | None] | None,
    nested: bool,  # noqa: FBT001 - a row
) -> None:
    """(0008,0300) speaks of the blocks that stayed, and no longer of those of the source."""
    source = with_private(*SAFE_PRIVATE, "IS", "1000")
    source.private_block(0x43, "GEMS_PARM_01", create=True).add_new(0x01, "SS", 7)
    claim = Dataset()
    claim.PrivateGroupReference, claim.PrivateCreatorReference = 0x29, "SIEMENS CSA HEADER"
    claim.BlockIdentifyingInformationStatus = "SAFE"
    if nested:
        source = header(AnatomicRegionSequence=Sequence([source]))
    source.PrivateDataElementCharacteristicsSequence = Sequence([claim])
    released = dataset_of(run(said(*options, rules=rules), from_file(source)).headers[0])
    told = released.PrivateDataElementCharacteristicsSequence
    if expected is None:
        assert "SIEMENS CSA HEADER" not in str(told)
        return
    (block,) = told
    assert (0x43, "GEMS_PARM_01", *expected) == (
        block.PrivateGroupReference,
        block.PrivateCreatorReference,
        block.BlockIdentifyingInformationStatus,
        block.get("NonidentifyingPrivateElements"),
    )


@pytest.mark.parametrize("vr", ["SQ", "UN"])
def test_a_private_sequence_by_rule_is_walked(vr: str) -> None:
    """A private sequence that a rule keeps loses what is inside, UN-encoded too."""
    item = Dataset()
    item.PatientName, item.SliceThickness = "Smith^John", "1.5"
    value: object = Sequence([item])
    if vr == "UN":
        inside = b"\x10\0\x10\0\x0a\0\0\0Smith^John\x18\0\x50\0\x04\0\0\x001.5 "
        value = b"\xfe\xff\0\xe0" + len(inside).to_bytes(4, "little") + inside
    target = PrivateElement(0x0029, "ACME", 0x10)
    one = from_file(with_private(0x0029, "ACME", 0x10, vr, value))
    kept = dataset_of(run(said(rules=(rule(target, Action.KEEP),)), one).headers[0])
    assert 1.5 == kept[0x00291010].value[0].SliceThickness
    assert b"Smith" not in written_dataset(kept)


def test_illegal_private_places_go() -> None:
    """Elements without a creator, below the creators, or in the groups that may have none."""
    one = header()
    for tag in (0x00290001, 0x00290100, 0x00291099, 0x00010010, 0x00011001, 0x00310010):
        one.add(DataElement(tag, "LO", "Smith"))
    assert b"Smith" not in written(run(said(Option.RETAIN_SAFE_PRIVATE), one).headers[0])


# ── dummies, claims, labels ──────────────────────────────────────────────────────────────────────


def test_dummies_are_told_from_values() -> None:
    """A dummy is written for validity and reads as None; linking ids are keyed tokens."""
    released = out(said(), ContainerIdentifier="C-1", UnformattedTextValue="Dr S", StudyID="S1")
    assert KEY.token("ContainerIdentifier", "C-1") == released.text("ContainerIdentifier")
    assert released.get("UnformattedTextValue") is None
    assert released.is_dummy("UnformattedTextValue")
    assert dataset_of(released).UnformattedTextValue == "REMOVED"
    assert released.get("StudyID") is None


@pytest.mark.parametrize(
    ("sop_class", "keyword", "expected"),
    [
        ("2", "InstitutionName", "gone"),  # X/Z/D, type 3
        ("2", "ContentDate", None),  # Z/D, type 2C
        ("2", "DeviceSerialNumber", "gone"),  # X/Z/D, type 3
        ("2.1", "ContentDate", "19000101"),  # type 1C in the enhanced object
        ("2.1", "DeviceSerialNumber", KEY.token("DeviceSerialNumber", "20200101")),
        ("128", "SeriesDate", "19000101"),  # X/D, type 1 in PET
        ("2", "SeriesDate", "gone"),
    ],
)
def test_the_letter_is_that_of_the_type_in_the_iod(
    sop_class: str, keyword: str, expected: str | None
) -> None:
    """X/Z/D: gone, empty or a dummy, as the kind of object needs it at its top.

    Inside an item, where no type is known, the last letter keeps it valid.
    """
    source = header(SOPClassUID="1.2.840.10008.5.1.4.1.1." + sop_class, **{keyword: "20200101"})
    inner = Dataset()
    setattr(inner, keyword, "20200101")
    source.AnatomicRegionSequence = Sequence([inner])
    released = dataset_of(run(said(), from_file(source)).headers[0])
    assert expected == (released[keyword].value or None if keyword in released else "gone")
    assert released.AnatomicRegionSequence[0].get(keyword)


def test_sequence_dummies_hold_a_valid_item() -> None:
    """A dummy sequence has one item with what the standard wants, and no word of the source."""
    observer = Dataset()
    observer.VerifyingObserverName = "Smith"
    released = dataset_of(out(said(), VerifyingObserverSequence=Sequence([observer])))
    item = released.VerifyingObserverSequence[0]
    assert {
        "VerifyingObserverName",
        "VerifyingOrganization",
        "VerificationDateTime",
        "VerifyingObserverIdentificationCodeSequence",
    } == set(item.dir())
    assert b"Smith" not in written_dataset(released)


def test_the_statement_is_in_the_header() -> None:
    """(0012,0062), (0012,0063), (0012,0064) and (0028,0303) say what the Statement says."""
    result = run(said(SHIFTED), header())
    released = dataset_of(result.headers[0])
    assert result.statement.identity_removed == released.PatientIdentityRemoved == "YES"
    assert list(result.statement.method) == list(released.DeidentificationMethod)
    codes = [item.CodeValue for item in released.DeidentificationMethodCodeSequence]
    assert codes == [code for code, _ in result.statement.codes] == ["113100", "113107"]
    assert all(len(line) <= 64 for line in released.DeidentificationMethod)


def test_earlier_claims_are_kept_without_their_words() -> None:
    """Earlier codes stay, an earlier method's free text does not, REMOVED stays REMOVED."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "113108", "DCM", "by Dr Smith"
    odd = Dataset()
    odd.CodeValue = "SMITH"
    released = out(
        said(SHIFTED),
        PatientIdentityRemoved="YES",
        DeidentificationMethod="by Dr Smith",
        DeidentificationMethodCodeSequence=Sequence([item, odd]),
        LongitudinalTemporalInformationModified="REMOVED",
    )
    dataset = dataset_of(released)
    codes = [one.CodeValue for one in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113108", "113100", "113107"]
    assert "withheld" in dataset.DeidentificationMethod[0]
    assert released.text("LongitudinalTemporalInformationModified") == "REMOVED"
    assert b"mith" not in written(released).replace(b"SMITH", b"mith")


@pytest.mark.parametrize(
    ("earlier", "date", "claim"),
    [
        ("REMOVED", "20220614", "UNMODIFIED"),
        ("REMOVED", "", "REMOVED"),
        ("MODIFIED", "20220614", "MODIFIED"),
        ("UNMODIFIED", "20220614", "UNMODIFIED"),
    ],
)
def test_dates_that_stand_there_were_not_removed(earlier: str, date: str, claim: str) -> None:
    """An earlier claim stays as far as the header itself does not belie it."""
    header = {"StudyDate": date, "LongitudinalTemporalInformationModified": earlier}
    released = out(said(Option.RETAIN_FULL_DATES), **header)
    assert date == (released.text("StudyDate") or "")
    assert claim == released.text("LongitudinalTemporalInformationModified")


@pytest.mark.parametrize(
    ("keyword", "removed"), [("PatientName", "NO"), ("SeriesDescription", "YES")]
)
def test_earlier_codes_do_not_stand_beside_what_a_rule_keeps(keyword: str, removed: str) -> None:
    """Where this recipe keeps what the profile does not, nobody's earlier claim is passed on."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "113100", "DCM", "Basic"
    recipe = said(rules=(rule(keyword, Action.KEEP),))
    released = out(
        recipe,
        PatientName="Muster^Max",
        SeriesDescription="Axial",
        DeidentificationMethodCodeSequence=Sequence([item]),
    )
    dataset = dataset_of(released)
    assert removed == dataset.PatientIdentityRemoved
    assert "113100" not in {
        one.CodeValue for one in dataset.get("DeidentificationMethodCodeSequence", [])
    }


def test_a_kept_name_is_said() -> None:
    """A rule that keeps the name makes the claim NO, and kept names the keyword."""
    recipe = said(rules=(rule("PatientName", Action.KEEP),))
    result = run(recipe, header(PatientName="Muster^Max"))
    assert result.headers[0].text("PatientName") == "Muster^Max"
    assert result.statement.identity_removed == "NO"
    assert "113100" not in dict(result.statement.codes)
    assert "PatientName" in result.kept
    assert "PatientID" not in result.kept


LABELS = (
    ("diagnosis", "nodule"), ("ward", "7B"), ("seen", dt.date(2020, 1, 1)), ("score", 3.5),
    ("bad", "Smith"), ("when", "2020-01-01"), ("nan", float("nan")), ("flag", True),
)  # fmt: skip


@pytest.mark.parametrize("options", [(), (SHIFTED,), (Option.RETAIN_FULL_DATES,)])
def test_labels_leave_by_name_and_type(options: tuple[Option, ...]) -> None:
    """Only columns of the recipe, in its order, in their type; dates as the study's dates."""
    types = {"flag": LabelType.BOOLEAN, "score": LabelType.NUMBER, "bad": LabelType.NUMBER,
             "nan": LabelType.NUMBER, "diagnosis": LabelType.TEXT, "seen": LabelType.DATE,
             "when": LabelType.DATE, "absent": LabelType.TEXT}  # fmt: skip
    recipe = said(*options, labels=tuple(Label(name, kind) for name, kind in types.items()))
    day = dt.date(2020, 1, 1)
    moved = {(): None, (SHIFTED,): day + dt.timedelta(days=shift())}.get(options, day)
    expected = (("flag", True), ("score", 3.5), ("bad", None), ("nan", None),
                ("diagnosis", "nodule"), ("seen", moved), ("when", moved))  # fmt: skip
    assert expected == run(recipe, header(), labels=LABELS).labels


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), 2020), ((SHIFTED,), None), ((Option.RETAIN_FULL_DATES,), 2020)],
)
def test_the_year_of_a_date_stays_alone(options: tuple[Option, ...], expected: int | None) -> None:
    """Without the day, also where dates go; not beside moved dates, and never that of a birth."""
    names = ("seen", "text", "birth_date", "name")
    recipe = said(*options, labels=tuple(Label(name, LabelType.YEAR) for name in names))
    joined = (("seen", dt.date(2020, 5, 6)), ("text", "2020-05-06"), ("birth_date", "1952-03-05"),
              ("name", "Mercator 2020"))  # fmt: skip
    found = run(recipe, header(), labels=joined).labels
    values = (expected, expected, None, None)
    assert tuple(zip(names, values, strict=True)) == found


def test_kept_names_what_passed_raw() -> None:
    """Keywords whose values passed as they were are listed for the search to leave out."""
    kept = run(
        said(SHIFTED), header(SliceThickness="1.5", StudyTime="101112", StudyDate="20200101")
    ).kept
    assert {"SliceThickness", "StudyTime", "Modality"} <= kept
    assert kept.isdisjoint({"StudyDate", "PatientID", "SOPInstanceUID"})


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rules", [(), (rule("HumanPerformerCodeSequence", Action.KEEP),)])
@pytest.mark.parametrize(
    "keyword",
    [
        "HumanPerformerCodeSequence",
        "DocumentAuthorIdentifierCodeSequenceTrial",
        "HangingProtocolUserIdentificationCodeSequence",
    ],
)
def test_a_code_that_is_a_person_is_no_code(keyword: str, rules: tuple[Rule, ...]) -> None:
    """The sequence stays, but for what it calls the person; other codes stay whole."""
    code = Dataset()
    code.CodeValue, code.CodeMeaning, code.LongCodeValue = "E4711", "Mercator^Gerard", "E4711"
    code.CodingSchemeDesignator = "99STAFF"
    released = dataset_of(out(said(rules=rules), **{keyword: Sequence([code])}))
    assert ["CodingSchemeDesignator"] == [one.keyword for one in released[keyword].value[0]]
    code.CodeMeaning = "Liver, left lobe"
    kept = dataset_of(out(said(), AnatomicRegionSequence=Sequence([code])))
    assert "Liver, left lobe" == kept.AnatomicRegionSequence[0].CodeMeaning


def test_order_of_files_changes_nothing() -> None:
    """Each header comes out the same, whatever came before it."""
    one, two = header(InstanceNumber="1"), header(InstanceNumber="2", StudyDate="20200101")
    forth, back = run(said(SHIFTED), one, two), run(said(SHIFTED), two, one)
    assert [written(h) for h in forth.headers] == [written(h) for h in reversed(back.headers)]


def test_bulk_and_pixels_do_not_ride_along() -> None:
    """Pixels stay behind a handle; icons, ICC, signatures, curves and overlays go."""
    one = header()
    for tag, vr in ((0x7FE00010, "OB"), (0x7FE00001, "OV"), (0x00282000, "OB"), (0xFFFAFFFA, "SQ"),
                    (0x50003000, "OB"), (0x60023000, "OB"), (0x04000500, "SQ"),
                    (0xFFFCFFFC, "OB")):  # fmt: skip
        value: object = Sequence([Dataset()]) if vr == "SQ" else b"SMITHSMITH000000"
        one.add(DataElement(tag, vr, value, already_converted=True))
    released = dataset_of(run(said(), one).headers[0])
    assert b"SMITH" not in written_dataset(released)
    assert not [t for t in released.keys() if int(t) >> 16 > 0x0040]  # noqa: SIM118 - a Dataset


def test_a_rule_for_a_vr_does_not_open_private_or_names() -> None:
    """Keeping every LO keeps no private element and no Patient ID."""
    recipe = said(rules=(Rule(EveryVR("SH"), Action.KEEP, "all of it"),))
    released = out(recipe, StationName="CT01", PatientID="0007")
    assert released.text("StationName") == "CT01"
    assert released.text("PatientID") == KEY.patient(Person("", "0007"))


@pytest.mark.parametrize("shown", [repr, str, lambda s: repr(s.headers)])
def test_nothing_shown_holds_a_value(shown: Callable[[DeidentifiedSeries], str]) -> None:
    """Even what was kept is not in a repr."""
    result = run(said(rules=(rule("PatientName", Action.KEEP),)), header(PatientName="Muster^Max"))
    assert "Muster" not in shown(result)


def test_refusals_travel_between_processes() -> None:
    """A worker's refusal arrives with its reason."""
    with pytest.raises(Refusal) as caught:
        run(said(), header(BodyPartExamined="HEAD"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert Reason.FACE_RISK is again.reason


def written(released: ReleasedHeader) -> bytes:
    return written_dataset(dataset_of(released))


def written_dataset(dataset: Dataset) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
