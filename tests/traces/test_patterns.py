from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortkit.errors import Refusal
from cohortkit.model import FileRef, Person, Task
from cohortkit.reasons import Reason
from cohortkit.traces.fields import Kind
from cohortkit.traces.patterns import LONGEST, Patterns, Rule
from cohortkit.verify import collect, search
from factory import Patient, Series, instance


def task(patient_id: str = "MRN-00471113", path: str = "/archive/a/b/c.dcm") -> Task:
    file = FileRef(path, 1, 1, "1.2.826.0.1.1")
    return Task(
        0, "k", Person("HIS", patient_id), "1.2.826.0.1.2", "1.2.826.0.1.3", "", "", (file,)
    )


def texts(patterns: Patterns) -> set[str]:
    return {item.text for item in patterns.items}


def kinds(patterns: Patterns) -> dict[str, Kind]:
    return {item.text: item.kind for item in patterns.items}


def test_every_planted_identity_becomes_a_pattern() -> None:
    """Name, ids, dates, addresses, physicians, institution: from top level and nested."""
    patient = Patient()

    found = collect([instance(patient, Series(), 0)], task(), frozenset())

    for value in patient.planted():
        assert search(found, "x.txt", value.encode()), "a planted value is not a pattern"
    by_text = kinds(found)
    assert Kind.NAME is by_text["quisling"]
    assert Kind.PHYSICIAN is by_text["oberholzer"]
    assert Kind.PATIENT_ID is by_text["mrn-00471113"]
    assert Kind.BIRTH_DATE is by_text["1948-02-29"]
    assert Kind.PATH is by_text["b/c.dcm"]


def test_nested_private_and_file_meta_values_are_collected() -> None:
    """Depth hides nothing; of private elements names, UIDs and dates count, not free text."""
    inner = Dataset()
    inner.PersonName = "Innermost^Ida"
    outer = Dataset()
    outer.ReferencedStudySequence = Sequence([inner])
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.RequestAttributesSequence = Sequence([outer])
    block = header.private_block(0x0011, "ACME", create=True)
    block.add_new(0x01, "PN", "Privatus^Paul")
    block.add_new(0x02, "LO", "SPIN ECHO WITH SATURATION")

    found = texts(collect([header], task(), frozenset()))

    assert {"innermost", "privatus"} <= found
    assert not any("saturation" in text for text in found)


def test_registered_uids_are_nobodys() -> None:
    """A transfer syntax or SOP class is no identity; an instance UID is one."""
    header = instance(Patient(), Series(), 0)

    found = texts(collect([header], task(), frozenset()))

    assert header.SOPInstanceUID in found
    assert header.file_meta.MediaStorageSOPInstanceUID in found
    assert header.SOPClassUID not in found
    assert header.file_meta.TransferSyntaxUID not in found


def test_a_uid_that_only_begins_as_dicom_s_own_do_is_somebody_s() -> None:
    """The root is the standard's, and scanners have been seen to make up UIDs under it."""
    header = instance(Patient(), Series(), 0)
    header.FrameOfReferenceUID = "1.2.840.10008.99.4711.1"

    assert header.FrameOfReferenceUID in texts(collect([header], task(), frozenset()))


def test_what_the_recipe_keeps_is_left_out_and_counted() -> None:
    """A kept device or institution is no leak, in whatever attribute it stands."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.DeviceSerialNumber = header.GantryID = "SN-778812"
    header.StationName = "CT-ROOM-4"

    found = collect([header], task(), frozenset({"DeviceSerialNumber"}))

    assert "sn-778812" not in texts(found)
    assert "ct-room-4" in texts(found)
    assert found.left_out["kept", "device"] >= 2


@pytest.mark.parametrize("keyword", ["SeriesDescription", "SequenceName", "BodyPartExamined"])
def test_an_id_or_name_typed_into_a_kept_attribute_is_still_searched_for(keyword: str) -> None:
    """That is the very leak: to keep a description is not to keep what somebody typed into it."""
    header = Dataset()
    header.PatientID = "MRN00471113"
    header.PatientName = "Quisling^Marjolein"
    for value in ("MRN00471113", "QUISLING_MARJO"):
        setattr(header, keyword, value)

        found = texts(collect([header], task("MRN00471113"), frozenset({keyword})))

        assert {"mrn00471113", "quisling"} <= found


def test_a_kept_code_does_not_spare_a_word_of_a_name() -> None:
    """A name that somebody put into a code string would go out with it: it is searched for."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.PatientName = "Fir^Ottoline"
    header.ScanOptions = "FIR"

    found = texts(collect([header], task(), frozenset({"ScanOptions"})))

    assert {"fir", "fir^ottoline", "ottoline"} <= found


