"""Claims equal deeds: what a recipe may say of its data, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cohortkit.recipe import profile
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Action, Basis, Claims, Option, Recipe, Temporal
from cohortkit.recipe.policy import Policy

HEAD = 'basis = "expert-determination"\n'


@pytest.fixture
def claimed(tmp_path: Path) -> object:
    """A function that reads a recipe and gives its claims."""

    def claims(body: str) -> Claims:
        file = tmp_path / "r.toml"
        file.write_text(HEAD + body)
        return load_recipe(file).claims()

    return claims


def codes(claims: Claims) -> list[str]:
    """The code values alone."""
    return [code for code, _ in claims.codes]


def rule(target: str, action: str, more: str = "") -> str:
    """One rule with a reason."""
    return f'[[rules]]\n{target}\naction = "{action}"\n{more}\n'


REASON = 'reason = "the study needs it"'


@pytest.mark.parametrize(
    ("options", "expected", "temporal"),
    [
        ([], ["113100"], Temporal.REMOVED),
        (["retain-full-dates"], ["113100", "113106"], Temporal.UNMODIFIED),
        (["retain-modified-dates"], ["113100", "113107"], Temporal.MODIFIED),
        (["retain-patient-characteristics"], ["113100", "113108"], Temporal.REMOVED),
        (["retain-device-identity"], ["113100", "113109"], Temporal.UNMODIFIED),
        (["retain-uids"], ["113100", "113110"], Temporal.REMOVED),
        (["retain-safe-private"], ["113100", "113111"], Temporal.REMOVED),
        (["retain-institution-identity"], ["113100", "113112"], Temporal.REMOVED),
        (["retain-uids", "retain-full-dates"], ["113100", "113106", "113110"], "UNMODIFIED"),
        (["clean-descriptors"], ["113100", "113105"], Temporal.REMOVED),
    ],
)
def test_profile_and_options_are_claimed_as_chosen(
    claimed: object, options: list[str], expected: list[str], temporal: str
) -> None:
    """113100 and one code for each option, in the order of CID 7050."""
    claims = claimed(f"options = {options}\n")  # type: ignore[operator]
    assert (expected, "YES", temporal) == (codes(claims), claims.identity_removed, claims.temporal)


def test_text_that_no_table_lists_and_that_is_kept_drops_the_profile(claimed: object) -> None:
    """It is named in the method; the options beside it are done in full, and are claimed."""
    claims = claimed('unlisted = "keep"\noptions = ["clean-descriptors"]\n')  # type: ignore[operator]

    assert (["113105"], "YES") == (codes(claims), claims.identity_removed)
    assert "attributes outside the table: by rule, text kept" in claims.method


def test_a_keep_beyond_the_options_drops_the_profile(claimed: object) -> None:
    """StudyDescription is X in the profile; kept, 113100 would be a lie."""
    claims = claimed(rule('keyword = "StudyDescription"', "keep", REASON))  # type: ignore[operator]
    assert ([], "YES") == (codes(claims), claims.identity_removed)
    assert "1 rules of the recipe; some keep more than the profile" in claims.method


def test_a_direct_identifier_makes_the_identity_not_removed(claimed: object) -> None:
    """(0012,0062) is NO as soon as one is kept, however well acknowledged."""
    said = REASON + '\nacknowledge = "keeps-a-direct-identifier"'
    for target in ('keyword = "PatientID"', 'vr = "PN"', 'pattern = "Referring*"'):
        claims = claimed(rule(target, "keep", said))  # type: ignore[operator]
        assert ([], "NO") == (codes(claims), claims.identity_removed), target


def test_a_keep_of_what_stays_anyway_changes_nothing(claimed: object) -> None:
    """Modality is a code string outside the table; so is what an option keeps."""
    body = 'options = ["retain-patient-characteristics"]\n'
    body += rule('keyword = "Modality"', "keep") + rule('keyword = "PatientAge"', "keep")
    claims = claimed(body)  # type: ignore[operator]
    assert ["113100", "113108"] == codes(claims)


def test_a_stricter_rule_keeps_the_profile(claimed: object) -> None:
    """To remove what the profile empties, or what no table lists, breaks no claim."""
    body = rule('keyword = "StudyDate"', "remove") + rule('keyword = "ConvolutionKernel"', "remove")
    assert ["113100"] == codes(claimed(body))  # type: ignore[operator]


def test_an_option_that_a_rule_cuts_short_is_not_claimed(claimed: object) -> None:
    """Nor is the profile, since what is left of the option would stand unsaid."""
    body = 'options = ["retain-patient-characteristics", "retain-modified-dates"]\n'
    claims = claimed(body + rule('keyword = "EthnicGroup"', "remove"))  # type: ignore[operator]
    assert ["113107"] == codes(claims)
    private = 'private = { group = "0019", creator = "SIEMENS MR HEADER", element = "0c" }'
    safe = 'options = ["retain-safe-private"]\n'
    assert [] == codes(claimed(safe + rule(private, "remove")))  # type: ignore[operator]
    assert ["113100", "113111"] == codes(claimed(safe + rule(private, "keep")))  # type: ignore[operator]
    assert [] == codes(claimed(rule(private, "keep", REASON)))  # type: ignore[operator]


def test_a_kept_or_shifted_date_is_told(claimed: object) -> None:
    """(0028,0303) speaks of all dates, also of the one that a rule keeps."""
    kept = claimed(rule('keyword = "StudyDate"', "keep", REASON))  # type: ignore[operator]
    moved = claimed(rule('keyword = "StudyDate"', "shift", REASON))  # type: ignore[operator]
    assert (Temporal.UNMODIFIED, Temporal.MODIFIED) == (kept.temporal, moved.temporal)


@pytest.mark.parametrize("option", list(Option))
def test_dates_said_to_be_gone_are_gone(option: Option) -> None:
    """No option of which (0028,0303) says REMOVED keeps or moves any date or time of the table."""
    basis = Basis.EXPERT_DETERMINATION
    recipe = Recipe(name="t", basis=basis, options=frozenset({option}))
    policy = Policy(recipe)
    actions = {
        policy.decide(row.tag, row.vr, None).action
        for row in profile.table().values()
        if row.vr in ("DA", "TM", "DT")
    }
    kept, moved = Action.KEEP in actions, Action.SHIFT in actions
    expected = Temporal.UNMODIFIED if kept else Temporal.MODIFIED if moved else Temporal.REMOVED
    assert expected is recipe.claims().temporal


def test_pixels_that_are_stated_to_hold_names_make_the_identity_not_removed(
    claimed: object,
) -> None:
    """Whoever accepts BurnedInAnnotation YES lets names out."""
    body = '[[pixels.accept]]\nmodality = "US"\nreason = "phantoms only"\nrisks = '
    assert claimed(body + '["stated-yes"]').identity_removed == "NO"  # type: ignore[operator]
    assert claimed(body + '["high-risk-class"]').identity_removed == "YES"  # type: ignore[operator]


def test_the_method_fits_its_attribute(claimed: object) -> None:
    """VR LO: at most 64 characters a value, no backslash."""
    options = [
        "retain-modified-dates",
        "retain-patient-characteristics",
        "retain-device-identity",
        "retain-institution-identity",
    ]
    for line in claimed(f"options = {options}\n").method:  # type: ignore[operator]
        assert 0 < len(line) <= 64
        assert "\\" not in line
