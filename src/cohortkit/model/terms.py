"""Names in sidecars that are no DICOM keywords: BIDS terms, and our own."""

from __future__ import annotations

TERMS = frozenset(
    {
        "Bits",
        "ConversionSoftware",
        "ConversionSoftwareVersion",
        "DeidentificationBasis",
        "DeidentificationRecipe",
        "DeidentificationRecipeSHA256",
        "Files",
        "Format",
        "FrameDuration",
        "GeometryPolicies",
        "GreyBy",
        "InPlanePhaseEncodingDirectionDICOM",
        "Inverted",
        "LowValuesAreBright",
        "ManufacturersModelName",
        "Offset",
        "Padding",
        "PercentPhaseFOV",
        "PhaseEncodingAxis",
        "PhaseEncodingDirection",
        "PhaseEncodingSteps",
        "PixelAspect",
        "Policy",
        "Reason",
        "Shape",
        "SliceTiming",
        "Slope",
        "StoredOffset",
        "Value",
        "VolumeTiming",
    }
)
"""A key that is one of them is not from a patient, whatever the patient is called."""
