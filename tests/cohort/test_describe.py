"""What there is at a glance: counts that add up, on every index, and nobody in it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given

import cohortkit as ck
from cohortkit import cli
from cohortkit.cohort.describe import Description, describe
from factory import MR, Patient, Series, write_series
from fake_index import FakeIndex, Row, archives, row
from kept import study, who

FIGURES = ("patients", "studies", "series", "instances")


def summed(description: Description) -> int:
    return description.counts["series"].sum()


@given(archives())
def test_counts_are_what_plain_python_makes_of_them(index: FakeIndex) -> None:
    """By modality, department and year; a column is filled where it holds more than blanks."""
    lines = index.rows.to_dicts()
    groups: dict[tuple[str | None, int | None], list[Row]] = defaultdict(list)
    for line in lines:
        day = line["StudyDate"]
        groups[line["Modality"] or None, day.year if day else None].append(line)
    found = describe(index.series())

    assert {
        key: (
            len({who(n) for n in mine}),
            len({study(n) for n in mine}),
            len(mine),
            sum(n["NumberOfSeriesRelatedInstances"] for n in mine),
        )
        for key, mine in groups.items()
    } == {
        (line["modality"], line["year"]): tuple(line[name] for name in FIGURES)
        for line in found.counts.to_dicts()
    }
    filled = dict(found.columns.select("column", "filled").iter_rows())
    for name in ("PatientID", "BodyPartExamined", "Modality"):
        assert sum(bool((n[name] or "").strip()) for n in lines) == filled[name]
    assert (
        sum(any(v is not None for v in n["ImageType"] or []) for n in lines) == filled["ImageType"]
    )
    thick = [n["SliceThickness"] for n in lines]
    assert sum(v is not None and v == v for v in thick) == filled["SliceThickness"]  # noqa: PLR0124 - NaN
    assert len(lines) == found.total.series == summed(found) == found.modalities["series"].sum()


PLANTED = ("Achterberg", "MRN-4711", "ward 7", "Castellano")


def planted() -> FakeIndex:
    """Names and numbers wherever people type."""
    day = dt.date(2022, 3, 17)
    return FakeIndex.of(
        row(1, PLANTED[1], "1.1", Modality=PLANTED[0], PatientName=PLANTED[0], StudyDate=day),
        row(2, PLANTED[1], "1.1", Modality="CT", SeriesDescription=PLANTED[3], StudyDate=day),
        row(3, "b", "1.2", Modality="<i>", BodyPartExamined=PLANTED[2]),
    )


def test_nobody_is_in_it() -> None:
    """Not in words, not in HTML, not in its tables; the year of a day is all that it tells."""
    found = describe(planted().series())
    frames = (found.modalities, found.counts, found.columns)
    told = "\n".join([repr(found), found._repr_html_(), json.dumps(found.summary())])
    told += "\n".join(frame.write_csv() for frame in frames)

    for word in (*PLANTED, "<i>", "2022-03-17", "0317"):
        assert word not in told
    assert {"CT": 1, "other": 2} == dict(found.modalities.select("modality", "series").iter_rows())
    assert "2022" in repr(found)


def test_the_pictures_are_svg_and_ask_nothing_of_the_network() -> None:
    """Well-formed, no script and no link; a bar for each year from the first to the last."""
    index = FakeIndex.of(
        *(
            row(n, f"p{n}", f"1.{n}", Modality="CT", StudyDate=dt.date(2010 + 3 * n, 1, 1))
            for n in range(3)
        )
    )
    html = describe(index.series())._repr_html_()
    pictures = [ET.fromstring(one) for one in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]

    assert 2 == len(pictures)
    years = [text.text for text in pictures[0].iter() if text.tag.endswith("text")]
    assert [str(year) for year in range(2010, 2017)] == [y for y in years if y and len(y) == 4]
    assert 3 == sum(one.tag.endswith("rect") for one in pictures[0].iter())
    assert not re.search(r"<script|href|src=|url\(", html)


def test_nothing_is_described_as_nothing() -> None:
    """An empty index, and one without days, departments or counts of instances."""
    empty = describe(FakeIndex(planted().rows.clear()).series())
    bare = planted().rows.select("series_key", "PatientID", "StudyInstanceUID", "Rows")
    plain = describe(FakeIndex(bare).series())

    assert "0 patients, 0 studies, 0 series" in repr(empty)
    assert "none" in empty._repr_html_()
    assert [(None, None, None, 2, 2, 3, None)] == plain.counts.rows()
    assert "?" in repr(plain)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of two years, CT and MR."""
    folder = tmp_path_factory.mktemp("described")
    for number in range(2):
        patient = Patient(patient_id=f"MRN-0047{number}113", study_date=f"202{number}0317")
        write_series(folder / "archive" / str(number), patient, Series(slices=2, seed=number))
    mr = Series(sop_class=MR, modality="MR", slices=3)
    write_series(folder / "archive/2", Patient(patient_id="MRN-00999113"), mr)
    ck.scan(folder / "archive", folder / "index", progress=False, workers=1)
    return folder


def test_every_index_and_a_cohort_describe_themselves(scanned: Path) -> None:
    """A store, one in memory, a table and a database say the same; a cohort says its part."""
    store = ck.open_index(scanned / "index")
    store.series().collect().select(pl.exclude(pl.List)).write_parquet(scanned / "t.parquet")
    memory = ck.scan(scanned / "archive", progress=False, workers=1)
    others = [memory, ck.open_index(scanned / "t.parquet")]
    others.append(store.copy_to(f"sqlite:///{scanned / 'it.db'}"))
    mine = store.describe()

    assert [("CT", 2020, 1, 2), ("CT", 2021, 1, 2), ("MR", 2021, 1, 3)] == mine.counts.select(
        "modality", "year", "series", "instances"
    ).rows()
    for other in others:
        assert mine.counts.equals(other.describe().counts)
        assert mine.total == other.describe().total
    assert ["MR"] == store.search(Modality="MR").describe().modalities["modality"].to_list()


def test_the_shell_describes_an_index(
    scanned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, as JSON and as a page; no index is wrong use."""
    page = tmp_path / "page.html"
    assert 0 == cli.main(["describe", str(scanned / "index"), "--html", str(page)])
    assert "3 patients, 3 studies, 3 series, 7 instances" in capsys.readouterr().out
    assert "<svg" in page.read_text("utf-8")
    assert 0 == cli.main(["describe", str(scanned / "index"), "--json"])
    assert 7 == json.loads(capsys.readouterr().out)["total"]["instances"]
    assert 2 == cli.main(["describe", str(tmp_path / "none")])
    assert 2 == cli.main(["describe", str(scanned / "index"), "--html", str(tmp_path)])
