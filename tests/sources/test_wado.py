"""Objects come from a server as they are there, or not at all: a small server, and bad ones."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pydicom
import pytest

from cohortkit.errors import Refusal, ServerError, TaskFailure
from cohortkit.model import FileRef, Person, Reason, Task
from cohortkit.net import Session
from cohortkit.sources.located import Located
from cohortkit.sources.wado import Wado
from factory import Patient, Series, write_series
from web import KIND, Act, Hospital, answering, multipart, serving

pytest.importorskip("urllib3")


@dataclass(frozen=True)
class Place:
    """A server at work, and the task of its series."""

    hospital: Hospital
    task: Task
    scratch: Path
    source: Wado

    def fetch(self) -> list[bytes]:
        """The objects' bytes, in the order of the task."""
        found = self.source.fetch(self.task, self.scratch)
        assert list(self.task.files) == [one.file for one in found]
        return [Path(one.pixels.file.path).read_bytes() for one in found if one.pixels]  # type: ignore[attr-defined]

    def fails(self) -> Reason:
        """Why it is not to be had."""
        with pytest.raises((TaskFailure, Refusal)) as caught:
            self.fetch()
        assert "127.0.0.1" not in str(caught.value)
        return caught.value.reason


@contextmanager
def at(folder: Path, slices: int = 4) -> Iterator[Place]:
    paths = write_series(folder / "theirs", Patient(), Series(slices=slices))
    headers = [pydicom.dcmread(path) for path in paths]
    hospital = Hospital(
        {
            str(one.SOPInstanceUID): path.read_bytes()
            for one, path in zip(headers, paths, strict=True)
        }
    )
    with serving(hospital.act) as (url, _):
        series = (
            f"dicomweb+{url}/dw/studies/{headers[0].StudyInstanceUID}"
            f"/series/{headers[0].SeriesInstanceUID}"
        )
        files = tuple(FileRef(f"{series}/instances/{uid}", 0, 7, uid) for uid in hospital.objects)
        who = Person(headers[0].IssuerOfPatientID, headers[0].PatientID)
        uids = (headers[0].StudyInstanceUID, headers[0].SeriesInstanceUID)
        task = Task(0, "key", who, *uids, headers[0].SOPClassUID, "CT", files)
        session = Session(f"{url}/dw", patience=0.3, tries=1)
        source = Wado(most=1 << 20, tries=3, back_off=0.01, sessions={f"{url}/dw": session})
        yield Place(hospital, task, folder / "mine" / "t", source)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "mine").mkdir()
    with at(tmp_path) as one:
        yield one


def test_a_series_is_one_request_and_the_very_bytes(place: Place) -> None:
    """Nothing is transcoded on the way, and nobody else can read what lies here."""
    assert list(place.hospital.objects.values()) == place.fetch()
    assert 1 == len(place.hospital.asked)
    assert 0o700 == place.scratch.stat().st_mode & 0o777
    assert {0o600} == {one.stat().st_mode & 0o777 for one in place.scratch.iterdir()}


def test_many_series_use_up_no_connection(place: Place) -> None:
    """Each is parted with, though nothing is read beyond its last object."""
    for number in range(8):
        task, scratch = place.task, place.scratch.with_name(str(number))
        assert 4 == len(place.source.fetch(task, scratch))


def test_objects_are_asked_for_as_they_are_stored(place: Place) -> None:
    """Whatever their transfer syntax."""
    heard: list[str] = []

    def listen(to: BaseHTTPRequestHandler) -> None:
        heard.append(to.headers["Accept"])
        place.hospital.usual(to)

    place.hospital.wrong[0] = listen
    place.fetch()

    assert ['multipart/related; type="application/dicom"; transfer-syntax=*'] == heard


def half(count: int) -> Callable[[Hospital], Act]:
    """Breaks off inside the object after these."""

    def of(hospital: Hospital) -> Act:
        whole = multipart(list(hospital.objects.values()))
        size = len(multipart(list(hospital.objects.values())[:count])) + 200
        return answering(200, whole[:size], len(whole), Content_Type=KIND)

    return of


