"""Geometry policies: refused without one; with one, every voxel where its own affine says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import UsageError
from cohortkit.geometry.facts import read_facts
from cohortkit.geometry.rows import runs
from cohortkit.model import (
    COLOUR,
    Facts,
    Photometric,
    PixelHandle,
    Reason,
    Refused,
    Status,
    Uneven,
    Volume,
)
from cohortkit.payloads.shapes import WORDS, Policies, shaped
from cohortkit.payloads.volume import volumes
from factory import Patient, Series, instance
from grids import FORM, Slice, changed, series, slices
from oracle import canonical, converted
from references import read
from released import Held, split

SPACING = (1.5, 0.75)
TALL = replace(FORM, rows=16)
STEEP = math.radians(20.0)


def at(heights: Sequence[float], tilt: float = 0.0, **facts: object) -> list[Slice]:
    """Slices of random values whose planes lean, along a table that does not."""
    leaning = (1.0, 0.0, 0.0, 0.0, math.cos(tilt), -math.sin(tilt))
    made = []
    for height, one in zip(heights, slices(len(heights)), strict=True):
        place = (-10.0, 20.0, height / math.cos(tilt))
        made.append(changed(one, position=place, orientation=leaning, **facts))
    return made


def kept(made: Sequence[Slice], **words: str) -> list[Volume | Refused]:
    """What the policies make of these slices."""
    found = volumes(*series(made))
    return [one for item in found for one in shaped(item, Policies(**words))]


def alone(found: list[Volume | Refused]) -> Volume:
    (volume,) = found
    assert isinstance(volume, Volume)
    return volume


def world(volume: Volume) -> np.ndarray:
    """Where each voxel lies by the affine: (i, j, k, 3), RAS."""
    grid = np.stack(np.meshgrid(*map(np.arange, volume.values.shape), indexing="ij"), axis=-1)
    places: np.ndarray = grid @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return places


def sloping(made: Sequence[Slice]) -> list[Slice]:
    """The slices with values that are a linear function of the place in space, exactly."""
    found = []
    for one in made:
        facts = one.facts
        assert facts.position is not None
        assert facts.orientation is not None
        row, column = np.array(facts.orientation[:3]), np.array(facts.orientation[3:])
        j, i = np.mgrid[: TALL.rows, : TALL.columns]
        lps = (
            np.array(facts.position)
            + i[..., None] * row * SPACING[1]
            + j[..., None] * column * SPACING[0]
        )
        found.append(replace(one, form=TALL, values=slope_at(lps * [-1, -1, 1])))
    return found


def slope_at(ras: np.ndarray) -> np.ndarray:
    return np.asarray(ras @ [3.0, -2.0, 7.0] + 11.0)


GAPS = st.lists(st.sampled_from([1.0, 1.5, 2.0, 3.0, 4.5]), min_size=2, max_size=9)


@given(GAPS, st.sampled_from([0.0, STEEP]), st.sampled_from(["affine", "resample"]))
def test_split_parts_are_even_and_lose_nothing(gaps: list[float], tilt: float, lean: str) -> None:
    """Every slice is in one part or refused as single; values stay, each at its own place."""
    heights = np.concatenate([[0.0], np.cumsum(gaps)])
    made = at(heights, tilt, thickness=2.0)
    found = kept(made, spacing="split", missing="split", tilt="affine", single="keep-2d")
    assert sorted(n for one in found for n in one.instances) == list(range(len(made)))
    for volume in found:
        assert isinstance(volume, Volume)
        assert volume.values.shape[2] == len(volume.instances)
        for k, n in enumerate(volume.instances):
            assert np.array_equal(made[n].values.T, volume.values[:, :, k])
            x, y, z = made[n].facts.position or (0.0, 0.0, 0.0)
            assert np.allclose([-x, -y, z], world(volume)[0, 0, k], atol=1e-6)
    more = kept(made, spacing="split", missing="split", tilt=lean, single="refuse")
    assert {n for one in more for n in one.instances} == set(range(len(made)))
    parts = [one.part for one in found]
    assert len(parts) == len(set(parts))


@given(GAPS)
def test_runs_cover_every_slice_once(gaps: list[float]) -> None:
    """Each run is even, they follow each other, and one of them is as long as any can be."""
    heights = np.concatenate([[0.0], np.cumsum(gaps)])
    found = runs(heights.tolist())
    assert [n for first, end in found for n in range(first, end)] == list(range(len(heights)))
    for first, end in found:
        assert len({round(gap, 6) for gap in np.diff(heights[first:end])}) <= 1
    longest = max(end - first for first, end in found)
    same = [
        len({round(g, 6) for g in gaps[a:b]}) == 1 for a in range(len(gaps)) for b in [a + longest]
    ]
    assert not any(s and a + longest <= len(gaps) for a, s in enumerate(same))


@given(GAPS, st.sampled_from([0.0, STEEP, -STEEP]), st.sampled_from(["affine", "resample"]))
def test_new_slices_lie_between_the_old_ones(gaps: list[float], tilt: float, lean: str) -> None:
    """Values that rise evenly through space still do, at the places that the new affine says."""
    heights = np.concatenate([[0.0], np.cumsum(gaps)])
    made = sloping(at(heights, tilt))
    found = kept(whole_numbers(made), spacing="resample", missing="resample", tilt=lean)
    volume = alone(found)
    off = np.abs(volume.values - 8 * slope_at(world(volume)) - 500)
    moved = lean == "resample" and tilt != 0.0
    inside = within(volume, made) if moved else np.ones(volume.values.shape, bool)
    assert inside.any()
    assert float(off[inside].max()) <= 1.5


def whole_numbers(made: Sequence[Slice]) -> list[Slice]:
    """Eighths, lifted: whole numbers that are rounded by half at most."""
    return [replace(one, values=np.rint(8 * one.values + 500).astype(np.uint16)) for one in made]


def within(volume: Volume, made: Sequence[Slice]) -> np.ndarray:
    """Which voxels have acquired neighbours above and below, in rows and in slices."""
    first = made[0].facts
    assert first.orientation is not None
    column = np.array(first.orientation[3:]) * [-1, -1, 1]
    starts = np.array([np.array(one.facts.position) * [-1, -1, 1] for one in made])
    normal = np.cross(np.array(first.orientation[:3]), np.array(first.orientation[3:]))
    up = normal * [-1, -1, 1]
    places = world(volume)
    heights, tops = starts @ up, starts @ column
    rows = (places @ column - np.interp(places @ up, heights, tops)) / SPACING[0]
    margin = 1 + float(np.abs(np.diff(tops)).max()) / SPACING[0]
    found: np.ndarray = (rows > margin) & (rows < TALL.rows - 1 - margin)
    return found


def test_without_a_policy_nothing_is_read() -> None:
    """Refused by name and number, and not a byte of pixels decoded."""
    read: list[int] = []

    class Counting(Held):
        def read(self) -> bytes:
            read.append(1)
            return super().read()

    facts, held = series(at([0, 2, 4, 7, 9]))
    handles: list[PixelHandle | None] = [Counting(one.data) for one in held if one is not None]
    (found,) = volumes(facts, handles)
    (answer,) = shaped(found, Policies())
    assert isinstance(answer, Uneven)
    assert (Reason.IRREGULAR_SPACING, (0, 1, 2, 3, 4)) == (answer.reason, answer.instances)
    assert {"smallest": 2.0, "largest": 3.0} == pytest.approx(dict(answer.numbers))
    assert [] == read


@pytest.mark.parametrize(
    ("heights", "tilt", "policy", "reason"),
    [
        ([0, 2, 4, 7, 9], 0.0, {"spacing": "split"}, Reason.IRREGULAR_SPACING),
        ([0, 2, 4, 7, 9], 0.0, {"spacing": "resample"}, Reason.IRREGULAR_SPACING),
        ([0, 2, 4, 8, 10], 0.0, {"missing": "split"}, Reason.MISSING_SLICE),
        ([0, 2, 4, 8, 10], 0.0, {"missing": "resample"}, Reason.MISSING_SLICE),
        ([0, 2, 4], STEEP, {"tilt": "affine"}, Reason.TILT),
        ([0, 2, 4], STEEP, {"tilt": "resample"}, Reason.TILT),
        ([0], 0.0, {"single": "keep-2d"}, Reason.SINGLE_SLICE),
    ],
)
def test_a_policy_says_what_it_let_pass(
    heights: list[float], tilt: float, policy: dict[str, str], reason: Reason
) -> None:
    """The reason, the policy and the numbers go with the volume; without the policy: refused."""
    made = at(heights, tilt)
    (refused,) = kept(made)
    assert isinstance(refused, Refused)
    assert reason is refused.reason
    for volume in kept(made, **policy):
        assert isinstance(volume, Volume)
        (accepted,) = volume.accepted
        ((name, word),) = policy.items()
        assert (reason, f"{name}={word}") == (accepted.reason, accepted.policy)
        assert set(refused.numbers) <= set(accepted.numbers)


def test_each_policy_is_its_own() -> None:
    """A policy for holes does not let uneven slices pass, nor the other way round."""
    uneven, holed = at([0, 2, 4, 7, 9]), at([0, 2, 4, 8, 10])
    for made, wrong in ((uneven, "missing"), (holed, "spacing")):
        for word in ("split", "resample"):
            (answer,) = kept(made, **{wrong: word})
            assert isinstance(answer, Refused)
    (leaning,) = kept(at([0, 2, 4, 7, 9], STEEP), spacing="resample")
    assert isinstance(leaning, Refused)
    assert Reason.TILT is leaning.reason


def test_a_shear_along_the_rows_is_not_resampled() -> None:
    """A gantry leans along the columns; anything else is refused even so."""
    made = [changed(one, position=(2.0 * k, 0.0, 3.0 * k)) for k, one in enumerate(slices(4))]
    (answer,) = kept(made, tilt="resample")
    assert isinstance(answer, Refused)
    assert Reason.TILT is answer.reason


def test_four_dimensions_keep_their_times() -> None:
    """Every time point is cut and interpolated alike."""
    several = [changed(one, temporal_position=t) for t in range(3) for one in at([0, 2, 4, 8, 10])]
    halves = kept(several, missing="split")
    assert [(4, 5, 3, 3), (4, 5, 2, 3)] == [
        one.values.shape for one in halves if isinstance(one, Volume)
    ]
    volume = alone(kept(several, missing="resample"))
    assert (4, 5, 6, 3) == volume.values.shape
    assert np.array_equal(several[7].values.T, volume.values[:, :, 2, 1])
    between = (several[7].values.astype(float) + several[8].values) / 2
    assert np.array_equal(np.floor(between + 0.5).T, volume.values[:, :, 3, 1])


def painted(count: int, **facts: object) -> list[Slice]:
    """Slices in colour, each voxel of another one."""
    rng = np.random.default_rng(count)
    form = replace(
        FORM, samples=3, bits_allocated=8, bits_stored=8, high_bit=7, photometric=Photometric.RGB
    )
    return [
        changed(replace(one, form=form, values=rng.integers(0, 256, (5, 4, 3), np.uint8)), **facts)
        for one in slices(count)
    ]


def nowhere() -> list[Slice]:
    """A slice of which nothing says where it lies."""
    return [changed(one, position=None) for one in slices(1)]


def test_colour_is_refused_unless_asked_for() -> None:
    """By name, undecoded; asked for, every voxel has its three bytes at its place."""
    made = painted(3)
    (refused,) = kept(made)
    assert isinstance(refused, Refused)
    assert (Reason.NOT_GREY, (0, 1, 2)) == (refused.reason, refused.instances)
    volume = alone(kept(made, colour="rgb"))
    assert COLOUR == volume.values.dtype
    assert tuple(made[2].values[1, 3].tolist()) == volume.values[3, 1, 2].item()
    assert ["colour=rgb"] == [one.policy for one in volume.accepted]


def test_nothing_lies_between_two_colours() -> None:
    """Uneven slices in colour may be split, and are never interpolated."""
    made = [
        changed(one, position=(0.0, 0.0, z))
        for one, z in zip(painted(4), (0, 2, 4, 7), strict=True)
    ]
    (refused,) = kept(made, spacing="resample", colour="rgb")
    assert isinstance(refused, Refused)
    assert Reason.NOT_GREY is refused.reason
    parts = kept(made, spacing="split", colour="rgb", single="keep-2d")
    assert [3, 1] == [one.values.shape[2] for one in parts if isinstance(one, Volume)]
    for one in kept(made, spacing="split", single="keep-2d"):
        assert isinstance(one, Refused)


def test_what_lies_nowhere_is_not_applicable_unless_asked_for() -> None:
    """A capture: no loss to volumes; asked for, it is upright and says that it has no place."""
    (lone,) = nowhere()
    (absent,) = kept([lone])
    assert isinstance(absent, Refused)
    assert (Reason.NO_GEOMETRY, Status.NOT_APPLICABLE) == (absent.reason, absent.status)
    volume = alone(kept([lone], unplaced="keep", single="keep-2d"))
    assert not volume.placed
    assert np.array_equal(lone.values.T[:, ::-1], volume.values[:, :, 0])
    (single,) = kept([lone], unplaced="keep")
    assert isinstance(single, Refused)
    assert Reason.SINGLE_SLICE is single.reason


def test_a_scan_that_lies_nowhere_is_refused() -> None:
    """What should have a place and has none is a loss, and is told as one."""
    facts, held = series(nowhere())
    (absent,) = volumes(replace(facts, ct=True), held)
    assert isinstance(absent, Refused)
    assert Status.REFUSED is absent.status


def test_two_billion_frames_nowhere_take_no_memory() -> None:
    """The header's word is not taken for it."""
    form = replace(FORM, frames=1 << 31)
    made = [replace(one, form=form) for one in nowhere()]
    (absent,) = kept(made, unplaced="keep", single="keep-2d")
    assert isinstance(absent, Refused)


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_policy_has_its_words(name: str) -> None:
    """Any other word is told at once, with those that there are."""
    with pytest.raises(UsageError, match=name):
        Policies(**{name: "whatever"})
    for word in WORDS[name]:
        assert word == getattr(Policies(**{name: word}), name)
    assert getattr(Policies(), name) == "refuse"


