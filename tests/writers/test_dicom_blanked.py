"""DICOM files of which parts were blanked, read by pydicom beside their sources.

Other viewers must see black inside and the source outside, in a file whose header fits.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from cohortkit.errors import Refusal
from cohortkit.model import Reason
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.recipe.model import (
    Area,
    Basis,
    Deed,
    FacePolicy,
    Option,
    PixelPolicy,
    PixelRule,
    Recipe,
    Recompress,
)
from objects import deidentified, once, written

PART = Rectangle(3, 2, 6, 11)
RULE = PixelRule((), Deed.BLANK, rectangles=(PART,), reason="for the test", origin="test")
CLEANED = Recipe(
    "t",
    Basis.GDPR_PSEUDONYMISED,
    options=frozenset({Option.CLEAN_PIXEL_DATA}),
    pixels=PixelPolicy(rules=(RULE,)),
    faces=FacePolicy(accept_heads=True, accept_unknown=True, reason="no one's head"),
)
VERIFIED = replace(
    CLEANED, pixels=PixelPolicy(rules=(replace(RULE, deed=Deed.VERIFIED, area=Area.ALL),))
)
SOURCES = {
    "CT_small.dcm": ExplicitVRLittleEndian,
    "MR_small_implicit.dcm": ImplicitVRLittleEndian,
    "MR_small_bigendian.dcm": ExplicitVRBigEndian,
    "MR_small_RLE.dcm": RLELossless,
    "MR_small_jp2klossless.dcm": JPEG2000Lossless,
    "MR_small_jpeg_ls_lossless.dcm": JPEGLSLossless,
    "emri_small_RLE.dcm": RLELossless,
    "emri_small_jpeg_2k_lossless.dcm": JPEG2000Lossless,
    "emri_small_jpeg_ls_lossless.dcm": JPEGLSLossless,
    "image_dfl.dcm": ExplicitVRLittleEndian,
    "SC_rgb.dcm": ExplicitVRLittleEndian,
    "SC_rgb_rle_2frame.dcm": RLELossless,
    "SC_rgb_rle_16bit.dcm": RLELossless,
    "SC_rgb_2frame.dcm": ExplicitVRLittleEndian,
    "SC_rgb_small_odd.dcm": None,
    "SC_ybr_full_uncompressed.dcm": ExplicitVRLittleEndian,
    "SC_ybr_full_422_uncompressed.dcm": ExplicitVRLittleEndian,
    "SC_rgb_dcmtk_+eb+cr.dcm": ExplicitVRLittleEndian,
    "SC_rgb_jpeg_dcmtk.dcm": ExplicitVRLittleEndian,
    "JPEG2000.dcm": ExplicitVRLittleEndian,
    "JPEGLSNearLossless_16.dcm": ExplicitVRLittleEndian,
    "US1_J2KR.dcm": JPEG2000Lossless,
    "examples_palette.dcm": ExplicitVRLittleEndian,
}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def source(name: str, folder: Path) -> Path:
    """A copy of one of pydicom's files, with a patient where it has none."""
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.fail(f"pydicom's wheel has no {name}")
    path = folder / "a"
    shutil.copy(found, path)
    dataset = pydicom.dcmread(path)
    if not dataset.get("PatientID"):
        dataset.PatientID = "MRN-00471113"
        dataset.save_as(path)
    return path


def frames(path: Path) -> np.ndarray:
    """What pydicom shows: (frames, rows, columns[, 3]), colour as RGB."""
    dataset = pydicom.dcmread(path)
    values = pixel_array(dataset)
    return values if int(dataset.get("NumberOfFrames") or 1) > 1 else values[np.newaxis]


@pytest.mark.parametrize("name", SOURCES)
def test_black_inside_and_the_source_outside(name: str, tmp_path: Path) -> None:
    """Every real encoding, as another reader sees it, under the transfer syntax that fits."""
    path = source(name, tmp_path)
    before = frames(path)
    if name == "SC_rgb_small_odd.dcm":
        small = replace(RULE, rectangles=(Rectangle(1, 0, 1, 2),))
        recipe, part = replace(CLEANED, pixels=PixelPolicy(rules=(small,))), small.rectangles[0]
    else:
        recipe, part = CLEANED, PART
    made = once(path, recipe)
    after, said = frames(made), pydicom.dcmread(made)
    black = np.zeros(before.shape[1:3], bool)
    black[part.top : part.bottom, part.left : part.right] = True
    if "422" in name:
        black[:, part.left - 1] |= black[:, part.left]
        black[:, part.right] |= black[:, part.right - 1]
    expected = SOURCES[name] or said.file_meta.TransferSyntaxUID
    assert expected == said.file_meta.TransferSyntaxUID
    assert before.shape == after.shape
    assert np.array_equal(before[:, ~black], after[:, ~black])
    assert {dark(said)} == set(np.unique(after[:, black]).tolist())
    assert "NO" == said.BurnedInAnnotation


