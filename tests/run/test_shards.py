"""One export by many jobs that share its output alone."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from itertools import permutations
from pathlib import Path

import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit.errors import OutputError, Refusal, UsageError
from cohortkit.reasons import Reason
from cohortkit.run import worker
from cohortkit.run.lock import hold
from cohortkit.run.shards import Shard
from factory import Patient, Series, write_series
from promised import accounted, make_archive, tree
from shell import Shell, settle

NAMES = [f"t{number}" for number in range(23)]


@pytest.mark.parametrize("of", [1, 2, 5, 23, 40])
def test_the_parts_are_the_whole_and_share_nothing(of: int) -> None:
    """More parts than series too: some have nothing to do."""
    parts = [Shard.read(f"{number}/{of}").of_all(NAMES) for number in range(1, of + 1)]

    assert sorted(NAMES) == sorted(name for part in parts for name in part)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "0/3",
        "4/3",
        "-1/3",
        "1/0",
        "1 /3",
        "1/3/5",
        "a/b",
        "\u0661/\u0663",
        "1/3\n",
        7,
        (1, 3),
    ],
)
def test_what_is_no_part_is_wrong_use_before_anything_is_written(
    archive: Path, key: ck.Key, tmp_path: Path, text: object
) -> None:
    """In words that show how a part is written."""
    with pytest.raises(UsageError, match=r"'2/8'"):
        run(planned(archive), tmp_path / "out", key, shard=text)

    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_parts_in_any_order_make_the_release_of_one_run(
    archive: Path, key: ck.Key, tmp_path: Path, order: tuple[int, ...]
) -> None:
    """Byte for byte; the last one finishes, those before say what is still to be done."""
    whole = run(planned(archive, ["nifti", "tables"]), tmp_path / "whole", key)
    out = tmp_path / "out"

    for number in order[:-1]:
        made = run(planned(archive, ["nifti", "tables"]), out, key, shard=f"{number}/3")
        assert made.part is not None
        assert 0 == made.exit_code == made.summary()["exit_code"]
        assert "still to be done" in repr(made)
        with pytest.raises(OutputError, match=r"no finished export .* still to be done"):
            _ = made.manifest
    last = run(planned(archive, ["nifti", "tables"]), out, key, shard=f"{order[-1]}/3")

    assert last.part is None
    assert tree(whole.release) == tree(out / "release")
    assert whole.summary()["counts"] == last.summary()["counts"]
    accounted(out / "release")


@pytest.mark.usefixtures("inline")
def test_a_plain_run_takes_over_from_parts_and_parts_from_a_plain_run(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A job array that somebody gave up; a laptop's run that went on in one."""
    whole = tree(run(planned(archive), tmp_path / "whole", key).release)
    first, second = tmp_path / "first", tmp_path / "second"

    run(planned(archive), first, key, shard="2/3")
    run(planned(archive), first, key)
    run(planned(archive), second, key, limit=2)
    for number in (1, 2, 3):
        run(planned(archive), second, key, shard=f"{number}/3")

    assert whole == tree(first / "release") == tree(second / "release")


