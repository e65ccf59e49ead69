"""What a session does with servers that are busy, hang, break off, or want more than they may."""

from __future__ import annotations

import logging
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from cohortkit.errors import ServerError, UsageError
from cohortkit.net import Session, chunks
from web import Act, answering, serving

pytest.importorskip("urllib3")


def test_no_content_is_no_object() -> None:
    """204 and an empty list are no objects."""
    for act in (answering(204), answering(200, b"[]")):
        with serving(act) as (url, _):
            assert [] == Session(url).page("studies").items


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    """429 with Retry-After is waited for, and then the answer counts."""
    times: list[float] = []

    def act(to: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        busy = answering(429, Retry_After="1")
        (busy if len(times) == 1 else answering(200, b'[{"a": 1}]'))(to)

    with serving(act) as (url, _):
        assert [{"a": 1}] == Session(url).page("studies").items
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (answering(401), "COHORTKIT_SERVER"),
        (answering(404), "404"),
        (answering(503, Retry_After="0"), "busy"),
        (answering(200, b'[{"a": 1}', length=500), "broke off"),
        (answering(200, b"<html>"), "no DICOM JSON"),
        (answering(200), "no DICOM JSON"),
        (answering(200, b'{"a": 1}'), "no list"),
        (answering(200, b"[" * 100_000), "no DICOM JSON"),
        (lambda _: time.sleep(0.6), "does not answer"),
        (lambda to: to.connection.close(), "does not answer"),
    ],
    ids=["401", "404", "503", "half", "html", "none", "object", "deep", "hangs", "closes"],
)
def test_what_is_no_answer_is_an_error(act: Act, words: str) -> None:
    """It is never taken for an answer with less, and tells nothing of what was asked."""
    with serving(act) as (url, _), pytest.raises(ServerError, match=words) as caught:
        Session(url, patience=0.2, tries=1).page("studies", [("PatientID", "SECRET7")])

    assert "SECRET7" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 302, 404])
def test_no_number_of_answers_uses_up_the_connections(status: int) -> None:
    """Not those that were errors, moved, or not read to their end."""
    act = answering(status, b"x" * 10_000, Location="/elsewhere")
    with serving(act) as (url, seen):
        session = Session(url, patience=1, tries=1)

        def ask() -> None:
            for _ in range(6):
                with suppress(ServerError), session.get("studies", "*/*") as answer:
                    next(chunks(answer, 10))

        thread = threading.Thread(target=ask, daemon=True)  # it would wait for ever
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert len(seen) >= 6


def test_a_token_goes_to_its_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a redirect nor an address in somebody else's cohort file gets it."""
    with serving(answering(200, b"[]")) as (elsewhere, got):
        moved = answering(302, Location=f"{elsewhere}/studies")
        with serving(moved) as (url, asked):
            monkeypatch.setenv("COHORTKIT_SERVER", url)
            monkeypatch.setenv("COHORTKIT_SERVER_TOKEN", "t0ken")

            with pytest.raises(ServerError, match="another"):
                Session(url).page("studies")
            assert "Bearer t0ken" == asked[0]["Authorization"]
            assert [] == got

            Session(elsewhere).page("studies")
            assert "Authorization" not in got[0]


def test_no_address_holds_a_secret_and_no_secret_goes_in_the_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password in an address is refused, and so is a token over a line that anybody can read."""
    with pytest.raises(UsageError, match="no user, password"):
        Session("https://u:p@pacs.example/dicom-web")

    monkeypatch.setenv("COHORTKIT_SERVER", "http://pacs.example")
    monkeypatch.setenv("COHORTKIT_SERVER_TOKEN", "t0ken")
    with pytest.raises(UsageError, match="https"):
        Session("http://pacs.example/dicom-web").page("studies")


def test_nothing_that_was_asked_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not by urllib3 either, which tells addresses when it debugs and when it tries again."""
    busy = answering(503, Retry_After="0")
    with caplog.at_level(logging.DEBUG), serving(busy) as (url, _), pytest.raises(ServerError):
        Session(url, tries=1).page("studies", [("PatientID", "SECRET7")])

    assert "SECRET7" not in caplog.text


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine, which signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = "openssl req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    names = ["-subj", "/CN=cohortkit", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*words.split(), *names, *files], check=True, capture_output=True)
    return certificate, key


def test_a_client_certificate_lets_us_in(
    papers: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without it, or without who signed the server's, there is no answer."""
    certificate, key = papers
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.load_verify_locations(certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    said = {"CERTIFICATE": certificate, "CERTIFICATE_KEY": key, "AUTHORITY": certificate}
    with serving(answering(200, b"[]"), tls) as (url, _):
        monkeypatch.setenv("COHORTKIT_SERVER", url)
        for word, path in said.items():
            monkeypatch.setenv(f"COHORTKIT_SERVER_{word}", str(path))
        assert [] == Session(url, patience=2, tries=1).page("studies").items

        for word in ("CERTIFICATE", "AUTHORITY"):
            monkeypatch.setenv(f"COHORTKIT_SERVER_{word}", "")
            with pytest.raises(ServerError, match="reached"):
                Session(url, patience=2, tries=1).page("studies")
            monkeypatch.setenv(f"COHORTKIT_SERVER_{word}", str(said[word]))


def test_a_token_of_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names another server, or none; a keyring that is locked is none."""
    kept: dict[tuple[str, str], str] = {}
    fake = ModuleType("keyring")
    fake.get_password = lambda service, user: kept[service, user]  # type: ignore[attr-defined]
    fake.__spec__ = ModuleSpec("keyring", None)
    monkeypatch.setitem(sys.modules, "keyring", fake)
    monkeypatch.delenv("COHORTKIT_SERVER", raising=False)
    with serving(answering(200, b"[]")) as (url, seen):
        Session(url).page("studies")
        kept["cohortkit", url] = "t0ken"
        Session(url).page("studies")
    assert [None, "Bearer t0ken"] == [one.get("Authorization") for one in seen]
