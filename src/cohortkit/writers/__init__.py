"""Kinds of output. Each writer is one file behind ``protocols.Writer``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import cast

from cohortkit import given
from cohortkit.errors import UsageError
from cohortkit.protocols import Writer

_SHORT_NAMES = {
    "dicom": ("cohortkit.writers.dicom", "Dicom"),
    "nifti": ("cohortkit.writers.nifti", "Nifti"),
    "png": ("cohortkit.writers.png", "Png"),
    "tables": ("cohortkit.writers.tables", "Tables"),
}


def writer(wanted: str | Writer, options: Mapping[str, object] | None = None) -> Writer:
    """A writer by its short name, or the writer itself.

    Args:
        wanted: ``"dicom"``, ``"nifti"``, ``"png"``, ``"tables"``, or an object that writes. Behind
            the name may stand its options, as in ``"nifti:tilt=resample,colour=rgb"``; one without
            a value is true, as in ``"dicom:dicomdir"``.
        options: of a writer that is named, by the names that its class has; default: its own.

    Raises:
        UsageError: a name that no writer has, an option that it has not or that cannot be so, or
            an object that does not write.
    """
    if isinstance(wanted, str):
        wanted, found = _read(wanted)
        options = {**found, **(options or {})}
        if wanted not in _SHORT_NAMES:
            raise UsageError(f"no output {wanted!r}; there are {', '.join(_SHORT_NAMES)}")
        module, name = _SHORT_NAMES[wanted]
        made = getattr(import_module(module), name)
        known = [one.name for one in fields(made)]
        has = f"it has {', '.join(known)}" if known else "it has none"
        strange = [repr(word) for word in options if word not in known]
        sound = {word: value for word, value in options.items() if word in known}
        given.together(
            lambda: _demand_none(f"{wanted} has no option {', '.join(strange)}; {has}", strange),
            lambda: made(**sound),
        )
        return cast("Writer", made(**sound))
    if isinstance(wanted, type) or not all(
        hasattr(wanted, part) for part in ("name", "accepts", "write")
    ):
        raise UsageError("an output is a short name or a writer such as cohortkit.Nifti()")
    return wanted


def _demand_none(said: str, strange: Sequence[str]) -> None:
    if strange:
        raise UsageError(said)


def _read(text: str) -> tuple[str, dict[str, object]]:
    """Name and options of a writer in one word, as the shell has it."""
    name, colon, rest = text.partition(":")
    options: dict[str, object] = {}
    for part in rest.split(",") if colon else ():
        word, equals, value = part.partition("=")
        if not word or bool(equals) != bool(value) or word in options:
            raise UsageError(f"{text!r}: options are such as nifti:tilt=resample,colour=rgb")
        options[word] = _value(value) if value else True
    return name, options


def _value(text: str) -> object:
    """A number, numbers joined by x (for an axis each), true or false, or a word."""
    if text in {"true", "false"}:
        return text == "true"
    parts = text.split("x")
    try:
        numbers = [float(part) if "." in part else int(part) for part in parts]
    except ValueError:
        return text
    return numbers[0] if len(numbers) == 1 else tuple(numbers)
