"""One graph of UIDs: what refers to an object refers to its released self, in any file and run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import (
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    RTStructureSetStorage,
)

import cohortkit as ck
from factory import Patient, Series, uid, write_series

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
REFERENCES = {"ReferencedSOPInstanceUID", "SOPInstanceUID"}
PLACES = {
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ReferencedFrameOfReferenceUID",
}


def bare(images: list[Dataset], sop_class: str, modality: str) -> FileDataset:
    """An object of the same patient and study, without content."""
    first = images[0]
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    for keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate"):
        setattr(made, keyword, first[keyword].value)
    made.StudyInstanceUID, made.StudyDate = first.StudyInstanceUID, first.StudyDate
    made.SOPClassUID, made.Modality = sop_class, modality
    made.SOPInstanceUID = uid(sop_class, "instance")
    made.SeriesInstanceUID = uid(sop_class, "series")
    return made


def reference(image: Dataset) -> Dataset:
    """What refers to an image."""
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = (
        image.SOPClassUID,
        image.SOPInstanceUID,
    )
    return made


def series_of(images: list[Dataset]) -> Dataset:
    """What refers to a series and its images."""
    made = Dataset()
    made.SeriesInstanceUID = images[0].SeriesInstanceUID
    made.ReferencedSOPSequence = Sequence(map(reference, images))
    return made


def structures(images: list[Dataset]) -> FileDataset:
    """An RT structure set."""
    made = bare(images, RTStructureSetStorage, "RTSTRUCT")
    made.StructureSetLabel = "one"
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ContourImageSequence = Sequence(map(reference, images))
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = images[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = images[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = Sequence([study])
    made.ReferencedFrameOfReferenceSequence = Sequence([frame])
    contour = Dataset()
    contour.ContourImageSequence = Sequence([reference(images[0])])
    contour.ContourGeometricType, contour.NumberOfContourPoints = "POINT", 1
    contour.ContourData = [1.0, 2.0, 3.0]
    roi = Dataset()
    roi.ReferencedROINumber, roi.ContourSequence = 1, Sequence([contour])
    made.ROIContourSequence = Sequence([roi])
    return made


def selection(images: list[Dataset]) -> FileDataset:
    """A key object selection."""
    made = bare(images, KeyObjectSelectionDocumentStorage, "KO")
    study = Dataset()
    study.StudyInstanceUID = images[0].StudyInstanceUID
    study.ReferencedSeriesSequence = Sequence([series_of(images[:1])])
    made.CurrentRequestedProcedureEvidenceSequence = Sequence([study])
    return made


def presentation(images: list[Dataset]) -> FileDataset:
    """A presentation state."""
    made = bare(images, GrayscaleSoftcopyPresentationStateStorage, "PR")
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ReferencedImageSequence = Sequence(map(reference, images))
    made.ReferencedSeriesSequence = Sequence([series])
    return made


def segments(images: list[Dataset]) -> Dataset:
    """A segmentation, by highdicom."""
    described = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="liver",
        segmented_property_category=codes.SCT.Organ,
        segmented_property_type=codes.SCT.Liver,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    for image in images:
        image.PatientSex = "F"
        image.StudyID = "1"
    return hd.seg.Segmentation(
        images,
        np.ones((len(images), 12, 10), np.uint8),
        hd.seg.SegmentationTypeValues.BINARY,
        [described],
        uid("seg", "series"),
        20,
        uid("seg", "instance"),
        1,
        "ACME",
        "segmenter",
        "1",
        "42",
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT and four objects that refer to it, in two folders."""
    folder = tmp_path_factory.mktemp("archive")
    paths = write_series(folder / "images", Patient(), Series(slices=3))
    images = [pydicom.dcmread(path) for path in paths]
    (folder / "others").mkdir()
    for number, make in enumerate((structures, selection, presentation, segments)):
        made = make(images)
        made.save_as(folder / "others" / f"{number}.dcm", enforce_file_format=True)
    return folder


def released(folder: Path, out: Path, key: ck.Key) -> list[Dataset]:
    """Every object of the release of a folder."""
    plan = ck.plan(ck.scan(folder, progress=False).search(), ck.load_recipe("basic"), to="dicom")
    made = ck.export(plan, out, key=key, workers=1, progress=False)
    assert made.refused().height == made.failed().height == 0
    return [pydicom.dcmread(path) for path in sorted(made.release.rglob("*.dcm"))]


def named(dataset: Dataset, keywords: set[str]) -> Iterator[str]:
    """Every UID that stands under these keywords, at any depth."""
    for element in dataset.iterall():
        if element.keyword in keywords and element.value:
            yield str(element.value)


def test_every_reference_is_answered_across_files_and_runs(archive: Path, tmp_path: Path) -> None:
    """Images and what refers to them leave by two exports; every UID meets its own."""
    key = ck.Key.new(tmp_path / "k.key", "graph")
    images = released(archive / "images", tmp_path / "one", key)
    others = released(archive / "others", tmp_path / "two", key)

    assert (3, 4) == (len(images), len(others))
    there = {uid for image in images for uid in named(image, {"SOPInstanceUID"} | PLACES)}
    for other in others:
        own = {str(other.SOPInstanceUID), str(other.SeriesInstanceUID)}
        references = set(named(other, {"ReferencedSOPInstanceUID"} | PLACES)) - own
        assert len(references) > 2
        assert set() == references - there, other.Modality


def test_nothing_of_the_old_graph_is_left(archive: Path, tmp_path: Path) -> None:
    """No UID of the source stands in any released object."""
    key = ck.Key.new(tmp_path / "k.key", "graph")
    sources = [pydicom.dcmread(path) for path in archive.rglob("*") if path.is_file()]
    old = {uid for source in sources for uid in named(source, REFERENCES | PLACES)}

    for made in released(archive, tmp_path / "out", key):
        assert not old & set(named(made, REFERENCES | PLACES))
        assert made.PatientID == made.PatientName


def test_another_key_makes_another_graph(archive: Path, tmp_path: Path) -> None:
    """Two projects cannot join their releases by UIDs."""
    graphs = []
    for project in ("one", "two"):
        key = ck.Key.new(tmp_path / f"{project}.key", project)
        made = released(archive, tmp_path / project, key)
        graphs.append({uid for one in made for uid in named(one, REFERENCES | PLACES)})

    assert not graphs[0] & graphs[1]
