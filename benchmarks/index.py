"""How fast an index of a million real series answers, beside bare polars, DuckDB and idc-index.

    python benchmarks/index.py TABLE [--peers PYTHON] [--rounds N]

TABLE is the ``idc_index.parquet`` of the package idc-index-data; PYTHON one that has duckdb and
idc-index. Each side runs in a process of its own, so that its peak memory is its own. A question
is asked N times; told are the first answer, the median of the others, in wall and in CPU time
(which other work on the machine changes little), and whether all count the same.

cohortkit counts patients, studies and series for every condition, kept, left out and unknown;
the others count series, and nothing else.
Goals: each question at most 100 ms, opening 0.5 s, 250 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

Answers = dict[str, Callable[[], int]]
DAYS = ("2000-01-01", "2010-12-31")
WORDS = "(?i)lung|thorax"
PATIENT = "LIDC-IDRI-0001"
SQL = {
    "filter": f"Modality='CT' AND BodyPartExamined='CHEST' AND instanceCount>=100 "
    f"AND StudyDate BETWEEN '{DAYS[0]}' AND '{DAYS[1]}'",
    "regex": "regexp_matches(SeriesDescription, '(?i)lung|thorax')",
    "one patient": f"PatientID='{PATIENT}'",
}
FIRST = """
    SELECT count(*) FROM {t} JOIN (
        SELECT PatientID,
            min_by(StudyInstanceUID, (StudyDate, StudyInstanceUID)) AS StudyInstanceUID
        FROM {t} WHERE Modality='CT' AND StudyDate IS NOT NULL GROUP BY PatientID
    ) USING (PatientID, StudyInstanceUID) WHERE Modality='CT'
"""


def cohortkit(table: str) -> Answers:
    """By ``search``, ``filter`` and ``first_per``."""
    import re  # noqa: PLC0415 - each side imports what it needs

    import polars as pl  # noqa: PLC0415 - as above

    import cohortkit as ck  # noqa: PLC0415 - as above

    index = ck.open_index(table)
    terms = {"Modality": "CT", "BodyPartExamined": "CHEST", "StudyDate": DAYS}
    slices = pl.col("instanceCount") >= 100
    return {
        "filter": lambda: len(index.search(**terms).filter(slices, reason="few slices")),
        "regex": lambda: len(index.search(SeriesDescription=re.compile(WORDS))),
        "first per patient": lambda: len(
            index.search(Modality="CT").first_per("patient", by="StudyDate")
        ),
        "one patient": lambda: len(index.search(PatientID=PATIENT)),
    }


def polars(table: str) -> Answers:
    """Bare polars on the same file."""
    import polars as pl  # noqa: PLC0415 - as above

    rows = pl.scan_parquet(table)
    ct = pl.col("Modality") == "CT"
    chest = pl.col("BodyPartExamined") == "CHEST"
    few = pl.col("instanceCount") >= 100
    days = pl.col("StudyDate").is_between(pl.lit(DAYS[0]), pl.lit(DAYS[1]))

    def count(kept: pl.LazyFrame) -> int:
        return int(kept.select(pl.len()).collect().item())

    def first() -> int:
        cts = rows.filter(ct, pl.col("StudyDate").is_not_null())
        cts = cts.select("PatientID", "StudyInstanceUID", "StudyDate")
        study = ["PatientID", "StudyInstanceUID"]
        chosen = cts.sort("StudyDate", "StudyInstanceUID").unique("PatientID", keep="first")
        return count(cts.join(chosen, on=study, how="semi"))

    return {
        "filter": lambda: count(rows.filter(ct, chest, few, days)),
        "regex": lambda: count(rows.filter(pl.col("SeriesDescription").str.contains(WORDS))),
        "first per patient": first,
        "one patient": lambda: count(rows.filter(pl.col("PatientID") == PATIENT)),
    }


def duckdb(table: str) -> Answers:
    """DuckDB on the same file."""
    import duckdb  # noqa: PLC0415 - as above

    source = f"read_parquet('{table}')"

    def ask(sql: str) -> Callable[[], int]:
        return lambda: int(duckdb.sql(sql).fetchone()[0])

    asked = {name: ask(f"SELECT count(*) FROM {source} WHERE {sql}") for name, sql in SQL.items()}
    return {**asked, "first per patient": ask(FIRST.format(t=source))}


def idc_index(_: str) -> Answers:
    """idc-index's own SQL, on its own copy of the table."""
    from idc_index import IDCClient  # noqa: PLC0415 - as above

    client = IDCClient()

    def ask(sql: str) -> Callable[[], int]:
        return lambda: int(client.sql_query(sql).iloc[0, 0])

    asked = {name: ask(f"SELECT count(*) FROM index WHERE {sql}") for name, sql in SQL.items()}
    return {**asked, "first per patient": ask(FIRST.format(t="index"))}


SIDES = {"cohortkit": cohortkit, "polars": polars, "duckdb": duckdb, "idc-index": idc_index}


def measured(side: str, table: str, rounds: int) -> dict[str, object]:
    """Everything about one side; runs in a process of its own."""
    begin = time.perf_counter(), time.process_time()
    answers = SIDES[side](table)
    told: dict[str, object] = {"open": _since(begin)}
    for name, ask in answers.items():
        runs = []
        for _ in range(rounds + 1):
            begin = time.perf_counter(), time.process_time()
            count = ask()
            runs.append(_since(begin))
        rest = [median(run[clock] for run in runs[1:]) for clock in (0, 1)]
        told[name] = [count, *runs[0], *rest]
    told["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return told


def _since(begin: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def main() -> None:
    """Measure each side and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        print(json.dumps(measured(chosen.side, chosen.table, chosen.rounds)))
        return
    for side in SIDES:
        python = sys.executable if side in {"cohortkit", "polars"} else chosen.peers
        if not python:
            continue
        command = [python, __file__, chosen.table, "--rounds", str(chosen.rounds), "--side", side]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told = json.loads(done.stdout.splitlines()[-1])
        wall, cpu = told.pop("open")
        print(f"{side}: open {wall * 1000:.0f} ms ({cpu * 1000:.0f} CPU), {told.pop('memory')} MB")
        for name, (count, *times) in told.items():
            first, first_cpu, then, then_cpu = (round(1000 * value) for value in times)
            print(
                f"  {name:18} {count:8,} series  first {first:6} ms ({first_cpu} CPU)"
                f"  then {then:6} ms ({then_cpu} CPU)"
            )


if __name__ == "__main__":
    main()
