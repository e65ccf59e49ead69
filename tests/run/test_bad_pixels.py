"""Slices and pixels that are broken or lie, each in a series of its own: refused by name."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import polars as pl
import pytest
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

import cohortkit as ck
from batches import planned, run
from factory import Patient, Series, instance, uid
from promised import accounted

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

Slices = list[FileDataset]
SLICES, ROWS, COLUMNS = 5, 12, 10


def nothing(_: Slices) -> None:
    """A series as it should be."""


def missing(slices: Slices) -> None:
    del slices[2]


def doubled(slices: Slices) -> None:
    slices.append(copy.deepcopy(slices[2]))


def doubled_with_other_pixels(slices: Slices) -> None:
    doubled(slices)
    slices[-1].PixelData = bytes(len(slices[-1].PixelData))


def same_place_of_another_instance(slices: Slices) -> None:
    doubled_with_other_pixels(slices)
    slices[-1].SOPInstanceUID = uid("another")
    slices[-1].file_meta.MediaStorageSOPInstanceUID = slices[-1].SOPInstanceUID


def of_another_size(slices: Slices) -> None:
    slices[2].Rows = ROWS - 2
    slices[2].PixelData = slices[2].PixelData[: (ROWS - 2) * COLUMNS * 2]


def turned(slices: Slices) -> None:
    slices[2].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]


def of_another_study(slices: Slices) -> None:
    slices[2].StudyInstanceUID = uid("another study")


def set_all(keyword: str, value: object) -> Callable[[Slices], None]:
    def fault(slices: Slices) -> None:
        for dataset in slices:
            setattr(dataset, keyword, value)

    return fault


def set_one(keyword: str, value: object) -> Callable[[Slices], None]:
    def fault(slices: Slices) -> None:
        setattr(slices[2], keyword, value)

    return fault


def of_100_gigabytes(slices: Slices) -> None:
    slices[2].Rows, slices[2].Columns, slices[2].NumberOfFrames = 65535, 65535, 12


def shorter(slices: Slices) -> None:
    slices[2].PixelData = slices[2].PixelData[:-2]


def longer(slices: Slices) -> None:
    slices[2].PixelData += slices[2].PixelData


def encoded(syntax: str, make: Callable[[np.ndarray], bytes]) -> Callable[[Slices], None]:
    """One slice is in a code that is made of other values than the header tells of."""

    def fault(slices: Slices) -> None:
        one = slices[2]
        values = np.frombuffer(one.PixelData, np.uint16).reshape(ROWS, COLUMNS)
        one.PixelData = encapsulate([make(values)])
        one["PixelData"].VR = "OB"
        one["PixelData"].is_undefined_length = True
        one.file_meta.TransferSyntaxUID = syntax

    return fault


def j2k_of_a_terabyte(values: np.ndarray) -> bytes:
    data = bytearray(imagecodecs.jpeg2k_encode(values, codecformat="j2k", level=0))
    data[8:16] = (1 << 20).to_bytes(4, "big") * 2
    return bytes(data)


def rle_of_too_little(_: np.ndarray) -> bytes:
    head = b"".join(n.to_bytes(4, "little") for n in (2, 64, 66, *(0,) * 13))
    return head + b"\xff\x00" + b"\xff\x00"


def rle_without_end(_: np.ndarray) -> bytes:
    head = b"".join(n.to_bytes(4, "little") for n in (2, 64, 1 << 30, *(0,) * 13))
    return head + b"\x81\x00" * 40


def cut(values: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpegls_encode(values))[:60]


MISSING = ["refused missing-slice 4"]
ALONE = ["refused single-slice 1"]
TWICE = ["duplicate same-instance 1", "written 5"]
UNPLACED = ["refused bad-geometry 1"]
ALL = ["written 5"]


def one_less(reason: str) -> list[str]:
    return [f"refused {reason} 1", "written 4"]


NO_FORM, LENGTH, STREAM = "unsupported-pixels", "pixel-length", "decode-failed"
FAULTS: dict[str, tuple[Callable[[Slices], None], list[str], list[str]]] = {
    "sound": (nothing, ALL, ALL),
    "missing": (missing, MISSING, ["written 4"]),
    "doubled": (doubled, TWICE, TWICE),
    "other pixels": (doubled_with_other_pixels, ["refused same-place 6"], ["written 6"]),
    "another there": (same_place_of_another_instance, ["refused same-place 6"], ["written 6"]),
    "another size": (of_another_size, [*MISSING, *ALONE], ALL),
    "turned": (turned, [*MISSING, *ALONE], ALL),
    "another study": (of_another_study, [*MISSING, *ALONE], ["written 1", "written 4"]),
    "100 GB": (
        of_100_gigabytes,
        [*MISSING, "refused no-geometry 1"],
        one_less("too-large"),
    ),
    "shorter": (shorter, [f"refused {LENGTH} 5"], one_less(LENGTH)),
    "longer": (longer, [f"refused {LENGTH} 5"], one_less(LENGTH)),
    "cut file": (nothing, [f"refused {LENGTH} 5"], one_less(LENGTH)),
    "NaN position": (set_one("ImagePositionPatient", ["NaN", 0, 0]), [*UNPLACED, *MISSING], ALL),
    "endless": (set_one("ImagePositionPatient", [0, 0, "1e400"]), [*UNPLACED, *MISSING], ALL),
    "no spacing": (set_all("PixelSpacing", [0, 0.7]), ["refused bad-geometry 5"], ALL),
    "below zero": (set_all("PixelSpacing", [-0.8, 0.7]), ["refused bad-geometry 5"], ALL),
    "NaN spacing": (set_all("PixelSpacing", ["NaN", 0.7]), ["refused bad-geometry 5"], ALL),
    "no direction": (set_all("ImageOrientationPatient", [0] * 6), ["refused bad-geometry 5"], ALL),
    "NaN direction": (
        set_all("ImageOrientationPatient", ["NaN", 0, 0, 0, 1, 0]),
        ["refused bad-geometry 5"],
        ALL,
    ),
    "one place": (set_all("ImagePositionPatient", [0, 0, 0]), ["refused single-slice 5"], ALL),
    "no slope": (set_one("RescaleSlope", 0), [f"refused {NO_FORM} 5"], one_less(NO_FORM)),
    "no rows": (set_one("Rows", 0), [*MISSING, f"refused {NO_FORM} 1"], one_less(NO_FORM)),
    "13 bits of 12": (set_one("HighBit", 16), [f"refused {NO_FORM} 5"], one_less(NO_FORM)),
    "JPEG-LS of another size": (
        encoded(JPEGLSLossless, lambda values: imagecodecs.jpegls_encode(np.tile(values, (4, 4)))),
        [f"refused {STREAM} 5"],
        one_less(STREAM),
    ),
    "JPEG-LS cut off": (encoded(JPEGLSLossless, cut), [f"refused {STREAM} 5"], one_less(STREAM)),
    "JPEG 2000 of a terabyte": (
        encoded(JPEG2000Lossless, j2k_of_a_terabyte),
        [f"refused {STREAM} 5"],
        one_less(STREAM),
    ),
    "JPEG of noise": (
        encoded(JPEGLosslessSV1, lambda _: b"\xff\xd8" + bytes(range(200)) * 3),
        [f"refused {STREAM} 5"],
        one_less(STREAM),
    ),
    "RLE of too little": (
        encoded(RLELossless, rle_of_too_little),
        [f"refused {STREAM} 5"],
        one_less(STREAM),
    ),
    "RLE without end": (
        encoded(RLELossless, rle_without_end),
        [f"refused {STREAM} 5"],
        one_less(STREAM),
    ),
}
"""Each with what becomes of its volume, and of its pictures: status, reason and instances."""


def written(folder: Path) -> dict[str, str]:
    """The archive; each series' UID with the name of its fault."""
    folder.mkdir()
    names = {}
    for number, (name, (fault, _, _)) in enumerate(FAULTS.items(), start=1):
        form = Series(slices=SLICES, rows=ROWS, columns=COLUMNS, number=number, seed=number)
        slices = [instance(Patient(), form, index) for index in range(SLICES)]
        names[str(slices[0].SeriesInstanceUID)] = name
        fault(slices)
        for n, one in enumerate(slices):
            one.save_as(folder / f"{number:02}-{n}", enforce_file_format=True)
        if name == "cut file":
            last = folder / f"{number:02}-4"
            last.write_bytes(last.read_bytes()[:-30])
    return names


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("bad") / "archive"
    return folder, written(folder)


