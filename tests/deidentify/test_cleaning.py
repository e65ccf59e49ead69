"""Pixels by recipe: which rule fits which header, what passes the gate, what is blanked, claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from cohortkit.deidentify.gates import burned_in_risk
from cohortkit.deidentify.headers import asked_of, holds
from cohortkit.deidentify.signatures import fitting
from cohortkit.dicom.sop_classes import TABLE
from cohortkit.errors import RecipeError, Refusal
from cohortkit.model import Frames, PixelWork, Reason
from cohortkit.payloads import frames
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.redacted import RedactedPixels, values_of
from cohortkit.pixels.render import pictures
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import (
    Area,
    Basis,
    Criterion,
    Deed,
    Match,
    Option,
    PixelAcceptance,
    PixelPolicy,
    PixelRisk,
    PixelRule,
    Recipe,
)
from factory import Patient, Series, instance
from released import release

ROOT = "1.2.840.10008.5.1.4.1.1."
US, CT, SR, PDF = (TABLE[ROOT + t] for t in ("6.1", "2", "88.11", "104.1"))
DEVICE = {"Manufacturer": "ACME", "ManufacturerModelName": "Echo 5", "Rows": 12, "Columns": 10}
BAR = (Rectangle(0, 0, 10, 3),)


def criteria(when: Mapping[str, object]) -> tuple[tuple[Criterion, ...], ...]:
    """Each of these exactly."""
    return tuple((Criterion(k, Match.IS, str(v)),) for k, v in when.items())


def blanking(*parts: Rectangle, when: Mapping[str, object] = DEVICE, **more: Any) -> PixelRule:  # noqa: ANN401 - any field of a rule
    """A rule that blanks parts on one device."""
    return PixelRule(criteria(when), Deed.BLANK, rectangles=parts or BAR, reason="seen", **more)


def keeping(**more: Any) -> PixelRule:  # noqa: ANN401 - any field of a rule
    """A rule that keeps the ultrasound regions."""
    return PixelRule(criteria(DEVICE), Deed.KEEP, Area.REGIONS, reason="seen", **more)


VERIFIED = PixelRule(criteria(DEVICE), Deed.VERIFIED, Area.ALL, reason="looked at")
EVERYTHING = PixelRule((), Deed.BLANK, Area.ALL, reason="unknown devices")


def recipe(*rules: PixelRule, claim: bool = False, **more: Any) -> Recipe:  # noqa: ANN401 - any field of a recipe
    """A recipe with these rules, which claims that pixels are clean or does not."""
    options = frozenset({Option.CLEAN_PIXEL_DATA} if claim else ())
    policy = PixelPolicy(rules=rules)
    basis = Basis.GDPR_PSEUDONYMISED
    return Recipe(name="t", basis=basis, options=options, pixels=policy, **more)


def echo(**extra: object) -> Dataset:
    """One ultrasound image of 12 rows and 10 columns from the device, every pixel above 0."""
    series = Series(sop_class=US.uid, modality="US", slices=1, extra={**DEVICE, **extra})
    made = instance(Patient(), series, 0)
    values = np.frombuffer(made.PixelData, np.uint16).copy()
    values |= 1
    made.PixelData = values.tobytes()
    return made


def regions(*corners: tuple[int, int, int, int], **more: int) -> Sequence:
    """(0018,6011) with these corners: left, top, right, bottom, all inside."""
    items = []
    for left, top, right, bottom in corners:
        item = Dataset()
        item.RegionSpatialFormat = more.get("spatial", 1)
        item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
        item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
        items.append(item)
    return Sequence(items)


def shown(dataset: Dataset, by: Recipe) -> np.ndarray:
    """The values that a payload would be made of."""
    series = release([dataset], by)
    (handle,), form = series.pixels, series.facts.instances[0].pixels
    assert handle is not None
    assert form is not None
    return values_of(handle, form)[0]


def reason_of(dataset: Dataset, by: Recipe) -> Reason:
    """Why the series is refused."""
    with pytest.raises(Refusal) as refused:
        release([dataset], by)
    return refused.value.reason


# ── which rule fits ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "fits"),
    [
        (Criterion("Manufacturer", Match.IS, "ACME"), True),
        (Criterion("Manufacturer", Match.IS, "acme"), False),
        (Criterion("Manufacturer", Match.IS, "ACM"), False),
        (Criterion("StationName", Match.IS, "x"), False),
        (Criterion("Rows", Match.IS, "12"), True),
        (Criterion("Rows", Match.IS, "12.0"), True),
        (Criterion("Rows", Match.IS, "1"), False),
        (Criterion("WindowWidth", Match.IS, "400"), True),
        (Criterion("ImageType", Match.IS, "ORIGINAL\\PRIMARY"), True),
        (Criterion("ImageType", Match.IS, "ORIGINAL"), False),
        (Criterion("Manufacturer", Match.IS_NOT, "ACME"), False),
        (Criterion("Manufacturer", Match.IS_NOT, "Other"), True),
        (Criterion("StationName", Match.IS_NOT, "x"), True),
        (Criterion("Manufacturer", Match.MATCHES, "^ac"), True),
        (Criterion("ImageType", Match.MATCHES, "primary"), True),
        (Criterion("StationName", Match.MATCHES, ".*"), False),
        (Criterion("Manufacturer", Match.MATCHES_NOT, "ac"), False),
        (Criterion("StationName", Match.MATCHES_NOT, "ac"), True),
        (Criterion("SequenceOfUltrasoundRegions", Match.PRESENT), True),
        (Criterion("StationName", Match.PRESENT), False),
        (Criterion("StationName", Match.ABSENT), True),
        (Criterion("Manufacturer", Match.ABSENT), False),
        (Criterion("SeriesDescription", Match.EMPTY), True),
        (Criterion("Manufacturer", Match.EMPTY), False),
        (Criterion("StationName", Match.EMPTY), False),
        (Criterion("Manfacturer", Match.IS, "ACME"), False),
        (Criterion("Manfacturer", Match.ABSENT), True),
    ],
)
def test_a_criterion_asks_one_attribute(one: Criterion, fits: bool) -> None:  # noqa: FBT001 - a case
    """Exactly, by expression, or whether it is there; a misspelt attribute is not there."""
    header = Dataset()
    header.Manufacturer, header.Rows, header.WindowWidth = " ACME\0", 12, "400.0"
    header.ImageType = ["ORIGINAL ", "PRIMARY"]
    header.SeriesDescription = ""
    header.SequenceOfUltrasoundRegions = []
    policy = PixelPolicy(rules=(PixelRule(((one,),), Deed.VERIFIED, Area.ALL),))
    assert fits is bool(fitting(asked_of(header), holds(header), US, policy))


def test_every_clause_and_any_of_its_criteria() -> None:
    """A list of values is any of them; two attributes are both."""
    either = tuple(Criterion("Manufacturer", Match.IS, name) for name in ("ACME", "EMCA"))
    model = (Criterion("ManufacturerModelName", Match.IS, "Echo 5"),)
    policy = PixelPolicy(rules=(PixelRule((either, model), Deed.VERIFIED, Area.ALL),))
    for maker, name, fits in (
        ("ACME", "Echo 5", True),
        ("EMCA", "Echo 5", True),
        ("ACME", "Echo 6", False),
        ("Other", "Echo 5", False),
    ):
        said = {"Manufacturer": maker, "ManufacturerModelName": name}
        assert fits is bool(fitting(said.get, said.__contains__, US, policy))


@given(st.sampled_from(sorted(DEVICE)), st.text(max_size=8))
def test_any_other_value_does_not_fit(keyword: str, other: str) -> None:
    """A device that differs in one attribute of the signature is another device."""
    if other.strip("\0 \t\n\r") == str(DEVICE[keyword]):
        return
    said = {**DEVICE, keyword: other}
    assert () == fitting(said.get, said.__contains__, US, recipe(VERIFIED).pixels)


def test_what_an_index_row_cannot_answer_is_left_to_the_worker() -> None:
    """A plan foresees no refusal that the header may answer otherwise."""
    rule = recipe(blanking(when={**DEVICE, "DeviceUID": "1.2"}))
    row = {**DEVICE, "BurnedInAnnotation": "YES"}

    def there(keyword: str) -> bool | None:
        return row[keyword] is not None if keyword in row else None

    assert burned_in_risk(row.get, US, rule, there) is None
    assert Reason.BURNED_IN_RISK is burned_in_risk(row.get, US, rule)


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", [blanking(), keeping(), VERIFIED, EVERYTHING])
def test_a_fitting_rule_opens_the_gate(rule: PixelRule) -> None:
    """Cleaned or verified: ultrasound passes, also where it says YES."""
    for stated in (None, "YES", "NO"):
        get = {**DEVICE, "BurnedInAnnotation": stated}.get
        assert burned_in_risk(get, US, recipe(rule)) is None
        assert Reason.BURNED_IN_RISK is burned_in_risk(get, US, recipe())


def test_no_rule_speaks_for_what_is_no_still_picture() -> None:
    """A document or a video is not cleaned by rectangles, nor verified by them."""
    video = TABLE[ROOT + "77.1.1.1"]
    for rule in (VERIFIED, EVERYTHING):
        for sop in (PDF, video):
            claiming = recipe(rule, claim=True)
            assert Reason.BURNED_IN_RISK is burned_in_risk(DEVICE.get, sop, claiming)
        assert Reason.BURNED_IN_RISK is burned_in_risk(DEVICE.get, video, recipe(rule))


def test_under_the_option_nothing_else_lets_pixels_out() -> None:
    """Who claims clean pixels cleans or verifies every one of them, CT too."""
    quiet = {"BurnedInAnnotation": "NO", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}
    assert burned_in_risk(quiet.get, CT, recipe(VERIFIED)) is None
    assert Reason.BURNED_IN_RISK is burned_in_risk(quiet.get, CT, recipe(VERIFIED, claim=True))
    known = {**quiet, **DEVICE}
    assert burned_in_risk(known.get, CT, recipe(VERIFIED, claim=True)) is None
    assert burned_in_risk({}.get, SR, recipe(VERIFIED, claim=True)) is None
    accepting = PixelAcceptance(frozenset(PixelRisk), "all of them", modality="CT")
    both = recipe(VERIFIED, claim=True)
    both = replace(both, pixels=replace(both.pixels, accept=(accepting,)))
    assert Reason.BURNED_IN_RISK is burned_in_risk({**quiet, "Modality": "CT"}.get, CT, both)


def test_one_unknown_image_refuses_the_series() -> None:
    """A series leaves whole or not at all."""
    other = echo(ManufacturerModelName="Echo 6")
    other.SOPInstanceUID += ".1"
    with pytest.raises(Refusal) as refused:
        release([echo(), other], recipe(blanking()))
    assert Reason.BURNED_IN_RISK is refused.value.reason


# ── what is blanked ──────────────────────────────────────────────────────────────────────────────


def test_parts_are_blanked_and_nothing_else() -> None:
    """Black inside, every other value as it was."""
    source = np.frombuffer(echo().PixelData, np.uint16).reshape(12, 10)
    values = shown(echo(), recipe(blanking(Rectangle(2, 1, 5, 3), Rectangle(9, 11, 1, 1))))
    black = np.zeros((12, 10), bool)
    black[1:4, 2:7] = black[11, 9] = True
    assert not values[black].any()
    assert np.array_equal(source[~black], values[~black])


def test_outside_the_regions_all_is_blanked() -> None:
    """Regions with their corners stay, but for what another rule blanks; graphics go."""
    drawn = regions((8, 0, 9, 3), spatial=5)
    shot = echo(SequenceOfUltrasoundRegions=Sequence([*regions((1, 2, 6, 9)), *drawn]))
    source = np.frombuffer(shot.PixelData, np.uint16).reshape(12, 10)
    values = shown(shot, recipe(keeping(), blanking(Rectangle(1, 2, 2, 1))))
    kept = np.zeros((12, 10), bool)
    kept[2:10, 1:7] = True
    kept[2, 1:3] = False
    assert np.array_equal(source[kept], values[kept])
    assert not values[~kept].any()


def test_everything_goes_that_no_rule_keeps() -> None:
    """A rule for all images blanks whole frames, but for what is kept by another."""
    assert not shown(echo(), recipe(EVERYTHING)).any()
    shot = echo(SequenceOfUltrasoundRegions=regions((1, 2, 6, 9)))
    values = shown(shot, recipe(EVERYTHING, keeping()))
    assert values[2:10, 1:7].all()
    assert 8 * 6 == np.count_nonzero(values)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        regions(),
        regions((1, 2, 1, 9)),
        regions((1, 9, 6, 2)),
        regions((1, 2, 10, 9)),
        regions((1, 2, 6, 12)),
        regions((-1, 2, 6, 9)),
        regions((1, 2, 6, 9), (0, 0, 99, 9)),
        regions((1, 2, 6, 9), spatial=5),
        Sequence([Dataset()]),
    ],
)
def test_unusable_regions_are_refused_by_name(broken: Sequence | None) -> None:
    """Absent, empty, turned around, beyond the image, without corners, graphics alone."""
    shot = echo() if broken is None else echo(SequenceOfUltrasoundRegions=broken)
    assert Reason.NO_REGIONS is reason_of(shot, recipe(keeping()))


def test_regions_that_are_no_sequence_are_refused() -> None:
    """Bytes in the place of items are not taken for no regions."""
    shot = echo()
    tag = Tag("SequenceOfUltrasoundRegions")
    shot._dict[tag] = RawDataElement(
        tag, "SQ", 4, b"junk", 0, is_implicit_VR=False, is_little_endian=True
    )
    assert Reason.NOT_UNDERSTOOD is reason_of(shot, recipe(keeping()))


def test_a_rule_that_blanks_nothing_is_no_cleaning() -> None:
    """Regions that are the whole image hide no name."""
    whole = echo(SequenceOfUltrasoundRegions=regions((0, 0, 9, 11)))
    assert Reason.NOTHING_BLANKED is reason_of(whole, recipe(keeping()))
    halves = echo(SequenceOfUltrasoundRegions=regions((0, 0, 9, 4), (0, 5, 9, 11)))
    assert Reason.NOTHING_BLANKED is reason_of(halves, recipe(keeping()))
    all_but_two = echo(SequenceOfUltrasoundRegions=regions((0, 0, 9, 9), (0, 10, 8, 11)))
    assert 2 == np.count_nonzero(shown(all_but_two, recipe(keeping())) == 0)


@pytest.mark.parametrize("part", [Rectangle(0, 0, 11, 3), Rectangle(0, 10, 1, 3)])
def test_a_rectangle_beyond_the_image_is_refused_or_cut(part: Rectangle) -> None:
    """The image is not the one that was measured; whose rules are cut at the edge says so."""
    assert Reason.REDACTION_OUTSIDE is reason_of(echo(), recipe(blanking(part, origin="others")))
    values = shown(echo(), recipe(blanking(part, clipped=True)))
    inside = part.clipped(12, 10)
    assert inside.width * inside.height == np.count_nonzero(values == 0)


def test_a_cut_rectangle_of_which_nothing_is_left_is_refused() -> None:
    """It would have blanked nothing."""
    outside = blanking(Rectangle(10, 0, 5, 5), clipped=True)
    assert Reason.NOTHING_BLANKED is reason_of(echo(), recipe(outside))


def test_verified_pixels_are_passed_on_untouched() -> None:
    """The handle is the source's own, so that their bytes can pass."""
    series = release([echo()], recipe(VERIFIED))
    assert (PixelWork.VERIFIED,) == series.pixel_work
    assert not isinstance(series.pixels[0], RedactedPixels)
    series = release([echo()], recipe(VERIFIED, blanking()))
    assert (PixelWork.BLANKED,) == series.pixel_work
    assert isinstance(series.pixels[0], RedactedPixels)


