"""The score: of each action the share that was done, and what was not."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from leak.leaves import Leaf, leaves
from leak.needles import same
from numpy.typing import NDArray

from midi.checks import PASSED_WHEN_ABSENT, Action, Check
from midi.studies import BOX, Answers

GOAL = 0.999
_DIGITS = 8


@dataclass
class Score:
    """What was done of what was asked."""

    asked: Counter[Action] = field(default_factory=Counter)
    done: Counter[Action] = field(default_factory=Counter)
    missed: list[Check] = field(default_factory=list)
    absent: int = 0

    def share(self, action: Action) -> float:
        """Of one action; 1 where nothing was asked."""
        return self.done[action] / self.asked[action] if self.asked[action] else 1.0

    @property
    def met(self) -> bool:
        """Whether every action is done often enough, and every file is there."""
        return not self.absent and all(self.share(action) >= GOAL for action in Action)


@dataclass
class _Output:
    """One file as it came out."""

    data: bytes
    values: dict[str, Leaf]
    pixels: NDArray[np.integer] | None


class Judge:
    """Answers questions about a folder of outputs."""

    def __init__(self, answers: Answers, outputs: Path) -> None:
        self._answers = answers
        self._out: dict[int, _Output] = {}
        for number, name in answers.names.items():
            path = outputs / name
            if path.exists():
                self._out[number] = _read(path)
        self._maps = {
            Action.UID_CONSISTENT: self._mapped(Action.UID_CONSISTENT),
            Action.PATIENT_ID_CONSISTENT: self._mapped(Action.PATIENT_ID_CONSISTENT),
        }
        self._shifts = self._moved()

    def score(self) -> Score:
        """Every question of the answer key."""
        score = Score(absent=len(self._answers.names) - len(self._out))
        for check in self._answers.checks:
            score.asked[check.action] += 1
            if self._is_done(check):
                score.done[check.action] += 1
            else:
                score.missed.append(check)
        return score

    def _is_done(self, check: Check) -> bool:
        out = self._out.get(check.file)
        if out is None:
            return check.action in PASSED_WHEN_ABSENT
        return _ANSWERS[check.action](self, check, out)

    def _new(self, check: Check) -> str:
        out = self._out.get(check.file)
        leaf = out.values.get(check.path) if out else None
        return leaf.text.strip("\0 ") if leaf else ""

    def _mapped(self, action: Action) -> dict[str, str]:
        """What most places make of each old value."""
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for check in self._answers.checks:
            if check.action is action:
                seen[check.value][self._new(check)] += 1
        return {old: counted.most_common(1)[0][0] for old, counted in seen.items()}

    def _moved(self) -> dict[int, int]:
        """By how many days most dates of each patient moved."""
        seen: dict[int, Counter[int]] = defaultdict(Counter)
        for check in self._answers.checks:
            if check.action is Action.INTERVAL_KEPT:
                days = _days(check.value, self._new(check))
                if days is not None:
                    seen[check.patient][days] += 1
        return {patient: counted.most_common(1)[0][0] for patient, counted in seen.items()}

    # ── the actions ──────────────────────────────────────────────────────────────────────────────

    def date_shifted(self, check: Check, _: _Output) -> bool:
        """It is there, and another date."""
        new = self._new(check)
        return bool(new) and check.value[:_DIGITS] not in new

    def interval(self, check: Check, _: _Output) -> bool:
        """It moved by as much as this patient's other dates, and the time of day stayed."""
        new = self._new(check)
        days = _days(check.value, new)
        at_the_same_time = new[_DIGITS:] == check.value[_DIGITS:]
        return days is not None and days == self._shifts.get(check.patient) and at_the_same_time

    def consistent(self, check: Check, _: _Output) -> bool:
        """The same new value wherever the old one stood, and no other old one has it."""
        mapped = self._maps[check.action]
        new = self._new(check)
        others = sum(one == new for one in mapped.values())
        return bool(new) and new != check.value and new == mapped[check.value] and others == 1

    def uid_changed(self, check: Check, out: _Output) -> bool:
        """It is nowhere in the file."""
        return check.value.encode() not in out.data

    def text_removed(self, check: Check, out: _Output) -> bool:
        """The word is nowhere in the file, in any case."""
        return check.value.encode() not in out.data.lower()

    def text_retained(self, check: Check, out: _Output) -> bool:
        """It is where it was."""
        leaf = out.values.get(check.path)
        return leaf is not None and same(check.value, leaf.text)

    def text_not_null(self, check: Check, _: _Output) -> bool:
        """Something is there."""
        return bool(self._new(check))

    def tag_retained(self, check: Check, out: _Output) -> bool:
        """The attribute is there, empty or not."""
        return check.path in out.values

    def hidden(self, check: Check, out: _Output) -> bool:
        """Nothing is left in the box but one value in every frame."""
        if out.pixels is None:
            return True
        box = _boxed(out.pixels.reshape(self._answers.pixels[check.file].shape))
        return all(len(np.unique(frame)) == 1 for frame in box)

    def retained(self, check: Check, out: _Output) -> bool:
        """Every sample is as it was; outside the box where something is drawn into it."""
        was = self._answers.pixels[check.file]
        if out.pixels is None or out.pixels.size != was.size:
            return False
        now = out.pixels.reshape(was.shape)
        if check.file in self._answers.drawn:
            was, now = was.copy(), now.copy()
            _boxed(was)[...] = 0
            _boxed(now)[...] = 0
        return bool(np.array_equal(was, now))


_ANSWERS: dict[Action, Callable[[Judge, Check, _Output], bool]] = {
    Action.DATE_SHIFTED: Judge.date_shifted,
    Action.INTERVAL_KEPT: Judge.interval,
    Action.PATIENT_ID_CONSISTENT: Judge.consistent,
    Action.PIXELS_HIDDEN: Judge.hidden,
    Action.PIXELS_RETAINED: Judge.retained,
    Action.TAG_RETAINED: Judge.tag_retained,
    Action.TEXT_NOT_NULL: Judge.text_not_null,
    Action.TEXT_REMOVED: Judge.text_removed,
    Action.TEXT_RETAINED: Judge.text_retained,
    Action.UID_CHANGED: Judge.uid_changed,
    Action.UID_CONSISTENT: Judge.consistent,
}


def _read(path: Path) -> _Output:
    data = path.read_bytes()
    dataset = pydicom.dcmread(path)
    try:
        pixels = np.asarray(dataset.pixel_array)
    except (AttributeError, ValueError):
        pixels = None
    values: dict[str, Leaf] = {}
    for leaf in leaves(data):
        values.setdefault(leaf.path, leaf)
    return _Output(data, values, pixels)


def _days(old: str, new: str) -> int | None:
    try:
        was, now = (dt.datetime.strptime(one[:_DIGITS], "%Y%m%d") for one in (old, new))  # noqa: DTZ007 - days alone
    except ValueError:
        return None
    return (now - was).days


def _boxed(frames: NDArray[np.integer]) -> NDArray[np.integer]:
    return frames[:, BOX.top : BOX.top + BOX.height, BOX.left : BOX.left + BOX.width]
