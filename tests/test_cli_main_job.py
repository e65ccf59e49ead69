"""The main job through the shell, with the exit codes that a nightly batch sees."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

import hospital
from cohortkit import cli


@dataclass(frozen=True)
class Shell:
    """A folder with an archive, an index, a cohort of chest CT and a key."""

    folder: Path

    def export(self, out: str, cohort: str = "chest.cohort", *more: str) -> list[str]:
        """The words of an export."""
        place = self.folder
        words = ["export", str(place / cohort), str(place / out), "--recipe", "chest-ct"]
        return [*words, "--key", str(place / "p.key"), "--workers", "1", "--json", *more]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Scan, search and key are done."""
    hospital.build(tmp_path)
    place = {name: str(tmp_path / name) for name in ("archive", "index", "chest.cohort", "p.key")}
    asked = ["Modality=CT", "BodyPartExamined=CHEST", "NumberOfSeriesRelatedInstances=..10"]
    assert 0 == cli.main(["scan", place["archive"], place["index"], "--json"])
    assert 0 == cli.main(["search", place["index"], *asked, "-o", place["chest.cohort"]])
    assert 0 == cli.main(["key", "new", place["p.key"], "--project", "p"])
    capsys.readouterr()
    return Shell(tmp_path)


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    out, err = capsys.readouterr()

    assert 1 == len(out.splitlines())
    assert "" == err
    return json.loads(out)


def test_one_line_of_json_that_names_nobody(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """Export, again, and verify: exit code 0 each, one line each, no identity in any."""
    words = shell.export("out", "chest.cohort", "--to", "nifti", "--to", "tables")
    verify = ["verify", str(shell.folder / "out"), "--key", str(shell.folder / "p.key")]
    said = []
    for command in (words, words, [*verify, "--index", str(shell.folder / "index"), "--json"]):
        assert 0 == cli.main(command)
        said.append(_json(capsys))

    runs = [line.pop("this_run") for line in said[:2]]
    assert [(5, 0), (0, 5)] == [(one["new"], one["kept"]) for one in runs]
    assert said[0] == said[1]
    assert said[2]["ok"]
    text = json.dumps(said)
    assert not [value for p in hospital.people() for value in p.planted() if value in text]


def test_a_log_that_leaves_with_the_release_is_searched(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name in it is found and not told; a file that is not there is wrong use."""
    assert 0 == cli.main(shell.export("out", "chest.cohort", "--to", "tables"))
    place = {name: str(shell.folder / name) for name in ("out", "p.key", "index")}
    verify = ["verify", place["out"], "--key", place["p.key"], "--index", place["index"], "--json"]
    clean, leaky = shell.folder / "clean.log", shell.folder / "leaky.log"
    clean.write_text("3 series written\n")
    leaky.write_text("".join(f"{one.name} written\n" for one in hospital.people()))
    capsys.readouterr()

    assert 0 == cli.main([*verify, "--also", str(clean)])
    capsys.readouterr()
    assert 3 == cli.main([*verify, "--also", str(clean), "--also", str(leaky)])
    told = capsys.readouterr().out
    assert {"leaky.log"} == {hit["file"] for hit in json.loads(told)["hits"]}
    assert not [value for one in hospital.people() for value in one.planted() if value in told]
    assert 2 == cli.main([*verify, "--also", str(shell.folder / "no.log")])


def test_scan_and_search_say_counts_alone(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Their JSON names nobody, even when a patient was asked for."""
    patient = hospital.people()[0]
    asked = [f"PatientID={patient.patient_id}", f"PatientName={patient.name}", "--json"]
    assert 0 == cli.main(["search", str(shell.folder / "index"), *asked])
    text = json.dumps(_json(capsys))

    assert not [value for value in patient.planted() if value in text]


def test_nothing_written_is_four(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every series is refused, the exit code says that nothing is there."""
    index, cohort = str(shell.folder / "index"), str(shell.folder / "sc.cohort")
    assert 0 == cli.main(["search", index, "Modality=OT", "-o", cohort])
    capsys.readouterr()

    assert 4 == cli.main(shell.export("none", "sc.cohort", "--to", "png"))


def test_some_failed_is_three_and_the_same_command_mends_it(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is gone costs its series alone; when it is back, the same command does it."""
    lost = next((shell.folder / "archive" / "000").glob("1-2-001"))
    aside = shell.folder / "aside"
    lost.rename(aside)
    words = shell.export("out", "chest.cohort", "--to", "tables")

    assert 3 == cli.main(words)
    capsys.readouterr()
    aside.rename(lost)
    assert 0 == cli.main(words)


@pytest.mark.parametrize("out", ["archive/out", "index/out", ".", "archive"])
def test_an_output_in_the_wrong_place_is_two(
    shell: Shell, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    """An output inside the archive or around it is refused, and nothing is written."""
    before = sorted(shell.folder.rglob("*"))

    assert 2 == cli.main(shell.export(out, "chest.cohort", "--to", "tables"))
    assert "Traceback" not in capsys.readouterr().err
    assert before == sorted(shell.folder.rglob("*"))


def test_another_key_is_two(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """An export goes on under its own key alone; a key that others can read is no key."""
    words = shell.export("out", "chest.cohort", "--to", "tables")
    assert 0 == cli.main(words)
    other = str(shell.folder / "other.key")
    assert 0 == cli.main(["key", "new", other, "--project", "q"])
    assert 2 == cli.main([other if word.endswith("p.key") else word for word in words])
    (shell.folder / "p.key").chmod(0o644)
    assert 2 == cli.main(words)
    assert "Traceback" not in capsys.readouterr().err
