"""The engine under a recipe in deid's language: given, made, moved and looked-for values."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import cohortkit as ck
from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.errors import Refusal
from cohortkit.geometry.facts import read_facts
from cohortkit.model import (
    DeidentifiedSeries,
    FileRef,
    Person,
    Reason,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe.deid.load import on_top
from cohortkit.recipe.deid.tables import variables_of_mapping
from cohortkit.recipe.model import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("lines", bytes(range(32)))
CT, US = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.6.1"
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def last_two(item: Any, value: Any, field: Any, dicom: Any) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    return str(field.element.value)[-2:]


def whole_name(item: Any, value: Any, field: Any, dicom: Any) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    return str(dicom.PatientName)


def spoiling(item: Any, value: Any, field: Any, dicom: Any) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    dicom.PatientName = "SPOILT"
    del dicom.Modality
    field.element.value = "SPOILT"
    return "X"


def nothing(item: Any, value: Any, field: Any, dicom: Any) -> None:  # noqa: ANN401, ARG001 - as deid calls it
    return None


def is_long(item: Any, value: Any, field: Any, dicom: Any) -> bool:  # noqa: ANN401, ARG001 - as deid calls it
    return len(str(field.element.value)) > 4


FUNCTIONS = {f.__name__: f for f in (last_two, whole_name, spoiling, nothing, is_long)}


def recipe(*lines: str, **variables: Any) -> Recipe:  # noqa: ANN401 - a caller's values
    text = "\n".join(["FORMAT dicom", *(lines if lines[0][0] == "%" else ("%header", *lines))])
    brought, wrong = variables_of_mapping(variables)
    made, found = on_top([("x.dicom", text)], ck.load_recipe("basic"), brought, FUNCTIONS)
    assert ([], ()) == (wrong, found)
    return made


def header(syntax: UID = ExplicitVRLittleEndian, **values: object) -> Dataset:
    """A CT header as it comes out of a file: raw."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CT, "1.2.3.4"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.5"
    ds.Modality, ds.BodyPartExamined = "CT", "CHEST"
    ds.PatientID, ds.PatientName = "0007", "Quisling^Marjolein"
    ds.Manufacturer = "ACME"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(out.getvalue()))


def run(said: Recipe, *headers: Dataset, person: Person | None = None) -> DeidentifiedSeries:
    who = person or Person("", "0007")
    first = headers[0]
    task = Task(0, "k", who, "1.2.3", "1.2.3.5", str(first.SOPClassUID), str(first.Modality), ())
    instances = tuple(SourceInstance(one, None, FileRef("x", 1, 1, "x")) for one in headers)
    return deidentify(SourceSeries(who, instances, read_facts(headers)), task, said, KEY)


def out(said: Recipe, syntax: UID = ExplicitVRLittleEndian, **values: object) -> Dataset:
    return run(said, header(syntax, **values)).headers[0]._dataset


# ── values that lines give ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_constants_and_variables_stand_where_lines_put_them(syntax: UID) -> None:
    """In place of a value, of the patient's id, and where there was none; at every depth."""
    said = recipe(
        "REPLACE PatientID var:subject",
        "REPLACE StationName S-1",
        "REPLACE SeriesNumber 7",
        "ADD ClinicalTrialSubjectID var:subject",
        "ADD PatientAge 040Y",
        **{"0007": {"subject": "SUBJ-9"}},
    )
    inner = Dataset()
    inner.StationName = "Nahe der Kapelle"
    got = out(
        said,
        syntax,
        StationName="Kapelle",
        SeriesNumber=512,
        ScheduledStepAttributesSequence=[inner],
    )

    assert ("SUBJ-9", "SUBJ-9", "S-1", 7, "040Y") == (
        got.PatientID, got.ClinicalTrialSubjectID, got.StationName, got.SeriesNumber,
        got.PatientAge,
    )  # fmt: skip
    assert "Kapelle" not in str(got)
    assert KEY.patient(Person("", "0007")) == got.PatientName


def test_a_patient_without_a_row_is_refused() -> None:
    """Deid would leave the value as it was."""
    said = recipe("REPLACE PatientID var:subject", **{"0008": {"subject": "S"}})
    with pytest.raises(Refusal) as caught:
        run(said, header())

    assert caught.value.reason is Reason.NO_VARIABLE


def test_a_row_is_found_by_issuer_first() -> None:
    """One id at two hospitals is two patients."""
    said = recipe("REPLACE PatientID var:subject", **{"0007": {"subject": "S"}})
    rows = {("A", "0007"): {"subject": "S-A"}, ("", "0007"): {"subject": "S-any"}}
    said.script.variables.rows.update(rows)
    got = [
        run(said, header(IssuerOfPatientID=one), person=Person(one, "0007")).headers[0]._dataset
        for one in ("A", "B")
    ]

    assert ["S-A", "S-any"] == [one.PatientID for one in got]