def test_black_parts_do_not_darken_the_picture() -> None:
    """Where the header has no window the picture is shown between values that are still there."""
    shot = echo(BitsStored=16, HighBit=15, PixelRepresentation=1)
    del shot.WindowCenter, shot.WindowWidth
    values = np.full((12, 10), 1000, np.int16)
    values[6:] = 1200
    shot.PixelData = values.tobytes()
    (made,) = frames.assemble(release([shot], recipe(blanking())))
    assert isinstance(made, Frames)
    assert made.limits is not None
    assert (1000, 1200) == made.limits()
    (picture, _) = next(iter(pictures(made)))
    assert [0, 0, 255] == [int(picture[row, 0]) for row in (0, 4, 8)]


def test_a_rule_that_fits_cleans_also_what_bears_no_risk() -> None:
    """A CT image that the gate would pass is blanked all the same."""
    plain = Series(slices=1, extra=DEVICE)
    values = shown(instance(Patient(), plain, 0), recipe(blanking()))
    assert (values[:3] == values.min()).all()


# ── claims ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", [blanking(), VERIFIED])
@pytest.mark.parametrize("stated", ["YES", "NO", None])
def test_clean_pixels_are_claimed_in_code_and_flag(rule: PixelRule, stated: str | None) -> None:
    """113101 and (0028,0301) NO where every image was cleaned or verified, and only there."""
    shot = echo() if stated is None else echo(BurnedInAnnotation=stated)
    claimed = release([shot], recipe(rule, claim=True))
    assert "113101" in [code for code, _ in claimed.statement.codes]
    header = claimed.headers[0]
    assert "NO" == header.get("BurnedInAnnotation")
    codes = [item.CodeValue for item in header._dataset.DeidentificationMethodCodeSequence]
    assert ["113100", "113101"] == codes
    shot = echo() if stated is None else echo(BurnedInAnnotation=stated)
    silent = release([shot], recipe(rule))
    assert "113101" not in [code for code, _ in silent.statement.codes]
    assert stated == silent.headers[0].get("BurnedInAnnotation")


