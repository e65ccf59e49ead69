"""The values that lines of a deid recipe give, made as deid makes them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID, generate_uid

from cohortkit.errors import MissingDependency
from cohortkit.recipe.deid.handed import Element

_FLOATS = frozenset({"FL", "FD"})
_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_INTEGERS = frozenset({"SL", "SS", "SV", "UL", "US", "UV"})
_DATE = "%Y%m%d"
_TIMES = ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S.%f")
_WORDS = {"true": True, "false": False, "none": None, "null": None}
_LONGEST_UID = 64
MADE = ("var:", "func:", "deid_func:")
"""How a value begins that is no constant."""


def given(
    value: str, item: Mapping[str, Any], dicom: Dataset, field: Element | str, *, vr: str | None
) -> Any:  # noqa: ANN401 - whatever a caller's table or function gives
    """What a line's value stands for; None changes nothing.

    Args:
        value: constant, ``var:``, ``func:`` or ``deid_func:`` and a name.
        item: variables and functions by name.
        dicom: the dataset as it is now.
        field: the element, or the field as written where there is none yet.
        vr: of the element; None where there is none yet.
    """
    if not isinstance(value, str):
        raise TypeError("deid replaces by text only")
    kind, _, name = value.partition(":")
    if kind == "var" and value != kind:
        return item.get(name)
    if kind == "deid_func" and value != kind:
        name, _, extras = name.partition(" ")
        own = OWN.get(name)
        return None if own is None else own(field, _options(extras))
    if kind == "func" and value != kind:
        made: Callable[..., Any] | None = item.get(name)
        return None if made is None else made(dicom=dicom, value=value, field=field, item=item)
    return value if vr is None else converted(value, vr)


def converted(value: str, vr: str) -> object:
    """A constant as the VR holds it; None where it cannot."""
    try:
        if vr in _FLOATS:
            return float(value)
        if vr in _BYTES:
            return bytes(value, "utf-8")
        if vr in _INTEGERS:
            return int(value)
    except (ValueError, TypeError):
        return None
    return value


def jittered(element: DataElement, days: str | float) -> Any:  # noqa: ANN401 - as the value was
    """A date or time moved by whole days, in the spelling that deid gives it."""
    number = int(days)
    original = element.value
    if not original:
        return None
    many = isinstance(original, list | tuple | MultiValue)
    moved = [_moved(one, element.VR, number) or one for one in (original if many else [original])]
    return "\\".join(str(one) for one in moved) if many else moved[0]


def _moved(value: object, vr: str, days: int) -> str | None:
    if vr == "DA":
        return _stamp(value, days, _DATE)
    if vr == "DT":
        try:
            return _stamp(value, days, _TIMES[0])
        except Exception:  # noqa: BLE001 - deid tries the next form whatever came up
            return _stamp(value, days, _TIMES[1])
    for form in (_DATE, *_TIMES):
        try:
            return _stamp(value, days, form)
        except Exception:  # noqa: BLE001, S112 - the same
            continue
    return None


def _stamp(value: object, days: int, form: str) -> str | None:
    if value in ("", None):
        return None
    try:
        from dateutil import parser  # noqa: PLC0415 - comes with deid
    except ImportError:
        raise MissingDependency("pip install 'cohortkit[deid]'") from None
    try:
        when = parser.parse(f"{value}")
    except (parser.ParserError, OverflowError):
        when = datetime.strptime(f"{value}", form)  # noqa: DTZ007 - as deid reads it
    when += timedelta(days=int(float(days)))
    return str(when.strftime(form))


def _options(written: str) -> dict[str, Any]:
    pairs = (one.split("=", 1) for one in written.split(" ") if "=" in one)
    return {name.strip(): _WORDS.get(v.strip(), v.strip()) for name, v in pairs}


def _jitter(field: Element | str, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
    days = int(options.get("days", 1)) + 365 * int(options.get("years", 0))
    if isinstance(field, str):
        raise TypeError("deid jitters elements that are there")
    return jittered(field.element, days)


def _basic_uuid(_field: Element | str, _options: Mapping[str, Any]) -> str:
    return str(uuid.uuid4())


def _suffix_uuid(field: Element | str, _options: Mapping[str, Any]) -> str:
    name = field if isinstance(field, str) else field.name
    return f"{name.lower()}-{uuid.uuid4()}"


def _dicom_uuid(_field: Element | str, options: Mapping[str, Any]) -> str:
    root = options.get("org_root", "anonymous-organization")
    return f"{root}.{uuid.uuid4().int}"[:_LONGEST_UID]


def _pydicom_uuid(field: Element | str, options: Mapping[str, Any]) -> UID:
    sources: Sequence[str] = []
    if options.get("stable_remapping", True) is True:
        if isinstance(field, str):
            raise TypeError("deid maps UIDs that are there")
        sources = [str(field.element.value)]
    return generate_uid(prefix=options.get("prefix", "2.25."), entropy_srcs=[*sources])


OWN: Mapping[str, Callable[[Element | str, Mapping[str, Any]], Any]] = {
    "jitter": _jitter,
    "basic_uuid": _basic_uuid,
    "suffix_uuid": _suffix_uuid,
    "dicom_uuid": _dicom_uuid,
    "pydicom_uuid": _pydicom_uuid,
}
"""The functions that deid brings, by the name after ``deid_func:``."""
