"""Steps as text, the same in Python, and an archive that they make something of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from cohortkit.cohort import Cohort
from cohortkit.index import scan
from factory import Patient, Series, write_series

STEP = Callable[[Cohort, Path], Cohort]
SAME: list[tuple[str, STEP]] = [
    ("search Modality=CT Rows=1..4096", lambda c, _: c.search(Modality="CT", Rows=(1, 4096))),
    (
        "text 'no such words' ct* where=StudyDescription,SeriesDescription reason='not these'",
        lambda c, _: c.text(
            "no such words",
            "ct*",
            where=["StudyDescription", "SeriesDescription"],
            reason="not these",
        ),
    ),
    ("first_per patient by=StudyDate", lambda c, _: c.first_per("patient", by="StudyDate")),
    (
        "first_per patient by=StudyDate,StudyInstanceUID level=series nth=2 descending=true",
        lambda c, _: c.first_per(
            "patient", by=["StudyDate", "StudyInstanceUID"], level="series", nth=2, descending=True
        ),
    ),
    (
        "best_per patient prefer='Modality=CT Modality=MR' prefer=-NumberOfSeriesRelatedInstances",
        lambda c, _: c.best_per(
            "patient", prefer=[{"Modality": ["CT", "MR"]}, "-NumberOfSeriesRelatedInstances"]
        ),
    ),
    (
        "nearest grades.csv on=PatientID date=day days=-3.. level=series",
        lambda c, f: c.nearest(
            f / "grades.csv", on="PatientID", date="day", days=(-3, None), level="series"
        ),
    ),
    (
        "pairs days=0..4000 same=Modality most=1",
        lambda c, _: c.pairs(days=(0, 4000), same="Modality", most=1),
    ),
    (
        "match case=PatientSex=F same=Modality within=Rows:2 seed=7",
        lambda c, _: c.match(
            pl.col("PatientSex") == "F", same="Modality", within={"Rows": 2}, seed=7
        ),
    ),
    ("split train=0.7 test=0.3", lambda c, _: c.split(train=0.7, test=0.3)),
    ("sample 2 seed=3 level=study", lambda c, _: c.sample(2, seed=3, level="study")),
    (
        "join grades.csv on=PatientID unmatched='leave out'",
        lambda c, f: c.join(f / "grades.csv", on="PatientID", unmatched="leave out"),
    ),
    (
        "only patients=out.txt reason='asked for'",
        lambda c, f: c.only(patients=f / "out.txt", reason="asked for"),
    ),
    ("exclude patients=out.txt", lambda c, f: c.exclude(patients=f / "out.txt")),
]


def make(root: Path) -> Path:
    """Four patients with two studies each, and tables of them."""
    for number in range(4):
        for study in (1, 2):
            patient = Patient(patient_id=f"P{number}", sex="MF"[number % 2])
            series = Series(slices=1, study=study, number=study)
            write_series(root / "archive" / f"{number}-{study}", patient, series)
    ids = [f"P{number}" for number in range(4)]
    index = scan(root / "archive", workers=1, progress=False)
    day = index.series().select(pl.col("StudyDate").min()).collect().item()
    table = pl.DataFrame({"PatientID": ids, "grade": [3, 3, 1, 1], "day": [day] * 4})
    table.write_csv(root / "grades.csv")
    (root / "out.txt").write_text("P3\n")
    return root
