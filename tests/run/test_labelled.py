"""Columns that steps made, and tables that were joined: what leaves, and what is said before."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from batches import run
from cohortkit.deidentify.labels import released
from cohortkit.deidentify.people import People
from cohortkit.errors import RecipeError, UsageError
from cohortkit.model import Person, Task
from cohortkit.recipe.model import Basis, Label, LabelType, Option, Recipe
from cohortkit.run.labelled import small_cells
from factory import Patient, Series, write_series

KEEPING = 'basis = "expert-determination"\noptions = ["{option}"]\n[labels]\n{labels}\n'
MODIFIED, FULL = "retain-modified-dates", "retain-full-dates"
DAYS = ("20190301", "20200315", "20210401")


def recipe(folder: Path, option: str = MODIFIED, **labels: str) -> ck.Recipe:
    lines = "\n".join(f'{name} = "{kind}"' for name, kind in labels.items())
    path = folder / f"r{len(list(folder.glob('r*.toml')))}.toml"
    path.write_text(KEEPING.format(option=option, labels=lines))
    return ck.load_recipe(path)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> ck.Cohort:
    """Three patients with three studies each, a year apart."""
    folder = tmp_path_factory.mktemp("years")
    for number in range(3):
        for year, day in enumerate(DAYS):
            patient = replace(
                Patient(),
                patient_id=f"MRN-0052{number}17",
                study_date=day,
                accession=f"ACC-88{number}{year}023",
                sex="FFM"[number],
            )
            series = Series(slices=2, seed=number, study=10 * number + year)
            write_series(folder / f"{number}-{year}", patient, series)
    return ck.scan(folder, progress=False, workers=1)


PAIRED = {"pair_id": "id", "pair_role": "text", "pair_days": "interval"}


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("option", [MODIFIED, FULL])
def test_pairs_leave_under_ids_of_their_own_with_their_days(
    index: ck.Cohort, key: ck.Key, tmp_path: Path, option: str
) -> None:
    """Two studies a pair, the days that their released dates are apart, no UID of the source."""
    cohort = index.search().pairs(days=(300, 400))
    plan = ck.plan(cohort, recipe(tmp_path, option, **PAIRED), to="tables")
    export = run(plan, tmp_path / "out", key)
    labels = export.table("labels")
    dates = pl.read_parquet(export.release / "tables" / "studies.parquet")
    both = labels.join(dates.select("study", "StudyDate"), on="study")

    assert 3 == labels["pair_id"].n_unique()
    assert {"prior": 3, "follow-up": 3} == Counter(labels["pair_role"])
    for (_,), pair in both.sort("pair_role").group_by("pair_id"):
        later, prior = pair.sort("pair_role")["StudyDate"]
        assert [(later - prior).days] * 2 == pair["pair_days"].to_list()
        assert 1 == pair["patient"].n_unique()
    assert {True} == {len(name) == 16 and name.isalnum() for name in labels["pair_id"]}
    bytes_ = b"".join(p.read_bytes() for p in export.release.rglob("*") if p.is_file())
    for uid in cohort.identified()["StudyInstanceUID"]:
        assert uid.encode() not in bytes_
    assert ck.verify(tmp_path / "out", key=key).ok


@pytest.mark.usefixtures("inline")
def test_a_pair_keeps_its_id_when_the_cohort_grows(
    index: ck.Cohort, key: ck.Key, tmp_path: Path
) -> None:
    """It is made of what the pair is, under the key, and not of its place."""
    told = recipe(tmp_path, **PAIRED)
    ids = []
    for number, cohort in enumerate((index.search(PatientSex="M"), index.search())):
        plan = ck.plan(cohort.pairs(days=(300, 400)), told, to="tables")
        export = run(plan, tmp_path / f"out{number}", key)
        ids.append(set(export.table("labels")["pair_id"]))

    assert 1 == len(ids[0])
    assert ids[0] < ids[1]


@pytest.mark.usefixtures("inline")
def test_a_case_and_its_controls_share_an_id(index: ck.Cohort, key: ck.Key, tmp_path: Path) -> None:
    """Cases and controls of several patients, under one id that names none."""
    cohort = index.search().match(pl.col("PatientSex") == "M", same="Modality", controls=2)
    plan = ck.plan(cohort, recipe(tmp_path, match_id="id", match_role="text"), to="tables")
    labels = run(plan, tmp_path / "out", key).table("labels")

    assert 1 == labels["match_id"].n_unique()
    assert {"case": 1, "control": 2} == Counter(
        labels.select("patient", "match_role").unique()["match_role"]
    )


def test_a_seed_that_is_written_as_a_day_is_a_seed(index: ck.Cohort, tmp_path: Path) -> None:
    """As a sample's is; a name in the words of the step is refused all the same."""
    cohort = index.search().match(pl.col("PatientSex") == "M", same="Modality", seed=20200315)
    named = pl.DataFrame({"AccessionNumber": ["x"], "Quisling": [1]})
    told = index.search().join(named, on="AccessionNumber")
    told = told.match(pl.col("PatientSex") == "M", same="Quisling")

    assert "seed 20200315" in ck.plan(cohort, recipe(tmp_path), to="tables").about.asked[-1]
    with pytest.raises(UsageError, match="names a patient"):
        ck.plan(told, recipe(tmp_path), to="tables")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"pair_days": "number"}, 'labels.pair_days: has the type "interval"'),
        ({"pair_days": "text"}, 'labels.pair_days: has the type "interval"'),
        ({"pair_role": "interval"}, "labels.pair_role: is no interval"),
        ({"pair_id": "text"}, 'labels.pair_id: is made of identifiers and has the type "id"'),
    ],
    ids=str,
)
def test_a_column_that_is_called_something_else_is_refused(
    index: ck.Cohort, tmp_path: Path, labels: dict[str, str], words: str
) -> None:
    """When it is planned, by name, with the type that is due."""
    cohort = index.search().pairs(days=(300, 400))
    with pytest.raises(UsageError) as caught:
        ck.plan(cohort, recipe(tmp_path, **labels), to="tables")
    assert words == str(caught.value)