def scanned(
    folder: Path, positions: Sequence[tuple[float, float, float]], **extra: object
) -> tuple[Facts, list[PixelHandle | None]]:
    """A CT on disk for the oracle, and the same as facts and pixels."""
    folder.mkdir()
    plan = Series(slices=len(positions), rows=24, columns=16, extra=dict(extra))
    headers, pixels = [], []
    for n, place in enumerate(positions):
        dataset = instance(Patient(), plan, n)
        dataset.Manufacturer = "GE MEDICAL SYSTEMS"
        dataset.ImagePositionPatient = [f"{x:.9g}" for x in place]
        dataset.save_as(folder / f"{n}.dcm", enforce_file_format=True)
        header, held = split(dataset)
        headers.append(header)
        pixels.append(held)
    return read_facts(headers), pixels


def same(volume: Volume, reference: nib.Nifti1Image) -> None:
    """Equal values, and the affine within 1e-3, in the closest canonical orientation."""
    values, affine = canonical(nib.Nifti1Image(np.asarray(volume), volume.affine))
    expected, place = canonical(reference)
    assert expected.shape == values.shape
    assert np.allclose(place, affine, atol=1e-3)
    assert np.array_equal(expected, values)


@pytest.mark.parametrize(
    "heights",
    [
        (0, 2, 4, 6, 9, 12, 15, 18),
        (0, 2, 4, 6, 9, 12, 15, 19),
        (0, 2, 4, 6, 7, 12, 17, 22),
        (0, 2, 4, 6, 10, 12, 14),
        (0, -2.1, -4.3, -6.2, -8.9, -11),
    ],
)
def test_resampled_spacing_is_dcm2niix_s(heights: tuple[float, ...], tmp_path: Path) -> None:
    """Its ``_Eq`` volume, to the voxel."""
    found = scanned(tmp_path / "in", [(-12.5, 33.0, z - 100.0) for z in heights])
    reference = converted(tmp_path / "in", tmp_path / "out")
    policies = Policies(spacing="resample", missing="resample")
    (volume,) = (one for item in volumes(*found) for one in shaped(item, policies))
    assert isinstance(volume, Volume)
    same(volume, reference["_Eq_1"])


