"""Values that a file calls something else: what leaves is clean and can be written, or refused."""

from __future__ import annotations

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.dicom.encode import Encoding, encoded
from cohortkit.errors import Refusal
from cohortkit.geometry.facts import read_facts
from cohortkit.model import FileRef, Person, Reason, SourceInstance, SourceSeries, Task
from cohortkit.recipe.model import Basis, Recipe
from cohortkit.traces.patterns import collect

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

MARK = b"Quisling"
CT = "1.2.840.10008.5.1.4.1.1.2"
VALUES = {
    "SOPClassUID": ("UI", CT.encode()), "SOPInstanceUID": ("UI", b"1.2.3.4"),
    "Modality": ("CS", b"CT"), "BodyPartExamined": ("CS", b"CHEST"), "PatientID": ("LO", b"0007"),
    "PatientName": ("PN", b"Quisling^Ada"), "AccessionNumber": ("SH", b"Quisling-9"),
    "StudyID": ("SH", b"Quisling-1"), "DeviceSerialNumber": ("LO", b"Quisling-8"),
    "StudyDate": ("DA", b"20200229"), "ClinicalTrialSubjectID": ("LO", b"Quisling-7"),
    "PatientAge": ("AS", b"040Y"), "NumberOfSlices": ("US", b"\1\0"),
    "Manufacturer": ("LO", b"ACME"), "ImageType": ("CS", b"ORIGINAL\\PRIMARY"),
    "PixelSpacing": ("DS", b"1\\1"), "StudyDescription": ("LO", b"Quisling"),
    "SharedFunctionalGroupsSequence": ("SQ", b""),
    "StudyInstanceUID": ("UI", b"1.2.3"), "SeriesInstanceUID": ("UI", b"1.2.3.5"),
}  # fmt: skip


def header(vr: str, *true: str) -> Dataset:
    """Of a file that gives every value this representation, but for those named."""
    dataset = Dataset()
    for keyword, (known, value) in VALUES.items():
        padded = value + b" " * (len(value) % 2)
        said = known if keyword in true else vr
        tag = Tag(keyword)
        raw = RawDataElement(tag, said, len(padded), padded, 0, False, True)  # noqa: FBT003
        dataset._dict[tag] = raw
    return dataset


def released(source: Dataset) -> bytes:
    """What leaves of it, as it would be written; after everything was asked that a task asks."""
    who = Person("", "0007")
    file = FileRef("x", 1, 1, "x")
    task = Task(0, "k", who, "1.2.3", "1.2.3.5", CT, "CT", (file,))
    series = SourceSeries(who, (SourceInstance(source, None, file),), read_facts([source]))
    recipe = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)
    made = deidentify(series, task, recipe, Keyed("other", bytes(32)))
    collect([source], task, made.kept)
    held = made.headers[0]._dataset._dict
    return encoded((held[tag] for tag in sorted(held)), Encoding(implicit=False, little=True))


SAID = ("SOPClassUID", "PatientID", "Modality", "BodyPartExamined", "ImageType")


@pytest.mark.parametrize("vr", ["OB", "OW", "SQ", "FD", "AT", "UL", "DS", "UI", "PN", "UT", "??"])
def test_what_passes_the_gates_is_clean_and_can_be_written(vr: str) -> None:
    """No fault of ours comes of it, and no value that goes stays for being called a number."""
    assert MARK not in released(header(vr, *SAID))


@pytest.mark.parametrize(
    ("vr", "reason"),
    [("OB", Reason.UNKNOWN_SOP_CLASS), ("FD", Reason.UNKNOWN_SOP_CLASS)],
)
def test_an_object_of_nothing_but_bytes_is_refused_by_name(vr: str, reason: Reason) -> None:
    """It does not say what it is."""
    with pytest.raises(Refusal) as caught:
        released(header(vr, "PatientID"))
    assert reason is caught.value.reason


def test_a_dummy_has_the_representation_of_its_attribute() -> None:
    """A keyed token, or nothing, is text, whatever bytes the file had there."""
    data = released(header("OB", *SAID))
    for tag, vr in ((b"\x08\0\x50\0", b"SH"), (b"\x12\0\x40\0", b"LO")):
        at = data.index(tag)
        assert vr == data[at + 4 : at + 6]
