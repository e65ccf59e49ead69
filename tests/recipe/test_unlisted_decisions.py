"""Promise 1: an attribute outside the table passes only by rule. An enemy plants, the rule sees."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import datadict
from pydicom._dicom_dict import DicomDictionary

from cohortkit.recipe import profile, unlisted
from cohortkit.recipe.basisfaults import STRICT
from cohortkit.recipe.faults import find
from cohortkit.recipe.model import Action, Basis, Decision, Option, Recipe, Unlisted
from cohortkit.recipe.policy import FIXED, Policy
from cohortkit.recipe.vr import Holds

NUMBERS = {"DS", "IS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV", "AT"}
PERSONAL = {"DA", "TM", "DT", "AS", "PN", "UR", "AE"}
TEXTS = {"LO", "SH", "ST", "LT", "UT", "UC"}
BYTES = {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}
VRS = sorted(NUMBERS | PERSONAL | TEXTS | BYTES | {"CS", "SQ", "UI"})
RETAIN = [option for option in Option if option.startswith("retain")]

OUTSIDE = sorted(
    tag
    for tag in DicomDictionary
    if tag not in profile.table() and 8 <= tag >> 16 < 0xFFFE and tag not in FIXED
)
PASSES = set()
with (Path(profile.__file__).parent / "data" / "technical.csv").open() as _file:
    for _line in csv.DictReader(line for line in _file if line[0] != "#"):
        PASSES.add(datadict.tag_for_keyword(_line["keyword"]))
REQUIRED = {
    datadict.tag_for_keyword(keyword): {1: Action.DUMMY, 2: Action.EMPTY}[strictest]
    for keyword, strictest in profile.required().items()
}


def policy(*options: Option) -> Policy:
    """The basic profile with these options."""
    return Policy(Recipe("test", Basis.EXPERT_DETERMINATION, options=frozenset(options)))


def wrong(asked: Policy) -> Iterator[tuple[str, Decision]]:
    """Attributes outside the table that are not decided by rule, over the whole dictionary."""
    for tag in OUTSIDE:
        vr = DicomDictionary[tag][0]
        kinds = set(vr.split(" or "))
        if tag in PASSES or kinds <= NUMBERS | {"CS", "SQ"}:
            allowed = {Action.KEEP}
        elif kinds == {"UI"}:
            allowed = {Action.UID}
        else:
            assert kinds & (PERSONAL | TEXTS | BYTES), vr
            allowed = {REQUIRED.get(tag, Action.REMOVE)}
        decision = asked.decide(tag, vr, None)
        if decision.action not in allowed or decision.listed or decision.from_rule:
            yield DicomDictionary[tag][4], decision


@pytest.mark.parametrize("options", [(), *((option,) for option in RETAIN)], ids=str)
def test_the_whole_dictionary_is_decided_by_rule(options: tuple[Option, ...]) -> None:
    """4,000 attributes; no option changes what happens outside the table."""
    assert [] == list(wrong(policy(*options)))
    assert len(OUTSIDE) > 4000


def test_only_text_is_kept_where_the_recipe_says_so() -> None:
    """Of the whole dictionary text that is no direct identifier and names no block."""
    asked = Policy(Recipe("test", Basis.EXPERT_DETERMINATION, unlisted=Unlisted.KEEP))
    strict = policy()

    def vr_of(tag: int) -> str:
        return str(DicomDictionary[tag][0])

    changed = {
        tag
        for tag in OUTSIDE
        if asked.decide(tag, vr_of(tag), None) != strict.decide(tag, vr_of(tag), None)
    }
    direct = profile.direct_identifiers()

    assert len(changed) > 300
    assert TEXTS >= {vr_of(tag) for tag in changed}
    assert set() == changed & set(direct)
    assert [] == [tag for tag in changed if DicomDictionary[tag][4].endswith("PrivateCreator")]
    assert {Action.KEEP} == {asked.decide(tag, vr_of(tag), None).action for tag in changed}


def test_a_rule_that_fails_open_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: let text stay, and the check above is red."""
    leaky = {**unlisted._WORDS, Holds.TEXT: (Action.KEEP, "leak")}
    monkeypatch.setattr(unlisted, "_WORDS", leaky)
    assert len(list(wrong(policy()))) > 100


@pytest.mark.parametrize(
    "keyword",
    [
        "DocumentTitle",
        "DeviceID",
        "TrackingID",
        "RetrieveURL",
        "HL7InstanceIdentifier",
        "PatientBirthDateInAlternativeCalendar",
        "TextValue",
        "WindowCenterWidthExplanation",
        "EncryptedAttributesSequence",
        "MACParametersSequence",
        "EncryptedContent",
        "ICCProfile",
    ],
)
def test_identifying_attributes_that_the_table_forgot_go(keyword: str) -> None:
    """Attributes of the data dictionary that identify, and that Table E.1-1 does not name."""
    tag = datadict.tag_for_keyword(keyword)
    assert tag is not None
    action = policy().decide(tag, datadict.dictionary_VR(tag), None).action
    assert action is REQUIRED.get(tag, Action.REMOVE)


