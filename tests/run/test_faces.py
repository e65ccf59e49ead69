"""Heads that leave defaced: pixels, claims, tables and report say the same of the same series."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import polars as pl
import pydicom
import pytest

import cohortkit as ck
from batches import run
from cohortkit.faces.block import deface
from cohortkit.model import Record
from cohortkit.run.about import About
from cohortkit.run.report import report
from factory import Patient, Series, instance, write_series
from heads import OTHER, Face, affine, head

SPACING = 4.0, 4.0, 4.0
SHAPE = 55, 63, 61
AFFINE = affine(SPACING)
RECIPE = """
format = 1
basis = "expert-determination"
options = ["clean-recognizable-visual-features"]
[faces]
heads = "deface"
reason = "the expert has looked at heads that were defaced so"
"""
DEFACED = "113102"


def write_head(folder: Path, number: int, values: np.ndarray, syntax: str = "") -> None:
    """A head CT of axial slices, stored with an intercept of -1024."""
    series = Series(
        body_part="HEAD",
        slices=values.shape[2],
        rows=values.shape[1],
        columns=values.shape[0],
        spacing=SPACING[:2],
        step=SPACING[2],
        number=number,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(values.shape[2]):
        one = instance(Patient(), series, k)
        position = AFFINE @ [0, 0, k, 1]
        one.ImagePositionPatient = [-position[0], -position[1], position[2]]
        one.RecognizableVisualFeatures = "YES"
        one.PixelData = (values[:, :, k].T + 1024).astype("<u2").tobytes()
        if syntax:
            one.compress(syntax)
        one.save_as(folder / f"{number}-{k:03d}", enforce_file_format=True)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> ck.Export:
    """Two heads that differ in the face, one of them in RLE, a lone slice, and a chest."""
    place = tmp_path_factory.mktemp("faces")
    for number, face in enumerate((Face(), OTHER), start=1):
        syntax = pydicom.uid.RLELossless if number == 2 else ""
        write_head(place / "archive", number, head(face, "CT", AFFINE, SHAPE), syntax)
    write_head(place / "archive", 3, head(Face(), "CT", AFFINE, SHAPE)[:, :, 20:21])
    write_series(place / "archive", Patient(), Series(number=4))
    (place / "faces.toml").write_text(RECIPE)
    index = ck.scan(place / "archive", progress=False, workers=1)
    plan = ck.plan(
        index.search(),
        ck.load_recipe(place / "faces.toml"),
        to=["nifti", "png", "dicom", "tables"],
    )
    key = ck.Key.new(place / "k.key", project="faces")
    return run(plan, place / "out", key, workers=1)


def files(export: ck.Export, *, defaced: bool, ending: str) -> list[Path]:
    """Of the heads that left, or of the chest."""
    table = export.table("files")
    said = pl.col("defaced").eq_missing(pl.lit("YES" if defaced else None))
    rows = table.filter(said & pl.col("path").str.ends_with(ending))
    return [export.root / "release" / path for path in sorted(rows["path"])]


def test_a_volume_is_blanked_and_else_the_same(export: ck.Export) -> None:
    """NIfTI: air in what the method names, every other voxel as it was; the faces are one."""
    made = [nibabel.load(path) for path in files(export, defaced=True, ending=".nii.gz")]
    assert 2 == len(made)
    values = [np.asarray(one.dataobj) for one in made]
    back = np.linalg.inv(made[0].affine) @ AFFINE
    assert np.allclose(np.abs(back[:3, :3]), np.eye(3), atol=1e-3)
    flipped = tuple(axis for axis in range(3) if back[axis, axis] < 0)
    source = head(Face(), "CT", AFFINE, SHAPE)
    gone = deface(source, AFFINE, "CT")
    assert gone is not None
    assert np.array_equal(np.where(gone, -1000, source), np.flip(values[0], flipped))
    assert np.array_equal(values[0], values[1])


def test_pictures_and_objects_hold_the_same_voxels(export: ck.Export) -> None:
    """PNG and DICOM of a slice are those of the volume, whatever its transfer syntax."""
    objects = [pydicom.dcmread(path) for path in files(export, defaced=True, ending=".dcm")]
    assert 2 * SHAPE[2] == len(objects)
    volumes: dict[str, list[np.ndarray]] = {}
    for one in sorted(objects, key=lambda one: one.ImagePositionPatient[2]):
        volumes.setdefault(one.SeriesInstanceUID, []).append(one.pixel_array)
    first, second = (np.stack(planes) for planes in volumes.values())
    assert np.array_equal(first, second)
    source = head(Face(), "CT", AFFINE, SHAPE)
    gone = deface(source, AFFINE, "CT")
    assert gone is not None
    assert np.array_equal(np.where(gone, 24, source + 1024).T, first)
    pictures = files(export, defaced=True, ending=".png")
    assert 2 * SHAPE[2] == len(pictures)
    assert len({path.read_bytes() for path in pictures}) <= SHAPE[2]


def test_the_claim_is_made_of_what_was_defaced_alone(export: ck.Export) -> None:
    """113102 and (0028,0302) NO in every head, neither in the chest; 113100 in both."""
    for defaced in (True, False):
        for path in files(export, defaced=defaced, ending=".dcm"):
            one = pydicom.dcmread(path, stop_before_pixels=True)
            codes = {item.CodeValue for item in one.DeidentificationMethodCodeSequence}
            assert defaced is (DEFACED in codes)
            assert "113100" in codes
            assert ("NO" if defaced else None) == one.get("RecognizableVisualFeatures")
            assert all(len(line) <= 64 for line in one.DeidentificationMethod)
            assert defaced is any("faces:" in line for line in one.DeidentificationMethod)
        for path in files(export, defaced=defaced, ending=".json"):
            said = json.loads(path.read_text())["DeidentificationMethodCodeSequence"]
            assert defaced is (DEFACED in {item["CodeValue"] for item in said})


def test_what_is_no_volume_of_a_head_is_refused(export: ck.Export) -> None:
    """The lone slice leaves in no form."""
    refused = export.refused()
    assert {"face-not-found"} == set(refused["reason"])
    assert 1 == refused["series"].n_unique()


def test_the_report_says_what_was_done_and_what_was_not(export: ck.Export) -> None:
    """Counts, method, depth, and that it is no guarantee; the manifest has the counts too."""
    page = (export.root / "release/report.html").read_text()
    assert "Of 2 series (122 objects) the output claims clean recognizable" in page
    assert "Defacing is no guarantee" in page
    assert "the method block, 10 mm deep: the expert has looked" in page
    assert "No face was removed" not in page
    manifest = json.loads((export.root / "release/export.json").read_text())
    assert {"series": 2, "objects": 122} == manifest["pixels"]["defaced"]


def test_a_method_of_ones_own_is_told_as_that(export: ck.Export) -> None:
    """The limits that are told are those of the method that was used."""
    about = About.from_json((export.root / "vault/about.json").read_bytes())
    other = replace(about, defacing="the method mine: we looked")
    done = [Record("t", "p", None, 3, (), pixel_work={"defaced": 3})]
    assert "as far as it is in the block" in report(done, about)
    assert "as far as it is in the block" not in report(done, other)
    assert "named by a method of the recipe's own" in report(done, other)
    assert "Done by the method mine: we looked" in report(done, other)


def test_without_the_option_heads_are_refused(tmp_path: Path, key: ck.Key) -> None:
    """The same head under the basic profile."""
    write_head(tmp_path / "archive", 1, head(Face(), "CT", AFFINE, SHAPE)[:, :, :4])
    cohort = ck.scan(tmp_path / "archive", progress=False, workers=1).search()
    plan = ck.plan(cohort, ck.load_recipe("basic"), to="nifti")
    assert {ck.Reason.FACE_RISK: 1} == plan.refusals()
    assert {"face-risk"} == set(run(plan, tmp_path / "out", key).refused()["reason"])
