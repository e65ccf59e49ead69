"""Objects in tar and zip, scanned where they lie."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import polars as pl
import pytest

from boxes import BOXES, deflated, stored, tarred
from cohortkit.errors import UsageError
from cohortkit.index import StoreIndex, open_index, pool, scan
from factory import Patient, Series, write_series
from indexes import assert_same, series_of

_scan = partial(scan, workers=1, progress=False)


def _rows(index: StoreIndex) -> pl.DataFrame:
    """All that is said of instances but where they lie."""
    keys = index.series().collect()["series_key"]
    rows = index.instances(keys).sort("SOPInstanceUID")
    return rows.drop("path", "mtime_ns", "source", "valid_from")


def _reasons(index: StoreIndex) -> dict[str, str]:
    """Reasons of what is not indexed, by the last part of its place."""
    rows = index.skipped(identified=True).select("path", "reason").iter_rows()
    return {path.rpartition("/")[2]: reason for path, reason in rows}


@pytest.mark.parametrize("kind", BOXES)
def test_a_container_says_what_its_folder_says(archive: Path, tmp_path: Path, kind: str) -> None:
    """The same objects, and the same reasons for the rest, whatever program packed it."""
    place = tmp_path / "packed"
    place.mkdir()
    BOXES[kind](archive, place / kind)
    packed, plain = _scan(place, containers=True), _scan(archive)

    assert _rows(packed).equals(_rows(plain))
    assert series_of(packed).equals(series_of(plain))
    assert {**_reasons(plain), kind: "container"} == _reasons(packed)
    paths = packed.instances(packed.series().collect()["series_key"])["path"]
    assert all(path.startswith(f"{place / kind}//") for path in paths)


def test_nothing_is_looked_into_unasked(archive: Path) -> None:
    """A container is a file that is no DICOM."""
    deflated(archive / "a", archive / "more.zip")
    assert "not-dicom" == _reasons(_scan(archive))["more.zip"]


def test_only_a_changed_container_is_opened_again(archive: Path, tmp_path: Path) -> None:
    """What is in the others stays known; what was in one that is gone is gone."""
    place, store = tmp_path / "packed", tmp_path / "store"
    place.mkdir()
    for name in "abc":
        tarred(archive / name, place / f"{name}.tar")
    first = _scan(place, store, containers=True)
    assert {"files": 3, "read": 3, "unchanged": 0, "gone": 0, "moved": 0} == first.counts
    with mock.patch.object(pool, "read_batch", side_effect=AssertionError("opened")):
        assert first.version == _scan(place, store).version

    write_series(archive / "a", Patient(patient_id="new"), Series(slices=1, number=9))
    tarred(archive / "a", place / "a.tar")
    (place / "b.tar").unlink()
    (place / "c.tar").rename(place / "d.tar")
    index = _scan(place, store, digest=False)
    assert {"files": 2, "read": 2, "unchanged": 0, "gone": 2, "moved": 0} == index.counts
    assert_same(index, _scan(place, containers=True))
    history = index.table("history").collect()
    gone = history.filter("deleted")["path"].str.split("//").list.first()
    assert ["b.tar"] == gone.to_list()


def test_it_stays_as_it_was_asked_for(archive: Path, tmp_path: Path) -> None:
    """A scan that says nothing does what the one before did; both ways there are no leftovers."""
    stored(archive / "a", archive / "more.zip")
    store = tmp_path / "store"
    assert_same(_scan(archive, store), _scan(archive))
    for asked, does in ((True, True), (None, True), (False, False), (None, False), (True, True)):
        index = _scan(archive, store, containers=asked)
        assert_same(index, _scan(archive, containers=does))
        # what may be a container is opened again where the answer changes, and nothing else
        assert index.counts["read"] == (0 if asked is None else 3)


def test_digests_of_containers(archive: Path, tmp_path: Path) -> None:
    """A container whose bytes were swapped is read again; one that is the same is not."""
    box, store = archive / "more.zip", tmp_path / "store"
    stored(archive / "a", box)
    _scan(archive, store, containers=True, digest=True)
    was = box.stat()
    box.write_bytes(box.read_bytes().replace(b"0012", b"0013"))
    os.utime(box, ns=(was.st_atime_ns, was.st_mtime_ns))

    index = _scan(archive, store, digest=True)
    assert {"read": 1, "unchanged": 11} == {k: index.counts[k] for k in ("read", "unchanged")}
    assert_same(index, _scan(archive, containers=True, digest=True), digest=True)


def _odd_zip(archive: Path) -> bytes:
    """A zip of each kind of member that is refused, and one that is not."""
    (good,) = (archive / "b" / "deep").iterdir()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as box:
        box.writestr("dir/", b"")
        box.write(good, "fine/good")
        for name in ("../up", "/root", "a//b", "a/./c", "back\\slash", "C:/drive"):
            box.writestr(name, good.read_bytes())
        box.write(good, "twin")
        with pytest.warns(UserWarning, match="Duplicate"):
            box.write(good, "twin")
        box.write(good, "squeezed", zipfile.ZIP_LZMA)
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        box.writestr(link, "/etc/passwd")
        box.write(good, "secret")
        box.writestr("inner.zip", b"PK\3\4" + bytes(200))
    raw = bytearray(data.getvalue())
    for head, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = raw.rindex(
            head, 0, raw.rindex(b"secret") if head == b"PK\1\2" else raw.index(b"secret")
        )
        raw[at + flags] |= 1
    return bytes(raw)


def test_members_that_are_refused(archive: Path, tmp_path: Path) -> None:
    """Each by its name; the rest of the container is indexed."""
    place = tmp_path / "packed"
    place.mkdir()
    (place / "odd.zip").write_bytes(_odd_zip(archive))
    index = _scan(place, tmp_path / "store", containers=True)

    rows = index.skipped(identified=True)["reason"].value_counts()
    assert {
        "container": 1,
        "member-name": 6,
        "member-twice": 2,
        "member-packed": 1,
        "member-not-a-file": 1,
        "member-encrypted": 1,
        "not-dicom": 1,
    } == dict(rows.iter_rows())
    assert ["good"] == [path.rpartition("/")[2] for path in _paths(index)]
    assert index.version == _scan(place, tmp_path / "store").version


def _paths(index: StoreIndex) -> list[str]:
    return list(index.instances(index.series().collect()["series_key"])["path"])


def test_links_and_devices_in_a_tar(archive: Path, tmp_path: Path) -> None:
    """None is followed."""
    place = tmp_path / "packed"
    place.mkdir()
    with tarfile.open(place / "odd.tar", "w") as box:
        box.add(archive / "c", "c")
        for name, kind in (("hard", tarfile.LNKTYPE), ("soft", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            box.addfile(info)
        pipe = tarfile.TarInfo("pipe")
        pipe.type = tarfile.FIFOTYPE
        box.addfile(pipe)
    index = _scan(place, tmp_path / "store", containers=True)

    refused = {
        "hard": "member-not-a-file",
        "soft": "member-not-a-file",
        "pipe": "member-not-a-file",
    }
    assert {"odd.tar": "container", **refused} == _reasons(index)
    assert 2 == len(_paths(index))
    assert index.version == _scan(place, tmp_path / "store").version


def _overlapping(data: bytes) -> bytes:
    """The second member of a zip begins where the first does."""
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    return data[: second + 42] + bytes(4) + data[second + 46 :]


def _headless(data: bytes) -> bytes:
    """A tar in which what stands before the third member is no head."""
    with tarfile.open(fileobj=io.BytesIO(data)) as box:
        at = box.getmembers()[2].offset
    return data[:at] + b"\1" * 512 + data[at + 512 :]


def _claims(data: bytes, size: int) -> bytes:
    """The first member of a zip says that it is so large when it is unpacked."""
    at = data.index(b"PK\1\2") + 24
    return data[:at] + size.to_bytes(4, "little") + data[at + 4 :]


@pytest.mark.parametrize(
    ("kind", "spoil", "reasons"),
    [
        ("gnu.tar", lambda data: data[: len(data) // 2], {"container-damaged"}),
        ("gnu.tar", _headless, {"container-damaged"}),
        ("stored.zip", lambda data: data[: len(data) // 2], {"container-damaged"}),
        ("deflated.zip", _overlapping, {"container-damaged"}),
        ("deflated.zip", partial(_claims, size=1 << 31), {"container", "member-too-large"}),
    ],
)
def test_containers_that_lie(
    archive: Path,
    tmp_path: Path,
    kind: str,
    spoil: Callable[[bytes], bytes],
    reasons: set[str],
) -> None:
    """One that was cut, overlaps itself or claims what cannot be is refused by name."""
    box = tmp_path / "packed" / kind
    box.parent.mkdir()
    BOXES[kind](archive / "a", box)
    box.write_bytes(spoil(box.read_bytes()))

    assert reasons == set(_reasons(_scan(box.parent, containers=True)).values())


def test_true_false_or_as_before() -> None:
    """Nothing else."""
    with pytest.raises(UsageError, match="containers: True, False or None"):
        scan(".", containers="zip")  # type: ignore[arg-type]


def test_a_store_of_containers_opens_as_it_is(archive: Path, tmp_path: Path) -> None:
    """Readers need not know."""
    stored(archive, archive / "all.zip")
    index = _scan(archive, tmp_path / "store", containers=True)
    assert_same(open_index(tmp_path / "store"), index)  # type: ignore[arg-type]
