"""What a writer takes: a Volume, Frames or an Object; or Refused, which says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cohortkit.model.facts import Codec, Display, Photometric, PixelFormat, PixelType
from cohortkit.reasons import Reason, Status

COLOUR = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
"""A voxel in colour."""


_VIEWERS: list[Callable[[Any], str]] = []


def shown_by(viewer: Callable[[Any], str]) -> Callable[[Any], str]:
    """Let this make the HTML by which payloads show themselves in a notebook."""
    _VIEWERS[:] = [viewer]
    return viewer


class _Shown:
    """What a notebook shows; nothing of its own where no viewer is there."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return _VIEWERS[0](self) if _VIEWERS else None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Something that a policy let pass: it stands in the record and beside the file.

    Attributes:
        reason: by which it is refused without the policy; None for what is merely another grid.
        policy: name and word of it, as in ``tilt=affine``.
        numbers: behind the reason, and what was done.
    """

    reason: Reason | None
    policy: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lean:
    """How slices that a tilted gantry has sheared lean; both in single precision.

    Attributes:
        degrees: between the way from the first slice to the last and their normal.
        gap: mm from the first slice to the second along the normal.
    """

    degrees: float
    gap: float


@dataclass(frozen=True, slots=True, eq=False)
class Volume(_Shown):
    """An exact volume on a regular grid.

    Attributes:
        values: shape (i, j, k) or (i, j, k, t), of numbers or of ``COLOUR``; i along a row of the
            source image (column index), j along a column, k along the slice normal. Scaled only
            where ``slope`` and ``intercept`` below are 1 and 0 and the source's are not.
        affine: (4, 4), voxel index → mm in RAS+.
        slope, intercept: what is still to be applied to ``values``.
        part: suffix of the file stem where a series makes several volumes, else "".
        instances: ordinals of the instances whose pixels are in it, ascending.
        header: ordinal of the instance whose header describes it.
        repetition: seconds between volumes for 4D, where known.
        times: seconds of each volume from the first frame of the series, for 4D where known.
        b_values: s/mm², and b_vectors: (t, 3) in the image's axes (FSL), for diffusion.
        slice_times: seconds from the start of a volume, by k, where known.
        numbers: further figures for the sidecar, by BIDS or DICOM name.
        folded: what was added to the stored values to make ``values`` (a whole-number intercept).
        padding: which of ``values`` stands for *nothing here*, where the header says so.
        placed: whether the affine says where it lies; if not, only how large its voxels are.
        accepted: what a policy let pass that is refused without it, or made of it.
        axes: of ``values``, in terms of those above, from 1; below 0 where one runs the other way.
        lean: of slices that a tilted gantry has sheared, where it is known; for ``resample``.
    """

    values: NDArray[Any]
    affine: NDArray[np.float64]
    instances: tuple[int, ...]
    slope: float = 1.0
    intercept: float = 0.0
    part: str = ""
    header: int = 0
    repetition: float | None = None
    times: tuple[float, ...] = ()
    b_values: tuple[float, ...] = ()
    b_vectors: NDArray[np.float64] | None = None
    slice_times: tuple[float, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    folded: float = 0.0
    padding: float | None = None
    placed: bool = True
    accepted: tuple[Accepted, ...] = ()
    axes: tuple[int, ...] = (1, 2, 3)
    lean: Lean | None = None

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - numpy's protocol
        """The scaled values."""
        scaled = self.values
        if (self.slope, self.intercept) != (1.0, 0.0):
            scaled = self.values * self.slope + self.intercept
        return np.array(scaled, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.values.shape))
        return f"<Volume {shape} {self.values.dtype}>"


@dataclass(frozen=True, slots=True, eq=False)
class Frames(_Shown):
    """The frames of one instance as stored pixel values.

    Attributes:
        values: (n, rows, columns) or (n, rows, columns, 3), decoded; RGB where colour.
        photometric: of ``values`` (colour is always RGB; PALETTE is resolved).
        slopes, intercepts: the modality transform of each frame.
        bits_stored: of ``values``, 8 where a palette was resolved.
        pixel_aspect: height of a pixel over its width.
        displays: how the header says that each frame is to be shown.
        spacing: Pixel Spacing of each frame, mm: between rows, between columns.
        limits: the low and high modality value of the whole series between which it is shown
            where the header has no window; worked out when first asked, for it reads all pixels.
        number: place of the instance in the series, from 1, in the order of Instance Number; for
            file names, which must sort well and hold no value of the header.
    """

    values: NDArray[Any]
    photometric: Photometric
    instance: int
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    bits_stored: int
    signed: bool
    padding: int | None = None
    padding_limit: int | None = None
    pixel_aspect: float = 1.0
    displays: tuple[Display, ...] = ()
    spacing: tuple[tuple[float, float] | None, ...] = ()
    limits: Callable[[], tuple[float, float]] | None = None
    number: int = 1

    @property
    def instances(self) -> tuple[int, ...]:
        """The one instance, as every payload says its instances."""
        return (self.instance,)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.values.shape))
        return f"<Frames {shape} {self.values.dtype} {self.photometric}>"


@dataclass(frozen=True, slots=True, eq=False)
class PixelValue:
    """The pixels of one object as they are to be written: what they hide is gone.

    Attributes:
        attribute: which attribute holds them.
        vr: of the element.
        length: bytes of the value, even; None for fragments with their item tags.
        chunks: gives the value in pieces, as often as it is called.
    """

    attribute: PixelType
    vr: str
    length: int | None
    chunks: Callable[[], Iterator[bytes | memoryview]]

    def __repr__(self) -> str:
        return f"<PixelValue of {self.length} bytes>"


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """One instance whole: its released header stands in ``headers[instance]`` of its series.

    Attributes:
        codec: the transfer syntax of what is to be written, where the pixels decide it.
        pixels: None where the object has none.
        number: as in Frames.
        image: the Image Pixel module, where parts were blanked and it may not be the header's.
        lossy: whether they lost values to a compression that can no longer be seen in them.
    """

    instance: int
    codec: Codec | None = None
    pixels: PixelValue | None = None
    number: int = 1
    image: PixelFormat | None = None
    lossy: bool = False

    @property
    def instances(self) -> tuple[int, ...]:
        """The one instance, as every payload says its instances."""
        return (self.instance,)

    def __repr__(self) -> str:
        return f"<Object {self.number} with {self.pixels!r}>"


@dataclass(frozen=True, slots=True)
class Refused:
    """Instances that make no payload, with the reason and the numbers behind it."""

    reason: Reason
    instances: tuple[int, ...]
    status: Status = Status.REFUSED
    numbers: Mapping[str, float] = field(default_factory=dict)
    part: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Withheld(Refused):
    """Refused, unless a policy asks for it all the same.

    Attributes:
        whole: reads the pixels.
    """

    whole: Callable[[], Volume] = field(kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Uneven(Withheld):
    """Slices in a row that make no regular grid.

    Attributes:
        whole: reads all slices. The volume's third axis is 1 mm along the normal for each step of
            k: its slices do not lie where that would put them, but at ``heights``.
        parts: reads the longest runs that are evenly spaced, one by one; each is a regular volume.
        heights: mm of each slice from the first, along the normal; ascending.
    """

    parts: Callable[[], Iterator[Volume | Refused]] = field(kw_only=True)
    heights: tuple[float, ...] = field(kw_only=True)


Payload = Volume | Frames | Object
