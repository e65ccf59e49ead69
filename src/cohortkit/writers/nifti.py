"""NIfTI-1: an exact volume, a header of allow-listed fields, a sidecar, and FSL's b-files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from cohortkit import given
from cohortkit.errors import Refusal, UsageError
from cohortkit.geometry.affine import shear
from cohortkit.model import (
    COLOUR,
    Accepted,
    Artifact,
    DeidentifiedSeries,
    Payload,
    PayloadKind,
    Reason,
    Refused,
    Volume,
)
from cohortkit.model.facts import SUV_FACTOR
from cohortkit.payloads.grid import orientation_of, resampled, spacing_of, turned
from cohortkit.payloads.shapes import UPRIGHT_DEGREES, WORDS, Policies, checked, shaped
from cohortkit.writers import files
from cohortkit.writers.gzipped import gzipped, packed
from cohortkit.writers.sidecar import SUV_POLICY, sidecar

DESCRIPTION: Final = "cohortkit 0.1"
_SCANNER = 1
_CHUNK = 4 << 20
_IN_ONE_PIECE = 1 << 30
_LONGEST_AXIS = 32767
_LEVELS = range(1, 10)
_SUV = ("no", "body-weight")
_TYPES = frozenset({"u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"})


@dataclass(frozen=True, slots=True)
class Nifti:
    """Writes volumes as ``<stem><part>.nii.gz`` with a JSON sidecar, and b-files for diffusion.

    Nothing is resampled unasked. What is no exact volume on a regular, upright grid is refused,
    unless one of the policies below accepts it; the record and the sidecar then say so.

    Attributes:
        level: of compression, 1 to 9, libdeflate's: 1 is fast and packs as well as zlib's 6. Of
            volumes above 1 GiB 1 and 2 are ISA-L's and 3 to 9 zlib's, which need less memory.
        compress: False writes ``.nii``.
        single: a lone slice: ``refuse``, or ``keep-2d`` to write it as a volume of one slice.
        tilt: evenly sheared slices: ``refuse``; ``affine`` to write the voxels untouched with a
            sheared affine (sform only, which a qform cannot hold); ``resample`` to move each
            slice within its plane until the volume is upright.
        spacing: unevenly spaced slices: ``refuse``; ``split`` into the longest runs that are
            evenly spaced; ``resample`` to interpolate evenly spaced ones.
        missing: slices that are evenly spaced but for holes: the same three.
        colour: pixels in colour: ``refuse``, or ``rgb`` to write them as RGB24.
        unplaced: frames of which the header does not say where they lie: ``refuse``, or ``keep``
            to write those of each object as a volume that says so too (neither sform nor qform).
        orientation: ``keep``, or where the axes are to run to, such as ``RAS`` or ``LPS``: they
            are swapped and reversed to come nearest to it; no value changes.
        suv: values of PET as the header scales them (``no``), or as SUV by ``body-weight``, in
            g/ml; the factor stands in the sidecar in any case, if the recipe keeps the weight.
        resolution: None, or mm of a voxel, one number or one for each axis of the file: values
            are then interpolated linearly, without smoothing.
    """

    name: ClassVar[str] = "nifti"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.VOLUME})

    level: int = 1
    compress: bool = True
    single: str = "refuse"
    tilt: str = "refuse"
    spacing: str = "refuse"
    missing: str = "refuse"
    colour: str = "refuse"
    unplaced: str = "refuse"
    orientation: str = "keep"
    suv: str = "no"
    resolution: float | tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        given.together(
            self._level,
            self._policies,  # told now, and not when the first volume comes
            self._orientation,
            self._resolution,
            self._suv,
        )

    def _level(self) -> None:
        if isinstance(self.level, bool) or self.level not in _LEVELS:
            raise UsageError("Nifti(level=…) takes 1 to 9")
        given.a(bool, "Nifti(compress=…)", self.compress, "True or False")

    def _orientation(self) -> None:
        given.a(str, "Nifti(orientation=…)", self.orientation, "'keep', or letters such as 'RAS'")
        orientation_of(self.orientation)

    def _resolution(self) -> None:
        object.__setattr__(self, "resolution", spacing_of(self.resolution))

    def _suv(self) -> None:
        if self.suv not in _SUV:
            raise UsageError("Nifti(suv=…) takes one of 'no', 'body-weight'")

    def _policies(self) -> Policies:
        return Policies(**{name: getattr(self, name) for name in WORDS})

    def shaped(self, item: Payload | Refused) -> Iterator[Payload | Refused]:
        """What the policies make of a payload, or of slices that are refused without one.

        Raises:
            TaskFailure: the pixels could not be read this time.
        """
        if not isinstance(item, Volume | Refused):
            yield item
            return
        yield from map(self._on_grid, shaped(item, self._policies()))

    def _on_grid(self, volume: Volume | Refused) -> Volume | Refused:
        """With the axes and voxels that are asked for."""
        if isinstance(volume, Refused):
            return volume
        letters, spacing = orientation_of(self.orientation), spacing_of(self.resolution)
        try:
            made = volume if letters is None else turned(volume, letters)
            return made if spacing is None else resampled(made, spacing)
        except Refusal as refusal:
            return Refused(
                refusal.reason, volume.instances, numbers=refusal.numbers, part=volume.part
            )

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write a volume, its sidecar, and for diffusion its b-values and directions.

        Raises:
            Refusal: ``single-slice``, ``tilt``, ``too-large``, ``unsupported-pixels``,
                ``no-suv``, ``suv-withheld``.
            TaskFailure: the place cannot be written.
        """
        if not isinstance(payload, Volume):
            raise Refusal(Reason.NO_PAYLOAD)
        self.check(payload)
        if self.suv != "no" and series.facts.pt:
            payload = _in_suv(payload, series)
        name = f"{stem}{payload.part}"
        chunks = _packed(payload, self.level) if self.compress else file_of(payload)
        suffix = ".nii.gz" if self.compress else ".nii"
        made = [
            self._artifact(
                payload,
                "image",
                name + suffix,
                files.write(folder / (name + suffix), chunks),
            )
        ]
        texts = {"sidecar": (".json", sidecar(payload, series))}
        texts |= _diffusion(payload, series.withheld)
        for role, (ending, text) in texts.items():
            written = files.write_text(folder / (name + ending), text)
            made.append(self._artifact(payload, role, name + ending, written))
        return made

    def check(self, volume: Volume) -> None:
        """Refuse what this writer's policies do not accept.

        Raises:
            Refusal: ``single-slice``, ``tilt``, ``too-large``, ``unsupported-pixels``.
        """
        made = checked(volume, self._policies())
        if isinstance(made, Refused):
            raise Refusal(made.reason, **made.numbers)
        shape = volume.values.shape
        if max(shape) > _LONGEST_AXIS:
            raise Refusal(Reason.TOO_LARGE, longest=max(shape))
        if volume.values.dtype != COLOUR and volume.values.dtype.str[1:] not in _TYPES:
            raise Refusal(Reason.UNSUPPORTED_PIXELS)

    def _artifact(self, volume: Volume, role: str, path: str, written: files.Written) -> Artifact:
        if role != "image":
            return Artifact(self.name, role, path, written.sha256, written.size, volume.instances)
        return Artifact(
            output=self.name,
            role=role,
            path=path,
            sha256=written.sha256,
            size=written.size,
            instances=volume.instances,
            shape=tuple(volume.values.shape),
            spacing=tuple(float(np.float32(x)) for x in _spacing(volume)),
            dtype=volume.values.dtype.name,
        )


