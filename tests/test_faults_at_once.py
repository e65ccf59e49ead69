"""Whoever made ten mistakes is told of ten, before anything is read or written."""

from __future__ import annotations

from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit import given
from cohortkit.cohort import Cohort
from cohortkit.cohort.terms import read_terms
from cohortkit.errors import (
    KeyFileError,
    OutputError,
    QueryError,
    RecipeError,
    UnknownKeyword,
    UsageError,
)
from factory import Patient, Series, write_series
from fake_index import SCHEMA, FakeIndex, row

RECIPE = """
format = 2
colour = "red"
basis = "safe-harbour"
profile = "basik"
options = ["retain-dates"]
unlisted = "keeep"
[labels]
finding = "txt"
[faces]
heads = "accept"
[text]
words = ["12345678"]
[[rules]]
keyword = "PatientNmae"
action = "keep"
[[rules]]
keyword = "PatientAge"
action = "shift"
[[rules]]
keyword = "PatientSex"
"""
JOB = """
archive = "nowhere"
index = "store"
recpe = "x"
recipe = "faulty.toml"
key = "no.key"
people = "nobody.csv"
out = ""
to = ["nifty", "png:9,bits=7", "tables", "tables"]
[search]
Modalty = "CT"
Rows = "many"
StudyDate = "2020-13-45"
[only]
patients = "none.csv"
[exclude]
[options.dicom]
x = 1
[run]
workers = -1
engine = "slurm"
limit = 0
task_minutes = -3
[pace]
hours = "25-99"
per_minute = -1
"""


def test_ten_faults_of_a_recipe(tmp_path: Path) -> None:
    """Each by its place, the form and the meaning together."""
    path = tmp_path / "faulty.toml"
    path.write_text(RECIPE)
    with pytest.raises(RecipeError) as caught:
        ck.load_recipe(path)

    told = {fault.split(":")[0] for fault in caught.value.faults}
    assert told >= {
        "format", "colour", "basis", "profile", "options[0]", "unlisted", "labels.finding",
        "faces.reason", "text.words[0]", "rules[0].keyword", "rules[1].action", "rules[2].action",
    }  # fmt: skip


def test_ten_faults_of_a_job_file(tmp_path: Path) -> None:
    """Those of its recipe too; no fault hides another of the same place."""
    (tmp_path / "faulty.toml").write_text(RECIPE)
    path = tmp_path / "job.toml"
    path.write_text(JOB)
    with pytest.raises(UsageError) as caught:
        ck.run_job(path)

    said = str(caught.value)
    assert [] == [
        place
        for place in (
            "recpe: unknown word", "recipe: colour", "recipe: rules[2].action", "key: ",
            "people: ", "out: ", "to: no output 'nifty'", "to: png has no option '9'",
            "Png(bits=…) takes 8 or 16", "to: tables is there twice", "options.dicom: ",
            "search.Modalty: ", "search.Rows: ", "search.StudyDate: ", "only.patients: ",
            "exclude: ", "run.workers: a whole number", "run.engine: 'local'", "run.limit: ",
            "run.task_minutes: ", "pace.hours: ", "pace.per_minute: ", "archive: ",
        )
        if place not in said
    ]  # fmt: skip


def test_all_words_of_a_search() -> None:
    """Unknown ones and values that a column cannot have, in the library and in the shell."""
    index = FakeIndex.of(row(1))
    with pytest.raises(UnknownKeyword) as caught:
        Cohort.start(index, Modalty="CT", Rowz=3, Rows="many", StudyDate="2020-13-45")
    said = str(caught.value)
    assert [] == [word for word in ("'Modalty'", "'Rowz'", "Rows takes", "StudyDate takes")
                  if word not in said]  # fmt: skip
    assert "Modalty" == caught.value.word

    with pytest.raises(QueryError) as both:
        Cohort.start(index, Rows="many", StudyDate="2020-13-45")
    assert "Rows takes a number, not this text; StudyDate takes" in str(both.value)
    with pytest.raises(UsageError) as shell:
        read_terms(["Modalty=CT", "Rows=many", "StudyDate", "SliceThickness=x"], SCHEMA)
    said = str(shell.value)
    assert [] == [
        word for word in ("'Modalty'", "Rows takes", "term 3 is", "SliceThickness takes")
        if word not in said
    ]  # fmt: skip


