"""A real Orthanc in DICOM's own protocol, set up as owners do: limits, titles, every encoding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

pytest.importorskip("pynetdicom")

from pydicom.uid import generate_uid

import cohortkit as ck
from cohortkit.dimse.address import Address
from cohortkit.dimse.get import Arrived, get
from cohortkit.dimse.link import Peer
from cohortkit.errors import ServerError, Unanswerable
from factory import Patient, Series, write_series
from servers.orthanc import running

pytestmark = pytest.mark.servers
NAMES = ["JPEG2000.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "JPEG-lossy.dcm"]
NAMES += ["MR_small_jpeg_ls_lossless.dcm", "examples_ybr_color.dcm", "rtplan.dcm", "image_dfl.dcm"]


def test_what_orthanc_cuts_is_asked_for_less(tmp_path: Path) -> None:
    """It ends in an error after as many as its owner allows; a patient is to be had."""
    for n in range(6):
        who = Patient(patient_id=f"P{n}", study_date=f"2021030{n + 1}")
        write_series(tmp_path / str(n), who, Series(slices=1))
    (tmp_path / "o").mkdir()
    with running(tmp_path / "o", LimitFindResults=3) as server:
        server.store(path for path in tmp_path.rglob("1-1-*"))
        index = ck.open_index(server.dimse)
        with pytest.raises(Unanswerable):
            index.search()
        assert 1 == len(index.search(PatientID="P5"))


def test_who_is_not_let_in_is_told_what_to_do(tmp_path: Path) -> None:
    """By Orthanc's own refusal."""
    with running(tmp_path, DicomCheckCalledAet=True) as server:
        peer = Peer(Address.of(server.dimse), tries=1)
        peer.echo()
        with pytest.raises(ServerError, match="another AE title"):
            replace(peer, address=replace(peer.address, called="OTHER")).echo()


def test_nothing_is_transcoded(tmp_path: Path) -> None:
    """Each object comes in the transfer syntax that it is stored in."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    expected, actual = {}, {}
    with running(tmp_path) as server:
        peer = Peer(Address.of(server.dimse))
        for name in NAMES:
            one = pydicom.dcmread(folder / name)
            one.StudyInstanceUID, one.SeriesInstanceUID = generate_uid(), generate_uid()
            one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            one.save_as(tmp_path / name)
            assert 1 == server.store([tmp_path / name])
            expected[name] = str(one.file_meta.TransferSyntaxUID)

            def keep(arrived: Arrived, name: str = name) -> None:
                came = pydicom.filebase.DicomBytesIO(arrived.meta + bytes(arrived.body))
                actual[name] = str(pydicom.dcmread(came).file_meta.TransferSyntaxUID)

            keys = {w: str(one[w].value) for w in ("StudyInstanceUID", "SeriesInstanceUID")}
            assert get(peer, keys, [str(one.SOPClassUID)], keep)
    assert expected == actual
