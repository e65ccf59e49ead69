"""What is in a finished export, counted: nothing left out, the rare first, all in the vault."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cohortkit as ck
from batches import planned, run
from cohortkit.cli import main
from cohortkit.errors import OutputError
from cohortkit.release import counting
from cohortkit.release.counting import Cell, Values

TO = [ck.Dicom(), ck.Png(), ck.Nifti(), ck.Tables()]


@pytest.fixture(scope="module")
def exported(archive: Path, tmp_path_factory: pytest.TempPathFactory, key: ck.Key) -> ck.Export:
    """A small export of every kind of output."""
    return run(planned(archive, to=TO), tmp_path_factory.mktemp("inventory") / "out", key)


def present(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by name."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_value_of_every_object(exported: ck.Export) -> None:
    """The counts are those that pydicom finds in the released files, attribute by attribute."""
    found = ck.inventory(exported.root)
    assert () == found.unread
    expected: Counter[tuple[str, str]] = Counter()
    for path in (exported.root / "release" / "dicom").rglob("*.dcm"):
        for element in pydicom.dcmread(path, stop_before_pixels=True):
            if element.VR not in ("SQ", "OB", "OW", "UN") and element.VM <= 64:
                many = element.value if element.VM > 1 else [element.value]
                texts = ["" if one is None else str(one) for one in many]
                expected.update((element.keyword, text) for text in texts)
    rows = found.table().filter(pl.col("source") == "dicom").collect()
    counted = {(r["attribute"], r["value"]): r["count"] for r in rows.iter_rows(named=True)}
    assert expected
    assert {pair: counted.get(pair) for pair in expected} == dict(expected)
    assert (
        "MediaStorageSOPInstanceUID",
        next(v for k, v in expected if k == "SOPInstanceUID"),
    ) in (counted)


def test_tables_and_sidecars(exported: ck.Export) -> None:
    """Cells of the released tables, and leaves of the sidecars, are among the values."""
    table = ck.inventory(exported.root).table().collect()
    wanted = pl.read_parquet(exported.root / "release" / "tables" / "instances.parquet")
    counted = table.filter(pl.col("attribute") == "instances.Rows")
    assert wanted["Rows"].drop_nulls().len() == counted["count"].sum()
    assert {"dicom", "nifti", "png", "tables", "release"} == set(table["source"])
    some = next((exported.root / "release" / "nifti").rglob("*.json"))
    for name, value in json.loads(some.read_bytes()).items():
        if isinstance(value, str):
            fits = (pl.col("attribute") == name) & (pl.col("value") == value)
            assert table.filter(fits & (pl.col("source") == "nifti")).height


def test_nothing_is_written_into_the_release(exported: ck.Export, key: ck.Key) -> None:
    """It lies in the vault, for its owner alone, and a second one is the same."""
    before = present(exported.root / "release")
    first = ck.inventory(exported.root)
    page, values = first.page.read_bytes(), first.table().collect()
    assert before == present(exported.root / "release")
    second = ck.inventory(exported.root)
    assert (page, True) == (second.page.read_bytes(), values.equals(second.table().collect()))
    vault = exported.root / "vault"
    made = [vault / "inventory.html", *(vault / "inventory").iterdir()]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in made}
    assert not list(vault.glob(".inventory*"))
    assert ck.verify(exported.root, key=key).ok


def test_what_one_patient_has_comes_first(archive: Path, tmp_path: Path, key: ck.Key) -> None:
    """A description that a rule keeps, and that one patient alone has, is at the top."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'basis = "authorization"\n[[rules]]\nkeyword = "SeriesDescription"\naction = "keep"\n'
        'reason = "they agreed to it"\n'
    )
    made = run(planned(archive, to="dicom", recipe=str(recipe)), tmp_path / "out", key)
    kept = [
        (pydicom.dcmread(p).PatientID, pydicom.dcmread(p).get("SeriesDescription", ""))
        for p in (made.root / "release").rglob("*.dcm")
    ]
    alone = {text for _, text in kept if text and len({p for p, t in kept if t == text}) == 1}
    rare = ck.inventory(made.root).rare()
    told = rare.filter(pl.col("attribute") == "SeriesDescription")
    assert alone == set(told["value"])
    assert not [v for v in rare["value"] if v.startswith("2.25.")]
    ranks = [vr in {"LO", "SH", "ST", "LT", "UT", "UC", "PN", "text"} for vr in rare["vr"]]
    patients = rare["patients"].to_list()
    words = [n for n, word in enumerate(ranks) if word and patients[n]]
    others = [n for n, word in enumerate(ranks) if not word]
    assert not words or not others or max(words) < min(others)


def test_what_cannot_be_read_is_named(exported: ck.Export, tmp_path: Path) -> None:
    """A stranger's file in the release is no value that was counted; the command says so."""
    import shutil  # noqa: PLC0415 - here alone

    shutil.copytree(exported.root, tmp_path / "out")
    (tmp_path / "out" / "release" / "dicom" / "x.dcm").write_bytes(b"no DICOM")
    (tmp_path / "out" / "release" / "notes.txt").write_bytes(b"by hand")
    found = ck.inventory(tmp_path / "out")
    assert ("dicom/x.dcm", "notes.txt") == tuple(sorted(found.unread))
    assert "NOT READ: notes.txt" in str(found)
    assert "notes.txt" in found.page.read_text()
    assert 3 == main(["inventory", str(tmp_path / "out"), "--json"])


def test_no_export_no_inventory(tmp_path: Path) -> None:
    """A folder that is no finished export is refused."""
    with pytest.raises(OutputError, match="no finished export"):
        ck.inventory(tmp_path)


def test_the_shell(exported: ck.Export, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in the shell."""
    assert 0 == main(["inventory", str(exported.root)])
    said = capsys.readouterr().out
    assert "in one patient alone" in said
    assert str(exported.root / "vault" / "inventory.html") in said
    assert "<h2>In one patient alone</h2>" in ck.inventory(exported.root)._repr_html_()


WORDS = st.sampled_from(["a", "b", "c", "<b>", "ö"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("pqr"), st.lists(st.tuples(WORDS, WORDS))), max_size=6),
    st.integers(1, 4),
)
def test_counts_are_exact_however_little_is_held(
    patients: list[tuple[str, list[tuple[str, str]]]], held: int
) -> None:
    """Put away after each few values or not: counts, patients, the widest spread are the same."""
    grouped = {who: [pair for other, pairs in patients if other == who for pair in pairs]
               for who, _ in patients}  # fmt: skip
    usual, counting._MOST_HELD = counting._MOST_HELD, held
    try:
        with tempfile.TemporaryDirectory() as folder, Values(Path(folder) / "v") as values:
            for who, pairs in grouped.items():
                for attribute, value in pairs:
                    values.add(who, Cell("dicom", attribute, "LO", value))
            rows = [row for frame in values.frames() for row in frame.iter_rows(named=True)]
    finally:
        counting._MOST_HELD = usual
    counts = Counter(pair for pairs in grouped.values() for pair in pairs)
    spread = {pair: sum(pair in pairs for pairs in grouped.values()) for pair in counts}
    widest = {value: max(n for (_, v), n in spread.items() if v == value) for _, value in counts}
    expected = sorted((a, v, n, spread[a, v], widest[v]) for (a, v), n in counts.items())
    names = ("attribute", "value", "count", "patients", "anywhere")
    assert expected == sorted(tuple(row[name] for name in names) for row in rows)
