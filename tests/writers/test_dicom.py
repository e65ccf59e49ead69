"""DICOM files: the released header and the source's pixels, and not a byte more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

import cohortkit.recipe
from cohortkit.dicom import splice
from cohortkit.errors import Refusal
from cohortkit.model import Object, PixelValue, Reason, Volume
from cohortkit.model.facts import PixelType
from cohortkit.pixels import hidden
from cohortkit.recipe.model import CODES, Basis, DatePolicy, Option, Recipe
from cohortkit.writers import writer
from cohortkit.writers.dicom import Dicom
from factory import Patient, Series, instance, pixels
from objects import deidentified, header_of, once, written
from planted import CHARACTER_SETS, PICTURE, SYNTAXES, TEXTS, Planted, attributes, plant, table

NATIVE = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
DATA = Path(cohortkit.recipe.__file__).parent / "data"
KEPT_BY = table(DATA / "table.csv")
TECHNICAL = {
    line.split(",")[0] for line in (DATA / "technical.csv").read_text("utf-8").splitlines()
}
KEYWORDS = [
    keyword
    for keyword in attributes(TEXTS | {"DA", "DT", "UI"})
    if keyword not in TECHNICAL
    and not re.match("SecondaryCapture|Hardcopy|DateOfSecondaryCapture", keyword)
]
"""What a CT may have: with signs of a capture it is refused, and there is no file to search."""
OPTIONS = (
    Option.RETAIN_MODIFIED_DATES,
    Option.RETAIN_PATIENT_CHARACTERISTICS,
    Option.RETAIN_DEVICE_IDENTITY,
    Option.RETAIN_SAFE_PRIVATE,
)
# what is planted breaks rules on purpose, and pydicom says so
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def saved(folder: Path, syntax: pydicom.uid.UID, index: int = 0, **extra: object) -> Path:
    """One slice of the factory's CT as a file of this transfer syntax."""
    dataset = instance(Patient(), Series(extra=dict(extra)), index)
    folder.mkdir(exist_ok=True)
    return save(dataset, folder / f"{index}.dcm", syntax)


def save(dataset: FileDataset, path: Path, syntax: pydicom.uid.UID) -> Path:
    """The data set as a file of this transfer syntax."""
    if syntax == ExplicitVRBigEndian and dataset.get("BitsAllocated") == 16:
        data = bytearray(dataset.PixelData)
        data[::2], data[1::2] = data[1::2], data[::2]
        dataset.PixelData = bytes(data)
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(
        path,
        dataset,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return path


def alike(one: Dataset, other: Dataset) -> None:
    """Two data sets hold the same, by pydicom's reading of both."""
    assert sorted(one.keys()) == sorted(other.keys())
    for tag in one.keys():  # noqa: SIM118 - iterating a Dataset yields elements
        left, right = one[tag], other[tag]
        assert left.VR == right.VR or {left.VR, right.VR} <= {"UN", "OB", "OW", "US", "SS"}
        if left.VR == "SQ":
            assert len(left.value) == len(right.value)
            for inner, outer in zip(left.value, right.value, strict=True):
                alike(inner, outer)
        else:
            assert left.value == right.value or (left.is_empty and right.is_empty)


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_what_is_written_is_the_released_header(syntax: pydicom.uid.UID, tmp_path: Path) -> None:
    """Read by pydicom, a file holds the released header, element for element, and the pixels."""
    path = saved(tmp_path, syntax)
    series = deidentified(path)

    (made,), refused = written(series, tmp_path / "out")

    assert refused == []
    read = pydicom.dcmread(made)
    assert pydicom.dcmread(path).pixel_array.tolist() == read.pixel_array.tolist()
    del read.PixelData
    alike(header_of(series), read)


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_the_file_meta_tells_the_truth_and_nothing_else(
    syntax: pydicom.uid.UID, tmp_path: Path
) -> None:
    """The transfer syntax is the source's, or explicit where it was deflated."""
    read = pydicom.dcmread(once(saved(tmp_path, syntax)))

    deflated = syntax == DeflatedExplicitVRLittleEndian
    assert read.file_meta.TransferSyntaxUID == (ExplicitVRLittleEndian if deflated else syntax)
    assert read.SOPInstanceUID == read.file_meta.MediaStorageSOPInstanceUID
    assert read.SOPClassUID == read.file_meta.MediaStorageSOPClassUID
    assert bytes(128) == read.preamble
    assert [0, 1, 2, 3, 0x10, 0x12, 0x13] == [tag.element for tag in read.file_meta.keys()]  # noqa: SIM118 - the same


def test_the_file_says_what_was_done(tmp_path: Path) -> None:
    """The statement of de-identification stands in the object."""
    read = pydicom.dcmread(once(saved(tmp_path, ExplicitVRLittleEndian)))

    assert read.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in read.DeidentificationMethodCodeSequence] == ["113100"]
    assert read.LongitudinalTemporalInformationModified == "REMOVED"
    assert read.SpecificCharacterSet == "ISO_IR 192"
    assert all(len(value) <= 64 for value in read.DeidentificationMethod)


