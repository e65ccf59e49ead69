"""The judge of the leak benchmark: it finds what it must, and nothing that is not there."""

from __future__ import annotations

import ast
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
STANDARD = ROOT / "src" / "cohortkit" / "recipe" / "data" / "table.csv"

sys.path.insert(0, str(BENCHMARKS))
from leak import corpus, descriptions  # noqa: E402 - the benchmarks are no package of ours
from leak.judge import Result  # noqa: E402 - the same
from leak.judge import judge as judging  # noqa: E402 - the same
from leak.markers import Kind, Marker  # noqa: E402 - the same
from leak.needles import How, Needles  # noqa: E402 - the same
from leak.sheet import Key  # noqa: E402 - the same

Made = tuple[Path, Key]
Judge = Callable[[], Result]
JUDGES = sorted((BENCHMARKS / "leak").glob("*.py"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A corpus and its key."""
    folder = tmp_path_factory.mktemp("leak") / "corpus"
    yield folder, corpus.build(folder, STANDARD)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def needles(made: Made) -> Needles:
    """Of the corpus."""
    return Needles(made[1].markers)


@pytest.fixture
def judge(made: Made, needles: Needles, tmp_path: Path) -> Judge:
    """Judge what a test has put into its folder."""
    return lambda: judging(tmp_path, made[1], needles)


def bare(dataset: pydicom.FileDataset) -> None:
    """Leave nothing in a header but the pixels."""
    for tag in list(dataset.keys()):
        if tag != 0x7FE00010:
            del dataset[tag]


def one_of(made: Made, name: str) -> tuple[Path, int]:
    """The first file of a kind, and its number."""
    folder, key = made
    return next((folder / file, n) for n, file in key.names.items() if f"-{name}." in file)


def altered(made: Made, tmp_path: Path, name: str) -> tuple[Path, pydicom.FileDataset, int]:
    """A folder for outputs, and one file of the corpus to write into it."""
    path, number = one_of(made, name)
    return tmp_path / path.name, pydicom.dcmread(path), number


def marker_of(key: Key, number: int, path: str) -> Marker:
    """The marker at a place."""
    return next(one for one in key.markers if (one.file, one.path) == (number, path))


@pytest.mark.parametrize("path", JUDGES, ids=lambda path: path.name)
def test_corpus_and_judge_import_nothing_of_cohortkit(path: Path) -> None:
    """What judges cannot share a fault with what it judges."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert set() == {name for name in names if name.split(".")[0] == "cohortkit"}


def test_the_corpus_is_as_large_as_it_says(made: Made) -> None:
    """At least 15,000 values, no two alike where they can be unique, in 93 files."""
    _, key = made
    unique = [
        (one.file if one.kind is Kind.DATE else 0, one.needle)
        for one in key.markers
        if one.kind is not Kind.PLACE
    ]

    assert 93 == len(key.names)
    assert 15_000 < len(key.markers)
    assert len(unique) == len(set(unique))
    assert {one.tag for one, _ in corpus.Table(STANDARD).sequences} >= {0x00081140, 0x0040A730}


def test_the_same_seed_gives_the_same_bytes(made: Made, tmp_path: Path) -> None:
    """Another one other bytes."""
    folder, key = made

    again = corpus.build(tmp_path / "again", STANDARD)
    other = corpus.build(tmp_path / "other", STANDARD, seed=2)

    for name in key.names.values():
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert key.markers == again.markers
    assert {one.needle for one in key.markers if one.kind is Kind.WORD}.isdisjoint(
        one.needle for one in other.markers
    )


def test_everything_is_found_where_nothing_was_done(made: Made, needles: Needles) -> None:
    """The corpus itself holds every marker, every number, every sequence."""
    folder, key = made

    result = judging(folder, key, needles)

    assert set(key.markers) == set(result.survivors)
    assert {How.WHOLE} == {one.how for one in result.survivors.values()}
    assert (len(key.numbers),) * 2 == result.numbers
    assert (len(key.sequences),) * 2 == result.sequences
    assert set() == result.unreadable


def test_nothing_is_found_where_nothing_is(judge: Judge) -> None:
    """A file that is absent is neither clean nor left: it is not counted."""
    result = judge()

    assert {} == result.survivors
    assert [] == result.planted
    assert (0, 0) == result.numbers


DISGUISES: dict[str, tuple[Callable[[str], str], How]] = {
    "capitals": (str.upper, How.WHOLE),
    "wrapped": (lambda word: f"anon_{word}_1", How.WHOLE),
    "cut": (lambda word: word[:6], How.PART),
    "a piece": (lambda word: f"x-{word[3:9].title()}", How.PART),
    "in a word": (lambda word: f"zzz{word[2:10]}", How.PART),
    "md5": (lambda word: hashlib.md5(word.encode()).hexdigest(), How.HASHED),
    "a short hash": (lambda word: hashlib.sha256(word.encode()).hexdigest()[:8], How.HASHED),
    "hex": (lambda word: word.encode().hex(), How.HASHED),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguise_is_seen_through(made: Made, judge: Judge, tmp_path: Path, name: str) -> None:
    """Another case, a part of six letters, a hash without a key: each is a survivor."""
    _, key = made
    form, how = DISGUISES[name]
    target, dataset, number = altered(made, tmp_path, "tree")
    marker = marker_of(key, number, "ContentSequence/TextValue")
    dataset.ContentSequence[0].clear()
    dataset.ContentSequence[0].TextValue = form(marker.needle)
    dataset.save_as(target)

    result = judge()

    assert {marker: how} == {one.marker: one.how for one in result.survivors.values()}


def test_text_is_found_in_deflated_data(made: Made, judge: Judge, tmp_path: Path) -> None:
    """What no search of bytes can see."""
    _, key = made
    target, dataset, number = altered(made, tmp_path, "top")
    bare(dataset)
    marker = marker_of(key, one_of(made, "tree")[1], "ContentSequence/PersonName")
    dataset.PatientName = marker.needle
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(target)

    result = judge()

    assert {marker} == set(result.survivors)
    assert {number} == result.written


def test_a_date_that_moved_onto_another_is_no_survivor(
    made: Made, judge: Judge, tmp_path: Path
) -> None:
    """All dates of a file, each in the place of the next: none stands where it was planted."""
    _, key = made
    target, dataset, number = altered(made, tmp_path, "top")
    planted = [
        one for one in key.markers if (one.file, one.kind, one.vr) == (number, Kind.DATE, "DA")
    ]
    bare(dataset)
    for one, other in zip(planted, [*planted[1:], planted[0]], strict=True):
        setattr(dataset, one.path, other.needle)
    dataset.save_as(target)
    moved = judge()
    setattr(dataset, planted[0].path, planted[0].needle)
    dataset.StudyDescription = f"seen on {planted[1].needle}"
    dataset.save_as(target)

    left = judge()

    assert {} == moved.survivors
    assert set(planted[:2]) == set(left.survivors)


def test_numbers_and_sequences_that_are_gone_are_missed(
    made: Made, judge: Judge, tmp_path: Path
) -> None:
    """An emptied sequence is gone, and so is another number; one told otherwise is kept."""
    _, key = made
    for name in ("top", "nested"):
        target, dataset, number = altered(made, tmp_path, name)
        number_lost = [one for one in key.numbers if one.file == number and one.vr == "DS"][:2]
        for one in number_lost[:1]:
            setattr(dataset, one.path, "9999")
        for one in number_lost[1:]:
            setattr(dataset, one.path, "\\".join(f"{x}000" for x in one.value.split("\\")))
        for one in [one for one in key.sequences if one.file == number][:1]:
            setattr(dataset, one.path, [])
        dataset.save_as(target)

    result = judge()

    assert 2 == len(result.lost)
    assert {"DS", "SQ"} == {one.vr for one in result.lost}


def test_a_torn_output_is_told(made: Made, judge: Judge, tmp_path: Path) -> None:
    """It is searched as bytes, and its numbers count neither way."""
    path, number = one_of(made, "top")
    half = path.read_bytes()[: path.stat().st_size // 2]
    (tmp_path / path.name).write_bytes(half)
    words = {
        one
        for one in made[1].markers
        if one.kind is Kind.WORD and one.needle.encode() in half.lower()
    }

    result = judge()

    found = {one.marker for one in result.survivors.values() if one.how is How.WHOLE}
    assert {number} == result.unreadable
    assert (0, 0) == result.numbers
    assert words == {one for one in found if one.kind is Kind.WORD}


def test_words_of_pseudonyms_are_no_survivors(made: Made, needles: Needles) -> None:
    """Six letters in the middle of a random token are chance; eight are not."""
    _, key = made
    marker = next(one for one in key.markers if one.kind is Kind.WORD)

    assert [] == list(needles.in_text(f"p7{marker.needle[:6]}2ab4"))
    assert [(marker, How.PART)] == list(needles.in_text(f"p7{marker.needle[:8]}2ab4"))


def test_descriptions_are_judged_by_what_stays_and_what_goes(tmp_path: Path) -> None:
    """A real one counts if it is as it was, a typed one if nothing of the identity is in it."""
    real = ["AX LUNG 1.25", "t2_tse_sag", "SCOUT AP/LAT "]
    cases = descriptions.build(tmp_path, real, 7)

    kept = descriptions.judge(tmp_path, cases)
    for case in cases:
        path = tmp_path / f"{case.number:04d}.dcm"
        dataset = pydicom.dcmread(path)
        dataset.SeriesDescription = "LUNG" if case.number in {1, 4} else case.text.swapcase()
        dataset.save_as(path)
    (tmp_path / "0002.dcm").unlink()
    changed = descriptions.judge(tmp_path, cases)

    assert (3, 0, 3, 1.0) == (kept.kept, kept.changed, kept.real, kept.share)
    assert kept.typed == len(kept.named) == len(cases) - 3
    assert (0, 2) == (changed.kept, changed.changed)
    assert changed.typed - 1 == len(changed.named)
