"""DIMSE servers that cut, ignore, mix up or say nothing: exact answers, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import polars as pl
import pytest

pytest.importorskip("pynetdicom")

from pydicom.dataset import Dataset
from pynetdicom import evt

from cohortkit.errors import ServerError, Unanswerable
from cohortkit.index import dimse
from cohortkit.index.dimse import Dimse, DimseIndex
from cohortkit.index.dimse_rows import item_of
from cohortkit.index.served_rows import told
from factory import MR, Patient, Series, instance
from pacs import FIND, UIDS, VERIFY, Act, Pacs, aborting, ending, only, sending, serving

PEOPLE = range(5)


def objects() -> list[Dataset]:
    """Five people with a study of one series of two each; the last is of another kind."""
    kinds = [Series(slices=2)] * 4 + [Series(slices=2, modality="MR", sop_class=MR)]
    made = [
        instance(
            Patient(patient_id=f"P{n}", accession=f"A{n}", study_date=f"202{n}0301"), kinds[n], k
        )
        for n in PEOPLE
        for k in range(2)
    ]
    for one in made:
        one.SeriesDescription = f"thorax{one.PatientID}"
    return made


@contextmanager
def at(pacs: Pacs, whole: int = 0) -> Iterator[DimseIndex]:
    with serving(pacs) as peer:
        yield DimseIndex.at(replace(peer, tries=1), whole=whole)


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Pacs, DimseIndex]]:
    pacs = Pacs(objects())
    with at(pacs) as index:
        yield pacs, index


@pytest.fixture
def large(opened: tuple[Pacs, DimseIndex]) -> tuple[Pacs, DimseIndex]:
    """A server that is asked, without orders, of which nothing was read yet."""
    pacs, index = opened
    pacs.asked.clear()
    pacs.finds.clear()
    pacs.gets.clear()
    return pacs, replace(index, held={}, lost={})


def people(index: DimseIndex, **terms: object) -> list[str]:
    """Whom a question finds."""
    return sorted(index.search(**terms).identified()["PatientID"])


def test_what_is_proved_is_asked_and_exact(large: tuple[Pacs, DimseIndex]) -> None:
    """And only what it offers is brought, once."""
    pacs, index = large

    assert ["P2", "P3"] == people(index, StudyDate=("2022-01-01", "2023-12-31"))
    assert 2 == sum(level == "GET" for level, _ in pacs.asked)
    assert ["P3"] == people(index, AccessionNumber=["A3", "A9"])
    assert ["P1"] == people(index, SeriesDescription="thorax?1")
    assert ["P4"] == people(index, Modality="MR")
    assert 4 == sum(level == "GET" for level, _ in pacs.asked)


def test_rows_are_those_of_the_files(large: tuple[Pacs, DimseIndex]) -> None:
    """Of attributes, too, that no answer tells; places name the server."""
    _, index = large
    found = index.search(PatientID="P4").identified()
    instances = index.instances(found["series_key"])

    assert ["Quisling^Marjolein"] == found["PatientName"].to_list()
    assert [2] == found["NumberOfSeriesRelatedInstances"].to_list()
    assert all(instances["path"].str.starts_with(f"{index.location}/studies/1.2."))
    assert 2 == instances["mtime_ns"].n_unique()


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "StudyInstanceUID"])
@pytest.mark.parametrize("value", ["P*", "P?", "P1\\P2", "*"])
def test_no_pattern_of_an_identifier_goes_out(
    keyword: str, value: str, large: tuple[Pacs, DimseIndex]
) -> None:
    """Nor a list: the question is refused by name."""
    pacs, index = large
    with pytest.raises(Unanswerable, match=keyword):
        index.search(**{keyword: value})
    assert [] == pacs.asked


def test_an_identifier_that_a_server_told_is_no_pattern(large: tuple[Pacs, DimseIndex]) -> None:
    """A study that is called so is lost alone."""
    pacs, index = large
    for uid in ("1.2*", "1.2\\1.3", "1.?"):
        with pytest.raises(ServerError, match="pattern"):
            index.server.series(uid, [])
    assert [] == pacs.asked


@pytest.mark.parametrize("bad", ["deaf", "mute"])
def test_a_term_that_is_not_understood_does_not_go_out(bad: str) -> None:
    """Whether the server ignores it, or answers success with nothing."""
    pacs = Pacs(objects())
    getattr(pacs, bad).update({"Modality", "StudyDate"})
    with at(pacs) as index:
        assert not {"Modality", "StudyDate"} & index.capabilities.pushes.keys()
        with pytest.raises(Unanswerable, match="Modality"):
            index.search(Modality="CT")
        pacs.asked.clear()
        assert ["P1"] == people(index, PatientID="P1", Modality="CT")
        assert not [keys for _, keys in pacs.asked if keys.get("Modality")]


def test_a_server_that_cuts_its_answers_is_asked_for_less() -> None:
    """It says success each time: what is shorter than the longest answer is whole, and no other."""
    pacs = Pacs(objects(), most=2)
    with at(pacs, whole=50) as index:
        assert not index.capabilities.whole
        assert "StudyDate" not in index.capabilities.pushes
        assert ["P1", "P4"] == people(index, PatientID=["P1", "P4"])
        assert ["P3"] == people(index, AccessionNumber="A3", StudyDate=("2022-01-01", None))
        for terms in ({"Modality": "CT"}, {"StudyDate": ("2021-01-01", None)}, {}):
            with pytest.raises(Unanswerable):
                index.search(**terms)


def test_a_server_that_cuts_after_one_is_asked_nothing() -> None:
    """No answer of it can be known to be whole."""
    with at(Pacs(objects(), most=1), whole=50) as index:
        assert {} == index.capabilities.pushes
        with pytest.raises(Unanswerable, match="PatientID"):
            index.search(PatientID="P1")


def test_series_of_a_strict_server_are_asked_for_by_study() -> None:
    """As the standard has it: their own terms go out only beside one of the study."""
    pacs = Pacs(objects())

    def strict(pacs: Pacs, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        yield from pacs.found(event) if event.identifier.StudyInstanceUID else ()

    pacs.finds["SERIES", -1] = strict
    with at(pacs) as index:
        with pytest.raises(Unanswerable, match="Modality"):
            index.search(Modality="CT")
        pacs.asked.clear()
        assert ["P3"] == people(index, Modality="CT", StudyDate=("2023-01-01", None))
        assert 1 == sum(level == "GET" for level, _ in pacs.asked)


def test_a_server_that_refuses_to_tell_of_all_its_studies_is_asked_for_some() -> None:
    """By an error, where it would be too many; the last days prove what it understands."""
    pacs = Pacs(objects())

    def too_many(pacs: Pacs, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        keys = {word for word in UIDS.values() if event.identifier.get(word)}
        days = str(event.identifier.get("StudyDate") or "")
        asked = keys or days or event.identifier.get("PatientID")
        yield from pacs.found(event) if asked else ending(0xC000)(pacs, event)

    pacs.finds = {(level, -1): too_many for level in ("STUDY", "SERIES")}
    with at(pacs, whole=50) as index:
        assert not index.capabilities.whole
        assert ["P1"] == people(index, PatientID="P1", Modality="CT")


def test_an_answer_that_may_have_been_cut_is_an_error(large: tuple[Pacs, DimseIndex]) -> None:
    """Longer than any that is known to be whole, and not as long as was said."""
    _, index = large
    server = index.server
    assert isinstance(server, Dimse)
    doubtful = replace(server, sure=1, series_held=0)
    with pytest.raises(ServerError, match="cut its answer short"):
        doubtful.series("", [("Modality", "CT")])
    with pytest.raises(ServerError, match="open it again"):
        replace(server, studies_held=frozenset({"1.2"})).studies([])


def test_too_much_is_refused_by_name(
    large: tuple[Pacs, DimseIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More studies than an answer may have, or more objects than can be looked at."""
    _, index = large
    monkeypatch.setattr(Dimse, "most", 3)
    with pytest.raises(Unanswerable, match=r"Modality.* 8 objects"):
        index.search(Modality="CT")
    monkeypatch.setattr(dimse, "_MOST", 2)
    with pytest.raises(Unanswerable, match=r"Modality.* more than 2"):
        index.search(Modality="CT")


