"""Gates: what is held back by name before a header is touched, in the plan and in the worker."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.deidentify.gates import burned_in_risk, face_risk, pixel_risks, to_be_defaced
from cohortkit.deidentify.headers import asked_of
from cohortkit.deidentify.regions import Region, region
from cohortkit.dicom.sop_classes import TABLE, lookup
from cohortkit.model import Reason, Risk, SopClass
from cohortkit.recipe.model import (
    Basis,
    FacePolicy,
    PixelAcceptance,
    PixelPolicy,
    PixelRisk,
    Recipe,
)

ROOT = "1.2.840.10008.5.1.4.1.1."
CT, MR, DX, CR, US, SC, SR = (TABLE[ROOT + t] for t in ("2", "4", "1.1", "1", "6.1", "7", "88.11"))
STRICT = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)
HEADS = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED, faces=FacePolicy(accept_heads=True))
UNKNOWN = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED, faces=FacePolicy(accept_unknown=True))


def accepting(*risks: PixelRisk, modality: str = "CT") -> Recipe:
    accepted = PixelAcceptance(frozenset(risks), "seen by someone", modality=modality)
    return Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED, pixels=PixelPolicy((accepted,)))


# ── names in the pixels ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sop", [s for s in TABLE.values() if s.risk is Risk.HIGH], ids=lambda s: s.uid
)
def test_high_risk_classes_are_refused_whatever_they_say(sop: SopClass) -> None:
    """Captures, ultrasound, photographs, slides: even with BurnedInAnnotation NO."""
    for stated in (None, "NO", "YES"):
        get = {"BurnedInAnnotation": stated}.get
        assert Reason.BURNED_IN_RISK is burned_in_risk(get, sop, STRICT)


@pytest.mark.parametrize(
    "sop", [s for s in TABLE.values() if s.risk is Risk.STATED], ids=lambda s: s.uid
)
def test_projection_classes_pass_only_with_no(sop: SopClass) -> None:
    """CR, DX, RF, XA, MG: absent, empty, YES or anything else but NO is a risk."""
    for stated in (None, "", "YES", "yes", "N", "UNKNOWN", ["NO", "YES"], 0):
        get = {"BurnedInAnnotation": stated}.get
        assert Reason.BURNED_IN_RISK is burned_in_risk(get, sop, STRICT), stated
    assert burned_in_risk({"BurnedInAnnotation": "NO"}.get, sop, STRICT) is None
    assert burned_in_risk({"BurnedInAnnotation": "no \0"}.get, sop, STRICT) is None


@pytest.mark.parametrize("sop", list(TABLE.values()), ids=lambda s: s.uid)
def test_stated_yes_is_refused_in_every_class(sop: SopClass) -> None:
    """BurnedInAnnotation YES is believed wherever it stands."""
    get = {"BurnedInAnnotation": "YES"}.get
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, sop, STRICT)


@pytest.mark.parametrize(
    ("answers", "risk"),
    [
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, PixelRisk.DERIVED_SECONDARY),
        ({"ImageType": "DERIVED\\SECONDARY"}, PixelRisk.DERIVED_SECONDARY),
        ({"ImageType": ["derived ", "secondary\0"]}, PixelRisk.DERIVED_SECONDARY),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "SCREEN SAVE"]}, PixelRisk.SCREEN_SAVE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "SCREENSAVE"]}, PixelRisk.SCREEN_SAVE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "SCREEN", "SAVE"]}, PixelRisk.SCREEN_SAVE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "SCREENSHOT"]}, PixelRisk.SCREEN_SAVE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "DOSE_INFO"]}, PixelRisk.SCREEN_SAVE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "OTHER", "CT_SOM5 PROT"]}, PixelRisk.SCREEN_SAVE),
        ({"PhotometricInterpretation": "RGB"}, PixelRisk.COLOUR),
        ({"PhotometricInterpretation": "YBR_FULL_422"}, PixelRisk.COLOUR),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, PixelRisk.COLOUR),
        ({"SamplesPerPixel": 3}, PixelRisk.COLOUR),
        ({"ConversionType": "WSD"}, PixelRisk.CONVERSION_TYPE),
        ({"BurnedInAnnotation": "YES"}, PixelRisk.STATED_YES),
        ({"BurnedInAnnotation": "MAYBE"}, PixelRisk.STATED_YES),
        ({"image_types": ["ORIGINAL\\PRIMARY", "DERIVED\\SECONDARY"]}, PixelRisk.DERIVED_SECONDARY),
        ({"image_types": ["DERIVED\\PRIMARY", "ORIGINAL\\SECONDARY"]}, PixelRisk.DERIVED_SECONDARY),
        ({"photometrics": ["MONOCHROME2", "RGB"]}, PixelRisk.COLOUR),
        ({"burned_in": [None, "NO", "YES"]}, PixelRisk.STATED_YES),
    ],
)
def test_signs_of_a_capture(answers: dict[str, object], risk: PixelRisk) -> None:
    """In a CT each sign is a risk of its own name, and a recipe accepts it by that name alone."""
    assert frozenset({risk}) == pixel_risks(answers.get, CT)
    get = {"Modality": "CT", **answers}.get
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, CT, STRICT)
    assert burned_in_risk(get, CT, accepting(risk)) is None
    others = set(PixelRisk) - {risk}
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, CT, accepting(*others))
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, CT, accepting(risk, modality="MR"))


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]},
        {"ImageType": ["DERIVED", "PRIMARY", "MPR"]},
        {"image_types": ["DERIVED\\PRIMARY", "ORIGINAL\\PRIMARY"]},
        {"PhotometricInterpretation": "MONOCHROME1", "SamplesPerPixel": 1},
        {"BurnedInAnnotation": "NO", "ConversionType": ""},
        {"burned_in": [None, "NO"]},
    ],
)
def test_what_a_scanner_made_passes(answers: dict[str, object]) -> None:
    """A CT without any sign of a capture is not held back."""
    assert burned_in_risk(answers.get, CT, STRICT) is None


def test_mixed_instances_take_the_riskiest() -> None:
    """One radiograph in a series that does not say NO holds back the series."""
    get = {"BurnedInAnnotation": "NO", "burned_in": ["NO", None]}.get
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, DX, STRICT)
    get = {"sop_classes": [ROOT + "2", ROOT + "7"]}.get
    assert Reason.BURNED_IN_RISK is burned_in_risk(get, CT, STRICT)


@given(st.text(max_size=70))
def test_unknown_classes_are_refused_always(uid: str) -> None:
    """No recipe lets an object through of which no one knows what it holds."""
    everything = Recipe(
        name="t",
        basis=Basis.GDPR_PSEUDONYMISED,
        faces=FacePolicy(accept_heads=True, accept_unknown=True),
        pixels=PixelPolicy(
            (PixelAcceptance(frozenset(PixelRisk), "x", sop_class=uid, modality="CT"),)
        ),
    )
    sop = lookup(uid)
    if sop is None:
        get = {"Modality": "CT"}.get
        assert Reason.UNKNOWN_SOP_CLASS is burned_in_risk(get, None, everything)
        assert Reason.UNKNOWN_SOP_CLASS is face_risk(get, None, everything)
        get = {"Modality": "CT", "sop_classes": [ROOT + "2", uid]}.get
        assert Reason.UNKNOWN_SOP_CLASS is burned_in_risk(get, CT, everything)


# ── faces ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    """
    HEAD BRAIN SKULL NECK FACE SINUS SINUSES ORBIT IAC TMJ PITUITARY CRANIUM Kopf
    Schädel SCHAEDEL Gehirn Gesicht tête TÊTE crâne cerveau cabeza cerebro cara cervello
    encefalo cranio testa hoofd hersenen huvud hjärna hode hjerne hoved aivot pää głowa
    GŁOWA mózg hlava mozek beyin голова мозг череп κεφαλή εγκέφαλος 頭部 脳 头颅 脑 두부 뇌 neuro
    NEURORADIOLOGY MPRAGE t1_mprage_sag fMRI DTI ep2d_diff_dti_64 WHOLEBODY WHOLE_BODY
    Ganzkörper HEADNECK HEAD_AND_NECK HEAD/NECK CHEST_HEAD C-SPINE CSPINE CAROTID
    HIRN H&N MIDFACE FACES NECKCHEST WB_CTAC CAROTIS TRIGEMINUS CERV_SPINE COCHLEA PAROTID TONGUE
    POLYTRAUMA PAN_SCAN SUPRA-AORTIC NEURINOMA C1-C7 C3/4 Schläfe
    HandN HANDN H_AND_N HandNK HDNK HD/NK HN H/N HAND_N HNSCC NckChstAbd NkChstAbd CTNCAPW NCAP
    WBNAC.img WBAC 3DWB 1WBPETCT PETWB_CT_CAP PTCTSKTHPET Sk-Th Sk-Thigh DWIBS C-SP CSP CTL_SPINE
    SKUL FLAIR CISS THYROID TONSILS PNS T-BONE pescoço szyja szyi głowy nyak nacke boyun шеи шия
    全身 鼻腔 두경부 전신 رأس رقبة צוואר
    MAXILLA MANDIBLE CCT NNH HWS ENCÉPHALE Mrt-Kopf 1A_TRAUMA/PLAIN_HEAD_DM T-D1100
    69536005 38266002
    """.split(),  # noqa: SIM905 - words read best as words
)
def test_head_words(text: str) -> None:
    """In many languages and spellings a head is a head, in whichever attribute it is said."""
    for keyword in ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName"):
        get = {keyword: text}.get
        assert Reason.FACE_RISK is face_risk(get, MR, STRICT)
        assert Reason.FACE_RISK is face_risk(get, MR, UNKNOWN)
        assert face_risk(get, MR, HEADS) is None


@pytest.mark.parametrize(
    "text",
    """CHEST ABDOMEN PELVIS KNEE LUNG THORAX HEART LSPINE L-SPINE LUMBAR Abdomen/Pelvis Becken Knie
    genou rodilla PROSTATE BREAST HIP FOOT CAP Thorax_nativ CHESTABDPELVIS
    ABDOMENANDPELVIS CT_L_Spine_LUMBAR AbdomenCAP_Adult_ THIN_CAP HAND Lung/LUNG_Low_Dose
    CTLMID_BREAST Cal_HD_Breast LEFT_HAND_NATIVE""".split(),  # noqa: SIM905 - as above
)
def test_other_parts_pass(text: str) -> None:
    """A body part that is named and is no head needs no rule."""
    assert face_risk({"BodyPartExamined": text}.get, CT, STRICT) is None
    assert face_risk({"StudyDescription": text}.get, CT, STRICT) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "AX T2 FSE", "Series 3", "SPINE", "???", "Renate Handke", "Royal Liverpool",
        "Sacramento",
        "Birmingham Heartlands", "Colonel", "Colonia", "Lungern", "Chesterfield", "Tibialis",
        "Feet first", "ARMS UP", "RT arm injection", "HFS ARM UP", "legs_down", "Heart Hospital",
        "The Lung Clinic",
    ],
)  # fmt: skip
def test_unknown_is_held_back(text: str) -> None:
    """What names no body part is unknown, and unknown is a face until someone answers for it."""
    get = {"SeriesDescription": text}.get
    assert Reason.FACE_RISK is face_risk(get, CT, STRICT)
    assert Reason.FACE_RISK is face_risk(get, CT, HEADS)
    assert face_risk(get, CT, UNKNOWN) is None


def test_a_head_goes_before_any_other_part() -> None:
    """A wrong body part does not hide what the protocol says, nor the other way round."""
    for get in (
        {"BodyPartExamined": "CHEST", "ProtocolName": "Head routine"}.get,
        {"BodyPartExamined": "BRAIN", "StudyDescription": "CHEST"}.get,
        {"BodyPartExamined": "ABDOMEN", "ReceiveCoilName": "HeadNeck_64"}.get,
    ):
        assert Reason.FACE_RISK is face_risk(get, MR, STRICT)


def test_recognizable_features_are_believed() -> None:
    """(0028,0302) YES is a face in any class, and no chest."""
    get = {"RecognizableVisualFeatures": "YES", "BodyPartExamined": "CHEST"}.get
    for sop in (CT, DX, US, SR):
        assert Reason.FACE_RISK is face_risk(get, sop, STRICT)
        assert face_risk(get, sop, HEADS) is None


def test_classes_that_show_no_face() -> None:
    """Radiographs, ultrasound and reports of a head are no face; a capture of one may be."""
    get = {"BodyPartExamined": "HEAD"}.get
    assert [None] * 4 == [face_risk(get, sop, STRICT) for sop in (DX, CR, US, SR)]
    assert Reason.FACE_RISK is face_risk(get, SC, STRICT)


@given(st.text(max_size=60))
def test_region_answers_any_text(text: str) -> None:
    """Any text is a region, and adding a head to it makes it a head."""
    assert region([text]) in Region
    assert Region.HEAD is region([text, "HEAD"])
    assert Region.HEAD is region([f"{text} HEAD"])


# ── asked of a header ────────────────────────────────────────────────────────────────────────────


def code(meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "X", "99X", meaning
    return item


def test_a_header_is_asked_what_kind_its_frames_are() -> None:
    """An enhanced object of which one frame is a capture."""
    header = Dataset()
    header.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    for kind in (["ORIGINAL", "PRIMARY"], ["DERIVED", "SECONDARY", "SCREEN SAVE"]):
        group, item = Dataset(), Dataset()
        item.FrameType = kind
        group.CTImageFrameTypeSequence = Sequence([item])
        header.PerFrameFunctionalGroupsSequence = Sequence(
            [*header.get("PerFrameFunctionalGroupsSequence", ()), group]
        )
    enhanced = TABLE[ROOT + "2.1"]

    assert Reason.BURNED_IN_RISK is burned_in_risk(asked_of(header), enhanced, STRICT)
    del header.PerFrameFunctionalGroupsSequence[1]
    assert burned_in_risk(asked_of(header), enhanced, STRICT) is None


@pytest.mark.parametrize(
    "place", ["RequestedProcedureDescription", "RequestedProcedureCodeSequence"]
)
@pytest.mark.parametrize("requested", [True, False])
def test_a_header_is_asked_for_what_was_requested(place: str, requested: bool) -> None:  # noqa: FBT001 - a row
    """A request for a head is a head, whatever the body part says."""
    header, request = Dataset(), Dataset()
    header.BodyPartExamined = "CHEST"
    target = request if requested else header
    setattr(target, place, Sequence([code("MR Brain")]) if "Code" in place else "MR Brain")
    if requested:
        header.RequestAttributesSequence = Sequence([request])

    assert Reason.FACE_RISK is face_risk(asked_of(header), MR, STRICT)
    assert face_risk(asked_of(header), MR, HEADS) is None


def nested(keyword: str, value: str, *, raw: str) -> Dataset:
    """A header in which a second item, three levels down, says something of pixels or faces."""
    inner, outer, header = Dataset(), Dataset(), Dataset()
    setattr(inner, keyword, value)
    outer.SourceImageSequence = Sequence([Dataset(), inner])
    header.Modality, header.BodyPartExamined = "CT", "CHEST"
    header.ReferencedImageSequence = Sequence([outer])
    if not raw:
        return header
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = raw
    file = BytesIO()
    header.save_as(
        file,
        enforce_file_format=False,
        implicit_vr=raw == ImplicitVRLittleEndian,
        little_endian=raw != ExplicitVRBigEndian,
    )
    file.seek(0)
    return dcmread(file, force=True)


ENCODINGS = ("", ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)


@pytest.mark.parametrize("raw", ENCODINGS)
@pytest.mark.parametrize("sop", [CT, DX])
def test_an_item_that_says_yes_is_believed(raw: str, sop: SopClass) -> None:
    """BurnedInAnnotation YES counts however deep it stands; NO in an item is no promise."""
    header = nested("BurnedInAnnotation", "YES", raw=raw)
    header.BurnedInAnnotation = "NO"
    assert Reason.BURNED_IN_RISK is burned_in_risk(asked_of(header), sop, STRICT)
    header = nested("BurnedInAnnotation", "NO", raw=raw)
    expected = None if sop is CT else Reason.BURNED_IN_RISK
    assert expected is burned_in_risk(asked_of(header), sop, STRICT)
    header.BurnedInAnnotation = "NO"
    assert burned_in_risk(asked_of(header), sop, STRICT) is None


@pytest.mark.parametrize("raw", ENCODINGS)
def test_an_item_that_says_a_face_is_seen_is_believed(raw: str) -> None:
    """RecognizableVisualFeatures YES in an item, of a chest that says NO."""
    header = nested("RecognizableVisualFeatures", "YES", raw=raw)
    header.RecognizableVisualFeatures = "NO"
    assert Reason.FACE_RISK is face_risk(asked_of(header), CT, STRICT)
    header = nested("RecognizableVisualFeatures", "NO", raw=raw)
    assert face_risk(asked_of(header), CT, STRICT) is None


def test_a_header_is_asked_for_anatomic_codes_in_frames_too() -> None:
    """An enhanced object names its region in a functional group; it counts."""
    header, group, anatomy = Dataset(), Dataset(), Dataset()
    anatomy.AnatomicRegionSequence = Sequence([code("Brain")])
    group.FrameAnatomySequence = Sequence([anatomy])
    header.SharedFunctionalGroupsSequence = Sequence([group])
    header.BodyPartExamined = "CHEST"
    assert Reason.FACE_RISK is face_risk(asked_of(header), MR, STRICT)
    plain = Dataset()
    plain.AnatomicRegionSequence = Sequence([code("Thorax")])
    assert face_risk(asked_of(plain), MR, STRICT) is None


def test_header_and_row_give_one_answer() -> None:
    """Words that only an index row knows are None for a header; numbers come as numbers."""
    header = Dataset()
    header.ImageType = ["DERIVED", "SECONDARY"]
    header.SamplesPerPixel = 3
    get = asked_of(header)
    assert (["DERIVED", "SECONDARY"], 3) == (get("ImageType"), get("SamplesPerPixel"))
    assert (None, None, None) == (
        get("image_types"),
        get("Modality"),
        get("AnatomicRegionSequence"),
    )
    expected = {PixelRisk.DERIVED_SECONDARY, PixelRisk.COLOUR}
    assert expected == pixel_risks(get, CT)


# ── what tells it beside the words for a part ────────────────────────────────────────────────────

CHEST = {"BodyPartExamined": "CHEST", "SeriesDescription": "CHEST ROUTINE"}
TELLING = [
    {"ReceiveCoilName": "HE1-4;NE1"}, {"ReceiveCoilName": "HEA;HEP"},
    {"TransmitCoilName": "Tx_Head"}, {"PulseSequenceName": "tgse_pcasl"},
    {"ConvolutionKernel": "H30s"}, {"ConvolutionKernel": "Hr40d"}, {"ConvolutionKernel": "J40s"},
    {"ConvolutionKernel": ["Hc44f", "2"]}, {"ConvolutionKernel": "UB"},
    {"ConvolutionKernel": "FC26"}, {"ConvolutionKernel": "FC68"},
    {"ConvolutionKernel": "BRAIN"}, {"FilterType": "HEAD FILTER"},
    {"ScanOptions": ["AXIAL", "HEAD"]},
    {"ImageType": ["ORIGINAL", "PRIMARY", "ASL"]}, {"image_types": ["DERIVED\\PRIMARY\\SWI"]},
    {"SeriesDescription": "3D ASL"}, {"SeriesDescription": "SWI_Images"},
    {"ProtocolName": "pcasl"}, {"SequenceName": "*swi3d1r"}, {"ImageComments": "Head first try"},
]  # fmt: skip


@pytest.mark.parametrize("words", TELLING, ids=str)
def test_a_technique_for_heads_counts_whatever_the_body_part_says(words: dict[str, object]) -> None:
    """Coils, kernels, filters and sequences that are made for heads, in a series called CHEST."""
    assert face_risk(CHEST.get, MR, STRICT) is None
    assert Reason.FACE_RISK is face_risk({**CHEST, **words}.get, MR, STRICT)


@pytest.mark.parametrize(
    "words",
    [
        {"ConvolutionKernel": kernel}
        for kernel in ("B30f", "Br40d", "I30f", "Bl57f", "STANDARD", "LUNG", "YB", "FC08", "FC51")
    ]
    + [
        {"ReceiveCoilName": "BO1-3;SP2-6"},
        {"TransmitCoilName": "Body"},
        {"FilterType": "BODY FILTER"},
        {"ScanOptions": "HELICAL MODE"},
    ],
    ids=str,
)
def test_a_technique_for_bodies_is_no_head(words: dict[str, object]) -> None:
    """The usual ones of a chest."""
    assert face_risk({**CHEST, **words}.get, CT, STRICT) is None


@pytest.mark.parametrize(
    ("group", "keyword", "value"),
    [
        ("MRReceiveCoilSequence", "ReceiveCoilName", "Head_32"),
        ("MRTransmitCoilSequence", "TransmitCoilName", "HEAD"),
        ("CTReconstructionSequence", "ConvolutionKernel", "Hr40"),
        ("CTXRayDetailsSequence", "FilterType", "HEAD"),
        ("MRArterialSpinLabelingSequence", "ASLTechniqueDescription", "continuous"),
    ],
)
@pytest.mark.parametrize(
    "around", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_functional_groups_tell_a_head_too(
    around: str, group: str, keyword: str, value: str
) -> None:
    """An enhanced object says it in its groups."""
    inner, outer, header = Dataset(), Dataset(), Dataset()
    setattr(inner, keyword, value)
    setattr(outer, group, [inner])
    setattr(header, around, [Dataset(), outer])
    header.BodyPartExamined = "CHEST"

    assert Reason.FACE_RISK is face_risk(asked_of(header), MR, STRICT)


CAPTURES = [
    {"Modality": "US"}, {"Modality": "OT"}, {"Modality": "SC"}, {"modalities": ["CT", "ES"]},
    {"SeriesDescription": "Dose Report"}, {"SeriesDescription": "DOSE"},
    {"SeriesDescription": "dose_info 2"}, {"SeriesDescription": "Patient Protocol"},
    {"SeriesDescription": "Screen Save"}, {"SeriesDescription": "Screenshot"},
    {"SeriesDescription": "Dosisprotokoll"}, {"SeriesDescription": "Patientenprotokoll"},
    {"SeriesDescription": "Summary Series"}, {"SeriesDescription": "Results MM Reading"},
    {"ImageComments": "Secondary capture"}, {"DerivationDescription": "screen capture"},
    {"SecondaryCaptureDeviceManufacturer": "Maker"}, {"DateOfSecondaryCapture": "20210101"},
    {"BitsStored": 8},
]  # fmt: skip


@pytest.mark.parametrize("words", CAPTURES, ids=str)
def test_a_page_that_calls_itself_original_is_a_page(words: dict[str, object]) -> None:
    """Whatever the class and Image Type say."""
    scan = {"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "BitsStored": 12}
    assert burned_in_risk(scan.get, CT, STRICT) is None
    assert Reason.BURNED_IN_RISK is burned_in_risk({**scan, **words}.get, CT, STRICT)


@pytest.mark.parametrize(
    "description",
    ["LOW DOSE CHEST", "Lung screening", "TEST DOSE", "COR_iDose_3_", "Full Dose Images",
     "CT COLONOGRAPHY", "KIDNEY PROTOCOL", "SnapShot Segment 75%", "Body-Low Dose CT"],
)  # fmt: skip
def test_ordinary_descriptions_are_no_pages(description: str) -> None:
    """Dose, screening and protocol are words of series."""
    assert (
        burned_in_risk({"Modality": "CT", "SeriesDescription": description}.get, CT, STRICT) is None
    )


DEFACING = replace(
    STRICT, faces=FacePolicy(reason="looked at", deface_heads=True, deface_unknown=True)
)


@pytest.mark.parametrize(
    ("part", "defaced"), [("HEAD", True), ("", True), ("CHEST", False)], ids=str
)
def test_what_is_to_be_defaced_passes_on_that_condition(part: str, *, defaced: bool) -> None:
    """A head and what may be one; a chest leaves as it is."""
    get = {"BodyPartExamined": part}.get
    assert face_risk(get, CT, DEFACING) is None
    assert defaced is to_be_defaced(get, CT, DEFACING)
    assert not to_be_defaced(get, CT, STRICT)


def test_outlines_of_a_face_cannot_be_defaced() -> None:
    """A surface scan is no picture of which voxels could be blanked."""
    surface = lookup("1.2.840.10008.5.1.4.1.1.68.1")
    get = {"BodyPartExamined": "HEAD"}.get
    assert Reason.FACE_RISK is face_risk(get, surface, DEFACING)
    assert not to_be_defaced(get, surface, DEFACING)
