"""The wrong kind of thing, given to any argument of any public name: told in plain words."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import cohortkit as ck
from cohortkit.errors import UsageError
from factory import Patient, Series, write_series

FLAGS = {"progress", "terms"}
"""True or not: anything has a truth; and what is named by whoever calls."""

SECRET = "QUISLING"


class Wrong:
    """Nothing that any argument takes; its repr must not be quoted."""

    def __repr__(self) -> str:
        return SECRET


WRONG: dict[str, object] = {
    "object": Wrong(),
    "bytes": b"QUISLING",
    "fraction": -2.5,
    "list": [Wrong()],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    base: Path = tmp_path_factory.mktemp("kinds")
    write_series(base / "archive", Patient(), Series(slices=1))
    index = ck.scan(base / "archive", base / "index", progress=False, workers=1)
    cohort = index.search()
    cohort.save(base / "cohort")
    plan = ck.plan(cohort, ck.load_recipe("basic"), to="tables")
    key = ck.Key.new(base / "key", "project")
    export = ck.export(plan, base / "out", key, workers=1, progress=False)
    return {"base": base, "index": index, "cohort": cohort, "plan": plan, "key": key} | {
        "export": export
    }


def verbs(made: dict[str, Any]) -> dict[str, tuple[Callable[..., object], dict[str, Any]]]:
    """Every verb, and arguments of which one at a time is replaced."""
    base, index, cohort, plan, key = (
        made[name] for name in ("base", "index", "cohort", "plan", "key")
    )
    crosswalk = {"out": base / "out", "to": base / "who.csv", "key": key, "index": base / "index"}
    crosswalk |= {"reason": "a recall"}
    table = pl.DataFrame({"PatientID": ["1"], "grade": [1]})
    visits = pl.DataFrame({"PatientID": ["1"], "day": [dt.date(2020, 1, 1)]})
    return {
        "scan": (ck.scan, {"archive": base / "archive"}),
        "open_index": (ck.open_index, {"where": base / "index"}),
        "sql_table": (ck.sql_table, {"url": "sqlite:///x.db", "statement": "SELECT 1"}),
        "load_cohort": (ck.load_cohort, {"path": base / "cohort"}),
        "load_recipe": (ck.load_recipe, {"source": "basic"}),
        "plan": (ck.plan, {"cohort": cohort, "recipe": plan.recipe, "to": "tables"}),
        "export": (ck.export, {"plan": plan, "out": base / "out", "key": key, "progress": False}),
        "open_export": (ck.open_export, {"out": base / "out"}),
        "verify": (ck.verify, {"out": base / "out", "key": key}),
        "status": (ck.status, {"out": base / "out"}),
        "run_job": (ck.run_job, {"job": base / "job.toml"}),
        "Key.new": (ck.Key.new, {"path": base / "other", "project": "p"}),
        "Key.from_file": (ck.Key.from_file, {"path": base / "key"}),
        "IdTable.from_file": (ck.IdTable.from_file, {"path": base / "ids"}),
        "Cohort.start": (ck.Cohort.start, {"index": index}),
        "search": (cohort.search, {"Modality": "CT", "StudyDate": "2020-01-01"}),
        "filter": (cohort.filter, {"expr": pl.col("Rows") > 0}),
        "first_per": (cohort.first_per, {"of": "patient", "by": "StudyDate"}),
        "nearest": (
            cohort.nearest,
            {"table": visits, "on": "PatientID", "date": "day", "days": (0, 9)},
        ),
        "best_per": (cohort.best_per, {"of": "study", "prefer": [{"Modality": "CT"}]}),
        "pairs": (cohort.pairs, {"days": (0, 9)}),
        "match": (cohort.match, {"case": pl.col("Rows") > 0, "same": "Modality"}),
        "sample": (cohort.sample, {"n": 1, "seed": 1}),
        "only": (cohort.only, {"patients": ["1"]}),
        "exclude": (cohort.exclude, {"patients": ["1"]}),
        "join": (cohort.join, {"table": table, "on": "PatientID"}),
        "save": (cohort.save, {"path": base / "saved"}),
        "to_polars": (cohort.to_polars, {"identified": False}),
        "to_pandas": (cohort.to_pandas, {"identified": False}),
        "plan.unsure": (plan.unsure, {"identified": False}),
        "IdTable.new": (ck.IdTable.new, {"path": base / "table", "key": key}),
        "Tables": (ck.Tables, {"csv": False}),
        "Nifti": (ck.Nifti, {}),
        "Png": (ck.Png, {}),
        "Pace": (ck.Pace, {}),
        "inventory": (ck.inventory, {"out": base / "out"}),
        "show": (ck.show, {"payload": None}),
        "crosswalk": (ck.crosswalk, crosswalk),
        "plan.limit": (plan.limit, {"count": 1}),
        "export.table": (made["export"].table, {"name": "files"}),
        "index.instances": (index.instances, {"series_keys": pl.Series(["x"])}),
    }


LATER = {"demo_index"}
"""It takes nothing but a flag."""


def test_every_public_verb_is_in_the_table(made: dict[str, Any]) -> None:
    """A new one is added here."""
    public = {name for name in ck.__all__ if inspect.isfunction(getattr(ck, name))}

    assert set() == public - set(verbs(made)) - LATER


@pytest.mark.parametrize("kind", WRONG)
def test_the_wrong_kind_is_told_in_plain_words(made: dict[str, Any], kind: str) -> None:
    """For every argument: an error of cohortkit's own, which names it and quotes nothing."""
    faults = []
    for name, (verb, good) in verbs(made).items():
        words = set(inspect.signature(verb).parameters) | set(good)
        for word in sorted(words - FLAGS):
            told = _told(verb, good, word, WRONG[kind])
            if told is not None:
                faults.append((name, word, told))

    assert "" == "\n".join(map(str, faults))


def _told(
    verb: Callable[..., object], good: dict[str, Any], word: str, value: object
) -> str | None:
    """What is wrong with how a wrong value is told; None if nothing is."""
    try:
        _call(verb, {**good, word: value})
    except UsageError as error:
        said = str(error)
        return "quoted" if SECRET in said or "object at 0x" in said else None
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return type(error).__name__
    return "taken"


def _call(verb: Callable[..., object], given: dict[str, Any]) -> None:
    """Call it, with what only goes by position in its place."""
    parameters = inspect.signature(verb).parameters.values()
    by_place = [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]
    rest = {name: value for name, value in given.items() if name not in by_place}
    verb(*(given[name] for name in by_place), **rest)


@pytest.mark.parametrize("name", ["archive", "where"])
@pytest.mark.parametrize("place", ["", " ", "a\0b", None])
def test_a_place_that_is_none(name: str, place: object) -> None:
    """An empty path is not this folder, and no path is said to be none."""
    verb = {"archive": ck.scan, "where": ck.open_index}[name]
    with pytest.raises(UsageError, match="path"):
        verb(place)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("workers", ["2", 0, -1, 1.5, True])
def test_workers_are_a_whole_number(tmp_path: Path, workers: object) -> None:
    """Text that looks like one is told to be text."""
    with pytest.raises(UsageError, match="workers: a whole number from 1"):
        ck.scan(tmp_path, workers=workers)  # type: ignore[arg-type]  # that is the test
