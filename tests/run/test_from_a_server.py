"""What a run does with a server: another patient is refused, nothing stays, nothing is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

import cohortkit as ck
from cohortkit.places import VAULT
from cohortkit.reasons import Reason
from cohortkit.run.place import Place
from cohortkit.run.worker import Work
from factory import Patient, Series, write_series
from web import Hospital, answering, serving

pytest.importorskip("urllib3")


@contextmanager
def planned(folder: Path, *, whose: str = "") -> Iterator[tuple[Hospital, ck.Plan]]:
    """A plan on a server whose objects may be of somebody else by now."""
    paths = write_series(folder / "archive", Patient(), Series())
    cohort = ck.scan(folder / "archive", workers=1, progress=False).search()
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=["nifti", "tables"])
    objects = {}
    for path in paths:
        one = pydicom.dcmread(path)
        one.PatientID = whose or one.PatientID
        one.save_as(path)
        objects[str(one.SOPInstanceUID)] = path.read_bytes()
        path.unlink()
    hospital = Hospital(objects)
    with serving(hospital.act) as (url, _):
        (task,) = plan.tasks
        series = f"{url}/studies/{task.study_instance_uid}/series/{task.series_instance_uid}"
        files = (
            replace(file, path=f"dicomweb+{series}/instances/{file.sop_instance_uid}", size=0)
            for file in task.files
        )
        hospital.wrong[0] = answering(200, b"[]")  # that it is there
        yield hospital, replace(plan, tasks=(replace(task, files=tuple(files)),), archive=())


def test_objects_of_another_patient_are_refused(tmp_path: Path) -> None:
    """They have the UIDs that were asked for; what was fetched of them is gone with the task."""
    place = Place(tmp_path / "out")
    place.prepare()
    with planned(tmp_path, whose="somebody-else") as (hospital, plan):
        hospital.wrong.clear()
        key = ck.Key.new(tmp_path / "key", project="web")
        record = Work(plan.recipe, plan.outputs, plan.source, key, place.root, "")(plan.tasks[0])

    assert {Reason.PERSON_CONFLICT} == {one.reason for one in record.outcomes}
    assert 1 == len(hospital.asked)
    assert [] == list(place.fetched.iterdir())


def test_a_run_tells_no_address(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither its output nor the log of its workers, and what was fetched is gone with the task."""
    with planned(tmp_path) as (hospital, plan):
        hospital.wrong[1] = answering(503, Retry_After="0")
        key = ck.Key.new(tmp_path / "key", project="web")
        made = ck.export(plan, tmp_path / "out", key=key, workers=1, progress=False)

    assert 0 == made.exit_code
    assert 3 == len(hospital.asked)
    log = (tmp_path / "out" / VAULT / "workers.log").read_text("utf-8")
    told = "".join([*capfd.readouterr(), log])
    assert plan.tasks[0].study_instance_uid not in told
    assert "127.0.0.1" not in told
    assert not (tmp_path / "out" / VAULT / "fetched").exists()