def dark(said: pydicom.Dataset) -> int:
    """The value that is shown darkest."""
    if said.PhotometricInterpretation == "PALETTE COLOR":
        tables = [
            np.frombuffer(said[f"{c}PaletteColorLookupTableData"].value, np.uint16).astype(int)
            for c in ("Red", "Green", "Blue")
        ]
        return int(np.argmin(299 * tables[0] + 587 * tables[1] + 114 * tables[2]))
    if said.SamplesPerPixel > 1 or not said.PixelRepresentation:
        return 0
    return -(1 << (said.BitsStored - 1))


def test_what_lost_values_once_says_so_for_ever(tmp_path: Path) -> None:
    """A JPEG that became native is no original: (0028,2110) stays or comes."""
    path = source("SC_rgb_jpeg_dcmtk.dcm", tmp_path)
    silent = pydicom.dcmread(path)
    silent.pop("LossyImageCompression", None)
    silent.save_as(path)
    said = pydicom.dcmread(once(path, CLEANED))
    assert ("01", "RGB", 0) == (
        said.LossyImageCompression,
        said.PhotometricInterpretation,
        said.PlanarConfiguration,
    )
    said = pydicom.dcmread(once(source("CT_small.dcm", tmp_path), CLEANED))
    assert "LossyImageCompression" not in said


@pytest.mark.parametrize(
    ("into", "syntax"),
    [
        (Recompress.RLE, RLELossless),
        (Recompress.JPEG_LS, JPEGLSLossless),
        (Recompress.JPEG_2000, JPEG2000Lossless),
    ],
)
def test_the_rest_is_written_as_the_recipe_says(
    into: Recompress, syntax: pydicom.uid.UID, tmp_path: Path
) -> None:
    """A lossy source in a lossless syntax, with the values that it decoded to."""
    path = source("SC_rgb_jpeg_dcmtk.dcm", tmp_path)
    recipe = replace(CLEANED, pixels=replace(CLEANED.pixels, recompress=into))
    made = once(path, recipe)
    before, after = frames(path), frames(made)
    assert syntax == pydicom.dcmread(made).file_meta.TransferSyntaxUID
    black = np.zeros(before.shape[1:3], bool)
    black[PART.top : PART.bottom, PART.left : PART.right] = True
    assert np.array_equal(before[:, ~black], after[:, ~black])
    assert not after[:, black].any()


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "JPEG2000.dcm", "CT_small.dcm"])
def test_verified_pixels_pass_as_bytes(name: str, tmp_path: Path) -> None:
    """What is not blanked is not encoded again."""
    path = source(name, tmp_path)
    made = pydicom.dcmread(once(path, VERIFIED))
    assert pydicom.dcmread(path).PixelData == made.PixelData
    assert "NO" == made.BurnedInAnnotation


def test_a_part_beyond_the_image_writes_nothing(tmp_path: Path) -> None:
    """The whole series is refused, by name, before a byte is written."""
    far = replace(RULE, rectangles=(Rectangle(100, 0, 100, 10),))
    path = source("CT_small.dcm", tmp_path)
    with pytest.raises(Refusal) as refused:
        deidentified(path, recipe=replace(CLEANED, pixels=PixelPolicy(rules=(far,))))
    assert Reason.REDACTION_OUTSIDE is refused.value.reason


def test_deflated_pixels_are_blanked_too(tmp_path: Path) -> None:
    """What was deflated is written plain, as all of it is."""
    path = source("CT_small.dcm", tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    made = once(path, CLEANED)
    after = frames(made)[0]
    part = after[PART.top : PART.bottom, PART.left : PART.right]
    assert {-32768} == set(part.ravel().tolist())


def test_copies_with_other_pixels_below_the_black_are_copies(tmp_path: Path) -> None:
    """Two files that differ only where both are black are one object twice."""
    paths = [tmp_path / "a", tmp_path / "b"]
    source("CT_small.dcm", tmp_path)
    dataset = pydicom.dcmread(paths[0])
    values = dataset.pixel_array.copy()
    values[PART.top, PART.left] += 7
    dataset.PixelData = values.tobytes()
    dataset.save_as(paths[1])
    series = deidentified(*paths, recipe=CLEANED)
    made, refused = written(series, tmp_path / "out")
    assert 1 == len(made)
    assert [Reason.SAME_INSTANCE] == [one.reason for one in refused]
