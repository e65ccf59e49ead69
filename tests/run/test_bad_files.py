"""Files that are broken, lie, or are none: written clean or refused by name, and nobody is told."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

import cohortkit as ck
from batches import planned, run
from factory import Patient, Series, instance
from promised import accounted, check_accounts

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

MARK = "Qzjvxw"
"""In every planted name, and in nothing else."""
Fault = Callable[[FileDataset], None]


def raw(ds: FileDataset, keyword: str, vr: str, value: bytes) -> None:
    """An element of these bytes, whatever the dictionary says of it."""
    value += b" " * (len(value) % 2)
    tag = Tag(keyword)
    if vr == "SQ":  # its items would be read before it is written
        vr = "OB"
        LATE[keyword] = (_head(tag, b"OB"), _head(tag, b"SQ"))
    ds._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)  # noqa: FBT003


def _head(tag: int, vr: bytes) -> bytes:
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + vr


def broken(length: int) -> bytes:
    """An item that says another length than it has, with a name in it."""
    name = f"{MARK}^Item".encode()
    element = b"\x10\0\x10\0PN" + len(name).to_bytes(2, "little") + name
    return b"\xfe\xff\0\xe0" + length.to_bytes(4, "little") + element


REFUSED = {
    "a name as rows": "unsupported-pixels",
    "rows of half a number": "unsupported-pixels",
    "a kept sequence cut off": "not-understood",
    "a kept sequence of text": "not-understood",
    "an item too short": "not-understood",
}
"""What cannot be written, with its reason; all else is clean."""
LATE: dict[str, tuple[bytes, bytes]] = {}
"""What is changed in the bytes of a file that was written."""
FAULTS: dict[str, Fault] = {
    "a name of 64 KB": lambda ds: raw(ds, "PatientName", "PN", (MARK * 11_000)[:65_500].encode()),
    "a hospital of 64 KB": lambda ds: raw(ds, "InstitutionName", "LO", (MARK * 9_000).encode()),
    "a name as bytes": lambda ds: raw(ds, "PatientName", "OB", MARK.encode()),
    "a name as a sequence": lambda ds: raw(ds, "PatientName", "SQ", MARK.encode()),
    "a name as a date": lambda ds: raw(ds, "StudyDate", "DA", MARK.encode()),
    "a name as a number": lambda ds: raw(ds, "SliceThickness", "DS", MARK.encode()),
    "a name as a code": lambda ds: raw(ds, "ScanOptions", "CS", f"{MARK}^Code".encode()),
    "a name as rows": lambda ds: raw(ds, "Rows", "LO", MARK.encode()),
    "rows of half a number": lambda _: halved("Rows"),
    "a name as a UID": lambda ds: raw(ds, "FrameOfReferenceUID", "UI", MARK.encode()),
    "a name as an age": lambda ds: raw(ds, "PatientAge", "AS", MARK.encode()),
    "a VR that there is not": lambda ds: unknown(ds, "Manufacturer"),
    "a sequence cut off": lambda ds: raw(ds, "RequestAttributesSequence", "SQ", broken(4_000)),
    "a kept sequence cut off": lambda ds: raw(ds, "AnatomicRegionSequence", "SQ", broken(4_000)),
    "a kept sequence of text": lambda ds: raw(ds, "DerivationCodeSequence", "SQ", MARK.encode()),
    "an item too short": lambda ds: raw(ds, "SourceImageSequence", "SQ", broken(3)),
    "no UTF-8 under UTF-8": lambda ds: raw(ds, "ProtocolName", "LO", MARK.encode() + b"\xe4\xff"),
    "a set that nobody knows": lambda ds: setattr(ds, "SpecificCharacterSet", "ISO_IR 9999"),
    "escapes into nowhere": lambda ds: raw(ds, "StationName", "SH", b"\x1b$B" + MARK.encode()),
}


def unknown(ds: FileDataset, keyword: str) -> None:
    """A VR of two letters that mean nothing."""
    raw(ds, keyword, "LO", MARK.encode())
    LATE[keyword] = (_head(Tag(keyword), b"LO"), _head(Tag(keyword), b"QZ"))


def halved(keyword: str) -> None:
    """A number of two bytes under a VR of four."""
    LATE[keyword] = (_head(Tag(keyword), b"US"), _head(Tag(keyword), b"UL"))


def noise(size: int) -> bytes:
    return np.random.default_rng(7).integers(0, 256, size, np.uint8).tobytes()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("one", f"PatientName {MARK}")
    return out.getvalue()


NO_DICOM: dict[str, bytes] = {
    "empty": b"",
    "text": f"PatientName: {MARK}^Text\n".encode() * 40,
    "zip": zipped(),
    "pdf": b"%PDF-1.4\n" + MARK.encode() * 50,
    "picture": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + MARK.encode() * 50,
    "zeros": b"\0" * 4_096,
    "noise": noise(5_000),
    "a head and text": b"\0" * 128 + b"DICM" + MARK.encode() * 100,
    "a head and noise": b"\0" * 128 + b"DICM" + noise(3_000),
    "a head alone": b"\0" * 128 + b"DICM",
    "json": f'{{"00100010": {{"vr": "PN", "Value": ["{MARK}"]}}}}'.encode(),
}

SILENT = ("empty", "zeros", "noise", "a head and noise", "a head alone")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series for each fault, one without any, and files that are no DICOM."""
    folder = tmp_path_factory.mktemp("bad") / "archive"
    folder.mkdir()
    for number, (name, fault) in enumerate([("sound", lambda _: None), *FAULTS.items()]):
        patient = Patient(f"{MARK}-{number:04d}", name=f"{MARK}^N{number}")
        ds = instance(patient, Series(slices=1, number=number), 0)
        LATE.clear()
        fault(ds)
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        data = out.getvalue()
        for before, after in LATE.values():
            assert before in data, name
            data = data.replace(before, after)
        (folder / f"{number:03d}").write_bytes(data)
    for number, data in enumerate(NO_DICOM.values()):
        (folder / f"other-{number}").write_bytes(data)
    (folder / "cut").write_bytes((folder / "000").read_bytes()[:700])
    return folder


