"""Which part of the body a series shows, as far as words tell: a head, something else, unknown.

The lists lean one way. A word that may mean the head counts wherever it stands in a text; a word
for another part of the body must be the whole word (Liverpool is no liver, feet first no foot),
and counts only where no word for the head does. So a spelling that nobody thought of is *unknown*,
and unknown is held back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise


class Region(StrEnum):
    """What the words say."""

    HEAD = "head"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


_TRANSLATE = str.maketrans({"Ł": "L", "Ø": "O", "Æ": "AE", "Œ": "OE", "Đ": "D", "ß": "SS"})


def folded(text: str) -> str:
    """Capitals without accents, so that one list serves every spelling."""
    upper = text.upper().translate(_TRANSLATE)
    plain = unicodedata.normalize("NFKD", upper)
    return "".join(c for c in plain if not unicodedata.combining(c))


_HEAD_ANYWHERE = tuple(
    folded("""
    HEAD BRAIN SKULL SCALP CRANI NEURO FACIAL SINUS ORBIT PITUIT HYPOPHYS SELLA MASTOID TEMPORALBONE
    NEURIN TRIGEMIN COCHLE PAROTI TONGUE MIDFACE NECK HIRN KAROTI SUPRAAORT POLYTRAUMA PANSCAN
    PETROUS MAXILL MANDIB NASOPHAR OROPHAR PHARYN LARYN NASAL DENTAL DENTA CEREB CEREBR ENCEPHAL
    ENCEFAL HIPPOCAMP CORTEX OPTIC EYEBALL CAROTI INTRACRAN WILLIS STROKE CERVIC CSPINE CSPNE
    WHOLEBODY TOTALBODY WHOLESPINE TOTALSPINE FULLBODY GANZKORPER GANZKOERPER CORPSENTIER
    CUERPOENTERO CUERPOCOMPLETO CORPOINTEIRO TOTALBODY HELKROPP VERTEX MPRAGE MP2RAGE FMRI
    TRACTO TENSOR HARDI DYSTONI EPILEP ALZHEIM DEMENT PARKINSON
    KOPF SCHADEL SCHAEDEL GEHIRN GESICHT FELSENBEIN KIEFER HALSWIRBEL
    CERVEAU CERVEL CRANE VISAGE MACHOIRE CABEZA CEREBELO SENOSPARA TESTA CERVELL CRANIO VOLTO
    CABECA HERSEN HOOFD SCHEDEL HJERN HJARN HUVUD HOVED AIVO MOZEK MOZG HLAVA
    LEBKA CZASZK BEYIN KAFATAS GOLOV KEFAL EGKEFAL
    SKUL KRANI THYR TIROID SCHILDDR TONSIL SALIVA SUBMANDIB GLOTT THALAM AMYGDAL CLIVUS
    FORAMENMAGNUM MENING SUBDURAL GLIOMA GLIOBL ASTROCYT MEDULLOBL VESTIB HYDROCEPH RETINOBL
    OPHTHALM LACRIM ZYGOM MAXFAC ORALCAVIT TEMPBONE GAMMAKNIFE LEKSELL DWIBS HNSC CAROT
    TRAUMASPIRAL SCHOCKRAUM POLYT POLITRAUM PLASMOZYT PLASMAZYT PLASMACYT ORTHOPAN PANTOMO
    WHOLECOLUMN TOTALCOLUMN WHOLEVERTEB FULLSPINE COMPLETESPINE ENTIRESPINE SPINECOMPLETE
    SPINEWHOLE SPINETOTAL WIRBELSAULEKOMPL WIRBELSAEULEKOMPL GANZEWIRBEL GANZWIRBEL GESAMTEWIRBEL
    RACHISENTIER RACHISCOMPLET COLONNEENTIERE COLUMNACOMPLETA COLUMNATOTAL COLONNAINTOTO
    COLONNACOMPLETA LARING FARING MAXILAR BONESURVEY SKELETALSURVEY
    CERVIK PESCOC NYAK NACKE NAKKE KAULA BOYUN KRCNI HALSRYGG WHLBODY WHLBDY WHBODY
    ГОЛОВ МОЗГ мозок ЧЕРЕП ЛИЦ ШЕЯ ШЕИ ШИЯ ШЕЙН ЧЕЛЮСТ ΚΕΦΑΛ ΕΓΚΕΦΑΛ αυχεν ΤΡΑΧΗΛ
    頭 脳 脑 腦 颅 顱 頸 颈 頚 顔 颜 鼻 眼 耳 咽 喉 顎 颌 舌 甲状腺 全身 두부 뇌 머리 두경 경부 안면
    부비동 전신 رأس دماغ رقبة وجه ראש מוח צוואר
    """).split()
)
_HEAD_ALONE = frozenset(
    """
    FACE FACES CERV WB GK TSA NCAP EAR EARS EYE EYES IAC IACS IAM IAMS TMJ NOSE JAW CHIN
    CCT CMRT DTI COW HN HNC SCHLAFE TETE COU HALS NNH HWS NAS PAA VISO CUELLO CARA OJO OJOS OREILLE
    ORL ENT KNO
    FEJ AGY HODE GEZICHT NEK GLAVA ANSIKT FLAIR STEALTH CISS PNS NPC LIP LIPS MOUTH TOOTH TEETH
    OHR AUGE AUGEN NASE MUND ZUNGE HWK SHT OCCIPUT COLLO BOCA BOUCHE BRN NK HAED LGK SAH SDH TBI
    CSP CSPN CSPI CSPIN TBONE TBONES
    ASL PCASL PASL CASL SWI SWIP SWAN QSM CBF CBV RCBV BRAVO DKI NODDI FGATIR VENBOLD
    HEA HEP
    HNO NTAP NTA OPG SBTMT ACI ICA MCA GWS TRAUMASP
    MYELOM MYELOMA MYELOMAS MYELOME MYELOMES MYELOMEN MYELOMSTAGING MIELOMA MIELOMAS
    """.split()  # noqa: SIM905 - words read best as words
)
_HEAD_GLUED = re.compile(
    "(?:LD|CT|MRI?|PET|PT|NM|D)*WB(?:LD|CT|MRI?|PET|PT|N?AC|DWI|S|BONE)*|"  # WBNAC, 3DWB
    "(?:CT|MRI?|PET|PT|CE)*NCAP[A-Z]{0,3}|"  # neck to pelvis: CTNCAPW
    "H(?:D|EA?D)?(?:AND|UND|ET)?N(?:E?CK|K)?|"  # HandN, HDNK
    "[A-Z]*(?:NCK|SKTH)[A-Z]*|"  # NckChstAbd; skull to thigh
    "NK(?:CH|CAP|THX?)[A-Z]*|(?:GLOW[AEIY]|SZY[IJ])[A-Z]*|"
    "ZAHN[A-Z]*|ZAEHN[A-Z]*|SKELET(?!AL)[A-Z]*"  # teeth; the skeleton, which has a skull
)
"""A word of several that were shortened and written as one."""
_HEAD_APART = re.compile(
    r"\bH(?:D|EA?D)?[\W_]*(?:AND|UND|ET|[&+/])?[\W_]*N(?:E?CK|K)?(?![A-Z])|"  # H and N, H/N, HD NK
    r"\bSK(?:UL+)?[\W_]*(?:TO)?[\W_]*(?:MID)?[\W_]*TH(?:IGHS?)?\b|"
    r"\bC(?:TL)?[\W_]*SPI?N?E?\b|"
    r"(?<![A-Z])SB[\W_]*(?:TO)?[\W_]*M(?:ID)?[\W_]*T(?:H(?:IGHS?)?)?\b|"  # skull base to mid-thigh
    r"(?<![A-Z])PAN[\W_]*CT|"
    r"(?<![A-Z])OSTEO[\W_]*CT\b|(?<![A-Z])CT[\W_]*OSTEO\b|"  # of the whole skeleton
    r"(?<![A-Z])MELANOM.*\bPET|\bPET.*\bMELANOM|"  # from vertex to toes
    r"(?<![A-Z])WS[\W_]*(?:TOTAL|KOMPL|GANZ|GESAMT)|(?<![A-Z])GANZE?[\W_]*WS\b|"
    r"\bHE\d"  # elements of a coil
)
_TRAUMA = re.compile(
    r"(?<![A-Z])TRAUMA[\W_]*(?:SCAN|CT|SPIRAL|PROTO[CK]OL|SERIES|SERIE|CODE|TEAM|ALERT|FULL|TOTAL)|"
    r"(?<![A-Z])(?:MS|MD)?(?:CT|SCAN|FULL|TOTAL|CODE|MAJOR|SEVERE|MULTI|WHOLE)[\W_]*TRAUMA(?![A-Z])"
)
"""A scan of who was badly hurt takes the head in, unless it names what it shows."""
_ELSEWHERE = """
    CHEST THORAX THORACIC THORACAL THORACALE THORACO THORACIQUE TORAX TORACE TORACICO TORACICA
    LUNG LUNGS LUNGE LUNGEN PULMO PULMONARY PULMONAL PULMONALE PULMONAIRE PULMON PULMONES PULMONAR
    POUMON POUMONS POLMONE POLMONI HEART CARDIAC CARDIO CARDIAL CARDIAQUE CARDIACO CARDIACA HERZ
    COEUR CORAZON CUORE CORONARY CORONARIES CORONAR CORONAIRE CORONAIRES CORONARIO CORONARIAS
    ABDOMEN ABDOMINAL ABDOMINALE ABDOMINALES ABDOMINO ABDO ABD ABDOME ADDOME BAUCH OBERBAUCH
    UNTERBAUCH BUIK LIVER LEBER FOIE HIGADO FEGATO HEPATIC HEPATIQUE HEPATICO PANCREAS PANCREATIC
    PANKREAS SPLEEN MILZ KIDNEY KIDNEYS RENAL NIERE NIEREN RINON RINONES RENI REIN REINS UROGRAM
    UROGRAPHY PELVIS PELVIC PELV PELVIEN PELVIENNE PELVICO PELVE BECKEN BASSIN BACINO BEKKEN
    PROSTATE PROSTATA PROSTATIC UTERUS UTERINE OVARY OVARIES OVARIAN BLADDER BLASE HARNBLASE
    VESSIE VEJIGA BOWEL COLON RECTUM RECTAL LUMBAR LUMBAL LUMBALE LUMBAIRE LOMBAIRE LOMBARE LSPINE
    TSPINE LSSPINE TLSPINE LWS BWS SACRUM SACRAL SACROILIAC KNEE KNEES KNIE GENOU GENOUX RODILLA
    RODILLAS GINOCCHIO HIP HIPS HUFTE HUEFTE HANCHE HANCHES CADERA CADERAS ANKLE ANKLES FOOT FEET
    FUSS PIED PIEDS HAND HANDS WRIST WRISTS ELBOW ELBOWS SHOULDER SHOULDERS SCHULTER EPAULE
    EPAULES HOMBRO HOMBROS SPALLA FEMUR FEMORA TIBIA FIBULA HUMERUS FOREARM FINGER FINGERS TOE
    TOES LEG LEGS LOWLEG UPLEG ARM ARMS UPRARM UPPERARM CALF THIGH THIGHS EXTREMITY EXTREMITIES
    BREAST BREASTS BRUST MAMMA MAMA SEIN SEINS AORTA AORTIC CAP TAP
