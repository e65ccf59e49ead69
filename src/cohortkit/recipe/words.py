"""The words of a recipe file: each either known, or a fault that names its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from cohortkit.dicom import keywords, sop_classes
from cohortkit.recipe import text as texts
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.hints import hint
from cohortkit.recipe.model import (
    Action,
    Basis,
    Ids,
    LabelType,
    Option,
    PixelRisk,
    Recompress,
    SafeList,
    Unlisted,
)

_MODALITIES = (
    "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM "
    "HC HD IO IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS "
    "OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN "
    "RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC"
)
MODALITIES = frozenset(_MODALITIES.split())
"""Defined terms of Modality (PS3.3 C.7.3.1.1.1) that are not retired."""

_REASON_WORDS = 2
_PROSE_LIMIT = 4000
_LO_LIMIT = 64
_COMPARED = frozenset({"AS", "CS", "DS", "IS", "LO", "LT", "SH", "ST", "UI", "US", "UT"})


class Heads(StrEnum):
    """What a recipe says about faces."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    DEFACE = "deface"  # they leave when what shows a face is blanked


class Profile(StrEnum):
    """The profiles that there are."""

    BASIC = "basic"


class Devices(StrEnum):
    """Whose rules for known devices there are."""

    DEID = "deid"


class Acknowledgement(StrEnum):
    """The words by which a recipe says that it keeps a direct identifier."""

    DIRECT = "keeps-a-direct-identifier"


def fault(text: str) -> PydanticCustomError:
    """A fault with our words; braces in them mean nothing."""
    return PydanticCustomError("word", "{text}", {"text": text})


W = TypeVar("W", bound=StrEnum)


def _one_of(words: Iterable[W], what: str) -> Callable[[object], W]:
    known = {word.value: word for word in words}

    def read(written: object) -> W:
        if not isinstance(written, str):
            raise fault(f"{what} must be text{hint('', known)}")
        if written not in known:
            raise fault(f"unknown {what} {written!r}{hint(written, known)}")
        return known[written]

    return read


def _schema(words: Iterable[StrEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [word.value for word in words]})


def _keyword(written: object) -> str:
    if not isinstance(written, str):
        raise fault("a DICOM keyword must be text")
    if not written or keywords.tag_of(written) is None:
        raise fault(f"unknown keyword {written!r}{hint(written, keywords.all_keywords())}")
    return written


def _pattern(written: object) -> str:
    if not isinstance(written, str) or not set("*?") & set(written):
        raise fault("a pattern is text with * or ?; for one attribute use keyword")
    if "[" in written:
        raise fault("a pattern knows * and ? only")
    return written


def _vr(written: object) -> str:
    if not isinstance(written, str) or written not in vrs.KNOWN:
        raise fault(f"unknown VR {written!r}{hint(str(written), vrs.KNOWN)}")
    return written


def _tag(written: object) -> str:
    if not isinstance(written, str) or not re.fullmatch(
        r"\([0-9a-fA-F]{4},[0-9a-fA-F]{4}\)", written
    ):
        raise fault("a tag is written '(gggg,eeee)', in hexadecimal digits")
    if int(written[1:5], 16) % 2:
        raise fault("a private element is named by private = {group, creator, element}")
    return written


def _hexadecimal(digits: int) -> Callable[[object], str]:
    def read(written: object) -> str:
        if not isinstance(written, str) or not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", written):
            raise fault(f"must be {digits} hexadecimal digits, as text")
        return written

    return read


def _asked(written: object) -> str:
    keyword = _keyword(written)
    tag = keywords.tag_of(keyword)
    if tag is not None and vrs.of_tag(tag) not in _COMPARED:
        raise fault(f"{keyword} has no value to compare")
    return keyword


def _answers(written: object) -> tuple[str, ...]:
    many = written if isinstance(written, list) else [written]
    if not many:
        raise fault("a list without a value is never met")
    return tuple(_answer(one) for one in many)


def _answer(written: object) -> str:
    if isinstance(written, int | float) and not isinstance(written, bool):
        return str(written)
    if not isinstance(written, str):
        raise fault("must be text or a number, or a list of them")
    text = _text(written, _PROSE_LIMIT)
    if text != text.strip():
        raise fault("must have no blanks around it")
    return text


def modality(written: object) -> str:
    """A defined term of Modality."""
    if not isinstance(written, str) or written not in MODALITIES:
        raise fault(f"unknown modality {written!r}{hint(str(written), MODALITIES)}")
    return written


