"""Promises 1 to 3 on planted headers: no identity comes out, at any depth, in any encoding.

Planting and looking are in ``planted.py``, which imports nothing of cohortkit.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

import cohortkit.recipe
import planted as plants
from cohortkit.deidentify import engine, rules
from cohortkit.deidentify.engine import deidentify, person_of
from cohortkit.deidentify.identities import Keyed
from cohortkit.model import (
    DeidentifiedSeries,
    Facts,
    FileRef,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe.model import (
    CODES,
    Action,
    Basis,
    DatePolicy,
    Decision,
    Option,
    PixelAcceptance,
    PixelPolicy,
    PixelRisk,
    Recipe,
    Unlisted,
)
from cohortkit.recipe.policy import Policy

# what is planted breaks rules on purpose, and pydicom says so
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("leak", bytes(range(32)))
DATA = Path(cohortkit.recipe.__file__).parent / "data"
KEPT_BY = plants.table(DATA / "table.csv")
TECHNICAL = {
    line.split(",")[0] for line in (DATA / "technical.csv").read_text("utf-8").splitlines()
}
# without the two that keep free text of a kind by definition of the standard being tested apart
OPTIONS = (
    Option.RETAIN_MODIFIED_DATES,
    Option.RETAIN_PATIENT_CHARACTERISTICS,
    Option.RETAIN_DEVICE_IDENTITY,
    Option.RETAIN_INSTITUTION_IDENTITY,
    Option.RETAIN_SAFE_PRIVATE,
    Option.CLEAN_DESCRIPTORS,
)
POOL = tuple(
    keyword
    for keyword in plants.attributes(plants.TEXTS | {"DA", "DT", "UI"})
    if keyword not in TECHNICAL
)


# every attribute is planted, and some tell that a picture was captured
CAPTURED = PixelAcceptance(
    frozenset({PixelRisk.CONVERSION_TYPE, PixelRisk.HIGH_RISK_CLASS}),
    "planted",
    sop_class="1.2.840.10008.5.1.4.1.1.2",
)


def recipe(*options: Option) -> Recipe:
    # shifts so far back that no moved date is by chance another planted one
    return Recipe(
        name="t",
        basis=Basis.GDPR_PSEUDONYMISED,
        pixels=PixelPolicy((CAPTURED,)),
        options=frozenset(options),
        dates=DatePolicy(-60_000, -50_000),
        unlisted=Unlisted.CLEAN if Option.CLEAN_DESCRIPTORS in options else Unlisted.BY_RULE,
    )


def run(
    data: bytes, said: Recipe, key: Keyed = KEY, *, over_89: bool = False
) -> DeidentifiedSeries:
    return released(pydicom.dcmread(io.BytesIO(data)), said, key, over_89=over_89)


def released(
    header: pydicom.Dataset, said: Recipe, key: Keyed = KEY, *, over_89: bool = False
) -> DeidentifiedSeries:
    person = person_of(header, "")
    instance = SourceInstance(header, None, FileRef("x", 1, 1, "x"))
    series = SourceSeries(person, (instance,), Facts(instances=()))
    task = Task(0, "k", person, "1.2", "1.3", "1.4", "CT", (), over_89=over_89)
    return deidentify(series, task, said, key)


def leaks(planted: plants.Planted, said: Recipe) -> dict[str, str]:
    """Markers that come out, written in every transfer syntax; shown by every way to read."""
    series = run(planted.data, said)
    dataset = series.headers[0]._dataset
    found: dict[str, str] = {}
    for syntax in plants.SYNTAXES:
        found |= planted.found(plants.written(dataset, syntax))
    shown = repr([series, series.names, series.statement, series.labels, series.headers[0]])
    shown += repr([series.headers[0].get(keyword) for keyword in series.headers[0]])
    return found | planted.found(shown.encode())


def removable(keywords: list[str], options: list[Option]) -> list[str]:
    """Those that no chosen option keeps."""
    codes = {CODES[option][0] for option in options}
    return [keyword for keyword in keywords if not KEPT_BY.get(keyword, frozenset()) & codes]


@given(
    st.lists(st.sampled_from(POOL), max_size=25, unique=True),
    st.lists(st.sampled_from(OPTIONS), unique=True),
    st.sampled_from(plants.SYNTAXES),
    st.sampled_from(plants.CHARACTER_SETS),
)
def test_no_planted_identity_survives(
    keywords: list[str], options: list[Option], syntax: UID, character_set: str
) -> None:
    """Options x attributes x depth x VR x encoding: nothing that was planted comes out."""
    chosen = removable(keywords, options)
    planted = plants.plant(chosen, syntax=syntax, character_set=character_set)
    assert leaks(planted, recipe(*options)) == {}


@pytest.mark.parametrize("syntax", plants.SYNTAXES)
@pytest.mark.parametrize("options", [(), (Option.RETAIN_MODIFIED_DATES,), OPTIONS])
def test_nothing_of_the_whole_dictionary_survives(syntax: UID, options: tuple[Option, ...]) -> None:
    """Every text, name, date, address and UID attribute of the dictionary at once, three levels."""
    planted = plants.plant(removable(list(POOL), list(options)), syntax=syntax)
    assert len(planted.markers) > 2500
    assert leaks(planted, recipe(*options)) == {}


@pytest.mark.parametrize("syntax", plants.SYNTAXES)
def test_the_checker_sees_what_was_planted(syntax: UID) -> None:
    """The source itself fails the check, marker by marker: the search can find."""
    planted = plants.plant(list(POOL[::50]), syntax=syntax)
    assert planted.markers.keys() == planted.found(planted.data).keys()


@pytest.mark.parametrize("keyword", ["PatientName", "StudyDate", "StudyInstanceUID", "StudyID"])
def test_sabotage_a_policy_that_keeps_is_seen(
    keyword: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: one attribute kept by mistake turns the property red."""
    honest = Policy.decide

    def lenient(self: Policy, tag: int, vr: str, creator: str | None, within: str = "") -> Decision:
        if tag == pydicom.tag.Tag(keyword):
            return Decision(Action.KEEP, "sabotage", from_rule=True)
        return honest(self, tag, vr, creator, within)

    monkeypatch.setattr(Policy, "decide", lenient)
    rules.rules_for.cache_clear()
    found = leaks(plants.plant([keyword]), recipe())
    rules.rules_for.cache_clear()
    assert {f"{level}/{keyword}" for level in ("top", "inner", "innermost")} == set(found.values())


