"""Pages and captures that call themselves scans or radiographs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from cohortkit.deidentify.gates import burned_in_risk
from cohortkit.deidentify.headers import asked_of
from cohortkit.dicom.sop_classes import TABLE
from cohortkit.model import Reason, SopClass
from cohortkit.recipe.model import Basis, PixelAcceptance, PixelPolicy, PixelRisk, Recipe

ROOT = "1.2.840.10008.5.1.4.1.1."
CT, MR, CR, PT = (TABLE[ROOT + tail] for tail in ("2", "4", "1", "128"))
STRICT = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)


@pytest.mark.parametrize(
    "text",
    ["Scanned document", "Consent form", "Request form", "Arztbrief", "Befund", "Patientendaten",
     "Patient Info", "Captura", "Captured image", "Snapshot", "Informe de dosis",
     "Riepilogo dose", "Foglio dose", "Dosisblatt", "Dosisübersicht", "Page de dosimetrie",
     "999 Dose", "Untersuchungsprotokoll", "Key Images", "Documento", "DOKUMENTE 2",
     "Anforderung", "CT-Anforderung", "Auswertung", "Ergebnisse", "Ergebnis Perfusion", "Referral",
     "Referral note", "Worklist", "Work list", "Exam Info", "Examination info", "Überweisung",
     "Ueberweisung", "Anamnesebogen", "Fragebogen", "Questionnaire", "Formular", "Letter",
     "Solicitud", "Richiesta", "Referto", "Informe", "Compte rendu", "Résultats", "Resultados",
     "Info sheet", "Screen",
     "SCREEN 1", "SC", "sc_2", "Protokoll", "Protocol", "Page 1"],
)  # fmt: skip
def test_a_page_is_known_by_its_description(text: str) -> None:
    """In the languages of the consoles."""
    get = {"SeriesDescription": text}.get
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, CT, STRICT)


@pytest.mark.parametrize(
    "text",
    ["low dose chest", "Lu177 Dosimetrie 24h", "SnapShot 75%", "LUNG SCREEN",
     "Chest_Screen 1.0 B45f", "Screening CT", "SC:AX T2 FSE", "CHEST/ABD SC", "SC joint",
     "Exam 2", "Chest protocol", "see sheet", "Vitrea", "Forearm"],
)  # fmt: skip
def test_words_of_ordinary_series_are_no_pages(text: str) -> None:
    """Nor where a protocol or a study is called so."""
    for keyword in ("SeriesDescription", "ProtocolName", "StudyDescription"):
        assert burned_in_risk({keyword: text}.get, CT, STRICT) is None


@pytest.mark.parametrize(
    "term", ["CAPTURE", "SNAPSHOT", "SSAVE", "SCRNSAVE", "FILMED", "TEXT", "CURVE"]
)
def test_a_capture_is_known_by_its_image_type(term: str) -> None:
    """Though it says that it is primary."""
    get = {"ImageType": ["DERIVED", "PRIMARY", term]}.get
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, MR, STRICT)


@pytest.mark.parametrize("first", ["DERIVED", "ORIGINAL", "", "OTHER"])
def test_what_is_secondary_is_no_scan_whatever_else_it_says(first: str) -> None:
    """Value 2 is made from pictures after the examination (PS3.3 C.7.6.1.1.2), as captures are."""
    for said in ({"ImageType": [first, "SECONDARY", "AXIAL"]}, {"image_types": ["SECONDARY"]}):
        assert Reason.BURNED_IN_RISK is burned_in_risk(said.get, MR, STRICT)


@pytest.mark.parametrize(
    "sign",
    [{"ConversionType": "SD"}, {"Modality": "OT"}, {"ImageType": ["DERIVED", "SECONDARY"]},
     {"SeriesDescription": "Screenshot"}],
)  # fmt: skip
def test_a_digitised_film_is_held_though_it_says_no(sign: dict[str, object]) -> None:
    """BurnedInAnnotation NO is a radiograph's word, not a film scanner's."""
    plain = {"BurnedInAnnotation": "NO", "ImageType": ["DERIVED", "PRIMARY"], "Modality": "CR"}
    assert burned_in_risk(plain.get, CR, STRICT) is None
    assert Reason.BURNED_IN_RISK is burned_in_risk({**plain, **sign}.get, CR, STRICT)


@pytest.mark.parametrize("modality", ["CT", "MR", ""])
def test_eight_bits_of_a_scanner_are_a_picture_whatever_its_modality(modality: str) -> None:
    """The class says what was measured."""
    get = {"Modality": modality, "BitsStored": 8}.get
    for tail in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130"):
        assert Reason.BURNED_IN_RISK is burned_in_risk(get, TABLE[ROOT + tail], STRICT)
        twelve = {"Modality": modality, "BitsStored": 12}.get
        assert burned_in_risk(twelve, TABLE[ROOT + tail], STRICT) is None
    assert burned_in_risk(get, TABLE[ROOT + "20"], STRICT) is None


PLACE = {
    "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
}  # fmt: skip
PIXELS = {"Rows": 8, "Columns": 8, "BitsAllocated": 16, "BitsStored": 12}


def image(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize("sop", [CT, MR, PT], ids=["CT", "MR", "PT"])
@pytest.mark.parametrize("missing", [*PLACE, "BitsStored"])
def test_a_scanner_never_leaves_out_where_it_was(missing: str, sop: SopClass) -> None:
    """A screen that was filed as a slice has no place in a body (all are of type 1 there)."""
    whole = PLACE | PIXELS
    assert burned_in_risk(asked_of(image(**whole)), sop, STRICT) is None
    for lacking in (image(**(whole | {missing: None})), image(**whole)):
        if lacking[missing].value:
            del lacking[missing]
        assert Reason.BURNED_IN_RISK is burned_in_risk(asked_of(lacking), sop, STRICT)
    accepted = PixelAcceptance(frozenset({PixelRisk.SCREEN_SAVE}), "known", sop_class=sop.uid)
    said = replace(STRICT, pixels=PixelPolicy((accepted,)))
    assert burned_in_risk(asked_of(image(**PIXELS)), sop, said) is None


def test_frames_have_their_places_in_groups_and_old_files_in_old_words() -> None:
    """Of an enhanced object; of ACR-NEMA. Where there is no picture nothing is asked."""
    place = image(
        PlanePositionSequence=Sequence([image(ImagePositionPatient=[0, 0, 0])]),
        PlaneOrientationSequence=Sequence([image(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelMeasuresSequence=Sequence([image(PixelSpacing=[1, 1])]),
    )
    for group in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        enhanced = image(**PIXELS, **{group: Sequence([place])})
        assert burned_in_risk(asked_of(enhanced), TABLE[ROOT + "2.1"], STRICT) is None
    stripped = image(**PIXELS, SharedFunctionalGroupsSequence=Sequence([Dataset()]))
    held = burned_in_risk(asked_of(stripped), TABLE[ROOT + "2.1"], STRICT)
    assert Reason.BURNED_IN_RISK is held
    old = image(**PIXELS, ImagePosition=[0, 0, 0], ImageOrientation=[1, 0, 0, 0, 1, 0])
    old.PixelSpacing = [1, 1]
    assert burned_in_risk(asked_of(old), CT, STRICT) is None
    assert burned_in_risk(asked_of(image(Modality="CT")), CT, STRICT) is None


@pytest.mark.parametrize("rows", [1, 32, 256, 8192, 8224])
def test_any_number_of_rows_is_a_picture_and_blanks_are_no_place(rows: int) -> None:
    """As bytes of a file, in which a number may look like a blank."""
    one = image(**PLACE, **PIXELS)
    place, size = Tag("ImagePositionPatient"), Tag("Rows")
    raw = {
        size: RawDataElement(size, "US", 2, rows.to_bytes(2, "little"), 0, False, True),  # noqa: FBT003
        place: RawDataElement(place, "DS", 4, b"\\ \\\0", 0, False, True),  # noqa: FBT003
    }
    one._dict.update(raw)
    assert Reason.BURNED_IN_RISK is burned_in_risk(asked_of(one), CT, STRICT)
    one._dict[place] = raw[place]._replace(value=b"0\\0\\0 ")
    assert burned_in_risk(asked_of(one), CT, STRICT) is None
    none = image(**PLACE, **(PIXELS | {"BitsStored": 0}))
    assert Reason.BURNED_IN_RISK is burned_in_risk(asked_of(none), CT, STRICT)
