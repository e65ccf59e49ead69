"""SUV by body weight: the factor of a header that says enough, and none of one that does not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import cohortkit as ck
from cohortkit.geometry.suv import factor
from cohortkit.writers.nifti import Nifti
from factory import Patient, Series, instance
from released import release

PT = "1.2.840.10008.5.1.4.1.1.128"
HALF_LIFE = 6586.2
DOSE = 3.7e8
WEIGHT = 74.0


def drug(**more: object) -> Dataset:
    made = Dataset()
    made.RadionuclideTotalDose = DOSE
    made.RadionuclideHalfLife = HALF_LIFE
    made.RadiopharmaceuticalStartTime = "090000"
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def header(**more: object) -> Dataset:
    """Injected at nine, decay corrected to the series' begin at ten."""
    made = Dataset()
    made.Units, made.DecayCorrection, made.CorrectedImage = "BQML", "START", ["ATTN", "DECY"]
    made.PatientWeight = WEIGHT
    made.SeriesDate = made.AcquisitionDate = "20200229"
    made.SeriesTime, made.AcquisitionTime = "100000", "100200"
    made.RadiopharmaceuticalInformationSequence = Sequence([drug()])
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def drugs(**more: object) -> Dataset:
    return header(RadiopharmaceuticalInformationSequence=Sequence([drug(**more)]))


AN_HOUR = WEIGHT * 1000 / (DOSE * math.exp(-math.log(2) * 3600 / HALF_LIFE))


def philips(**elements: str) -> Dataset:
    made = header(Units="CNTS")
    block = made.private_block(0x7053, "Philips PET Private Group", create=True)
    for name, value in elements.items():
        block.add_new(int(name[1:], 16), "DS", value)
    return made


def ge(stamp: str) -> Dataset:
    made = header(SeriesTime="120000")
    made.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", stamp)
    return made


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (header(), AN_HOUR),
        (header(DecayCorrection="ADMIN"), WEIGHT * 1000 / DOSE),
        (header(Units="GML"), 1.0),
        (header(Units="GML", SUVType="BW"), 1.0),
        (drugs(RadiopharmaceuticalStartDateTime="20200229090000.00"), AN_HOUR),
        (drugs(RadiopharmaceuticalStartTime="090000.000000"), AN_HOUR),
        (philips(e00="0.0005", e09="2"), 0.0005),
        (philips(e00="0", e09="2"), 2 * AN_HOUR),
        (philips(e09="2"), 2 * AN_HOUR),
        (ge("20200229100000.00"), AN_HOUR),
    ],
)
def test_the_factor(made: Dataset, wanted: float) -> None:
    """Grams over the Bq that are left, by the units and the time of decay correction."""
    assert wanted == pytest.approx(factor([made]), rel=1e-6)


def test_over_midnight() -> None:
    """Injected half an hour before midnight, scanned half an hour after it."""
    made = header(SeriesTime="003000", AcquisitionTime="003100")
    made.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "233000"

    assert pytest.approx(AN_HOUR, rel=1e-6) == factor([made])


def test_a_series_made_again_later_is_taken_back_to_its_begin() -> None:
    """By the frame's own reference time, where Series Time lies behind the acquisition."""
    made = header(SeriesTime="130000", AcquisitionTime="100500")
    made.FrameReferenceTime, made.ActualFrameDuration = 300_000 + 60_000, 120_000

    found = factor([made])

    # the mean activity of a short frame is that of its middle, nearly: 60 s after its begin
    assert found is not None
    assert pytest.approx(AN_HOUR, rel=1e-4) == found


@pytest.mark.parametrize(
    "made",
    [
        header(Units="CNTS"),
        header(Units="PROPCPS"),
        header(Units="GML", SUVType="LBM"),
        header(DecayCorrection="NONE"),
        header(CorrectedImage=["DECY"]),
        header(CorrectedImage=["ATTN"]),
        header(PatientWeight=0),
        header(PatientWeight=None),
        header(PatientWeight=74000),
        drugs(RadionuclideTotalDose=370),
        drugs(RadionuclideTotalDose=None),
        drugs(RadionuclideHalfLife=0),
        drugs(RadionuclideHalfLife=None),
        drugs(RadiopharmaceuticalStartTime="110000"),
        drugs(RadiopharmaceuticalStartTime=None),
        drugs(RadiopharmaceuticalStartDateTime="20200229120000"),
        drugs(RadiopharmaceuticalStartDateTime="20200229090000+0100"),
        drugs(RadiopharmaceuticalStartDateTime="20200101090000"),
        header(RadiopharmaceuticalInformationSequence=Sequence([])),
        header(RadiopharmaceuticalInformationSequence=Sequence([drug(), drug()])),
        header(SeriesTime=None),
        header(SeriesTime="130000"),
        ge("20200229"),
        philips(e00="nan", e09="-1"),
    ],
)
def test_no_factor_where_it_is_not_sure(made: Dataset) -> None:
    """A wrong one would be read as a disease."""
    assert factor([made]) is None


