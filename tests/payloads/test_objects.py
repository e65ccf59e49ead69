"""Whole objects: which leave, with which of their pixels, and why others do not."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    JPEG2000,
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RawDataStorage,
    RLELossless,
    VideoPhotographicImageStorage,
)

from cohortkit.model import Reason, Status
from cohortkit.payloads.objects import assemble
from cohortkit.recipe.model import (
    Basis,
    FacePolicy,
    PixelAcceptance,
    PixelPolicy,
    PixelRisk,
    Recipe,
)
from cohortkit.sources.files import Files
from factory import Patient, Series, instance
from objects import deidentified, once, task_of, written
from released import chest, release

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
MARK = b"Quisling^Marjolein "
COMPRESSED = (
    "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_2frame.dcm",
    "color3d_jpeg_baseline.dcm",
    "examples_ybr_color.dcm",
    "693_J2KR.dcm",
    "JPEG-LL.dcm",
)


def permissive() -> Recipe:
    """Everything is accepted: here the question is what the bytes hold."""
    accepted = tuple(
        PixelAcceptance(frozenset(PixelRisk), "a test", modality=modality)
        for modality in ("CT", "MR", "OT", "US", "NM", "XA", "MG")
    )
    faces = FacePolicy(accept_heads=True, accept_unknown=True, reason="a test")
    return Recipe("t", Basis.GDPR_PSEUDONYMISED, pixels=PixelPolicy(accept=accepted), faces=faces)


def found(name: str, folder: Path) -> Path:
    """One of pydicom's files, with a patient where it has none."""
    source = get_testdata_file(name, download=False)
    assert source is not None
    dataset = pydicom.dcmread(source)
    dataset.PatientID = dataset.get("PatientID") or "P-1"
    dataset.Modality = dataset.get("Modality") or "OT"
    path = folder / "a.dcm"
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_pixels_go_through_in_their_own_syntax(name: str, tmp_path: Path) -> None:
    """Decoded alike, frame for frame, under the transfer syntax of the source."""
    path = found(name, tmp_path)

    before, after = pydicom.dcmread(path), pydicom.dcmread(once(path, permissive()))

    assert before.file_meta.TransferSyntaxUID == after.file_meta.TransferSyntaxUID
    np.testing.assert_array_equal(values(before), values(after))


def values(dataset: pydicom.Dataset) -> np.ndarray:
    """The decoded pixels, without a line of ours."""
    if dataset.file_meta.TransferSyntaxUID != JPEGLosslessSV1:
        return dataset.pixel_array
    frames = generate_frames(dataset.PixelData, number_of_frames=dataset.get("NumberOfFrames", 1))
    return np.stack([imagecodecs.ljpeg_decode(frame) for frame in frames]).squeeze()


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_a_clean_stream_is_passed_through_byte_for_byte(name: str, tmp_path: Path) -> None:
    """What hides nothing is not touched."""
    path = found(name, tmp_path)

    before, after = pydicom.dcmread(path), pydicom.dcmread(once(path, permissive()))

    assert before.PixelData == after.PixelData


def encoded(path: Path, stream: bytes, syntax: UID, **extra: object) -> Path:
    """A slice whose pixels are this stream."""
    dataset = instance(Patient(), Series(rows=48, columns=40, extra=dict(extra)), 0)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    return path


VALUES = np.random.default_rng(3).integers(0, 4096, (48, 40), dtype=np.uint16)
ENCODERS = {
    JPEG2000Lossless: lambda values: imagecodecs.jpeg2k_encode(
        values, codecformat="j2k", reversible=True, level=0
    ),
    JPEGLosslessSV1: lambda values: imagecodecs.ljpeg_encode(values, bitspersample=16),
    JPEGLSLossless: imagecodecs.jpegls_encode,
    RLELossless: lambda values: pydicom.pixels.encoders.RLELosslessEncoder.encode(
        values.tobytes(),
        rows=48,
        columns=40,
        bits_allocated=16,
        bits_stored=16,
        samples_per_pixel=1,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    ),
}


@pytest.mark.parametrize("syntax", ENCODERS, ids=lambda uid: uid.keyword)
def test_bits_that_no_sample_has_are_refused_where_they_cannot_be_cleared(
    syntax: UID, tmp_path: Path
) -> None:
    """A name drawn into the bits above High Bit of compressed pixels does not leave."""
    drawn = VALUES.copy()
    drawn[10:20, 5:30] |= 0x8000
    clean = encoded(tmp_path / "clean.dcm", bytes(ENCODERS[syntax](VALUES)), syntax)
    named = encoded(tmp_path / "named.dcm", bytes(ENCODERS[syntax](drawn)), syntax)

    np.testing.assert_array_equal(VALUES, values(pydicom.dcmread(once(clean))))
    made, refused = written(deidentified(named), tmp_path / "out")

    assert ([], [Reason.HIDDEN_BITS]) == (made, [one.reason for one in refused])


def test_bits_that_no_sample_has_are_cleared_in_native_pixels(tmp_path: Path) -> None:
    """An old overlay in the high bits, a name drawn into them: gone; the picture is the same."""
    dataset = instance(Patient(), Series(rows=48, columns=40), 0)
    dataset.PixelData = (VALUES | 0x4000).tobytes()
    dataset.save_as(tmp_path / "a.dcm")

    assert VALUES.tobytes() == pydicom.dcmread(once(tmp_path / "a.dcm")).PixelData