def test_an_object_without_pixels_is_not_said_to_have_clean_ones() -> None:
    """(0028,0301) belongs to the Image Pixel module."""
    report = instance(Patient(), Series(sop_class=SR.uid, modality="SR", slices=1), 0)
    del report.PixelData
    series = release([report], recipe(VERIFIED, claim=True))
    assert series.headers[0].get("BurnedInAnnotation") is None
    assert (None,) == series.pixel_work


def test_overlays_icons_and_bits_above_go_with_it() -> None:
    """What repeats the picture elsewhere in the object is gone, blanked or not."""
    shot = echo(BitsStored=12, HighBit=11)
    shot.add_new(0x60003000, "OW", b"\xff" * 16)
    shot.add_new(0x60000010, "US", 12)
    shot.add_new(0x60000102, "US", 12)
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.PixelData = b"\x01\x02\x03\x04"
    shot.IconImageSequence = Sequence([icon])
    values = np.frombuffer(shot.PixelData, np.uint16) | 0xF000
    shot.PixelData = values.astype(np.uint16).tobytes()
    series = release([shot], recipe(blanking()))
    held = series.headers[0]._dataset
    assert not [tag for tag in held._dict if tag.group == 0x6000 or tag == 0x00880200]
    (handle,) = series.pixels
    assert isinstance(handle, RedactedPixels)
    assert 4096 > int(handle.values().max())
    assert 4096 > int(np.frombuffer(handle.encoded().data, np.uint16).max())


