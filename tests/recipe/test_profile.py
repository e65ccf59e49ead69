"""The profile tables that ship are PS3.15, and can be built again."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path

import pytest
from pydicom import datadict

from cohortkit.deidentify.rules import Rules
from cohortkit.errors import RecipeError
from cohortkit.recipe import profile
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import CODES, Action, Basis, Option, Recipe
from cohortkit.recipe.policy import Policy

DATA = ("table.csv", "safe_private.csv", "more_private.csv")


@pytest.fixture
def standard(shared_data: Path) -> Path:
    """PS3.15 as data, beside the real acquisitions."""
    folder = shared_data.parent / "standard"
    if not folder.is_dir():
        pytest.skip("no shared test data")
    return folder


@pytest.mark.data
@pytest.mark.parametrize("name", DATA)
def test_built_again_the_tables_have_the_same_bytes(
    standard: Path, project: Path, tmp_path: Path, name: str
) -> None:
    """Nobody edits the tables by hand: the script makes every byte of them."""
    script = runpy.run_path(str(project / "scripts" / "build_profile.py"))
    script["build"](standard, tmp_path)
    shipped = project / "src" / "cohortkit" / "recipe" / "data" / name
    assert shipped.read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", ["types.csv", "inside.csv"])
def test_built_again_the_types_have_the_same_bytes(
    project: Path, tmp_path: Path, name: str
) -> None:
    """What objects and items need is read from the modules of PS3.3, as highdicom has them."""
    script = runpy.run_path(str(project / "scripts" / "build_types.py"))
    script["build"](tmp_path)
    shipped = project / "src" / "cohortkit" / "recipe" / "data" / name
    assert shipped.read_bytes() == (tmp_path / name).read_bytes()


def test_the_type_in_the_place_says_which_of_several_codes_is_done() -> None:
    """X where the type is 3, Z where it is 2, D where it is 1; and the last where nobody knows."""
    ct = "1.2.840.10008.5.1.4.1.1.2"
    serial, dated = 0x00181000, 0x0040A032  # DeviceSerialNumber X/Z/D, ObservationDateTime X/D
    rules = Rules(Recipe("x", Basis.EXPERT_DETERMINATION))
    for place, tag, vr, action in (
        ("DeviceSequence", serial, "LO", Action.REMOVE),
        ("TransducerIdentificationSequence", serial, "LO", Action.EMPTY),
        ("ContributingSourcesSequence", serial, "LO", Action.DUMMY),
        ("SourceImageSequence", serial, "LO", Action.DUMMY),
        (ct, serial, "LO", Action.REMOVE),
        ("AcquisitionContextSequence", dated, "DT", Action.REMOVE),
        ("ContentSequence", dated, "DT", Action.DUMMY),
        ("", dated, "DT", Action.DUMMY),
    ):
        assert action is rules.step(tag, vr, None, "", place).action, (place, hex(tag))


@pytest.mark.data
def test_no_row_of_the_standard_is_lost(standard: Path) -> None:
    """655 rows go in: 652 single attributes and three about whole groups."""
    with (standard / "ps3_15_table_e1-1.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if "X" not in row["tag"].upper()]
    assert {int(row["tag"], 16) for row in rows} == set(profile.table())
    assert len(profile.table()) == 652


def test_the_safe_private_table_is_the_standards_87() -> None:
    """The rest of the shared list is another archive's opinion and does not ship."""
    assert len(profile.safe_private()) == 87
    assert profile.safe_private()[0x0019, "SIEMENS MR HEADER", 0x0C].vr == "IS"


def test_the_birth_date_has_no_option_that_keeps_it() -> None:
    """PatientBirthDate is Z whatever is chosen."""
    row = profile.table()[0x00100030]
    assert ("Z", frozenset(), frozenset()) == (row.basic, row.keep, row.clean)


def test_a_row_without_options_says_so() -> None:
    """(0040,E012) has no option columns known here: no option holds for it."""
    row = profile.table()[0x0040E012]
    assert ("", frozenset(), frozenset()) == (row.edition, row.keep, row.clean)


def test_the_twelve_options_have_the_standards_codes() -> None:
    """CID 7050: 113101 to 113112, each once."""
    assert {str(code) for code in range(113101, 113113)} == {code for code, _ in CODES.values()}
    assert set(CODES) == set(Option)


def test_the_technical_list_names_what_the_dictionary_knows_and_the_table_does_not() -> None:
    """Each line: a keyword outside the table, its VR, and a reason in words."""
    with (Path(profile.__file__).parent / "data" / "technical.csv").open() as file:
        lines = list(csv.DictReader(line for line in file if line[0] != "#"))
    assert len(lines) == len({line["keyword"] for line in lines}) == len(profile.technical())
    for line in lines:
        tag = datadict.tag_for_keyword(line["keyword"])
        assert tag is not None, line
        assert tag not in profile.table(), line
        assert datadict.dictionary_VR(tag) == line["vr"], line
        assert len(line["reason"].split()) >= 2, line


def test_the_technical_list_holds_nothing_that_a_person_types() -> None:
    """Comments, notes, labels, titles, reasons, persons and places are on no allow-list."""
    typed = ("Comment", "Notes", "Narrative", "Title", "Reason", "Patient", "Physician", "Person")
    typed += ("Operator", "Institution", "Station", "Address", "Location", "Protocol", "Serial")
    found = [w for w in profile.technical() for part in typed if part in w]
    assert found == []


def test_the_digest_is_of_all_tables() -> None:
    """A recipe's digest changes when a table does, so that what was signed is what is done."""
    assert len(profile.digest()) == 64


def _numbers(tmp_path: Path, body: str) -> Recipe:
    file = tmp_path / "r.toml"
    file.write_text(f'basis = "expert-determination"\n{body}')
    return load_recipe(file)


SAFE_OPTION = 'options = ["retain-safe-private"]\n'


def test_the_longer_list_of_private_elements_is_opt_in_and_holds_numbers(tmp_path: Path) -> None:
    """No text, UID, date or byte of it stays, and none of it unless the recipe says the word."""
    more = profile.listed_private().keys() - profile.safe_private().keys()
    standard = Policy(_numbers(tmp_path, SAFE_OPTION))
    numbers = Policy(_numbers(tmp_path, SAFE_OPTION + 'safe_private = "numbers"\n'))
    assert len(more) > 500
    for group, creator, element in more:
        tag = (group << 16) | 0x1000 | element
        vr = profile.listed_private()[group, creator, element].vr
        assert vr in {"DS", "IS", "FL", "FD", "SL", "SS", "US", "UL"}
        assert standard.decide(tag, vr, creator).action is Action.REMOVE
        assert numbers.decide(tag, vr, creator).action is Action.KEEP
        for other in ("LO", "UI", "DA", "UT", "OB", "PN", "AE"):
            assert numbers.decide(tag, other, creator).action is Action.REMOVE
    assert ["113100", "113111"] == [code for code, _ in numbers.recipe.claims().codes]
    assert numbers.recipe.digest != standard.recipe.digest
    assert any("another list" in line for line in numbers.recipe.claims().method)


def test_a_longer_list_without_the_option_is_a_fault(tmp_path: Path) -> None:
    """Nothing would stay of it."""
    with pytest.raises(RecipeError) as caught:
        _numbers(tmp_path, 'safe_private = "numbers"\n')
    assert caught.value.faults[0].startswith("safe_private: no private element stays")