def test_sabotage_a_walk_that_does_not_recurse_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: sequences passed on whole are seen."""
    monkeypatch.setattr(engine.Walk, "_sequence", lambda _s, element, _e, _d, **_: element)
    found = leaks(plants.plant(["PatientName"]), recipe())
    assert "inner/PatientName" in found.values()


def test_sabotage_private_creators_kept_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: private elements kept without a rule are seen."""
    honest = Policy._private_element

    def lenient(self: Policy, tag: int, vr: str, creator: str | None) -> Decision:
        if creator is not None:
            return Decision(Action.KEEP, "sabotage", from_rule=True)
        return honest(self, tag, vr, creator)

    monkeypatch.setattr(Policy, "_private_element", lenient)
    rules.rules_for.cache_clear()
    found = leaks(plants.plant([]), recipe())
    rules.rules_for.cache_clear()
    assert {"top/creator", "top/private LO"} <= set(found.values())


@given(st.sampled_from(plants.SYNTAXES), st.lists(st.sampled_from(OPTIONS), unique=True))
def test_numbers_are_kept(syntax: UID, options: list[Option]) -> None:
    """What analysis needs is there with its value, at the top and in sequences."""
    planted = plants.plant(["PatientName"], syntax=syntax)
    source = pydicom.dcmread(io.BytesIO(planted.data))
    result = run(planted.data, recipe(*options)).headers[0]._dataset
    pairs = [(source, result)]
    for keyword in ("SharedFunctionalGroupsSequence", "FrameContentSequence"):
        pairs.append(tuple(dataset[keyword].value[0] for dataset in pairs[-1]))
    for before, after in pairs:
        for keyword in plants.NUMBERS:
            assert before[keyword].value == after[keyword].value, keyword


@given(st.lists(st.sampled_from(POOL), max_size=10, unique=True), st.sampled_from(plants.SYNTAXES))
def test_same_key_same_result_other_key_nothing_in_common(keywords: list[str], syntax: UID) -> None:
    """The bytes are a function of file, recipe and key; another key changes every pseudonym."""
    planted = plants.plant(keywords, syntax=syntax)
    said = recipe(Option.RETAIN_MODIFIED_DATES)
    one, again = run(planted.data, said), run(planted.data, said)
    other = run(planted.data, said, Keyed("leak", bytes(32)))
    first, second = (plants.written(s.headers[0]._dataset, syntax) for s in (one, again))
    assert first == second
    assert {one.names.patient, one.names.study, one.names.series}.isdisjoint(
        {other.names.patient, other.names.study, other.names.series}
    )
    assert one.headers[0].text("SOPInstanceUID") != other.headers[0].text("SOPInstanceUID")


@pytest.mark.parametrize("character_set", plants.CHARACTER_SETS)
def test_nothing_is_told_to_logs_or_warnings(
    character_set: str, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    """De-identifying a header full of faults logs nothing and warns of nothing: no value there."""
    planted = plants.plant(list(POOL[::10]), character_set=character_set)
    header = pydicom.dcmread(io.BytesIO(planted.data))
    caplog.clear()
    recwarn.clear()
    with caplog.at_level(logging.DEBUG):
        released(header, recipe(*OPTIONS))
    assert ([], []) == (caplog.records, recwarn.list)


def test_the_source_is_not_changed() -> None:
    """The header that was handed in still writes the same bytes."""
    planted = plants.plant(list(POOL[::20]))
    header = pydicom.dcmread(io.BytesIO(planted.data))
    released(header, recipe())
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, header, enforce_file_format=True)
    assert planted.data == buffer.getvalue()
