"""Those who read what is written see the same place: TorchIO and MONAI, where they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cohortkit.model import Volume
from cohortkit.writers.nifti import Nifti
from released import chest, release

OBLIQUE = np.array(
    [[-0.7, 0.02, 0.1, 80.0], [0.01, -0.9, 0.3, 70.0], [-0.02, 0.2, 2.4, -50.0], [0, 0, 0, 1]]
)


def by_torchio(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    torchio = pytest.importorskip("torchio")
    image = torchio.ScalarImage(path)
    return np.asarray(image.data)[0], np.asarray(image.affine)


def by_monai(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    transforms = pytest.importorskip("monai.transforms")
    image = transforms.LoadImage(image_only=True)(str(path))
    return np.asarray(image), np.asarray(image.affine)


@pytest.mark.filterwarnings("ignore:NvImgCodec:UserWarning")  # MONAI's, without a GPU
@pytest.mark.parametrize("read", [by_torchio, by_monai])
def test_the_same_values_at_the_same_place(
    read: Callable[[Path], tuple[NDArray[Any], NDArray[Any]]], tmp_path: Path
) -> None:
    """Unchanged: values as scaled, and the affine of the volume."""
    axes = np.linalg.qr(OBLIQUE[:3, :3])[0] @ np.diag([0.7, 0.9, 2.4])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes, OBLIQUE[:3, 3]
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5).T
    made = Volume(values, affine, (0,), slope=0.5, intercept=-3.0)
    (artifact, *_) = Nifti().write(made, release(chest()), tmp_path, "one")

    found, place = read(tmp_path / artifact.path)

    np.testing.assert_allclose(found, values * 0.5 - 3)
    np.testing.assert_allclose(place, affine, atol=1e-4)