@pytest.mark.parametrize("extra", [{}, {"PixelPaddingValue": 7}])
def test_resampled_tilt_is_dcm2niix_s(extra: dict[str, object], tmp_path: Path) -> None:
    """Its ``_Tilt`` volume, to the voxel."""
    lean = math.radians(18.5)
    found = scanned(
        tmp_path / "in",
        [(-12.5, 33.0, 4.22 * k - 100.0) for k in range(6)],
        ImageOrientationPatient=[1, 0, 0, 0, round(math.cos(lean), 8), -round(math.sin(lean), 8)],
        GantryDetectorTilt=18.5,
        **extra,
    )
    reference = converted(tmp_path / "in", tmp_path / "out")
    policies = Policies(tilt="resample")
    (volume,) = (one for item in volumes(*found) for one in shaped(item, policies))
    assert isinstance(volume, Volume)
    same(volume, reference["_Tilt_1"])


@pytest.mark.parametrize(
    ("degrees", "gap", "more"),
    [(12.3, 2.7, 0.0), (-17, 4.22, 0.0), (17, 4.22, 1.7), (-20.5, 3.1, 1.7)],
)
def test_however_a_gantry_leans(degrees: float, gap: float, more: float, tmp_path: Path) -> None:
    """Every value is dcm2niix's, be it to one side or the other, evenly spaced or not."""
    lean = math.radians(degrees)
    found = scanned(
        tmp_path / "in",
        [(-12.5, 33.0, round(gap * k + more * max(k - 4, 0) - 101.3, 4)) for k in range(10)],
        ImageOrientationPatient=[1, 0, 0, 0, round(math.cos(lean), 6), -round(math.sin(lean), 6)],
        GantryDetectorTilt=degrees,
    )
    reference = converted(tmp_path / "in", tmp_path / "out")
    policies = Policies(tilt="resample", spacing="resample")
    (volume,) = (one for item in volumes(*found) for one in shaped(item, policies))
    assert isinstance(volume, Volume)
    expected, _ = canonical(reference["_Tilt_Eq_1" if more else "_Tilt_1"])
    values, _ = canonical(nib.Nifti1Image(np.asarray(volume), volume.affine))
    assert np.array_equal(expected, values)


