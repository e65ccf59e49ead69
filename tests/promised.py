"""What the promise tests share: a small archive, its export, and checks that know nothing of us.

The checks here raise AssertionError. Each promise has a sabotage test beside it that breaks the
library on purpose and must see the check fail.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import polars as pl

import cohortkit as ck
from factory import MR, SC, Patient, Series, pixels, write_series
from independent import Identities, search

PATIENTS = (
    Patient(),
    Patient(
        patient_id="0042-778811",
        name="Vandersloot^Ezechiel^Q",
        birth_date="19310704",
        study_date="20191103",
        accession="7719900012",
        physician="Nakamura^Fumiko",
        age="088Y",
        sex="M",
    ),
)
CT_SERIES, MR_SERIES = Series(), Series(sop_class=MR, modality="MR", body_part="LIVER", number=2)
CAPTURE = Series(sop_class=SC, modality="OT", number=9, slices=1)

Run = Callable[..., ck.Export]


def make_archive(folder: Path) -> Path:
    """Two patients, each with a CT, an MR and a capture; one file that is no DICOM."""
    for number, patient in enumerate(PATIENTS):
        for series in (CT_SERIES, MR_SERIES, CAPTURE):
            write_series(folder / str(number), patient, replace(series, seed=number))
    (folder / "readme.txt").write_text("nothing to see here, " * 40)
    return folder


def export(
    archive: Path, out: Path, key: ck.Key, recipe: str = "basic", **options: object
) -> ck.Export:
    """The main job, by the public face alone."""
    cohort = ck.scan(archive, progress=False).search()
    plan = ck.plan(cohort, ck.load_recipe(recipe), to=["dicom", "nifti", "png", "tables"])
    return ck.export(plan, out, key=key, progress=False, **options)  # type: ignore[arg-type]


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder and a digest of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def accounted(release: Path) -> None:
    """Check that the table of files lists what tasks wrote, with its digest, and nothing else."""
    table = pl.read_parquet(release / "files.parquet")
    digests = tree(release)

    assert dict(table.select("path", "sha256").iter_rows()) == {
        name: digests[name] for name in digests if name.split("/")[0] in {"dicom", "nifti", "png"}
    }


def state(folder: Path) -> dict[str, tuple[str, int, int, int]]:
    """Digest, size, mtime and mode of every file and folder."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        seen = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[os.fspath(path)] = (digest, seen.st_size, seen.st_mtime_ns, seen.st_mode)
    return found


def check_no_identity(folder: Path, identities: Identities) -> None:
    """A stranger finds nobody."""
    found = search(folder, identities)

    assert found.hits == set()
    assert found.bytes > 0


def check_accounts(export: ck.Export, expected_instances: int) -> None:
    """Check that what went in is what is said of it, at every level, and that nothing failed."""
    counts = export.counts()
    statuses = ["written", "refused", "failed", "not-applicable", "duplicate"]
    for row in counts.iter_rows(named=True):
        assert row["in"] == sum(row[status] for status in statuses)
    instances = counts.filter(pl.col("level") == "instance")

    assert instances["in"].to_list() == [expected_instances] * instances.height
    assert counts["failed"].sum() == 0


def check_volumes(export: ck.Export) -> None:
    """Each CT and MR volume has the planted voxels at the planted places, by our own arithmetic."""
    found = [nib.load(path) for path in sorted(export.release.rglob("*.nii.gz"))]

    assert len(found) == 4
    expected = [planted(s, n) for n in range(2) for s in (CT_SERIES, MR_SERIES)]
    for values, corner in expected:
        assert any(_same(image, values, corner) for image in found)


def planted(series: Series, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Values by (column, row, slice), and where the first voxel lies, RAS."""
    one = replace(series, seed=number)
    stack = np.stack([pixels(one, k).T.astype(float) for k in range(series.slices)], axis=2)
    return stack - (1024 if series.modality == "CT" else 0), np.array([12.5, -33.0, -100.0])


def _same(image: nib.Nifti1Image, values: np.ndarray, corner: np.ndarray) -> bool:
    """Whether every planted voxel is at its place in space, whatever the storage order."""
    stored = np.asanyarray(image.dataobj)
    if stored.shape != values.shape:
        return False
    row, column = CT_SERIES.spacing
    steps = np.diag([-column, -row, CT_SERIES.step])
    index = np.stack(np.meshgrid(*map(np.arange, values.shape), indexing="ij"), axis=-1)
    places = index @ steps.T + corner
    back = (places - image.affine[:3, 3]) @ np.linalg.inv(image.affine[:3, :3]).T
    nearest = np.rint(back).astype(int)
    if not np.allclose(back, nearest, atol=1e-3) or (nearest < 0).any():
        return False
    return bool((stored[tuple(np.moveaxis(nearest, -1, 0))] == values).all())


def unpack(path: Path) -> bytes:
    """The bytes of a file, gzip opened."""
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
