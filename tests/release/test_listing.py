"""The names of a release's files: whose each is, in an order that keeps a patient together."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from cohortkit.release.listing import Listing


def test_what_is_there_comes_patient_by_patient(tmp_path: Path) -> None:
    """What no record names comes first, what is not there does not come; any bytes make a name."""
    odd = "png/x\udcff.png"
    with Listing(tmp_path / "list") as listing:
        listing.of("pb", ["nifti/2", "nifti/gone"])
        listing.there(["report.html", "nifti/1", "nifti/2", odd, "nifti/3"])
        listing.of("pa", ["nifti/3", "nifti/1"])
        expected = [(odd, ""), ("report.html", ""), ("nifti/1", "pa"), ("nifti/3", "pa")]
        assert [*expected, ("nifti/2", "pb")] == list(listing)
        assert {"pa", "pb"} == listing.patients()
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_names(tmp_path: Path) -> None:
    """Forty thousand names of eighty letters take less than a megabyte of Python's memory."""
    with Listing(tmp_path / "list") as listing:
        tracemalloc.start()
        listing.there(f"dicom/{number:074d}" for number in range(40_000))
        assert 40_000 == sum(1 for _ in listing)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 1 << 20
