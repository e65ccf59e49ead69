"""Objects in tar and zip: brought by their offset, and the release is that of the folder."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

import cohortkit as ck
from boxes import BOXES
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.model import FileRef, Task
from cohortkit.protocols import Index
from cohortkit.run.plan import plan
from cohortkit.sources.contained import Contained
from factory import Patient, Series, write_series


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients' series."""
    root = tmp_path_factory.mktemp("plain") / "archive"
    for number in range(2):
        write_series(root / str(number), Patient(patient_id=f"00{number}"), Series(slices=3))
    return root


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ck.Key:
    return ck.Key.new(tmp_path_factory.mktemp("key") / "k.key", "boxes")


def _released(index: Index, out: Path, key: ck.Key) -> dict[str, bytes]:
    cohort = index.search(Modality="CT")  # type: ignore[attr-defined]
    to = [ck.Nifti(), ck.Dicom(), ck.Tables()]
    ck.export(
        ck.plan(cohort, ck.load_recipe("basic"), to=to), out, key=key, workers=1, progress=False
    )
    assert ck.verify(out, key=key, index=index).ok  # type: ignore[arg-type]
    release = out / "release"
    files = sorted(path for path in release.rglob("*") if path.is_file())
    found = {str(path.relative_to(release)): path.read_bytes() for path in files}
    # how many traces were looked for: the paths of what is packed are others
    told = json.loads(found.pop("export.json"))
    del told["searched"]["patterns"], told["sha256"]["report.html"], found["report.html"]
    return {**found, "export.json": json.dumps(told).encode()}


@pytest.fixture(scope="module")
def expected(
    folder: Path, key: ck.Key, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What the folder gives."""
    index = ck.scan(folder, progress=False, workers=1)
    return _released(index, tmp_path_factory.mktemp("expected") / "out", key)


@pytest.mark.parametrize("kind", ["deflated.zip", "streamed.zip", "gnu.tar"])
def test_the_release_is_that_of_the_folder(
    folder: Path, tmp_path: Path, key: ck.Key, expected: dict[str, bytes], kind: str
) -> None:
    """Byte for byte; and nothing that was brought stays."""
    (tmp_path / "packed").mkdir()
    BOXES[kind](folder, tmp_path / "packed" / kind)
    index = ck.scan(tmp_path / "packed", containers=True, progress=False, workers=1)

    assert expected == _released(index, tmp_path / "out", key)
    assert not (tmp_path / "out" / "vault" / "fetched").exists()


def test_from_a_copy_in_a_database(
    folder: Path, tmp_path: Path, key: ck.Key, expected: dict[str, bytes]
) -> None:
    """The places are copied as they are."""
    (tmp_path / "packed").mkdir()
    BOXES["stored.zip"](folder, tmp_path / "packed" / "all.zip")
    index = ck.scan(tmp_path / "packed", containers=True, progress=False, workers=1)

    assert expected == _released(index.copy_to(f"sqlite:///{tmp_path}/i.db"), tmp_path / "out", key)


def _task(folder: Path, box: Path, kind: str) -> Task:
    """One series in a container."""
    box.parent.mkdir()
    BOXES[kind](folder, box)
    index = ck.scan(box.parent, containers=True, progress=False, workers=1)
    return plan(index.search(PatientID="000"), ck.load_recipe("basic"), to=["tables"]).tasks[0]


@pytest.mark.parametrize("kind", BOXES)
def test_each_object_is_there_as_it_was_packed(folder: Path, tmp_path: Path, kind: str) -> None:
    """Pixels too, which are read later, and in the order of the task."""
    task = _task(folder, tmp_path / "packed" / kind, kind)
    scratch = tmp_path / "vault" / "task"
    scratch.parent.mkdir()
    found = Contained().fetch(task, scratch)

    assert task.files == tuple(one.file for one in found)
    plain = {path.read_bytes() for path in (folder / "0").iterdir()}
    assert plain == {path.read_bytes() for path in scratch.iterdir()}
    assert all(one.pixels is not None and one.pixels.read() for one in found)
    assert 0o700 == scratch.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in scratch.iterdir()}


def _fetch(task: Task, tmp_path: Path) -> None:
    Contained().fetch(task, tmp_path / "scratch")


def test_a_container_that_has_changed_is_told(folder: Path, tmp_path: Path) -> None:
    """By its time; by what lies there, where the time was put back; and one that is gone."""
    box = tmp_path / "packed" / "one.tar"
    task = _task(folder, box, "gnu.tar")
    was = box.stat()
    os.utime(box, ns=(1, 1))
    with pytest.raises(TaskFailure, match="file-changed"):
        _fetch(task, tmp_path)

    data = box.read_bytes()
    uid = task.files[0].sop_instance_uid.encode()
    box.write_bytes(data.replace(uid, uid[:-1] + bytes([(uid[-1] - 47) % 10 + 48])))
    os.utime(box, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(TaskFailure, match="file-changed"):
        _fetch(task, tmp_path)

    box.unlink()
    with pytest.raises(TaskFailure, match="file-vanished"):
        _fetch(task, tmp_path)


@pytest.mark.parametrize("kind", ["stored.zip", "deflated.zip", "streamed.zip"])
@pytest.mark.parametrize("step", [-14, -2000])
def test_a_checksum_that_is_wrong_is_refused(
    folder: Path, tmp_path: Path, kind: str, step: int
) -> None:
    """One bit among the pixels of the last object of the series is another."""
    box = tmp_path / "packed" / kind
    task = _task(folder, box, kind)
    was, raw = box.stat(), bytearray(box.read_bytes())
    last = max(int(file.path.rpartition("//")[2].partition("/")[0]) for file in task.files)
    following = raw.index(b"PK\3\4", last + 4)
    raw[following + step] ^= 1
    box.write_bytes(raw)
    os.utime(box, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(Refusal, match="container-damaged"):
        _fetch(task, tmp_path)


def test_another_size_than_was_said_is_refused(folder: Path, tmp_path: Path) -> None:
    """More than it said is a bomb, less is a cut."""
    for kind, name in (("deflated.zip", "a"), ("gnu.tar", "b")):
        task = _task(folder, tmp_path / name / kind, kind)
        for more in (-1, 1):
            one = task.files[0]
            file = FileRef(one.path, one.size + more, one.mtime_ns, one.sop_instance_uid)
            with pytest.raises(Refusal, match="container-damaged"):
                _fetch(replace(task, files=(file,)), tmp_path)
