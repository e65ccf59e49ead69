"""Servers that refuse, hang, break off or answer nonsense: a clear error, soon, without a value."""

from __future__ import annotations

import logging
import pickle
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom")

from cohortkit.dimse.find import Answer, find
from cohortkit.dimse.link import Peer
from cohortkit.errors import MissingDependency, ServerError
from factory import Patient, Series, instance
from pacs import FIND, VERIFY, Act, Pacs, aborting, ending, hanging, serving

WANTED = {"StudyInstanceUID": "", "PatientID": "", "PatientName": ""}


def pacs() -> Pacs:
    """Three studies."""
    return Pacs([instance(Patient(patient_id=f"P{n}"), Series(), 0) for n in range(3)])


@pytest.fixture(scope="module")
def held() -> Iterator[tuple[Pacs, Peer]]:
    one = pacs()
    with serving(one) as peer:
        yield one, peer


@pytest.fixture
def at(held: tuple[Pacs, Peer]) -> tuple[Pacs, Peer]:
    """A server that has no orders yet."""
    one, peer = held
    one.most = 0
    one.finds.clear()
    one.asked.clear()
    return one, peer


def studies(peer: Peer, most: int = 0) -> Answer:
    return find(peer, "STUDY", WANTED, most)


def test_an_answer_is_read_to_its_end(at: tuple[Pacs, Peer]) -> None:
    """Each object once, and the server says that it came to its end."""
    answer = studies(at[1])

    assert ["P0", "P1", "P2"] == [one.PatientID for one in answer.items]
    assert answer.whole


def test_a_server_is_stopped_where_it_says_too_much(at: tuple[Pacs, Peer]) -> None:
    """And what it said is not taken for all there is."""
    answer = studies(at[1], 2)

    assert 2 == len(answer.items)
    assert not answer.whole


def test_a_busy_server_and_one_that_breaks_off_are_asked_again(at: tuple[Pacs, Peer]) -> None:
    """What came before is not counted twice."""
    for act in (ending(0xA700, 1), aborting(1)):
        one, peer = at
        one.asked.clear()
        one.finds = {("STUDY", 0): act}
        assert 3 == len(studies(peer).items)
        assert 2 == len(one.asked)


@pytest.mark.parametrize(
    ("act", "words", "asked"),
    [
        (ending(0xA700, 1), "out of resources", 2),
        (ending(0xA900, 0), "0xA900", 1),
        (ending(0xC001, 2), "0xC001", 1),
        (ending(0xFE00, 2), "cut short", 1),
        (aborting(0), "broke off", 2),
        (aborting(2), "broke off", 2),
        (hanging(1.5), "broke off", 2),
    ],
    ids=["busy", "a900", "c001", "cut", "aborts", "half", "hangs"],
)
def test_a_question_without_an_answer_is_an_error(
    at: tuple[Pacs, Peer], act: Act, words: str, asked: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is never an answer with less, and nothing is told of what was asked or answered."""
    one, peer = at
    one.finds[("STUDY", -1)] = act
    begun = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(ServerError, match=words) as caught:
        studies(replace(peer, patience=0.4))

    assert time.monotonic() - begun < 10
    assert asked == len(one.asked)
    ours = [line.getMessage() for line in caplog.records if "Thread-" not in line.threadName]
    assert "Quisling" not in "".join([str(caught.value), *ours])


REJECTED: list[tuple[dict[str, object], str]] = [
    ({"require_calling_aet": ["OTHER"]}, "does not know us"),
    ({"ae_title": "OTHER", "require_called_aet": True}, "another AE title"),
]


@pytest.mark.parametrize(("options", "words"), REJECTED, ids=["calling", "called"])
def test_a_refused_association_says_what_to_do(options: dict[str, object], words: str) -> None:
    """By the reason that the server gives."""
    with serving(pacs(), **options) as peer, pytest.raises(ServerError, match=words) as caught:
        peer.echo()
    assert "127.0.0.1" not in str(caught.value)


def test_a_server_that_is_not_there_is_an_error() -> None:
    """Soon."""
    with serving(pacs()) as peer:
        pass
    with pytest.raises(ServerError, match="cannot be reached"):
        replace(peer, patience=0.5).echo()


def test_a_server_that_takes_no_questions_is_an_error() -> None:
    """It lets us in, and knows no C-FIND."""
    with serving(pacs(), offers=(VERIFY,)) as peer, pytest.raises(ServerError, match="C-FIND"):
        studies(peer)


def test_a_peer_goes_to_a_worker() -> None:
    """With how it is treated."""
    with serving(pacs(), offers=(VERIFY, FIND)) as peer:
        again = pickle.loads(pickle.dumps(replace(peer, tries=7)))
        assert (7, peer.address) == (again.tries, again.address)
        again.echo()


def test_without_the_library_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is asked."""
    with serving(pacs()) as peer:
        monkeypatch.setitem(sys.modules, "pynetdicom", None)
        with pytest.raises(MissingDependency, match=r"cohortkit\[dimse\]"):
            replace(peer)


def test_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both sides show their certificates; without ours there is no association."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    words += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=127.0.0.1"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    with serving(pacs(), tls=context) as peer:
        with pytest.raises(ServerError, match="cannot be reached"):
            replace(peer, patience=1).echo()
        monkeypatch.setenv("COHORTKIT_SERVER", peer.address.origin)
        monkeypatch.setenv("COHORTKIT_SERVER_CERTIFICATE", str(certificate))
        monkeypatch.setenv("COHORTKIT_SERVER_CERTIFICATE_KEY", str(key))
        monkeypatch.setenv("COHORTKIT_SERVER_AUTHORITY", str(certificate))
        assert 3 == len(studies(peer).items)