def named(data: bytes) -> bool:
    """Whether a name is in bytes, in an encoding that is usual."""
    return any(MARK.encode(code) in data for code in ("utf-8", "utf-16-le", "utf-16-be"))


def test_what_is_broken_is_clean_or_refused_and_what_is_none_stays_none(
    archive: Path,
    tmp_path: Path,
    key: ck.Key,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One way or the other each object is accounted for; no name leaves, and none is printed."""
    plan = planned(archive, to=["dicom", "tables"])
    made = run(plan, tmp_path / "out", key, workers=2)

    accounted(made.release)
    instances = len(FAULTS) + 1
    check_accounts(made, instances)
    refused = made.refused().filter(pl.col("output") == "dicom")
    assert sorted(REFUSED.values()) == sorted(refused["reason"])
    written = sorted((made.release / "dicom").rglob("*.dcm"))
    assert instances - len(REFUSED) == len(written)
    for path in written:
        again = pydicom.dcmread(path)
        again.decode()
        assert "1.2.840.10008.5.1.4.1.1.2" == again.SOPClassUID
        assert again.SOPInstanceUID.startswith("2.25.")
    for path in made.release.rglob("*"):
        assert not named(str(path.relative_to(made.release)).encode())
        assert not path.is_file() or not named(path.read_bytes()), path
    shown = (*capfd.readouterr(), caplog.text, repr(plan), repr(made), str(made.refused()))
    assert not named("\n".join(shown).encode())


def test_the_names_are_there_to_be_seen(archive: Path) -> None:
    """Else the test above would prove nothing; files without one are those that hold no text."""
    silent = {path.name for path in archive.iterdir() if not named(path.read_bytes())}

    assert {"cut", *(f"other-{list(NO_DICOM).index(name)}" for name in SILENT)} == silent
