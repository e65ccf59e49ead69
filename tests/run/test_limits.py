from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from cohortkit.errors import UsageError
from cohortkit.run import limits
from cohortkit.run.limits import Limits


def test_a_limit_is_what_was_said() -> None:
    """Minutes and gigabytes, as a task and a process have them."""
    assert Limits(90.0, 2_500_000_000) == Limits.of(1.5, 2.5)


def test_without_a_word_a_worker_may_have_nearly_the_machine() -> None:
    """More could only end something else."""
    made = Limits.of(None, None)

    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert made.seconds is None
    assert 0 < made.memory < has


def test_a_container_has_what_its_control_group_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``max`` and an absent file are no limit; a number is."""
    files = {"none": None, "max": "max\n", "number": "1000000000\n"}
    for name, text in files.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(limits, "_GROUPS", tuple(str(tmp_path / name) for name in files))

    assert 10**9 == limits.machine()
    assert 900_000_000 == Limits.of(None, None).memory


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf, True, "60"])
def test_time_that_is_no_time_is_wrong_use(minutes: object) -> None:
    """By the name of the argument."""
    with pytest.raises(UsageError, match="task_minutes"):
        Limits.of(minutes, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("gigabytes", [0, 0.1, -2, math.nan, math.inf, False, "4"])
def test_memory_that_no_worker_can_live_on_is_wrong_use(gigabytes: object) -> None:
    """By the name of the argument."""
    with pytest.raises(UsageError, match="task_gigabytes"):
        Limits.of(None, gigabytes)  # type: ignore[arg-type]
