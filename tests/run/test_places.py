"""Outputs and keys that an export must not use: exit code 2, plain words, nothing written."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit import cli
from cohortkit.errors import OutputError
from promised import make_archive, state, tree
from shell import Shell, settle
from watched import Watched


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """An export is there, and beside it other keys and another cohort."""
    base = tmp_path_factory.mktemp("places")
    make_archive(base / "archive")
    made = settle(base)
    ck.open_index(base / "index").search(Modality="CT").save(base / "ct.cohort")
    ck.Key.new(base / "other-project", project="another")
    ck.Key.new(base / "other-secret", project="project")
    shutil.copy(base / "key", base / "readable")
    (base / "readable").chmod(0o644)
    (base / "cut").write_bytes((base / "key").read_bytes()[:30])
    (base / "cut").chmod(0o600)
    assert (0, "") == made.run(base / "out")
    return made


def _untouched(folder: Path) -> dict[str, object]:
    """Everything there; the lock says who looked last and is no part of the export."""
    return {path: seen for path, seen in state(folder).items() if not path.endswith("vault/lock")}


OTHER = [
    ({"recipe": "dates-kept"}, "it holds an export made under another recipe"),
    ({"to": ("nifti",)}, "it holds an export made with other outputs or options"),
    ({"cohort": "ct.cohort"}, "4 series that this cohort does not have"),
    ({"key": "other-project"}, "made for another project and with another key"),
    ({"key": "other-secret"}, "it holds an export made with another key"),
]
NO_KEY = [
    ({"key": "readable"}, "0644"),
    ({"key": "cut"}, "key"),
    ({"key": "absent"}, "key"),
    ({"key": ""}, "key"),
]


@pytest.mark.parametrize(("asked", "words"), OTHER + NO_KEY)
def test_an_output_that_holds_another_export_is_left_alone(
    shell: Shell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, object],
    words: str,
) -> None:
    """Another recipe, output, cohort, key; a key that others can read, and no key."""
    monkeypatch.delenv("COHORTKIT_KEY", raising=False)
    before = _untouched(shell.base)

    code = cli.main(shell.but(**asked).words(shell.base / "out"))

    out, told = capsys.readouterr()
    assert 2 == code
    assert {"error": told.removeprefix("cohortkit: ").strip(), "exit_code": 2} == json.loads(out)
    assert told.startswith("cohortkit: ")
    assert words in told
    assert 1 == len(told.splitlines())
    assert before == _untouched(shell.base)


@pytest.mark.parametrize(("asked", "words"), NO_KEY)
def test_without_a_good_key_nothing_is_written(
    shell: Shell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    asked: dict[str, object],
    words: str,
) -> None:
    """A new output is not even made."""
    monkeypatch.delenv("COHORTKIT_KEY", raising=False)

    assert 2 == cli.main(shell.but(**asked).words(tmp_path / "out"))
    assert words in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda out: out.write_text("x"), "it is a file, not a folder"),
        (lambda out: (out / "release" / "a").mkdir(parents=True), "holds something else"),
        (lambda out: (out / "vault" / "release").mkdir(parents=True), None),
    ],
    ids=["a file", "a copied release", "an empty vault"],
)
def test_what_lies_there_already(shell: Shell, tmp_path: Path, made: object, words: str) -> None:
    """Refused and untouched, unless it is what a run that was killed at once has left."""
    made(tmp_path / "out")  # type: ignore[operator]  # one of the above
    before = state(tmp_path)
    code, told = shell.run(tmp_path / "out")

    if words is None:
        assert (0, "") == (code, told)
        return
    assert (2, True) == (code, words in told)
    assert before == state(tmp_path)


@pytest.mark.parametrize("inside", ["sub", "vault/a", "quarantine/a", "release/a", "a/b/c"])
def test_an_export_inside_another_is_refused(shell: Shell, inside: str) -> None:
    """The outer one can still go on."""
    before = _untouched(shell.base)

    code, told = shell.run(shell.base / "out" / inside)

    assert (2, True) == (code, "export; choose" in told)
    assert before == _untouched(shell.base)


def test_what_lies_beside_an_export_is_told(shell: Shell, tmp_path: Path) -> None:
    """A file manager's litter is none of our business; anything else is to be moved away."""
    out = tmp_path / "out"
    assert 0 == shell.run(out)[0]
    (out / ".DS_Store").touch()
    assert 0 == shell.run(out)[0]
    (out / "notes.txt").touch()

    code, told = shell.run(out)

    assert (2, True) == (code, "(1); move it away" in told)


