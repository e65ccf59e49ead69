"""Cleaned text in a whole export: what is known beforehand, what leaves, what the vault is told."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pydicom
import pytest

import called_text
import cohortkit as ck
from cohortkit.deidentify.people import merged
from cohortkit.model import Person, Task
from cohortkit.run.texts import common_words, ready
from factory import Patient, Series, write_series
from promised import tree

RECIPE = """
basis = "expert-determination"
options = ["clean-descriptors"]
"""
QUISLING = Patient()
MAY = Patient(patient_id="MRN-0815", name="May^Gertraud", accession="ACC-88", phone="030 7654321")
TEXTS = {
    "StudyDescription": "May Gruenwald stain",
    "SeriesDescription": "CT thorax nickname Zorbulax 1.25",
    "ProtocolName": "Urzanox control",
    "ImageComments": "AX LUNG 1.25",
    "StudyComments": "axial",
}

Export = Callable[..., ck.Export]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two patients with the same descriptions."""
    for number, patient in enumerate((QUISLING, MAY)):
        write_series(tmp_path / "in" / str(number), patient, Series(slices=2, extra=dict(TEXTS)))
    return tmp_path / "in"


@pytest.fixture
def export(archive: Path, tmp_path: Path) -> Export:
    """A function that exports it, with more text in the recipe, a joined table, and detectors."""
    ck.Key.new(tmp_path / "p.key", "p")

    def run(
        more: str = "",
        join: dict[str, list[Any]] | None = None,
        out: str = "out",
        detectors: dict[str, Any] | None = None,
    ) -> ck.Export:
        (tmp_path / "r.toml").write_text(RECIPE + more)
        recipe = ck.load_recipe(tmp_path / "r.toml", detectors=detectors)
        cohort = ck.scan(archive, tmp_path / "index", progress=False).search()
        if join:
            ids = [QUISLING.patient_id, MAY.patient_id]
            cohort = cohort.join(pl.DataFrame({"PatientID": ids, **join}), on="PatientID")
        plan = ck.plan(cohort, recipe, to=["dicom", "tables"])
        key = ck.Key.from_file(tmp_path / "p.key")
        return ck.export(plan, tmp_path / out, key=key, progress=False, workers=1)

    return run


def column(export: ck.Export, name: str, table: str = "series") -> list[str | None]:
    return sorted(export.table(table)[name].to_list(), key=str)


def reports(export: ck.Export) -> list[dict[str, Any]]:
    found = [
        json.loads(path.read_bytes()) for path in (export.root / "vault/texts").rglob("*.json")
    ]
    return [value for one in found for value in one["values"]]


def test_descriptions_leave_as_far_as_they_name_nobody(export: Export) -> None:
    """May Gruenwald stain is one, but not of a patient who is called May."""
    made = export()

    assert ["May Gruenwald stain", "stain"] == column(made, "StudyDescription", "studies")
    assert ["CT thorax 1.25"] * 2 == column(made, "SeriesDescription")
    assert ["control"] * 2 == column(made, "ProtocolName")
    assert 0 == made.refused().height


def test_a_comment_that_cleans_to_itself_is_no_trace(export: Export, archive: Path) -> None:
    """It leaves, and is not held back as a piece of a patient's comment; nor when verified."""
    made = export()
    paths = sorted(made.release.rglob("*.dcm"))

    assert {"AX LUNG 1.25"} == {str(pydicom.dcmread(path).ImageComments) for path in paths}
    index = ck.scan(archive, archive.parent / "index", progress=False)
    assert ck.verify(made.root, ck.Key.from_file(archive.parent / "p.key"), index).ok


def test_the_claim_is_in_every_object(export: Export) -> None:
    """113105 beside 113100, and the method says how."""
    made = export('unlisted = "clean"\n')
    header = pydicom.dcmread(next(made.release.rglob("*.dcm")))

    codes = [item.CodeValue for item in header.DeidentificationMethodCodeSequence]
    assert ["113100", "113105"] == codes
    assert "attributes outside the table: by rule, text cleaned" in header.DeidentificationMethod
    assert "113105" in (made.release / "report.html").read_text()


def test_what_was_cleaned_is_told_to_the_vault_and_nowhere_else(export: Export) -> None:
    """Field, value, what is left, rules and count; for its owner alone."""
    made = export()

    told = [one for one in reports(made) if one["field"] == "SeriesDescription"]
    assert 2 == len(told)
    assert {
        "field": "SeriesDescription",
        "value": TEXTS["SeriesDescription"],
        "left": "CT thorax 1.25",
        "rules": {"word": 2},
        "count": 2,
    } == told[0]
    assert not any(one["field"] == "ImageComments" for one in reports(made))
    folder = made.root / "vault" / "texts"
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.json")}
    for path in made.release.rglob("*"):
        assert path.is_dir() or b"Zorbulax" not in path.read_bytes()


def test_what_was_joined_and_is_not_released_is_known(export: Export) -> None:
    """A nickname of a joined table stands in no description, though a recipe lets the word stay."""
    words = '[text]\nwords = ["Zorbulax", "nickname"]\n'
    alone = export(words, out="alone")
    joined = export(words, {"nick": ["Zorbulax", "x"], "seen": [None, None]}, out="joined")

    assert [TEXTS["SeriesDescription"]] * 2 == column(alone, "SeriesDescription")
    left = "CT thorax nickname 1.25"
    assert [left, TEXTS["SeriesDescription"]] == column(joined, "SeriesDescription")


