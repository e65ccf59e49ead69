"""``ck.compat.deid_apply`` gives what deid gives, and nothing that exports can take it."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import cohortkit as ck
from cohortkit.errors import RecipeError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deid's imports are its own affair
    from deid.dicom import fields as deid_fields
    from deid.dicom import parser as deid_parser
    from deid.logger import bot

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:pydicom"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:deid"),
]

FILES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "JPEG2000.dcm",
    "color-pl.dcm",
    "test-SR.dcm",
    "rtplan.dcm",
)
UIDS = "1.2.3.4"


# ── the other side ───────────────────────────────────────────────────────────────────────────────


def deid(ds: Dataset, recipe: Path, item: dict[str, Any], *, remove_private: bool) -> Dataset:
    """What deid itself makes of it."""
    bot.level = 0
    deid_fields._get_fields_inner.cache_clear()
    with contextlib.redirect_stdout(io.StringIO()):
        parser = deid_parser.DicomParser(ds, recipe=str(recipe))
        for name, value in item.items():
            parser.define(name, value)
        parser.parse(remove_private=remove_private)
    return parser.dicom


def plain(ds: Dataset) -> list[tuple[object, ...]]:
    """A dataset as plain data, so that two can be compared at every depth."""
    return [_plain(element) for element in ds]


def _plain(element: DataElement) -> tuple[object, ...]:
    value = element.value
    if isinstance(value, Sequence):
        return (int(element.tag), element.VR, [plain(item) for item in value])
    return (int(element.tag), element.VR, type(value).__name__, repr(value))


@contextlib.contextmanager
def written(*lines: str, name: str = "x.dicom") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text("\n".join(["FORMAT dicom", *lines]) + "\n", "utf-8")
        yield path


def sample(syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Sequences in sequences, private elements at two depths, dates, odd values."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"{UIDS}.1"
    ds.StudyDate, ds.SeriesDate, ds.StudyTime = "20200229", "", "101112.5"
    ds.AcquisitionDateTime = "20200229101112.000000"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.PatientName, ds.PatientID = "Müller^Jörg", "JM-77"
    ds.PatientComments = "Jörg Müller, JM-77"
    ds.StudyInstanceUID = f"{UIDS}.2"
    ds.Rows, ds.PatientWeight, ds.PixelRepresentation = 7, "71.5", 1
    ds.SmallestImagePixelValue = -5
    ds.add_new(0x00090010, "LO", "ACME 1.1")
    ds.add_new(0x00091002, "LO", "JM-77")
    ds.add_new(0x0009100A, "UN", b"bytes")
    inner, item = Dataset(), Dataset()
    inner.CodeValue, inner.CodeMeaning, inner.PatientID = "C-1", "JM-77", "JM-78"
    inner.add_new(0x00110010, "LO", "ACME 1.1")
    inner.add_new(0x00111002, "LO", "nested")
    item.ProcedureCodeSequence = [inner, Dataset()]
    item.ReferencedSOPInstanceUID, item.StudyDate = f"{UIDS}.3", "19991231"
    ds.RequestAttributesSequence = [item]
    ds.OtherPatientIDsSequence = []
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.ImplementationVersionName = "V1"
    ds.file_meta.SourceApplicationEntityTitle = "HOSPITAL"
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def tagger(item: object, value: object, field: Any, dicom: Dataset) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    """A function that looks at the element, at the dataset as it is, and at the lookup."""
    said = field if isinstance(field, str) else f"{field.name}|{field.uid}|{field.tag}"
    return f"{said}|{len(dicom)}|{dicom.get('PatientID')}|{value}"[:60]


def dated(item: object, value: object, field: Any, dicom: Dataset) -> bool:  # noqa: ANN401, ARG001 - as deid calls it
    return bool(field.element.VR in {"DA", "LO"})


ITEM = {"who": "P-1", "days": 10, "tagger": tagger, "dated": dated}
SAMPLES = {syntax: sample(syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)}


def both(
    data: bytes,
    recipe: Path,
    *,
    remove_private: bool = False,
    **more: Any,  # noqa: ANN401 - variables
) -> tuple[Dataset, Dataset]:
    """Deid's result and ours."""
    item = ITEM | more
    theirs = deid(pydicom.dcmread(io.BytesIO(data)), recipe, item, remove_private=remove_private)
    source = pydicom.dcmread(io.BytesIO(data))
    ours = ck.compat.deid_apply(source, recipe, item=item, remove_private=remove_private)
    assert plain(pydicom.dcmread(io.BytesIO(data))) == plain(source)
    return theirs, ours


