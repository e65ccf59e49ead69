"""The judge of the MIDI-B actions: each is told from its neighbour."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

ROOT = Path(__file__).resolve().parents[1]
STANDARD = ROOT / "src" / "cohortkit" / "recipe" / "data" / "table.csv"

sys.path.insert(0, str(ROOT / "benchmarks"))
from leak.table import Table  # noqa: E402 - the benchmarks are no package of ours
from midi import studies  # noqa: E402 - the same
from midi.checks import PASSED_WHEN_ABSENT, Action  # noqa: E402 - the same
from midi.score import Judge, Score  # noqa: E402 - the same

Made = tuple[Path, studies.Answers]
JUDGES = sorted((ROOT / "benchmarks" / "midi").glob("*.py"))
RETAINED = {Action.PIXELS_RETAINED, Action.TAG_RETAINED, Action.TEXT_RETAINED}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two patients."""
    folder = tmp_path_factory.mktemp("midi") / "studies"
    shifted = [one for one in Table(STANDARD).listed if one.name == "DateOfSecondaryCapture"]
    return folder, studies.build(folder, shifted, 3, patients=2)


def scored(made: Made, target: Path, change: Callable[[Dataset], None], file: int = 1) -> Score:
    """The score after one file was changed."""
    folder, answers = made
    shutil.copytree(folder, target, dirs_exist_ok=True)
    dataset = pydicom.dcmread(folder / answers.names[file])
    change(dataset)
    dataset.save_as(target / answers.names[file])
    return Judge(answers, target).score()


def missed(score: Score, action: Action) -> list[tuple[int, str]]:
    """File and path of each question of an action that was not done."""
    return [(one.file, one.path) for one in score.missed if one.action is action]


@pytest.mark.parametrize("path", JUDGES, ids=lambda path: path.name)
def test_studies_and_judge_import_nothing_of_cohortkit(path: Path) -> None:
    """What judges cannot share a fault with what it judges."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

    assert set() == {name for name in named if name.split(".")[0] == "cohortkit"}


def test_what_was_not_touched_is_retained_and_nothing_else(made: Made) -> None:
    """After a mere copy all is where it was, so nothing was removed, shifted, changed or hidden."""
    folder, answers = made

    score = Judge(answers, folder).score()

    for action in Action:
        if action in RETAINED | {Action.INTERVAL_KEPT}:
            assert 1.0 == score.share(action), action
        elif action is not Action.TEXT_NOT_NULL:
            assert 0.0 == score.share(action), action
    assert all(score.asked[action] for action in Action)


def test_a_file_that_did_not_come_out_gives_nothing_away_and_keeps_nothing(
    made: Made, tmp_path: Path
) -> None:
    """And no goal is met without it."""
    _, answers = made

    score = Judge(answers, tmp_path).score()

    for action in Action:
        assert float(action in PASSED_WHEN_ABSENT) == score.share(action), action
    assert len(answers.names) == score.absent
    assert not score.met


def test_one_date_that_moved_otherwise_breaks_its_interval_alone(
    made: Made, tmp_path: Path
) -> None:
    """It counts as shifted, as the challenge has it, and not as kept."""

    def later(dataset: Dataset) -> None:
        dataset.ContentDate = "19000101"

    score = scored(made, tmp_path, later)

    assert [(1, "ContentDate")] == missed(score, Action.INTERVAL_KEPT)
    assert (1, "ContentDate") not in missed(score, Action.DATE_SHIFTED)
    assert (1, "StudyDate") in missed(score, Action.DATE_SHIFTED)


def test_a_uid_must_become_the_same_everywhere(made: Made, tmp_path: Path) -> None:
    """One file with another study is inconsistent, though its UID was changed."""

    def renamed(dataset: Dataset) -> None:
        dataset.StudyInstanceUID = "2.25.7"

    score = scored(made, tmp_path, renamed)

    assert (1, "StudyInstanceUID") not in missed(score, Action.UID_CHANGED)
    assert (1, "StudyInstanceUID") in missed(score, Action.UID_CONSISTENT)


def test_a_word_counts_as_left_wherever_it_went(made: Made, tmp_path: Path) -> None:
    """In another attribute and in capitals too."""
    folder, answers = made
    word = next(
        one.value for one in answers.checks if (one.file, one.path) == (1, "PatientAddress")
    )

    def moved(dataset: Dataset) -> None:
        del dataset.PatientAddress
        dataset.EthnicGroup = word.upper()

    def removed(dataset: Dataset) -> None:
        del dataset.PatientAddress

    assert folder.exists()
    assert (1, "PatientAddress") in missed(scored(made, tmp_path / "a", moved), Action.TEXT_REMOVED)
    assert (1, "PatientAddress") not in missed(
        scored(made, tmp_path / "b", removed), Action.TEXT_REMOVED
    )


def test_pixels_are_hidden_in_the_box_and_retained_around_it(made: Made, tmp_path: Path) -> None:
    """One sample left in the box is not hidden; one changed outside is not retained."""
    _, answers = made
    file = next(number for number in sorted(answers.drawn) if answers.pixels[number].ndim == 3)
    box = studies.BOX

    def blanked(dataset: Dataset, *, left: bool, outside: bool) -> None:
        pixels = answers.pixels[file].copy()
        pixels[:, box.top : box.top + box.height, box.left : box.left + box.width] = 0
        pixels[0, box.top, box.left] = 9 * left
        pixels[0, -1, -1] += outside
        dataset.PixelData = pixels.tobytes()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian

    def after(folder: str, *, left: bool, outside: bool) -> tuple[bool, bool]:
        score = scored(
            made,
            tmp_path / folder,
            lambda dataset: blanked(dataset, left=left, outside=outside),
            file,
        )
        place = (file, "PixelData")
        return (
            place not in missed(score, Action.PIXELS_HIDDEN),
            place not in missed(score, Action.PIXELS_RETAINED),
        )

    assert (True, True) == after("clean", left=False, outside=False)
    assert (False, True) == after("left", left=True, outside=False)
    assert (True, False) == after("outside", left=False, outside=True)
