"""Series of CT that no patient lay in, for ``throughput.py``: noise as a scanner's, real headers.

The header is that of a GE scanner (257 elements, most of them private) with what a hospital adds.
The noise is chosen so that zlib packs the pixels to 1 / 2.35 of their size, as it does real CT.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from deid_speed import HOSPITAL
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from rle.utils import encode_array

SIDE = 512
AIR, TISSUE, BONE = 24, 1060, 2100
"""Stored values; 0 is -1024 HU."""


def _rle(pixels: NDArray[np.uint16]) -> bytes:
    frame = next(iter(encode_array(pixels, rows=SIDE, columns=SIDE, bits_allocated=16,
                                   samples_per_pixel=1, number_of_frames=1)))  # fmt: skip
    return bytes(frame)


ENCODERS: dict[str, tuple[str, Callable[[NDArray[np.uint16]], bytes]]] = {
    "jpeg-ls": (JPEGLSLossless, imagecodecs.jpegls_encode),
    "jpeg-2000": (JPEG2000Lossless, lambda a: imagecodecs.jpeg2k_encode(
        a, codecformat="j2k", reversible=True, level=0, bitspersample=12)),
    "jpeg-lossless": (JPEGLosslessSV1, lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16)),
    "rle": (RLELossless, _rle),
}  # fmt: skip
"""Transfer syntax and encoder of each kind of source; native is none of them."""


def write(folder: Path, slices: int, codec: str = "native", series: int = 0) -> int:
    """Write one series of so many slices of 512x512, 12 bits; returns the bytes of its pixels."""
    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)  # pydicom ships it
    header = pydicom.dcmread(path)
    for keyword, value in HOSPITAL.items():
        setattr(header, keyword, value)
    _frame(header, series)
    folder.mkdir(parents=True)
    chance = np.random.default_rng(series)
    body = _body()
    for number in range(slices):
        _slice(header, series, number)
        pixels = _pixels(body, number / slices, chance)
        if codec == "native":
            header.PixelData = pixels.tobytes()
            header["PixelData"].VR = "OW"
            header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        else:
            syntax, encode = ENCODERS[codec]
            header.PixelData = encapsulate([encode(pixels)])
            header["PixelData"].VR = "OB"
            header["PixelData"].is_undefined_length = True
            header.file_meta.TransferSyntaxUID = syntax
        header.save_as(folder / f"{number:04}.dcm", enforce_file_format=True)
    return slices * SIDE * SIDE * 2


def _frame(header: Dataset, series: int) -> None:
    header.PatientID = f"P-{series:04}"
    header.PatientName = f"Case^Number{series:04}"
    header.AccessionNumber = f"A-77{series:04}"
    header.StudyInstanceUID = f"1.2.826.0.1.3680043.8.498.77.{series}"
    header.SeriesInstanceUID = f"1.2.826.0.1.3680043.8.498.77.{series}.1"
    header.FrameOfReferenceUID = f"1.2.826.0.1.3680043.8.498.77.{series}.2"
    header.SeriesNumber = series + 1
    header.Rows = header.Columns = SIDE
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.PixelRepresentation = 0
    header.RescaleSlope, header.RescaleIntercept = 1, -1024
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.PixelSpacing = [0.75, 0.75]
    header.SliceThickness = 1.0
    header.GantryDetectorTilt = 0
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    del header.PixelPaddingValue
    if "DataSetTrailingPadding" in header:
        del header.DataSetTrailingPadding


def _slice(header: Dataset, series: int, number: int) -> None:
    header.SOPInstanceUID = f"1.2.826.0.1.3680043.8.498.77.{series}.1.{number + 1}"
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.InstanceNumber = number + 1
    header.ContentTime = f"10{number // 60:02}{number % 60:02}"
    header.SliceLocation = float(number)
    header.ImagePositionPatient = [-192.0, -192.0, float(number)]


def _body() -> NDArray[np.float32]:
    """An ellipse with two ribs' worth of bone, in stored values."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    values = np.full((SIDE, SIDE), AIR, np.float32)
    values[(x / 0.9) ** 2 + (y / 0.65) ** 2 < 1] = TISSUE
    for centre in (-0.45, 0.45):
        values[((x - centre) / 0.28) ** 2 + (y / 0.42) ** 2 < 1] = 200
        values[((x - centre) / 0.06) ** 2 + ((y - 0.55) / 0.05) ** 2 < 1] = BONE
    return values


def _pixels(
    body: NDArray[np.float32], along: float, chance: np.random.Generator
) -> NDArray[np.uint16]:
    moved = np.roll(body, round(20 * np.sin(along * 6)), axis=0)
    noise = chance.standard_normal(body.shape, np.float32)
    noisy = moved + noise * np.where(moved > AIR, np.float32(11), np.float32(4))
    made: NDArray[np.uint16] = np.clip(np.rint(noisy), 0, 4095).astype(np.uint16)
    return made