def test_all_arguments_of_a_plan_and_an_export(tmp_path: Path) -> None:
    """The kind of the error is that of the fault where there is one kind of fault."""
    write_series(tmp_path / "archive", Patient(), Series(slices=1))
    cohort = ck.scan(tmp_path / "archive", tmp_path / "store", progress=False).search()
    recipe = ck.load_recipe("basic")
    with pytest.raises(UsageError) as caught:
        ck.plan(cohort, "basic", to=["nifty", "png:9"], limit=-1, fewest=0)  # type: ignore[arg-type]  # the fault
    said = str(caught.value)
    assert [] == [
        word for word in ("recipe: ", "'nifty'", "png has no option", "limit: ", "fewest: ")
        if word not in said
    ]  # fmt: skip

    plan = ck.plan(cohort, recipe, to=(name for name in ["tables"]))
    assert ["tables"] == [one.name for one in plan.outputs]
    with pytest.raises(UsageError) as many:
        ck.export(
            plan, "", "key",  # type: ignore[arg-type]  # the fault
            limit=0, workers=-1, engine="slurm",
            errors="rais", retry="all", gone="no", changed="yes",  # type: ignore[arg-type]  # the fault
            task_minutes=-1, task_gigabytes=0, pace=3,  # type: ignore[arg-type]  # the fault
        )  # fmt: skip
    said = str(many.value)
    assert [] == [
        word for word in (
            "output: ", "limit: ", "engine: ", "workers: ", "task_minutes: ", "task_gigabytes: ",
            "errors: ", "retry: ", "gone: ", "changed: ", "pass a Key", "pace: ",
        ) if word not in said
    ]  # fmt: skip
    for one, kind in (({"out": ""}, OutputError), ({"key": "k"}, KeyFileError)):
        with pytest.raises(kind):
            ck.export(plan, **{"out": tmp_path / "o", "key": ck.Key("p", bytes(32), None), **one})  # type: ignore[arg-type]  # the fault
    assert not (tmp_path / "o").exists()


def test_all_options_of_an_output() -> None:
    """A depth, a window and a policy that are none."""
    with pytest.raises(UsageError, match=r"bits.*window.*sheet"):
        ck.Png(bits=7, window="x", sheet=3)  # type: ignore[arg-type]  # the fault
    with pytest.raises(UsageError, match=r"level.*tilt.*unplaced.*orientation.*resolution.*suv"):
        ck.Nifti(level=99, tilt="x", unplaced="y", orientation="Q", resolution=-1, suv="z")
    with pytest.raises(UsageError, match=r"hours.*reserve_gigabytes.*per_minute"):
        ck.Pace(hours="x", reserve_gigabytes=-3, per_minute=-1)


def test_one_fault_is_raised_as_it_is() -> None:
    """Several as one, and of a kind that a caller may catch."""

    def wrong(error: UsageError) -> None:
        raise error

    unknown = UnknownKeyword("Rowz", ["Rows"])
    with pytest.raises(UnknownKeyword) as caught:
        given.together(lambda: 1, lambda: wrong(unknown))
    assert unknown is caught.value
    for pair, kind in (
        ((QueryError("a"), QueryError("b")), QueryError),
        ((QueryError("a"), KeyFileError("b")), UsageError),
        ((unknown, unknown), QueryError),  # its words are of one keyword: several are of its kind
        ((unknown, QueryError("b")), QueryError),
    ):
        with pytest.raises(UsageError) as both:
            given.together(*(lambda one=one: wrong(one) for one in pair))  # type: ignore[misc]  # a default binds it
        assert kind is type(both.value)
        assert "; ".join(map(str, pair)) == str(both.value)
