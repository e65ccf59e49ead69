"""One contact sheet a series, by the public face, beside its pictures."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

import cohortkit as ck
from batches import planned, run
from cohortkit.model import Artifact, FileRef, Payload, Person, Task, Volume
from cohortkit.run.produce import produce
from factory import Patient, Series, instance, write_series
from promised import accounted, check_accounts
from released import Held, release

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two series of which the second has a file that ends too early, brighter slice by slice."""
    folder = tmp_path_factory.mktemp("sheets")
    write_series(folder, Patient(), Series(slices=3))
    for n, path in enumerate(write_series(folder, Patient(), Series(slices=3, number=2))):
        dataset = dcmread(path)
        shape = dataset.Rows, dataset.Columns
        dataset.PixelData = np.full(shape, 1024 + 100 * n, np.uint16).tobytes()
        dataset.WindowCenter, dataset.WindowWidth = 200.5, 401
        if n == 1:
            dataset.PixelData = dataset.PixelData[:-20]
        dataset.InstanceNumber = 9 - n
        dataset.save_as(path)
    return folder


def task(count: int) -> Task:
    """Of so many files of nobody."""
    files = tuple(FileRef(f"/{n}", 1, 1, f"1.2.{n}") for n in range(count))
    return Task(
        number=0,
        series_key="k",
        person=Person("", "1"),
        study_instance_uid="1.2",
        series_instance_uid="1.2.3",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        modality="CT",
        files=files,
    )


def owner(values: NDArray[Any]) -> NDArray[Any]:
    """The array that has the memory of a view."""
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def sheets(made: ck.Export) -> list[dict[str, object]]:
    return made.table("files").filter(pl.col("role") == "sheet").sort("path").to_dicts()


def test_a_sheet_shows_what_was_written(archive: Path, tmp_path: Path, key: ck.Key) -> None:
    """In the order of Instance Number, as 8 bits show it; what is refused is not on it."""
    made = run(planned(archive, [ck.Png(sheet=True)]), tmp_path / "out", key)

    accounted(made.release)
    check_accounts(made, 6)
    found = sheets(made)
    assert [row["instances"] for row in found] in ([2, 3], [3, 2])
    (cut,) = [row for row in found if row["instances"] == 2]
    picture = imagecodecs.png_decode((made.release / str(cut["path"])).read_bytes())
    about = json.loads((made.release / str(cut["path"])).with_suffix(".json").read_text())
    assert picture.shape == (128, 256)
    assert picture[64, [64, 192]].tolist() == [128, 0]  # 200 HU, and 0 HU, of 0 to 400
    assert about["Files"] == ["i0001.png", "i0003.png"]
    assert (about["WindowCenter"], about["WindowWidth"]) == (200.5, 401.0)
    folder = (made.release / str(cut["path"])).parent
    assert {*about["Files"]} < {path.name for path in folder.iterdir()}


def test_without_being_asked_for_there_is_none(archive: Path, tmp_path: Path, key: ck.Key) -> None:
    """And the pictures are the same, byte for byte."""
    plain = run(planned(archive, [ck.Png()]), tmp_path / "plain", key)
    more = run(planned(archive, ["png:sheet"]), tmp_path / "more", key)

    assert sheets(plain) == []
    rows = [
        one.table("files").filter(pl.col("role") == "image").select("path", "sha256").rows()
        for one in (plain, more)
    ]
    assert rows[0] == rows[1] != []


@pytest.mark.parametrize("extra", [{}, {"spacing": "split", "single": "keep-2d"}])
def test_one_payload_is_held_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]
) -> None:
    """While one is read, that before it is no longer in memory: of volumes, and of parts."""
    slices = [instance(Patient(), Series(slices=6), n) for n in range(6)]
    for n, dataset in enumerate(slices):
        dataset.EchoTime = 10.0 if n < 3 or extra else 20.0
        dataset.ImagePositionPatient = [0, 0, n * 2.5 + bool(extra and n > 3)]
    seen: list[weakref.ref[NDArray[Any]]] = []
    alive: list[bool] = []

    def read(held: Held) -> bytes:
        alive.append(any(one() is not None for one in seen))
        return held.data

    class Watching(ck.Nifti):
        def write(self, payload: Payload, *_: object) -> list[Artifact]:
            assert isinstance(payload, Volume)
            seen.append(weakref.ref(owner(payload.values)))
            return []

    monkeypatch.setattr(Held, "read", read)
    produce(release(slices), task(6), [Watching(**extra)], tmp_path)

    assert len(seen) == 2
    assert alive == [False] * 6
