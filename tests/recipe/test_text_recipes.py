"""Clean descriptors as a recipe says it: what is claimed, what is told, what makes its digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cohortkit.errors import RecipeError
from cohortkit.recipe import text as texts
from cohortkit.recipe.explain import explain
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Recipe
from cohortkit.recipe.schema import schema

HEAD = 'basis = "expert-determination"\noptions = ["clean-descriptors"]\n'
KEEP = '[[rules]]\n{}\naction = "{}"\nreason = "the study needs it"\n'


def recipe(folder: Path, body: str, head: str = HEAD) -> Recipe:
    """A recipe with this body."""
    file = folder / "r.toml"
    file.write_text(head + body)
    return load_recipe(file)


@pytest.mark.parametrize(
    ("target", "action", "expected"),
    [
        ('keyword = "SeriesDescription"', "keep", []),
        ('keyword = "SeriesDescription"', "remove", []),
        ('keyword = "SeriesDescription"', "clean", ["113100", "113105"]),
        ('pattern = "*Comments"', "keep", []),
        ('vr = "LT"', "empty", []),
        ('keyword = "RequestAttributesSequence"', "remove", []),
        ('keyword = "MakerNote"', "remove", ["113100", "113105"]),
        ('keyword = "PulserNotes"', "keep", ["113105"]),
        ('keyword = "PulserNotes"', "clean", ["113105"]),
        ('keyword = "InstitutionName"', "keep", ["113105"]),
        ('keyword = "ConvolutionKernel"', "clean", ["113100", "113105"]),
    ],
)
def test_the_option_is_claimed_where_every_row_is_cleaned(
    tmp_path: Path, target: str, action: str, expected: list[str]
) -> None:
    """A row that stays raw, or goes, is not cleaned: 113105 is dropped, and with it 113100.

    What is kept or cleaned beyond the table leaves 113105 alone and drops 113100.
    """
    found = recipe(tmp_path, KEEP.format(target, action)).claims()

    assert expected == [code for code, _ in found.codes]
    assert "YES" == found.identity_removed


def test_a_clean_rule_without_the_option_claims_nothing(tmp_path: Path) -> None:
    """It lets more through than the profile, and is no option."""
    body = KEEP.format('keyword = "SeriesDescription"', "clean")
    found = recipe(tmp_path, body, 'basis = "authorization"\n').claims()

    assert () == found.codes


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('[[rules]]\nkeyword = "PulserNotes"\naction = "clean"\n', "rules[0].reason: missing"),
        (KEEP.format('keyword = "PatientAddress"', "clean"), "rules[0].acknowledge: missing"),
        (KEEP.format('keyword = "PatientName"', "clean"), "rules[0].action: clean is for VR"),
        (KEEP.format('keyword = "PixelData"', "clean"), "rules[0]"),
    ],
)
def test_who_cleans_what_is_not_the_tables_says_why(tmp_path: Path, body: str, place: str) -> None:
    """As whoever keeps it does; and a name or a number is not cleaned."""
    with pytest.raises(RecipeError) as caught:
        recipe(tmp_path, body)

    assert any(fault.startswith(place) for fault in caught.value.faults)


def test_everything_is_told_in_words(tmp_path: Path) -> None:
    """What stays, with which words, and what is asked beside them."""
    body = 'unlisted = "clean"\n[text]\nwords = ["ISPY2", "Stony Brook"]\npatients = 7\n'
    said = recipe(tmp_path, body)

    assert "Descriptions, comments and labels of the table stay as far as they name nobody" in repr(
        said
    )
    assert "Words of the site that stay: ISPY2, Stony Brook." in repr(said)
    assert "descriptions of 7 patients or more, and in no name" in repr(said)
    assert "Text outside the table is cleaned too" in repr(said)
    assert "113105 Clean Descriptors Option" in repr(said)
    for keyword in ("SeriesDescription", "PulserNotes", "ProtocolName"):
        assert "stays as far as it names nobody" in str(explain(said, keyword))
    assert "cannot be cleaned" in str(explain(said, "MakerNote"))


def test_the_digest_holds_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's words, the threshold, and the list that ships; where text is cleaned."""
    basic, said = load_recipe("basic"), recipe(tmp_path, "")
    before, plain = said.digest, basic.digest
    others = [
        replace(said, text=texts.TextPolicy(words=("ISPY2",))),
        replace(said, text=texts.TextPolicy(patients=5)),
        replace(said, text=texts.TextPolicy(patients=6)),
        replace(said, text=texts.TextPolicy(detectors=(("a", first_letter),))),
    ]

    assert 5 == len({before, *(other.digest for other in others)})
    assert before == replace(said, text=texts.TextPolicy(seen=frozenset({"x"}))).digest
    monkeypatch.setattr(texts, "digest", lambda: "another list")
    assert (plain, True) == (basic.digest, before != said.digest)


def first_letter(text: str) -> list[tuple[int, int]]:
    """A detector that takes the first letter."""
    return [(0, 1)] if text else []


def test_editors_are_told() -> None:
    """The form of [text] is in the schema."""
    form = schema()["$defs"]["TextEntry"]["properties"]

    assert {"words", "patients"} == set(form)
