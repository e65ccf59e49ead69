"""deid-data's phantoms: an OCR reads the planted words before, and none of them after.

The names, numbers and dates in these ultrasound images are made up. The reader is no part of the
library, and its models are in its wheel.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cohortkit.errors import Refusal
from cohortkit.model import DeidentifiedSeries
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.redacted import values_of
from cohortkit.recipe.deid.devices import device_rules
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Criterion, Deed, Match, PixelPolicy, PixelRule, Recipe
from objects import deidentified, once

PLANTED = {
    "GREYSCALE_IMAGE": ("ZZZ", "PATIENT", "00079241539", "08/29/1951", "CLEVELAN", "03/02/2017"),
    "RGB_IMAGE": ("DOWNTIME", "MARY", "4/14/2020", "120907058", "00047431395", "CLEVELAND"),
}
"""Words that the reader finds in the source; each is of a made-up patient, or of the place."""
LEFT = {"GREYSCALE_IMAGE": ("L12-5", "36Hz", "4.0cm"), "RGB_IMAGE": ("16cm", "Liver")}
"""Words inside the picture, which are worth keeping."""
BARS = {"GREYSCALE_IMAGE": Rectangle(0, 0, 1024, 24), "RGB_IMAGE": Rectangle(0, 0, 1024, 60)}
DEVICES = {"GREYSCALE_IMAGE": "EPIQ 5G", "RGB_IMAGE": "S2000"}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


@cache
def reader() -> object:
    """The OCR, silent, once a process."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - heavy

    return RapidOCR(params={"Global.log_level": "error"})


def words(picture: np.ndarray) -> str:
    """All that can be read in a picture of 8 bits, without blanks."""
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    read = reader()(np.ascontiguousarray(colour.astype(np.uint8)))  # type: ignore[operator]
    return re.sub(r"\s", "", " ".join(read.txts or ()))


def phantom(name: str) -> Path:
    """One of the phantoms as a file."""
    return Path(str(files("deid_data") / "data" / "ultrasounds" / f"{name}.dcm"))


def by_device(name: str) -> Recipe:
    """The recipe with a rule that blanks the bar of one device at one size."""
    when = {"ManufacturerModelName": DEVICES[name], "Rows": "768", "Columns": "1024"}
    criteria = tuple((Criterion(k, Match.IS, v),) for k, v in when.items())
    rule = PixelRule(criteria, Deed.BLANK, rectangles=(BARS[name],), reason="as measured")
    return replace(load_recipe("ultrasound"), pixels=PixelPolicy(rules=(rule,)))


def shown(series: DeidentifiedSeries) -> np.ndarray:
    """The values that PNG and NIfTI are made of."""
    (handle,), form = series.pixels, series.facts.instances[0].pixels
    assert handle is not None
    assert form is not None
    return values_of(handle, form)


@pytest.mark.parametrize("name", PLANTED)
def test_the_reader_reads_the_planted_words(name: str) -> None:
    """The control: without blanking every word is there to be read."""
    found = words(pydicom.dcmread(phantom(name)).pixel_array)
    assert () == tuple(word for word in PLANTED[name] if word not in found), found


@pytest.mark.parametrize("how", ["regions", "device", "deid"])
@pytest.mark.parametrize("name", PLANTED)
def test_no_planted_word_is_left(name: str, how: str, tmp_path: Path) -> None:
    """By regions, a rule for the device, deid's; what is worth keeping can still be read."""
    recipe = {"regions": load_recipe("ultrasound"), "device": by_device(name)}.get(how)
    if recipe is None:
        policy = PixelPolicy(rules=device_rules())
        recipe = replace(load_recipe("ultrasound"), pixels=policy)
    path = tmp_path / "a"
    path.write_bytes(phantom(name).read_bytes())
    written = pydicom.dcmread(once(path, recipe)).pixel_array
    assert np.array_equal(written, shown(deidentified(path, recipe=recipe))[0])
    found = words(written)
    assert () == tuple(word for word in PLANTED[name] if word in found), found
    assert () == tuple(word for word in LEFT[name] if word not in found), found


@pytest.mark.parametrize("name", PLANTED)
def test_sabotage_a_mask_one_row_too_low_is_read(name: str) -> None:
    """A blanking that misses the bar leaves words that the reader finds."""
    low = replace(BARS[name], top=40, height=30)
    rule = replace(by_device(name).pixels.rules[0], rectangles=(low,))
    recipe = replace(load_recipe("ultrasound"), pixels=PixelPolicy(rules=(rule,)))
    found = words(shown(deidentified(phantom(name), recipe=recipe))[0])
    assert [word for word in PLANTED[name] if word in found]


def test_every_frame_of_a_clip(tmp_path: Path) -> None:
    """The bar is black in all 27 frames, and the picture is as it was in all of them."""
    archive = Path(str(files("deid_data") / "data" / "ultrasounds" / "GREYSCALE_CINE.zip"))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    path = tmp_path / "GREYSCALE_CINE.dcm"
    before = pydicom.dcmread(path).pixel_array
    assert "PATIENT" in words(before[0])
    assert "PATIENT" in words(before[-1])
    after = shown(deidentified(path, recipe="ultrasound"))
    region = pydicom.dcmread(path).SequenceOfUltrasoundRegions[0]
    rows = slice(region.RegionLocationMinY0, region.RegionLocationMaxY1 + 1)
    columns = slice(region.RegionLocationMinX0, region.RegionLocationMaxX1 + 1)
    assert before.shape == after.shape
    assert 27 == len(after)
    assert np.array_equal(before[:, rows, columns], after[:, rows, columns])
    outside = np.ones(after.shape[1:], bool)
    outside[rows, columns] = False
    assert before[:, outside].any(axis=1).all()
    assert not after[:, outside].any()
    assert "PATIENT" not in words(after[0]) + words(after[-1])


@pytest.mark.parametrize("name", PLANTED)
def test_basic_refuses_them(name: str) -> None:
    """Without a rule an ultrasound image does not leave."""
    with pytest.raises(Refusal, match="burned-in-risk"):
        deidentified(phantom(name))


def test_a_device_that_is_not_the_one_is_refused() -> None:
    """The rule of one phantom's device says nothing of the other's."""
    with pytest.raises(Refusal, match="burned-in-risk"):
        deidentified(phantom("RGB_IMAGE"), recipe=by_device("GREYSCALE_IMAGE"))