@pytest.mark.parametrize("name", ["n" * 300, "a\0b"], ids=["too long", "NUL"])
def test_a_name_that_no_folder_can_have(shell: Shell, tmp_path: Path, name: str) -> None:
    """In the library, too, an error of ours."""
    plan = ck.plan(ck.load_cohort(shell.base / "all.cohort"), ck.load_recipe("basic"), "tables")

    with pytest.raises(OutputError):
        ck.export(plan, tmp_path / name, ck.Key.from_file(shell.base / "key"), progress=False)
    assert [] == list(tmp_path.iterdir())


@pytest.fixture
def first(shell: Shell, tmp_path: Path) -> Iterator[Watched]:
    """A run that has begun its work, and is held there."""
    (tmp_path / "stamp").write_bytes(b"")
    began = (tmp_path / "stamp").stat().st_mtime_ns
    run = subprocess.Popen(
        shell.command(tmp_path / "out"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    watched = Watched(run, tmp_path / "out", began)
    assert watched.reach("begin")
    run.send_signal(signal.SIGSTOP)
    yield watched
    run.kill()
    run.wait()
    assert run.stderr is not None
    run.stderr.close()


def test_two_runs_on_one_output_the_second_is_refused_and_the_first_unharmed(
    shell: Shell, capsys: pytest.CaptureFixture[str], first: Watched
) -> None:
    """The second says who is at work and changes nothing; the first ends as if it were alone."""
    key = ck.Key.from_file(shell.base / "key")
    plan = ck.plan(ck.load_cohort(shell.base / "all.cohort"), ck.load_recipe("basic"), shell.to)
    words = f"output {first.out}: another run is at work there (process {first.run.pid} on "
    workers = first.workers()
    for pid in workers:  # so that the vault holds still while it is looked at
        subprocess.run(["kill", "-STOP", str(pid)], check=False)
    before = state(first.out)

    code = cli.main(shell.words(first.out))
    with pytest.raises(OutputError) as caught:
        ck.export(plan, first.out, key, progress=False)

    assert (2, True) == (code, words in capsys.readouterr().err)
    assert words in str(caught.value)
    assert before == state(first.out)
    for pid in workers:
        subprocess.run(["kill", "-CONT", str(pid)], check=False)
    first.run.send_signal(signal.SIGCONT)
    assert 0 == first.run.wait(timeout=120)
    assert tree(shell.base / "out" / "release") == tree(first.out / "release")


def test_the_lock_of_a_dead_run_does_not_block(shell: Shell, first: Watched) -> None:
    """Killed where it stood, its workers with it or soon after: the same command goes on."""
    first.run.kill()
    first.run.wait()
    assert (first.out / "vault" / "lock").stat().st_size

    assert (0, "") == shell.run(first.out)
    assert tree(shell.base / "out" / "release") == tree(first.out / "release")


def test_two_runs_that_begin_together_make_one_release(shell: Shell, tmp_path: Path) -> None:
    """One of them, or one after the other: never both, and never neither."""
    both = [
        subprocess.Popen(
            shell.command(tmp_path / "out"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [run.communicate(timeout=120)[1] for run in both]

    codes = [run.returncode for run in both]
    assert 0 in codes
    assert set(codes) <= {0, 2}
    for code, words in zip(codes, told, strict=True):
        assert ("another run is at work" in words) == (code == 2)
    assert tree(shell.base / "out" / "release") == tree(tmp_path / "out" / "release")


@pytest.mark.parametrize("inside", ["out", "p/out", "p/s/out"])
def test_a_table_protects_the_archive_and_not_its_own_folder(
    key: ck.Key, archive: Path, tmp_path: Path, inside: str
) -> None:
    """Its rows name files elsewhere: there nothing is written; beside the table everything may."""
    rows = ck.scan(archive, progress=False, workers=1).search().identified()
    held = ck.scan(archive, progress=False, workers=1).instances(rows["series_key"])
    table = tmp_path / "table" / "rows.parquet"
    table.parent.mkdir()
    held.select(
        "path",
        "PatientID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "Modality",
        "SOPClassUID",
    ).write_parquet(table)
    plan = ck.plan(ck.open_index(table).search(), ck.load_recipe("basic"), to="tables")
    before = state(archive)

    with pytest.raises(OutputError, match="inside the archive"):
        ck.export(plan, archive / inside, key, progress=False)
    assert before == state(archive)
    ck.export(plan, table.parent / "out", key, progress=False, workers=1)
