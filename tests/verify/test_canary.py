from __future__ import annotations

import sys

import pytest

from cohortkit.errors import CohortkitError
from cohortkit.verify import canary, containers, objects


def test_the_canary_is_found_in_every_kind_of_place() -> None:
    """Four spellings in 24 kinds of place, rows and a file name."""
    assert canary() == 4 * 25 + 1


@pytest.mark.parametrize(
    "blind", ["_png", "_gzip", "_nifti", "_object", "json_cells", "table_cells"]
)
def test_a_search_that_is_blind_in_one_place_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    """Sabotage: take one reader away and the canary is missed there."""
    searching = sys.modules["cohortkit.verify.search"]
    where = searching if hasattr(searching, blind) else containers
    monkeypatch.setattr(where, blind, lambda *_: iter(()))

    with pytest.raises(CohortkitError, match="canary"):
        canary()


@pytest.mark.parametrize("blind", ["_leaf", "_samples", "_sequence"])
def test_a_search_that_is_blind_in_one_place_of_an_object_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    """Sabotage: values, fragments or items of DICOM files are stepped over unseen."""

    def unseen(_: object, at: int, length: int, end: int, *__: object) -> int:
        return end if length == 0xFFFFFFFF else at + length

    blinded = unseen if blind != "_leaf" else (lambda *_: None)
    monkeypatch.setattr(objects._Walk, blind, blinded)

    with pytest.raises(CohortkitError, match="canary"):
        canary()


def test_a_search_that_finds_what_is_not_there_stops_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sabotage: a rule that takes everything for a hit makes clean files dirty."""
    module = sys.modules["cohortkit.verify.canary"]
    monkeypatch.setattr(module, "search", lambda *_, **__: ("hit",))

    with pytest.raises(CohortkitError, match="not there"):
        canary()