def test_days_between_dates_do_not_leave_where_dates_do_not(tmp_path: Path) -> None:
    """A recipe that removes dates and releases an interval is refused whole."""
    path = tmp_path / "r.toml"
    path.write_text('basis = "expert-determination"\n[labels]\npair_days = "interval"\n')
    with pytest.raises(RecipeError, match="days between them"):
        ck.load_recipe(path)


@given(
    st.one_of(
        st.timedeltas(dt.timedelta(-(10**4)), dt.timedelta(10**4)),
        st.integers(-(10**5), 10**5),
        st.floats(allow_nan=True),
        st.text(max_size=5),
        st.none(),
        st.booleans(),
    )
)
def test_an_interval_and_an_id_are_nothing_else(value: object) -> None:
    """Durations alone are intervals, and only beside dates; an id is a pseudonym or nothing."""

    def cell(kind: LabelType, *options: Option, token: bool = True) -> object:
        said = Recipe("r", Basis.EXPERT_DETERMINATION, options=frozenset(options))
        said = replace(said, labels=(Label("t", kind),))
        make = (lambda domain, text: f"<{domain}:{text}>") if token else None
        ((_, left),) = released((("t", value),), said, 9, over_89=False, token=make)
        return left

    apart = value.days if isinstance(value, dt.timedelta) else None
    assert None is cell(LabelType.INTERVAL)
    assert apart == cell(LabelType.INTERVAL, Option.RETAIN_MODIFIED_DATES)
    assert apart == cell(LabelType.INTERVAL, Option.RETAIN_FULL_DATES)
    plain = (
        isinstance(value, str | int) and not isinstance(value, bool) and bool(str(value).strip())
    )
    assert (f"<label/t:{value}>" if plain else None) == cell(LabelType.ID)
    assert None is cell(LabelType.ID, token=False)
    if isinstance(value, dt.timedelta):
        for kind in set(LabelType) - {LabelType.INTERVAL}:
            assert None is cell(kind, Option.RETAIN_FULL_DATES)


# small cells


def task(number: int, patient: int, **labels: object) -> Task:
    return Task(
        number, "k", Person("", f"P{patient}"), "1", "2", "", "CT", (), labels=tuple(labels.items())
    )


CELLS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", None]), st.sampled_from([1, 2])),
    max_size=20,
)


@given(CELLS, st.integers(1, 4))
def test_small_cells_are_what_a_count_of_patients_makes_of_them(
    cells: list[tuple[int, str | None, int]], fewest: int
) -> None:
    """Each column and both together; a patient counts once, ids and dates not at all."""
    types = {"grade": LabelType.TEXT, "side": LabelType.NUMBER, "who": LabelType.ID}
    said = Recipe("r", Basis.EXPERT_DETERMINATION)
    said = replace(said, labels=tuple(Label(name, kind) for name, kind in types.items()))
    tasks = [task(n, p, grade=g, side=s, who="x") for n, (p, g, s) in enumerate(cells)]
    having: dict[tuple[str, str], set[int]] = {}
    for patient, grade, side in cells:
        told = [("side", str(side)), ("grade + side", f"{grade or ''} + {side}")]
        for one in [*told, *([("grade", grade)] if grade else [])]:
            having.setdefault(one, set()).add(patient)
    expected = sorted((*one, len(who)) for one, who in having.items() if len(who) < fewest)
    found = small_cells(said, tasks, People(), fewest)

    assert expected == sorted((one.column, one.value, one.patients) for one in found)


@pytest.mark.usefixtures("inline")
def test_small_cells_are_said_before_they_leave(
    index: ck.Cohort, key: ck.Key, tmp_path: Path
) -> None:
    """In the plan, by its table with the values where that is asked, in the report and manifest."""
    table = pl.DataFrame(
        {"PatientID": [f"MRN-0052{n}17" for n in range(3)], "grade": ["i", "i", "ii"]}
    )
    told = recipe(tmp_path, grade="text")
    cohort = index.search().join(table, on="PatientID")
    plan = ck.plan(cohort, told, to="tables", fewest=2)

    assert "grade: 1 value of fewer than 2 patients, the least of 1 patient" in repr(plan)
    assert [("grade", 1, 1)] == plan.small_cells().rows()
    assert [("grade", "ii", 1)] == plan.small_cells(identified=True).rows()
    assert 2 == ck.plan(cohort, told, to="tables").small_cells()["values"][0]
    assert 0 == ck.plan(cohort, told, to="tables", fewest=1).small_cells().height
    out = tmp_path / "out"
    run(plan, out, key)
    assert "grade: 1 value of fewer than 2" in (out / "release/report.html").read_text("utf-8")
    (line,) = json.loads((out / "release/export.json").read_text())["small_cells"]
    assert "grade: 1 value of fewer than 2" in line
    assert ck.verify(out, key=key).ok
