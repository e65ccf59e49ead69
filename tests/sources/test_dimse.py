"""Objects come over DICOM's own protocol as they are stored, or not at all: bad servers, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom")

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from cohortkit.dicom.sop_classes import TABLE
from cohortkit.dimse.address import Address
from cohortkit.dimse.get import Arrived, groups, syntaxes
from cohortkit.dimse.link import Peer
from cohortkit.dimse.series import Bringing, classes_of
from cohortkit.errors import Refusal, ServerError, TaskFailure
from cohortkit.model import FileRef, Person, Reason, Task
from cohortkit.sources.dimse import Dimse
from cohortkit.sources.located import Located
from factory import Patient, Series, instance
from pacs import Act, Pacs, aborting, ending, hanging, sending, serving

CLASSES = sorted(TABLE)[:5]


def objects(slices: int = 4) -> list[Dataset]:
    """A series."""
    return [instance(Patient(), Series(), place) for place in range(slices)]


def mixed() -> list[Dataset]:
    """A series of more classes than one association has room for."""
    made = objects(len(CLASSES))
    for one, sop_class in zip(made, CLASSES, strict=True):
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = sop_class
    return made


def task_of(peer: Peer, made: list[Dataset]) -> Task:
    """The task of a series, as an index of this server would have it."""
    study, series = str(made[0].StudyInstanceUID), str(made[0].SeriesInstanceUID)
    states: dict[str, int] = {}

    def keep(arrived: Arrived) -> None:
        one = pydicom.dcmread(_file(arrived))
        states[str(one.SOPInstanceUID)] = arrived.state

    wanted = [str(one.SOPInstanceUID) for one in made]
    bringing = Bringing(peer, study, series, keep, lambda: [u for u in wanted if u not in states])
    bringing.all(classes_of(peer, study, series))
    at = f"{peer.address.location}/studies/{study}/series/{series}/instances"
    files = tuple(FileRef(f"{at}/{uid}", 0, states[uid], uid) for uid in wanted)
    who = Person(made[0].IssuerOfPatientID, made[0].PatientID)
    return Task(0, "key", who, study, series, str(made[0].SOPClassUID), "CT", files)


def _file(arrived: Arrived) -> pydicom.filebase.DicomBytesIO:
    return pydicom.filebase.DicomBytesIO(arrived.meta + bytes(arrived.body))


@dataclass(frozen=True)
class Place:
    """A server at work, and the task of its series."""

    pacs: Pacs
    task: Task
    scratch: Path
    source: Dimse

    def fetch(self) -> list[str]:
        """The UIDs of what came, in the order of the task."""
        found = self.source.fetch(self.task, self.scratch)
        assert list(self.task.files) == [one.file for one in found]
        return [str(one.header.SOPInstanceUID) for one in found]

    def fails(self) -> Reason:
        """Why it is not to be had."""
        with pytest.raises((TaskFailure, Refusal)) as caught:
            self.fetch()
        assert "127.0.0.1" not in str(caught.value)
        return caught.value.reason

    @property
    def gets(self) -> list[str]:
        """What each C-GET was for: an instance, or all."""
        return [keys.get("SOPInstanceUID", "") for level, keys in self.pacs.asked if level == "GET"]


@pytest.fixture(scope="module")
def held() -> Iterator[tuple[Pacs, Peer, Task]]:
    pacs = Pacs(objects())
    with serving(pacs) as peer:
        yield pacs, peer, task_of(peer, pacs.objects)


@pytest.fixture
def place(held: tuple[Pacs, Peer, Task], tmp_path: Path) -> Iterator[Place]:
    """A server without orders."""
    pacs, peer, task = held
    before = list(pacs.objects)
    pacs.asked.clear()
    source = Dimse({peer.address.location: replace(peer, patience=0.5, tries=3, back_off=0.01)})
    (tmp_path / "mine").mkdir()
    yield Place(pacs, task, tmp_path / "mine" / "t", source)
    pacs.objects[:] = before
    pacs.finds.clear()
    pacs.gets.clear()


def uids(pacs: Pacs) -> list[str]:
    return [str(one.SOPInstanceUID) for one in pacs.objects]


def test_a_series_is_one_question_and_the_very_pixels(place: Place) -> None:
    """And nobody else can read what lies here."""
    found = place.source.fetch(place.task, place.scratch)

    pixels = [one.pixels.read() for one in found if one.pixels]
    assert [one.PixelData for one in place.pacs.objects] == pixels
    assert [""] == place.gets
    assert 0o700 == place.scratch.stat().st_mode & 0o777
    assert {0o600} == {one.stat().st_mode & 0o777 for one in place.scratch.iterdir()}


@pytest.mark.parametrize(
    "act", [aborting(2), ending(0xA702, 2), ending(0xB000, 2)], ids=["aborts", "a702", "b000"]
)
def test_after_half_a_series_the_missing_objects_alone_are_asked_for(
    act: Act, place: Place
) -> None:
    """Each by its own UID, whether the server broke off or said that it could not."""
    place.pacs.gets[0] = act

    assert uids(place.pacs) == place.fetch()
    assert ["", *uids(place.pacs)[2:]] == place.gets


def test_what_an_earlier_attempt_brought_is_not_asked_for_again(place: Place) -> None:
    """Also by another worker."""
    place.fetch()
    place.pacs.asked.clear()

    assert uids(place.pacs) == place.fetch()
    assert [] == place.pacs.asked


def test_a_busy_server_is_asked_again(place: Place) -> None:
    """Later."""
    place.pacs.gets[0] = ending(0xA701)
    place.pacs.finds["IMAGE", 0] = ending(0xA700)

    assert uids(place.pacs) == place.fetch()


def test_an_object_that_is_gone_fails_the_series(place: Place) -> None:
    """Never a shorter series; nor is what came since in it."""
    gone = place.pacs.objects.pop()
    assert Reason.FILE_VANISHED is place.fails()

    place.pacs.objects += [gone, instance(Patient(), Series(slices=9), 8)]
    assert uids(place.pacs)[:4] == place.fetch()
    assert 4 == len(list(place.scratch.iterdir()))


def test_an_object_that_is_not_told_of_and_not_sent_is_gone(place: Place) -> None:
    """Servers answer so with an error, too, whatever its number."""
    place.pacs.objects.pop()
    for number in (1, 2, 3):
        place.pacs.gets[number] = ending(0xC000)
    assert Reason.FILE_VANISHED is place.fails()


def test_an_object_that_changed_fails_the_series(place: Place) -> None:
    """Though it has the UIDs that were asked for."""
    changed = instance(Patient(), Series(), 3)
    changed.WindowCenter = 41
    place.pacs.objects[3] = changed

    assert Reason.FILE_CHANGED is place.fails()


NO_ANSWER: dict[str, tuple[Act, Reason]] = {
    "aborts": (aborting(0), Reason.READ_ERROR),
    "hangs": (hanging(1.2), Reason.READ_ERROR),
    "a900": (ending(0xA900), Reason.READ_ERROR),
    "busy": (ending(0xA701), Reason.READ_ERROR),
    "fails": (ending(0xB000), Reason.READ_ERROR),
    "nothing": (sending([]), Reason.FILE_VANISHED),
    "other": (sending([instance(Patient(patient_id="X"), Series(), 0)]), Reason.ANOTHER_OBJECT),
    "twice": (sending([*objects(), objects()[0]]), Reason.ANOTHER_OBJECT),
}


@pytest.mark.parametrize(("act", "reason"), NO_ANSWER.values(), ids=NO_ANSWER.keys())
def test_what_is_no_answer_fails_by_name(act: Act, reason: Reason, place: Place) -> None:
    """And soon, without a word of what was asked or answered."""
    place.pacs.gets[-1] = act
    begun = time.monotonic()

    assert reason is place.fails()
    assert time.monotonic() - begun < 15


def test_an_object_without_end_is_too_large(place: Place) -> None:
    """It is not held in memory."""
    (peer,) = place.source.peers.values()
    peer.most = 100

    assert Reason.TOO_LARGE is place.fails()


def test_places_that_are_not_of_the_task_are_refused(place: Place) -> None:
    """An index of somebody else names another series: nothing is asked for."""
    files = (replace(place.task.files[0], path=place.task.files[1].path),)
    with pytest.raises(TaskFailure) as caught:
        place.source.fetch(replace(place.task, files=files), place.scratch)
    assert Reason.ANOTHER_OBJECT is caught.value.reason
    assert [] == place.pacs.asked


def test_a_series_of_many_classes_comes_over_several_associations(tmp_path: Path) -> None:
    """An association has room for 128 contexts."""
    pacs = Pacs(mixed())
    with serving(pacs) as peer:
        task = task_of(peer, pacs.objects)
        found = Dimse({peer.address.location: peer}).fetch(task, tmp_path / "t")
    assert uids(pacs) == [str(one.header.SOPInstanceUID) for one in found]


def test_no_association_has_too_many_contexts() -> None:
    """With that of the question."""
    together = groups(list(TABLE))

    assert list(TABLE) == [one for group in together for one in group]
    assert max(map(len, together)) * len(syntaxes()) + 1 <= 128


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm"])
def test_nothing_is_transcoded(name: str, tmp_path: Path) -> None:
    """Whatever the transfer syntax is."""
    path = get_testdata_file(name)
    assert isinstance(path, str)
    one = pydicom.dcmread(path)
    one.IssuerOfPatientID = ""
    pacs = Pacs([one])
    with serving(pacs) as peer:
        (found,) = Dimse({peer.address.location: peer}).fetch(
            task_of(peer, pacs.objects), tmp_path / "t"
        )
    assert one.file_meta.TransferSyntaxUID == found.header.file_meta.TransferSyntaxUID
    assert found.pixels is not None


def test_a_run_does_not_begin_where_the_server_is_not(place: Place) -> None:
    """Else each series would fail alone."""
    located = Located(dimse=place.source)
    located.demand([place.task])
    (address,) = place.source.peers
    at = "dimse://COHORTKIT@127.0.0.1:9/PACS"
    place.source.peers[at] = replace(place.source.peers[address], address=Address.of(at), tries=1)
    files = tuple(replace(f, path=f.path.replace(address, at)) for f in place.task.files)
    with pytest.raises(ServerError, match="cannot be reached"):
        located.demand([replace(place.task, files=files)])