def test_a_value_that_cannot_stand_there_empties() -> None:
    """By an expander over many kinds: dates and numbers that the text is none of are emptied."""
    got = out(
        recipe("REPLACE startswith:Study GONE"),
        StudyDate="20200101", StudyID="S-77", StudyTime="101010", StudyDescription="Quisling",
    )  # fmt: skip

    assert (None, "GONE", None, "GONE") == (
        got.StudyDate, got.StudyID, got.StudyTime, got.StudyDescription,
    )  # fmt: skip
    assert KEY.uid("1.2.3") == got.StudyInstanceUID


@settings(max_examples=25, deadline=None)
@given(
    days=st.integers(-4000, 4000).filter(bool),
    date=st.dates(min_value=__import__("datetime").date(1950, 1, 1)),
)
def test_a_date_moves_by_the_days_of_its_line(days: int, date: Any) -> None:  # noqa: ANN401 - a date
    """JITTER is by whole days, in the calendar; a time beside it goes as in the basic profile."""
    import datetime as dt  # noqa: PLC0415 - here alone

    got = out(recipe(f"JITTER StudyDate {days}"), StudyDate=f"{date:%Y%m%d}", StudyTime="101010")

    moved = date + dt.timedelta(days=days)
    assert (f"{moved:%Y%m%d}".zfill(8), None) == (got.StudyDate, got.StudyTime)


def test_jitter_by_a_variable_and_by_deids_own_function() -> None:
    """A table's days, and days and years of the function."""
    said = recipe(
        "JITTER StudyDate var:days",
        "REPLACE SeriesDate deid_func:jitter days=1 years=1",
        **{"0007": {"days": -31}},
    )
    got = out(said, StudyDate="20200229", SeriesDate="20200229")

    assert ("20200129", "20210301") == (got.StudyDate, got.SeriesDate)


# ── functions ────────────────────────────────────────────────────────────────────────────────────


def test_a_function_is_called_as_deid_calls_it() -> None:
    """With the element, the dataset, the variables, by name."""
    got = out(recipe("REPLACE StationName func:last_two"), StationName="Kapelle-42")

    assert "42" == got.StationName


def test_a_function_cannot_spoil_the_source_or_the_release() -> None:
    """It gets copies, and only what it gives back counts."""
    source = header(StationName="Kapelle")
    before = str(source)
    got = run(recipe("REPLACE StationName func:spoiling"), source).headers[0]._dataset

    assert (before, "X", "CT") == (str(source), got.StationName, got.Modality)
    assert "SPOILT" not in str(got)


def test_a_function_that_gives_nothing_leaves_the_basic_profile() -> None:
    """Deid would leave the value as it was."""
    got = out(recipe("REPLACE StudyID func:nothing"), StudyID="S-77")

    assert not got.StudyID


def test_what_a_function_lets_out_is_not_left_out_of_the_search() -> None:
    """Its result is not among the kept keywords, whose values the search would skip."""
    series = run(recipe("REPLACE StationName func:whole_name"), header(StationName="K"))

    assert "Quisling^Marjolein" == series.headers[0]._dataset.StationName
    assert "StationName" not in series.kept
    assert "PatientName" not in series.kept


def test_a_function_may_say_what_goes() -> None:
    """REMOVE func: where it says no, the basic profile holds."""
    said = recipe("REMOVE Manufacturer func:is_long")

    assert "Manufacturer" not in out(said, Manufacturer="ACME and Sons")
    assert "ACME" == out(said, Manufacturer="ACME").Manufacturer


def test_deids_own_ids_are_keyed() -> None:
    """The same in every run, another with another key, and of the form of their element."""
    said = recipe(
        "REPLACE StudyInstanceUID deid_func:pydicom_uuid",
        "REPLACE StudyID deid_func:basic_uuid",
        "REPLACE AccessionNumber deid_func:suffix_uuid",
    )
    one, two = (out(said, StudyID="S-1", AccessionNumber="A-1") for _ in range(2))

    assert KEY.uid("1.2.3") == one.StudyInstanceUID
    assert (one.StudyID, one.AccessionNumber) == (two.StudyID, two.AccessionNumber)
    assert KEY.token("StudyID", "S-1") == one.StudyID
    assert one.AccessionNumber.startswith("accessionnumber-")


def test_registered_uids_stay_whatever_replaces_uids() -> None:
    """An expander over all UIDs does not change what the object is."""
    got = out(recipe("REPLACE contains:UID func:last_two"))

    assert CT == got.SOPClassUID
    assert (KEY.uid("1.2.3.4"), got.SOPInstanceUID) == (
        got.file_meta.MediaStorageSOPInstanceUID if got.SOPInstanceUID == ".4" else
        KEY.uid("1.2.3.4"), got.SOPInstanceUID,
    )  # fmt: skip