def test_kept_dates_are_left_out_and_others_are_not() -> None:
    """With StudyDate kept its forms are no hits; the birth date still is one."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.StudyDate = header.SeriesDate = "20210317"
    header.PatientBirthDate = "19480229"

    found = texts(collect([header], task(), frozenset({"StudyDate"})))

    assert "2021-03-17" not in found
    assert "1948-02-29" in found


def test_a_number_that_the_recipe_keeps_does_not_spare_an_id() -> None:
    """Rows 512 is kept in every recipe; a patient with the ID 512 is still searched for."""
    header = Dataset()
    header.PatientID = "512"
    header.Rows = 512
    header.SeriesNumber = 512

    found = collect([header], task("512"), frozenset({"Rows", "SeriesNumber"}))

    assert "512" in texts(found)


def test_a_word_of_the_trade_is_left_out_alone_and_searched_for_in_company() -> None:
    """A patient named Brain does not quarantine every brain, and is still found in full."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.PatientName = "Brain^Ottoline"

    found = texts(collect([header], task(), frozenset()))

    assert "brain" not in found
    assert {"ottoline", "brain^ottoline", "ottoline brain"} <= found


@pytest.mark.parametrize("patient_id", ["", "1"])
def test_a_patient_with_nothing_to_search_for_is_refused(patient_id: str) -> None:
    """UIDs and paths do not name a patient: without a name, id or birth date nothing is proved."""
    header = Dataset()
    header.PatientName = "Anonymous"
    header.StudyInstanceUID = "1.2.826.0.1.2"
    person = Task(0, "k", Person("", patient_id), "1.2.826.0.1.2", "1.2.826.0.1.3", "", "", ())

    with pytest.raises(Refusal) as caught:
        collect([header], person, frozenset())

    assert Reason.NO_PATTERN is caught.value.reason


def test_short_values_are_tokens_and_long_ones_are_found_anywhere() -> None:
    """The rule follows from the length, as the design says."""
    header = Dataset()
    header.PatientID = "AB123"
    header.OtherPatientIDs = "PX-991177"
    header.AccessionNumber = "20210001"

    rules = {item.text: item.rule for item in collect([header], task("AB123"), frozenset()).items}

    assert Rule.TOKEN is rules["ab123"]
    assert Rule.ANYWHERE is rules["px-991177"]
    assert Rule.NUMBER is rules["20210001"]


def test_values_that_pydicom_cannot_read_do_not_stop_the_search() -> None:
    """A broken value is taken as the bytes that it is."""
    header = Dataset.from_json({"00100020": {"vr": "LO", "Value": ["MRN-00471113"]}})
    broken = instance(Patient(), Series(), 0)
    from pydicom.dataelem import RawDataElement  # noqa: PLC0415 - this test alone
    from pydicom.tag import Tag  # noqa: PLC0415 - this test alone

    tag = Tag("PatientWeight")
    broken[tag] = RawDataElement(
        tag, "DS", 9, b"Quisling!", 0, is_implicit_VR=False, is_little_endian=True
    )
    tag = Tag("StudyDate")
    broken[tag] = RawDataElement(
        tag, "DA", 8, b"\xff\xfeabcd", 0, is_implicit_VR=False, is_little_endian=True
    )

    assert len(collect([header, broken], task(), frozenset())) > 20


def test_neither_repr_shows_a_value() -> None:
    """Patterns are identities: what prints them prints counts."""
    found = collect([instance(Patient(), Series(), 0)], task(), frozenset())

    shown = repr(found) + repr(found.items[0]) + str(found.items)

    assert "uisling" not in shown
    assert "0047" not in shown


def test_a_kept_direct_identifier_is_searched_for_where_the_output_claims_removal() -> None:
    """Sabotage upstream, or a bug: the statement says YES, and a name passed as it was."""
    header = instance(Patient(), Series(), 0)
    kept = frozenset({"PatientName", "PatientID", "StudyDescription"})

    claimed = texts(collect([header], task(), kept, claimed=True))
    honest = texts(collect([header], task(), kept, claimed=False))

    assert {"quisling", "mrn-00471113"} <= claimed
    assert not {"quisling", "mrn-00471113"} & honest
    assert "1948-02-29" in honest


def test_a_recipe_that_keeps_all_that_names_the_patient_has_nothing_to_prove() -> None:
    """It says so itself, and so this is no refusal; without a word of it, it is one."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    kept = frozenset({"PatientID"})
    person = Task(0, "k", Person("", "MRN-00471113"), "1.2.826.0.1.2", "1.2.826.0.1.3", "", "", ())

    assert collect([header], person, kept, claimed=False).left_out["kept", "patient-id"] >= 1
    assert collect([header], person, kept, claimed=True).items


def test_a_patient_who_is_called_as_the_maker_is_does_not_quarantine_the_scanner() -> None:
    """Where the recipe keeps the maker, a name among its words is left out alone, not in full.

    A model's name and a description, which people type, spare nothing.
    """
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.PatientName = "Philips^Ottoline^Vida"
    header.Manufacturer = "Philips Healthcare"
    header.ManufacturerModelName = "MAGNETOM Vida"
    header.SeriesDescription = "knee of Ottoline"
    kept = frozenset({"Manufacturer", "ManufacturerModelName", "SeriesDescription"})

    found = collect([header], task(), kept)

    assert "philips" not in texts(found)
    assert {"ottoline", "vida", "philips^ottoline^vida"} <= texts(found)
    assert found.left_out["kept", "name"] >= 1


def test_an_attribute_s_own_name_in_place_of_its_value_is_nobody() -> None:
    """Some anonymisers write ``PatientName`` into PatientName; our report names attributes too."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.PatientName = "PATIENTNAME"
    header.StationName = "StationName"

    assert not {"patientname", "stationname"} & texts(collect([header], task(), frozenset()))


