"""Work that is none, for ``overhead.py``; a module, so that a worker can import it."""

from __future__ import annotations

from dataclasses import dataclass

from cohortkit.model import Record, Task


@dataclass(frozen=True)
class Idle:
    """Answers with an empty record, and writes none."""

    def __call__(self, task: Task) -> Record:
        """Nothing is done."""
        return Record(f"t{task.number}", "plan", None, 0, ())
