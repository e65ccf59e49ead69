"""Many records: where they lie, how they are gone through, and what is held of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from batches import planned, run
from cohortkit.errors import OutputError
from cohortkit.model import Artifact, Names, Outcome, Record, Status
from cohortkit.run.place import Place, publish
from cohortkit.run.records import to_json
from cohortkit.run.shelf import Shelf, paths, read_all
from promised import tree

OUTCOME = Outcome("nifti", Status.WRITTEN, (0, 1))
FILE = Artifact("nifti", "image", "nifti/p/s/r.nii.gz", "ab", 9, (0, 1))
PER_TASK = ("records", "residuals", "redactions", "texts")


def record(number: int) -> Record:
    """Names in another order than tasks."""
    return Record(
        task=f"{chr(97 + number % 3)}{number}",
        plan="p",
        names=Names(f"p{9 - number % 4}", "s", f"r{number}"),
        instances=2,
        outcomes=(OUTCOME,),
        artifacts=(FILE,),
        rows={"series": ({"series": f"r{number}"},)},
        inputs="i",
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "out")
    made.prepare()
    for number in range(9):
        publish(made.record(record(number).task), to_json(record(number)))
    return made


def flatten(out: Path) -> int:
    """Leave a vault as it was before there were folders."""
    moved = 0
    for base in (out / "vault" / name for name in PER_TASK):
        for path in list(base.rglob("*.json")):
            path.rename(base / path.name)
            moved += 1
        for folder in [one for one in base.iterdir() if one.is_dir()]:
            folder.rmdir()
    return moved


def test_records_lie_in_folders_for_their_owner_alone(place: Place) -> None:
    """By the first letters of a task, so that no folder grows to a million names."""
    assert {"a0", "b1", "c2"} <= {path.name for path in place.records.iterdir()}
    assert {0o700} == {path.stat().st_mode & 0o777 for path in place.records.iterdir()}
    assert place.records / "a0" / "a0.json" == place.record("a0")


def test_they_come_in_the_order_of_the_release_as_often_as_one_likes(place: Place) -> None:
    """Twice the same, whole or without rows, and those too that are only in memory."""
    lost = replace(record(50), task="zz", names=None)
    shelf = Shelf.on(place, [lost])
    names = [("", "", "") if one.names is None else _of(one.names) for one in shelf]

    assert names == sorted(names)
    assert list(shelf) == list(shelf)
    assert 10 == len(shelf)
    assert {one.task: one for one in shelf} == {
        one.task: one for one in [*map(record, range(9)), lost]
    }
    assert [replace(one, rows={}) for one in shelf] == [
        replace(one, rows={}) for one in shelf.rowless()
    ]


def _of(names: Names) -> tuple[str, str, str]:
    return names.patient, names.study, names.series


@given(st.permutations(range(9)))
def test_what_is_held_of_them_is_short_and_once(order: list[int]) -> None:
    """Neither rows nor files; outcomes that are alike are one object."""
    made = [replace(record(n), outcomes=(replace(OUTCOME),)) for n in order]
    bare = Shelf.of(made).bare

    assert {((), 0)} == {(one.artifacts, len(one.rows)) for one in bare}
    assert 1 == len({id(one.outcomes[0]) for one in bare})
    assert [one.names for one in Shelf.of(made)] == [one.names for one in bare]


def test_a_record_that_changes_while_it_is_read_is_told(place: Place) -> None:
    """Damaged between two looks: an error of ours; gone: one of the file system."""
    shelf = Shelf.on(place)
    place.record("a0").write_bytes(b"{")
    with pytest.raises(OutputError, match="changed while it was read"):
        list(shelf)
    place.record("a0").unlink()
    with pytest.raises(FileNotFoundError):
        list(shelf)


def test_no_half_written_record_is_one(place: Place) -> None:
    """Nor what is called like none."""
    (place.records / "a0" / ".a0.json.1.part").write_bytes(b"x")
    (place.records / ".hidden.json").write_bytes(b"x")
    (place.records / "note.txt").write_bytes(b"x")

    assert [f"{record(n).task}.json" for n in sorted(range(9), key=lambda n: record(n).task)] == [
        path.name for path in paths(place)
    ]
    assert 9 == len(list(read_all(place)))


@pytest.mark.usefixtures("inline")
def test_an_output_from_before_the_folders_is_read_and_goes_on(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Status and verify read it as it lies; the next run moves it and does nothing again."""
    index = ck.scan(archive, progress=False, workers=1)
    out = tmp_path / "out"
    plan = planned(archive, ["nifti", "tables"])
    before = tree(run(plan, out, key).release)
    count = flatten(out)

    assert count > len(plan.tasks)
    assert (len(plan.tasks), 0) == (ck.status(out).done, ck.status(out).left)
    assert ck.verify(out, key, index).ok
    again = run(plan, out, key)

    assert again.increment is not None
    assert (0, 0, 0, len(plan.tasks)) == tuple(again.summary()["this_run"].values())
    assert before == tree(again.release)
    assert [] == [path for name in PER_TASK for path in (out / "vault" / name).glob("*.json")]
    assert count == sum(len(list((out / "vault" / n).rglob("*.json"))) for n in PER_TASK)
    assert ck.verify(out, key, index).ok