def test_what_many_patients_share_is_a_category(tmp_path: Path) -> None:
    """A side or a diagnosis of five patients names none of them, a surname that is a word does."""
    task = Task(0, "k", Person("", ""), "1", "2", "3", "CT", ())
    tasks = [replace(task, person=Person("", str(number))) for number in range(5)]
    rows = [
        {"side": "left", "name": "Vista" if number else "left", "zip": "Urzanox"}
        for number in range(5)
    ]
    (tmp_path / "r.toml").write_text(RECIPE)

    _, told = ready(
        ck.demo_index(), ck.load_recipe(tmp_path / "r.toml"), tasks, rows, list(rows[0])
    )

    assert (("name", "left"), ("zip", "Urzanox")) == told[0].joined
    assert (("name", "Vista"), ("zip", "Urzanox")) == told[1].joined


def test_another_joined_value_cleans_anew(export: Export) -> None:
    """The same command with another table does again what it may change."""
    words = '[text]\nwords = ["Zorbulax", "nickname"]\n'
    export(words, {"nick": ["x", "x"]})
    again = export(words, {"nick": ["Zorbulax", "Zorbulax"]})

    assert ["CT thorax nickname 1.25"] * 2 == column(again, "SeriesDescription")


def test_workers_and_runs_change_nothing(export: Export) -> None:
    """Byte for byte, with one worker or two."""
    one, two = export(out="one"), export(out="two")

    assert tree(one.release) == tree(two.release)


def test_a_detector_is_asked(export: Export) -> None:
    """What it finds goes, and the report names it."""
    words = '[text]\nwords = ["Urzanox"]\n'
    without = export(words, out="without")
    made = export(words, out="with", detectors={"vowels": called_text.vowels})

    assert ["Urzanox control"] * 2 == column(without, "ProtocolName")
    assert ["control"] * 2 == column(made, "ProtocolName")
    assert {"detector vowels": 1} in [one["rules"] for one in reports(made)]
    assert "these detectors find goes as well: vowels" in (made.release / "report.html").read_text()


@pytest.mark.parametrize("detector", [called_text.beyond, called_text.failing])
def test_a_detector_that_fails_lets_nothing_through(export: Export, detector: Any) -> None:  # noqa: ANN401 - any callable
    """Its series end by name, and the traceback is in the vault."""
    made = export(detectors={"broken": detector})

    assert {"internal"} == set(made.failed()["reason"].to_list())
    assert not list(made.release.rglob("*.dcm"))
    told = next((made.root / "vault" / "tracebacks").rglob("*.txt")).read_text()
    assert "ValueError" in told


def test_faults_of_detectors_come_at_once(tmp_path: Path) -> None:
    """One that no worker could import, one that is none, and a recipe that cleans nothing."""
    (tmp_path / "r.toml").write_text('basis = "authorization"\n')
    with pytest.raises(ck.errors.RecipeError) as caught:
        ck.load_recipe(
            tmp_path / "r.toml",
            detectors={"here": lambda _text: (), "none": 3},  # type: ignore[dict-item] # on purpose
        )
    told = str(caught.value)

    assert "detectors.here: workers import functions by name" in told
    assert "detectors.none: this is no function" in told
    assert "nothing is cleaned" in told


@pytest.mark.parametrize(("patients", "stays"), [(5, True), (6, False)])
def test_words_of_enough_patients_stay(tmp_path: Path, patients: int, stays: bool) -> None:  # noqa: FBT001 - what is expected
    """Those of five patients; never one that is in anybody's name, or a clinic's."""
    for number in range(5):
        patient = replace(
            QUISLING, patient_id=f"X{number}", name=f"Wanderlust^P{number}", accession=f"A{number}"
        )
        text = {
            "SeriesDescription": f"CT thorax zyxquart Wanderlust Ottilien only{'abcde'[number]}bc",
            "StudyDescription": f"Zyxquart twice {number}, May Gruenwald stain",
            "ProtocolName": "thorax",
        }
        write_series(tmp_path / "in" / str(number), patient, Series(slices=1, extra=text))
    (tmp_path / "r.toml").write_text(RECIPE + f"[text]\npatients = {patients}\n")
    recipe = ck.load_recipe(tmp_path / "r.toml")
    index = ck.scan(tmp_path / "in", progress=False)
    ck.Key.new(tmp_path / "k", "p")

    words = common_words(index, recipe)
    one = merged([(Person("OTTILIEN-ADT", "X0"), Person("OTTILIEN-ADT", "X1"))], "")[0]
    assert "zyxquart" not in common_words(index, recipe, one)  # two ids of one are one patient
    plan = ck.plan(index.search(), recipe, to="tables")
    made = ck.export(plan, tmp_path / "o", ck.Key.from_file(tmp_path / "k"), progress=False)

    assert stays == ("zyxquart" in words)
    assert {"wanderlust", "ottilien", "onlyabc", "may", "gruenwald"}.isdisjoint(words)
    expected = "CT thorax zyxquart" if stays else "CT thorax"
    assert {expected} == set(made.table("series")["SeriesDescription"])
    assert recipe.digest == plan.recipe.digest
