"""A volume as an image of SimpleITK or nibabel, with its geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cohortkit import given
from cohortkit.errors import MissingDependency, Refusal
from cohortkit.geometry.affine import shear
from cohortkit.model import COLOUR, Reason, Volume

if TYPE_CHECKING:
    import nibabel
    import SimpleITK

_UPRIGHT_DEGREES = 0.01
_TIME = 4


def to_nibabel(volume: Volume) -> nibabel.Nifti1Image:
    """The scaled values with the affine in RAS+, millimetres and seconds; sform and qform set.

    Sheared slices keep their affine in the sform; the qform, which cannot hold it, is unset.

    Raises:
        Refusal: ``no-geometry``, ``not-grey``: the image would claim what is not known.
    """
    import nibabel  # noqa: PLC0415 - heavy

    _demand_place(volume)
    new: Any = nibabel.Nifti1Image
    image = new(_values(volume), volume.affine)
    image.set_sform(volume.affine, code=1)
    upright = shear(volume.affine) <= _UPRIGHT_DEGREES
    image.set_qform(volume.affine, code=1 if upright else 0, strip_shears=True)
    image.header.set_xyzt_units("mm", "sec")
    if volume.values.ndim == _TIME and volume.repetition is not None:
        image.header.set_zooms((*image.header.get_zooms()[:3], volume.repetition))
    made: nibabel.Nifti1Image = image
    return made


def to_sitk(volume: Volume) -> SimpleITK.Image:
    """The scaled values as (k, j, i) in LPS+: spacing, origin and direction set; 4D stays 4D.

    Raises:
        MissingDependency: SimpleITK is not installed.
        Refusal: ``tilt``: SimpleITK has no place for slices that are sheared. ``no-geometry``,
            ``not-grey``: as ``to_nibabel``.
    """
    try:
        import SimpleITK  # noqa: PLC0415 - heavy
    except ImportError:
        raise MissingDependency("convert.to_sitk needs SimpleITK: pip install SimpleITK") from None
    _demand_place(volume)
    degrees = shear(volume.affine)
    if degrees > _UPRIGHT_DEGREES:
        raise Refusal(Reason.TILT, degrees=degrees)
    array = np.ascontiguousarray(_values(volume).T)
    image: Any = SimpleITK.GetImageFromArray(array, isVector=False)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    direction, origin = affine[:3, :3] / spacing, affine[:3, 3]
    if volume.values.ndim == _TIME:
        whole = np.eye(_TIME)
        whole[:3, :3] = direction
        direction, origin = whole, np.append(origin, 0.0)
        spacing = np.append(spacing, volume.repetition or 1.0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(origin.tolist())
    image.SetDirection(direction.ravel().tolist())
    made: SimpleITK.Image = image
    return made


def _demand_place(volume: Volume) -> None:
    """Refuse what is no volume, has no place in space, or no numbers."""
    given.a(Volume, "convert", volume, "a Volume; a file is opened by nibabel or SimpleITK itself")
    if not volume.placed:
        raise Refusal(Reason.NO_GEOMETRY)
    if volume.values.dtype == COLOUR:
        raise Refusal(Reason.NOT_GREY)


def _values(volume: Volume) -> NDArray[Any]:
    """The scaled values: as they are where nothing is left to apply, else float32 or float64."""
    if (volume.slope, volume.intercept) == (1.0, 0.0):
        return volume.values
    narrow = volume.values.dtype.itemsize <= 2 or volume.values.dtype == np.float32  # noqa: PLR2004 - 16 bits
    return np.asarray(volume, dtype=np.float32 if narrow else np.float64)
