"""Which part of the body a series shows, as far as words tell: a head, something else, unknown.

The lists lean one way. A word that may mean the head counts wherever it stands in a text; a word
for another part of the body must stand alone or begin a word, and counts only where no word for
the head does. So a spelling that nobody thought of is *unknown*, and unknown is held back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise


class Region(StrEnum):
    """What the words say."""

    HEAD = "head"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


_TRANSLATE = str.maketrans({"Ł": "L", "Ø": "O", "Æ": "AE", "Œ": "OE", "Đ": "D", "ß": "SS"})


def _folded(text: str) -> str:
    upper = text.upper().translate(_TRANSLATE)
    plain = unicodedata.normalize("NFKD", upper)
    return "".join(c for c in plain if not unicodedata.combining(c))


_HEAD_ANYWHERE = tuple(
    _folded("""
    HEAD BRAIN SKULL CRANI NEURO FACIAL SINUS ORBIT PITUIT HYPOPHYS SELLA MASTOID TEMPORALBONE
    PETROUS MAXILL MANDIB NASOPHAR OROPHAR PHARYN LARYN NASAL DENTAL DENTA CEREB CEREBR ENCEPHAL
    ENCEFAL HIPPOCAMP CORTEX OPTIC EYEBALL CAROTID INTRACRAN WILLIS STROKE CERVIC CSPINE CSPNE
    WHOLEBODY TOTALBODY WHOLESPINE TOTALSPINE FULLBODY GANZKORPER GANZKOERPER CORPSENTIER
    CUERPOENTERO CUERPOCOMPLETO CORPOINTEIRO TOTALBODY HELKROPP VERTEX MPRAGE MP2RAGE FMRI
    TRACTO TENSOR HARDI DYSTONI EPILEP ALZHEIM DEMENT PARKINSON
    KOPF SCHADEL SCHAEDEL GEHIRN GESICHT FELSENBEIN KIEFER HALSWIRBEL
    CERVEAU CERVEL CRANE VISAGE MACHOIRE CABEZA CEREBELO SENOSPARA TESTA CERVELL CRANIO VOLTO
    CABECA HERSEN HOOFD SCHEDEL HJERN HJARN HUVUD HOVED AIVO MOZEK MOZG GLOWA HLAVA
    LEBKA CZASZK BEYIN KAFATAS GOLOV KEFAL EGKEFAL
    ГОЛОВ МОЗГ ЧЕРЕП ЛИЦ ШЕЯ ΚΕΦΑΛ ΕΓΚΕΦΑΛ 頭 脳 脑 腦 颅 顱 頸 颈 顔 颜 두부 뇌 머리
    """).split()
)
_HEAD_ALONE = frozenset(
    """
    NECK FACE EAR EARS EYE EYES IAC IACS IAM IAMS TMJ NOSE JAW CHIN CCT CMRT DTI COW
    HN HNC TETE COU HALS NNH HWS NAS PAA VISO CUELLO CARA OJO OJOS OREILLE ORL ENT KNO
    FEJ AGY HODE GEZICHT NEK GLAVA ANSIKT
    """.split()  # noqa: SIM905 - words read best as words
)
_ELSEWHERE = tuple(
    """
    CHEST THORA TORAX TORACE LUNG LUNGS LUNGE LUNGEN PULMO POUMON POLMON HEART CARDI CORONAR
    CORAZON HERZ ABDO ABDOM ABDOP BAUCH BUIK LIVER LEBER FOIE HIGADO FEGATO HEPAT PANCREA
    PANKREA SPLEEN MILZ KIDNEY RENAL NIERE RINON UROGRAM PELVI BECKEN BASSIN BACINO BEKKEN
    PROSTAT UTERUS UTERIN OVARI OVARY BLADDER BLASE VESSIE BOWEL COLON RECTUM RECTAL LUMBAR
    LUMBAL LSPINE TSPINE LWS BWS SACRU SACRA SACRO KNEE KNEES KNIE GENOU RODILLA GINOCCHIO HIP
    HIPS HUFTE HANCHE CADERA ANKLE FOOT FEET FUSS PIED HAND HANDS WRIST ELBOW SHOULDER SCHULTER
    EPAULE HOMBRO SPALLA FEMUR TIBIA FIBULA HUMERUS FOREARM FINGER TOE TOES LEG LEGS ARM ARMS
    EXTREMIT BREAST BRUST MAMMA SEIN AORTA CAP TAP
    """.split()  # noqa: SIM905 - words read best as words
)
_BEGINS_A_WORD = 5  # letters; shorter words must stand alone

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


def region(head_words: Iterable[str], other_words: Iterable[str] = ()) -> Region:
    """What a series shows.

    Args:
        head_words: texts in which any word counts (body part, descriptions, code values).
        other_words: texts in which only words for the head count.
    """
    main = [_folded(text) for text in head_words]
    if any(_is_head(text) for text in main) or any(_is_head(_folded(t)) for t in other_words):
        return Region.HEAD
    return Region.ELSEWHERE if any(_is_elsewhere(text) for text in main) else Region.UNKNOWN


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


def _is_head(text: str) -> bool:
    if text.strip() in _HEAD_CODES:
        return True
    words = _words(text)
    if not _HEAD_ALONE.isdisjoint(words):
        return True
    # without blanks and digits too: WHOLE BODY, T1MPRAGE, HEAD_NECK, C-SPINE
    squeezed = "".join(words) + " " + re.sub(r"[\W_]", "", text)
    return any(part in squeezed for part in _HEAD_ANYWHERE)


def _is_elsewhere(text: str) -> bool:
    words = _words(text)
    joined = [a + b for a, b in pairwise(words) if len(a) == 1]  # L-SPINE
    return any(
        word == part or (len(part) >= _BEGINS_A_WORD and word.startswith(part))
        for word in [*words, *joined]
        for part in _ELSEWHERE
    )
