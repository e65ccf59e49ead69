"""A recipe explained: in words, as a table, and one attribute at a time."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from cohortkit.errors import RecipeError, UnknownKeyword
from cohortkit.recipe.explain import explain
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Action
from cohortkit.recipe.policy import Policy
from cohortkit.recipe.schema import schema


def test_one_attribute_is_one_line_with_its_reason() -> None:
    """By keyword or by tag, the same answer."""
    said = str(explain("chest-ct", "StudyDate"))
    assert "StudyDate (0008,0020) DA: is moved by the patient's shift" in said
    assert "retain-modified-dates" in said
    for tag in ("(0008,0020)", "00080020"):
        assert said == str(explain("chest-ct", tag))


def test_what_the_dictionary_does_not_know_is_asked_by_tag() -> None:
    """(0010,0012), the name that a patient uses, is newer than the dictionary."""
    (row,) = explain("basic", "(0010,0012)").rows
    assert (row.action, row.listed) == (Action.REMOVE, True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("OverlayData", "OverlayData (60xx,3000) OB or OW: is removed (an overlay (60xx)"),
        ("(60xx,4000)", "OverlayComments (60xx,4000) LT: is removed (an overlay (60xx)"),
        ("601E3000", "OverlayData (60xx,3000) OB or OW: is removed (an overlay (60xx)"),
        ("CurveData", "CurveData (50xx,3000) OB or OW: is removed (a curve (50xx)"),
        ("50XX3000", "CurveData (50xx,3000) OB or OW: is removed (a curve (50xx)"),
    ],
)
def test_groups_that_repeat_are_explained(asked: str, said: str) -> None:
    """By the keyword that stands for many tags, by its mask, and by one of the tags."""
    assert str(explain("basic", asked)).startswith(said)
    assert said in str(explain("basic"))


@pytest.mark.parametrize(
    "word", ["StudDate", "studydate", "(0008,002)", "0008002g", "", "²0080020"]
)
def test_an_unknown_word_names_its_neighbours(word: str) -> None:
    """As everywhere."""
    with pytest.raises(UnknownKeyword) as caught:
        explain("basic", word)
    assert "date" not in word.lower() or "StudyDate" in caught.value.neighbours


def test_a_faulty_recipe_is_not_explained(tmp_path: Path) -> None:
    """What cannot be applied cannot be read to anyone."""
    file = tmp_path / "r.toml"
    file.write_text('basis = "safe-harbor"')
    with pytest.raises(RecipeError):
        explain(str(file))


def test_the_table_says_what_the_policy_does() -> None:
    """Row by row the decision that de-identification takes; all of Table E.1-1 is there."""
    recipe = load_recipe("brain-mr")
    explained = explain(recipe)
    table = explained.to_polars()
    assert table.columns == ["attribute", "tag", "vr", "action", "why", "listed", "from_rule"]
    assert table.filter("listed").height > 652
    policy = Policy(recipe)
    for row in explained.rows:
        if "xx" not in row.tag:
            tag = int(row.tag[1:5] + row.tag[6:10], 16)
            assert policy.decide(tag, row.vr or "UN", None).action is row.action
    assert any("SIEMENS MR HEADER" in row.attribute for row in explained.rows)
    assert not any("SIEMENS" in row.attribute for row in explain("basic").rows)


@pytest.mark.parametrize("keyword", ["PatientID", "PatientName"])
def test_the_patient_is_named_by_the_pseudonym_and_the_explanation_says_so(keyword: str) -> None:
    """Whatever the letter of the profile asks: patients are to be told apart."""
    assert "is replaced by the patient's pseudonym" in str(explain("basic", keyword))


def test_a_rule_is_shown_with_its_reason(tmp_path: Path) -> None:
    """The privacy office sees each exception and why it is there, safe in HTML."""
    file = tmp_path / "r.toml"
    file.write_text(
        'basis = "authorization"\n[[rules]]\nkeyword = "PatientName"\naction = "keep"\n'
        'reason = "patients <agreed> to it"\nacknowledge = "keeps-a-direct-identifier"\n'
        '[labels]\n"a<b" = "text"\n'
    )
    explained = explain(str(file))
    (row,) = [row for row in explained.rows if row.from_rule]
    assert ("PatientName", Action.KEEP) == (row.attribute, row.action)
    assert "patients <agreed> to it" in explained.summary
    assert "DIRECT IDENTIFIER" in explained.summary
    assert "patient identity removed: NO" in explained.summary
    page = explained._repr_html_()
    assert "<agreed>" not in page
    assert "a<b" not in page
    assert "&lt;agreed&gt;" in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("basic", ["Dates and times are removed", "are refused", "113100", "expert"]),
        ("brain-mr", ["Faces are NOT removed", "agreement", "still personal data", "113111"]),
        ("dates-kept", ["stay as they are", "birth date does not", "164.514(e)", "113106"]),
        ("chest-ct", ["between -1825 and -1, never 0", "90 and over as 90", "113107"]),
    ],
)
def test_a_recipe_reads_as_plain_words(name: str, words: list[str]) -> None:
    """Its repr and its HTML say the same."""
    recipe = load_recipe(name)
    for word in words:
        assert word in repr(recipe)
        assert word in recipe._repr_html_()
    assert recipe.digest[:16] in repr(recipe)


def test_the_schema_is_json_and_knows_the_words(project: Path) -> None:
    """Editors check what they can: fields, options, actions; the shipped recipes use no others."""
    made = json.loads(json.dumps(schema()))
    assert made["additionalProperties"] is False
    assert "retain-full-dates" in json.dumps(made["properties"]["options"])
    assert made["required"] == ["basis"]
    for file in (project / "recipes").glob("*.toml"):
        assert set(tomllib.loads(file.read_text())) <= set(made["properties"])


def test_a_private_element_is_in_no_dictionary() -> None:
    """So it is not newer than the one that is used."""
    told = str(explain(load_recipe("basic"), "(0019,100c)"))

    assert "removed" in told
    assert "newer" not in told


@pytest.mark.parametrize(
    "written",
    [
        '(0019,"SIEMENS MR HEADER",0c)', "(0019,SIEMENS MR HEADER,0C)", "0019,SIEMENS MR HEADER,0c",
        "0019,SIEMENS MR HEADER,xx0c", "(0019,xx0c,SIEMENS MR HEADER)",
        "(0019,xx0c) SIEMENS MR HEADER", "SIEMENS MR HEADER (0019,xx0c)",
        '"SIEMENS MR HEADER" (0019,xx0c)', "SIEMENS MR HEADER 0019,xx0c",
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", ["", '"retain-safe-private"'])
def test_a_private_element_is_asked_for_by_its_creator(
    tmp_path: Path, written: str, options: str
) -> None:
    """As it is printed, and as people write it; the answer is that of the whole table."""
    path = tmp_path / "one.toml"
    path.write_text(f'basis = "expert-determination"\noptions = [{options}]\n')
    (row,) = explain(load_recipe(path), written).rows

    assert '(0019,"SIEMENS MR HEADER",0c)' == row.attribute
    assert ("keep" if options else "remove") == row.action
    if options:
        assert row in explain(load_recipe(path)).rows


def test_a_rule_for_a_private_element_is_told(tmp_path: Path) -> None:
    """Of the creator that it names, and of no other."""
    path = tmp_path / "one.toml"
    path.write_text(
        'basis = "expert-determination"\n'
        '[[rules]]\naction = "keep"\nreason = "a measure, no name"\n'
        'private = { group = "0051", creator = "ACME 1.1, MR", element = "0e" }\n'
    )

    assert "stays" in str(explain(load_recipe(path), "ACME 1.1, MR (0051,xx0e)"))
    assert "stays" in str(explain(load_recipe(path), '(0051,"ACME 1.1, MR",0e)'))
    assert "removed" in str(explain(load_recipe(path), "ACME 1.2 (0051,xx0e)"))


@pytest.mark.parametrize(
    "written", ["(0019,xx0c)", "(0018,SIEMENS,0c)", "0019,SIEMENS,c", "(0019)"]
)
def test_what_is_no_private_element_is_an_error(written: str) -> None:
    """Without a creator, of an even group, with half an element; it says how one is asked for."""
    with pytest.raises(UnknownKeyword) as caught:
        explain(load_recipe("basic"), written)

    assert ("CREATOR" in str(caught.value)) is ("," in written)
