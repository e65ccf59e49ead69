"""What was blanked, told: boxes in the vault, counts in record, manifest and report."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

import cohortkit as ck
from batches import run
from factory import Patient, Series, write_series

US = "1.2.840.10008.5.1.4.1.1.6.1"
HEAD = """
format = 1
title = "Echo"
description = "For a test."
basis = "gdpr-pseudonymised"
{options}
[[pixels.rules]]
when = {{ ManufacturerModelName = "Echo 5", Rows = 12, Columns = 10 }}
blank = [{{ left = 0, top = 0, width = 10, height = 3 }}]
reason = "measured on a phantom"

[[pixels.rules]]
when = {{ ManufacturerModelName = "Blind" }}
verified = true
reason = "this device draws nothing"
"""
pytestmark = pytest.mark.usefixtures("inline")


def archive(folder: Path) -> Path:
    """Two series of the device that is known, one of a blind one, one of a stranger."""
    for number, model in enumerate(("Echo 5", "Echo 5", "Blind", "Stranger"), start=1):
        extra = {"Manufacturer": "ACME", "ManufacturerModelName": model}
        series = Series(sop_class=US, modality="US", slices=2, number=number, extra=extra)
        write_series(folder / "archive", Patient(), series)
    return folder / "archive"


def planned(folder: Path, options: str = "") -> ck.Plan:
    """All of it under the recipe; the stranger is foreseen to be refused."""
    (folder / "echo.toml").write_text(HEAD.format(options=options))
    index = ck.scan(archive(folder), progress=False, workers=1)
    recipe = ck.load_recipe(folder / "echo.toml")
    plan = ck.plan(index.search(), recipe, to=["png", "dicom", "tables"])
    assert {ck.Reason.BURNED_IN_RISK: 1} == plan.refusals()
    return plan


def test_boxes_go_to_the_vault_and_counts_to_the_release(key: ck.Key, tmp_path: Path) -> None:
    """Where a name stood is told inside; outside is told how many series were cleaned."""
    made = run(planned(tmp_path), tmp_path / "out", key)
    boxes = sorted((tmp_path / "out/vault/redactions").rglob("*.json"))
    assert 2 == len(boxes)
    for path in boxes:
        told = json.loads(path.read_text())
        (one,) = told["redactions"]
        assert ([0, 1], [[0, 0, 10, 3]], None, 0) == (
            one["instances"],
            one["blank"],
            one["keep"],
            one["black"],
        )
        assert 0o600 == path.stat().st_mode & 0o777
    assert 0o700 == (tmp_path / "out/vault/redactions").stat().st_mode & 0o777
    manifest = json.loads((made.release / "export.json").read_text())
    assert {
        "blanked": {"series": 2, "objects": 4},
        "verified": {"series": 1, "objects": 2},
        "defaced": {"series": 0, "objects": 0},
    } == manifest["pixels"]
    report = (made.release / "report.html").read_text()
    assert "What was done to pixels" in report
    assert "does not claim clean pixel data" in report
    assert {"burned-in-risk"} == set(made.refused()["reason"])
    pictures = [pydicom.dcmread(path).pixel_array for path in made.release.rglob("*.dcm")]
    assert [False, False, False, False, True, True] == sorted(p[:3].any() for p in pictures)
    assert all(picture[3:].any() for picture in pictures)


def test_the_claim_is_the_same_everywhere(key: ck.Key, tmp_path: Path) -> None:
    """Header, sidecar, table and report say clean pixel data, and all of it is."""
    plan = planned(tmp_path, 'options = ["clean-pixel-data"]')
    made = run(plan, tmp_path / "out", key)
    objects = [pydicom.dcmread(path) for path in made.release.rglob("*.dcm")]
    assert 6 == len(objects)
    for one in objects:
        assert "NO" == one.BurnedInAnnotation
        assert "113101" in [code.CodeValue for code in one.DeidentificationMethodCodeSequence]
    blanked = [one for one in objects if not one.pixel_array[:3].any()]
    assert 4 == len(blanked)
    sidecars = [json.loads(path.read_text()) for path in made.release.rglob("png/**/*.json")]
    assert 6 == len(sidecars)
    assert all("113101" in json.dumps(one) for one in sidecars)
    assert "claims clean pixel data (113101)" in (made.release / "report.html").read_text()


def test_a_second_run_tells_the_same(key: ck.Key, tmp_path: Path) -> None:
    """Records keep what was done, so a run that does nothing anew tells it byte for byte."""
    plan = planned(tmp_path)
    first = run(plan, tmp_path / "out", key)
    names = ("export.json", "report.html", "tasks.parquet", "files.parquet")
    before = [(first.release / name).read_bytes() for name in names]
    again = run(plan, tmp_path / "out", key)
    assert before == [(again.release / name).read_bytes() for name in names]


def test_the_report_of_an_export_without_such_rules_says_nothing_of_it(
    key: ck.Key, tmp_path: Path
) -> None:
    """No section where there is nothing to tell."""
    write_series(tmp_path / "archive", Patient(), Series())
    index = ck.scan(tmp_path / "archive", progress=False, workers=1)
    plan = ck.plan(index.search(), ck.load_recipe("basic"), to="tables")
    made = run(plan, tmp_path / "out", key)
    assert "What was done to pixels" not in (made.release / "report.html").read_text()
    assert not list((tmp_path / "out/vault/redactions").rglob("*.json"))