def test_after_half_a_body_the_missing_objects_alone_are_asked_for(place: Place) -> None:
    """Each of them by its own address."""
    place.hospital.wrong[0] = half(2)(place.hospital)

    assert list(place.hospital.objects.values()) == place.fetch()
    uids = list(place.hospital.objects)
    assert uids[2:] == [path.rpartition("/")[2] for path in place.hospital.asked[1:]]


def test_what_an_earlier_attempt_brought_is_not_asked_for_again(place: Place) -> None:
    """Also by another worker; another state of an object is another object."""
    place.fetch()
    place.fetch()
    assert 1 == len(place.hospital.asked)

    files = tuple(replace(one, mtime_ns=8) for one in place.task.files[:1])
    task = replace(place.task, files=(*files, *place.task.files[1:]))
    assert 4 == len(place.source.fetch(task, place.scratch))
    assert 2 == len(place.hospital.asked)


def test_a_server_that_keeps_breaking_off_fails_the_series(place: Place) -> None:
    """After as many tries without any object as are allowed."""
    place.hospital.wrong[-1] = half(0)(place.hospital)

    assert Reason.READ_ERROR is place.fails()
    assert place.source.tries == len(place.hospital.asked)


def test_an_object_that_the_server_leaves_out_is_asked_for(place: Place) -> None:
    """It is gone when it is gone by its own address: never a shorter series."""
    last = list(place.hospital.objects)[-1]
    gone = place.hospital.objects.pop(last)
    assert Reason.FILE_VANISHED is place.fails()

    place.hospital.objects[last] = gone
    assert list(place.hospital.objects.values()) == place.fetch()


def test_an_object_that_came_since_is_left(place: Place, tmp_path: Path) -> None:
    """The index did not have it, so it is not in the release either."""
    more = write_series(tmp_path / "more", Patient(), Series(slices=5))[4].read_bytes()
    place.hospital.objects["more"] = more

    assert 4 == len(place.fetch())
    assert 4 == len(list(place.scratch.iterdir()))


def hang(to: BaseHTTPRequestHandler) -> None:
    """Begins, and says no more."""
    to.send_response(200)
    to.send_header("Content-Type", KIND)
    to.end_headers()
    to.wfile.write(b"--b0und\r\n")
    time.sleep(0.5)


def endless(to: BaseHTTPRequestHandler) -> None:
    """More than anybody asked for, without an end."""
    to.send_response(200)
    to.send_header("Content-Type", KIND)
    to.end_headers()
    try:
        to.wfile.write(b"--b0und\r\n\r\n")
        for _ in range(100):
            to.wfile.write(b"\0" * 100_000)
    except OSError:
        pass


NO_ANSWER: dict[str, tuple[Act, Reason]] = {
    "404": (answering(404), Reason.FILE_VANISHED),
    "410": (answering(410), Reason.FILE_VANISHED),
    "401": (answering(401), Reason.READ_ERROR),
    "503": (answering(503, Retry_After="0"), Reason.READ_ERROR),
    "429": (answering(429, Retry_After="0"), Reason.READ_ERROR),
    "html": (answering(200, b"<html>log in", Content_Type="text/html"), Reason.READ_ERROR),
    "empty": (answering(200, b"", Content_Type=KIND), Reason.READ_ERROR),
    "204": (answering(204), Reason.READ_ERROR),
    "single": (answering(200, b"--b0und--", Content_Type="application/dicom"), Reason.READ_ERROR),
    "page": (answering(200, multipart([b"<html>log in"]), Content_Type=KIND), Reason.NOT_DICOM),
    "declared": (answering(200, b"x", 1 << 40, Content_Type=KIND), Reason.TOO_LARGE),
    "endless": (endless, Reason.TOO_LARGE),
    "hangs": (hang, Reason.READ_ERROR),
    "closes": (lambda to: to.connection.close(), Reason.READ_ERROR),
}


@pytest.mark.parametrize(("act", "reason"), NO_ANSWER.values(), ids=NO_ANSWER.keys())
def test_what_is_no_answer_fails_by_name(place: Place, act: Act, reason: Reason) -> None:
    """And soon, without a word of what was asked or answered."""
    place.hospital.wrong[-1] = act

    assert reason is place.fails()