@pytest.fixture(scope="module")
def made(
    archive: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory, key: ck.Key
) -> ck.Export:
    """One export of them all, by one worker; what a header claims to hold finds no memory."""
    out = tmp_path_factory.mktemp("bad") / "out"
    return run(planned(archive[0], OUTPUTS), out, key, workers=1, task_gigabytes=1.0)


OUTPUTS = [ck.Nifti(compress=False), ck.Png()]


def told(made: ck.Export, key: ck.Key, names: dict[str, str], output: str) -> dict[str, list[str]]:
    """By fault: what became of so many instances."""
    known = {key.pseudonyms().series(number): name for number, name in names.items()}
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for row in made.table("tasks").filter(pl.col("output") == output).to_dicts():
        words = row["status"], row["reason"], str(row["instances"])
        found[known[row["series"]]].append(" ".join(filter(None, words)))
    return {name: sorted(lines) for name, lines in found.items()}


def test_each_fault_is_refused_by_name(
    archive: tuple[Path, dict[str, str]], made: ck.Export, key: ck.Key
) -> None:
    """And pictures, which need no place in space, are written of all slices that have pixels."""
    accounted(made.release)
    volumes, pictures = (told(made, key, archive[1], output) for output in ("nifti", "png"))

    assert volumes == {name: sorted(lines) for name, (_, lines, _) in FAULTS.items()}
    assert pictures == {name: sorted(lines) for name, (_, _, lines) in FAULTS.items()}
    assert made.table("tasks").filter(pl.col("status") == "failed").is_empty()


def test_the_rest_is_unharmed(
    archive: tuple[Path, dict[str, str]],
    made: ck.Export,
    key: ck.Key,
    tmp_path: Path,
) -> None:
    """What is sound is written as if it were alone in its archive, byte for byte."""
    alone = tmp_path / "alone"
    alone.mkdir()
    for path in archive[0].glob("01-*"):
        shutil.copy2(path, alone)

    single = run(planned(alone, OUTPUTS), tmp_path / "out", key, workers=1)

    sums = [
        dict(
            one.table("files").filter(pl.col("output") != "tables").select("path", "sha256").rows()
        )
        for one in (single, made)
    ]
    assert len(sums[0]) == 2 + 2 * SLICES
    assert sums[0].items() <= sums[1].items()
