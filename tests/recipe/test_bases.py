"""What a basis forbids: a recipe that says Safe Harbor can do nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import RecipeError
from cohortkit.recipe import basisfaults
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import (
    Action,
    Attribute,
    Basis,
    EveryVR,
    Ids,
    Option,
    PrivateElement,
    Recipe,
    Rule,
)
from cohortkit.recipe.policy import Policy
from cohortkit.recipe.targets import everything

HARBOR = 'basis = "safe-harbor"\nids = "table"\n'
REASON = "why it stays, in words"


def read(folder: Path, text: str) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(text)
    return load_recipe(path)


def faults(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        read(folder, text)
    return caught.value.faults


def rule(target: str, action: str = "keep") -> str:
    return f'[[rules]]\n{target}\naction = "{action}"\nreason = "{REASON}"\n'


def test_safe_harbor_asks_for_ids_out_of_a_table(tmp_path: Path) -> None:
    """Keyed ids are made from the patient's: a fault. Random ones are not, and that is said."""
    (found,) = faults(tmp_path, 'basis = "safe-harbor"\n')
    assert found.startswith("ids: safe-harbor asks for ids that are not made from the patient's")
    assert "164.514(c)" in found
    assert found in faults(tmp_path, 'basis = "safe-harbor"\nids = "keyed"\n')

    recipe = read(tmp_path, HARBOR)

    assert "drawn at random" in repr(recipe)
    assert "ids: out of a table" in "\n".join(recipe.claims().method)
    assert all(len(line) <= 64 for line in recipe.claims().method)
    assert "113100" == recipe.claims().codes[0][0]


def test_what_is_no_kind_of_ids_is_told(tmp_path: Path) -> None:
    """A misspelt word is a fault with its neighbour."""
    (found,) = faults(tmp_path, 'basis = "authorization"\nids = "tabel"\n')

    assert "ids: unknown kind of ids 'tabel'; did you mean table?" == found


def test_any_basis_may_have_a_table_and_says_so_in_its_digest(tmp_path: Path) -> None:
    """Another kind of ids is another recipe; one that is silent is keyed, as ever."""
    silent = read(tmp_path, 'basis = "authorization"\n')
    keyed = read(tmp_path, 'basis = "authorization"\nids = "keyed"\n')
    tabled = read(tmp_path, 'basis = "authorization"\nids = "table"\n')

    assert silent.digest == keyed.digest != tabled.digest
    assert "with the project's key" in repr(silent)


@pytest.mark.parametrize(
    ("line", "names", "paragraph"),
    [
        (rule('keyword = "StudyDate"'), "StudyDate", "(i)(C)"),
        (rule('keyword = "StudyDate"', "shift"), "StudyDate", "(i)(C)"),
        (rule('keyword = "StudyTime"'), "StudyTime", "(i)(C)"),
        (rule('keyword = "ExpiryDate"'), "ExpiryDate", "(i)(C)"),  # in no table
        (rule('pattern = "*DateTime"'), "DateTime", "(i)(C)"),
        (rule('vr = "DA"'), "StudyDate", "(i)(C)"),
        (rule('keyword = "FrameOfReferenceUID"'), "FrameOfReferenceUID", "(i)(R)"),
        (rule('keyword = "DeviceSerialNumber"'), "DeviceSerialNumber", "(i)(M)"),
        (rule('keyword = "InstitutionName"'), "InstitutionName", "(i)(B)"),
        (
            rule('private = {group="0009", creator="ACME", element="02"}', "shift"),
            '(0009,"ACME",02)',
            "(i)(C)",
        ),
    ],
)
def test_no_rule_keeps_what_safe_harbor_names(
    tmp_path: Path, line: str, names: str, paragraph: str
) -> None:
    """What an option must not keep, a rule must not either; the paragraph is told."""
    found = [one for one in faults(tmp_path, HARBOR + line) if "safe-harbor forbids" in one]

    assert len(found) == 1
    assert found[0].startswith("rules[0]: safe-harbor forbids")
    assert names in found[0]
    assert paragraph in found[0]


