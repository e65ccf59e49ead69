from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.model import Artifact, Names, Outcome, PayloadKind, Record, Searched, Status
from cohortkit.model.released import Statement
from cohortkit.reasons import Reason
from cohortkit.run.about import About
from cohortkit.run.finish import finish
from cohortkit.writers.sheet import Sheet

ABOUT = About(
    recipe="basic",
    title="Everything out <b>",
    description="The profile & nothing else.",
    basis="gdpr-pseudonymised",
    digest="d" * 64,
    outputs=({"name": "nifti", "level": 1}, {"name": "tables", "csv": False}),
    asked=("Modality is CT", 'a filter with "<script>" in its reason'),
    flow=({"step": 0, "what": "the index", "series": 3},),
    flow_svg='<svg xmlns="http://www.w3.org/2000/svg"><text>flow</text></svg>',
    series=3,
    instances=7,
    explained="PatientName: removed\nRows: kept",
    accepted=("heads with their faces: the consent form says so",),
    project="chest",
    key_id="abcd2345",
)
STATEMENT = Statement("b", "basic", "d", "YES", ("m",), (("113100", "Basic"),), "REMOVED")


def record(number: int, patient: str = "pa", **more: object) -> Record:
    made = Record(
        task=f"t{number}",
        plan="p",
        names=Names(patient, f"s{number % 2}", f"r{number}"),
        instances=2,
        outcomes=(
            Outcome("nifti", Status.WRITTEN, (0, 1)),
            Outcome("tables", Status.WRITTEN, (0, 1)),
        ),
        artifacts=(
            Artifact(
                "nifti",
                "image",
                f"nifti/{patient}/r{number}.nii.gz",
                "ab",
                9,
                (0, 1),
                (2, 3, 4),
                (1.0, 1.0, 2.5),
                "int16",
            ),
        ),
        rows={"series": ({"series": f"r{number}", "Modality": "CT"},)},
        statement=STATEMENT,
        searched=Searched(100, 2, 1, 4000),
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


REFUSED = record(
    2,
    "pb",
    outcomes=(
        Outcome("nifti", Status.REFUSED, (0, 1), Reason.BURNED_IN_RISK),
        Outcome("tables", Status.REFUSED, (0, 1), Reason.BURNED_IN_RISK),
    ),
    artifacts=(),
    rows={},
    statement=None,
    searched=None,
)
RECORDS = (record(0), record(1), REFUSED)


@dataclass(frozen=True)
class Tables:
    """A writer that only finishes."""

    csv: bool = False
    name: ClassVar[str] = "tables"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset()

    def finish(
        self,
        rows: Iterable[Mapping[str, Sequence[Mapping[str, object]]]],
        treatment: Mapping[str, str],
        top: Mapping[str, Sheet],
    ) -> dict[str, bytes]:
        assert {"tasks", "files"} == set(top)
        said: dict[str, list[object]] = {}
        for one in rows:
            for name, lines in one.items():
                said.setdefault(name, []).extend(lines)
        made = {f"{name}.json": json.dumps(lines).encode() for name, lines in said.items()}
        return {**made, "treatment.json": json.dumps(dict(treatment)).encode()}


@given(st.permutations(RECORDS))
def test_the_order_of_the_records_does_not_change_a_byte(order: Sequence[Record]) -> None:
    """Whatever ran first: tables, manifest and report are the same."""
    assert finish(RECORDS, ABOUT, [Tables()]) == finish(order, ABOUT, [Tables()])


def test_every_file_is_a_row_with_digest_shape_and_pseudonyms() -> None:
    """``files.parquet`` is what MONAI or pandas read first."""
    table = pl.read_parquet(io.BytesIO(finish(RECORDS, ABOUT)["files.parquet"]))

    assert ["nifti/pa/r0.nii.gz", "nifti/pa/r1.nii.gz"] == table["path"].to_list()
    row = table.row(0, named=True)
    assert ("pa", "s0", "r0") == (row["patient"], row["study"], row["series"])
    assert [2, 3, 4] == row["shape"]
    assert [1.0, 1.0, 2.5] == row["spacing"]


def test_every_series_is_a_row_for_each_output_and_a_refusal_has_its_words() -> None:
    """Nothing is left out of ``tasks.parquet``."""
    table = pl.read_parquet(io.BytesIO(finish(RECORDS, ABOUT)["tasks.parquet"]))

    assert 6 == table.height
    refused = table.filter(pl.col("status") == "refused")
    assert {"burned-in-risk"} == set(refused["reason"])
    assert {Reason.BURNED_IN_RISK.words} == set(refused["explanation"])


def test_the_manifest_holds_the_digests_of_what_is_beside_it_and_adds_up() -> None:
    """``export.json`` is the root of the proof."""
    made = finish(RECORDS, ABOUT, [Tables()])

    manifest = json.loads(made["export.json"])

    assert 1 == manifest["format"]
    beside = {name: hashlib.sha256(data).hexdigest() for name, data in made.items()}
    del beside["export.json"]
    assert beside == manifest["sha256"]
    for line in manifest["counts"]:
        assert line["in"] == sum(line[str(status)] for status in Status)
    assert {
        "patients": 1,
        "series": 2,
        "patterns": 200,
        "left_out": 4,
        "files": 2,
        "bytes": 8000,
    } == manifest["searched"]
    assert {"tables/series.json"} < set(made)


def test_no_record_is_a_release_too() -> None:
    """All refused before a record, or a plan of nothing: empty tables with all columns."""
    made = finish([], ABOUT)

    assert 0 == pl.read_parquet(io.BytesIO(made["files.parquet"])).height
    assert [] == json.loads(made["export.json"])["counts"]


def test_the_report_says_in_plain_words_what_an_office_asks() -> None:
    """Recipe, basis, question, flow, refusals with reasons, search, what was not done."""
    page = finish(RECORDS, ABOUT)["report.html"].decode()

    for words in (
        "still personal data",
        "Modality is CT",
        ABOUT.flow_svg,
        Reason.BURNED_IN_RISK.words,
        "burned-in-risk",
        "What was not done",
        "Nobody and nothing looked at the pixels",
        "the consent form says so",
        "abcd2345",
        "PatientName: removed",
        "8,000",
    ):
        assert words in page


def test_the_report_asks_nothing_of_the_network_and_escapes_what_it_quotes() -> None:
    """One self-contained file; a reason with markup in it stays text."""
    page = finish(RECORDS, ABOUT)["report.html"].decode()

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Everything out &lt;b&gt;" in page
    for foreign in ("src=", "href=", "@import", "url("):
        assert foreign not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("records", "about", "words"),
    [
        (RECORDS[:1], ABOUT, "2 of them have not been tried yet"),
        (RECORDS, replace(ABOUT, first=3), "trial run, limited to 3 series"),
        (
            (record(0, outcomes=(Outcome("nifti", Status.FAILED, (0, 1), Reason.DISK_FULL),)),),
            replace(ABOUT, series=1),
            "1 failed and are tried again by the same command",
        ),
        (
            (record(0, statement=replace(STATEMENT, temporal="UNMODIFIED")),),
            ABOUT,
            "Dates were kept as they are",
        ),
        (
            (record(0, statement=replace(STATEMENT, identity_removed="NO")),),
            ABOUT,
            "keeps a direct identifier",
        ),
    ],
)
def test_the_report_does_not_hide_what_is_unfinished_or_kept(
    records: tuple[Record, ...], about: About, words: str
) -> None:
    """Trial, rest, failures, kept dates and identifiers are said."""
    assert words in finish(records, about)["report.html"].decode()


def test_what_the_report_knows_survives_the_vault() -> None:
    """``verify`` makes the same page from what lies there."""
    again = About.from_json(ABOUT.to_json())

    assert ABOUT == again
    assert finish(RECORDS, ABOUT) == finish(RECORDS, again)
