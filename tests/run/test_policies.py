"""What a geometry policy lets pass stands in the record and beside the file, by the public face."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import pytest
from pydicom import dcmread

import cohortkit as ck
from factory import Patient, Series, write_series

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def uneven(tmp_path: Path) -> Path:
    """A chest CT whose last two slices lie 1 mm too high."""
    folder = tmp_path / "uneven"
    for path in write_series(folder, Patient(), Series(slices=6))[4:]:
        dataset = dcmread(path)
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + 1]
        dataset.save_as(path)
    return folder


def exported(archive: Path, out: Path, key: ck.Key, policies: ck.Nifti) -> ck.Export:
    cohort = ck.scan(archive, progress=False).search()
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=[policies])
    return ck.export(plan, out, key=key, progress=False)


def test_refused_by_name_and_number(uneven: Path, tmp_path: Path, key: ck.Key) -> None:
    """The default writes nothing, and says why and by how much."""
    made = exported(uneven, tmp_path / "out", key, ck.Nifti())
    (row,) = made.table("tasks").to_dicts()
    assert ("refused", "irregular-spacing", 6) == (row["status"], row["reason"], row["instances"])
    assert {"smallest": 2.5, "largest": 3.5} == pytest.approx(json.loads(row["numbers"]))
    assert [] == list(made.release.rglob("*.nii.gz"))


def test_split_says_so(uneven: Path, tmp_path: Path, key: ck.Key) -> None:
    """Two files; the record has the reason and the numbers, and so has each sidecar."""
    made = exported(uneven, tmp_path / "out", key, ck.Nifti(spacing="split"))
    (row,) = made.table("tasks").to_dicts()
    assert ("written", "irregular-spacing", 6) == (row["status"], row["reason"], row["instances"])
    images = sorted(made.release.rglob("*.nii.gz"))
    assert [(10, 12, 4), (10, 12, 2)] == [nib.load(path).shape for path in images]
    for path in images:
        said = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
        (policy,) = said["GeometryPolicies"]
        assert ("spacing=split", "irregular-spacing") == (policy["Policy"], policy["Reason"])


def test_a_part_that_is_not_written_is_told(uneven: Path, tmp_path: Path, key: ck.Key) -> None:
    """A slice that splitting leaves alone is refused by its own name."""
    (uneven / "1-1-005").unlink()
    made = exported(uneven, tmp_path / "out", key, ck.Nifti(spacing="split"))
    rows = {row["status"]: row for row in made.table("tasks").to_dicts()}
    assert (4, "irregular-spacing") == (rows["written"]["instances"], rows["written"]["reason"])
    assert (1, "single-slice") == (rows["refused"]["instances"], rows["refused"]["reason"])


def test_the_policy_is_part_of_the_export(uneven: Path, tmp_path: Path, key: ck.Key) -> None:
    """The same place under another policy is another export."""
    exported(uneven, tmp_path / "out", key, ck.Nifti())
    with pytest.raises(ck.errors.OutputError):
        exported(uneven, tmp_path / "out", key, ck.Nifti(spacing="split"))


def test_another_grid_by_the_public_face(tmp_path: Path, key: ck.Key) -> None:
    """The file lies as asked, and the sidecar says what was done."""
    write_series(tmp_path / "a", Patient(), Series(slices=6))

    made = exported(
        tmp_path / "a", tmp_path / "out", key, ck.Nifti(orientation="RAS", resolution=(2, 2, 3))
    )

    (path,) = made.release.rglob("*.nii.gz")
    image = nib.load(path)
    assert ("R", "A", "S") == nib.aff2axcodes(image.affine)
    assert (2.0, 2.0, 3.0) == pytest.approx(tuple(map(float, image.header.get_zooms())))
    said = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
    assert ["orientation=RAS", "resolution=2x2x3"] == [
        one["Policy"] for one in said["GeometryPolicies"]
    ]
    assert ["written"] == made.table("tasks")["status"].to_list()