def test_no_line_of_deid_keeps_it_either(tmp_path: Path) -> None:
    """KEEP and JITTER of a date: each with its line."""
    base = read(tmp_path, HARBOR)
    path = tmp_path / "x.dicom"
    path.write_text(
        "FORMAT dicom\n%header\nKEEP StudyDate\nJITTER SeriesDate 5\nKEEP Modality\n"
        "KEEP StationName\nBLANK StudyID\n"
    )

    with pytest.raises(RecipeError) as caught:
        load_recipe(path, on=base)

    found = [one for one in caught.value.faults if "safe-harbor forbids" in one]
    assert ["StudyDate", "SeriesDate", "StationName"] == [
        one.partition("forbids ")[2].partition(":")[0] for one in found
    ]
    assert all("line" in one.partition(": safe")[0] or ":" in one for one in found)


def test_what_it_does_not_name_may_stay(tmp_path: Path) -> None:
    """Ages (capped), sex, size and weight; numbers; text with a reason; safe private numbers."""
    recipe = read(
        tmp_path,
        HARBOR.replace(
            "ids", 'options = ["retain-patient-characteristics", "retain-safe-private"]\nids'
        )
        + rule('keyword = "StudyDescription"'),
    )

    policy = Policy(recipe)
    assert Action.CAP_AGE is policy.decide(0x00101010, "AS", None).action
    assert Action.KEEP is policy.decide(0x00081030, "LO", None).action


def test_faces_and_names_are_forbidden_too(tmp_path: Path) -> None:
    """45 CFR 164.514(b)(2)(i)(A) and (Q)."""
    found = faults(
        tmp_path,
        HARBOR
        + '[faces]\nheads = "accept"\nreason = "we like them"\n[[rules]]\nkeyword = "PatientName"\n'
        f'acknowledge = "keeps-a-direct-identifier"\naction = "keep"\nreason = "{REASON}"\n',
    )

    assert ["faces: ", "rules[0]: "] == [line.split("safe-harbor")[0] for line in found]


TAGS = st.sampled_from([known for known in everything() if known.vr])
TARGETS = st.one_of(
    st.builds(lambda known: Attribute(known.tag, known.keyword), TAGS),
    st.builds(EveryVR, st.sampled_from(["DA", "TM", "DT", "UI", "LO", "UN"])),
    st.just(PrivateElement(0x0009, "ACME", 0x02)),
)
RULES = st.builds(
    Rule, TARGETS, st.sampled_from([Action.KEEP, Action.SHIFT, Action.UID]), st.just(REASON)
)
OPTIONS = st.frozensets(
    st.sampled_from(sorted(set(Option) - basisfaults.FORBIDDEN[Basis.SAFE_HARBOR].keys()))
)


@given(RULES, OPTIONS, TAGS, st.sampled_from(["", "DA", "TM", "DT", "UI"]))
def test_whatever_a_recipe_says_no_date_and_no_uid_stays(
    made: Rule, options: frozenset[Option], known: object, other: str
) -> None:
    """Should a fault be overlooked: the policy itself lets no date, time or UID pass raw."""
    recipe = Recipe("t", Basis.SAFE_HARBOR, options=options, rules=(made,), ids=Ids.TABLE)
    policy = Policy(recipe)
    vr = other or known.vr  # type: ignore[attr-defined]  # drawn from TAGS
    asked = [(known.tag, vr, None), (0x00091002, vr, "ACME")]  # type: ignore[attr-defined]
    for tag, written, creator in asked:
        action = policy.decide(tag, written, creator).action
        if vrs.TEMPORAL & {written, *(() if creator else (known.vr,))}:  # type: ignore[attr-defined]
            assert action not in {Action.KEEP, Action.SHIFT, Action.MOVE}
        if written == "UI":
            assert action is not Action.KEEP


def test_the_same_rule_stands_under_another_basis(tmp_path: Path) -> None:
    """It is the basis that forbids it."""
    recipe = read(tmp_path, 'basis = "expert-determination"\n' + rule('keyword = "StudyDate"'))

    assert Action.KEEP is Policy(recipe).decide(0x00080020, "DA", None).action
    harbor = replace(recipe, basis=Basis.SAFE_HARBOR, ids=Ids.TABLE)
    assert Action.REMOVE is Policy(harbor).decide(0x00080020, "DA", None).action
