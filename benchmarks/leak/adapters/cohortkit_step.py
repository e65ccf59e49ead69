"""cohortkit's way of one object in one process: fetch, de-identify, write. What is timed.

The public export does more: it starts workers, searches what it wrote, hashes and syncs it, and
keeps records. That is timed and told apart (``cohortkit_export``).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cohortkit_recipe as settings
import frame

import cohortkit as ck
from cohortkit.deidentify.engine import deidentify
from cohortkit.geometry.facts import read_facts
from cohortkit.model import Object, SourceSeries, Task
from cohortkit.payloads import objects
from cohortkit.run.tasks import build
from cohortkit.sources.files import Files

ROOM = Path(tempfile.mkdtemp())
OPTIONS = tuple(os.environ.get("STEP_OPTIONS", "").split())
RECIPE, KEY = settings.recipe(ROOM, OPTIONS), settings.key(ROOM)
TASKS: list[Task] = []


def before(source: Path) -> None:
    """Index the folder: that is done once for any number of exports."""
    index = ck.scan(source, progress=False, workers=1)
    TASKS.extend(build(index, index.search().identified(), "", []).tasks)


def many(sources: Sequence[Path], target: Path) -> dict[str, str]:
    """Every series of which a file is asked for, one series at a time."""
    asked = {one.resolve() for one in sources}
    for task in TASKS:
        files = tuple(one for one in task.files if Path(one.path).resolve() in asked)
        if files:
            _one(replace(task, files=files), target)
    return {}


def _one(task: Task, target: Path) -> None:
    instances = Files().fetch(task)
    facts = read_facts([one.header for one in instances])
    source = SourceSeries(task.person, instances, facts)
    series = deidentify(source, task, RECIPE, KEY.pseudonyms())
    for payload in objects.assemble(series):
        if isinstance(payload, Object):
            ck.Dicom().write(payload, series, target, series.names.series)


if __name__ == "__main__":
    frame.run(many, before)
