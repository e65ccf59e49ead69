"""Functions for recipes in deid's language; in a module, since workers import them by name."""

from __future__ import annotations

from typing import Any


def harmless(item: Any, value: Any, field: Any, dicom: Any) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    """A text that says nothing."""
    return "HOUSE-1"


def leaking(item: Any, value: Any, field: Any, dicom: Any) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    """The patient's name, in a place that nobody would look at."""
    return str(dicom.PatientName)


def failing(item: Any, value: Any, field: Any, dicom: Any) -> str:  # noqa: ANN401, ARG001 - as deid calls it
    """It does not survive the name."""
    raise ValueError(str(dicom.PatientName))
