"""Promise 2: facts hold no text and no bytes; only deidentify() makes what may leave."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import types
import typing
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

import cohortkit
from cohortkit.model import DeidentifiedSeries, Facts, Names, ReleasedHeader, Statement
from cohortkit.payloads import frames, rows, volume

SOURCE = Path(inspect.getfile(cohortkit)).parent
STATEMENT = Statement("b", "r", "d", "YES", (), (), "REMOVED")


def leaves(kind: object, seen: set[object]) -> set[object]:
    """Every type that a value of this type can hold, records opened."""
    if kind in seen:
        return set()
    seen.add(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return set().union(*(leaves(hints[f.name], seen) for f in dataclasses.fields(kind)))
    arguments = typing.get_args(kind)
    if arguments and (
        isinstance(kind, types.UnionType) or typing.get_origin(kind) in {tuple, typing.Union}
    ):
        return set().union(*(leaves(a, seen) for a in arguments if a is not Ellipsis))
    return {kind}


def allowed(kind: object) -> bool:
    if kind in {int, float, bool, type(None)}:
        return True
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        getattr(node, attribute)
        for node in ast.walk(tree)
        for attribute in ("id", "attr", "name")
        if isinstance(getattr(node, attribute, None), str)
    }


def test_facts_hold_numbers_and_enumerations_only() -> None:
    """Nothing that assembly reads can carry text, bytes, a date or an object."""
    found = leaves(Facts, set())

    assert {kind for kind in found if not allowed(kind)} == set()


def test_the_walk_over_facts_sees_a_planted_string() -> None:
    """The test above can fail: a record with one text field is caught."""

    @dataclasses.dataclass
    class Leaky:
        inner: tuple[str, ...] | None

    found = leaves(Leaky, set())

    assert {kind for kind in found if not allowed(kind)} == {str}


def test_the_seal_is_named_by_deidentify_alone() -> None:
    """No other module can make a DeidentifiedSeries or a ReleasedHeader."""
    holders = {
        str(path.relative_to(SOURCE).parts[0]) for path in modules() if "SEAL" in names_in(path)
    }

    assert holders == {"model", "deidentify"}


@pytest.mark.parametrize("seal", [None, object(), "SEAL", True])
def test_a_released_header_cannot_be_forged(seal: object) -> None:
    """Without the seal there is no header on the released side."""
    with pytest.raises(TypeError):
        ReleasedHeader(Dataset(), frozenset(), seal=seal)


def test_a_deidentified_series_cannot_be_forged() -> None:
    """Nor a series, not even by copying a real one with other fields."""
    with pytest.raises(TypeError):
        DeidentifiedSeries(Names("p", "s", "r"), Facts(()), (), (), STATEMENT)


@pytest.mark.parametrize(
    "make", [volume.assemble, frames.assemble, rows.rows], ids=["volume", "frames", "rows"]
)
def test_payloads_and_rows_take_a_deidentified_series_and_nothing_else(make: object) -> None:
    """Their only argument that holds data is the de-identified series."""
    hints = typing.get_type_hints(make)
    hints.pop("return")

    assert DeidentifiedSeries in hints.values()
    assert not any(_reaches(kind, Dataset) for kind in hints.values())


def _reaches(kind: object, wanted: type) -> bool:
    return kind is wanted or any(_reaches(a, wanted) for a in typing.get_args(kind))


def test_payloads_and_writers_do_not_know_the_identified_side() -> None:
    """They import neither Dataset nor any record of the identified side."""
    identified = {"Dataset", "SourceSeries", "SourceInstance", "Task", "Person", "FileRef"}
    rooms = ("payloads", "writers")

    knowing = {
        str(path.relative_to(SOURCE)): names_in(path) & identified
        for path in modules()
        if path.relative_to(SOURCE).parts[0] in rooms
    }

    assert {path: found for path, found in knowing.items() if found} == {}
