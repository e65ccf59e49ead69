"""From a real Orthanc to a release: byte for byte that of the folder of the same files.

Over DICOMweb files come as they are stored. Over DIMSE objects come: who sent a file to its archive
(Source AE Title) stands in the file alone, so the folder that is compared with does not say it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest

import cohortkit as ck
from cohortkit import index
from cohortkit.cli import main
from cohortkit.index.dicomweb import DicomWebIndex
from cohortkit.index.dimse import DimseIndex
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
    opened: type[DicomWebIndex | DimseIndex]
    location: str

    @property
    def folder(self) -> ck.Cohort:
        """All that is in the folder."""
        return ck.scan(self.archive, workers=1, progress=False).search()

    @property
    def whole(self) -> DicomWebIndex | DimseIndex:
        """The server, read whole."""
        return self.opened.open(self.location)

    @property
    def asked(self) -> DicomWebIndex | DimseIndex:
        """The same server as if it were a large one."""
        return self.opened.open(self.location, whole=0)


PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"
REAL = ["CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "JPEG-lossy.dcm"]
REAL += ["SC_rgb_small_odd_big_endian.dcm", "examples_ybr_color.dcm", "reportsi.dcm"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Orthanc, Path]]:
    """Two patients, several studies, a few encodings: in a folder, and on a server."""
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
        yield server, folder


@pytest.fixture(scope="module", params=["web", "dimse"])
def both(
    server: tuple[Orthanc, Path],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Both:
    """The same, over one protocol."""
    key = ck.Key.new(tmp_path_factory.mktemp("key") / "k", project="web")
    if request.param == "web":
        return Both(*server, key, DicomWebIndex, server[0].location)
    pytest.importorskip("pynetdicom")
    folder = tmp_path_factory.mktemp("untitled")
    untitled(server[1], folder)
    return Both(server[0], folder, key, DimseIndex, server[0].dimse)


def untitled(archive: Path, folder: Path) -> None:
    """Copy an archive without what its files say of who sent them."""
    for path in (one for one in archive.rglob("*") if one.is_file()):
        one = pydicom.dcmread(path)
        one.file_meta.pop("SourceApplicationEntityTitle", None)
        there = folder / path.relative_to(archive)
        there.parent.mkdir(exist_ok=True)
        one.save_as(there)


@pytest.fixture(scope="module")
def expected(both: Both, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The release from the folder."""
    return released(both.folder, tmp_path_factory.mktemp("folder") / "out", both.key)


def released(cohort: ck.Cohort, out: Path, key: ck.Key) -> dict[str, bytes]:
    """What is in the release of an export."""
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=OUTPUTS)
    ck.export(plan, out, key=key, workers=1, progress=False)
    return content(out)


def content(out: Path) -> dict[str, bytes]:
    release = out / "release"
    files = (path for path in sorted(release.rglob("*")) if path.is_file())
    return {str(path.relative_to(release)): path.read_bytes() for path in files}


def test_a_release_from_a_server_is_that_from_the_folder(
    both: Both, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """Byte for byte, with the flow of the cohort; nothing that was fetched stays."""
    actual = released(both.whole.search(), tmp_path / "two", both.key)

    assert any(name.endswith(".nii.gz") for name in expected)
    assert any(name.endswith(".dcm") for name in expected)
    assert expected == actual
    assert not (tmp_path / "two" / VAULT / "fetched").exists()


def test_the_same_night_again_fetches_nothing(both: Both, tmp_path: Path) -> None:
    """The state of an object on the server is the same when the index is made anew."""
    for done in (0, 2):
        plan = ck.plan(both.whole.search(PatientID="MRN-2"), ck.load_recipe("basic"), to="tables")
        made = ck.export(plan, tmp_path / "out", key=both.key, workers=1, progress=False)
        assert made.increment is not None
        assert (2 - done, done) == (made.increment.new, made.increment.kept)


def test_a_large_server_gives_the_same_files(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the flow differs, which begins with what was offered; a saved cohort opens again."""
    terms = {"PatientID": "MRN-00471113"}
    expected = released(both.folder.index.search(**terms), tmp_path / "one", both.key)
    saved = both.asked.search(**terms).save(tmp_path / "ann.cohort")
    opened = partial(both.opened.open, whole=0)
    monkeypatch.setattr(index, both.opened.__name__, SimpleNamespace(open=opened))
    actual = released(ck.load_cohort(saved), tmp_path / "two", both.key)

    flow = {"export.json", "report.html"}
    assert expected.keys() == actual.keys()
    assert flow >= {name for name, data in expected.items() if data != actual[name]}


def test_from_the_shell(both: Both, tmp_path: Path) -> None:
    """Search, plan, export and verify, with an address where otherwise a folder stands."""
    cohort, out = str(tmp_path / "ann.cohort"), str(tmp_path / "out")
    how = ["--recipe", "basic", "--to", "nifti"]
    key = ["--key", str(both.key.path)]
    assert 0 == main(["search", both.location, "Modality=CT", "-o", cohort])
    assert 0 == main(["plan", cohort, *how])
    assert 0 == main(["export", cohort, out, *how, *key, "--workers", "1"])
    assert 0 == main(["verify", out, *key, "--index", both.location])

    assert any(name.endswith(".nii.gz") for name in content(Path(out)))
    assert not (tmp_path / "out" / VAULT / "fetched").exists()


def test_what_is_gone_costs_its_series_alone(both: Both, tmp_path: Path) -> None:
    """A study that was removed since the search fails by name; when it is back, it is done."""
    cohort = both.whole.search(PatientID="MRN-2")
    plan = ck.plan(cohort, ck.load_recipe("basic"), to="tables")
    gone = both.archive / "b" / "2-1-000"
    uid = pydicom.dcmread(gone).SOPInstanceUID
    with both.server.without(uid):
        made = ck.export(plan, tmp_path / "out", key=both.key, workers=1, progress=False)
        failed = made.failed()
        assert {"file-vanished"} == set(failed["reason"])
        assert 1 == failed.height
        assert 3 == made.exit_code
    both.server.store([gone])
    again = ck.export(plan, tmp_path / "out", key=both.key, workers=1, progress=False)
    assert 0 == again.failed().height
    assert again.increment is not None
    assert 1 == again.increment.again


def test_a_kill_leaves_nothing_that_was_fetched(
    both: Both, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """What a killed worker had brought is removed when the same command goes on."""
    out = tmp_path / "out"
    plan = ck.plan(both.whole.search(), ck.load_recipe("basic"), to=OUTPUTS)
    ck.export(plan, out, key=both.key, limit=1, workers=1, progress=False)
    left = out / VAULT / "fetched" / "token" / "part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"Quisling^Marjolein")
    ck.export(plan, out, key=both.key, workers=1, progress=False)

    assert not left.parent.parent.exists()
    assert expected == content(out)
