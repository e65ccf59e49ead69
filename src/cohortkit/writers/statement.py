"""What was done to the identities, as every sidecar says it: in the words of PS3.15."""

from __future__ import annotations

from cohortkit.model import Statement


def statement(said: Statement) -> dict[str, object]:
    """The statement by DICOM keyword, and the basis and recipe that DICOM has no keyword for."""
    return {
        "DeidentificationBasis": said.basis,
        "DeidentificationRecipe": said.recipe,
        "DeidentificationRecipeSHA256": said.recipe_digest,
        "PatientIdentityRemoved": said.identity_removed,
        "DeidentificationMethod": list(said.method),
        "DeidentificationMethodCodeSequence": [
            {"CodeValue": value, "CodingSchemeDesignator": "DCM", "CodeMeaning": meaning}
            for value, meaning in said.codes
        ],
        "LongitudinalTemporalInformationModified": said.temporal,
    }