def test_files_that_disagree_give_none() -> None:
    """One decay correction is for the whole series."""
    assert factor([header(), header(PatientWeight=80)]) is None
    assert factor([header(), header(Units="PROPCPS")]) is None
    assert factor([]) is None


def pet(**more: object) -> list[Dataset]:
    extra = {one.keyword: one.value for one in header(**more)}
    extra |= {"AcquisitionDate": "20210317", "SeriesDate": "20210317"}
    chest = Series(sop_class=PT, modality="PT", slices=3, extra=extra)
    return [instance(Patient(), chest, n) for n in range(3)]


def written(folder: Path, recipe: str, make: Callable[[], list[Dataset]], **options: str) -> Path:
    from cohortkit.payloads.volume import assemble  # noqa: PLC0415 - beside its use

    series = release(make(), recipe)
    (made,) = assemble(series)
    Nifti(compress=False, **options).write(made, series, folder, "one")  # type: ignore[arg-type]  # words
    return folder / "one.nii"


def test_written_as_suv(tmp_path: Path) -> None:
    """The same stored values, in g/ml, and the sidecar has units and factor."""
    (tmp_path / "plain").mkdir()
    plain = nib.load(written(tmp_path / "plain", "patient-characteristics-kept", pet))
    made = nib.load(written(tmp_path, "patient-characteristics-kept", pet, suv="body-weight"))

    np.testing.assert_allclose(made.get_fdata(), plain.get_fdata() * AN_HOUR, rtol=1e-6)
    said = json.loads((tmp_path / "one.json").read_text())
    assert ("GML", "BW") == (said["Units"], said["SUVType"])
    assert pytest.approx(AN_HOUR, rel=1e-6) == said["SUVBodyWeightFactor"]
    before = json.loads((tmp_path / "plain" / "one.json").read_text())
    assert pytest.approx(AN_HOUR, rel=1e-6) == before["SUVBodyWeightFactor"]
    assert "BQML" == before["Units"]


def test_where_the_weight_is_removed_so_is_what_tells_it(tmp_path: Path) -> None:
    """No factor beside the file; SUV is refused by name, though the header would allow it."""
    path = written(tmp_path, "basic", pet)
    assert "SUVBodyWeightFactor" not in json.loads(path.with_suffix(".json").read_text())

    with pytest.raises(ck.errors.Refusal) as caught:
        written(tmp_path, "basic", pet, suv="body-weight")

    assert ck.Reason.SUV_WITHHELD is caught.value.reason


def test_no_writer_sees_what_tells_a_removed_weight() -> None:
    """Whoever writes: the facts of what may leave hold the factor only where the weight stays."""
    assert release(pet(), "basic").facts.suv is None
    kept = release(pet(), "patient-characteristics-kept").facts.suv
    assert pytest.approx(AN_HOUR, rel=1e-6) == kept


def test_refused_where_the_header_does_not_allow_it(tmp_path: Path) -> None:
    """Never written in other units under the same option."""
    with pytest.raises(ck.errors.Refusal) as caught:
        written(
            tmp_path,
            "patient-characteristics-kept",
            lambda: pet(DecayCorrection="NONE"),
            suv="body-weight",
        )

    assert ck.Reason.NO_SUV is caught.value.reason


def test_other_kinds_are_written_as_they_are(tmp_path: Path) -> None:
    """A CT beside the PET is no PET."""
    ct = [instance(Patient(), Series(slices=3), n) for n in range(3)]

    path = written(tmp_path, "basic", lambda: ct, suv="body-weight")

    assert "SUVType" not in json.loads(path.with_suffix(".json").read_text())


def test_an_unknown_word_is_an_error() -> None:
    """Lean body mass is not body weight."""
    with pytest.raises(ck.errors.UsageError):
        ck.Nifti(suv="lean")
