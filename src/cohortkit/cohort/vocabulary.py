"""The terms that a column may show, and what stands for every other value.

Code strings are typed by people as well: a name in BodyPartExamined, a number in SequenceName. So a
value is shown only where it is a term of the standard, or of the short lists here; another is
``other``. A figure of five digits may be somebody's number: it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from cohortkit.dicom.sop_classes import TABLE, is_registered
from cohortkit.traces.fields import MAKERS

OTHER: Final = "other"
"""What stands for a value that is no term."""

FIGURE: Final = 10_000
"""A number of as many digits may be an id; the search before publication begins there as well."""

_LISTS: Final = {
    "Modality": """
    AR ASMT AU BDUS BI BMD CD CF CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG
    EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP
    OPM OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE
    RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG
    US VA VF VIDD XA XAPROTOCOL XC
    """,
    "BodyPartExamined": """
    ABD ABDOMEN ABDOMENPELVIS ADRENAL ANKLE AORTA ARM AXILLA BACK BLADDER BODY BRAIN BREAST
    BRONCHUS BUTTOCK CALCANEUS CALF CARDIAC CAROTID CEREBELLUM CERVICAL CERVIX CHEEK CHEST
    CHESTABDOMEN CHESTABDPELVIS CIRCLEOFWILLIS CLAVICLE COCCYX COLON CORNEA CORONARY
    CORONARYARTERY CSPINE CTSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FEMUR
    FIBULA FINGER FOOT FOREARM GALLBLADDER HAND HEAD HEADNECK HEART HIP HUMERUS IAC ILEUM ILIUM
    JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LOWER LSPINE LSSPINE LUMBAR LUNG MANDIBLE MAXILLA
    MEDIASTINUM MOUTH NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV NOSE ORBIT OVARY PANCREAS
    PAROTID PATELLA PELVIS PENIS PHANTOM PHARYNX PROSTATE RADIUS RECTUM RIB RIBS SCALP SCAPULA
    SCLERA SCROTUM SHOULDER SINUS SKULL SPINE SPLEEN SSPINE STERNUM STOMACH SUBMANDIBULAR TESTIS
    THIGH THORAX THUMB THYMUS THYROID TIBIA TLSPINE TMJ TOE TONGUE TRACHEA TSPINE ULNA UMBILICUS
    UPPER URETER URETHRA UTERUS VAGINA VULVA WHOLE WHOLEBODY WRIST ZYGOMA
    """,
    "ImageType": """
    2D 3D ADC ADDITION AVERAGE AXIAL B BIPLANE BODY BOLD CINE COLOR CSA DERIVED DIFFUSION DIS2D
    DIS3D DIVISION DYNAMIC EMISSION EPI FA FFE FLOW FM FMRI GATED I IMAGE IN IP IR LOCALIZER M
    MAGNITUDE MAX MAXIMUM MEAN MIN MINIMUM MIP MIXED MOSAIC MPR ND NONE NORM NORMAL OPP ORIGINAL
    OTHER P PERFUSION PHASE PLANE POST PRIMARY PROJECTION R REFORMATTED RECON RESAMPLED SAVE
    SCREEN SE SECONDARY SINGLE STATIC SUB SUBTRACTION SURVIEW T1 T2 TOMO TRACEW TRANSMISSION
    UNSPECIFIED VOLUME W WHOLE A
    """,
    "Laterality": "L R B U",
    "ViewPosition": """
    AP AT CC CV FB ISO LAT LATERAL LL LLD LLO LM LMO ML MLO PA RL RLD RLO SIO TAN XCC XCCL XCCM
    """,
    "PatientPosition": """
    AFDL AFDR FFDL FFDR FFP FFS HFDL HFDR HFP HFS LFP LFS PFDL PFDR RFP RFS
    """,
    "PatientSex": "F M O",
    "BurnedInAnnotation": "NO YES",
    "LossyImageCompression": "00 01",
    "PresentationIntentType": "FOR PRESENTATION PROCESSING",
    "ConversionType": "DF DI DRW DV SD SI SYN WSD",
    "PhotometricInterpretation": """
    ARGB CMYK HSV MONOCHROME1 MONOCHROME2 PALETTE COLOR RGB XYB YBR_FULL YBR_FULL_422 YBR_ICT
    YBR_PARTIAL_420 YBR_PARTIAL_422 YBR_RCT
    """,
    "ScanningSequence": "EP GR IR RM SE",
    "SequenceVariant": "MP MTC NONE OSP SK SP SS TRSS",
    "ScanOptions": """
    AXIAL CG CINE EPI FC FS GEMS HELICAL HELIX MODE NONE OTHER PER PFF PFP PPG RG SCOUT SP SPIRAL
    SURVIEW
    """,
    "MRAcquisitionType": "1D 2D 3D",
    "ImagedNucleus": "129XE 13C 19F 1H 23NA 31P 3HE 7LI",
    "InPlanePhaseEncodingDirection": "COL ROW",
    "Units": """
    1CM BQML CM2 CNTS CPS GML MGMINML MLG MLMING MLMINML MLML NONE PCNT PROPCNTS PROPCPS STDDEV
    SUV UMOLMINML UMOLML
    """,
    "CountsSource": "EMISSION TRANSMISSION",
    "DecayCorrection": "ADMIN NONE START",
    "CorrectedImage": "ATTN CLN COUN DCAL DECY DTIM MOTN NORM RADL RAN SCAT UNIF",
    "FilterType": "BUTTERFLY CYLINDRICAL FLAT MULTIPLE NONE STRIP WEDGE",
    "ConvolutionKernel": """
    ASYMMETRICAL BODY BONE BRAIN CHEST DETAIL EDGE HEAD LUNG PLUS SHARP SMOOTH SOFT STANDARD STD
    ULTRA
    """,
}

_SAME: Final = {
    "ImageLaterality": "Laterality",
    "ModalitiesInStudy": "Modality",
    "RecognizableVisualFeatures": "BurnedInAnnotation",
    "SOPClassesInStudy": "SOPClassUID",
    "burned_in": "BurnedInAnnotation",
    "image_types": "ImageType",
    "modalities": "Modality",
    "photometrics": "PhotometricInterpretation",
    "sop_classes": "SOPClassUID",
    "transfer_syntaxes": "TransferSyntaxUID",
}
"""Columns that hold the values of another attribute."""

_OURS: Final = {
    word: frozenset(str(getattr(one, word)).upper() for one in TABLE.values())
    for word in ("kind", "department", "risk")
}
_FIRM: Final = frozenset(
    {"ACUSON", "CO", "COMPANY", "CORP", "CORPORATION", "GMBH", "HEALTHINEERS", "INC", "LTD"}
)
_UIDS: Final = frozenset({"SOPClassUID", "TransferSyntaxUID"})
_COUNTED: Final = frozenset(
    {
        "size",
        "NumberOfSeriesRelatedInstances",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "NumberOfPatientRelatedStudies",
    }
)
"""Figures that the index counts itself: they may be as large as they are."""

TERMS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **{name: frozenset(words.split()) for name, words in _LISTS.items()},
        "Manufacturer": frozenset(map(str.upper, MAKERS)) | _FIRM,
        **_OURS,
    }
)
"""By attribute, the words of which its values may be made (PS3.3, PS3.16 annex L; capitals)."""

_KERNEL: Final = re.compile(r"[A-Z]{1,2}\d{1,3}[A-Z]{0,2}")
"""How makers number their kernels: B30f, FC08, Br40d. Too short for a name or an id."""

_ALONE: Final = 2  # letters that stand alone in a pattern
_PLACES: Final = 4  # of a decimal fraction; more may be an id behind a point
_RUN: Final = re.compile(r"[^\W_]+")
_APART: Final = re.compile(r"[\s,/\\+&()-]+")


def attribute_of(column: str) -> str:
    """The attribute whose values a column holds: Modality for ``modalities``."""
    return _SAME.get(column, column)


def closed(column: str) -> bool:
    """Whether it is known which texts a column may hold."""
    name = attribute_of(column)
    return name in TERMS or name in _UIDS


def known(column: str, text: str) -> bool:
    """Whether a text is a term of its column, and so nobody's name or number."""
    name = attribute_of(column)
    if name in _UIDS:
        return is_registered(text.strip(" \0"))
    words = TERMS.get(name, frozenset())
    whole = text.strip(" \0").upper()
    if whole in words:
        return True
    parts = [part for one in _APART.split(whole) if one for part in _parts(one, words)]
    return bool(parts) and all(_is_term(name, part, words) for part in parts)


