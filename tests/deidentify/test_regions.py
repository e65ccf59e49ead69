"""Words for a head in series that are called by another part of the body."""

from __future__ import annotations

import pytest

from cohortkit.deidentify.gates import face_risk
from cohortkit.dicom.sop_classes import TABLE
from cohortkit.model import Reason
from cohortkit.recipe.model import Basis, FacePolicy, Recipe

CT = TABLE["1.2.840.10008.5.1.4.1.1.2"]
STRICT = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)
HEADS = Recipe("t", STRICT.basis, faces=FacePolicy(accept_heads=True))

SHOWN = [
    # trauma: from the vertex on
    "Traumaspirale", "CT Trauma-Spirale", "Schockraum", "Schockraum-CT", "pan CT", "pan-CT",
    "PANCT",
    "Trauma scan", "traumascan", "TRAUMA-CT", "CT Trauma", "MSCT trauma", "Code Trauma",
    "major trauma",
    "CT PolyT", "Poly-Trauma", "politraumatismo",
    # ear, nose, throat, teeth
    "HNO Staging", "CT HNO", "NTAP", "CT NTAP KM", "Zahn", "Zähne", "Zahn-CT", "OPG",
    "Orthopantomogramm", "laringe", "seno maxilar",
    # the skeleton, skull and all
    "Osteo-CT Plasmozytom", "3_pan-CT_nativ", "Osteo CT",
    "Skelett Plasmozytom", "Skelettstatus", "myeloma low dose",
    "Myelom", "MIELOMA", "skeletal survey", "bone survey",
    # from the eyes or the skull on
    "Melanoma PET", "PET/CT Melanom", "SBTMT", "SB to MT", "SB-MT", "LDWBCT", "WBLDCT",
    # the neck's arteries
    "Stenose ACI", "ICA", "ICA stenosis", "MCA",
    # the spine from the neck on
    "whole column", "Full spine", "spine complete", "Wirbelsäule komplett", "WS total", "ganze WS",
    "rachis entier", "colonna in toto", "GWS",
]  # fmt: skip

ORDINARY = [
    "Osteoporose LWS", "osteoporosis", "Osteosynthese", "Liver", "Pancreas CT", "Span CT", "Panto",
    "musculoskeletal", "MSK skeletal", "myelomalacia", "myelography L-spine", "Myelo-CT",
    "melanocyte", "Spinal canal", "T spine", "lumbar spine", "column", "Low dose chest", "trauma",
    "Trauma Thorax", "Trauma CT Thorax", "CT TRAUMA CHEST ABDOMEN PELVIS", "atraumatic CT",
    "Fascia", "Acinar", "Mica", "ICAO", "Optima", "Polyp", "Polycystic",
    "WS", "BWS/LWS", "Schock", "OP Ganglion", "RAUM 4", "Osteochondrose CT",
]  # fmt: skip


@pytest.mark.parametrize("text", SHOWN)
@pytest.mark.parametrize("part", ["CHEST", "ABDOMEN", "AORTA", "TSPINE"])
def test_what_takes_the_head_in_is_held_whatever_its_body_part_says(part: str, text: str) -> None:
    """The scanner's body part is that of a protocol; the description says what was scanned."""
    for keyword in ("SeriesDescription", "StudyDescription", "ProtocolName"):
        get = {"BodyPartExamined": part, keyword: text}.get
        assert Reason.FACE_RISK is face_risk(get, CT, STRICT)
        assert face_risk(get, CT, HEADS) is None


@pytest.mark.parametrize("text", ORDINARY)
def test_words_that_only_look_alike_hold_nothing(text: str) -> None:
    """Short words count as whole words only."""
    for keyword in ("SeriesDescription", "StudyDescription", "ProtocolName"):
        assert face_risk({"BodyPartExamined": "CHEST", keyword: text}.get, CT, STRICT) is None
