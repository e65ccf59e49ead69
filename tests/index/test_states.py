"""Scans, additions, deletions, moves, merges, kills and readers, in any order."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from unittest import mock

import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from boxes import BOXES
from cohortkit.index import StoreIndex, scan, update
from factory import MR, Patient, Series, write_series
from indexes import assert_same, told

_scan = partial(scan, workers=1, progress=False)


class Killed(BaseException):
    """The process is gone."""


class Archive(RuleBasedStateMachine):
    """An archive and its store."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.archive, self.store = self.place / "archive", self.place / "store"
        self.archive.mkdir()
        self.readers: list[tuple[StoreIndex, list[pl.DataFrame]]] = []
        self.made = 0
        self.hidden = False
        self.looks = False

    def teardown(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self.place)

    def files(self) -> list[Path]:
        """What lies there."""
        return sorted(path for path in self.archive.rglob("*") if path.is_file())

    @rule(patient=st.sampled_from("abc"), slices=st.integers(1, 3), mr=st.booleans())
    def add(self, patient: str, slices: int, mr: bool) -> None:  # noqa: FBT001 - hypothesis'
        """A series, of a patient who may be known."""
        self.made += 1
        kind = {"sop_class": MR, "modality": "MR"} if mr else {}
        series = Series(slices=slices, number=self.made, study=self.made % 2 + 1, **kind)
        write_series(self.archive / patient / str(self.made), Patient(patient_id=patient), series)

    @rule()
    def add_text(self) -> None:
        """A file that is no object."""
        self.made += 1
        (self.archive / f"{self.made}.txt").write_text("no DICOM")

    @rule(kind=st.sampled_from(["deflated.zip", "gnu.tar"]), name=st.sampled_from("xy"))
    def pack(self, kind: str, name: str) -> None:
        """What lies there of one patient, in a container, which may have been one before."""
        if (self.archive / "a").is_dir():
            BOXES[kind](self.archive / "a", self.place / "packed")
            (self.place / "packed").rename(self.archive / f"{name}.box")

    @rule(
        which=st.integers(0, 50), how=st.sampled_from(["delete", "move", "touch", "spoil", "swap"])
    )
    def change(self, which: int, how: str) -> None:
        """One file."""
        files = self.files()
        if not files:
            return
        file = files[which % len(files)]
        self.made += 1
        if how == "delete":
            file.unlink()
        elif how == "move":
            file.rename(self.archive / f"moved-{self.made}")
        elif how == "touch":
            os.utime(file, ns=(self.made, self.made))
        elif how == "swap":  # nothing but a digest tells
            was = file.stat()
            file.write_bytes(str(self.made).encode().zfill(was.st_size))
            os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
            self.hidden = True
        else:
            file.write_bytes(b"spoiled" * self.made)

    @rule(
        many=st.sampled_from([0, 1, 8]),
        hollow=st.sampled_from([1, 4, 1000]),
        digest=st.booleans(),
        containers=st.sampled_from([None, None, True, False]),
    )
    def scan(self, many: int, hollow: int, digest: bool, containers: bool | None) -> None:  # noqa: FBT001 - hypothesis'
        """The index says what a fresh one says, however parts are merged and files are known."""
        digest = digest or self.hidden
        self.hidden = False
        with mock.patch.object(update, "_MANY", many), mock.patch.object(update, "_HOLLOW", hollow):
            index = _scan(self.archive, self.store, digest=digest, containers=containers)
        self.looks = self.looks if containers is None else containers
        fresh = _scan(self.archive, digest=digest, containers=self.looks)
        assert_same(index, fresh, digest=digest)
        self.readers.append((index, told(index)))

    @rule(step=st.integers(1, 12))
    def kill(self, step: int) -> None:
        """A scan that ends in the middle of its writing."""
        calls = 0

        def dying(_: int) -> None:
            nonlocal calls
            calls += 1
            if calls >= step:
                raise Killed

        with mock.patch("os.fsync", dying):
            try:
                scan(self.archive, self.store, workers=1, progress=False)
            except Killed:
                return

    @invariant()
    def readers_are_left_alone(self) -> None:
        """Who has opened a version reads it as it was."""
        for index, before in self.readers[-2:]:
            for one, two in zip(told(index), before, strict=True):
                assert one.equals(two)


Archive.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_states = Archive.TestCase
