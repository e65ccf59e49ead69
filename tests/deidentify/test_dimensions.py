"""Dimensions of multi-frame objects: none points to a private attribute that went."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.deidentify import engine
from cohortkit.recipe.model import Basis, Option, Recipe
from factory import Patient, Series, instance
from objects import once

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
B_VALUE, GONE = Tag(0x0019100C), Tag(0x00291077)  # one of Table E.3.10-1, and one that is not
KINDS: dict[str, dict[str, Any]] = {
    "stack": {"DimensionIndexPointer": Tag("StackID")},
    "position": {"DimensionIndexPointer": Tag("InStackPositionNumber")},
    "gone": {"DimensionIndexPointer": GONE, "DimensionIndexPrivateCreator": "QUISLING MED"},
    "gone group": {
        "DimensionIndexPointer": Tag("EchoTime"),
        "FunctionalGroupPointer": GONE,
        "FunctionalGroupPrivateCreator": "QUISLING MED",
    },
    "b-value": {
        "DimensionIndexPointer": B_VALUE,
        "DimensionIndexPrivateCreator": "SIEMENS MR HEADER",
    },
}
SAFE = Recipe(
    name="t",
    basis=Basis.GDPR_PSEUDONYMISED,
    options=frozenset({Option.RETAIN_SAFE_PRIVATE}),
)
BASIC = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def image(kinds: list[str], frames: list[list[int]]) -> Dataset:
    """An object with these dimensions, and a value for each of them in every frame."""
    made = instance(Patient(), Series(), 0)
    made.DimensionIndexSequence = Sequence([item(**KINDS[kind]) for kind in kinds])
    groups = []
    for values in frames:
        content = item(DimensionIndexValues=values, StackID="1")
        content.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", "1000")
        content.private_block(0x0029, "QUISLING MED", create=True).add_new(
            0x77, "LO", "of Quisling"
        )
        groups.append(item(FrameContentSequence=Sequence([content])))
    made.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return made


def released(made: Dataset, recipe: Recipe, syntax: UID) -> Dataset:
    with TemporaryDirectory() as folder:
        path = Path(folder, "one.dcm")
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = syntax
        meta.MediaStorageSOPClassUID = made.SOPClassUID
        meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
        file = FileDataset("", Dataset({e.tag: e for e in made}), b"\0" * 128, meta)
        dcmwrite(path, file, enforce_file_format=True)
        return dcmread(once(path, recipe=recipe))


def told(found: Dataset) -> list[tuple[BaseTag, str]]:
    """What each dimension points to, and the creator that it names."""
    sequence = found.get("DimensionIndexSequence") or []
    return [(one.DimensionIndexPointer, one.get("DimensionIndexPrivateCreator", ""))
            for one in sequence]  # fmt: skip


def values_of(found: Dataset) -> list[list[int]]:
    made = []
    for group in found.PerFrameFunctionalGroupsSequence:
        values = group.FrameContentSequence[0].get("DimensionIndexValues")
        made.append([] if values is None else [values] if isinstance(values, int) else [*values])
    return made


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from([BASIC, SAFE]),
    st.sampled_from(SYNTAXES),
)
def test_what_points_to_nothing_goes_with_its_values(
    kinds: list[str], frames: int, recipe: Recipe, syntax: str
) -> None:
    """Whatever stands beside it: the others keep their order, and each frame their values."""
    given_ = [[10 * frame + n for n, _ in enumerate(kinds)] for frame in range(frames)]
    lost = {"gone", "gone group"} | ({"b-value"} if recipe is BASIC else set())
    left = [n for n, kind in enumerate(kinds) if kind not in lost]

    found = released(image(kinds, given_), recipe, syntax)

    expected = [
        (KINDS[kinds[n]]["DimensionIndexPointer"], KINDS[kinds[n]].get(
            "DimensionIndexPrivateCreator", "")) for n in left
    ]  # fmt: skip
    assert expected == told(found)
    assert [[values[n] for n in left] for values in given_] == values_of(found)
    assert bool(left) == ("DimensionIndexSequence" in found)


def test_values_of_another_number_stay_as_they_are() -> None:
    """Which of them belongs to what goes, nobody can say."""
    found = released(image(["stack", "gone"], [[1, 2, 3]]), BASIC, SYNTAXES[0])

    assert [(Tag("StackID"), "")] == told(found)
    assert [[1, 2, 3]] == values_of(found)


def test_sabotage_a_pointer_that_dangles_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: nothing settled, and what went is still pointed to."""
    monkeypatch.setattr(engine.dimensions, "settle", lambda _: None)

    assert GONE in dict(told(released(image(["gone"], [[1]]), BASIC, SYNTAXES[0])))
