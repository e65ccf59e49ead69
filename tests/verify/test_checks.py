from __future__ import annotations

import hashlib
from pathlib import Path

from cohortkit.model import Artifact
from cohortkit.verify.checks import Fault, Wrong, compare


def artifact(path: str, data: bytes) -> Artifact:
    return Artifact("nifti", "image", path, hashlib.sha256(data).hexdigest(), len(data))


def test_an_untouched_release_is_in_order(tmp_path: Path) -> None:
    """Recorded and finished files, nothing else."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "t").write_bytes(b"2")

    assert () == compare(tmp_path, ["a", "t"], [artifact("a", b"1")], {"t": b"2"})


def test_each_kind_of_damage_is_named(tmp_path: Path) -> None:
    """Missing, changed by one bit, in no record, replaced by a link to the same bytes."""
    (tmp_path / "changed").write_bytes(b"1")
    (tmp_path / "extra").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "extra")
    records = [artifact("changed", b"2"), artifact("gone", b"1"), artifact("link", b"1")]

    wrong = compare(tmp_path, ["changed", "extra", "link"], records, {"table": b""})

    assert (
        Wrong("changed", Fault.CHANGED),
        Wrong("extra", Fault.UNRECORDED),
        Wrong("gone", Fault.MISSING),
        Wrong("link", Fault.LINK),
        Wrong("table", Fault.MISSING),
    ) == wrong