# ── the file ─────────────────────────────────────────────────────────────────────────────────────

SOUND = """
format = 1
title = "Echo"
description = "For a test."
basis = "gdpr-pseudonymised"
options = ["clean-pixel-data"]

[pixels]
recompress = "jpeg-ls-lossless"

[[pixels.rules]]
when = { Manufacturer = "ACME", ManufacturerModelName = ["Echo 5", "Echo 6"], Rows = 12, \
Columns = 10 }
blank = [{ left = 0, top = 0, width = 10, height = 3 }]
reason = "measured on a phantom"

[[pixels.rules]]
when = { Modality = "US", SOPClassUID = "Ultrasound Image Storage" }
keep_regions = true
reason = "names stand outside the regions"

[[pixels.rules]]
when = { Manufacturer = "ACME", ManufacturerModelName = "Blind" }
verified = true
reason = "the device draws nothing"
"""


def test_a_recipe_says_what_is_known_of_devices(tmp_path: Path) -> None:
    """Rectangles, regions, and what someone has verified."""
    path = tmp_path / "echo.toml"
    path.write_text(SOUND)
    made = load_recipe(path)
    first, second, third = made.pixels.rules
    models = tuple(Criterion("ManufacturerModelName", Match.IS, m) for m in ("Echo 5", "Echo 6"))
    assert models in first.criteria
    assert (Criterion("Rows", Match.IS, "12"),) in first.criteria
    assert BAR == first.rectangles
    assert (Criterion("SOPClassUID", Match.IS, US.uid),) in second.criteria
    assert [Deed.BLANK, Deed.KEEP, Deed.VERIFIED] == [r.deed for r in (first, second, third)]
    assert [Area.RECTANGLES, Area.REGIONS, Area.ALL] == [r.area for r in (first, second, third)]
    assert ["113100", "113101"] == [code for code, _ in made.claims().codes]
    told = repr(made)
    for words in ("10x3 at 0,0", "Echo 5 or Echo 6", "ultrasound regions", "draws nothing"):
        assert words in told