def sop_class(written: object) -> str:
    """The UID of a SOP class, from it or from its name."""
    if isinstance(written, str):
        # a retired class may bear the name of its successor
        for row in sorted(sop_classes.TABLE.values(), key=lambda one: one.retired):
            if written in (row.uid, row.name):
                return row.uid
    names = [row.name for row in sop_classes.TABLE.values()]
    raise fault(f"unknown SOP class {written!r}{hint(str(written), names)}")


def _text(written: object, limit: int) -> str:
    if not isinstance(written, str):
        raise fault("must be text")
    if not written.strip() or len(written) > limit:
        raise fault(f"must be text of 1 to {limit} characters")
    if any(not (c.isprintable() or c in "\n\t") for c in written):
        raise fault("must be printable text")
    return written


def _prose(written: object) -> str:
    paragraphs = _text(written, _PROSE_LIMIT).split("\n\n")
    return "\n\n".join(" ".join(p.split()) for p in paragraphs if p.strip())


def _exact(written: object) -> str:
    text = _text(written, _LO_LIMIT)
    if text != text.strip() or "\\" in text or "\n" in text:
        raise fault("must have no blanks around it, no backslash and no line break")
    return text


def _reason(written: object) -> str:
    text = _prose(written)
    if len(text.split()) < _REASON_WORDS:
        raise fault("a reason must say why, in words")
    return text


def _site_word(written: object) -> str:
    text = _text(written, _LO_LIMIT)
    wrong = texts.faulty(text)
    if wrong:
        raise fault(wrong)
    return text


BasisWord = Annotated[Basis, BeforeValidator(_one_of(Basis, "basis")), _schema(Basis)]
IdsWord = Annotated[Ids, BeforeValidator(_one_of(Ids, "kind of ids")), _schema(Ids)]
SafeListWord = Annotated[
    SafeList, BeforeValidator(_one_of(SafeList, "list of private elements")), _schema(SafeList)
]
ProfileWord = Annotated[Profile, BeforeValidator(_one_of(Profile, "profile")), _schema(Profile)]
OptionWord = Annotated[Option, BeforeValidator(_one_of(Option, "option")), _schema(Option)]
_ACTIONS = tuple(a for a in Action if a not in {Action.SET, Action.MOVE})  # of deid's language
ActionWord = Annotated[Action, BeforeValidator(_one_of(_ACTIONS, "action")), _schema(_ACTIONS)]
UnlistedWord = Annotated[
    Unlisted, BeforeValidator(_one_of(Unlisted, "word for unlisted attributes")), _schema(Unlisted)
]
RiskWord = Annotated[PixelRisk, BeforeValidator(_one_of(PixelRisk, "risk")), _schema(PixelRisk)]
DevicesWord = Annotated[
    Devices, BeforeValidator(_one_of(Devices, "list of devices")), _schema(Devices)
]
RecompressWord = Annotated[
    Recompress, BeforeValidator(_one_of(Recompress, "encoding")), _schema(Recompress)
]
HeadsWord = Annotated[Heads, BeforeValidator(_one_of(Heads, "word for faces")), _schema(Heads)]
LabelWord = Annotated[
    LabelType, BeforeValidator(_one_of(LabelType, "type of column")), _schema(LabelType)
]
AcknowledgementWord = Annotated[
    Acknowledgement,
    BeforeValidator(_one_of(Acknowledgement, "acknowledgement")),
    _schema(Acknowledgement),
]
Keyword = Annotated[str, BeforeValidator(_keyword)]
Asked = Annotated[str, BeforeValidator(_asked)]
Pattern = Annotated[str, BeforeValidator(_pattern)]
VR = Annotated[
    str, BeforeValidator(_vr), WithJsonSchema({"type": "string", "enum": sorted(vrs.KNOWN)})
]
TagText = Annotated[
    str,
    BeforeValidator(_tag),
    WithJsonSchema({"type": "string", "pattern": r"^\([0-9a-fA-F]{4},[0-9a-fA-F]{4}\)$"}),
]
Hex4 = Annotated[str, BeforeValidator(_hexadecimal(4))]
Hex2 = Annotated[str, BeforeValidator(_hexadecimal(2))]
Modality = Annotated[
    str, BeforeValidator(modality), WithJsonSchema({"type": "string", "enum": sorted(MODALITIES)})
]
SopClassWord = Annotated[str, BeforeValidator(sop_class)]
Answers = Annotated[
    tuple[str, ...],
    BeforeValidator(_answers),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number"]},
                {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}},
            ]
        }
    ),
]
Prose = Annotated[str, BeforeValidator(_prose)]
Reason = Annotated[str, BeforeValidator(_reason)]
Exact = Annotated[str, BeforeValidator(_exact)]
SiteWord = Annotated[str, BeforeValidator(_site_word)]
