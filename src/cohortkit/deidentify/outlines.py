"""Which contours, segments and surfaces follow the skin, so that a face can be drawn.

The list leans one way: a word for the skin or for the whole body counts in any company, but for
the few parts that are called by the same words (external iliac artery, vertebral body).
"""

from __future__ import annotations

import re

from cohortkit.deidentify.regions import folded

_SKIN = frozenset(
    """
    EXTERNAL EXT EXTERN EXTERNE EXTERNO EXTERNA ESTERNO BODY BODYCONTOUR BODYOUTLINE OUTLINE
    SURFACE SILHOUETTE CONTOUR KONTUR AUSSENKONTUR KORPER KOERPER KORPERKONTUR PATIENTENKONTUR
    PATIENT CORPS CUERPO CORPO CONTORNO LICHAAM KROPP TELO CIALO
    SKIN SCALP FACE FACES HAUT KOPFHAUT GESICHT PEAU VISAGE PIEL CARA ROSTRO PELLE VOLTO VISO PELE
    HUID GEZICHT HUD ANSIKT ANSIGT SKORA TWARZ КОЖА ЛИЦО 皮膚 皮肤 体表 體表
""".split()  # noqa: SIM905 - words read best as words
)
_WHOLE = frozenset("HEAD KOPF TETE CABEZA TESTA CABECA HOOFD HEADNECK HN".split())  # noqa: SIM905 - the same
"""Parts that show the skin when nothing else is named with them: a head, not a femoral head."""
_CODES = frozenset(
    """
    39937001 181469002 T-01000 89545001 T-D1200 69536005 T-D1100 38266002 T-D0010
    7163 256135 24728 7154
""".split()  # noqa: SIM905 - the same
)
"""Skin, face, head and body in SNOMED CT, SRT and FMA."""
_NAMESAKES = re.compile(
    r"ILIAC|CAROTID|JUGULAR|PUDEND|OBLIQUE|INTERCOST|CAPSULE|AUDIT|ACOUSTIC|MEATUS|CANAL|SPHINCTER|"
    r"VERTEB|GENICUL|MAMM?ILL|CILIARY|PINEAL|VITREOUS|CALLOS|STOMACH|GASTRIC|PANCREA|STERN|UTER|"
    r"MANDIB|RECTUS|FOREIGN|FIXAT|MARKER|\bOF\b|\b[CTL]\d"
)


def follows_skin(name: str) -> bool:
    """Whether what is called so (a name, a type or a code) shows what the person looks like."""
    text = folded(name).strip()
    if text in _CODES:
        return True
    words = re.findall(r"[^\W\d_]+", text)
    if len(words) == 1 and words[0] in _WHOLE:
        return True
    return not _SKIN.isdisjoint(words) and _NAMESAKES.search(text) is None
