"""NIfTI: what is written reads back, the header holds the allow-list only, bytes never differ."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cohortkit.errors import Refusal, UsageError
from cohortkit.model import COLOUR, Accepted, Artifact, DeidentifiedSeries, Frames, Reason, Volume
from cohortkit.payloads.volume import assemble
from cohortkit.recipe.file import load_recipe
from cohortkit.writers import writer
from cohortkit.writers.gzipped import gzipped, packed
from cohortkit.writers.nifti import Nifti, file_of, header
from factory import Patient, Series, instance
from grids import changed, moved, series, slices
from released import chest, release

OBLIQUE = np.array(
    [
        [-0.7, 0.01, 0.2, 80.0],
        [0.02, -0.8, 1.0, 100.0],
        [0.06, 0.35, 2.3, -30.0],
        [0, 0, 0, 1.0],
    ]
)


def upright(spacing: Sequence[float] = (0.75, 1.5, 2.0)) -> np.ndarray:
    turned = np.linalg.qr(OBLIQUE[:3, :3])[0]
    affine = np.eye(4)
    affine[:3, :3] = turned * np.array(spacing)
    affine[:3, 3] = OBLIQUE[:3, 3]
    return affine


@pytest.fixture(scope="module")
def ct() -> DeidentifiedSeries:
    return release(chest(4))


def volume(**changes: object) -> Volume:
    values = np.arange(60, dtype=np.int16).reshape(3, 5, 4).T
    return replace(Volume(values, upright(), (0, 1, 2)), **changes)  # type: ignore[arg-type]  # any fields


def written(
    made: Volume, ct: DeidentifiedSeries, folder: Path, options: Nifti | None = None
) -> tuple[Path, list[Artifact]]:
    artifacts = (options or Nifti()).write(made, ct, folder, "rstem")
    return folder / artifacts[0].path, artifacts


def test_reads_back_by_nibabel_and_simpleitk(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """Two readers that share no code: the same values at the same places."""
    (made,) = assemble(ct)
    assert isinstance(made, Volume)
    path, _ = written(made, ct, tmp_path)
    image = nib.load(path)
    assert np.array_equal(np.asarray(made), np.asarray(image.dataobj))
    assert np.allclose(made.affine, image.affine, atol=1e-5)
    other = SimpleITK.ReadImage(str(path))
    assert np.array_equal(np.asarray(made).T, SimpleITK.GetArrayFromImage(other))
    lps = other.TransformIndexToPhysicalPoint((3, 2, 1))
    ras = made.affine @ [3, 2, 1, 1]
    assert pytest.approx([-ras[0], -ras[1], ras[2]], abs=1e-4) == lps


@given(
    arrays.arrays(
        st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"]),
        arrays.array_shapes(min_dims=3, max_dims=4, min_side=2, max_side=5),
        elements={"allow_nan": False, "allow_infinity": False, "allow_subnormal": False},
    )
)
def test_every_type_and_shape(values: np.ndarray) -> None:
    """Three and four dimensions of every type: bit for bit, in any memory layout."""
    for held in (values, np.asfortranarray(values)):
        made = Volume(held, upright(), (0,))
        data = b"".join(bytes(chunk) for chunk in file_of(made))
        image = nib.Nifti1Image.from_bytes(data)
        assert values.tobytes() == np.ascontiguousarray(image.dataobj.get_unscaled()).tobytes()
        assert np.allclose(made.affine, image.affine, atol=1e-4)


def test_header_is_an_allow_list() -> None:
    """Fields outside the list are zero; the description is the program's name and nothing else."""
    made = volume(slope=0.5, intercept=-3.0)
    raw = header(made)
    assert len(raw) == 352
    image = nib.Nifti1Header.from_fileobj(__import__("io").BytesIO(raw))
    for name in ("aux_file", "intent_name", "db_name", "data_type"):
        assert image[name].item() == b""
    for name in ("intent_code", "slice_code", "toffset", "cal_max", "slice_duration", "extents"):
        assert float(image[name]) == 0.0
    assert image["descrip"].item() == b"cohortkit 0.1"
    assert (1, 1) == (int(image["sform_code"]), int(image["qform_code"]))
    assert ("mm", "sec") == image.get_xyzt_units()
    assert (0.5, -3.0) == (float(image["scl_slope"]), float(image["scl_inter"]))
    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-4)