def _parts(word: str, words: frozenset[str]) -> list[str]:
    return [word] if word in words else [part for part in word.split("_") if part]


def _is_term(name: str, word: str, words: frozenset[str]) -> bool:
    return word in words or (name == "ConvolutionKernel" and _KERNEL.fullmatch(word) is not None)


def known_pattern(column: str, pattern: str) -> bool:
    """Whether a wildcard or regular expression is made of parts of terms alone."""
    words = TERMS.get(attribute_of(column), frozenset())
    runs = _RUN.findall(pattern.upper())
    if sum(len(run) == 1 for run in runs) > _ALONE:
        return False  # a name can be spelled letter by letter
    return all(any(run in word for word in words) for run in runs)


def counted(column: str) -> bool:
    """Whether the index itself counts what a column holds."""
    return column in _COUNTED


def known_figure(column: str, figure: float) -> bool:
    """Whether a number is too short to be an id, or is a count of the index."""
    return column in _COUNTED or (abs(figure) < FIGURE and figure == round(figure, _PLACES))


def neutral(table: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The table with ``other`` for texts that are no terms, and without long figures.

    Args:
        table: any table.
        columns: which of its columns are judged; the rest is left as it is.
    """
    made = [_neutral(table[name]) for name in columns]
    return table.with_columns(one for one in made if one is not None)


def _neutral(values: pl.Series) -> pl.Series | None:
    listed = isinstance(values.dtype, pl.List)
    single = values.explode() if listed else values
    expr = pl.element() if listed else pl.col(values.name)
    if single.dtype == pl.String:
        seen = single.drop_nulls().unique().to_list()
        other = {text: OTHER for text in seen if text.strip() and not known(values.name, text)}
        expr = expr.replace(other)
    elif single.dtype.is_numeric() and values.name not in _COUNTED:
        expr = pl.when(expr.abs() < FIGURE).then(expr)
    else:
        return None
    whole = pl.col(values.name).list.eval(expr) if listed else expr
    return values.to_frame().select(whole.alias(values.name)).to_series()
