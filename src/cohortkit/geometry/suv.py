"""The factor from what a PET image holds to SUV by body weight, where its header allows one.

Along the vendor-neutral way of QIBA's FDG-PET/CT profile (appendix G): attenuation and decay have
to be corrected, the units have to be known, and the dose is decayed to the time to which the
images were corrected. What is not sure gives no factor: a wrong one is read as a disease.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydicom.dataset import Dataset

from cohortkit.geometry.headers import (
    floats_at,
    items,
    number,
    private,
    seconds,
    text,
    text_at,
    words,
)

_DAY = 86400.0
_LONGEST_WITHOUT_DATE = 12 * 3600.0
_HALF_LIVES = 10
_LEAST_DOSE, _MOST_DOSE = 1e5, 1e11
"""Bq. A dose of 370 is one in MBq, and no factor is made of it."""
_LEAST_WEIGHT, _MOST_WEIGHT = 0.2, 650.0
"""kg."""
_AGREE = 1e-3
_PHILIPS = "Philips PET Private Group"
_GE = "GEMS_PETD_01"


def factor(headers: Sequence[Dataset]) -> float | None:
    """What values in the series' units are multiplied with to be SUV (g/ml), if it is sure.

    Args:
        headers: of one series of Positron Emission Tomography Image Storage.
    """
    found = [_factor(header) for header in headers]
    known = [one for one in found if one is not None and math.isfinite(one) and one > 0]
    if not known or len(known) != len(found):
        return None
    # decay is corrected to one time for all of a series: files that disagree are not understood
    return known[0] if max(known) - min(known) <= _AGREE * known[0] else None


def _factor(header: Dataset) -> float | None:
    if not {"ATTN", "DECY"} <= set(words(header, "CorrectedImage")):
        return None
    units = words(header, "Units")[:1]
    kind = words(header, "SUVType")[:1] or ("BW",)
    if units == ("GML",):
        return 1.0 if kind == ("BW",) else None
    if units == ("CNTS",):
        direct = _private(header, 0x7053, _PHILIPS, 0x00)
        if direct is not None and direct > 0:
            return direct
        to_activity = _private(header, 0x7053, _PHILIPS, 0x09)
        by_weight = _by_weight(header)
        if to_activity is None or by_weight is None or to_activity <= 0:
            return None
        return to_activity * by_weight
    return _by_weight(header) if units == ("BQML",) else None


def _by_weight(header: Dataset) -> float | None:
    """Grams of the patient for each Bq that was left of the dose."""
    weight = number(header, "PatientWeight")
    drugs = items(header, "RadiopharmaceuticalInformationSequence")
    if weight is None or not _LEAST_WEIGHT <= weight <= _MOST_WEIGHT or len(drugs) != 1:
        return None
    dose = number(drugs[0], "RadionuclideTotalDose")
    if dose is None or not _LEAST_DOSE <= dose <= _MOST_DOSE:
        return None
    left = _left(header, drugs[0])
    return None if left is None else weight * 1000 / (dose * left)


def _left(header: Dataset, drug: Dataset) -> float | None:
    """Which part of the dose was left when the images were corrected to."""
    corrected = words(header, "DecayCorrection")[:1]
    if corrected != ("START",):
        return 1.0 if corrected == ("ADMIN",) else None
    half_life = number(drug, "RadionuclideHalfLife")
    if half_life is None or not half_life > 0:
        return None
    elapsed = _elapsed(header, drug, half_life)
    if elapsed is None or not 0 <= elapsed <= _HALF_LIVES * half_life:
        return None
    made: float = 2.0 ** (-elapsed / half_life)
    return made


def _elapsed(header: Dataset, drug: Dataset, half_life: float) -> float | None:
    """Seconds from the injection to the time to which decay was corrected."""
    reference = _reference(header, half_life)
    if reference is None:
        return None
    stamp = text(drug, "RadiopharmaceuticalStartDateTime")
    begun = _moment(stamp)
    if begun is not None:
        return reference - begun
    clock = text(drug, "RadiopharmaceuticalStartTime")
    since_midnight = seconds("", clock) if clock else None
    if stamp or since_midnight is None:
        return None
    elapsed = reference % _DAY - since_midnight
    elapsed = elapsed if elapsed >= 0 else elapsed + _DAY
    return elapsed if elapsed <= _LONGEST_WITHOUT_DATE else None


def _reference(header: Dataset, half_life: float) -> float | None:
    """When the images were corrected to, in seconds of the calendar.

    Series Date and Time, unless it lies behind the acquisition (a series made again later): then
    GE's own scan time, or the acquisition's, taken back to the start of the series.
    """
    series = _day_and_time(header, "Series")
    acquired = _day_and_time(header, "Acquisition")
    if series is None or acquired is None:
        return None
    if series <= acquired:
        return series
    ge = private(header, 0x0009, _GE, 0x0D)
    if ge is not None:
        return _moment(text_at(header, ge, "DT"))
    since = number(header, "FrameReferenceTime")
    lasted = number(header, "ActualFrameDuration")
    if since is None or lasted is None or since <= 0 or lasted <= 0:
        return None
    rate = math.log(2) / half_life
    decayed = rate * lasted / 1000
    average = math.log(decayed / (1 - math.exp(-decayed))) / rate
    return acquired - since / 1000 + average


def _day_and_time(header: Dataset, of: str) -> float | None:
    day, clock = text(header, f"{of}Date"), text(header, f"{of}Time")
    return seconds(day, clock) if day and clock else None


def _moment(stamp: str) -> float | None:
    """Of a DT without an offset from UTC: one with it would be compared with local times."""
    if len(stamp) < 14 or "+" in stamp or "-" in stamp:  # noqa: PLR2004 - YYYYMMDDHHMMSS
        return None
    return seconds(stamp[:8], stamp[8:])


def _private(header: Dataset, group: int, creator: str, element: int) -> float | None:
    tag = private(header, group, creator, element)
    found = None if tag is None else floats_at(header, tag, "DS")
    return found[0] if found and math.isfinite(found[0]) else None