def test_a_busy_server_is_asked_again_when_it_says(place: Place) -> None:
    """429 with Retry-After is waited for."""
    place.hospital.wrong[0] = answering(429, Retry_After="1")
    begun = time.monotonic()

    assert 4 == len(place.fetch())
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("what", ["study", "series", "twice", "instance"])
def test_another_object_than_asked_is_refused(place: Place, tmp_path: Path, what: str) -> None:
    """Of another study or series, the same one twice, or another instance at the address of one."""
    objects = list(place.hospital.objects.values())
    other = {"study": Series(study=2), "series": Series(number=2)}.get(what, Series())
    stranger = write_series(tmp_path / "other", Patient(), other)[0].read_bytes()
    if what == "instance":
        place.hospital.wrong[0] = answering(200, multipart(objects[:3]), Content_Type=KIND)
        place.hospital.wrong[1] = answering(200, multipart(objects[:0]), Content_Type=KIND)
    else:
        body = multipart([*objects[1:], objects[1] if what == "twice" else stranger])
        place.hospital.wrong[0] = answering(200, body, Content_Type=KIND)

    assert Reason.ANOTHER_OBJECT is place.fails()


def test_an_address_of_another_series_is_not_asked(place: Place) -> None:
    """Whoever wrote the index: an address has the UIDs of its row, and signs that UIDs have."""
    first, *others = place.task.files
    for wrong in (
        first.path.replace("/series/", "/series/9"),
        f"{first.path}?x=1",
        first.path.replace("/dw/", "/elsewhere/"),
    ):
        task = replace(place.task, files=(replace(first, path=wrong), *others))
        with pytest.raises(TaskFailure) as caught:
            place.source.fetch(task, place.scratch)
        assert Reason.ANOTHER_OBJECT is caught.value.reason
    assert [] == place.hospital.asked


@pytest.mark.parametrize("uid", ["1.2?x", "1.2*", "..", "1/2", "1 2", "1%2A"])
def test_no_identifier_makes_another_address(place: Place, uid: str) -> None:
    """A server may have told anything."""
    series = place.task.files[0].path.rpartition("/instances/")[0]
    files = (FileRef(f"{series}/instances/{uid}", 0, 7, uid),)

    with pytest.raises(TaskFailure) as caught:
        place.source.fetch(replace(place.task, files=files), place.scratch)
    assert Reason.READ_ERROR is caught.value.reason
    assert [] == place.hospital.asked


def test_nothing_that_is_asked_is_logged(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Not in trying again, either."""
    place.hospital.wrong[0] = half(1)(place.hospital)
    with caplog.at_level(logging.DEBUG):
        place.fetch()

    assert place.task.study_instance_uid not in caplog.text


def test_a_token_is_sent_and_never_pickled(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker loads its own, from its environment."""
    address = next(iter(place.source.sessions))
    monkeypatch.setenv("COHORTKIT_SERVER", address)
    monkeypatch.setenv("COHORTKIT_SERVER_TOKEN", "t0ken")
    heard: list[str] = []

    def listen(to: BaseHTTPRequestHandler) -> None:
        heard.append(to.headers["Authorization"])
        place.hospital.usual(to)

    place.hospital.wrong[-1] = listen
    place.fetch()
    sent = pickle.dumps(place.source)
    assert b"t0ken" not in sent

    monkeypatch.setenv("COHORTKIT_SERVER_TOKEN", "another")
    pickle.loads(sent).fetch(place.task, place.scratch.with_name("u"))
    assert ["Bearer t0ken", "Bearer another"] == heard


def test_a_run_does_not_begin_without_its_server(place: Place) -> None:
    """One request tells it, and not every series."""
    source = Located(place.source)
    place.hospital.wrong[0] = answering(200, b"[]")
    source.demand([place.task])
    assert place.hospital.asked[0].endswith("/dw/studies?limit=1")

    place.hospital.wrong[1] = answering(401)
    with pytest.raises(ServerError, match="COHORTKIT_SERVER"):
        source.demand([place.task])