def _in_suv(volume: Volume, series: DeidentifiedSeries) -> Volume:
    """Scaled to g/ml of body weight; the values stay, their slope and intercept change.

    Raises:
        Refusal: ``no-suv``, ``suv-withheld``.
    """
    if SUV_FACTOR in series.withheld:
        raise Refusal(Reason.SUV_WITHHELD)
    factor = series.facts.suv
    if factor is None:
        raise Refusal(Reason.NO_SUV)
    return replace(
        volume,
        slope=volume.slope * factor,
        intercept=volume.intercept * factor,
        accepted=(*volume.accepted, Accepted(None, SUV_POLICY)),
    )


def _spacing(volume: Volume) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(volume.affine[:3, :3], axis=0)
    return lengths


def header(volume: Volume) -> bytes:
    """The 348 bytes of the header and the four that say that no extension follows.

    Set are shape, type, voxel size, units, sform and qform (scanner; none for what lies nowhere),
    repetition time, scaling and the program's name. Every other field is zero.
    """
    from nibabel.nifti1 import Nifti1Header  # noqa: PLC0415 - heavy

    new: Any = Nifti1Header
    made = new(endianness="<")
    made.set_data_dtype(volume.values.dtype)
    made.set_data_shape(volume.values.shape)
    upright = shear(volume.affine) <= UPRIGHT_DEGREES
    if volume.placed:
        made.set_sform(volume.affine, code=_SCANNER)
        made.set_qform(volume.affine, code=_SCANNER if upright else 0, strip_shears=True)
    repetition = volume.repetition or 0.0
    more = (repetition,) if volume.values.ndim > 3 else ()  # noqa: PLR2004 - time
    made.set_zooms((*_spacing(volume), *more))
    made.set_xyzt_units("mm", "sec")
    made["scl_slope"], made["scl_inter"] = volume.slope, volume.intercept
    made["descrip"] = DESCRIPTION.encode()
    made["magic"] = b"n+1"
    made["vox_offset"] = 352
    return bytes(made.binaryblock) + b"\0\0\0\0"


def file_of(volume: Volume) -> Iterator[bytes | memoryview]:
    """The file in pieces: the first axis runs fastest, so a volume lies as it was assembled."""
    yield header(volume)
    slices = volume.values.T
    slices = slices.reshape(-1, *slices.shape[-2:]) if slices.flags.c_contiguous else slices
    little = volume.values.dtype.newbyteorder("<")  # of a colour, bytes
    step = max(1, _CHUNK // max(1, slices[0].nbytes))
    for first in range(0, len(slices), step):
        piece = np.ascontiguousarray(slices[first : first + step], dtype=little)
        yield piece.view(np.uint8).data.cast("B")


def _packed(volume: Volume, level: int) -> Iterator[bytes | memoryview]:
    """The file as gzip: in one piece where that takes no second volume of memory."""
    slices = volume.values.T
    little = slices.dtype.newbyteorder("<") == slices.dtype
    if not (little and slices.flags.c_contiguous and 0 < slices.nbytes <= _IN_ONE_PIECE):
        return gzipped(file_of(volume), level)
    return packed(header(volume), slices.reshape(-1).view(np.uint8), level)


def _diffusion(volume: Volume, withheld: frozenset[str]) -> dict[str, tuple[str, str]]:
    """FSL's text files: one row of b-values; three rows of directions in the image's axes."""
    made: dict[str, tuple[str, str]] = {}
    if "DiffusionBValue" in withheld:
        return made
    if volume.b_values:
        made["bval"] = (".bval", " ".join(f"{b:g}" for b in volume.b_values) + "\n")
    if volume.b_values and volume.b_vectors is not None:
        rows = (" ".join(f"{x:.6g}" for x in row) for row in volume.b_vectors.T)
        made["bvec"] = (".bvec", "\n".join(rows) + "\n")
    return made