def test_a_patient_who_is_called_as_another_attribute_is_is_somebody() -> None:
    """Rows is a surname; only PatientName that says ``PatientName`` says nothing."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.PatientName = "Rows^Modality"

    assert {"rows", "modality"} <= texts(collect([header], task(), frozenset()))


@pytest.mark.parametrize("keyword", ["InstitutionName", "InstitutionAddress", "PatientAddress"])
def test_the_words_of_a_place_are_searched_for_where_the_recipe_removes_it(keyword: str) -> None:
    """And are spared where it keeps the place itself (who keeps an address says so)."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    setattr(header, keyword, "St. Elsewhere Hospital")

    removed = texts(collect([header], task(), frozenset()))
    kept = texts(collect([header], task(), frozenset({keyword}), claimed=False))

    assert {"elsewhere", "st_elsewhere"} <= removed
    assert not {"elsewhere", "st_elsewhere", "hospital"} & kept
    assert "hospital" not in removed


def test_reading_broken_values_warns_nobody(recwarn: pytest.WarningsRecorder) -> None:
    """Pydicom's warnings quote the value that they complain about."""
    header = instance(Patient(), Series(), 0)
    header["FrameOfReferenceUID"]._value = "1.2.0123.not-a-uid"

    collect([header], task(), frozenset())

    assert not recwarn.list


def test_what_is_collected_does_not_depend_on_how_a_sequence_was_encoded() -> None:
    """Implicit VR: a private sequence shows what it is only when it is read."""
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.826.0.1.99.7"
    inner.PersonName = "Innermost^Ida"
    header = Dataset()
    header.PatientID = "MRN-00471113"
    block = header.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
    block.add_new(0x02, "SQ", Sequence([inner]))
    out = BytesIO()
    dcmwrite(out, header, implicit_vr=True, little_endian=True)
    out.seek(0)
    again = dcmread(out, force=True)
    again.file_meta = None

    found = texts(collect([again], task(), frozenset()))

    assert {"1.2.826.0.1.99.7", "innermost"} <= found


def test_a_hospital_that_is_called_as_the_maker_is_does_not_quarantine_the_maker() -> None:
    """InstitutionName TOSHIBA where Manufacturer TOSHIBA_MEC is kept."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.InstitutionName = "TOSHIBA"
    header.Manufacturer = "TOSHIBA_MEC"

    assert "toshiba" not in texts(collect([header], task(), frozenset({"Manufacturer"})))


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("PatientBirthDate", "19510703", Kind.BIRTH_DATE),
        ("StudyDate", "20210317", Kind.DATE),
        ("InstitutionName", "MAGNETOM", Kind.INSTITUTION),
        ("StationName", "MAGNETOM", Kind.DEVICE),
        ("FrameOfReferenceUID", "1.2.826.0.1.99.7", Kind.UID),
        ("ReferringPhysicianName", "Oberholzer", Kind.PHYSICIAN),
    ],
)
@pytest.mark.parametrize("kept", ["ManufacturerModelName", "ScanOptions", "SeriesDescription"])
def test_what_somebody_typed_into_a_kept_attribute_does_not_spare_itself(
    keyword: str, value: str, kind: Kind, kept: str
) -> None:
    """A recipe that keeps a description keeps no birth date, place, device or UID by that."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    setattr(header, keyword, value)
    setattr(header, kept, value)

    assert kind in {item.kind for item in collect([header], task(), frozenset({kept})).items}


def test_a_name_that_a_device_has_too_is_a_name() -> None:
    """Whatever is read first: that the recipe keeps the station's name spares no patient."""
    for keyword in ("StationName", "DetectorID", "InstitutionName"):
        header = Dataset()
        header.PatientID = "MRN-00471113"
        header.PatientName = "Quisling^Marjolein"
        setattr(header, keyword, "QUISLING")

        assert "quisling" in texts(collect([header], task(), frozenset({keyword})))


def test_only_a_maker_that_there_is_spares_a_name() -> None:
    """A surname in Manufacturer is a leak like another."""
    header = Dataset()
    header.PatientID = "MRN-00471113"
    header.PatientName = "Quisling^Marjolein"
    header.Manufacturer = "QUISLING"

    assert "quisling" in texts(collect([header], task(), frozenset({"Manufacturer"})))


def test_a_hostile_name_costs_no_more_than_a_long_one() -> None:
    """Of 60,000 characters the beginning is searched for, and still finds the whole."""
    name = "Quisling" + "x" * 60_000
    header = instance(Patient(name=name), Series(), 0)

    found = collect([header], task(), frozenset())

    assert max(len(text) for text in texts(found)) <= LONGEST
    assert search(found, "a.json", f'{{"a": "{name}"}}'.encode())
