"""The demo: the main job on data that everyone has, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cohortkit import demo
from cohortkit.errors import OutputError
from independent import collect, search


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> demo.Demo:
    """One run of the demo."""
    return demo.run(tmp_path_factory.mktemp("demo") / "demo", progress=False)


def test_it_writes_volumes_pictures_and_tables(made: demo.Demo) -> None:
    """Every kind of output is written, something is refused by name, nothing failed."""
    written = made.export.table("files")

    assert {"nifti", "png"} == set(written["output"])
    assert made.export.table("series").height
    assert {"burned-in-risk", "single-slice"} <= set(made.export.refused()["reason"])
    assert made.export.failed().is_empty()
    assert 0 == made.export.exit_code


def test_it_says_where_to_look(made: demo.Demo) -> None:
    """Each place that it names is there."""
    said = [line.strip() for line in made.words().splitlines()]
    places = [line for line in said if line.startswith(str(made.folder))]

    assert 5 == len(places)
    assert all(Path(place).exists() for place in places)


def test_a_stranger_finds_nobody_in_it(made: demo.Demo, tmp_path: Path) -> None:
    """The independent checker finds no source identity in the release or in what was said."""
    (tmp_path / "said.txt").write_text(made.words(), "utf-8")
    found = search(made.export.release, collect([demo.archive()]), [tmp_path / "said.txt"])

    assert set() == found.hits


def test_again_it_goes_on(made: demo.Demo) -> None:
    """A second run in the same folder changes no byte of the release."""
    release = made.export.release
    before = {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    demo.run(made.folder, progress=False)

    assert before == {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}


def test_it_leaves_other_folders_alone(tmp_path: Path) -> None:
    """A folder that holds something else is refused and not touched."""
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(OutputError, match="holds something else"):
        demo.run(tmp_path)

    assert ["thesis.txt"] == [path.name for path in tmp_path.iterdir()]
