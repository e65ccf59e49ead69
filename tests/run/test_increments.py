"""Next month's run on the index that has grown, and people who are to be taken out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit import cli
from cohortkit.errors import OutputError, UsageError
from factory import write_series
from promised import CT_SERIES, PATIENTS, accounted, make_archive, tree

pytestmark = pytest.mark.usefixtures("inline")


def without(archive: Path, *ids: str) -> ck.Plan:
    """Everybody but them."""
    cohort = ck.scan(archive, progress=False, workers=1).search().exclude(patients=list(ids))
    return ck.plan(cohort, ck.load_recipe("basic"), to=["nifti", "tables"])


def test_next_month_only_what_is_new_is_done(key: ck.Key, tmp_path: Path) -> None:
    """Same pseudonyms, not a byte of what was there changed, and the whole is as made at once."""
    archive = make_archive(tmp_path / "archive")
    out = tmp_path / "out"
    first = run(planned(archive, ["nifti", "tables"]), out, key)
    before = tree(out / "release" / "nifti")
    write_series(archive / "next", PATIENTS[0], replace(CT_SERIES, seed=77, number=4))

    grown = run(planned(archive, ["nifti", "tables"]), out, key)
    fresh = run(planned(archive, ["nifti", "tables"]), tmp_path / "fresh", key)

    assert first.increment is not None
    assert (6, 0, 0, 0) == _figures(first)
    assert (1, 0, 0, 6) == _figures(grown)
    assert "this run: 1 new, 6 done before" in repr(grown)
    assert before.items() <= tree(out / "release" / "nifti").items()
    assert tree(fresh.release) == tree(grown.release)


def test_a_changed_source_is_done_again_and_told_apart(key: ck.Key, tmp_path: Path) -> None:
    """A file that was replaced in the archive."""
    archive = make_archive(tmp_path / "archive")
    out = tmp_path / "out"
    run(planned(archive), out, key)
    file = archive / "0" / "1-1-000"
    file.write_bytes(file.read_bytes() + b"\0\0")

    made = run(planned(archive), out, key)

    assert (0, 1, 0, 5) == _figures(made)


def test_who_opts_out_is_named_and_taken_out_when_asked_for(key: ck.Key, tmp_path: Path) -> None:
    """Refused first, by pseudonym; withdrawn, the release is as if he had never been in it."""
    archive = make_archive(tmp_path / "archive")
    out = tmp_path / "out"
    run(planned(archive, ["nifti", "tables"]), out, key)
    rest = without(archive, PATIENTS[1].patient_id)
    fresh = run(rest, tmp_path / "fresh", key)
    gone = {path.name for path in (out / "release/nifti").iterdir()}
    gone -= {path.name for path in (fresh.release / "nifti").iterdir()}
    (pseudonym,) = gone

    with pytest.raises(OutputError, match=rf"3 series .* \(pseudonyms: {pseudonym}\).*withdraw"):
        run(rest, out, key)
    made = run(rest, out, key, gone="withdraw")

    assert (0, 0, 3, 3) == _figures(made)
    assert tree(fresh.release) == tree(out / "release")
    accounted(out / "release")
    everything = b"".join(path.read_bytes() for path in out.rglob("*.json") if path.is_file())
    assert pseudonym.encode() not in everything
    told = [json.loads(line) for line in (out / "vault/audit.jsonl").read_text().splitlines()]
    assert ["release", "withdraw", "release"] == [line["event"] for line in told]
    assert ([pseudonym], 3) == (told[1]["patients"], told[1]["series"])
    assert ck.verify(out, key).ok


def test_a_withdrawal_is_of_the_whole_and_by_a_word_that_is_known(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A shard would leave the others' tables as they were."""
    with pytest.raises(UsageError, match="a shard withdraws nothing"):
        run(planned(archive), tmp_path / "out", key, gone="withdraw", shard="1/2")
    with pytest.raises(UsageError, match="gone: 'refuse' or 'withdraw'"):
        run(planned(archive), tmp_path / "out", key, gone="remove")


def test_the_shell_withdraws_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--gone withdraw``; the line of JSON says what the run did."""
    archive = make_archive(tmp_path / "archive")
    index = ck.scan(archive, tmp_path / "index", progress=False)
    index.search().save(tmp_path / "all.cohort")
    index.search().exclude(patients=[PATIENTS[1].patient_id]).save(tmp_path / "rest.cohort")
    ck.Key.new(tmp_path / "key", project="increments")
    words = [str(tmp_path / "out"), "--recipe", "basic", "--to", "tables", "--json"]
    words += ["--key", str(tmp_path / "key")]

    codes = [
        cli.main(["export", str(tmp_path / cohort), *words, *more])
        for cohort, more in (
            ("all.cohort", []),
            ("rest.cohort", []),
            ("rest.cohort", ["--gone", "withdraw"]),
        )
    ]

    said = capsys.readouterr()
    assert [0, 2, 0] == codes
    last = json.loads(said.out.splitlines()[-1])
    assert {"new": 0, "again": 0, "withdrawn": 3, "kept": 3} == last["this_run"]
    assert PATIENTS[1].patient_id not in said.out + said.err


def _figures(made: ck.Export) -> tuple[int, int, int, int]:
    one = made.increment
    assert one is not None
    return one.new, one.again, one.withdrawn, one.kept
