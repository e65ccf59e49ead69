"""Promise 1: a misspelt keyword, action, option or variable is an error before anything is read."""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict

from cohortkit.dicom import keywords
from cohortkit.errors import RecipeError
from cohortkit.recipe import draft, entries
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Recipe

SOUND = """
format = 1
title = "§"
description = "§"
basis = "expert-determination"
profile = "basic"
options = ["retain-modified-dates", "retain-patient-characteristics", "retain-safe-private"]
unlisted = "by-rule"
default_issuer = "§"
[dates]
shift_days = [-100, 100]
[faces]
heads = "accept"
unknown_body_part = "refuse"
reason = "§ §"
[[pixels.accept]]
sop_class = "Digital X-Ray Image Storage - For Presentation"
risks = ["not-stated", "derived-secondary"]
reason = "§ §"
[[rules]]
keyword = "StudyDescription"
action = "keep"
reason = "§ §"
[[rules]]
keyword = "PatientName"
action = "keep"
reason = "§ §"
acknowledge = "keeps-a-direct-identifier"
[[rules]]
tag = "(0018,1000)"
action = "remove"
[[rules]]
private = { group = "0019", creator = "§", element = "0C" }
action = "empty"
[labels]
§§ = "number"
"""
WORDS = [match.span() for match in re.finditer(r"[A-Za-z][A-Za-z_-]{2,}", SOUND)]


def load(text: str) -> Recipe:
    """A recipe from its text, with something harmless where the text has prose."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "r.toml"
        file.write_text(text.replace("§§", "some_column").replace("§", "some words"), "utf-8")
        return load_recipe(file)


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[str, str, str]:
    """The sound text with one letter of one word replaced, lost, doubled or swapped."""
    start, end = draw(st.sampled_from(WORDS))
    word = SOUND[start:end]
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"))
    before, after = word[:place], word[place + 1 :]
    made = draw(
        st.sampled_from(
            [
                before + letter + after,
                before + after,
                before + letter + word[place:],
                before + after[:1] + word[place] + after[1:],
            ]
        )
    )
    return word, made, SOUND[:start] + made + SOUND[end:]


def test_the_recipe_is_sound_as_it_stands() -> None:
    """Else every mistake below would be found for a wrong reason."""
    assert len(load(SOUND).rules) == 4
    assert len(WORDS) > 50


@given(spelt=misspelt())
def test_one_wrong_letter_anywhere_is_a_fault(spelt: tuple[str, str, str]) -> None:
    """Of any key or word: a fault, or another word that means something, or the same recipe."""
    word, made, text = spelt
    try:
        recipe = load(text)
    except RecipeError:
        return
    assert recipe == load(SOUND) or keywords.tag_of(made) is not None, (word, made)


@given(spelt=misspelt())
def test_no_message_is_a_parsers_own(spelt: tuple[str, str, str]) -> None:
    """Faults are told in the words of recipes, not of the library that found them."""
    try:
        load(spelt[2])
    except RecipeError as error:
        for fault in error.faults:
            assert not re.search(r"pydantic|Input should|input_value|https?://", fault), fault


def test_a_form_that_takes_unknown_words_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: a lenient form lets a misspelt word through, and then the check above is red."""

    class Lenient(entries.RecipeEntry):
        model_config = ConfigDict(extra="ignore")

    misspelt_text = SOUND.replace("unlisted =", "unlistd =")
    with pytest.raises(RecipeError, match="unlistd"):
        load(misspelt_text)
    monkeypatch.setattr(entries, "RecipeEntry", Lenient)
    assert load(misspelt_text).name == "r"


def test_the_draft_ends_whatever_it_is_given() -> None:
    """Every turn takes something out: no document makes it run forever."""
    for text in ("basis = []", "rules = [1, 2, 3]", "pixels = 3", "[pixels]\naccept = [[1]]"):
        made = draft.Draft(tomllib.loads(text))
        made.read()
        assert made.faults
        assert not made.basis


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [*entries.RecipeEntry.model_fields, *entries.RuleEntry.model_fields]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda made: made if isinstance(made, dict) else {"rules": made})
)
def test_any_document_is_read_to_its_end(document: dict[str, object]) -> None:
    """Whatever TOML may hold: faults, and never an exception of another kind."""
    made = draft.Draft(document)
    made.read()
    assert all(": " in fault for fault in made.faults)
