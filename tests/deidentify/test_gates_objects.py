"""Gates for what is no picture: voices that can be heard, faces that are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from cohortkit.deidentify.gates import held_back
from cohortkit.deidentify.headers import asked_of
from cohortkit.dicom.sop_classes import TABLE
from cohortkit.errors import Refusal
from cohortkit.model import Kind, Reason
from cohortkit.recipe.model import Basis, FacePolicy, Recipe
from factory import Patient, Series, instance
from objects import deidentified, once

ROOT = "1.2.840.10008.5.1.4.1.1."
STRICT = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)
AUDIO = {ROOT + "9.4.1", ROOT + "9.4.2"}
WAVEFORMS = [s for s in TABLE.values() if s.kind is Kind.WAVEFORM]
_PIXELS = (
    "PixelData Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation SamplesPerPixel "
    "PhotometricInterpretation PixelSpacing ImagePositionPatient ImageOrientationPatient"
)


def code(value: str, meaning: str = "") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning or value
    return item


def unpictured(sop_class: str, modality: str, body_part: str = "CHEST") -> Dataset:
    """An object of a person, without pixels."""
    header = instance(Patient(), Series(sop_class, modality, body_part), 0)
    for keyword in _PIXELS.split():
        if keyword in header:
            delattr(header, keyword)
    return header


# ── voices ───────────────────────────────────────────────────────────────────────────────────────


def waveform(sop_class: str, samples: str = "SS", source: str = "5.6.3-9-1") -> Dataset:
    """One channel of eight samples, as a device or a dictation writes it."""
    header, group, channel = unpictured(sop_class, "AU"), Dataset(), Dataset()
    channel.ChannelSourceSequence = [code(source)]
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = 1, 8
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, samples
    group.ChannelDefinitionSequence, group.WaveformData = [channel], bytes(16)
    header.WaveformSequence = [group]
    return header


@pytest.mark.parametrize("sop", WAVEFORMS, ids=lambda s: s.name)
def test_a_waveform_that_is_sound_is_held_and_no_other(sop: object) -> None:
    """A voice is who speaks, and what is dictated is unread text; an ECG is neither."""
    uid = sop.uid  # type: ignore[attr-defined]
    expected = Reason.UNREAD_CONTENT if uid in AUDIO else None
    header = waveform(uid)
    del header.Modality
    header.BodyPartExamined = "HEAD"
    for recipe in (STRICT, Recipe("t", STRICT.basis, faces=FacePolicy(accept_heads=True))):
        assert expected is held_back(asked_of(header), TABLE[uid], recipe)
        assert expected is held_back({"SOPClassUID": uid}.get, TABLE[uid], recipe)


@pytest.mark.parametrize(
    ("samples", "source"),
    [("MB", "5.6.3-9-1"), ("AB", ""), ("SS", "109110"), ("SS", "109111"), ("SS", "109112")],
)
def test_a_voice_under_another_name_is_heard(samples: str, source: str) -> None:
    """By how telephones code samples, and by the codes for who or what a channel records."""
    for tail in ("9.1.2", "9.6.1", "88.11"):
        header = waveform(ROOT + tail, samples, source)
        assert Reason.UNREAD_CONTENT is held_back(asked_of(header), TABLE[ROOT + tail], STRICT)


@pytest.mark.parametrize("uid", sorted(AUDIO))
def test_a_dictation_does_not_leave_and_an_ecg_does(uid: str, tmp_path: Path) -> None:
    """From file to file, under the plainest recipe."""
    waveform(uid).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(Refusal) as caught:
        deidentified(tmp_path / "a.dcm")
    assert Reason.UNREAD_CONTENT is caught.value.reason

    waveform(ROOT + "9.1.1").save_as(tmp_path / "b.dcm", enforce_file_format=True)
    assert once(tmp_path / "b.dcm").stat().st_size > 0


# ── faces that are no pixels ─────────────────────────────────────────────────────────────────────

HEADS = Recipe("t", STRICT.basis, faces=FacePolicy(accept_heads=True))
UNKNOWN = Recipe("t", STRICT.basis, faces=FacePolicy(accept_unknown=True))
RTSTRUCT, SEG, LABEL_MAP = (TABLE[ROOT + tail] for tail in ("481.3", "66.4", "66.7"))
SURFACES = [TABLE[ROOT + tail] for tail in ("66.5", "68.1", "68.2")]
SKIN = [
    "EXTERNAL", "External_1", "z_External", "BODY", "Body-PTV", "body_trunc", "BODY_DIBH", "Skin",
    "skin 5mm", "Haut", "Außenkontur", "Körper", "Patient", "peau", "piel", "contour externe",
    "Outline", "皮肤", "39937001",
]  # fmt: skip
FACES = ["Face", "Scalp", "Head", "HEAD_2", "Gesicht", "visage", "T-D1200"]
ORGANS = [
    "GTV", "CTV_60", "Lung_L", "Heart", "SpinalCord", "facet joint", "External iliac artery",
    "ext. carotid", "Vertebral body L1", "vertebrae_T4 body", "femoral head", "Body of pancreas",
    "Mammillary body", "External capsule", "Gesichtspunkt", "Bodyguard", "TUMOR", "Tissue", "Text",
    "",
]  # fmt: skip


def drawn(sop: object, body_part: str, *names: str, kind: str = "ORGAN") -> Dataset:
    """Contours or segments of these names, each of the type that a planning system says."""
    header = Dataset()
    header.BodyPartExamined = body_part
    rois, seen, segments = [], [], []
    for number, name in enumerate(names, 1):
        roi, observed, segment = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        observed.ReferencedROINumber, observed.RTROIInterpretedType = number, kind
        segment.SegmentNumber, segment.SegmentLabel = number, name
        rois, seen, segments = [*rois, roi], [*seen, observed], [*segments, segment]
    if sop is RTSTRUCT:
        header.StructureSetROISequence, header.RTROIObservationsSequence = rois, seen
    else:
        header.SegmentSequence = segments
    return header


@pytest.mark.parametrize("name", SKIN)
@pytest.mark.parametrize("sop", [RTSTRUCT, SEG, LABEL_MAP], ids=lambda s: s.name)
def test_the_skin_of_a_head_is_a_face(sop: object, name: str) -> None:
    """Contours and segments of the skin show a face as the CT does, and are accepted as it is."""
    for part, accepting, other in (("HEAD", HEADS, UNKNOWN), ("", UNKNOWN, HEADS)):
        get = asked_of(drawn(sop, part, "GTV", name))
        for recipe in (STRICT, other):
            assert Reason.FACE_RISK is held_back(get, sop, recipe)  # type: ignore[arg-type]
        assert held_back(get, sop, accepting) is None  # type: ignore[arg-type]
    assert held_back(asked_of(drawn(sop, "CHEST", name)), sop, STRICT) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("sop", [RTSTRUCT, SEG, LABEL_MAP], ids=lambda s: s.name)
def test_a_face_among_contours_is_a_head_whatever_the_body_part(sop: object, name: str) -> None:
    """What is called face or head says by itself where it is."""
    for part in ("HEAD", "", "CHEST"):
        get = asked_of(drawn(sop, part, "GTV", name))
        for recipe in (STRICT, UNKNOWN):
            assert Reason.FACE_RISK is held_back(get, sop, recipe)  # type: ignore[arg-type]
        assert held_back(get, sop, HEADS) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ORGANS)
@pytest.mark.parametrize("sop", [RTSTRUCT, SEG], ids=lambda s: s.name)
def test_organs_of_a_head_are_no_face(sop: object, name: str) -> None:
    """What lies inside, and what is only called alike."""
    for part in ("HEAD", "", "CHEST"):
        assert held_back(asked_of(drawn(sop, part, "GTV", name)), sop, STRICT) is None  # type: ignore[arg-type]


def test_the_type_of_a_contour_and_the_code_of_a_segment_are_believed() -> None:
    """Whatever it is called; and an organ of the head among them tells that it is one."""
    for kind, expected in (("EXTERNAL", Reason.FACE_RISK), ("ORGAN", None), ("PTV", None)):
        header = drawn(RTSTRUCT, "HEAD", "r1", kind=kind)
        assert expected is held_back(asked_of(header), RTSTRUCT, STRICT)
    chest = drawn(RTSTRUCT, "CHEST", "r1", "Mandible", kind="EXTERNAL")
    assert Reason.FACE_RISK is held_back(asked_of(chest), RTSTRUCT, STRICT)
    header = drawn(SEG, "HEAD", "s1")
    header.SegmentSequence[0].SegmentedPropertyTypeCodeSequence = [code("39937001", "Skin")]
    assert Reason.FACE_RISK is held_back(asked_of(header), SEG, STRICT)


@pytest.mark.parametrize("sop", SURFACES, ids=lambda s: s.name)
def test_a_surface_is_asked_as_a_picture_is(sop: object) -> None:
    """By its body part, in the plan too: of a head or of nobody knows what it is a face."""
    for part, expected in (
        ("HEAD", Reason.FACE_RISK),
        ("", Reason.FACE_RISK),
        ("UNKNOWN", Reason.FACE_RISK),
        ("BREAST", None),
    ):
        get = {"BodyPartExamined": part}.get
        assert expected is held_back(get, sop, STRICT)  # type: ignore[arg-type]


def test_a_plan_foresees_nothing_of_contours() -> None:
    """An index row does not know them; the worker reads the header."""
    assert held_back({"BodyPartExamined": "HEAD"}.get, RTSTRUCT, STRICT) is None


def test_contours_of_a_chest_leave_and_a_face_does_not(tmp_path: Path) -> None:
    """From file to file, under the plainest recipe."""
    for part, name in (("CHEST", "BODY"), ("HEAD", "GTV"), ("HEAD", "BODY")):
        header = unpictured(RTSTRUCT.uid, "RTSTRUCT", part)
        header.update(drawn(RTSTRUCT, part, name))
        header.save_as(tmp_path / f"{part}-{name}.dcm", enforce_file_format=True)
    for left in ("CHEST-BODY", "HEAD-GTV"):
        assert once(tmp_path / f"{left}.dcm").stat().st_size > 0
    with pytest.raises(Refusal) as caught:
        deidentified(tmp_path / "HEAD-BODY.dcm")
    assert Reason.FACE_RISK is caught.value.reason