""".split()  # noqa: SIM905 - words read best as words
_WHOLLY_ELSEWHERE = re.compile(f"(?:{'|'.join(sorted(_ELSEWHERE, key=len, reverse=True))}|AND)+")
"""One word of the list, or several without a blank: CHESTABDPELVIS."""
_LIMB = "(?:FEET|FOOT|HANDS?|ARMS?|LEGS?)"
_NO_PART = re.compile(
    rf"{_LIMB}[\W_]*(?:FIRST|UP|DOWN|RAISED|ABOVE|IN|OUT|INJ\w*|VEIN|IV)\b|"
    r".*\b(?:HOSPITAL|CENTRE|CENTER|CLINIC|CLINICA|INSTITUTE|KLINIK|KLINIKUM|SPITAL|HOPITAL)\b.*"
)
"""How somebody lies or where the needle is; the name of a house, in which any word may stand."""
_NECK_LEVELS = re.compile(r"\bC[1-7]\s*[-/]\s*[CT]?[1-7]\b")

# SNOMED CT and SRT codes of the head, its parts, the neck and the whole body (CID 4, CID 4031)
_HEAD_CODES = frozenset(
    """
    T-D1100 T-D1160 T-D1200 T-D1213 T-D1400 T-D1460 T-D1480 T-D1600 T-D1610 T-D0010 T-A0100
    T-A0500 T-A1600 T-A2000 T-A6000 T-A8000 T-11100 T-11133 T-11167 T-11170 T-11180 T-15770
    T-22000 T-45000 T-45100 T-AA000 T-AB000 T-AB200 T-AB701 T-B1000 T-D1217 T-53000 T-54000
    69536005 774007 12738006 89546000 89545001 45048000 38266002 363654007 371398005 371399002
    54066008 2095001 71252005 53120007 81745001 91397008 25238003 181220002 113305005 78277001
    56329008 53620006 117590005 122494005 45206002 61962009 281231009 110517009 91609006 70925003
    31065004 66019005 243898008 52795006 55024004 9951005
    """.split()  # noqa: SIM905 - words read best as words
)


_HEAD_KERNEL = re.compile(
    r"(?:H[A-Z]?|J)\d\d[A-Z]?|"  # Siemens: families for heads, of all generations
    r"U[ABC]|"  # Philips: brain
    r"FC[246]\d(?:-\w+)?"  # Toshiba, Canon: heads, with and without correction
)
"""Kernels of CT that are made for heads."""

_TEXTS = 4096  # a series says the same in every file


def region(head_words: Iterable[str], other_words: Iterable[str] = ()) -> Region:
    """What a series shows.

    Args:
        head_words: texts in which any word counts (body part, descriptions, code values).
        other_words: texts in which only words for the head count.
    """
    main = [folded(text) for text in head_words]
    if any(_is_head(text) for text in main) or any(_is_head(folded(t)) for t in other_words):
        return Region.HEAD
    return Region.ELSEWHERE if any(_is_elsewhere(text) for text in main) else Region.UNKNOWN


def is_head_kernel(text: str) -> bool:
    """Whether a convolution kernel (0018,1210) is one for heads, by its maker's way to name it."""
    return _HEAD_KERNEL.fullmatch(text.strip().upper()) is not None


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


@lru_cache(_TEXTS)
def _is_head(text: str) -> bool:
    if text.strip() in _HEAD_CODES:
        return True
    words = _words(text)
    joined = [a + b for a, b in pairwise(words) if len(a) == 1]  # H&N, T-BONE
    if not _HEAD_ALONE.isdisjoint([*words, *joined]) or _NECK_LEVELS.search(text):
        return True
    if _HEAD_APART.search(text) or any(map(_HEAD_GLUED.fullmatch, words)):
        return True
    if _TRAUMA.search(text) and not _is_elsewhere(text):
        return True
    # without blanks and digits too: WHOLE BODY, T1MPRAGE, HEAD_NECK, C-SPINE
    squeezed = "".join(words) + " " + re.sub(r"[\W_]", "", text)
    return any(part in squeezed for part in _HEAD_ANYWHERE)


@lru_cache(_TEXTS)
def _is_elsewhere(text: str) -> bool:
    words = _words(_NO_PART.sub(" ", text))
    joined = [a + b for a, b in pairwise(words) if len(a) == 1]  # L-SPINE
    return any(_WHOLLY_ELSEWHERE.fullmatch(word) for word in (*words, *joined))
