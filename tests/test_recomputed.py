"""The stranger's proof of moved dates: it passes a true release, and no other."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from independent import collect, search
from promised import make_archive
from recomputed import DAYS, Moved, Secret, moved

RECIPE = """\
basis = "gdpr-pseudonymised"
options = ["retain-modified-dates"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Release, archive and key of an export that moves dates."""
    base = tmp_path_factory.mktemp("moved")
    archive = make_archive(base / "archive")
    (base / "moved.toml").write_text(RECIPE)
    key = ck.Key.new(base / "key", project="moved")
    cohort = ck.scan(archive, progress=False, workers=1).search()
    plan = ck.plan(cohort, ck.load_recipe(str(base / "moved.toml")), to="tables")
    ck.export(plan, base / "out", key=key, workers=1, progress=False)
    return base / "out/release", archive, base / "key"


@pytest.fixture
def proof(made: tuple[Path, Path, Path]) -> Moved:
    """What the dates must be."""
    _, archive, key = made
    return moved([archive], Secret.read(key), *DAYS)


def test_every_date_of_a_release_is_its_patient_s_moved_by_her_days(
    made: tuple[Path, Path, Path], proof: Moved
) -> None:
    """Reckoned again from key and archive, by the standard library alone."""
    release, archive, _ = made

    found = search(release, collect([archive]), moved=proof)

    assert set() == found.hits
    assert proof.cells >= 4


@pytest.mark.parametrize("leak", ["true", "a day off", "as another moves"])
def test_a_date_that_was_not_moved_so_is_a_hit(
    made: tuple[Path, Path, Path], proof: Moved, tmp_path: Path, leak: str
) -> None:
    """Sabotage: true dates, wrong days, days of somebody else."""
    release, archive, key = made
    table = pl.read_parquet(release / "tables/studies.parquet")
    secret = Secret.read(key)
    days = {secret.patient(who): secret.days(who, *DAYS) for who in people(archive)}
    other = dict(zip(days, reversed(days.values()), strict=True))
    add = {"true": {p: -d for p, d in days.items()}, "a day off": dict.fromkeys(days, 1)}
    more = add.get(leak, {p: other[p] - d for p, d in days.items()})
    broken = table.with_columns(
        pl.struct("patient", "StudyDate").map_elements(
            lambda row: row["StudyDate"] + dt.timedelta(days=more[row["patient"]]),
            return_dtype=pl.Date,
        ).alias("StudyDate")
    )  # fmt: skip
    broken.write_parquet(tmp_path / "studies.parquet")

    found = search(tmp_path, collect([archive]), moved=proof)

    assert {("studies.parquet", "column StudyDate", "date that was not moved")} == found.hits


def people(archive: Path) -> list[tuple[str, str]]:
    """(issuer, id) of everyone."""
    index = ck.scan(archive, progress=False, workers=1)
    rows = index.series().collect().select("IssuerOfPatientID", "PatientID").unique()
    return sorted(rows.iter_rows())
