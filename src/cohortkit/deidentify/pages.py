"""Pages stored as images (dose sheets, protocols, screens, letters), by their words."""

from __future__ import annotations

import re

_TYPE = re.compile(r"SCREEN|DOSE|REPORT|\bPROT\b|PROTOCOL")
"""In a term of Image Type, however it is written."""
_TYPES = frozenset(
    "CAPTURE CAPTURED SNAPSHOT SSAVE SCRNSAVE HARDCOPY PRINT FILMED DOC TEXT GRAPH CURVE".split()  # noqa: SIM905 - words read best as words
)
_OF = r"[\W_]*(?:DE|DI|DELLA|DU|DER)?[\W_]*"
_NEVER_A_SCAN = (
    r"\bDOS(?:E|IS|IM[EÉ]TRIE)[\W_]*(?:PAGE|SHEET|RECORD|RECAP|TABLE|BERICHT|BLATT|ANGABEN|"
    r"(?:UE|U|Ü)BERSICHT)|"
    rf"\b(?:INFORME|RESUMEN|RIEPILOGO|FOGLIO|PAGE){_OF}DOS|\b999[\W_]*DOSE|"
    r"UNTERSUCHUNGSPROTOKOLL|"
    r"SCANNED[\W_]*DOC|\bCONSENT\b|\bREQUEST[\W_]*FORM|ARZTBRIEF|PATIENTENDATEN|"
    r"\bPATIENT[\W_]*(?:INFO|DATA|SHEET)|"
    r"SCREEN[\W_]*(?:SAV|SHOT|CAP|GRAB|PRINT|DUMP)|BILDSCHIRM|SECONDARY[\W_]*CAPTURE|"
    r"\A[\W_\d]*DOS(?:E|IS|IM[EÉ]TRIE)[\W_\d]*\Z|\A\W*SNAPSHOTS?\W*\Z|"
    r"DO[CK]UMENT(?!AL)|WORK[\W_]*LIST|FORMULAR|FORMULAIRE|QUESTIONN?AIRE|FRAGEBOGEN|ANAMNES|"
    r"ANFORDERUNG|(?:UE|U|Ü)BERWEISUNG|ZUWEISUNG|EINWILLIGUNG|AUFKL(?:AE|A|Ä)RUNG|"
    r"\bREFERRAL|\bLETTERS?\b|ORDONNANCE|\bRICHIESTA|\bSOLICITUD|AANVRAAG|"
    r"\bEXAM(?:INATION)?[\W_]*INFO"
)
_ANYWHERE = re.compile(_NEVER_A_SCAN)
_DESCRIPTION = re.compile(
    _NEVER_A_SCAN + r"|\bDOS(?:E|IS|IM[EÉ]TRIE)[\W_]*(?:INFO|PROTO|RAPPORT)|"
    r"\b(?:PATIENT(?:EN)?|EXAM|SCAN)[\W_]*PROTO[CK]OL|REPORT(?:S|\b)|RAPPORT\b|\bBERICHT|"
    r"BEFUNDBERICHT|\bBEFUNDE?\b|\bCAPTUR(?:ED?|AS?)\b|\bKEY[\W_]*IMAGES?\b|"
    r"\A[\W_\d]*(?:SCREENS?|SC|PROTO[CK]OLL?|PAGES?)[\W_\d]*\Z|\bINFO[\W_]*SHEET|"
    r"\bSUMMARY\b|\bRESULTS?\b|AUSWERTUNG|ERGEBNIS|\bRISULTAT[IO]\b|\bRESULTADOS?\b|"
    r"\bR[EÉ]SULTATS?\b|\bUITSLAG|\bVERSLAG|\bREFERTO|\bINFORMES?\b|COMPTE[\W_]*RENDU|"
    r"HARD[\W_]*COPY|PRINT[\W_]*OUT"
)
"""Low dose and screening are words of ordinary series; a study has a report, and results."""


def is_page_type(term: str) -> bool:
    """Whether a value of Image Type, in capitals, says that a page was drawn or captured."""
    return term in _TYPES or _TYPE.search(term) is not None


def is_page(description: str) -> bool:
    """Whether the description of a series, in capitals, is that of a page."""
    return _DESCRIPTION.search(description) is not None


def is_page_of_a_study(text: str) -> bool:
    """The same of what a protocol or a study is called, which says less of a single series."""
    return _ANYWHERE.search(text) is not None
