"""Real series of the shared data and what is known of them: one table for all tests.

Counts, sizes and spacings are those of the acquisitions as their public repositories and dcm2niix
describe them; paths are relative to the data folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.dicom.loader import read_header
from cohortkit.errors import Refusal
from cohortkit.model import FileRef, PixelHandle, Reason
from cohortkit.sources.files import FilePixels


@dataclass(frozen=True)
class Known:
    """One folder that holds one series.

    Attributes:
        shapes: of the volumes, sorted.
        spacing: of the first, mm.
        refused: what makes no volume.
    """

    folder: str
    shapes: tuple[tuple[int, ...], ...] = ()
    spacing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    refused: tuple[Reason, ...] = ()


TABLE = (
    Known("dcm_qa_ct/In/GE", refused=(Reason.IRREGULAR_SPACING,)),
    Known("dcm_qa_ct/In/Philips/S21570/S2010", ((512, 512, 28),), (0.451172, 0.451172, 5.0)),
    Known("dcm_qa_me/In/2_me_FieldMap_GRE", ((64, 64, 36),) * 2, (3.0, 3.0, 3.6)),
    Known("dcm_qa_me/In/3_me_FieldMap_GRE", ((64, 64, 36),), (3.0, 3.0, 3.6)),
    Known("dcm_qa_me/In/4_me_fMRI", ((64, 64, 30, 3),) * 2, (3.0, 3.0, 3.6)),
    Known("dcm_qa_mosaic/In/ep2d_Asc_2", ((64, 64, 36, 6),), (3.203125, 3.203125, 3.6)),
    Known("dcm_qa_mosaic/In/cmrr_Int_HF_9", ((64, 64, 40, 6),), (3.203125, 3.203125, 3.6)),
    Known("dcm_qa_nih/In/20180918GE/mr_0004", ((64, 64, 15, 10),), (3.75, 3.75, 5.0)),
    Known("dcm_qa_nih/In/20180918Si/mr_0003", ((72, 72, 5, 2),), (3.0, 3.0, 12.0)),
    Known("dcm_qa_enh/In/Philips", ((64, 64, 32),) * 2, (4.0, 4.0, 4.0)),
    Known("dcm_qa_enh/In/Siemens/XA10", ((64, 64, 6, 4),), (3.375, 3.375, 2.4)),
    Known("dcm_qa_agfa/Agfa", ((64, 64, 25, 4),), (3.28125, 3.28125, 3.3)),
    Known("dcm_qa_pdt2/In/Siemens/VE11", ((64, 64, 35),) * 2, (1.796875, 1.796875, 2.34)),
    Known("dcm_qa_ts/In", ((64, 64, 35),), (3.25, 3.25, 3.6), (Reason.SAME_INSTANCE,)),
    Known("dcm_qa_12bit/In", ((64, 64, 35),) * 3, (3.25, 3.25, 3.2)),
    Known(
        "dicom2nifti/tests/data/philips_enhanced/dti/001",
        ((128, 128, 8, 4),),
        (2.734375, 2.734375, 2.7),
    ),
    Known(
        "dicom2nifti/tests/data/generic/anatomical/002_non_isotropic",
        ((64, 28, 4),),
        (6.399959, 4.0, 0.499988),
    ),
    Known("dicom2nifti/tests/data/hitachi/anatomical/001", ((64, 64, 4),), (2.34375, 2.34375, 4)),
    Known("dicom2nifti/tests/data/generic/rgb/001", refused=(Reason.NOT_GREY,)),
)


def read(folder: Path) -> tuple[list[Dataset], list[PixelHandle | None]]:
    """Headers and pixels of every DICOM file in a folder."""
    headers: list[Dataset] = []
    pixels: list[PixelHandle | None] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            header, place = read_header(path)
        except Refusal:
            continue
        if "SOPInstanceUID" not in header:
            continue
        found = path.stat()
        ref = FileRef(str(path), found.st_size, found.st_mtime_ns, str(header.SOPInstanceUID))
        headers.append(header)
        pixels.append(None if place is None else FilePixels(ref, place, swapped=False))
    return headers, pixels
