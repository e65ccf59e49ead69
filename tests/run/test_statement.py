"""Claims equal deeds, and are the same wherever a release makes them."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import CODES

RECIPE = """
basis = "authorization"
options = ["retain-modified-dates", "retain-patient-characteristics", "retain-device-identity"]
"""
KEEPS = """
[[rules]]
keyword = "DerivationDescription"
action = "keep"
reason = "how images were made"
"""
CODED = {"113107", "113108", "113109"}


def said_by_object(ds: pydicom.Dataset) -> tuple[object, ...]:
    codes = tuple(one.CodeValue for one in ds.DeidentificationMethodCodeSequence)
    method = ds.DeidentificationMethod
    many = [method] if isinstance(method, str) else [*method]
    assert all(len(one) <= 64 for one in many)
    return (ds.PatientIdentityRemoved, tuple(many), codes,
            ds.LongitudinalTemporalInformationModified)  # fmt: skip


def said_by_json(body: dict[str, object]) -> tuple[object, ...]:
    codes = tuple(one["CodeValue"] for one in body["DeidentificationMethodCodeSequence"])  # type: ignore[attr-defined]  # JSON
    return (body["PatientIdentityRemoved"], tuple(body["DeidentificationMethod"]), codes,  # type: ignore[arg-type]  # JSON
            body["LongitudinalTemporalInformationModified"])  # fmt: skip


@pytest.mark.parametrize("rules", ["", KEEPS], ids=["options alone", "a keep beyond them"])
def test_objects_sidecars_and_report_say_the_same(
    archive: Path, tmp_path: Path, key: ck.Key, rules: str
) -> None:
    """One statement: the profile and each option in full; a keep beyond them drops the profile."""
    path = tmp_path / "trial.toml"
    path.write_text(RECIPE + rules)
    made = run(planned(archive, to=["dicom", "nifti", "png", "tables"], recipe=str(path)),
               tmp_path / "out", key)  # fmt: skip

    objects = {said_by_object(pydicom.dcmread(one)) for one in made.release.rglob("*.dcm")}
    sidecars = {
        said_by_json(json.loads(one.read_bytes()))
        for kind in ("nifti", "png")
        for one in (made.release / kind).rglob("*.json")
    }

    assert 1 == len(objects)
    assert objects == sidecars
    removed, _, codes, temporal = next(iter(objects))
    assert ("YES", "MODIFIED") == (removed, temporal)
    assert CODED | (set() if rules else {"113100"}) == set(codes)
    page = (made.release / "report.html").read_text("utf-8")
    meanings = dict(CODES.values()) | {"113100": "Basic Application Confidentiality Profile"}
    assert {meanings[one] in page for one in codes} == {True}
    assert codes == tuple(code for code, _ in load_recipe(path).claims().codes)
