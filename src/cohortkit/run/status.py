"""How far an export is, read from its vault while others work on it. Nothing is touched."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from cohortkit import given
from cohortkit.errors import OutputError
from cohortkit.model import Record
from cohortkit.run.about import About
from cohortkit.run.ledger import events
from cohortkit.run.lock import owner
from cohortkit.run.place import Place, cause
from cohortkit.run.recall import about_of
from cohortkit.run.shelf import Shelf
from cohortkit.run.worker import transient


@dataclass(frozen=True, repr=False)
class Progress:
    """How far an export is. It holds counts and places and names nobody.

    Attributes:
        out: the output folder.
        planned: how many series the export is to have (of a trial: how many the trial).
        done: how many are written or refused by name.
        failed: how many failed for the moment; the same command tries them again.
        finished: whether tables, manifest and report are there.
        outcomes: series by output, status and reason (None for what is written).
        at_work: who works there, as far as can be seen: process and host.
        last: when something was last done, UTC; None if nothing was.
        per_minute: series a minute since the present runs began; 0 while nobody is at work.
    """

    out: Path
    planned: int
    done: int
    failed: int
    finished: bool
    outcomes: tuple[tuple[str, str, str | None, int], ...]
    at_work: tuple[str, ...]
    last: datetime | None
    per_minute: float

    @property
    def left(self) -> int:
        """How many series are still to be done."""
        return max(0, self.planned - self.done - self.failed)

    def summary(self) -> dict[str, Any]:
        """One line's worth for a log or a scheduler."""
        columns = ("output", "status", "reason", "series")
        rows = [dict(zip(columns, row, strict=True)) for row in self.outcomes]
        last = None if self.last is None else self.last.isoformat(timespec="seconds")
        body = {**asdict(self), "out": str(self.out), "left": self.left, "last": last}
        return {**body, "outcomes": rows, "per_minute": round(self.per_minute, 2)}

    def _lines(self) -> Iterator[str]:
        share = 100 * (self.done + self.failed) / self.planned if self.planned else 100.0
        failed = f", {self.failed:,} failed" if self.failed else ""
        yield f"{self.done:,} of {self.planned:,} series done{failed} ({share:.0f} %)"
        for output, status, reason, count in self.outcomes:
            yield f"{output:<8} {count:,} series {status}" + (f": {reason}" if reason else "")
        yield from self._now()

    def _now(self) -> Iterator[str]:
        if self.at_work:
            yield f"at work: {', '.join(self.at_work)}"
            if self.per_minute:
                minutes = self.left / self.per_minute
                yield f"{self.per_minute:.1f} series a minute, about {_long(minutes)} to go"
        elif self.finished and not (self.failed or self.left):
            yield "finished; cohortkit verify checks it again"
        else:
            state = "finished, with failures" if self.finished and not self.left else "not finished"
            yield f"{state}, nobody seen at work here; the same export command goes on"

    def __repr__(self) -> str:
        return "\n".join([f"Export in {self.out}", *(f"  {line}" for line in self._lines())])

    def _repr_html_(self) -> str:
        return "<p>" + "<br>".join(escape(line) for line in self._lines()) + "</p>"


def status(out: str | Path) -> Progress:
    """Say how far an export is, finished or not, while it runs or after it was stopped.

    Args:
        out: the folder of the export.

    Raises:
        OutputError: no export is there, or it cannot be read.
    """
    place = Place(Path(os.path.realpath(given.path("output", out, OutputError))))
    about = about_of(place, str(out))
    try:
        records = Shelf.on(place).bare
        told = sorted(place.vault.glob("ledger*.jsonl"))
        lines = [list(events(path)) for path in told]
    except OSError as error:
        raise OutputError(f"output {out}: {cause(error)}") from None
    working = _at_work(place)
    failed = sum(transient(record.outcomes) for record in records)
    return Progress(
        out=Path(out),
        planned=_planned(about, len(records)),
        done=len(records) - failed,
        failed=failed,
        finished=(place.release / "export.json").is_file(),
        outcomes=_outcomes(records),
        at_work=working,
        last=max((at for run in lines for at, _ in run), default=None),
        per_minute=sum(map(_rate, lines)) if working else 0.0,
    )


def _planned(about: About, there: int) -> int:
    """A trial of few, in a place that holds more already, is of as many as it holds."""
    return about.series if about.first is None else min(max(about.first, there), about.series)


def _outcomes(records: Iterable[Record]) -> tuple[tuple[str, str, str | None, int], ...]:
    """Series by output, status and reason: the most first."""
    found = Counter(
        (one.output, str(one.status), None if one.reason is None else str(one.reason))
        for record in records
        for one in {(o.output, o.status, o.reason): o for o in record.outcomes}.values()
    )
    rows = [(*name, count) for name, count in found.items()]
    return tuple(sorted(rows, key=lambda row: (row[0], -row[3], row[1], row[2] or "")))


def _at_work(place: Place) -> tuple[str, ...]:
    """Who holds the output or a part of it; a lock's file is empty when it was let go."""
    found = []
    for path in [place.vault / "lock", *sorted(place.vault.glob("shard-*.lock"))]:
        held = owner(path)
        if held is not None:
            part = path.stem.removeprefix("shard-").replace("-of-", "/")
            name = "" if path.name == "lock" else f"shard {part}, "
            found.append(f"{name}process {held.pid} on {held.host}")
    shards = [line for line in found if line.startswith("shard")]
    return tuple(shards or found)


def _rate(run: list[tuple[datetime, str]]) -> float:
    """Series a minute of one ledger's last run, if it has not ended."""
    names = [event for _, event in run]
    if "begin" not in names or names[-1] == "end":
        return 0.0
    first = len(names) - 1 - names[::-1].index("begin")
    minutes = (datetime.now(UTC) - run[first][0]).total_seconds() / 60
    return names[first:].count("task") / minutes if minutes > 0 else 0.0


def _long(minutes: float) -> str:
    for size, name in ((1440, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes / size:.0f} {name}"
    return f"{max(1, minutes):.0f} minutes"