@pytest.mark.data
def test_a_real_gantry_leans_and_its_slices_are_uneven(tmp_path: Path, shared_data: Path) -> None:
    """Both at once: dcm2niix's ``_Tilt_Eq`` of 28 slices, every one of 17 million voxels."""
    folder = shared_data / "dcm_qa_ct" / "In" / "GE"
    reference = converted(folder, tmp_path / "out")
    headers, pixels = read(folder)
    policies = Policies(tilt="resample", spacing="resample")
    (item,) = volumes(read_facts(headers), pixels)
    (volume,) = shaped(item, policies)
    assert isinstance(volume, Volume)
    same(volume, reference["_Tilt_Eq_1"])


def test_a_sheared_affine_is_where_the_slices_are(tmp_path: Path) -> None:
    """dcm2niix's raw file of a leaning gantry has its slices too near by the cosine of the tilt."""
    lean = math.radians(18.5)
    found = scanned(
        tmp_path / "in",
        [(-12.5, 33.0, 4.22 * k - 100.0) for k in range(6)],
        ImageOrientationPatient=[1, 0, 0, 0, round(math.cos(lean), 8), -round(math.sin(lean), 8)],
        GantryDetectorTilt=18.5,
    )
    raw = converted(tmp_path / "in", tmp_path / "out")[""]
    (item,) = volumes(*found)
    (volume,) = shaped(item, Policies(tilt="affine"))
    assert isinstance(volume, Volume)
    assert np.allclose([12.5, -33.0, 4.22 * 5 - 100.0], world(volume)[0, 0, 5])
    values, _ = canonical(nib.Nifti1Image(np.asarray(volume), volume.affine))
    assert np.array_equal(canonical(raw)[0], values)
    assert pytest.approx(4.22 * math.cos(lean), abs=1e-4) == float(raw.affine[2, 2])
