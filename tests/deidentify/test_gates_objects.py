"""Gates for what is no picture: voices that can be heard."""

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
