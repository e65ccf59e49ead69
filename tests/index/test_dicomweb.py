"""Servers that cut, repeat, ignore, mix up or say nothing: exact answers, or an error."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword

from cohortkit import audit
from cohortkit.errors import ServerError, StoreError, Unanswerable
from cohortkit.index.dicomweb import DicomWebIndex
from cohortkit.index.dicomweb_ask import pages
from cohortkit.index.served_ask import IDENTIFIERS, written
from cohortkit.model.query import Absent, AnyOf, Exactly, Like, Predicate
from cohortkit.net import Session
from web import Act, answering, serving

pytest.importorskip("urllib3")
KIND = "application/dicom+json"
Row = dict[str, str]


def item(row: Row) -> dict[str, object]:
    """An object in DICOM JSON."""
    told = {}
    for word, value in row.items():
        vr, tag = dictionary_VR(word), tag_for_keyword(word)
        plain: object = {"Alphabetic": value} if vr == "PN" else value
        told[f"{tag:08X}"] = {"vr": vr, "Value": [plain]} if value else {"vr": vr}
    return told


def rows(studies: int = 7) -> list[Row]:
    """One object a study; the third has no description."""
    return [
        {
            "StudyInstanceUID": f"1.{n}",
            "SeriesInstanceUID": f"2.{n}",
            "SOPInstanceUID": f"3.{n}",
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "PatientID": f"P{n}",
            "PatientName": "Quisling^Marjolein",
            "AccessionNumber": f"A{n}",
            "StudyDate": f"202{n}0101",
            "Modality": "CT" if n % 2 else "MR",
            "SeriesDescription": "" if n == 3 else f"thorax{n}",
        }
        for n in range(studies)
    ]


@dataclass
class Pacs:
    """A DICOMweb server that answers by rights, until it is told otherwise.

    Attributes:
        most: objects on one page, whatever was asked for.
        offsets: whether it knows of pages.
        deaf: keywords that it does not look at.
        mute: keywords for which it answers 200 with nothing.
        warns: what it says beside each page.
        wrong: by a part of the path: what happens instead.
    """

    rows: list[Row] = field(default_factory=rows)
    most: int = 100
    offsets: bool = True
    deaf: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    warns: str = ""
    wrong: dict[str, Act] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def act(self, to: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        self.asked.append(to.path)
        for part, act in self.wrong.items():
            if part in to.path:
                return act(to)
        found = self._found(to.path)
        headers = {"Warning": f'299 {self.warns}: "more"'} if self.warns and found else {}
        return answering(200, json.dumps(found).encode(), Content_Type=KIND, **headers)(to)

    def _found(self, path: str) -> list[dict[str, object]]:
        url = urlsplit(path)
        steps = url.path.strip("/").split("/")
        terms = dict(pair.split("=", 1) for pair in url.query.split("&") if pair)
        limit, start = int(terms.pop("limit", "99")), int(terms.pop("offset", "0"))
        there = [row for row in self.rows if self._within(row, steps) and self._fits(row, terms)]
        start = start if self.offsets else 0
        return [item(row) for row in there[start : start + min(limit, self.most)]]

    def _within(self, row: Row, steps: list[str]) -> bool:
        named = dict(zip(steps[::2], steps[1::2], strict=False))
        asked = (("studies", "StudyInstanceUID"), ("series", "SeriesInstanceUID"))
        return all(named.get(level) in {None, row[word]} for level, word in asked)

    def _fits(self, row: Row, terms: Row) -> bool:
        if terms.keys() & self.mute:
            return False
        return all(_like(row[word], text) for word, text in terms.items() if word not in self.deaf)


def _like(value: str, text: str) -> bool:
    if re.fullmatch(r"\d*-\d*", text) and text != "-":
        low, high = text.split("-")
        return (low or "0") <= value <= (high or "9")
    return re.fullmatch(".*".join(map(re.escape, text.split("*"))), value) is not None


@contextmanager
def at(pacs: Pacs, whole: int = 0) -> Iterator[DicomWebIndex]:
    with serving(pacs.act) as (url, _):
        yield DicomWebIndex.open(f"dicomweb+{url}", whole=whole)


def uids(index: DicomWebIndex, **terms: object) -> list[str]:
    """The studies that a question finds."""
    return sorted(index.search(**terms).identified()["StudyInstanceUID"])


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_an_answer_is_read_to_its_end(most: int) -> None:
    """However few a server hands over at once."""
    pacs = Pacs(most=most)
    with serving(pacs.act) as (url, _):
        found = pages(Session(url), "studies", [], "StudyInstanceUID")

    assert 7 == len(found)


def test_an_answer_that_is_cut_is_an_error() -> None:
    """Warning 299 on the last page that held anything: there is more, and it does not come."""
    with serving(Pacs(warns="pacs").act) as (url, _), pytest.raises(ServerError, match="299"):
        pages(Session(url), "studies", [], "StudyInstanceUID")


def test_a_server_without_pages_is_an_error() -> None:
    """The same objects again are not the next ones."""
    with (
        serving(Pacs(most=3, offsets=False).act) as (url, _),
        pytest.raises(ServerError, match="several pages"),
    ):
        pages(Session(url), "studies", [], "StudyInstanceUID")


@pytest.mark.parametrize("bad", ["deaf", "mute"])
def test_a_term_that_is_not_understood_does_not_go_out(bad: str) -> None:
    """Whether the server ignores it, or answers 200 with nothing."""
    pacs = Pacs()
    getattr(pacs, bad).add("Modality")
    with at(pacs) as index:
        assert "Modality" not in index.capabilities.pushes
        with pytest.raises(Unanswerable, match="Modality"):
            index.search(Modality="CT")
        pacs.asked.clear()
        assert ["1.1"] == uids(index, PatientID="P1", Modality="CT")
        assert not [path for path in pacs.asked if "Modality" in path]


def test_what_is_proved_is_asked_and_exact() -> None:
    """A study that has no description is found like the others."""
    with at(Pacs()) as index:
        assert ["1.1", "1.3", "1.5"] == uids(index, Modality="CT")
        assert ["1.2", "1.3"] == uids(index, StudyDate=("2022-01-01", "2023-12-31"))
        assert ["1.1", "1.5"] == uids(index, SeriesDescription="thorax*", Modality="CT")
        assert ["1.3"] == uids(index, Modality="CT", SeriesDescription=None)


@pytest.mark.parametrize(
    ("part", "act", "reason"),
    [
        ("studies/1.1/series", answering(404), "file-vanished"),
        ("2.1/metadata", answering(410), "file-vanished"),
        ("2.1/metadata", answering(200, b"[]"), "file-vanished"),
        ("2.1/metadata", answering(500), "read-error"),
        ("2.1/metadata", answering(200, b"<html>log in"), "read-error"),
        (
            "2.1/metadata",
            answering(200, json.dumps([item(rows()[5])]).encode()),
            "another-object",
        ),
    ],
    ids=["study", "series", "nothing", "error", "page", "another"],
)
def test_what_cannot_be_read_costs_its_study_alone(part: str, act: Act, reason: str) -> None:
    """It is told by name, and the others are there."""
    pacs = Pacs()
    with at(pacs) as index:
        pacs.wrong[part] = act
        assert ["1.3", "1.5"] == uids(index, StudyDate=("2021-01-01", None), Modality="CT")
        assert [reason] == index.skipped()["reason"].to_list()
        assert ["1.1"] == index.skipped(identified=True)["StudyInstanceUID"].to_list()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (answering(429, Retry_After="0"), "busy"),
        (answering(200, b"[{", 90), "broke off"),
        (answering(200, b"<html>"), "no DICOM JSON"),
        (answering(200, b"[{}]"), "without"),
        (lambda _: time.sleep(0.6), "does not answer"),
    ],
    ids=["429", "half", "page", "bare", "hangs"],
)
def test_a_question_without_an_answer_is_an_error(act: Act, words: str) -> None:
    """It is never an answer with less, and tells nothing of what was asked."""
    pacs = Pacs()
    with at(pacs) as index:
        index.server.session.patience, index.server.session.tries = 0.2, 1
        vars(index.server.session).pop("_pool")
        pacs.wrong["PatientID=P1"] = act
        with pytest.raises(ServerError, match=words) as caught:
            index.search(PatientID="P1")
    assert "P1" not in str(caught.value)


@pytest.mark.parametrize("uid", ["1.9?limit=1", "1.9*", "../x", "1.9/series/2.1"])
def test_an_identifier_that_a_server_told_makes_no_other_address(uid: str) -> None:
    """Its study is lost alone."""
    pacs = Pacs([*rows(), {**rows()[1], "StudyInstanceUID": uid, "PatientID": "P9"}])
    with at(pacs, whole=50) as index:
        assert [f"1.{n}" for n in range(7)] == uids(index)
        assert ["read-error"] == index.skipped()["reason"].to_list()
    assert not [path for path in pacs.asked if "1.9" in path or ".." in path]


def test_a_server_without_studies_is_an_error() -> None:
    """It is empty, or we may not see any: nothing can be proved."""
    with pytest.raises(ServerError, match="offers no study"), at(Pacs([])):
        pass


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "StudyInstanceUID"])
@pytest.mark.parametrize("value", ["P*", "P?", "*", "?1"])
def test_no_pattern_of_an_identifier_goes_out(keyword: str, value: str) -> None:
    """The question is refused by name, for a large server would take it for many."""
    pacs = Pacs()
    with at(pacs) as index:
        pacs.asked.clear()
        with pytest.raises(Unanswerable, match=keyword):
            index.search(**{keyword: value})
    assert [] == pacs.asked


TEXTS = st.text(st.sampled_from("AB1.*?%\\& ü-_"), max_size=6)
ASKED = st.one_of(TEXTS.map(Exactly), TEXTS.map(Like), st.lists(TEXTS, max_size=3).map(tuple))


@given(st.sampled_from(IDENTIFIERS), ASKED)
def test_whatever_goes_out_of_an_identifier_is_plain(
    keyword: str, asked: Predicate | tuple[str, ...]
) -> None:
    """As it was asked, or not at all."""
    question = AnyOf(asked) if isinstance(asked, tuple) else asked
    texts = written(keyword, question)

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", text) for text in texts or ())
    assert written(keyword, Absent()) is None


def test_a_search_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the environment names a log; what cannot be noted is not answered."""
    monkeypatch.setenv("COHORTKIT_AUDIT", str(tmp_path / "logs"))
    with at(Pacs()) as index:
        index.search(PatientID="P1")
        (log,) = (tmp_path / "logs").glob("*.jsonl")
        assert ["search"] == [line["event"] for line in audit.lines(log)]
        monkeypatch.setenv("COHORTKIT_AUDIT", str(log))
        with pytest.raises(StoreError, match="log"):
            index.search(PatientID="P1")


def test_places_and_states_are_told() -> None:
    """Instances say on which server they are, and one that changed has another state."""
    pacs = Pacs()
    with at(pacs, whole=50) as index:
        keys = index.series().collect()["series_key"]
        before = index.instances(keys)
        assert all(before["path"].str.starts_with(f"{index.location}/studies/1."))
    pacs.rows[0]["PatientName"] = "Another^Name"
    with at(pacs, whole=50) as index:
        after = index.instances(index.series().collect()["series_key"])
    same = before.join(after, on="SOPInstanceUID").filter(
        pl.col("mtime_ns") == pl.col("mtime_ns_right")
    )
    assert 6 == same.height
