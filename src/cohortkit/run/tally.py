"""What became of every instance, for every kind of output. Pure.

An instance may be in several parts of a series (an enhanced object in two stacks). It then counts
by the best of them: written, else failed, refused, duplicate, not applicable. A part that was not
written beside one that was keeps its reason in the outcome of the written one, with a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cohortkit.model import Outcome, Reason, Status

_BEST = (
    Status.WRITTEN,
    Status.FAILED,
    Status.REFUSED,
    Status.DUPLICATE,
    Status.NOT_APPLICABLE,
)


def best(statuses: Iterable[Status]) -> Status:
    """What a unit counts as, by what became of its parts."""
    return min(statuses, key=_BEST.index)


@dataclass(frozen=True, slots=True)
class _Fate:
    status: Status
    reason: Reason | None
    numbers: tuple[tuple[str, float], ...]

    @property
    def key(self) -> tuple[int, str, tuple[tuple[str, float], ...]]:
        return _BEST.index(self.status), str(self.reason or ""), self.numbers


@dataclass(slots=True)
class Tally:
    """The fates of the instances of one series for one output, as they come in."""

    output: str
    count: int
    _fates: dict[int, list[_Fate]] = field(default_factory=dict)

    def add(
        self,
        status: Status,
        instances: Iterable[int],
        reason: Reason | None = None,
        numbers: Mapping[str, float] | None = None,
    ) -> None:
        """Something became of these instances.

        Raises:
            ValueError: an instance that the series does not have.
        """
        fate = _Fate(status, reason, tuple(sorted((numbers or {}).items())))
        for instance in instances:
            if not 0 <= instance < self.count:
                raise ValueError("an outcome for an instance that is not in the series")
            self._fates.setdefault(instance, []).append(fate)

    def rest(self) -> tuple[int, ...]:
        """Instances of which nothing has been said yet."""
        return tuple(number for number in range(self.count) if number not in self._fates)

    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes: every instance in exactly one.

        Raises:
            ValueError: nothing was said of an instance.
        """
        if self.rest():
            raise ValueError("instances without an outcome")
        groups: dict[_Fate, list[int]] = {}
        for number in range(self.count):
            groups.setdefault(_merged(self._fates[number]), []).append(number)
        return tuple(
            Outcome(self.output, fate.status, tuple(members), fate.reason, dict(fate.numbers))
            for fate, members in sorted(groups.items(), key=lambda item: item[0].key)
        )


def _merged(fates: list[_Fate]) -> _Fate:
    ordered = sorted(set(fates), key=lambda fate: fate.key)
    first = ordered[0]
    if first.status is not Status.WRITTEN:
        return first
    lost = [fate for fate in ordered if fate.status in {Status.REFUSED, Status.FAILED}]
    if not lost:
        return first
    parts = float(sum(fate.status is lost[0].status for fate in fates))
    return _Fate(Status.WRITTEN, lost[0].reason, (*lost[0].numbers, ("parts_not_written", parts)))


def complete(outcomes: Iterable[Outcome], outputs: Iterable[str], count: int) -> bool:
    """Whether every instance is in exactly one outcome of every output."""
    said: dict[str, list[int]] = {output: [] for output in outputs}
    for outcome in outcomes:
        if outcome.output not in said:
            return False
        said[outcome.output].extend(outcome.instances)
    return all(sorted(numbers) == list(range(count)) for numbers in said.values())
