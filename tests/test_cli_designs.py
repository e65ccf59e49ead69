"""The shell's side of the steps for study designs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit import cli
from factory import Patient, Series, write_series


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients."""
    folder = tmp_path_factory.mktemp("shell")
    for number in range(2):
        patient = Patient(patient_id=f"MRN-0047{number}113", accession=f"ACC-7719{number}023")
        write_series(folder / "archive" / str(number), patient, Series(slices=2, seed=number))
    ck.scan(folder / "archive", folder / "index", progress=False, workers=1)
    return folder / "index"


def test_words_in_descriptions_are_asked_in_the_shell(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same step as ``text``, saved with the cohort; a text without a word is wrong use."""
    words = ck.open_index(index).series().collect()["StudyDescription"].drop_nulls()[0].split()[0]
    out = tmp_path / "it.cohort"
    ask = ["search", str(index), "Modality=CT", "--text", words.upper(), "--text", "zzz", "-o"]
    assert 0 == cli.main([*ask, str(out), "--json"])

    steps = [step.action for step in ck.load_cohort(out).steps]
    assert ["index", "search", "text"] == steps
    told = json.loads(capsys.readouterr().out)
    assert 2 == told["flow"][-1]["series"]
    assert 2 == cli.main(["search", str(index), "--text", "…"])
    assert "there is no word in it" in capsys.readouterr().err


def test_small_cells_are_counted_in_the_shell(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``plan --fewest`` says them in words and in JSON, without a value."""
    table = tmp_path / "t.csv"
    table.write_text("PatientID,grade\nMRN-00470113,rarely\nMRN-00471113,often\n")
    (tmp_path / "r.toml").write_text('basis = "expert-determination"\n[labels]\ngrade = "text"\n')
    cohort = ck.open_index(index).search().join(table, on="PatientID").save(tmp_path / "it.cohort")
    ask = ["plan", str(cohort), "--recipe", str(tmp_path / "r.toml"), "--to", "tables"]
    assert 0 == cli.main([*ask, "--fewest", "2", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert [{"column": "grade", "values": 2, "least": 1}] == told["small_cells"]
    assert 0 == cli.main([*ask, "--fewest", "1"])
    assert "small cells" not in capsys.readouterr().out
    assert 2 == cli.main([*ask, "--fewest", "0"])


def test_steps_follow_in_the_words_of_the_library(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--then``, one after the other, saved with the cohort; a fault is wrong use."""
    out = tmp_path / "it.cohort"
    ask = ["search", str(index), "Modality=CT", "-o", str(out)]
    steps = ["first_per patient by=StudyDate", "split train=0.5 test=0.5"]
    assert 0 == cli.main([*ask, "--then", steps[0], "--then", steps[1]])

    found = ck.load_cohort(out)
    assert ["index", "search", "first_per", "split"] == [step.action for step in found.steps]
    expected = ck.open_index(index).search(Modality="CT").first_per("patient", by="StudyDate")
    assert expected.split(train=0.5, test=0.5).parts == found.parts
    capsys.readouterr()
    assert 2 == cli.main([*ask, "--then", "first_per patient"])
    assert "first_per needs by=" in capsys.readouterr().err
