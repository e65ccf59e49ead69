from __future__ import annotations

import sys

import pytest

from cohortkit.errors import CohortkitError
from cohortkit.traces import find
from cohortkit.verify import canary, containers, objects


def test_the_canary_is_found_in_every_kind_of_place() -> None:
    """Six spellings in 24 places and rows, two numbers in eight, a name; one of each at once."""
    assert canary() == 6 * 25 + 2 * 8 + 1 + (24 + 7 + 1)


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


@pytest.mark.parametrize("blind", ["_reckoned", "_number", "_stands"])
def test_a_search_that_reads_no_numbers_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    """Sabotage: seconds since 1970, zeros around a number, and where any pattern counts."""
    none: dict[str, object] = {
        "_reckoned": lambda *_: iter(()),
        "_number": lambda _, __, start, end: (start, end),
        "_stands": lambda *_: False,
    }
    monkeypatch.setattr(find, blind, none[blind])

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
