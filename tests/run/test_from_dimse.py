"""What a run does with a server in DICOM's own protocol: it goes on, and tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pynetdicom")

import cohortkit as ck
from cohortkit.index.dimse import DimseIndex
from cohortkit.places import VAULT
from factory import Patient, Series, instance
from pacs import Pacs, aborting, serving


def test_a_run_goes_on_after_a_break_and_tells_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither its output nor the log of its workers, and what was fetched is gone with the task."""
    pacs = Pacs([instance(Patient(), Series(slices=3), n) for n in range(3)])
    with serving(pacs) as peer:
        cohort = DimseIndex.at(peer, whole=50).search()
        plan = ck.plan(cohort, ck.load_recipe("basic"), to=["nifti", "tables"])
        pacs.asked.clear()
        pacs.gets[0] = aborting(1)
        key = ck.Key.new(tmp_path / "key", project="dimse")
        made = ck.export(plan, tmp_path / "out", key=key, workers=1, progress=False)

    assert 0 == made.exit_code
    assert 3 == sum(level == "GET" for level, _ in pacs.asked)
    log = (tmp_path / "out" / VAULT / "workers.log").read_text("utf-8")
    told = "".join([*capfd.readouterr(), log])
    for value in (*Patient().planted(), plan.tasks[0].study_instance_uid, "127.0.0.1", "Traceback"):
        assert value not in told
    assert not (tmp_path / "out" / VAULT / "fetched").exists()
