"""Every row of PS3.15 Table E.1-1, under every option and pair of options.

The expectation is written again here, from the standard's own file; it reads nothing that the
package has built.
"""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.recipe.model import Action, Basis, Option, Recipe
from cohortkit.recipe.policy import Policy

COLUMNS = {
    "retain-uids": "retain_uids",
    "retain-device-identity": "retain_device_identity",
    "retain-institution-identity": "retain_institution_identity",
    "retain-patient-characteristics": "retain_patient_characteristics",
    "retain-full-dates": "retain_longitudinal_full_dates",
    "retain-modified-dates": "retain_longitudinal_modified_dates",
}
BASIC = {
    "X": "remove",
    "Z": "empty",
    "D": "dummy",
    "U": "uid",
    "X/Z": "empty",
    "X/D": "dummy",
    "Z/D": "dummy",
    "X/Z/D": "dummy",
    "X/Z/U*": "keep",  # references: recursed into, the UIDs inside are replaced
}
GROUPS = {"50XXXXXX": ["50002600", "501E3000"], "60XX3000": ["60003000", "601E3000"]}
GROUPS["60XX4000"] = ["60004000", "60FE0022"]
SEALS = {"04000550", "04000561", "FFFAFFFA"}


def policy(*options: str) -> Policy:
    """The basic profile with these options."""
    chosen = frozenset(Option(name) for name in options)
    return Policy(Recipe("test", Basis.EXPERT_DETERMINATION, options=chosen))


def expected(row: dict[str, str], options: tuple[str, ...]) -> str:
    """What the standard says of a row, in the words of a recipe."""
    basic = BASIC[row["basic"]]
    if row["tag"].upper() == "00081110":  # ReferencedStudySequence may not be empty (PS3.3)
        basic = "remove"
    if basic == "dummy" and row["vr"] == "UI":
        basic = "uid"  # a dummy UID that is the same everywhere would merge different things
    if row["tag"].upper() in SEALS or "X" in row["tag"]:
        return "remove"
    letters = {name: row[COLUMNS[name]] for name in options if row[COLUMNS[name]]}
    if "C" in letters.values():  # C goes before K
        moved = letters.get("retain-modified-dates") == "C" and row["vr"] in ("DA", "TM", "DT")
        return "shift" if moved else basic
    if not letters or not row["vr"]:
        return basic
    return "cap-age" if row["vr"] == "AS" else "keep"


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[dict[str, str]]:
    """The standard's table; a row about a group stands for some of its tags."""
    file = shared_data.parent / "standard" / "ps3_15_table_e1-1.csv"
    if not file.is_file():
        pytest.skip("no shared test data")
    with file.open() as lines:
        return list(csv.DictReader(lines))


SETS: list[tuple[str, ...]] = [(), *((name,) for name in COLUMNS), *combinations(COLUMNS, 2)]


@pytest.mark.data
@pytest.mark.parametrize("options", SETS, ids=lambda options: "+".join(options) or "basic")
def test_every_row_is_decided_as_the_standard_says(
    rows: list[dict[str, str]], options: tuple[str, ...]
) -> None:
    """655 rows, none otherwise than the table and the rules for combined codes."""
    asked = policy(*options)
    wrong = {}
    for row in rows:
        for tag in GROUPS.get(row["tag"].upper(), [row["tag"]]):
            decision = asked.decide(int(tag, 16), row["vr"] or "UN", None)
            if (decision.action, decision.listed) != (expected(row, options), True):
                seal = tag.upper() in SEALS and decision.action is Action.REMOVE
                if not seal:
                    wrong[tag, row["keyword"]] = decision
    assert {} == wrong


@pytest.mark.data
def test_an_unknown_vr_is_read_as_the_file_says(rows: list[dict[str, str]]) -> None:
    """The dictionary lacks 25 of the tags; a file that says DT lets a date be shifted."""
    unknown = [row for row in rows if not row["vr"] and "X" not in row["tag"].upper()]
    assert len(unknown) == 25
    dated = [row for row in unknown if row["retain_longitudinal_modified_dates"] == "C"]
    for row in dated:
        decision = policy("retain-modified-dates").decide(int(row["tag"], 16), "DT", None)
        assert decision.action is Action.SHIFT


@given(options=st.sets(st.sampled_from(sorted(COLUMNS))), bits=st.integers(0, 2**16 - 1))
def test_curves_and_overlays_go_whole(options: set[str], bits: int) -> None:
    """Every element of every even group 50xx and 60xx, in the table or not."""
    asked = policy(*options)
    for group in (0x5000, 0x501E, 0x50FE, 0x6000, 0x601E, 0x60FE):
        assert asked.decide(group << 16 | bits, "US", None).action is Action.REMOVE


@given(options=st.sets(st.sampled_from(sorted(COLUMNS))))
def test_the_birth_date_never_stays(options: set[str]) -> None:
    """Whatever is chosen: emptied."""
    assert policy(*options).decide(0x00100030, "DA", None).action is Action.EMPTY


@pytest.mark.parametrize("options", SETS)
def test_a_listed_attribute_under_a_lying_vr_never_stays(options: tuple[str, ...]) -> None:
    """A sex that is encoded as long text is text, and no option keeps that."""
    asked = policy(*options)
    assert asked.decide(0x00100040, "LT", None).action is not Action.KEEP
    assert asked.decide(0x00080020, "LO", None).action in (Action.EMPTY, Action.DUMMY)
    assert asked.decide(0x00082112, "UN", None).action is not Action.SHIFT