@pytest.mark.usefixtures("inline")
def test_a_finished_export_that_has_to_be_done_again_in_part_is_not_finished_meanwhile(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A lost file: the shard that has it takes the tables back, and finishes again."""
    out = tmp_path / "out"
    before = tree(run(planned(archive, ["nifti", "tables"]), out, key).release)
    next((out / "release" / "nifti").rglob("*.nii.gz")).unlink()

    parts = [
        run(planned(archive, ["nifti", "tables"]), out, key, shard=f"{number}/4").part
        for number in (1, 2, 3, 4)
    ]

    assert parts[-1] is None
    assert before == tree(out / "release")


@pytest.mark.usefixtures("inline")
def test_another_recipe_in_one_of_the_parts_is_refused(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A job array in which one job has another file."""
    out = tmp_path / "out"
    run(planned(archive), out, key, shard="1/2")

    with pytest.raises(OutputError, match="another recipe"):
        run(planned(archive, recipe="dates-kept"), out, key, shard="2/2")


def test_who_works_alone_and_who_works_in_parts_keep_out_of_each_others_way(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A plain run beside a shard, a shard beside a plain run, one shard twice: all refused."""
    out = tmp_path / "out"
    run(planned(archive), out, key, shard="1/2", workers=1)
    vault = out / "vault"

    with hold(vault / "lock", "out", shared=True):
        with pytest.raises(OutputError, match="another run is at work"):
            run(planned(archive), out, key)
        with (
            hold(vault / "shard-2-of-2.lock", "out"),
            pytest.raises(OutputError, match="another run is at work"),
        ):
            run(planned(archive), out, key, shard="2/2")
    with (
        hold(vault / "lock", "out"),
        pytest.raises(OutputError, match="another run is at work"),
    ):
        run(planned(archive), out, key, shard="2/2")


@pytest.mark.usefixtures("inline")
def test_while_another_part_is_at_work_nobody_finishes(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """All records are there, but a job that is at work may change one."""
    out = tmp_path / "out"
    run(planned(archive), out, key, shard="1/2")

    with hold(out / "vault" / "lock", "out", shared=True):
        made = run(planned(archive), out, key, shard="2/2")
        assert made.part is not None
        assert "another shard is at work" in made.part.words
        assert not (out / "release" / "export.json").exists()
    assert 0 == run(planned(archive), out, key, shard="2/2").exit_code
    assert (out / "release" / "export.json").is_file()


@pytest.mark.usefixtures("inline")
def test_what_failed_in_a_part_is_that_parts_exit_code(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job array's scheduler sees which job is to be tried again."""
    honest, broken = worker.read_facts, [True]

    def fail_once(headers: object) -> object:
        if broken.pop():
            broken.append(False)
            raise OSError
        broken.append(False)
        return honest(headers)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(worker, "read_facts", fail_once)
    out = tmp_path / "out"

    first = run(planned(archive), out, key, shard="1/2")
    second = run(planned(archive), out, key, shard="2/2")

    assert first.part is not None
    assert (3, 1) == (first.exit_code, first.part.failed)
    assert (3, None) == (second.exit_code, second.part)  # it finished, and tells of the whole
    assert 0 == run(planned(archive), out, key, shard="1/2").exit_code


@pytest.mark.usefixtures("inline")
def test_what_was_refused_is_tried_again_when_asked_for_and_only_then(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal that has passed (a decoder that is there now): ``retry="refused"``."""
    honest, seen = worker.read_facts, []

    def refuse(headers: object) -> object:
        seen.append(1)
        if len(seen) == 1:
            raise Refusal(Reason.BAD_GEOMETRY)
        return honest(headers)  # type: ignore[arg-type]  # as given

    out = tmp_path / "out"
    whole = tree(run(planned(archive, Modality="CT"), tmp_path / "whole", key).release)
    monkeypatch.setattr(worker, "read_facts", refuse)
    run(planned(archive, Modality="CT"), out, key)
    assert whole != tree(out / "release")
    count = len(seen)

    run(planned(archive, Modality="CT"), out, key)
    assert count == len(seen)
    run(planned(archive, Modality="CT"), out, key, retry="refused")

    assert count + 1 == len(seen)
    assert whole == tree(out / "release")
    with pytest.raises(UsageError, match="retry: 'failed' or 'refused'"):
        run(planned(archive), out, key, retry="all")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Twelve series, for four jobs."""
    base = tmp_path_factory.mktemp("shards")
    make_archive(base / "archive")
    for number in range(6):
        patient = Patient(patient_id=f"8820{number}7", name=f"Lindqvist{number}^Sara")
        write_series(base / "archive" / f"s{number}", patient, Series(slices=4, seed=number))
    return settle(base)


def test_jobs_at_once_with_kills_from_outside_make_the_release_of_one_run(
    shell: Shell, tmp_path: Path
) -> None:
    """Four processes, each killed at a random moment and started again until it ends well."""
    assert (0, "") == shell.run(tmp_path / "whole")
    out, kills, jobs = tmp_path / "out", 0, {}
    chance = random.Random(4)
    for number in (1, 2, 3, 4):
        jobs[number] = _job(shell, out, number)
    until = time.monotonic() + 200

    while jobs and time.monotonic() < until:
        time.sleep(chance.uniform(0.05, 0.6))
        for number, job in list(jobs.items()):
            code = job.poll()
            if code == 0:
                del jobs[number]
            elif code is not None:
                jobs[number] = _job(shell, out, number)
        if jobs and kills < 12:
            job = chance.choice(list(jobs.values()))
            job.send_signal(signal.SIGKILL)
            kills += job.wait() == -signal.SIGKILL
    assert (0, "") == shell.run(out, "--shard", "1/4")  # were the last finisher killed in the act

    assert {} == jobs
    assert kills >= 6
    assert tree(tmp_path / "whole" / "release") == tree(out / "release")
    accounted(out / "release")
    assert [] == [path.name for path in (out / "vault").rglob(".*.part")]
    tasks = [
        json.loads(line)["task"]
        for path in (out / "vault").glob("ledger-*.jsonl")
        for line in path.read_text().splitlines()
        if '"event": "task"' in line
    ]
    assert len(tasks) <= 12 + 2 * 2 * kills


def _job(shell: Shell, out: Path, number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        shell.command(out, "--shard", f"{number}/4"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
