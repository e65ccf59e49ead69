"""deid's known devices: the same images flagged, the same parts blanked as deid itself says."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileDataset

from cohortkit.deidentify.headers import asked_of, holds
from cohortkit.deidentify.signatures import fitting
from cohortkit.dicom.sop_classes import TABLE
from cohortkit.errors import MissingDependency, RecipeError
from cohortkit.pixels.redacted import RedactedPixels, values_of
from cohortkit.recipe.deid.devices import device_rules
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Recipe
from factory import Patient, Series, instance
from objects import deidentified
from released import release

US = TABLE["1.2.840.10008.5.1.4.1.1.6.1"]
TEXT = files("deid").joinpath("data", "deid.dicom").read_text("utf-8")
GRAY = TEXT.split("%filter graylist")[1].split("%filter blacklist")[0]
CRITERION = re.compile(r"^[\s+|]*(contains|equals)\s+(\w+)\s+(.+?)\s*$")
RECIPE = """
format = 1
basis = "gdpr-pseudonymised"
[pixels]
devices = "deid"
"""
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:pydicom"),
    pytest.mark.filterwarnings(
        "ignore:The .pydicom.pixel_data_handlers:DeprecationWarning"
    ),  # deid
]


def labels() -> list[list[str]]:
    """The labels of deid's graylist that bring coordinates, each as its lines."""
    parts = re.split(r"^LABEL", GRAY, flags=re.MULTILINE)[1:]
    return [part.splitlines() for part in parts if "coordinates" in part]


def header(label: list[str]) -> Dataset | None:
    """A header that has what a label asks for, first alternatives; None where it cannot be."""
    made = FileDataset("", {}, preamble=b"\0" * 128)
    made.SOPClassUID = US.uid
    for line in label:
        found = CRITERION.match(line.split("||")[0].split(" #")[0])
        if found is None:
            continue
        keyword, value = found[2], found[3].split("|")[0]
        if tag_for_keyword(keyword) is None:
            return None
        if keyword in {"Rows", "Columns"}:
            setattr(made, keyword, int(value))
        else:  # some labels ask twice for one attribute
            setattr(made, keyword, f"{made.get(keyword, '')} {value}".strip())
    return made


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    path = tmp_path_factory.mktemp("deid") / "devices.toml"
    path.write_text(RECIPE)
    return load_recipe(path)


def of_deid(image: Dataset) -> set[tuple[int, ...]]:
    """left, top, right, bottom of each part that deid blanks."""
    from deid.dicom.pixels import has_burned_pixels  # noqa: PLC0415 - the oracle

    flagged = has_burned_pixels(image)
    return {
        tuple(int(number) for number in text.split(","))
        for result in flagged["results"]
        for _, text in result["coordinates"]
    }


def of_ours(image: Dataset, recipe: Recipe) -> set[tuple[int, ...]]:
    """The same by the rules."""
    rules = fitting(asked_of(image), holds(image), US, recipe.pixels)
    return {(p.left, p.top, p.right, p.bottom) for rule in rules for p in rule.rectangles}


def test_every_device_is_taken_over(recipe: Recipe) -> None:
    """For each label an image that it is for: blanked where deid blanks it, part for part."""
    asked = [(label, header(label)) for label in labels()]
    lost = [label for label, image in asked if image is None]
    silent = []
    for label, image in asked:
        if image is None:
            continue
        expected = of_deid(image)
        assert expected == of_ours(image, recipe), label
        if not expected:
            silent.append(label[0].strip())
    assert 105 == len(asked)
    assert 101 == len(asked) - len(lost) == len(device_rules())
    # one equals the text 600|768, which no Rows do; one takes a + between words for a repetition
    assert ["EPIQ_7G (CTP)", "Stanford Medical Center GE # (Roger Goldman)"] == silent
    # deid asks here for attributes that there are not, so that they flag nothing there either
    names = {"OverlayDescription", "Manfacturer", "Manufacture"}
    assert all(names & set(" ".join(label).split()) for label in lost)


@pytest.mark.parametrize("keyword", ["Rows", "ManufacturerModelName", "Manufacturer", "Modality"])
def test_another_device_is_not_flagged(recipe: Recipe, keyword: str) -> None:
    """One attribute changed: deid and the rules agree again, and mostly on nothing."""
    silent = 0
    for label in labels():
        image = header(label)
        if image is None or keyword not in image:
            continue
        setattr(image, keyword, 7 if keyword == "Rows" else "ZZZZ")
        expected = of_deid(image)
        assert expected == of_ours(image, recipe), label
        silent += not expected
    assert 40 < silent


@pytest.mark.parametrize("name", ["GREYSCALE_IMAGE", "RGB_IMAGE"])
def test_phantoms_are_cleaned_as_deid_cleans_them(recipe: Recipe, name: str) -> None:
    """Pixel for pixel what deid's own cleaner makes of them."""
    from deid.dicom import DicomCleaner  # noqa: PLC0415 - the oracle

    path = Path(str(files("deid_data") / "data" / "ultrasounds" / f"{name}.dcm"))
    cleaner = DicomCleaner()
    cleaner.detect(str(path))
    cleaner.clean()
    series = deidentified(path, recipe=recipe)
    (handle,), form = series.pixels, series.facts.instances[0].pixels
    assert handle is not None
    assert form is not None
    assert np.array_equal(cleaner.cleaned, values_of(handle, form)[0])
    assert not np.array_equal(cleaner.cleaned, pydicom.dcmread(path).pixel_array)


def test_a_part_that_reaches_beyond_the_image_is_cut_as_deid_cuts_it(recipe: Recipe) -> None:
    """A bar of 1024 for the EPIQ, whose images may have 800 columns."""
    device = {"Manufacturer": "Philips", "ManufacturerModelName": "EPIQ 7G"}
    size = {"rows": 600, "columns": 800, "slices": 1}
    shot = instance(Patient(), Series(US.uid, "US", extra=device, **size), 0)
    before = shot.pixel_array
    (handle,) = release([shot], recipe).pixels
    assert isinstance(handle, RedactedPixels)
    after = handle.values()[0]
    assert not after[:49].any()
    assert np.array_equal(before[49:], after[49:])


def test_whose_rules_they_are_is_told(recipe: Recipe) -> None:
    """In words and in the digest: another version of deid is another recipe."""
    assert "devices that deid knows are cleaned by its 101 rules" in repr(recipe)
    assert {"deid"} == {rule.origin for rule in recipe.pixels.rules}
    assert recipe.digest != load_recipe("basic").digest


def test_without_deid_the_recipe_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra; nothing is let through for want of it."""
    device_rules.cache_clear()
    monkeypatch.setitem(sys.modules, "deid.config", None)
    (tmp_path / "d.toml").write_text(RECIPE)
    with pytest.raises(MissingDependency, match=r"cohortkit\[deid\]"):
        load_recipe(tmp_path / "d.toml")


def test_other_lists_are_unknown(tmp_path: Path) -> None:
    """A misspelt list of devices is no list."""
    (tmp_path / "d.toml").write_text(RECIPE.replace('"deid"', '"died"'))
    with pytest.raises(RecipeError, match="did you mean deid"):
        load_recipe(tmp_path / "d.toml")
