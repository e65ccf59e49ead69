"""Kinds of output. Each writer is one file behind ``protocols.Writer``."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from cohortkit.errors import UsageError
from cohortkit.protocols import Writer

_SHORT_NAMES = {
    "dicom": ("cohortkit.writers.dicom", "Dicom"),
    "nifti": ("cohortkit.writers.nifti", "Nifti"),
    "png": ("cohortkit.writers.png", "Png"),
    "tables": ("cohortkit.writers.tables", "Tables"),
}


def writer(wanted: str | Writer) -> Writer:
    """A writer by its short name with its defaults, or the writer itself.

    Args:
        wanted: ``"dicom"``, ``"nifti"``, ``"png"``, ``"tables"``, or an object that writes.

    Raises:
        UsageError: a name that no writer has, or an object that does not write.
    """
    if isinstance(wanted, str):
        if wanted not in _SHORT_NAMES:
            raise UsageError(f"no output {wanted!r}; there are {', '.join(_SHORT_NAMES)}")
        module, name = _SHORT_NAMES[wanted]
        return cast("Writer", getattr(import_module(module), name)())
    if isinstance(wanted, type) or not all(
        hasattr(wanted, part) for part in ("name", "accepts", "write")
    ):
        raise UsageError("an output is a short name or a writer such as cohortkit.Nifti()")
    return wanted
