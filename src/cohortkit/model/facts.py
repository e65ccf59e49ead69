"""The numbers and enumerations that assembly needs, and nothing else.

No free string, no bytes, no date: times are seconds from the first frame of the series. So no
recipe can change a volume (facts are read before the header is touched), and no volume can leak.
A test walks these records and holds every field to numbers, enumerations and tuples of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from cohortkit.reasons import Reason

Triple = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]


class Photometric(StrEnum):
    """Photometric Interpretation (PS3.3 C.7.6.3.1.2), its defined terms."""

    MONOCHROME1 = "MONOCHROME1"
    MONOCHROME2 = "MONOCHROME2"
    PALETTE = "PALETTE COLOR"
    RGB = "RGB"
    YBR_FULL = "YBR_FULL"
    YBR_FULL_422 = "YBR_FULL_422"
    YBR_PARTIAL_420 = "YBR_PARTIAL_420"
    YBR_ICT = "YBR_ICT"
    YBR_RCT = "YBR_RCT"
    XYB = "XYB"
    OTHER = "OTHER"


class Codec(Enum):
    """How pixel data are encoded: the transfer syntaxes that are known (PS3.5 A)."""

    IMPLICIT_LITTLE = "1.2.840.10008.1.2"
    EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
    DEFLATED = "1.2.840.10008.1.2.1.99"
    EXPLICIT_BIG = "1.2.840.10008.1.2.2"
    RLE = "1.2.840.10008.1.2.5"
    JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
    JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
    JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
    JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
    JPEG_LS = "1.2.840.10008.1.2.4.80"
    JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"
    JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
    JPEG_2000 = "1.2.840.10008.1.2.4.91"
    HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
    HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
    HTJ2K = "1.2.840.10008.1.2.4.203"
    OTHER = "other"

    @property
    def native(self) -> bool:
        """Whether the pixels lie in the file as they are (deflated: once inflated)."""
        return self in _NATIVE


_NATIVE = frozenset(
    {Codec.IMPLICIT_LITTLE, Codec.EXPLICIT_LITTLE, Codec.DEFLATED, Codec.EXPLICIT_BIG}
)


class PixelType(StrEnum):
    """Which attribute holds the pixels."""

    INTEGER = "PixelData"
    FLOAT = "FloatPixelData"
    DOUBLE = "DoubleFloatPixelData"


class ImageRole(StrEnum):
    """What Image Type says of a frame, in the terms that splitting needs (PS3.3 C.7.6.1.1.2)."""

    MAGNITUDE = "magnitude"
    PHASE = "phase"
    REAL = "real"
    IMAGINARY = "imaginary"
    WATER = "water"
    FAT = "fat"
    IN_PHASE = "in-phase"
    OUT_PHASE = "out-phase"
    LOCALIZER = "localizer"
    OTHER = "other"


class VoiFunction(StrEnum):
    """VOI LUT Function (PS3.3 C.11.2.1.3)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Lut:
    """A look-up table (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

    Attributes:
        first: the input that ``values[0]`` answers; below it the first, beyond the last answers.
        bits: of an output, so that 2**bits - 1 is the largest.
        values: the outputs, unsigned.
    """

    first: int
    bits: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """How the header says that a frame is to be shown: the first of each, where it is usable.

    Attributes:
        window: first Window Center and Width, in modality units.
        function: of the window.
        voi: first VOI LUT; it goes before the window.
        modality: Modality LUT, instead of slope and intercept.
        inverse: Presentation LUT Shape: True INVERSE, False IDENTITY, None absent.
        palette: red, green and blue tables of PALETTE COLOR; None also where not understood.
        pixel_aspect: height of a pixel over its width.
    """

    window: tuple[float, float] | None = None
    function: VoiFunction = VoiFunction.LINEAR
    voi: Lut | None = None
    modality: Lut | None = None
    inverse: bool | None = None
    palette: tuple[Lut, Lut, Lut] | None = None
    pixel_aspect: float = 1.0