def test_text_in_a_stream_and_behind_it_does_not_leave(tmp_path: Path) -> None:
    """A comment in the stream and a name behind its end are taken away."""
    stream = bytes(imagecodecs.jpegls_encode(VALUES))
    comment = b"\xff\xfe" + (len(MARK) + 2).to_bytes(2, "big") + MARK
    path = encoded(tmp_path / "a.dcm", stream[:2] + comment + stream[2:] + MARK, JPEGLSLossless)

    made = once(path)

    assert MARK not in made.read_bytes()
    np.testing.assert_array_equal(VALUES, pydicom.dcmread(made).pixel_array)


@pytest.mark.parametrize(
    "sop_class",
    [EncapsulatedPDFStorage, RawDataStorage, VideoPhotographicImageStorage],
    ids=lambda uid: uid.keyword,
)
def test_what_nothing_here_reads_is_refused(sop_class: UID, tmp_path: Path) -> None:
    """Documents, raw data and video are not understood."""
    dataset = instance(Patient(), Series(sop_class=sop_class, modality="OT"), 0)
    dataset.save_as(tmp_path / "a.dcm")

    made, refused = written(deidentified(tmp_path / "a.dcm", recipe=permissive()), tmp_path / "o")

    assert ([], [Reason.UNREAD_CONTENT]) == (made, [one.reason for one in refused])


@pytest.mark.parametrize("syntax", [JPEG2000, UID("1.2.840.10008.1.2.4.100"), UID("1.2.3")])
def test_native_pixels_under_a_syntax_that_is_not_theirs_are_refused(
    syntax: UID, tmp_path: Path
) -> None:
    """A transfer syntax that lies or that nobody knows."""
    dataset = instance(Patient(), Series(), 0)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(tmp_path / "a.dcm")
    data = (tmp_path / "a.dcm").read_bytes()
    old, new = b"UI\x14\x001.2.840.10008.1.2.1\0", str(syntax).encode()
    new += b"\0" * (len(new) % 2)
    (tmp_path / "a.dcm").write_bytes(
        data.replace(old, b"UI" + len(new).to_bytes(2, "little") + new, 1)
    )

    made, refused = written(deidentified(tmp_path / "a.dcm"), tmp_path / "out")

    assert ([], [Reason.UNSUPPORTED_PIXELS]) == (made, [one.reason for one in refused])


def test_a_picture_without_pixels_is_refused(tmp_path: Path) -> None:
    """An image object is not valid without."""
    dataset = instance(Patient(), Series(), 0)
    del dataset.PixelData
    dataset.save_as(tmp_path / "a.dcm")

    _, refused = written(deidentified(tmp_path / "a.dcm"), tmp_path / "out")

    assert [Reason.NO_PIXELS] == [one.reason for one in refused]


# ── the same SOP Instance UID twice ──────────────────────────────────────────────────────────────


def pair(folder: Path, change: str) -> list[Path]:
    """Two files of one instance."""
    one, two = (instance(Patient(), Series(rows=48, columns=40), 0) for _ in range(2))
    one.PixelData = two.PixelData = VALUES.tobytes()
    if change == "pixels":
        two.PixelData = VALUES[::-1].tobytes()
    one.save_as(folder / "a.dcm")
    two.save_as(folder / "b.dcm")
    if change == "syntax":
        encoded(folder / "b.dcm", bytes(imagecodecs.jpegls_encode(VALUES)), JPEGLSLossless)
    return [folder / "a.dcm", folder / "b.dcm"]


@pytest.mark.parametrize("change", ["nothing", "syntax"])
def test_copies_are_written_once(change: str, tmp_path: Path) -> None:
    """Also where one of them is compressed: decoded they are the same."""
    made, refused = written(deidentified(*pair(tmp_path, change)), tmp_path / "out")

    assert (1, [(Reason.SAME_INSTANCE, Status.DUPLICATE)]) == (
        len(made),
        [(one.reason, one.status) for one in refused],
    )


def test_objects_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Two different objects with one UID: nothing says which of them references mean."""
    made, refused = written(deidentified(*pair(tmp_path, "pixels")), tmp_path / "out")

    assert ([], [Reason.UID_CONFLICT] * 2) == (made, [one.reason for one in refused])


def test_a_handle_that_does_not_say_how_pixels_lie_is_refused() -> None:
    """Pixels leave only where it is known what their bytes are."""
    refused = list(assemble(release(chest(1))))

    assert [Reason.UNSUPPORTED_PIXELS] == [one.reason for one in refused]


def test_pixels_say_how_they_lie_and_come_in_pieces(tmp_path: Path) -> None:
    """What the source hands over is what is passed through."""
    handle = Files().fetch(task_of(pair(tmp_path, "nothing")[:1]))[0].pixels
    assert handle is not None

    assert (handle.form.vr, handle.form.length) == ("OW", VALUES.nbytes)
    assert b"".join(handle.chunks()) == handle.read()
