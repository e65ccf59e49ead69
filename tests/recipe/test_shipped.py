"""The recipes that ship: sound, documented, and each different from basic where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Action, PixelRisk, Recipe
from cohortkit.recipe.policy import Policy

NAMES = [
    "basic",
    "brain-mr",
    "chest-ct",
    "dates-kept",
    "descriptions-cleaned",
    "patient-characteristics-kept",
    "ultrasound",
]


def action(recipe: Recipe, keyword: str) -> Action:
    """What a recipe does with an attribute."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return Policy(recipe).decide(tag, dictionary_VR(tag), None).action


def test_these_ship_and_no_others(project: Path) -> None:
    """Every file in recipes/ is on the list, in the README there, and loads."""
    assert NAMES == sorted(shipped())
    assert NAMES == sorted(file.stem for file in (project / "recipes").glob("*.toml"))
    readme = (project / "recipes" / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_documented_and_claims_the_profile(name: str) -> None:
    """Title and description for whoever signs; 113100 and the identity removed."""
    recipe = load_recipe(name)
    assert recipe.name == name
    assert len(recipe.title) > 10
    assert len(recipe.description) > 100
    claims = recipe.claims()
    assert ("113100", "YES") == (claims.codes[0][0], claims.identity_removed)


@pytest.mark.parametrize(
    ("name", "keyword", "expected"),
    [
        ("chest-ct", "StudyDate", Action.SHIFT),
        ("chest-ct", "PatientAge", Action.CAP_AGE),
        ("brain-mr", "AcquisitionDate", Action.SHIFT),
        ("dates-kept", "StudyDate", Action.KEEP),
        ("patient-characteristics-kept", "PatientSex", Action.KEEP),
        ("patient-characteristics-kept", "PatientWeight", Action.KEEP),
        ("ultrasound", "PatientAge", Action.CAP_AGE),
        ("descriptions-cleaned", "SeriesDescription", Action.CLEAN),
    ],
)
def test_each_differs_from_basic(name: str, keyword: str, expected: Action) -> None:
    """The attribute for which the recipe is there."""
    assert action(load_recipe(name), keyword) is expected
    assert action(load_recipe("basic"), keyword) in (Action.REMOVE, Action.EMPTY, Action.DUMMY)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "keyword",
    [
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "AccessionNumber",
        "StudyDescription",
        "SeriesDescription",
        "ReferringPhysicianName",
        "InstitutionName",
        "ImageComments",
    ],
)
def test_none_keeps_an_identifier(name: str, keyword: str) -> None:
    """Whatever else a shipped recipe keeps."""
    kept = (Action.KEEP, Action.SHIFT, Action.CAP_AGE, Action.UID)
    assert action(load_recipe(name), keyword) not in kept


@pytest.mark.parametrize("name", NAMES)
def test_none_accepts_burned_in_names(name: str) -> None:
    """That needs a reason of one's own."""
    for risk in PixelRisk:
        assert not load_recipe(name).pixels.accepts(risk, modality="CT", sop_class=None)


def test_only_brain_mr_accepts_faces_and_says_why() -> None:
    """A face is never let through by a default."""
    accepting = [name for name in NAMES if load_recipe(name).faces.accept_heads]
    unknown = [name for name in NAMES if load_recipe(name).faces.accept_unknown]
    assert ["brain-mr"] == accepting == unknown
    assert "agreement" in load_recipe("brain-mr").faces.reason


def test_only_ultrasound_cleans_pixels_and_claims_it() -> None:
    """113101 is the claim of the recipe that has a rule for every image that it lets out."""
    cleaning = [name for name in NAMES if load_recipe(name).pixels.rules]
    claiming = [n for n in NAMES if "113101" in dict(load_recipe(n).claims().codes)]
    assert ["ultrasound"] == cleaning == claiming


def test_only_descriptions_cleaned_cleans_text_and_claims_it() -> None:
    """113105 is the claim of the recipe that lets cleaned text through."""
    cleaning = [n for n in NAMES if action(load_recipe(n), "ImageComments") is Action.CLEAN]
    claiming = [n for n in NAMES if "113105" in dict(load_recipe(n).claims().codes)]
    assert ["descriptions-cleaned"] == cleaning == claiming


def test_brain_mr_keeps_the_diffusion_numbers() -> None:
    """Private, and called safe by the standard itself."""
    brain, basic = (Policy(load_recipe(name)) for name in ("brain-mr", "basic"))
    asked = (0x0019100C, "IS", "SIEMENS MR HEADER")
    assert (Action.KEEP, Action.REMOVE) == (
        brain.decide(*asked).action,
        basic.decide(*asked).action,
    )


def test_the_wheel_maps_the_recipes_into_the_package(project: Path) -> None:
    """An installed package finds them where ``load_recipe`` looks first."""
    assert '"recipes" = "cohortkit/recipes"' in (project / "pyproject.toml").read_text()