def equal(data: bytes, recipe: Path, *, remove_private: bool = False) -> None:
    theirs, ours = both(data, recipe, remove_private=remove_private)
    assert plain(theirs) == plain(ours)
    assert plain(theirs.file_meta) == plain(ours.file_meta)


# ── recipes drawn from the whole language ────────────────────────────────────────────────────────

NAMES = st.sampled_from(
    [
        "PatientID", "patientid", "Patient ID", "(0010,0020)", "00100020", "StudyDate",
        "SeriesDate", "StudyInstanceUID", "AcquisitionDateTime", "StudyTime", "Rows",
        "PatientWeight", "PixelRepresentation", "SpecificCharacterSet", "Mispelt",
        "ImplementationVersionName",
        "RequestAttributesSequence", "OtherPatientIDsSequence", "PatientName", "ImageType",
        "RequestAttributesSequence__StudyDate", "(0040,0275)__0__(0008,0020)",
        "RequestAttributesSequence__ProcedureCodeSequence__CodeMeaning",
        '(0009,"ACME 1.1",02)', '0011,"ACME 1.1",02', "(0009,0010)", "TransferSyntaxUID",
    ]
)  # fmt: skip
EXPANDERS = st.sampled_from(
    [
        "contains:Date", "contains:UID", "startswith:Patient", "endswith:ID", "endswith:Time",
        "contains:patient's", "except:Patient|UID|Sequence|Rows|Pixel|Image", "select:VR:LO",
        "select:vr:da", "select:GROUP:0x0009", "select:group:0010", "all", "ALL",
        'contains:"ACME 1.1"', "contains:^0008", "contains:Creator", "foo:Patient", "contains:code",
        "values:known", "fields:some", "values:nothing", "select:VR:UI", "contains:__",
    ]
)  # fmt: skip
FIELDS = NAMES | EXPANDERS
GIVEN = st.sampled_from(
    [
        "NEW", "7", "20010203", "var:who", "var:absent", "func:tagger", "func:absent",
        "deid_func:jitter days=3 years=1", "deid_func:pydicom_uuid", "deid_func:absent", "a # b",
    ]
)  # fmt: skip
DAYS = st.sampled_from(["31", "-1", "var:days", "var:absent", "0"])
ADDED = st.sampled_from(
    ["PatientID", "PatientAge", "Rows", "SourceApplicationEntityTitle", "00100040", "StudyDate"]
)
LINES = st.one_of(
    st.builds("REMOVE {}".format, FIELDS),
    st.builds("REMOVE {} func:dated".format, FIELDS),
    st.builds("REMOVE {} # why".format, NAMES),
    st.builds("BLANK {}".format, FIELDS),
    st.builds("KEEP {}".format, FIELDS),
    st.builds("REPLACE {} {}".format, FIELDS, GIVEN),
    st.builds("JITTER {} {}".format, FIELDS, DAYS),
    st.builds("ADD {} {}".format, ADDED, GIVEN),
    st.builds("REMOV {}".format, NAMES),
)
LISTS = (
    "%values known",
    "FIELD PatientID",
    'SPLIT PatientName by="^";minlength=4',
    "%fields some",
    "FIELD contains:Date",
    "FIELD RequestAttributesSequence__ReferencedSOPInstanceUID",
)


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(LINES, min_size=1, max_size=6),
    data=st.sampled_from([*SAMPLES.values()]),
    remove_private=st.booleans(),
)
def test_any_recipe_does_what_deid_does(
    lines: list[str],
    data: bytes,
    remove_private: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever the lines, in whatever order: where deid does not crash, the results are equal."""
    with written(*LISTS, "%header", *lines) as recipe, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = pydicom.dcmread(io.BytesIO(data))
        try:
            theirs = deid(source, recipe, dict(ITEM), remove_private=remove_private)
            expected = plain(theirs), plain(theirs.file_meta)
        except Exception:  # noqa: BLE001 - deid does not survive it
            reject()
        ours = ck.compat.deid_apply(
            pydicom.dcmread(io.BytesIO(data)), recipe, item=ITEM, remove_private=remove_private
        )

    assert expected == (plain(ours), plain(ours.file_meta))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("remove_private", [False, True])
def test_the_default_recipe_on_real_files(name: str, remove_private: bool) -> None:  # noqa: FBT001 - a parameter
    """Deid's own default recipe on real objects: equal, file meta too, and the source unchanged."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    theirs = deid(pydicom.dcmread(path), Path("dicom"), {}, remove_private=remove_private)
    source = pydicom.dcmread(path)
    ours = ck.compat.deid_apply(source, remove_private=remove_private)

    assert (plain(theirs), plain(theirs.file_meta)) == (plain(ours), plain(ours.file_meta))
    assert plain(pydicom.dcmread(path)) == plain(source)


def test_a_tree_on_which_deid_crashes_is_changed_like_any_other() -> None:
    """A sequence that holds itself (any structured report) loses what a line removes."""
    path = get_testdata_file("test-SR.dcm", download=False)
    assert isinstance(path, str)
    with written("%header", "REMOVE ContentSequence") as recipe:
        with pytest.raises(AttributeError):
            deid(pydicom.dcmread(path), recipe, {}, remove_private=False)
        ours = ck.compat.deid_apply(pydicom.dcmread(path), recipe)

    assert "ContentSequence" in pydicom.dcmread(path)
    assert "ContentSequence" not in ours


def test_the_result_can_be_written_and_read() -> None:
    """What comes back is a dataset like the one that was read."""
    with written("%header", "REPLACE PatientName X^Y") as recipe:
        ours = ck.compat.deid_apply(
            pydicom.dcmread(io.BytesIO(SAMPLES[ExplicitVRLittleEndian])), recipe
        )
    out = io.BytesIO()
    ours.save_as(out)
    out.seek(0)

    assert plain(ours) == plain(pydicom.dcmread(out))


def test_a_recipe_that_changes_is_read_again() -> None:
    """A file is compiled once, and again when it has changed."""
    data = SAMPLES[ExplicitVRLittleEndian]
    with written("%header", "REMOVE PatientID") as recipe:
        first = ck.compat.deid_apply(pydicom.dcmread(io.BytesIO(data)), recipe)
        recipe.write_text("FORMAT dicom\n%header\nREMOVE PatientName\nREMOVE Rows\n", "utf-8")
        second = ck.compat.deid_apply(pydicom.dcmread(io.BytesIO(data)), recipe)

    assert ("PatientID" in first, "PatientID" in second) == (False, True)


def test_a_compiled_recipe_is_the_same() -> None:
    """Compiled once by the caller, or found by its path: one result."""
    data = SAMPLES[ExplicitVRLittleEndian]
    with written("%header", "BLANK contains:Date") as recipe:
        by_path = ck.compat.deid_apply(pydicom.dcmread(io.BytesIO(data)), recipe)
        compiled = ck.compat.deid_recipe(recipe)
    again = ck.compat.deid_apply(pydicom.dcmread(io.BytesIO(data)), compiled)

    assert plain(by_path) == plain(again)


def test_no_recipe_of_that_name_is_an_error() -> None:
    """Deid goes on without a recipe that is not there; this does not."""
    with pytest.raises(RecipeError, match="no such file"):
        ck.compat.deid_apply(Dataset(), "absent.dicom")


def test_a_recipe_that_ends_deid_ends_nothing_here() -> None:
    """Where deid leaves the process, this raises."""
    with written("%nonsense") as recipe, pytest.raises(RecipeError, match="nonsense"):
        ck.compat.deid_apply(Dataset(), recipe)


def test_it_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Deid tells its warnings, values among them, on the screen."""
    with written("%header", "NONSENSE", "REPLACE Rows x", "REPLACE PatientID var:no") as recipe:
        ck.compat.deid_apply(pydicom.dcmread(io.BytesIO(SAMPLES[ExplicitVRLittleEndian])), recipe)

    assert ("", "") == tuple(capfd.readouterr())
