"""Real acquisitions become the volumes that are known of them, or are refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cohortkit.geometry.facts import read_facts
from cohortkit.model import Refused, Volume
from cohortkit.payloads.volume import volumes
from references import TABLE, Known, read

pytestmark = pytest.mark.data


@pytest.mark.parametrize("known", TABLE, ids=lambda known: known.folder)
def test_the_table(known: Known, shared_data: Path) -> None:
    """Shape, spacing and reasons, and every instance in an item."""
    headers, pixels = read(shared_data / known.folder)
    found = list(volumes(read_facts(headers), pixels))
    made = [one for one in found if isinstance(one, Volume)]
    assert known.shapes == tuple(sorted(one.values.shape for one in made))
    if made:
        spacing = np.linalg.norm(made[0].affine[:3, :3], axis=0)
        assert pytest.approx(known.spacing, abs=1e-4) == tuple(spacing)
    refused = {one.reason for one in found if isinstance(one, Refused)}
    assert set(known.refused) == refused
    assert set(range(len(headers))) == {n for one in found for n in one.instances}


def test_the_two_ways_of_a_mosaic_are_mirror_images_in_time(shared_data: Path) -> None:
    """Head to foot and foot to head: slice times follow the acquisition, not the file."""
    times = {}
    for name in ("ep2d_Asc_2", "ep2d_Asc_HF_10"):
        headers, pixels = read(shared_data / "dcm_qa_mosaic" / "In" / name)
        (volume,) = volumes(read_facts(headers), pixels)
        assert isinstance(volume, Volume)
        times[name] = volume.slice_times
    assert list(times["ep2d_Asc_2"]) == sorted(times["ep2d_Asc_2"])
    assert list(times["ep2d_Asc_HF_10"]) == sorted(times["ep2d_Asc_HF_10"])


def test_diffusion_directions_are_fsl_s(shared_data: Path) -> None:
    """b-values by volume; unit directions in the image's axes, zero for b = 0."""
    folder = shared_data / "dicom2nifti" / "tests" / "data" / "philips_enhanced" / "dti" / "001"
    headers, pixels = read(folder)
    (volume,) = volumes(read_facts(headers), pixels)
    assert isinstance(volume, Volume)
    assert (1300.0, 1300.0, 1300.0, 0.0) == volume.b_values
    assert volume.b_vectors is not None
    expected = [[-1, 0, 0], [0, -1, 0], [0.0259995, -0.649187, 0.760185], [0, 0, 0]]
    assert np.allclose(expected, volume.b_vectors, atol=1e-3)
