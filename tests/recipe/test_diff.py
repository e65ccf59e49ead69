"""Two recipes compared: what the second lets through that the first does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortkit.cli import main
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.recipe.diff import Change, diff
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import (
    Action,
    Attribute,
    Criterion,
    DatePolicy,
    Deed,
    FacePolicy,
    Ids,
    Label,
    LabelType,
    Match,
    Option,
    PixelAcceptance,
    PixelPolicy,
    PixelRisk,
    PixelRule,
    PrivateElement,
    Recipe,
    Rule,
)
from cohortkit.recipe.policy import Policy
from cohortkit.recipe.targets import everything

BASIC = load_recipe("basic")


def kept(tag: int, action: Action = Action.KEEP) -> Recipe:
    """Basic, with one rule."""
    return replace(BASIC, name="kept", rules=(Rule(Attribute(tag), action, "the trial asks it"),))


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_says_what_it_says(name: str) -> None:
    """Of a recipe and itself nothing differs."""
    found = diff(name, name)
    assert found.same
    assert not found.lets_more_through
    assert f"{name} and {name} say the same" == str(found)


def test_the_attribute_that_a_rule_keeps() -> None:
    """One rule, one row: with what happened, what happens, and the rule that does it."""
    found = diff(BASIC, kept(0x00181030))
    (row,) = found.rows
    assert (Change.MORE, "ProtocolName", Action.KEEP) == (row.change, row.attribute, row.b)
    assert "rule (0018,1030): the trial asks it" == row.why_b
    assert not row.direct
    assert "ProtocolName" in str(found)
    assert "the trial asks it" in found._repr_html_()


def test_the_other_way_round_it_is_less() -> None:
    """What one lets through more, the other lets through less: the same attributes."""
    more, less = diff("basic", "chest-ct"), diff("chest-ct", "basic")
    assert {row.change for row in more.rows} == {Change.MORE}
    assert {row.change for row in less.rows} == {Change.LESS}
    assert [row.attribute for row in more.rows] == [row.attribute for row in less.rows]
    assert not less.lets_more_through
    assert str(less).startswith("basic lets nothing through that chest-ct does not")


@settings(max_examples=50)  # of each all of the dictionary is decided, twice
@given(
    a=st.sets(st.sampled_from(sorted(Option))),
    b=st.sets(st.sampled_from(sorted(Option))),
    tags=st.sets(st.sampled_from([one.tag for one in everything()]), max_size=4),
)
def test_every_attribute_that_is_decided_otherwise_is_told(
    a: set[Option], b: set[Option], tags: set[int]
) -> None:
    """Whatever the options and rules: an attribute is in no row only if both do the same to it."""
    rules = tuple(Rule(Attribute(tag), Action.KEEP, "why not this one") for tag in sorted(tags))
    one = replace(BASIC, name="one", options=frozenset(a))
    other = replace(BASIC, name="other", options=frozenset(b), rules=rules)
    told = {row.tag for row in _unchecked(one, other)}
    first, second = Policy(one), Policy(other)
    for known in everything():
        vr = known.vr or "UN"
        same = first.decide(known.tag, vr, None).action is second.decide(known.tag, vr, None).action
        tag = f"({known.tag >> 16:04x},{known.tag & 0xFFFF:04x})"
        assert same or tag in told


def _unchecked(a: Recipe, b: Recipe) -> tuple[object, ...]:
    """The rows, also of recipes that no file may say."""
    from cohortkit.recipe.diff import _attributes  # noqa: PLC0415 - behind the check for faults

    return tuple(_attributes(a, b))


def test_what_identifies_is_marked() -> None:
    """A direct identifier that is kept stands out."""
    rule = Rule(Attribute(0x00100010, "PatientName"), Action.KEEP, "they agreed to it", True)  # noqa: FBT003
    found = diff(BASIC, replace(BASIC, name="named", rules=(rule,)))
    assert [("PatientName", True)] == [(row.attribute, row.direct) for row in found.rows]
    assert "PatientName (IDENTIFIES)" in str(found)
    assert "claims: patient identity removed: NO" in str(found)


def test_private_elements() -> None:
    """The safe list under its option, and an element that a rule names."""
    safe = replace(BASIC, name="safe", options=frozenset({Option.RETAIN_SAFE_PRIVATE}))
    assert 87 == sum("xx" in row.tag for row in diff(BASIC, safe).rows)
    rule = Rule(PrivateElement(0x0019, "SIEMENS MR HEADER", 0x0C), Action.KEEP, "the b value")
    own = replace(BASIC, name="own", rules=(rule,))
    (row,) = diff(BASIC, own).rows
    assert '(0019,"SIEMENS MR HEADER",0c)' == row.attribute


SIZE = tuple((Criterion(k, Match.IS, "512"),) for k in ("Rows", "Columns"))
BAR = PixelRule(SIZE, Deed.BLANK, rectangles=(Rectangle(0, 0, 512, 20),), reason="as measured")
FLAG = PixelRule(
    ((Criterion("Modality", Match.MATCHES, "SC"),),), Deed.REFUSE, reason="nobody looked"
)
TAKEN = PixelAcceptance(frozenset({PixelRisk.COLOUR}), "seen by hand", modality="CT")


@pytest.mark.parametrize(
    ("changes", "about", "words"),
    [
        ({"pixels": PixelPolicy(accept=(TAKEN,))}, "pixels accepted", "CT: colour"),
        ({"pixels": PixelPolicy(rules=(BAR,))}, "pixels", "Rows is 512, Columns is 512: these"),
        (
            {"faces": FacePolicy(accept_heads=True, reason="brain study")},
            "faces",
            "series of the head",
        ),
        ({"labels": (Label("grade", LabelType.NUMBER),)}, "joined columns", "grade (number)"),
    ],
)
def test_what_is_no_attribute(changes: dict[str, object], about: str, words: str) -> None:
    """Pixels, faces and labels are told too, and the other way round they are less."""
    other = replace(BASIC, name="other", **changes)  # type: ignore[arg-type]  # one field each
    more = [one for one in diff(BASIC, other).terms if one.change == "more"]
    assert [(about, True)] == [(one.about, words in one.words) for one in more]
    assert not diff(other, BASIC).lets_more_through


def test_a_flag_that_is_gone_lets_more_through() -> None:
    """Images that a rule refused: without it they may leave."""
    flagged = replace(BASIC, name="flagged", pixels=PixelPolicy(rules=(FLAG,)))
    assert diff(flagged, BASIC).lets_more_through
    assert not diff(BASIC, flagged).lets_more_through


def test_blanking_that_is_gone_where_the_risk_is_accepted() -> None:
    """Then the image still leaves, and its bar with it."""
    one = replace(BASIC, name="one", pixels=PixelPolicy(accept=(TAKEN,), rules=(BAR,)))
    other = replace(BASIC, name="other", pixels=PixelPolicy(accept=(TAKEN,)))
    assert diff(one, other).lets_more_through


def test_fewer_days_hide_less() -> None:
    """A narrower range of the shift is told as more."""
    one = load_recipe("chest-ct")
    other = replace(one, name="narrow", dates=DatePolicy(-60, -1))
    assert [("more", "dates")] == [(t.change, t.about) for t in diff(one, other).terms]


def test_keyed_ids_after_random_ones() -> None:
    """What is made from the old ids says more than what is drawn."""
    drawn = replace(BASIC, name="drawn", ids=Ids.TABLE)
    assert diff(drawn, BASIC).lets_more_through
    assert not diff(BASIC, drawn).lets_more_through


def test_lines_in_deids_language(tmp_path: Path) -> None:
    """A nested name, an expander, an added value: each is found with its line."""
    path = tmp_path / "site.dicom"
    path.write_text(
        "FORMAT dicom\n%header\nKEEP StationName\nADD PatientComments seen\n"
        "KEEP RequestAttributesSequence__RequestedProcedureDescription\n"
    )
    found = diff(BASIC, load_recipe(path))
    rows = {row.attribute: row for row in found.rows}
    assert "line 3: KEEP StationName" == rows["StationName"].why_b
    nested = "RequestAttributesSequence.RequestedProcedureDescription"
    assert Change.MORE is rows[nested].change
    assert Change.OTHER is rows["PatientComments (added)"].change


def test_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in the shell: text, JSON, a page."""
    page = tmp_path / "diff.html"
    assert 0 == main(["recipe", "diff", "basic", "chest-ct", "--html", str(page)])
    assert "StudyDate" in capsys.readouterr().out
    assert "StudyDate" in page.read_text()
    assert 0 == main(["recipe", "diff", "basic", "chest-ct", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["lets_more_through"] is True
    assert 172 == len(said["attributes"])
    assert 2 == main(["recipe", "diff", "basic", "chest-cd"])
