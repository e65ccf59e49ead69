"""Files in place: handed over in order, told when they changed, never written to."""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cohortkit.errors import Refusal, TaskFailure
from cohortkit.geometry.facts import read_facts
from cohortkit.model import FileRef, Person, Reason, Task
from cohortkit.pixels.decode import decode
from cohortkit.sources.files import Files
from cohortkit.writers import files as writing
from factory import Patient, Series, instance, write_series


def refs(paths: list[Path]) -> tuple[FileRef, ...]:
    found = [(path, path.stat()) for path in paths]
    return tuple(FileRef(str(p), s.st_size, s.st_mtime_ns, "") for p, s in found)


def task(files: tuple[FileRef, ...]) -> Task:
    return Task(0, "k", Person("", "x"), "1", "2", "3", "CT", files)


def test_instances_come_in_the_task_s_order(tmp_path: Path) -> None:
    """One for each file, headers without pixels, pixels on request."""
    paths = write_series(tmp_path, Patient(), Series(slices=4))[::-1]
    found = Files().fetch(task(refs(paths)))
    assert [4, 3, 2, 1] == [one.header.InstanceNumber for one in found]
    for path, one in zip(paths, found, strict=True):
        assert "PixelData" not in one.header
        assert one.pixels is not None
        assert pydicom.dcmread(path).PixelData == one.pixels.read()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_implicit_and_deflated(syntax: str, tmp_path: Path) -> None:
    """Other encodings of the data set give the same values."""
    dataset = instance(Patient(), Series(), 0)
    expected = dataset.pixel_array.copy()
    dataset.file_meta.TransferSyntaxUID = syntax
    path = tmp_path / "x"
    dataset.save_as(path, enforce_file_format=True)
    assert np.array_equal(expected[np.newaxis], values(path))


def test_big_endian() -> None:
    """Words of the other byte order."""
    little, big = (
        pydicom.data.get_testdata_file(name) for name in ("MR_small.dcm", "MR_small_bigendian.dcm")
    )
    assert np.array_equal(values(Path(str(little))), values(Path(str(big))))


def values(path: Path) -> np.ndarray:
    """The stored values of a file's pixels, by our own way from the disk."""
    (one,) = Files().fetch(task(refs([path])))
    (facts,) = read_facts([one.header]).instances
    assert one.pixels is not None
    assert facts.pixels is not None
    return decode(one.pixels.read(), facts.pixels)


def test_bytes_in_big_endian_words_are_put_right() -> None:
    """Samples of eight bits as OW lie swapped in a big-endian file."""
    path = pydicom.data.get_testdata_file("SC_rgb_small_odd_big_endian.dcm")
    assert path is not None
    expected = pydicom.dcmread(path).pixel_array[np.newaxis]
    assert np.array_equal(expected, values(Path(path)))


def test_a_file_that_vanished(tmp_path: Path) -> None:
    """Before its header is read, and between header and pixels: a transient failure."""
    paths = write_series(tmp_path, Patient(), Series(slices=2))
    held = Files().fetch(task(refs(paths)))
    listed = refs(paths)
    paths[1].unlink()
    with pytest.raises(TaskFailure) as caught:
        Files().fetch(task(listed))
    assert Reason.FILE_VANISHED is caught.value.reason
    assert held[1].pixels is not None
    with pytest.raises(TaskFailure) as late:
        held[1].pixels.read()
    assert Reason.FILE_VANISHED is late.value.reason


@pytest.mark.parametrize("how", ["longer", "touched"])
def test_a_file_that_changed(how: str, tmp_path: Path) -> None:
    """Another size or another time is another file, also between header and pixels."""
    (path,) = write_series(tmp_path, Patient(), Series(slices=1))
    listed = refs([path])
    (held,) = Files().fetch(task(listed))
    if how == "longer":
        path.write_bytes(path.read_bytes() + b"\0\0")
    else:
        os.utime(path, ns=(1, 1))
    for read in (lambda: Files().fetch(task(listed)), lambda: held.pixels and held.pixels.read()):
        with pytest.raises(TaskFailure) as caught:
            read()
        assert Reason.FILE_CHANGED is caught.value.reason


def test_a_file_that_is_not_what_the_index_said(tmp_path: Path) -> None:
    """Text where an object was indexed."""
    path = tmp_path / "x"
    path.write_text("Quisling^Marjolein")
    with pytest.raises(Refusal) as caught:
        Files().fetch(task(refs([path])))
    assert Reason.NOT_DICOM is caught.value.reason
    assert "Quisling" not in str(caught.value)


def test_pixels_cut_off(tmp_path: Path) -> None:
    """The file ends inside its pixels."""
    (path,) = write_series(tmp_path, Patient(), Series(slices=1))
    path.write_bytes(path.read_bytes()[:-40])
    (one,) = Files().fetch(task(refs([path])))
    assert one.pixels is not None
    with pytest.raises(Refusal) as caught:
        one.pixels.read()
    assert Reason.PIXEL_LENGTH is caught.value.reason


def test_reprs_name_no_path(tmp_path: Path) -> None:
    """A path can hold a name."""
    (path,) = write_series(tmp_path / "Quisling", Patient(), Series(slices=1))
    (one,) = Files().fetch(task(refs([path])))
    assert "Quisling" not in repr(one) + repr(one.pixels)


def test_the_archive_is_only_read(tmp_path: Path) -> None:
    """Bytes and times stay."""
    paths = write_series(tmp_path, Patient(), Series(slices=2))
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    for one in Files().fetch(task(refs(paths))):
        assert one.pixels is not None
        one.pixels.read()
    assert before == [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]


def test_a_file_without_preamble_and_meta(tmp_path: Path) -> None:
    """Old files are objects too; their encoding is seen from their bytes."""
    dataset = instance(Patient(), Series(), 0)
    bare = FileDataset("", dataset, preamble=None, file_meta=FileMetaDataset())
    path = tmp_path / "x"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bare.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert path.read_bytes()[:2] == b"\x08\0"
    assert np.array_equal(dataset.pixel_array[np.newaxis], values(path))


def test_written_files_are_hashed_and_links_not_followed(tmp_path: Path) -> None:
    """A link at the place of a file is not written through."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"keep")
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(TaskFailure) as caught:
        writing.write(tmp_path / "link", [b"x"])
    assert Reason.WRITE_ERROR is caught.value.reason
    assert victim.read_bytes() == b"keep"
    found = writing.write(tmp_path / "new", [b"ab", memoryview(b"c")])
    assert ("ba7816bf", 3) == (found.sha256[:8], found.size)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, Reason.DISK_FULL), (errno.EDQUOT, Reason.DISK_FULL),
     (errno.EIO, Reason.WRITE_ERROR)],
)  # fmt: skip
def test_a_full_disk_is_named(
    number: int, reason: Reason, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No space left is a failure of its own; no message of the system passes."""

    def full(_: int) -> None:
        raise OSError(number, "no space for Quisling")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TaskFailure) as caught:
        writing.write(tmp_path / "x", [b"x"])
    assert reason is caught.value.reason
    assert "Quisling" not in str(caught.value)
