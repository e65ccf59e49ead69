"""Files are opened ahead where opening is slow, and only there."""

from __future__ import annotations

import threading
import time
from io import FileIO
from pathlib import Path

import pytest

from cohortkit.dicom import ahead, runs
from cohortkit.dicom.ahead import each_opened
from cohortkit.dicom.reader import HeaderReader
from cohortkit.dicom.values import field
from factory import Patient, Series, instance, write_series

FILES = 40


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Files that hold their own number; the one before the last is not there."""
    for number in range(FILES):
        (tmp_path / str(number)).write_bytes(b"%d" % number)
    (tmp_path / str(FILES - 2)).unlink()
    return [str(tmp_path / str(number)) for number in range(FILES)]


class Counted(FileIO):
    """Counts what is open, who opens, and how many bytes are read."""

    delay = 0.0
    held: set[str] = set()  # noqa: RUF012 - cleared by the fixture
    openers: set[str] = set()  # noqa: RUF012 - as above
    taken = 0

    def __init__(self, path: str) -> None:
        if Counted.delay:
            time.sleep(Counted.delay)
        super().__init__(path)
        Counted.held.add(str(path))
        Counted.openers.add(threading.current_thread().name)

    def read(self, size: int = -1, /) -> bytes:
        """As a file's."""
        data = super().read(size)
        Counted.taken += len(data)
        return data

    def close(self) -> None:
        """As a file's."""
        if not self.closed:
            Counted.held.discard(str(self.name))
        super().close()


@pytest.fixture(params=[0.0, 0.005])
def delay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Files that open at once, and files that take 5 ms."""
    Counted.delay, Counted.taken = request.param, 0
    Counted.held.clear()
    Counted.openers.clear()
    monkeypatch.setattr(ahead, "FileIO", Counted)
    return float(request.param)


def test_every_file_in_order_and_none_left_open(paths: list[str], delay: float) -> None:
    """The bytes of each, or what opening it raised; threads only where opening is slow."""
    found: list[object] = []
    begin = time.perf_counter()
    for opened in each_opened(paths):
        try:
            file, head = opened()
        except OSError as fault:
            found.append(type(fault))
        else:
            with file:
                found.append(int(head))
    spent = time.perf_counter() - begin

    assert [*range(FILES - 2), FileNotFoundError, FILES - 1] == found
    assert set() == Counted.held
    assert (len(Counted.openers) > 1) == (delay > 0)
    assert spent < FILES * delay or not delay


def test_whoever_stops_early_leaves_nothing_open(paths: list[str], delay: float) -> None:
    """As when a scan is interrupted."""
    calls = each_opened(paths)
    for _ in range(12):
        next(calls)()[0].close()
    calls.close()  # type: ignore[attr-defined] - a generator

    assert set() == Counted.held
    assert delay >= 0


@pytest.mark.parametrize("delay", [0.0], indirect=True)
def test_no_more_of_a_file_is_read_than_its_header(tmp_path: Path, delay: float) -> None:
    """Neither the pixels nor a large private element before them, however large both are."""
    dataset = instance(Patient(), Series(), 0)
    block = dataset.private_block(0x0019, "MAKER", create=True)
    block.add_new(1, "OB", bytes(3_000_000))
    dataset.Rows = dataset.Columns = 2048
    dataset.PixelData = bytes(2 * 2048 * 2048)
    path = tmp_path / "file"
    dataset.save_as(path, enforce_file_format=True)
    header = HeaderReader([field("PatientID"), field("Columns")]).read(path)

    assert [Patient().patient_id, 2048] == header.values
    assert 0 < Counted.taken <= 16 * 1024 + 64 * 1024
    assert delay == 0


def test_what_was_read_before_does_not_matter(pydicom_files: list[Path]) -> None:
    """A reader that knows many files says of each what one says that knows none."""
    fields = [field(word) for word in ("PatientID", "StudyDate", "Rows", "SliceLocation")]
    knowing = HeaderReader(fields)
    for path in [*pydicom_files, *reversed(pydicom_files)]:
        answers = []
        for reader in (knowing, HeaderReader(fields)):
            try:
                header = reader.read(path)
                answers.append((header.values, header.issues, header.transfer_syntax))
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is the same
                answers.append((type(fault), str(fault)))

        assert answers[1] == answers[0], path.name


def test_what_is_known_of_runs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files there are, and however they differ."""
    monkeypatch.setattr(runs, "_MOST", 20)
    reader = HeaderReader([field("PatientID"), field("Columns")])
    for number in range(30):
        patient = Patient(patient_id=f"P{number}", name="N" * number)
        for path in write_series(tmp_path / str(number), patient, Series(slices=2)):
            reader.read(path)

    assert 0 < len(reader._runs[False].known) <= 30
