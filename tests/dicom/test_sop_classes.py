"""The table of SOP classes."""

from __future__ import annotations

import pytest
from pydicom import uid as uids
from pydicom._uid_dict import UID_dictionary

from cohortkit.dicom.sop_classes import MEDIA_DIRECTORY, TABLE, lookup
from cohortkit.model import Department, Kind, PayloadKind, Risk

VOLUME = frozenset({PayloadKind.VOLUME, PayloadKind.FRAMES})
OBJECT = frozenset({PayloadKind.OBJECT})
NOT_OBJECTS = {
    MEDIA_DIRECTORY,  # a list of objects
    "1.2.840.10008.1.20.1",  # Storage Commitment: a service
    "1.2.840.10008.1.20.2",
}


def _standard() -> dict[str, tuple[str, bool]]:
    return {
        uid: (name, bool(retired))
        for uid, (name, type_, _, retired, _) in UID_dictionary.items()
        if type_ == "SOP Class" and "Storage" in name and uid not in NOT_OBJECTS
    }


def test_every_storage_class_of_the_standard_has_its_row() -> None:
    """No storage SOP class is unknown, retired ones included."""
    missing = set(_standard()) - set(TABLE)

    assert set() == missing


def test_every_class_that_pydicom_names_has_its_row() -> None:
    """The constants of pydicom.uid are covered as well."""
    named = {
        str(value)
        for name, value in vars(uids).items()
        if isinstance(value, uids.UID) and "Storage" in value.name and "SOP" in value.type
    }

    assert set() == named - set(TABLE) - NOT_OBJECTS


def test_names_and_retirement_are_the_standards() -> None:
    """Each row says what PS3.6 says."""
    ours = {uid: (row.name, row.retired) for uid, row in TABLE.items() if uid in _standard()}

    assert _standard() == ours


def test_rows_beyond_the_dictionary_are_the_two_newest() -> None:
    """What pydicom does not know yet is named here, so that nothing is invented unseen."""
    beyond = {TABLE[uid].name for uid in set(TABLE) - set(_standard())}

    assert beyond <= {"Label Map Segmentation Storage", "Height Map Segmentation Storage"}


def test_volumes_are_ct_mr_pt_nm_and_what_was_captured_of_them() -> None:
    """Classic, enhanced and legacy converted CT, MR, PT, NM and captures make volumes."""
    expected = {
        uids.CTImageStorage,
        uids.EnhancedCTImageStorage,
        uids.LegacyConvertedEnhancedCTImageStorage,
        uids.MRImageStorage,
        uids.EnhancedMRImageStorage,
        uids.LegacyConvertedEnhancedMRImageStorage,
        uids.PositronEmissionTomographyImageStorage,
        uids.LegacyConvertedEnhancedPETImageStorage,
        uids.EnhancedPETImageStorage,
        uids.NuclearMedicineImageStorage,
        "1.2.840.10008.5.1.4.1.1.5",  # retired
        uids.SecondaryCaptureImageStorage,
        uids.MultiFrameSingleBitSecondaryCaptureImageStorage,
        uids.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uids.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uids.MultiFrameTrueColorSecondaryCaptureImageStorage,
    }

    assert expected == {uid for uid, row in TABLE.items() if row.payloads - OBJECT == VOLUME}


@pytest.mark.parametrize("kind", [Kind.VIDEO, Kind.WSI, Kind.REPORT, Kind.WAVEFORM, Kind.DOCUMENT])
def test_what_is_not_built_has_no_payload(kind: Kind) -> None:
    """A payload is promised only where this version can make it."""
    rows = [row for row in TABLE.values() if row.kind is kind]

    assert rows
    assert all(row.payloads == OBJECT for row in rows)


def test_images_and_only_images_have_more_payloads_than_themselves() -> None:
    """Every image has frames, and every instance is an object."""
    rows = TABLE.values()

    assert all(bool(row.payloads - OBJECT) == (row.kind is Kind.IMAGE) for row in rows)
    assert all(row.payloads >= OBJECT for row in rows)


@pytest.mark.parametrize(
    "uid",
    [
        uids.SecondaryCaptureImageStorage,
        uids.UltrasoundImageStorage,
        uids.VLPhotographicImageStorage,
        uids.VLEndoscopicImageStorage,
        uids.OphthalmicTomographyImageStorage,
        uids.VLWholeSlideMicroscopyImageStorage,
    ],
)
def test_classes_with_names_in_the_picture_are_high_risk(uid: str) -> None:
    """The classes that PS3.15 and the issue name are never trusted."""
    assert Risk.HIGH is TABLE[uid].risk


def test_no_class_with_pictures_is_without_risk() -> None:
    """Risk NONE means no pixels, so it never stands beside a picture."""
    wrong = [row.name for row in TABLE.values() if row.payloads - OBJECT and row.risk is Risk.NONE]

    assert wrong == []


def test_lookup_of_an_unknown_class_is_none() -> None:
    """Unknown is said, not guessed."""
    assert lookup("1.2.3") is None
    assert lookup("") is None
    assert Department.CARDIOLOGY is TABLE[uids.TwelveLeadECGWaveformStorage].department
