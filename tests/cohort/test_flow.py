"""The flow is a table that draws itself, and names nobody."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort, Flow
from cohortkit.cohort.flow import SCHEMA
from cohortkit.errors import QueryError
from fake_index import FakeIndex, archives, row, troubled

NS = "{http://www.w3.org/2000/svg}"


def chosen() -> Cohort:
    return (
        Cohort.start(troubled(), Modality="CT", StudyDate=("2022-01-01", "2024-12-31"))
        .filter(pl.col("Rows") > 4, reason="too few rows")
        .first_per("patient", by="StudyDate")
        .join(pl.DataFrame({"AccessionNumber": ["A1"], "split": ["train"]}), on="AccessionNumber")
    )


def test_the_table_adds_up() -> None:
    """In = kept + did not match + unknown, step by step, and each step begins where one ended."""
    table = chosen().flow().to_polars()
    assert SCHEMA == table.schema

    kept: list[int] = []
    for (number,), step in table.group_by("step", maintain_order=True):
        sums = step.group_by("outcome").agg(pl.col("series", "instances").sum())
        of = {outcome: counts for outcome, *counts in sums.rows()}
        if number:
            parts = [of.get(name, [0, 0]) for name in ("kept", "did not match", "unknown")]
            assert of["in"] == [sum(column) for column in zip(*parts, strict=True)]
            assert kept == of["in"]
        kept = of["kept"]


def test_it_leaves_as_pandas_and_arrow() -> None:
    """One table, three doors."""
    flow = chosen().flow()

    assert flow.to_polars().equals(pl.DataFrame(flow))
    assert list(SCHEMA) == list(flow.to_pandas().columns)


def test_it_prints_as_text() -> None:
    """Each step, what it left out and why, what it kept."""
    text = str(chosen().flow())

    for words in (
        "everything in the index",
        "not: Modality is CT",
        "StudyDate is unknown",
        "too few rows",
        "first study of each patient",
        "= kept",
        "keys matched: 1",
    ):
        assert words in text
    assert all(len(line) < 120 for line in text.splitlines())


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    """(left, top, right, bottom) of each box."""
    found = [r for r in ET.fromstring(svg).iter(f"{NS}rect") if r.get("class")]
    sides = [[float(r.get(name)) for name in ("x", "y", "width", "height")] for r in found]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def assert_drawn_well(svg: str) -> None:
    root = ET.fromstring(svg)
    width, height = (float(size) for size in root.get("viewBox").split()[2:])
    drawn = boxes(svg)
    for number, (left, top, right, bottom) in enumerate(drawn):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        for other in drawn[number + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, "two boxes overlap"
    inside = [
        any(b[0] < float(t.get("x")) < b[2] and b[1] < float(t.get("y")) < b[3] for b in drawn)
        for t in root.iter(f"{NS}text")
    ]
    assert all(inside), "a line of text stands outside of its box"


@given(archives(), st.integers(0, 6), st.text(max_size=90).filter(str.isprintable))
def test_the_picture_is_well_formed_whatever_is_in_it(
    index: FakeIndex, steps: int, reason: str
) -> None:
    """Any words, any number of steps: valid XML, no box over another, no text outside."""
    cohort = Cohort.start(index, Modality=["CT", "MR"])
    for number in range(steps):
        cohort = cohort.filter(pl.col("Rows") > number, reason=reason)

    assert_drawn_well(cohort.flow().svg())


def test_many_reasons_make_a_tall_box_that_meets_no_other() -> None:
    """Ten terms leave out for twenty reasons, then again."""
    lines = [
        row(number, f"p{number}", Modality=["CT", "MR", None][number % 3], kind=f"k{number % 5}")
        for number in range(60)
    ]
    cohort = Cohort.start(FakeIndex.of(*lines), Modality=["CT", "MR"])
    for kind in ("k0", "k1", "k2"):
        cohort = cohort.filter(pl.col("kind") != kind, reason=f"{kind}: {'a long reason ' * 12}")

    assert_drawn_well(cohort.flow().svg())


@pytest.mark.parametrize("reason", ["<script>alert(1)</script>", 'a" onload="x', "a &#0; b", "]]>"])
def test_words_of_the_caller_are_words_in_the_picture(reason: str) -> None:
    """Nothing a caller writes becomes markup."""
    flow = Cohort.start(troubled()).filter(pl.col("Rows") > 600, reason=reason).flow()
    root = ET.fromstring(flow.svg())

    allowed = {"svg", "title", "desc", "style", "rect", "text", "path"}
    assert allowed >= {element.tag.removeprefix(NS) for element in root.iter()}
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
    assert "<script" not in flow._repr_html_()


@pytest.mark.parametrize("reason", ["a\x00b", "a\ud800b", "two\nlines", "\x1b[31mred", 3, None])
def test_a_reason_is_one_line_of_text(reason: object) -> None:
    """It is printed in terminals and pages: what would move a cursor or break a row is refused."""
    with pytest.raises(QueryError, match="one line of text"):
        Cohort.start(troubled()).filter(pl.col("Rows") > 600, reason=reason)  # type: ignore[arg-type]  # wrong on purpose


def test_the_picture_needs_nothing_from_outside() -> None:
    """No link, no import, no font to fetch."""
    svg = chosen().flow()._repr_svg_()

    assert ["http://www.w3.org/2000/svg"] == [
        part.split('"')[0] for part in svg.replace("http", "\0http").split("\0")[1:]
    ]
    assert "url(" not in svg
    assert "@import" not in svg


def test_a_flow_of_nothing_is_drawn() -> None:
    """An empty index; no step at all."""
    assert_drawn_well(Cohort.start(FakeIndex.of()).flow().svg())
    assert_drawn_well(Flow(()).svg())
