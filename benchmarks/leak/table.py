"""What there is to plant: the profile's table from a CSV, the attributes from pydicom's dictionary.

The rule of what must go is made here from these two sources and from nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom import datadict

TEXT_VRS = ("LO", "SH", "ST", "LT", "UT", "UC", "UR", "PN", "AE")
"""Free text; CS is told apart, for a valid code string is meant to stay."""
DATE_VRS = ("DA", "DT", "TM")
NUMBER_VRS = ("DS", "IS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV", "AT")
BYTE_VRS = ("OB", "UN")

_FIRST_GROUP = 0x0008
_STRUCTURE = frozenset({0xFFFC, 0xFFFE, 0x7FE0})
# Attributes without which nobody could tell what the file is: they hold what the file needs.
_NEEDED = frozenset(
    {
        "SpecificCharacterSet", "SOPClassUID", "Modality", "ImageType",
        "PhotometricInterpretation", "BurnedInAnnotation", "RecognizableVisualFeatures",
        "PatientIdentityRemoved", "LongitudinalTemporalInformationModified", "BodyPartExamined",
        "DeidentificationMethod", "LossyImageCompression",
    }
)  # fmt: skip
# UIDs that name a class, a syntax or a coding scheme, and no thing of a patient's
_CLASSES = ("SOPClass", "TransferSyntax", "CodingScheme", "ContextUID", "MappingResource")
MODIFIED = "113107"
_COLUMNS = {
    "retain-uids": ("retain_uids", "113110"),
    "retain-device-identity": ("retain_device_identity", "113109"),
    "retain-institution-identity": ("retain_institution_identity", "113112"),
    "retain-patient-characteristics": ("retain_patient_characteristics", "113108"),
    "retain-full-dates": ("retain_longitudinal_full_dates", "113106"),
    "retain-modified-dates": ("retain_longitudinal_modified_dates", MODIFIED),
}
"""Each option's column in a table with a column for each, and its code in one with lists."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of the dictionary (or of the table alone).

    Attributes:
        vr: the dictionary's; LO where pydicom does not know the attribute yet.
        count: fewest values that its VM allows.
    """

    tag: int
    vr: str
    name: str
    count: int = 1


def name_of(tag: int) -> str:
    """Keyword, or eight hex digits where there is none."""
    return datadict.keyword_for_tag(tag) or f"{tag:08X}"


class Table:
    """Table E.1-1 beside the dictionary.

    Attributes:
        listed: every attribute of an object that the basic profile takes away or changes.
        outside: every other attribute of the dictionary that an object can hold.
    """

    def __init__(self, path: Path) -> None:
        """Read the CSV: columns ``tag``, ``vr``, ``basic``.

        Raises:
            FileNotFoundError: no such file.
        """
        lines = path.read_text("utf-8").splitlines()
        told = csv.DictReader(line for line in lines if not line.startswith("#"))
        rows = [row for row in told if row["basic"] != "K"]
        self._rows = [row for row in rows if "X" not in row["tag"].upper()]
        tags = {int(row["tag"], 16) for row in self._rows}
        self.listed = _attributes(tags)
        self.outside = _attributes(
            {
                tag
                for tag in datadict.DicomDictionary
                if tag not in tags and datadict.keyword_for_tag(tag)
            }
        )

    def of(self, vrs: tuple[str, ...], *, listed: bool) -> list[Attribute]:
        """Attributes of these VRs in the table, or outside it, in the order of their tags."""
        return [one for one in (self.listed if listed else self.outside) if one.vr in vrs]

    def kept_by(self, options: Iterable[str]) -> frozenset[str]:
        """Attributes that options of Annex E keep as they are, by name.

        Where dates are modified by whole days the times of day stay.

        Args:
            options: named as ``retain-uids``; of an option that only cleans nothing is kept.
        """
        kept = set()
        for option in options:
            column, code = _COLUMNS.get(option, ("", ""))
            for row in self._rows:
                letter = row.get(column, "K" if code and code in row.get("keep", "") else "")
                moved = code == MODIFIED and (
                    row.get(column) == "C" or code in row.get("clean", "")
                )
                if letter == "K" or (moved and row["vr"] == "TM"):
                    kept.add(name_of(int(row["tag"], 16)))
        return frozenset(kept)

    @property
    def sequences(self) -> list[tuple[Attribute, bool]]:
        """Every sequence, and whether it stands outside the table."""
        inside = [(one, False) for one in self.listed if one.vr == "SQ"]
        outside = [(one, True) for one in self.outside if one.vr == "SQ"]
        return sorted(inside + outside, key=lambda pair: pair[0].tag)

    @property
    def things(self) -> list[Attribute]:
        """UIDs outside the table that point to a thing: an object, a frame, an event."""
        return [
            one
            for one in self.of(("UI",), listed=False)
            if not any(part in one.name for part in _CLASSES) and "SOPClasses" not in one.name
        ]


def _attributes(tags: set[int]) -> list[Attribute]:
    found = []
    for tag in sorted(tags):
        group = tag >> 16
        if group < _FIRST_GROUP or group in _STRUCTURE or name_of(tag) in _NEEDED:
            continue
        known = datadict.dictionary_has_tag(tag)
        vr = datadict.dictionary_VR(tag) if known else "LO"
        vm = datadict.dictionary_VM(tag) if known else "1"
        found.append(Attribute(tag, vr, name_of(tag), int(vm.split("-")[0])))
    return found