def test_the_order_of_rules_means_nothing_and_each_word_does(tmp_path: Path) -> None:
    """The digest that is signed changes with any number of a rectangle."""

    def digest(text: str) -> str:
        path = tmp_path / "one.toml"
        path.write_text(text)
        return load_recipe(path).digest

    head, *rules = SOUND.split("[[pixels.rules]]")
    turned = "[[pixels.rules]]".join([head, *reversed([rule + "\n" for rule in rules])])
    assert digest(SOUND) == digest(turned)
    for before, after in (("height = 3", "height = 4"), ('"Echo 5", ', ""), ("-ls-", "-2000-")):
        assert digest(SOUND) != digest(SOUND.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after", "place", "words"),
    [
        ("Manufacturer = ", "Manufacturr = ", "pixels.rules[0].when.Manufacturr", "Manufacturer"),
        ("Rows = 12, ", "", "pixels.rules[0].when", "say Rows too"),
        ("Rows = 12", 'Rows = "many"', "pixels.rules[0].when.Rows", "whole number"),
        ("height = 3", "height = 13", "pixels.rules[0]", "beyond Rows 12"),
        ("width = 10", "width = 11", "pixels.rules[0]", "beyond Columns 10"),
        ("height = 3", "height = 0", "pixels.rules[0].blank[0].height", "greater than"),
        ("height = 3", "heigth = 3", "pixels.rules[0].blank[0].heigth", "height"),
        ("top = 0", "top = -1", "pixels.rules[0].blank[0].top", "greater than"),
        ("keep_regions = true", "keep_regions = false", "pixels.rules[1].keep_regions", "be true"),
        ("keep_regions = true", "keep_region = true", "pixels.rules[1].keep_region", "_regions"),
        ("verified = true", "", "pixels.rules[2]", "exactly one of"),
        ("verified", "keep_regions = true\nverified", "pixels.rules[2]", "and verified"),
        ('"Ultrasound Image Storage"', '"Ultrasound"', "pixels.rules[1]", "unknown SOP class"),
        ('"US"', '"USS"', "pixels.rules[1]", "unknown modality"),
        ('Manufacturer = "ACME", Man', 'ReferencedSeriesSequence = "x", Man',
         "pixels.rules[0].when.ReferencedSeriesSequence", "no value to compare"),
        ('Manufacturer = "ACME", Man', 'PatientName = "x", Man',
         "pixels.rules[0].when.PatientName", "no value to compare"),
        ('"measured on a phantom"', '"x"', "pixels.rules[0].reason", "in words"),
        ("-ls-lossless", "-ls", "pixels.recompress", "jpeg-ls-lossless"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place(
    tmp_path: Path, before: str, after: str, place: str, words: str
) -> None:
    """One mistake: one line with its place, and a word that helps."""
    assert before in SOUND
    path = tmp_path / "echo.toml"
    path.write_text(SOUND.replace(before, after, 1))
    with pytest.raises(RecipeError) as error:
        load_recipe(path)
    found = [line for line in error.value.faults if line.startswith(f"{place}: ")]
    assert [line for line in found if words in line], error.value.faults


def test_the_option_needs_rules_and_contradicts_acceptance(tmp_path: Path) -> None:
    """The claim is about the deed."""
    head = SOUND.split("[pixels]", maxsplit=1)[0]
    accepting = '[[pixels.accept]]\nmodality = "US"\nrisks = ["colour"]\nreason = "they are grey"\n'
    for text, words in (
        (head, "what to clean"),
        (SOUND + accepting, "to accept is not to clean"),
        (SOUND + "[[pixels.rules]]" + SOUND.split("[[pixels.rules]]")[2], "the same rule"),
    ):
        path = tmp_path / "echo.toml"
        path.write_text(text)
        with pytest.raises(RecipeError) as error:
            load_recipe(path)
        assert [line for line in error.value.faults if words in line], words