PLAIN = Display()
"""A header that says nothing of how to show it."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The Image Pixel module of one instance (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: Photometric
    planar: int
    codec: Codec
    held_in: PixelType = PixelType.INTEGER
    padding: int | None = None
    padding_limit: int | None = None


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """One frame: a classic instance has one, an enhanced instance one per frame.

    Attributes:
        instance: which instance of the series, counted from 0 in the order of the task's files.
        frame: which frame of that instance, counted from 0.
        position: Image Position (Patient), mm, LPS; None where absent.
        orientation: Image Orientation (Patient): row then column direction cosines.
        spacing: Pixel Spacing, mm: between rows, between columns.
        slope, intercept: Rescale Slope and Intercept, in their place Philips' real-world pair;
            None where absent.
        time: seconds from the first frame of the series.
        b_value: s/mm²; b_vector: unit vector in patient coordinates (LPS).
        echo_time, repetition_time: milliseconds, as in DICOM.
        image_type: which of the series' different Image Types, counted from 0 in sorted order.
        setting: which of the series' different settings (frame of reference, patient position,
            rescale type, units, kernel), counted from 0 in sorted order.
        scale_slope: Philips' private factor from display values to what was measured.
        display: how it is to be shown; frames alike share one record.
    """

    instance: int
    frame: int
    position: Triple | None = None
    orientation: Orientation | None = None
    spacing: tuple[float, float] | None = None
    thickness: float | None = None
    spacing_between: float | None = None
    slope: float | None = None
    intercept: float | None = None
    role: ImageRole = ImageRole.OTHER
    derived: bool = False
    instance_number: int | None = None
    acquisition_number: int | None = None
    temporal_position: int | None = None
    echo_number: int | None = None
    echo_time: float | None = None
    repetition_time: float | None = None
    inversion_time: float | None = None
    trigger_time: float | None = None
    time: float | None = None
    b_value: float | None = None
    b_vector: Triple | None = None
    stack: int | None = None
    in_stack: int | None = None
    dimensions: tuple[int, ...] = ()
    tilt: float | None = None
    flip_angle: float | None = None
    image_type: int = 0
    setting: int = 0
    scale_slope: float | None = None
    display: Display = PLAIN


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A mosaic: many slices tiled in one frame, Siemens' or United Imaging's.

    Attributes:
        tiles: number of slices.
        normal: slice normal in patient coordinates, LPS, in the direction of growing tiles.
        slice_times: seconds of each tile from the first, where known.
        positions: Image Position (Patient) of each tile, mm, LPS, where it is stated; the grid
            then is no higher than it has to be.
    """

    tiles: int
    normal: Triple | None
    slice_times: tuple[float, ...] = ()
    positions: tuple[Triple, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """One instance: its pixels and its frames. ``pixels`` is None where it has none.

    Attributes:
        identity: ordinal of the first instance of the series with the same SOP Instance UID.
        series_number: as the instance says it; copies in one series may disagree.
        no_volume: why its frames make none, where their kind says so.
        lossy: Lossy Image Compression (0028,2110) says that values were lost.
        phase_row: whether the phase was encoded along a row of the image; None where unknown.
        phase_positive: whether it was encoded towards growing indices; None where unknown.
    """

    pixels: PixelFormat | None
    frames: tuple[FrameFacts, ...]
    mosaic: Mosaic | None = None
    identity: int | None = None
    series_number: int | None = None
    no_volume: Reason | None = None
    lossy: bool = False
    phase_row: bool | None = None
    phase_positive: bool | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """One series: its instances in the order of the task's files.

    Attributes:
        suv: what its values are multiplied with to be SUV by body weight (g/ml), if that is sure.
            It tells the weight to whoever knows the dose, so it is None in what may leave where the
            recipe removes the weight.
    """

    instances: tuple[InstanceFacts, ...]
    diffusion: bool = False
    ct: bool = False
    mr: bool = False
    pt: bool = False
    nm: bool = False
    suv: float | None = None


SUV_FACTOR = "SUVBodyWeightFactor"
"""What an output calls ``Facts.suv``."""

FIGURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "EchoTime": ("EchoTime", "EffectiveEchoTime"),
        "RepetitionTime": ("RepetitionTime",),
        "InversionTime": ("InversionTime", "InversionTimes"),
        "FlipAngle": ("FlipAngle",),
        "SliceThickness": ("SliceThickness",),
        "DiffusionBValue": ("DiffusionBValue",),
        SUV_FACTOR: ("PatientWeight",),
    }
)
"""Figures that an output states from Facts, and the attributes that hold them: a recipe that
removes one of these removes the figure, though the volume stays as it is."""