def other() -> Act:
    """Sends an object of somebody else."""
    return sending([instance(Patient(patient_id="P9"), Series(), 0)])


LOST: list[tuple[str, Act, str]] = [
    ("GET", other(), "another-object"),
    ("GET", ending(0xC001), "read-error"),
    ("GET", ending(0xA702, 0), "read-error"),
    ("GET", aborting(0), "read-error"),
    ("IMAGE", ending(0xA900), "read-error"),
    ("IMAGE", ending(0x0000), "file-vanished"),
    ("SERIES", aborting(), "read-error"),
]


@pytest.mark.parametrize(("level", "act", "reason"), LOST, ids=map(str, range(len(LOST))))
def test_what_cannot_be_read_costs_its_study_alone(
    level: str, act: Act, reason: str, large: tuple[Pacs, DimseIndex]
) -> None:
    """It is told by name, and the others are there."""
    pacs, index = large
    act = only(pacs.objects[2], act)
    if level == "GET":
        pacs.gets[-1] = act
    else:
        pacs.finds[level, -1] = act
    assert ["P2"] == people(index, StudyDate=("2021-01-01", "2022-12-31"))
    assert [reason] == index.skipped()["reason"].to_list()


def test_a_small_server_is_read_whole() -> None:
    """Every question is answered, those too that no server can be asked."""
    with at(Pacs(objects()[4:8]), whole=50) as index:
        assert ["P2", "P3"] == people(index)
        assert ["P3"] == people(index, AccessionNumber="?3")
        assert ["P2"] == sorted(
            index.search()
            .filter(pl.col("StudyDate").dt.year() == 2022, reason="year")
            .identified()["PatientID"]
        )
        assert "P2" not in repr(index)


def test_a_server_that_hands_over_nothing_is_an_error() -> None:
    """When it is opened: without C-GET each series would fail alone."""
    with (
        serving(Pacs(objects()[:1]), offers=(VERIFY, FIND)) as peer,
        pytest.raises(ServerError, match="C-GET"),
    ):
        DimseIndex.at(peer)


def test_a_server_without_studies_is_an_error() -> None:
    """It is empty, or we may not see any: nothing can be proved."""
    with pytest.raises(ServerError, match="offers no study"), at(Pacs([])):
        pass


@pytest.mark.parametrize(
    ("charset", "codec"), [("ISO_IR 100", "latin-1"), ("ISO_IR 192", "utf-8"), ("", "latin-1")]
)
def test_text_is_read_by_the_character_set_of_the_answer(charset: str, codec: str) -> None:
    """As in a file."""
    answer = Dataset()
    answer.SpecificCharacterSet = charset
    answer.SeriesDescription = "Schädel".encode(codec)
    answer[0x0008103E].VR = "LO"

    assert "Schädel" == told(item_of(answer, ["SeriesDescription"]), "SeriesDescription")