# ── values that are looked for elsewhere ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    ("line", "expected"),
    [("REMOVE", None), ("BLANK", None), ("REPLACE", "GONE")],
)
def test_what_holds_a_listed_value_goes(syntax: UID, line: str, expected: str | None) -> None:
    """A name in a text that another line keeps: found in any case, in any place, in sequences."""
    said = recipe(
        "%values names", 'SPLIT PatientName by="^";minlength=4',
        "%header", "KEEP SeriesDescription", "KEEP ImageComments",
        f"{line} values:names" + (" GONE" if line == "REPLACE" else ""),
    )  # fmt: skip
    inner = Dataset()
    inner.SeriesDescription = "see QUISLING"
    got = out(
        said, syntax, SeriesDescription="chest of marjolein", ImageComments="no name here",
        DerivationCodeSequence=[inner],
    )  # fmt: skip

    assert "no name here" == got.ImageComments
    for place in (got, got.DerivationCodeSequence[0]):
        assert expected == place.get("SeriesDescription")


def test_a_nested_line_is_for_its_sequence() -> None:
    """The same attribute elsewhere is as the basic profile has it."""
    inner = Dataset()
    inner.StudyID, inner.Modality = "inner", "CT"
    got = out(
        recipe("KEEP DerivationCodeSequence__StudyID"), StudyID="outer",
        DerivationCodeSequence=[inner],
    )  # fmt: skip

    assert (None, "inner") == (got.StudyID, got.DerivationCodeSequence[0].StudyID)


def test_private_elements_stay_by_their_creator() -> None:
    """An exact private notation keeps its element and the creator, and no other."""
    ds = header()
    block = ds.private_block(0x0011, "ACME 1.1", create=True)
    block.add_new(0x02, "DS", "1.5")
    block.add_new(0x03, "LO", "Quisling")
    got = run(recipe('KEEP (0011,"ACME 1.1",02)'), ds).headers[0]._dataset

    assert [0x00110010, 0x00111002] == [*sorted(int(one.tag) for one in got if one.tag.is_private)]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_expander_is_not_believed_of_what_it_cannot_know(syntax: UID) -> None:
    """Private elements, attributes of no dictionary, and pictures in bytes go all the same."""
    said = recipe("KEEP select:GROUP:0x0011", "KEEP select:GROUP:0x0054", "KEEP contains:Icon")
    ds = header(syntax, IconImageSequence=[Dataset()])
    ds.add_new(0x00110010, "LO", "ACME 1.1")
    ds.add_new(0x00111002, "LO", "PLANTED-1")
    ds.add_new(0x0054FFF0, "LO", "PLANTED-2")
    ds.EnergyWindowName = "of a window"
    got = run(said, ds).headers[0]._dataset

    assert "PLANTED" not in str(got)
    assert "IconImageSequence" not in got
    assert "of a window" == got.EnergyWindowName


# ── pixels ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        (("%filter blacklist", "LABEL a", "contains ImageType LOC"), {"ImageType": ["A", "LOC"]}),
        (("%filter graylist", "LABEL a", "contains Manufacturer acme"), {}),
        (("%filter anything", "LABEL a", "missing StationName", "+ present Modality"), {}),
        (("%filter blacklist", "LABEL a", "empty StationName"), {"StationName": ""}),
        (("%filter blacklist", "LABEL a", "equals Manufacturer x", "|| notequals Modality MR"), {}),
        (("%filter blacklist", "LABEL a", "notcontains Modality MR|PT"), {}),
    ],
)  # fmt: skip
def test_what_a_label_flags_is_refused(lines: tuple[str, ...], values: dict[str, Any]) -> None:
    """Never exported unredacted: black-listed, or flagged without coordinates."""
    with pytest.raises(Refusal) as caught:
        run(recipe(*lines), header(**values))

    assert caught.value.reason is Reason.HELD_BY_RECIPE


@pytest.mark.parametrize(
    "lines",
    [
        ("%filter blacklist", "LABEL a", "contains ImageType LOCAL"),
        ("%filter graylist", "LABEL a", "contains Manufacturer GE", "+ contains Modality CT"),
        ("%filter blacklist", "LABEL a", "present StationName || empty Modality"),
        ("%filter whitelist", "LABEL a", "contains Modality CT"),
    ],
)
def test_what_no_label_flags_passes(lines: tuple[str, ...]) -> None:
    """The other gates are asked as under any recipe."""
    assert "CT" == run(recipe(*lines), header()).headers[0]._dataset.Modality


def test_a_whitelist_lets_nothing_through_that_another_gate_stops() -> None:
    """Nobody has looked at those pixels."""
    said = recipe("%filter whitelist", "LABEL a", "contains Modality US")
    with pytest.raises(Refusal) as caught:
        run(said, header(SOPClassUID=US, Modality="US"))

    assert caught.value.reason is Reason.BURNED_IN_RISK


def test_the_readme_of_the_language_is_one_file(tmp_path: Path) -> None:
    """A recipe from a file and the same text in memory are one recipe."""
    file = tmp_path / "x.dicom"
    file.write_text("FORMAT dicom\n%header\nKEEP PatientSex", "utf-8")

    assert recipe("KEEP PatientSex").digest == ck.load_recipe(file).digest
