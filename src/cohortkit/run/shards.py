"""One export by many jobs that share nothing but its output: job arrays need no engine.

Every job does its own part of the plan and holds the output together with the others; whoever is
the last to be done, with nobody else at work and nothing missing, finishes for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cohortkit.errors import UsageError
from cohortkit.model import Record, Status
from cohortkit.run.lock import hold
from cohortkit.run.place import Place

_WRITTEN = re.compile(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,6})")
_FAULT = "shard: a part of all parts, such as '2/8'; the first is 1"


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number`` of ``of``, counted from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: object) -> Shard:
        """From what the user says, for example ``2/8``.

        Raises:
            UsageError: it is no part of anything.
        """
        found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise UsageError(_FAULT)
        number, of = int(found[1]), int(found[2])
        if number > of:
            raise UsageError(_FAULT)
        return cls(number, of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def slug(self) -> str:
        """As a part of a file name."""
        return f"{self.number}-of-{self.of}"

    def of_all(self, names: Iterable[str]) -> frozenset[str]:
        """Its part: neighbours in the plan, often of one size, go to different jobs."""
        return frozenset(
            name for place, name in enumerate(names) if place % self.of == self.number - 1
        )


@dataclass(frozen=True, slots=True)
class Part:
    """What one run has done of an export that is not finished.

    Attributes:
        shard: which part was this run's, or "" for all of it.
        series: how many series it has.
        done: how many of these are written or refused by name.
        failed: how many could not be done this time.
        missing: how many series of the whole export are still to be done; None while others work.
        stopped: why the run stopped before all was done, or "".
    """

    shard: str
    series: int
    done: int
    failed: int
    missing: int | None
    stopped: str = ""

    @property
    def words(self) -> str:
        """What is so, and what to do next."""
        told = f"shard {self.shard}: " if self.shard else ""
        told += f"{self.done:,} of {self.series:,} series done"
        if self.failed:
            told += f", {self.failed:,} failed"
        if self.stopped:
            return f"{told}; stopped, for {self.stopped}; the same command goes on"
        if self.failed:
            told += "; the same command tries them again"
        if self.missing is None:
            return f"{told}; another shard is at work and will finish"
        return f"{told}; {self.missing:,} series of the whole are still to be done, by any shard"


def part_of(
    shard: Shard | None,
    mine: frozenset[str],
    records: Iterable[Record],
    missing: int | None,
    stopped: str,
) -> Part:
    """Count it."""
    there = bad = 0
    for record in records:
        if record.task in mine:
            there += 1
            bad += any(one.status is Status.FAILED for one in record.outcomes)
    lost = 0 if stopped else len(mine) - there
    name = "" if shard is None else str(shard)
    return Part(name, len(mine), there - bad, bad + lost, missing, stopped)


@contextmanager
def holding(place: Place, shard: Shard | None, said: str) -> Iterator[tuple[int, ...]]:
    """Hold an output: alone, or one part of it beside those who hold other parts.

    Yields:
        The file descriptors that workers are to keep open; the first is of the whole output.

    Raises:
        OutputError: another run holds it.
    """
    with hold(place.vault / "lock", said, shared=shard is not None) as whole:
        if shard is None:
            yield (whole,)
            return
        with hold(place.vault / f"shard-{shard.slug}.lock", said) as own:
            yield (whole, own)