def test_files_are_numbered_by_instance_number(tmp_path: Path) -> None:
    """Names are ordinals below the series' pseudonym: nothing of the header is in them."""
    paths = [saved(tmp_path, ExplicitVRLittleEndian, index) for index in (2, 0, 1)]

    made, _ = written(deidentified(*paths), tmp_path / "out")

    assert ["i0003.dcm", "i0001.dcm", "i0002.dcm"] == [path.name for path in made]
    assert {"r1"} == {path.parent.name for path in made}


def test_text_beyond_ascii_is_written_as_utf8(tmp_path: Path) -> None:
    """A kept text in a Latin character set reads the same, under the character set of the file."""
    dataset = instance(Patient(), Series(), 0)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ManufacturerModelName = "Größe 3"
    path = save(dataset, tmp_path / "a.dcm", ExplicitVRLittleEndian)

    made = once(path)

    assert pydicom.dcmread(made).ManufacturerModelName == "Größe 3"
    assert "Größe 3".encode() in made.read_bytes()


@given(
    keywords=st.lists(st.sampled_from(KEYWORDS), max_size=25, unique=True),
    syntax=st.sampled_from(SYNTAXES),
    characters=st.sampled_from(CHARACTER_SETS),
    options=st.lists(st.sampled_from(OPTIONS), unique=True),
)
def test_no_planted_identity_is_in_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    keywords: list[str],
    syntax: pydicom.uid.UID,
    characters: str,
    options: list[Option],
) -> None:
    """Whatever is planted wherever, no byte of the file shows it, and the picture is unharmed."""
    folder = tmp_path_factory.mktemp("planted")
    made, planted = through(folder, keywords, syntax, characters, options)

    assert planted.found(made.read_bytes()) == {}
    values = pydicom.dcmread(made).pixel_array.astype("<u2").tobytes()
    assert values == PICTURE


def through(
    folder: Path,
    keywords: list[str],
    syntax: pydicom.uid.UID,
    characters: str,
    options: list[Option],
) -> tuple[Path, Planted]:
    """A file with planted identities, on disk and through the library."""
    codes = {CODES[option][0] for option in options}
    removed = [keyword for keyword in keywords if not KEPT_BY.get(keyword, frozenset()) & codes]
    planted = plant(removed, syntax=syntax, character_set=characters, pixels=True)
    (folder / "a").write_bytes(planted.data)
    # shifts so far back that no moved date is by chance another planted one
    far = DatePolicy(-36_000, -30_000)
    said = Recipe("t", Basis.GDPR_PSEUDONYMISED, options=frozenset(options), dates=far)
    return once(folder / "a", said), planted


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_the_same_key_gives_the_same_bytes_and_another_none_in_common(
    syntax: pydicom.uid.UID, tmp_path: Path
) -> None:
    """Bytes depend on source, recipe and key alone; under another key no identifier is the same."""
    path = saved(tmp_path, syntax)
    first = once(path).read_bytes()

    assert first == once(path).read_bytes()
    other = pydicom.dcmread(once(path, secret=b"another secret, of 32 bytes, yes"))
    one = pydicom.dcmread(pydicom.filebase.DicomBytesIO(first))
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert one[keyword].value != other[keyword].value


def test_the_pixels_are_the_source_s_bytes(tmp_path: Path) -> None:
    """Native pixels go through as they are."""
    read = pydicom.dcmread(once(saved(tmp_path, ExplicitVRLittleEndian, 3)))

    assert pixels(Series(), 3).tobytes() == read.PixelData


def test_it_takes_objects_and_nothing_else(tmp_path: Path) -> None:
    """A volume is no object."""
    series = deidentified(saved(tmp_path, ExplicitVRLittleEndian))

    with pytest.raises(Refusal) as refused:
        Dicom().write(Volume.__new__(Volume), series, tmp_path, "r1")

    assert Reason.NO_PAYLOAD is refused.value.reason
    assert Dicom() == writer("dicom")


