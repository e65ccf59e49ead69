"""The same questions to a folder and to a real Orthanc that holds its files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pydicom
import pytest

import cohortkit as ck
from cohortkit.cohort.cohort import Cohort
from cohortkit.errors import ServerError, Unanswerable
from cohortkit.index.dicomweb import DicomWebIndex
from cohortkit.index.dimse import DimseIndex
from servers.orthanc import PASSWORD, USER, Orthanc, running

pytestmark = pytest.mark.servers
DAY = dt.date

QUESTIONS: list[dict[str, object]] = [
    {"Modality": "CT"},
    {"Modality": ["CT", "MR"]},
    {"Modality": "C*"},
    {"Modality": "?T"},
    {"Modality": "ct"},
    {"Modality": "NONE"},
    {"Modality": None},
    {"Modality": ["CT", None]},
    {"Modality": re.compile("C|M")},
    {"PatientID": "1CT1"},
    {"PatientID": ["1CT1", "4MR1"]},
    {"PatientID": "1CT*"},
    {"PatientID": "1ct1"},
    {"PatientID": None},
    {"StudyDate": "2004-01-19"},
    {"StudyDate": ("2004-01-01", "2004-12-31")},
    {"StudyDate": ("2004-06-01", None)},
    {"StudyDate": (None, "2004-06-01")},
    {"StudyDate": [DAY(2004, 1, 19), DAY(2004, 8, 26)]},
    {"StudyDate": None},
    {"AccessionNumber": "A*"},
    {"AccessionNumber": None},
    {"StudyID": "1CT1"},
    {"StudyID": "4MR1", "Modality": "MR"},
    {"Modality": "CT", "Rows": (100, 600)},
    {"Modality": "CT", "StudyDate": ("2004-01-01", "2004-12-31")},
    {"Modality": "MR", "Manufacturer": "*T*"},
    {"Modality": "CT", "SeriesDescription": None},
    {"Modality": "CT", "PatientSex": ["O", "M"]},
    {"Modality": "MR", "StudyDescription": re.compile("e", re.IGNORECASE)},
    {"Modality": "CT", "ImageType": "ORIGINAL"},
    {"Modality": "CT", "SliceThickness": (0, 5)},
    {"StudyDate": (None, "2010-01-01"), "Modality": ["CT", "MR", "US"]},
    {"StudyDate": (None, "2010-01-01"), "Modality": re.compile("^[CM]")},
    {"StudyDate": (None, "2010-01-01"), "BodyPartExamined": None},
    {"PatientID": "1CT1", "StudyDate": (None, "2000-01-01")},
    {"Rows": (1, 64)},
    {"Manufacturer": "GE MEDICAL SYSTEMS"},
    {"SeriesDescription": "*a*"},
    {"BodyPartExamined": "HEAD"},
]


@dataclass(frozen=True)
class Both:
    """A folder, and a server that holds its objects."""

    server: Orthanc
    folder: Cohort
    whole: DicomWebIndex | DimseIndex
    asked: DicomWebIndex | DimseIndex

    def of_folder(self, terms: dict[str, object]) -> list[str]:
        """Series of the folder that the server holds whole."""
        keys = self.folder.index.search(**terms).identified()["series_key"]
        return sorted(set(keys) & set(self.folder.identified()["series_key"]))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Pydicom's own files, without those that a server does not take, or takes as others."""
    source = Path(pydicom.__file__).parent / "data" / "test_files"
    folder = ck.scan(source, workers=1, progress=False)
    files = folder.instances(folder.series().collect()["series_key"])
    with pytest.MonkeyPatch.context() as env, running(tmp_path_factory.mktemp("orthanc")) as server:
        env.setenv("COHORTKIT_SERVER", server.origin)
        env.setenv("COHORTKIT_SERVER_USER", USER)
        env.setenv("COHORTKIT_SERVER_PASSWORD", PASSWORD)
        server.store(Path(path) for path in files["path"])
        whole = DicomWebIndex.open(server.location)
        held = whole.series().collect()["series_key"]
        there = folder.search().filter(pl.col("series_key").is_in(held.implode()))
        yield Both(server, there, whole, DicomWebIndex.open(server.location, whole=0))


@pytest.fixture(scope="module", params=["web", "dimse"])
def both(web: Both, request: pytest.FixtureRequest) -> Both:
    """The same, over one protocol."""
    if request.param == "web":
        return web
    pytest.importorskip("pynetdicom")
    whole = DimseIndex.open(web.server.dimse)
    return replace(web, whole=whole, asked=DimseIndex.open(web.server.dimse, whole=0))


def test_a_small_server_answers_like_the_folder(both: Both) -> None:
    """Every question, those too that no server can be asked, gives the folder's series."""
    assert both.whole.capabilities.whole
    for terms in QUESTIONS:
        actual = sorted(both.whole.search(**terms).identified()["series_key"])
        assert both.of_folder(terms) == actual, terms


def test_a_large_server_answers_exactly_or_refuses_by_name(both: Both) -> None:
    """No silent mismatch: at least 25 of 40 exact, the others refused with their keyword."""
    exact, refused = 0, 0
    for terms in QUESTIONS:
        try:
            found = both.asked.search(**terms).identified()["series_key"]
        except Unanswerable as error:
            refused += error.keyword in terms
            continue
        assert both.of_folder(terms) == sorted(found), terms
        exact += 1

    assert 40 == exact + refused
    assert exact >= 25


def test_a_large_server_is_never_asked_for_everything(both: Both) -> None:
    """No term at all is refused, before and after something was found."""
    for _ in range(2):
        with pytest.raises(Unanswerable, match="everything"):
            both.asked.search()
        both.asked.search(Modality="CT")


def test_without_credentials_the_server_lets_nobody_in(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says where credentials come from."""
    monkeypatch.delenv("COHORTKIT_SERVER_PASSWORD")

    with pytest.raises(ServerError, match="COHORTKIT_SERVER"):
        ck.open_index(both.server.location)
