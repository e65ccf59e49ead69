"""What a recipe says of faces: removed and claimed together, or neither."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cohortkit.errors import RecipeError
from cohortkit.recipe.diff import diff
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import FacePolicy, Recipe

OPTION = 'options = ["clean-recognizable-visual-features"]'
DEFACE = 'heads = "deface"\nreason = "looked at by an expert"'


def nothing(values: np.ndarray, affine: np.ndarray, modality: str, /) -> None:
    """A defacer that is never sure."""


def load(folder: Path, faces: str, options: str = OPTION, **more: object) -> Recipe:
    path = folder / "r.toml"
    text = f'format = 1\nbasis = "expert-determination"\n{options}\n[faces]\n{faces}\n'
    path.write_text(text)
    return load_recipe(path, **more)  # type: ignore[arg-type]  # as given


def faults(folder: Path, faces: str, options: str = OPTION, **more: object) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as refused:
        load(folder, faces, options, **more)
    return tuple(refused.value.faults)


def test_what_defaces_is_loaded(tmp_path: Path) -> None:
    """The method that ships needs no more words; a depth may be said."""
    said = load(tmp_path, DEFACE).faces
    assert FacePolicy(deface_heads=True, reason="looked at by an expert") == said
    deeper = load(tmp_path, f'{DEFACE}\nunknown_body_part = "deface"\ndepth_mm = 14').faces
    assert (True, 14, "block") == (deeper.deface_unknown, deeper.depth, deeper.method)


@pytest.mark.parametrize(
    ("faces", "options", "place", "words"),
    [
        (DEFACE, "", "options", "faces are defaced"),
        ('heads = "accept"\nreason = "all is well"', OPTION, "options", 'heads = "deface"'),
        ("", OPTION, "options", 'heads = "deface"'),
        (f'{DEFACE}\nunknown_body_part = "accept"', OPTION, "faces.unknown_body_part", "refuse"),
        ('heads = "deface"', OPTION, "faces.reason", "missing"),
        (f'{DEFACE}\nmethod = "mine"', OPTION, "faces.method", "no defacer of this name"),
        (f"{DEFACE}\ndepth_mm = 3", OPTION, "faces.depth_mm", "8"),
        ("depth_mm = 10", "", "faces.depth_mm", "nothing is defaced"),
        ('method = "block"', "", "faces.method", "nothing is defaced"),
        (DEFACE.replace("deface", "defaced"), OPTION, "faces.heads", "deface"),
    ],
)
def test_contradictions_are_faults(
    tmp_path: Path, faces: str, options: str, place: str, words: str
) -> None:
    """Each is named with its place, before anything is read."""
    found = faults(tmp_path, faces, options)
    assert any(line.startswith(f"{place}: ") and words in line for line in found), found


def test_a_defacer_of_ones_own_is_named_and_digested(tmp_path: Path) -> None:
    """It is taken by its name, is part of what is signed, and goes with no depth."""
    own = f'{DEFACE}\nmethod = "mine"'
    made = load(tmp_path, own, defacers={"mine": nothing})
    assert made.faces.defacer is nothing
    assert made.digest != load(tmp_path, DEFACE).digest
    assert any(
        "depth_mm" in f
        for f in faults(tmp_path, f"{own}\ndepth_mm = 9", defacers={"mine": nothing})
    )
    assert any("none of them" in f for f in faults(tmp_path, DEFACE, defacers={"mine": nothing}))
    assert any("by name" in f for f in faults(tmp_path, own, defacers={"mine": lambda *_: None}))
    assert any("ships" in f for f in faults(tmp_path, DEFACE, defacers={"block": nothing}))


def test_the_claim_is_of_a_series_that_was_defaced(tmp_path: Path) -> None:
    """Of the recipe alone 113102 is not said; the basic profile is either way."""
    recipe = load(tmp_path, DEFACE)
    plain, defaced = (recipe.claims(defaced=done) for done in (False, True))
    assert [code for code, _ in plain.codes] == ["113100"]
    assert [code for code, _ in defaced.codes] == ["113100", "113102"]
    assert "faces: blanked outside a block 10 mm below skin; no guarantee" in defaced.method
    assert not any("faces" in line or "visual" in line for line in plain.method)


def test_a_recipe_tells_it_in_words(tmp_path: Path) -> None:
    """Method, depth, refusal and the claim stand in what is shown, and a diff names them."""
    recipe = load(tmp_path, DEFACE)
    for words in ("leave defaced, because: looked at", "10 mm below the skin", "113102"):
        assert words in repr(recipe)
    deeper = replace(recipe, faces=replace(recipe.faces, depth=14))
    assert "14 mm below the skin, not 10" in str(diff(recipe, deeper))
    assert "defaced by block" in str(diff(load_recipe("basic"), recipe))
