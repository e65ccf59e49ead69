"""Rules of a recipe: which one decides, and what none of them can do."""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

from cohortkit.recipe.model import (
    Action,
    Attribute,
    Basis,
    Decision,
    EveryVR,
    Matching,
    Option,
    PrivateElement,
    Recipe,
    Rule,
    Target,
)
from cohortkit.recipe.policy import Policy


def named(keyword: str) -> Attribute:
    """One attribute by keyword."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return Attribute(tag, keyword)


def decide(
    keyword: str, vr: str, *rules: tuple[Target, Action], option: Option | None = None
) -> Decision:
    """What the rules make of one attribute."""
    options = frozenset({option} if option else ())
    made = tuple(Rule(target, action, "a reason") for target, action in rules)
    recipe = Recipe("test", Basis.EXPERT_DETERMINATION, options=options, rules=made)
    return Policy(recipe).decide(named(keyword).tag, vr, None)


def test_a_rule_goes_before_the_table_and_says_so() -> None:
    """The description stays because the recipe says so, and why is the recipe's reason."""
    decision = decide("StudyDescription", "LO", (named("StudyDescription"), Action.KEEP))
    assert (decision.action, decision.listed, decision.from_rule) == (Action.KEEP, True, True)
    assert "a reason" in decision.why


def test_the_nearer_rule_decides() -> None:
    """Attribute before pattern before VR, in whatever order they are written."""
    rules = [
        (EveryVR("LO"), Action.REMOVE),
        (Matching("Study*"), Action.EMPTY),
        (named("StudyDescription"), Action.KEEP),
    ]
    for order in (rules, rules[::-1]):
        assert decide("StudyDescription", "LO", *order).action is Action.KEEP
        assert decide("StudyID", "SH", *order).action is Action.EMPTY
        assert decide("Manufacturer", "LO", *order).action is Action.REMOVE


def test_a_rule_for_a_vr_does_not_reach_what_only_claims_to_be_of_it() -> None:
    """A patient's name that a file encodes as LO is not kept by a rule for LO."""
    rule = (EveryVR("LO"), Action.KEEP)
    assert decide("PatientName", "LO", rule).action is Action.EMPTY
    assert decide("StudyDescription", "LO", rule).action is Action.KEEP
    assert decide("PatientName", "LO", (EveryVR("LO"), Action.REMOVE)).action is Action.REMOVE


def test_an_age_that_a_rule_keeps_is_capped() -> None:
    """Over 89 is an identifier (45 CFR 164.514(b)(2)(i)(C)); no rule keeps it raw."""
    assert decide("PatientAge", "AS", (named("PatientAge"), Action.KEEP)).action is Action.CAP_AGE


def test_no_rule_leaves_a_true_date_beside_shifted_ones() -> None:
    """Even if a recipe that says so were let in: one true date gives the shift away."""
    shifting = Option.RETAIN_MODIFIED_DATES
    kept = (named("StudyDate"), Action.KEEP)
    assert decide("StudyDate", "DA", kept, option=shifting).action is Action.SHIFT
    assert decide("StudyDate", "LO", kept, option=shifting).action is Action.REMOVE
    assert decide("StudyDate", "DA", kept).action is Action.KEEP


def test_a_private_date_that_a_rule_keeps_is_shifted() -> None:
    """Nobody knows the VR of a private element before the file is read."""
    target = PrivateElement(0x0009, "ACME", 0x10)
    recipe = Recipe(
        "test",
        Basis.EXPERT_DETERMINATION,
        options=frozenset({Option.RETAIN_MODIFIED_DATES}),
        rules=(Rule(target, Action.KEEP, "a reason"),),
    )
    policy = Policy(recipe)
    assert policy.decide(0x00091010, "DA", "ACME").action is Action.SHIFT
    assert policy.decide(0x00091110, "DS", "ACME").action is Action.KEEP
    assert policy.decide(0x00091010, "DS", "ACME 2").action is Action.REMOVE
    assert policy.decide(0x00091010, "DS", None).action is Action.REMOVE
    assert policy.decide(0x00091011, "DS", "ACME").action is Action.REMOVE


def test_a_sequence_that_is_encoded_as_bytes_is_not_kept() -> None:
    """Its items cannot be judged one by one."""
    kept = (named("ProcedureCodeSequence"), Action.KEEP)
    assert decide("ProcedureCodeSequence", "UN", kept).action is Action.REMOVE
    assert decide("ProcedureCodeSequence", "SQ", kept).action is Action.KEEP


def test_no_rule_reaches_seals_and_originals() -> None:
    """Original attributes and encrypted ones go whatever a recipe says."""
    for keyword in ("OriginalAttributesSequence", "EncryptedAttributesSequence"):
        assert decide(keyword, "SQ", (named(keyword), Action.KEEP)).action is Action.REMOVE