def test_sabotage_a_file_meta_that_is_passed_on_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: the source's own file meta in front of the object is seen by the leak test."""
    planted = plant([], pixels=True)
    head = planted.data[: planted.data.index(b"\x08\0\x05\0")]
    monkeypatch.setattr(splice, "preamble_and_meta", lambda *_: head)

    made, again = through(tmp_path, [], ExplicitVRLittleEndian, "ISO_IR 192", [])

    assert {"meta/AE", "meta/private", "preamble"} <= set(again.found(made.read_bytes()).values())


def test_sabotage_pixels_that_are_passed_on_unseen_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: without cut and mask, what stands behind the last pixel leaves and is seen."""
    monkeypatch.setattr(hidden, "length", lambda _, found: found)
    monkeypatch.setattr(hidden, "_cleared", lambda data, *_, **__: data)

    made, planted = through(tmp_path, [], ExplicitVRLittleEndian, "ISO_IR 192", [])

    assert {"behind the pixels"} == set(planted.found(made.read_bytes()).values())


def test_a_file_is_the_same_alone_and_among_others(tmp_path: Path) -> None:
    """What is remembered of the files before makes no difference to a file."""
    paths = [saved(tmp_path, ExplicitVRLittleEndian, index) for index in range(3)]
    paths.append(saved(tmp_path / "other", ExplicitVRLittleEndian, 3, PatientSex="M", KVP="80.0"))
    company, _ = written(deidentified(*paths), tmp_path / "company")

    for number, path in enumerate(paths):
        (alone,), _ = written(deidentified(path), tmp_path / f"alone{number}")
        assert alone.read_bytes() == company[number].read_bytes()


def test_pixels_that_are_cut_off_make_no_object(tmp_path: Path) -> None:
    """A file that ends before its pixels do is refused, and nothing of it is on disk."""
    path = saved(tmp_path, ExplicitVRLittleEndian)
    path.write_bytes(path.read_bytes()[:-20])

    made, refused = written(deidentified(path), tmp_path / "out")

    assert ([], [Reason.PIXEL_LENGTH]) == (made, [one.reason for one in refused])
    assert not list((tmp_path / "out").rglob("*"))


def test_half_an_object_is_not_left_behind(tmp_path: Path) -> None:
    """Pixels that turn out to be refused while they are written take the file away again."""

    def chunks() -> Iterator[bytes]:
        yield b"ab"
        raise Refusal(Reason.PIXEL_LENGTH)

    series = deidentified(saved(tmp_path, ExplicitVRLittleEndian))
    half = Object(0, pixels=PixelValue(PixelType.INTEGER, "OW", 4, chunks))

    with pytest.raises(Refusal):
        Dicom().write(half, series, tmp_path / "out", "r1")

    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_dummy_is_one_in_every_file(tmp_path: Path) -> None:
    """What is remembered of a value is also that it stands for nothing."""
    paths = []
    for index in range(2):
        dataset = instance(Patient(), Series(), index)
        dataset.UnformattedTextValue = "Quisling"
        paths.append(save(dataset, tmp_path / f"{index}.dcm", ExplicitVRLittleEndian))

    first, second = deidentified(*paths).headers

    assert first.is_dummy("UnformattedTextValue")
    assert second.is_dummy("UnformattedTextValue")
    assert second.get("UnformattedTextValue") is None


def test_who_made_a_private_element_is_asked_in_every_file(tmp_path: Path) -> None:
    """The same private tag and value by another hand is another element."""
    paths = []
    for index, creator in enumerate(["SIEMENS MR HEADER", "QUISLING MR HEADER"]):
        dataset = instance(Patient(), Series(), index)
        dataset.private_block(0x0019, creator, create=True).add_new(0x0C, "IS", "1000")
        paths.append(save(dataset, tmp_path / f"{index}.dcm", ExplicitVRLittleEndian))
    safe = frozenset({Option.RETAIN_SAFE_PRIVATE})
    said = Recipe("t", Basis.GDPR_PSEUDONYMISED, options=safe)

    made, _ = written(deidentified(*paths, recipe=said), tmp_path / "out")

    kept = [0x0019100C in pydicom.dcmread(path) for path in made]
    assert [True, False] == kept
    assert pydicom.dcmread(made[0])[0x00190010].value == "SIEMENS MR HEADER"
    assert b"QUISLING" not in made[1].read_bytes()
