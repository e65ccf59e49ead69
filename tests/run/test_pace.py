"""When a run may take the next series."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, date, datetime
from datetime import time as clock
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from batches import planned, run
from cohortkit.errors import OutputError, UsageError
from cohortkit.run import pace
from cohortkit.run.pace import Pace, Paced
from fakework import tasks
from promised import tree


class _Usage(NamedTuple):
    free: float


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("20:00-06:00", ("20:00", "23:59", "00:00", "05:59"), ("06:00", "12:00", "19:59")),
        ("08:30-17:00", ("08:30", "16:59"), ("08:29", "17:00", "00:00")),
    ],
)
def test_hours_begin_with_the_first_and_end_before_the_second(
    hours: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """Over midnight too."""
    limits = Pace(hours=hours)

    assert all(not limits.stops(Path("/"), _at(text)) for text in inside)
    assert all(hours in limits.stops(Path("/"), _at(text)) for text in outside)


@given(st.times(), st.times(), st.times())
def test_a_time_is_inside_some_hours_or_inside_their_complement(
    first: clock, last: clock, now: clock
) -> None:
    """Never in both, never in neither."""
    one, other = f"{first:%H:%M}", f"{last:%H:%M}"
    at = datetime.combine(date(2026, 3, 1), now)
    if one == other:
        return

    here = Pace(hours=f"{one}-{other}").stops(Path("/"), at)
    there = Pace(hours=f"{other}-{one}").stops(Path("/"), at)

    assert bool(here) != bool(there)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"hours": "20-06"}, "hours"),
        ({"hours": "24:00-06:00"}, "hours"),
        ({"hours": "20:00-06:00 "}, "hours"),
        ({"hours": 20}, "hours"),
        ({"hours": "03:00-03:00"}, "hours"),
        ({"stop_file": "/"}, "stop_file"),
        ({"per_minute": 0}, "per_minute"),
        ({"per_minute": math.inf}, "per_minute"),
        ({"per_minute": "3"}, "per_minute"),
        ({"reserve_gigabytes": -1}, "reserve_gigabytes"),
        ({"reserve_gigabytes": True}, "reserve_gigabytes"),
    ],
)
def test_limits_that_nothing_can_keep_to_are_wrong_use(wrong: dict[str, object], word: str) -> None:
    """By the name of the limit."""
    with pytest.raises(UsageError, match=word):
        Pace(**wrong)  # type: ignore[arg-type]  # on purpose


def test_a_rate_spreads_the_beginnings(tmp_path: Path) -> None:
    """Six hundred a minute is one in a tenth of a second; the first begins at once."""
    began = time.monotonic()
    seen = [time.monotonic() - began for _ in Paced(Pace(per_minute=600), tmp_path).tasks(tasks(6))]

    assert seen[-1] >= 0.49  # one that begins late is made good by the next


def test_the_reserve_is_looked_at_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others fill the disk as well."""
    free = iter([3e9, 2.1e9, 1.9e9, 5e9])
    monkeypatch.setattr(pace.shutil, "disk_usage", lambda _: _Usage(next(free)))
    paced = Paced(Pace(reserve_gigabytes=2), tmp_path)

    assert [0, 1] == [task.number for task in paced.tasks(tasks(5))]
    assert "less than 2 GB are free" in paced.stopped


@pytest.mark.usefixtures("inline")
def test_a_run_that_stops_is_not_finished_and_the_same_command_goes_on(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two series the stop file is there; when it is gone, the release is that of one run."""
    whole = tree(run(planned(archive), tmp_path / "whole", key).release)
    out, stop = tmp_path / "out", tmp_path / "STOP"
    looked: list[int] = []
    honest = Pace.stops

    def stops(self: Pace, folder: Path, now: datetime) -> str:
        looked.append(1)
        if len(looked) == 3:
            stop.touch()
        return honest(self, folder, now)

    monkeypatch.setattr(Pace, "stops", stops)
    made = run(planned(archive), out, key, pace=ck.Pace(stop_file=stop))

    assert made.part is not None
    assert (6, 2, 0, 4) == (made.part.series, made.part.done, made.part.failed, made.part.missing)
    assert 3 == made.exit_code == json.loads(json.dumps(made.summary()))["exit_code"]
    assert "stopped, for the stop file is there; the same command goes on" in repr(made)
    assert (4, False) == (ck.status(out).left, ck.status(out).finished)
    with pytest.raises(OutputError, match="no finished export"):
        _ = made.manifest
    stop.unlink()
    assert 0 == run(planned(archive), out, key, pace=ck.Pace(stop_file=stop)).exit_code
    assert whole == tree(out / "release")


def test_a_run_outside_its_hours_starts_no_worker(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Cron may call at any time."""
    now = datetime.now(UTC).astimezone()
    hours = f"{(now.hour + 2) % 24:02}:00-{(now.hour + 3) % 24:02}:00"

    made = run(planned(archive), tmp_path / "out", key, pace=ck.Pace(hours=hours))

    assert made.part is not None
    assert 0 == made.part.done
    assert not (tmp_path / "out" / "vault" / "workers.log").exists()
    with pytest.raises(UsageError, match="pace"):
        run(planned(archive), tmp_path / "out", key, pace=hours)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}")