def test_text_that_objects_need_leaves_its_place_filled() -> None:
    """By a table of the standard's modules that is not ours: what is of type 1 or 2 is listed."""
    name = "_standard/module_attribute_map.json"
    modules = json.loads(resources.files("highdicom").joinpath(name).read_text("utf-8"))
    strictest: dict[int, int] = {}
    for row in (row for rows in modules.values() for row in rows):
        tag = datadict.tag_for_keyword(row["keyword"])
        if tag in OUTSIDE and tag not in PASSES and row["type"][:1] in {"1", "2"}:
            strictest[tag] = min(int(row["type"][0]), strictest.get(tag, 3))
    words = {t: n for t, n in strictest.items() if datadict.dictionary_VR(t) in TEXTS | PERSONAL}

    assert {tag: {1: Action.DUMMY, 2: Action.EMPTY}[n] for tag, n in words.items()} == REQUIRED


@pytest.mark.parametrize("tag", [0x00200242, 0x00081167, 0x00083012, 0x00080016, 0x00020010])
def test_uids_outside_the_table_are_replaced_unless_registered(tag: int) -> None:
    """Every UI attribute asks for a new UID; who does it spares what PS3.6 registers."""
    action = policy(Option.RETAIN_UIDS).decide(tag, "UI", None).action
    assert action is (Action.UID if tag >> 16 >= 8 else Action.REMOVE)


@given(tag=st.sampled_from(OUTSIDE), vr=st.sampled_from(VRS), option=st.sampled_from(RETAIN))
def test_a_file_cannot_talk_a_value_through_by_its_vr(tag: int, vr: str, option: Option) -> None:
    """What stays is of one kind for file and dictionary: no name in the coat of a number."""
    decision = policy(option).decide(tag, vr, None)
    known = set(DicomDictionary[tag][0].split(" or "))
    same = (
        vr in known
        or ({vr} | known) <= NUMBERS
        or ({vr} | known) <= TEXTS
        or bool({vr} & BYTES and known & BYTES)
    )
    assert same or decision.action in {Action.REMOVE, Action.EMPTY, Action.DUMMY}
    if decision.action is Action.KEEP:
        assert vr not in PERSONAL
        assert tag in PASSES or vr in NUMBERS | {"CS", "SQ"}
        assert tag in PASSES or decision.valid_only == (vr in {"CS", "DS", "IS"})


@given(tag=st.integers(0, 2**32 - 1), vr=st.sampled_from(VRS), creator=st.none() | st.text())
def test_nothing_unknown_passes(tag: int, vr: str, creator: str | None) -> None:
    """Any tag at all, with any VR and creator: what the dictionary does not know is removed."""
    decision = policy(*RETAIN).decide(tag, vr, creator)
    known = tag in DicomDictionary or tag in profile.table()
    private = (tag >> 16, creator, tag & 0xFF) in profile.safe_private()
    assert known or private or decision.action is Action.REMOVE


@given(
    element=st.integers(0, 0xFFFF),
    creator=st.sampled_from(["SIEMENS MR HEADER", "GEMS_PARM_01", "siemens mr header", "", None]),
    group=st.sampled_from([0x0001, 0x0007, 0x0009, 0x0019, 0x0043, 0xFFFF]),
    vr=st.sampled_from(VRS),
)
def test_private_elements_stay_only_by_creator_and_element(
    element: int, creator: str | None, group: int, vr: str
) -> None:
    """Of the standard's 87, under the option, with a VR that fits; nothing else."""
    key = (group, creator, element & 0xFF)
    tag = group << 16 | element
    assert policy().decide(tag, vr, creator).action is Action.REMOVE
    kept = policy(Option.RETAIN_SAFE_PRIVATE).decide(tag, vr, creator).action is Action.KEEP
    safe = profile.safe_private().get(key) if creator and element >= 0x1000 else None  # type: ignore[arg-type]
    fits = safe is not None and (vr == safe.vr or {vr, safe.vr} <= NUMBERS or vr == "UN")
    assert not kept or fits


def test_a_safe_private_element_stays_under_its_option() -> None:
    """The b-value of Siemens MR; without a creator nothing stays, nor as bytes of any kind."""
    asked = policy(Option.RETAIN_SAFE_PRIVATE)
    assert asked.decide(0x0019100C, "IS", "SIEMENS MR HEADER").action is Action.KEEP
    assert asked.decide(0x0019100C, "IS", None).action is Action.REMOVE
    assert asked.decide(0x0019100C, "LT", "SIEMENS MR HEADER").action is Action.REMOVE
    assert asked.decide(0x00190010, "LO", None).action is Action.REMOVE
    assert asked.decide(0x2001_1069, "UN", "Philips Imaging DD 001").action is Action.REMOVE


@pytest.mark.parametrize("basis", Basis)
def test_a_basis_that_forbids_names_forbids_text_as_it_is(basis: Basis) -> None:
    """Safe Harbor and the limited data set; the others may keep it, and say so."""
    found = find(Recipe("test", basis, unlisted=Unlisted.KEEP))

    assert (basis in STRICT) == any(line.startswith("unlisted: ") for line in found)
