"""The log of which every line vouches for those before it."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.audit import Fault, append, check, closed, lines


def sealed(text: str, key: bytes = b"k" * 32) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:26]


def written(path: Path, count: int = 6) -> list[str]:
    for number in range(count):
        append(path, sealed, "task", task=f"t{number}", note='a, "seal": "b')
    return path.read_text().splitlines(keepends=True)


def faults(path: Path) -> list[tuple[int, Fault]]:
    return [(one.line, one.fault) for one in check(path, sealed).findings]


def test_a_log_as_it_was_written_holds(tmp_path: Path) -> None:
    """Every line is JSON with its number, time and event; the head is that of the last line."""
    path = tmp_path / "audit.jsonl"
    text = written(path)

    seen = check(path, sealed)

    assert (6, ()) == (seen.lines, seen.findings)
    assert seen.head == json.loads(text[-1])["seal"]
    assert [1, 2, 3, 4, 5, 6] == [one["n"] for one in lines(path)]
    assert 0o600 == path.stat().st_mode & 0o777
    assert (0, "", ()) == (
        check(tmp_path / "absent", sealed).lines,
        check(tmp_path / "absent", sealed).head,
        check(tmp_path / "absent", sealed).findings,
    )


def test_each_kind_of_tampering_is_named_with_its_line(tmp_path: Path) -> None:
    """Edited, deleted, added, reordered, cut off, of another key, no line at all."""
    path = tmp_path / "audit.jsonl"
    good = written(path)
    other = tmp_path / "other.jsonl"
    append(other, lambda text: sealed(text, b"o" * 32), "task", task="t9")
    foreign = other.read_text()

    def after(changed: list[str]) -> list[tuple[int, Fault]]:
        path.write_text("".join(changed))
        return faults(path)

    assert [(3, Fault.ALTERED)] == after([*good[:2], good[2].replace("t2", "t7"), *good[3:]])
    assert [(3, Fault.MISSING)] == after([*good[:2], *good[3:]])
    assert (4, Fault.ORDER) in after([*good[:2], good[3], good[2], *good[4:]])
    assert (4, Fault.ORDER) in after([*good[:3], good[1], *good[3:]])
    assert (3, Fault.ORDER) in after([*good[:2], foreign, *good[2:]])
    assert [(3, Fault.FOREIGN)] == after([*good[:2], "not a line\n", *good[2:]])
    assert [(4, Fault.CUT)] == after(good[:4])
    assert [(1, Fault.MISSING)] == after(good[1:])
    assert [(0, Fault.CUT)] == after([])
    assert [] == after(good)


@given(st.data())
def test_no_edit_of_a_byte_goes_unseen(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any byte of any line, changed into any other."""
    path = tmp_path_factory.mktemp("a") / "audit.jsonl"
    good = "".join(written(path, 3)).encode()
    place = data.draw(st.integers(0, len(good) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != good[place]))

    path.write_bytes(good[:place] + bytes([byte]) + good[place + 1 :])

    assert faults(path)


def test_without_the_key_nothing_can_be_made_to_hold(tmp_path: Path) -> None:
    """Who writes the whole log anew, and its head, has another key's seals."""
    path = tmp_path / "audit.jsonl"
    for number in range(3):
        append(path, lambda text: sealed(text, b"enemy" * 7), "task", task=f"t{number}")

    assert [1, 2, 3, 3] == [line for line, _ in faults(path)]


def test_a_head_that_is_gone_or_altered_is_a_fault(tmp_path: Path) -> None:
    """It is what tells that the end was cut off."""
    path = tmp_path / "audit.jsonl"
    written(path)
    head = tmp_path / "audit.head"
    kept = head.read_text()

    for text in ("", kept.replace("6", "5", 1), "6 x y\n"):
        head.write_text(text)
        assert [(6, Fault.CUT)] == faults(path)
    head.unlink()
    assert [(6, Fault.CUT)] == faults(path)


def test_a_torn_line_was_never_whole_and_the_next_one_stands_in_its_place(tmp_path: Path) -> None:
    """A kill in the middle of a write, at every byte."""
    path = tmp_path / "audit.jsonl"
    good = written(path, 2)
    head = (tmp_path / "audit.head").read_text()
    append(path, sealed, "task", task="torn")
    last = path.read_text().splitlines(keepends=True)[-1]
    for cut in (1, len(last) // 2, len(last) - 1):
        path.write_text("".join(good) + last[:cut])
        (tmp_path / "audit.head").write_text(head)
        append(path, sealed, "task", task="next")

        assert [] == faults(path)
        assert ["t0", "t1", "next"] == [one["task"] for one in lines(path)]


def test_a_line_behind_a_cut_does_not_heal_it(tmp_path: Path) -> None:
    """Nor one behind a head that is gone: the next export must not hide what was done."""
    path, head = tmp_path / "audit.jsonl", tmp_path / "audit.head"
    good = written(path)

    path.write_text("".join(good[:4]))
    append(path, sealed, "task", task="next")
    assert [(5, Fault.MISSING)] == faults(path)

    path.write_text("".join(good[:4]))
    head.unlink()
    append(path, sealed, "task", task="next")
    assert [(5, Fault.ALTERED)] == faults(path)


def test_a_kill_between_line_and_head_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    """It is known that the head is behind, for the first line too; the next line holds."""
    path, head = tmp_path / "audit.jsonl", tmp_path / "audit.head"
    for count in (0, 3):
        path.unlink(missing_ok=True)
        head.unlink(missing_ok=True)
        if count:
            written(path, count)
        before = head.read_text() if count else None
        append(path, sealed, "task", task="its head was never written")
        assert closed(path, sealed)
        head.unlink() if before is None else head.write_text(before)

        assert not closed(path, sealed)
        append(path, sealed, "task", task="next")

        assert closed(path, sealed)
        assert [] == faults(path)


_WRITER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_audit import sealed
from cohortkit.audit import append
for number in range(100000):
    append(Path(sys.argv[1]), sealed, "task", task=f"{{sys.argv[2]}}-{{number}}")
"""


def test_many_writers_and_kills_leave_a_log_that_holds(tmp_path: Path) -> None:
    """Three processes at once, each killed and started again: no line is lost or written twice."""
    path = tmp_path / "audit.jsonl"
    script = _WRITER.format(tests=str(Path(__file__).parent))
    chance = random.Random(11)
    names = iter(range(100))

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script, str(path), f"w{next(names)}"])

    jobs = [start() for _ in range(3)]
    while not path.exists():
        time.sleep(0.01)
    for _ in range(15):
        time.sleep(chance.uniform(0.02, 0.2))
        place = chance.randrange(3)
        jobs[place].send_signal(signal.SIGKILL)
        jobs[place].wait()
        jobs[place] = start()
    while path.read_bytes().count(b"\n") <= 100:  # a busy machine starts them slowly
        time.sleep(0.05)
    for job in jobs:
        job.kill()
        job.wait()
    append(path, sealed, "end")

    tasks = [one.get("task") for one in lines(path)]
    assert [] == faults(path)
    assert len(set(tasks)) == len(tasks) > 100
