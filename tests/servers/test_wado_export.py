"""From a real Orthanc to a release: byte for byte that of the folder of the same files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest

import cohortkit as ck
from cohortkit.index.dicomweb import DicomWebIndex
from cohortkit.places import VAULT
from factory import MR, SC, Patient, Series, write_series
from servers.orthanc import PASSWORD, USER, Orthanc, running

pytestmark = pytest.mark.servers
OUTPUTS = [ck.Nifti(), ck.Dicom(), ck.Tables()]


@dataclass(frozen=True)
class Both:
    """A folder, and a server that holds its objects."""

    server: Orthanc
    archive: Path
    key: ck.Key

    @property
    def folder(self) -> ck.Cohort:
        """All that is in the folder."""
        return ck.scan(self.archive, workers=1, progress=False).search()

    @property
    def whole(self) -> DicomWebIndex:
        """The server, read whole."""
        return DicomWebIndex.open(self.server.location)

    @property
    def asked(self) -> DicomWebIndex:
        """The same server as if it were a large one."""
        return DicomWebIndex.open(self.server.location, whole=0)


PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"
REAL = ["CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "JPEG-lossy.dcm"]
REAL += ["SC_rgb_small_odd_big_endian.dcm", "examples_ybr_color.dcm", "reportsi.dcm"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Two patients, several studies, a few encodings."""
    folder = tmp_path_factory.mktemp("archive")
    ann, bob = Patient(), Patient(patient_id="MRN-2", name="Zoidberg^John", age="044Y")
    made = write_series(folder / "a", ann, Series(slices=5))
    made += write_series(folder / "a", ann, Series(slices=3, number=2, modality="MR", sop_class=MR))
    made += write_series(folder / "b", bob, Series(slices=4))
    made += write_series(folder / "b", bob, Series(slices=1, study=2, modality="OT", sop_class=SC))
    made += [Path(shutil.copy(PYDICOM / name, folder / name)) for name in REAL]
    with pytest.MonkeyPatch.context() as env, running(tmp_path_factory.mktemp("orthanc")) as server:
        env.setenv("COHORTKIT_SERVER", server.origin)
        env.setenv("COHORTKIT_SERVER_USER", USER)
        env.setenv("COHORTKIT_SERVER_PASSWORD", PASSWORD)
        assert len(made) == server.store(made)
        yield Both(server, folder, ck.Key.new(tmp_path_factory.mktemp("key") / "k", project="web"))


def released(cohort: ck.Cohort, out: Path, key: ck.Key, **how: object) -> dict[str, bytes]:
    """What is in the release of an export."""
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=OUTPUTS)
    ck.export(plan, out, key=key, progress=False, **how)  # type: ignore[arg-type]
    return content(out)


def content(out: Path) -> dict[str, bytes]:
    release = out / "release"
    files = (path for path in sorted(release.rglob("*")) if path.is_file())
    return {str(path.relative_to(release)): path.read_bytes() for path in files}


def test_a_release_from_a_server_is_that_from_the_folder(both: Both, tmp_path: Path) -> None:
    """Byte for byte, with the flow of the cohort; nothing that was fetched stays."""
    expected = released(both.folder, tmp_path / "one", both.key)
    actual = released(both.whole.search(), tmp_path / "two", both.key)

    assert any(name.endswith(".nii.gz") for name in expected)
    assert any(name.endswith(".dcm") for name in expected)
    assert expected == actual
    assert not (tmp_path / "two" / VAULT / "fetched").exists()