def test_gzip_member_tells_nothing(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """One member, no name, no time, no operating system."""
    path, _ = written(volume(), ct, tmp_path)
    data = path.read_bytes()
    assert b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" == data[:10]
    unpacked = zlib.decompressobj(31)
    unpacked.decompress(data)
    assert unpacked.unused_data == b""


@given(st.lists(st.binary(max_size=2000), max_size=6), st.integers(1, 9))
def test_gzip_is_gzip(chunks: list[bytes], level: int) -> None:
    """Any chunks, any level: the standard reader gives them back; twice gives the same bytes."""
    packed = b"".join(gzipped(chunks, level))
    assert b"".join(chunks) == gzip.decompress(packed)
    assert b"".join(gzipped(chunks, level)) == packed


@given(
    st.binary(min_size=1, max_size=400),
    st.integers(1, 70_000),
    st.integers(1, 9),
    st.sampled_from([1, 40, 256]),
)
def test_gzip_in_one_piece_is_gzip(head: bytes, count: int, level: int, most: int) -> None:
    """One member, whatever it holds, also where nothing can be packed; the same bytes each time."""
    body = np.random.default_rng(count).integers(0, most, count).astype(np.uint8)

    made = b"".join(packed(head, body, level))

    inflater = zlib.decompressobj(31)
    assert head + body.tobytes() == inflater.decompress(made)
    assert (True, b"") == (inflater.eof, inflater.unused_data)
    assert b"".join(packed(head, body, level)) == made


def test_a_turned_volume_and_one_in_place_hold_the_same(
    ct: DeidentifiedSeries, tmp_path: Path
) -> None:
    """However the voxels lie in memory."""
    values = np.arange(60, dtype=np.int16).reshape(5, 4, 3).T
    for name, one in (("c", values), ("f", np.ascontiguousarray(values))):
        (tmp_path / name).mkdir()
        path, _ = written(volume(values=one), ct, tmp_path / name, Nifti())
        np.testing.assert_array_equal(values, np.asarray(nib.load(path).dataobj))


def test_the_level_does_what_it_says(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """Higher levels are not larger, on values that look like a CT."""
    rng = np.random.default_rng(3)
    smooth = np.cumsum(rng.integers(-3, 4, (64, 64, 8)), axis=0).astype(np.int16)
    sizes = []
    for level in (1, 2, 6):
        folder = tmp_path / str(level)
        folder.mkdir()
        path, _ = written(volume(values=smooth), ct, folder, Nifti(level=level))
        sizes.append(path.stat().st_size)
    assert sorted(sizes, reverse=True) == sizes


def test_same_bytes_and_digests(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """Twice the same; the artifacts say the digests, sizes and shapes of what lies there."""
    import hashlib  # noqa: PLC0415 - beside its use

    folders = [tmp_path / name for name in "ab"]
    both = []
    for folder in folders:
        folder.mkdir()
        both.append(written(volume(part="_e2"), ct, folder)[1])
    assert both[0] == both[1]
    assert ["rstem_e2.nii.gz", "rstem_e2.json"] == [one.path for one in both[0]]
    for one in both[0]:
        data = (folders[0] / one.path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (one.sha256, one.size)
    image = both[0][0]
    assert ((4, 5, 3), "int16", (0.75, 1.5, 2.0)) == (image.shape, image.dtype, image.spacing)


def test_a_lone_slice_is_refused_unless_asked_for(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """By name, before anything is written."""
    lone = volume(values=np.zeros((4, 5, 1), np.int16))
    with pytest.raises(Refusal) as caught:
        written(lone, ct, tmp_path)
    assert Reason.SINGLE_SLICE is caught.value.reason
    assert [] == list(tmp_path.iterdir())
    path, _ = written(lone, ct, tmp_path, Nifti(single="keep-2d"))
    assert (4, 5, 1) == nib.load(path).shape


def test_tilt_is_refused_unless_asked_for(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """By name and with its degrees; asked for, the affine is sheared and the qform says nothing."""
    sheared = upright()
    sheared[:3, 2] += sheared[:3, 1] * 0.4
    with pytest.raises(Refusal) as caught:
        written(volume(affine=sheared), ct, tmp_path)
    assert Reason.TILT is caught.value.reason
    assert pytest.approx(16.7, abs=0.1) == caught.value.numbers["degrees"]
    path, _ = written(volume(affine=sheared), ct, tmp_path, Nifti(tilt="affine", compress=False))
    image = nib.load(path)
    assert np.allclose(sheared, image.affine, atol=1e-5)
    assert int(image.header["qform_code"]) == 0


def test_a_tilted_gantry_reaches_the_writer() -> None:
    """Evenly sheared slices assemble with their shear, and it is the writer's to refuse."""
    from cohortkit.payloads.volume import volumes  # noqa: PLC0415 - beside its use

    tilted = [moved(one, y=0.6 * k) for k, one in enumerate(slices(5))]
    (made,) = volumes(*series(tilted))
    assert isinstance(made, Volume)
    with pytest.raises(Refusal) as caught:
        Nifti().check(made)
    assert Reason.TILT is caught.value.reason
    Nifti(tilt="affine").check(made)


@pytest.mark.parametrize(
    "values", [np.zeros((2, 2, 2), np.int64), np.zeros((2, 2, 2), np.complex64)]
)
def test_a_type_without_an_exact_place_is_refused(values: np.ndarray) -> None:
    """Nothing is cast on the way."""
    with pytest.raises(Refusal) as caught:
        Nifti().check(volume(values=values))
    assert Reason.UNSUPPORTED_PIXELS is caught.value.reason


def test_colour_reads_back(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """RGB24, bit for bit; without the policy it is refused."""
    values = np.random.default_rng(1).integers(0, 256, (3, 5, 4, 3), np.uint8)
    made = volume(values=values.view(COLOUR)[..., 0].T)
    with pytest.raises(Refusal) as caught:
        written(made, ct, tmp_path)
    assert Reason.NOT_GREY is caught.value.reason
    path, artifacts = written(made, ct, tmp_path, Nifti(colour="rgb"))
    image = nib.load(path)
    assert np.array_equal(made.values, np.asanyarray(image.dataobj).astype(COLOUR))
    assert np.allclose(made.affine, image.affine, atol=1e-4)
    assert (4, 5, 3) == artifacts[0].shape
    read = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))
    assert np.array_equal(values, read)


def test_what_lies_nowhere_says_so(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """Neither sform nor qform: a reader must not think that it knows a place."""
    path, _ = written(volume(placed=False), ct, tmp_path, Nifti(unplaced="keep"))
    image = nib.load(path)
    assert (0, 0) == (int(image.header["sform_code"]), int(image.header["qform_code"]))
    assert (0.75, 1.5, 2.0) == image.header.get_zooms()


def test_an_axis_too_long_for_the_format_is_refused() -> None:
    """NIfTI-1 counts to 32767."""
    with pytest.raises(Refusal) as caught:
        Nifti().check(volume(values=np.zeros((2, 2, 32768), np.uint8)))
    assert Reason.TOO_LARGE is caught.value.reason


def test_frames_are_not_for_this_writer(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """A payload of another kind."""
    with pytest.raises(Refusal):
        Nifti().write(Frames.__new__(Frames), ct, tmp_path, "r")


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 0},
        {"level": 10},
        {"level": True},
        {"single": "keep"},
        {"tilt": "average"},
        {"spacing": "average"},
        {"missing": "fill"},
    ],
)
def test_wrong_options_are_told_at_once(wrong: dict[str, object]) -> None:
    """Before a plan is made."""
    with pytest.raises(UsageError):
        Nifti(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_short_names() -> None:
    """Every output by its short name; unknown ones and classes are refused."""
    assert Nifti() == writer("nifti")
    for name in ("nifti", "png", "tables"):
        assert name == writer(name).name
    for wrong in ("nrrd", Nifti, 3):
        with pytest.raises(UsageError):
            writer(wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_sidecar_is_an_allow_list_in_bids_terms(tmp_path: Path) -> None:
    """Seconds and tesla; no name, no date, no time of day, no description, no UID."""
    patient = Patient()
    extra = {
        "EchoTime": 30,
        "RepetitionTime": 2000,
        "MagneticFieldStrength": 3,
        "FlipAngle": 75,
        "AcquisitionTime": "081422.123000",
        "ImageComments": f"for {patient.name}",
        "ScanningSequence": "EP",
        "InPlanePhaseEncodingDirection": "COL",
    }
    plan = Series(sop_class="1.2.840.10008.5.1.4.1.1.4", modality="MR", slices=3, extra=extra)
    released = release([instance(patient, plan, n) for n in range(3)])
    (made,) = assemble(released)
    assert isinstance(made, Volume)
    _, artifacts = written(made, released, tmp_path)
    text = (tmp_path / artifacts[1].path).read_text("utf-8")
    said = json.loads(text)
    assert (0.03, 2, 3, 75) == tuple(
        said[name] for name in ("EchoTime", "RepetitionTime", "MagneticFieldStrength", "FlipAngle")
    )
    assert ("EP", "j") == (said["ScanningSequence"], said["PhaseEncodingAxis"])
    assert "113100" in [one["CodeValue"] for one in said["DeidentificationMethodCodeSequence"]]
    for value in (*patient.planted(), "0814", "Quisling", "1.2.826"):
        assert value.lower() not in text.lower()


@pytest.mark.parametrize(
    "keyword", ["EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "SliceThickness"]
)
def test_a_figure_that_the_recipe_removes_is_stated_nowhere(keyword: str, tmp_path: Path) -> None:
    """Assembly reads it, so that the volume is the same; the sidecar does not give it away."""
    figures = {"EchoTime": 30, "RepetitionTime": 2000, "InversionTime": 900, "FlipAngle": 75}
    plan = Series(sop_class="1.2.840.10008.5.1.4.1.1.4", modality="MR", slices=3, extra=figures)
    head = 'format = 1\ntitle = "t"\nbasis = "expert-determination"\nprofile = "basic"\n'
    rule = f'{head}[[rules]]\nkeyword = "{keyword}"\nreason = "as the office asks"\naction = '
    texts = []
    for name, action in (("kept", "keep"), ("gone", "remove")):
        (tmp_path / f"{name}.toml").write_text(f'{rule}"{action}"\n')
        released = release(
            [instance(Patient(), plan, n) for n in range(3)],
            load_recipe(tmp_path / f"{name}.toml"),
        )
        (made,) = assemble(released)
        assert isinstance(made, Volume)
        _, artifacts = written(made, released, tmp_path)
        texts.append((tmp_path / artifacts[1].path).read_text("utf-8"))
    kept, gone = map(json.loads, texts)

    assert {keyword} == kept.keys() - gone.keys()


def test_b_values_that_the_recipe_removes_are_not_written(
    ct: DeidentifiedSeries, tmp_path: Path
) -> None:
    """Neither them nor the directions that mean nothing without them."""
    made = volume(values=np.zeros((2, 2, 2, 2), np.int16), b_values=(0.0, 1000.0))
    silent = replace(ct, withheld=frozenset({"DiffusionBValue"}))

    assert ["image", "sidecar"] == [one.role for one in written(made, silent, tmp_path)[1]]


def test_every_key_is_a_keyword_or_a_term(ct: DeidentifiedSeries) -> None:
    """So that the search before publication knows a key from a patient's name."""
    from pydicom.datadict import tag_for_keyword  # noqa: PLC0415 - beside its use

    from cohortkit.model.terms import TERMS  # noqa: PLC0415 - beside its use
    from cohortkit.writers import sidecar  # noqa: PLC0415 - beside its use

    first = replace(ct.facts.instances[0], phase_row=True, phase_positive=True)
    facts = replace(ct.facts, instances=(first, *ct.facts.instances[1:]))
    said = [
        json.loads(sidecar.sidecar(made, replace(ct, facts=facts)))
        for made in (
            volume(repetition=2.0, slice_times=(0.0, 1.0, 2.0)),
            volume(times=(0.0, 1.0, 5.0), accepted=(Accepted(Reason.TILT, "tilt=affine"),)),
        )
    ]
    keys = {key for one in said for key in one} | set(said[1]["GeometryPolicies"][0])
    keys |= {*sidecar._NUMBERS, *sidecar._CODES, *sidecar._LISTS}
    assert {"SliceTiming", "VolumeTiming", "PhaseEncodingDirection"} <= keys
    assert set() == {key for key in keys if key not in TERMS and tag_for_keyword(key) is None}


def test_diffusion_files(ct: DeidentifiedSeries, tmp_path: Path) -> None:
    """b-values in one row, directions in three; without directions the b-values alone."""
    made = volume(
        values=np.zeros((2, 2, 2, 2), np.int16),
        b_values=(0.0, 1000.0),
        b_vectors=np.array([[0.0, 0, 0], [0.6, 0, -0.8]]),
        repetition=2.5,
    )
    path, artifacts = written(made, ct, tmp_path)
    assert ["image", "sidecar", "bval", "bvec"] == [one.role for one in artifacts]
    assert (tmp_path / "rstem.bval").read_text() == "0 1000\n"
    assert (tmp_path / "rstem.bvec").read_text() == "0 0.6\n0 0\n0 -0.8\n"
    assert pytest.approx(2.5) == nib.load(path).header.get_zooms()[3]
    without = replace(made, b_vectors=None)
    assert "bvec" not in [one.role for one in written(without, ct, tmp_path)[1]]


def test_phase_encoding_follows_the_axes(ct: DeidentifiedSeries) -> None:
    """BIDS counts on the written array, whose rows run as the image's."""
    from cohortkit.writers.sidecar import sidecar  # noqa: PLC0415 - beside its use

    for row, positive, expected in (
        (True, True, "i"),
        (True, False, "i-"),
        (False, True, "j"),
        (False, False, "j-"),
    ):
        first = replace(ct.facts.instances[0], phase_row=row, phase_positive=positive)
        facts = replace(ct.facts, instances=(first, *ct.facts.instances[1:]))
        said = json.loads(sidecar(volume(), replace(ct, facts=facts)))
        assert expected == said["PhaseEncodingDirection"]


def test_one_volume_is_streamed() -> None:
    """The file comes in pieces, each far smaller than the volume."""
    large = np.zeros((256, 256, 200), np.int16)
    sizes = [memoryview(chunk).nbytes for chunk in file_of(volume(values=large))]
    assert sum(sizes) == 352 + large.nbytes
    assert max(sizes) <= 5 << 20


def test_header_sizes_are_the_format_s() -> None:
    """348 bytes, single file, data from 352."""
    raw = header(volume())
    assert 348 == struct.unpack_from("<i", raw, 0)[0]
    assert raw[344:348] == b"n+1\0"
    assert 352.0 == struct.unpack_from("<f", raw, 108)[0]


def test_echo_volumes_have_their_own_files(tmp_path: Path) -> None:
    """Parts of one series do not write over each other."""
    from cohortkit.payloads.volume import volumes  # noqa: PLC0415 - beside its use

    both = [changed(one, echo_time=t) for t in (1.0, 2.0) for one in slices(3, seed=int(t))]
    parts = [one.part for one in volumes(*series(both)) if isinstance(one, Volume)]
    assert ["_e1", "_e2"] == parts
    assert [] == list(tmp_path.iterdir())


def test_options_in_one_word() -> None:
    """The shell's way to say what the class takes; a misspelt one is an error."""
    assert Nifti(tilt="resample", colour="rgb") == writer("nifti:tilt=resample,colour=rgb")
    assert Nifti(compress=False, level=1) == writer("nifti:compress=false,level=1")
    assert Nifti(resolution=1.5) == writer("nifti:resolution=1.5")
    assert Nifti(resolution=1.5) == Nifti(resolution=(1.5, 1.5, 1.5))
    assert Nifti(resolution=(1, 1, 2.5)) == writer("nifti", {"resolution": [1, 1, 2.5]})
    assert Nifti(resolution=(1, 1, 2.5)) == writer("nifti:resolution=1x1x2.5")
    wrong_words = ("nifti:", "nifti:tilt", "nifti:tilt=", "nifti:=resample", "nifti:tild=refuse")
    for wrong in (*wrong_words, "nifti:tilt=lean", "nifti:tilt=affine,tilt=affine", "niftie:a=b"):
        with pytest.raises(UsageError):
            writer(wrong)
