"""Recipes in deid's language: taken over whole on top of basic, or every fault at once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit.errors import MissingDependency, RecipeError
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.recipe import deid_text
from cohortkit.recipe.explain import explain
from cohortkit.recipe.model import Action, Area, Deed, Match, Recipe, Temporal
from cohortkit.recipe.policy import Policy

TEN_FAULTS = """\
FORMAT nifti
%filtr graylist
%header
REMOV PatientName
KEEP PatientSexx
REPLACE PatientID var:subject
REPLACE StudyID func:hashed
REMOVE containz:Name
REMOVE contains:(
JITTER PatientSex 3
ADD contains:Name X
"""


def hashed(item: object, value: object, field: object, dicom: object) -> str:  # noqa: ARG001 - as deid calls it
    return "made"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "x.dicom"


def load(path: Path, *lines: str, head: str = "FORMAT dicom", **more: object) -> Recipe:
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return ck.load_recipe(path, **more)  # type: ignore[arg-type]


def faults(path: Path, *lines: str, **more: object) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        load(path, *lines, **more)
    return caught.value.faults


def action(recipe: Recipe, keyword: str, within: str = "") -> Action:
    from cohortkit.dicom import keywords  # noqa: PLC0415 - here alone

    tag, vr = keywords.tag_of(keyword), keywords.vr_of(keyword)
    assert tag is not None
    assert vr is not None
    return Policy(recipe).decide(tag, vr, None, within).action


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


def test_ten_faults_are_named_at_once_with_their_lines(written: Path) -> None:
    """Each line that deid would pass in silence, in the order of the file."""
    written.write_text(TEN_FAULTS, "utf-8")
    with pytest.raises(RecipeError) as caught:
        ck.load_recipe(written)

    found = [fault.partition(":")[0] for fault in caught.value.faults]
    assert [f"line {n}" for n in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)] == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("REMOV PatientName", "unknown action 'REMOV'; did you mean REMOVE"),
        ("remove PatientName", "unknown action 'remove'; did you mean REMOVE"),
        ("KEEP PatientSexx", "unknown keyword 'PatientSexx'; did you mean PatientSex"),
        ("KEEP PatientSex please", "KEEP takes no value"),
        ("REMOVE PatientSex please", "REMOVE takes no value but func:"),
        ("ADD PatientID", "ADD requires a VALUE"),
        ("REPLACE StudyID var:subject", "undefined variable 'subject'"),
        ("REPLACE StudyID func:nobody", "undefined function 'nobody'"),
        ("REPLACE StudyID deid_func:dicom_uid", "undefined function of deid 'dicom_uid'; did you"),
        ("REPLACE StudyID vars:subject", "unknown source 'vars'; did you mean var"),
        ("REMOVE contain:Name", "unknown expander 'contain'; did you mean contains"),
        ("REMOVE contains:Xyzzy", "no attribute fits 'contains:Xyzzy'"),
        ("REMOVE endswith:(", "no regular expression"),
        ("REMOVE select:VX:LO", "select: takes VR:XX or group:gggg"),
        ("REMOVE select:VR:LX", "unknown VR 'LX'"),
        ("REMOVE except:PatientNme", "no attribute fits 'patientnme'"),
        ("REMOVE RequestAttributeSequence__StudyDate", "unknown keyword 'RequestAttributeSeq"),
        ("REMOVE (0011,1002)", 'a private element is named (gggg,"creator",ee)'),
        ("REMOVE values:nothing", "no %values list is called 'nothing'"),
        ("KEEP fields:nothing", "no %fields list is called 'nothing'"),
        ("JITTER StudyDate soon", "JITTER takes a whole number of days"),
        ("JITTER StudyDate 0", "moves nothing; say KEEP"),
        ("JITTER StudyTime 3", "JITTER moves dates by whole days"),
        ("JITTER PatientBirthDate 31", "never kept, not even moved: PatientBirthDate"),
        ("KEEP PatientBirthDate", "never kept, not even moved: PatientBirthDate"),
        ("KEEP startswith:Patient", "would keep what identifies by itself"),
        ("REPLACE StudyDate never", "is of VR DA, which cannot hold 'never'"),
        ("REPLACE SOPClassUID 1.2.3", "says what the object is; it stays"),
        ('ADD (0011,"ACME",02) x', "ADD names one standard attribute"),
        ("%headers", "unknown section '%headers'; did you mean %header"),
    ],
)
def test_what_deid_passes_in_silence_is_a_fault(written: Path, line: str, words: str) -> None:
    """By name, with the line's number and the nearest words."""
    found = faults(written, "%header", line)

    assert any(one.startswith("line 3: ") and words in one for one in found), found


@pytest.mark.parametrize("section", ["values", "fields"])
def test_an_empty_list_is_a_fault(written: Path, section: str) -> None:
    """A line about nothing does nothing, and deid does not say so."""
    found = faults(written, f"%{section} ids", "%header", f"REMOVE {section}:ids")

    assert (f"line 4: %{section} ids is empty, so this line does nothing",) == found


def test_a_mark_in_front_and_other_line_ends(written: Path) -> None:
    """As Windows' editors write them: the same recipe."""
    text = "FORMAT dicom\n%header\nREMOVE StudyDescription\n"
    written.write_bytes(text.encode("utf-8"))
    plain = ck.load_recipe(written)
    written.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))

    assert plain.digest == ck.load_recipe(written).digest


@pytest.mark.parametrize("text", ["", "# nothing\n", "FORMAT dicom\n", "FORMAT dicom\n%header\n"])
def test_an_empty_recipe_is_a_fault(written: Path, text: str) -> None:
    """Deid does nothing then, and says nothing."""
    written.write_text(text, "utf-8")
    with pytest.raises(RecipeError, match=r"FORMAT dicom is missing|the recipe is empty"):
        ck.load_recipe(written)


def test_a_recipe_that_is_not_there_is_a_fault() -> None:
    """By path, and by a name that deid does not ship."""
    for name in ("nowhere/x.dicom", "deid.dicom.nothing"):
        with pytest.raises(RecipeError, match="there is no such file"):
            ck.load_recipe(name)


def test_a_second_recipe_must_not_override_the_labels_of_the_first(tmp_path: Path) -> None:
    """Deid would drop the first ones; lines of both hold, in their order."""
    label = "%filter graylist\nLABEL a\n  contains Modality CT\n"
    first, second = tmp_path / "a.dicom", tmp_path / "b.dicom"
    first.write_text(f"FORMAT dicom\n{label}%header\nKEEP PatientSex\n", "utf-8")
    second.write_text(f"FORMAT dicom\n{label}%header\nBLANK StudyID\n", "utf-8")
    with pytest.raises(RecipeError, match=r"b\.dicom line 2: %filter graylist stands at a\.dicom"):
        ck.load_recipe([first, second])
    second.write_text("FORMAT dicom\n%header\nBLANK StudyID\n", "utf-8")
    both = ck.load_recipe([first, second])

    assert (Action.KEEP, Action.EMPTY) == (action(both, "PatientSex"), action(both, "StudyID"))


def test_the_faults_of_deids_own_default_recipe_are_named() -> None:
    """It names keywords that there are not, and variables that nobody has defined."""
    with pytest.raises(RecipeError) as caught:
        ck.load_recipe("deid.dicom")

    told = "\n".join(caught.value.faults)
    for word in ("'PatientsName'", "'Manfacturer'", "'jitter'", "'entity_id'"):
        assert word in told


def test_without_the_extra_it_says_what_to_install(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is imported in one file, when such a recipe is loaded."""
    monkeypatch.setitem(__import__("sys").modules, "deid.config", None)
    with pytest.raises(MissingDependency, match=r"pip install 'cohortkit\[deid\]'"):
        load(written, "%header", "KEEP PatientSex")


KEYWORDS = st.sampled_from(["PatientSex", "StudyDate", "InstitutionName", "Manufacturer"])


@given(word=KEYWORDS, place=st.integers(0, 20), letter=st.sampled_from("qxzQXZ_"))
def test_any_misspelt_keyword_is_a_fault(word: str, place: int, letter: str) -> None:
    """One letter more, anywhere, in a line of any kind."""
    place = min(place, len(word))
    misspelt = word[:place] + letter + word[place:]
    path = Path("/dev/null")
    from cohortkit.recipe.deid.read import read  # noqa: PLC0415 - text, without a file

    lines = ("KEEP {}", "REMOVE {}", "BLANK {}", "REPLACE {} x", "JITTER {} 3", "ADD {} x")
    text = "\n".join(("FORMAT dicom", "%header", *(line.format(misspelt) for line in lines)))
    reading = read(f"{text}\n", path.name, several=False)

    told = [fault.partition(":")[0] for fault in reading.faults if misspelt in fault]
    assert [f"line {number}" for number in range(3, 9)] == told


# ── what lines decide ────────────────────────────────────────────────────────────────────────────


def test_lines_go_on_top_of_basic(written: Path) -> None:
    """What no line names is as in the basic profile; what one names is as it says."""
    recipe = load(
        written,
        "%header",
        "KEEP PatientSex",
        "REMOVE Modality",
        "BLANK (0008,0070)",
        "REPLACE patientid P-1",
        "JITTER StudyDate 31",
    )
    basic = ck.load_recipe("basic")

    assert [Action.KEEP, Action.REMOVE, Action.EMPTY, Action.SET, Action.MOVE] == [
        action(recipe, word)
        for word in ("PatientSex", "Modality", "Manufacturer", "PatientID", "StudyDate")
    ]
    for word in ("PatientName", "SliceThickness", "StudyTime", "InstitutionName"):
        assert action(basic, word) is action(recipe, word)


def test_the_order_of_lines_is_deids(written: Path) -> None:
    """KEEP goes first, REMOVE gives way to REPLACE and JITTER, and then the last line counts."""
    recipe = load(
        written,
        "%header",
        "REMOVE PatientSex",
        "KEEP PatientSex",
        "REPLACE StudyID A",
        "REMOVE StudyID",
        "REPLACE AccessionNumber A",
        "BLANK AccessionNumber",
        "BLANK StationName",
        "REPLACE StationName S",
        "ADD ProtocolName P",
        "REMOVE ProtocolName",
    )

    assert [Action.KEEP, Action.SET, Action.EMPTY, Action.SET, Action.REMOVE] == [
        action(recipe, word)
        for word in ("PatientSex", "StudyID", "AccessionNumber", "StationName", "ProtocolName")
    ]


@pytest.mark.parametrize(
    ("field", "meant", "spared"),
    [
        ("startswith:Patient", "PatientSize", "EthnicGroup"),
        ("endswith:Size", "PatientSize", "PatientWeight"),
        ("contains:tientSi", "PatientSize", "PatientWeight"),
        ("contains:ient.s.Sex", "PatientSex", "PatientSize"),
        ("select:VR:DS", "PatientSize", "PatientSex"),
        ("select:GROUP:0x0028", "Rows", "PatientSex"),
        ("except:Patient", "Rows", "PatientSex"),
        ("allexcept:Patient", "Rows", "PatientSex"),
        ("fields:some", "PatientSize", "PatientSex"),
        ("00101020", "PatientSize", "PatientSex"),
        ("(0010,1020)", "PatientSize", "PatientSex"),
    ],
)
def test_expanders_find_what_deid_finds(written: Path, field: str, meant: str, spared: str) -> None:
    """By keyword, by the words of PS3.6, by tag; case apart."""
    recipe = load(written, "%fields some", "FIELD PatientSize", "%header", f"BLANK {field}")
    basic = ck.load_recipe("basic")

    assert Action.EMPTY is action(recipe, meant)
    assert action(basic, spared) is action(recipe, spared)


def test_a_nested_name_is_for_its_place_only(written: Path) -> None:
    """Keywords joined by two underscores: inside that sequence and nowhere else."""
    recipe = load(written, "%header", "REMOVE RequestAttributesSequence__SliceThickness")

    assert Action.REMOVE is action(recipe, "SliceThickness", "RequestAttributesSequence")
    assert Action.KEEP is action(recipe, "SliceThickness")


def test_no_line_takes_from_an_object_what_it_is_known_by(written: Path) -> None:
    """Deid's default removes every UID, and no viewer opens what is left; here they are new."""
    recipe = load(written, "%header", "REMOVE contains:UID")

    assert Action.UID is action(recipe, "SOPInstanceUID")
    assert any("new UIDs" in note for note in recipe.script.notes)


def test_an_age_is_capped_whatever_keeps_it(written: Path) -> None:
    """KEEP PatientAge is the age up to 89, as under any recipe."""
    assert Action.CAP_AGE is action(load(written, "%header", "KEEP PatientAge"), "PatientAge")


# ── claims ───────────────────────────────────────────────────────────────────────────────────────


def codes(recipe: Recipe) -> list[str]:
    return [code for code, _ in recipe.claims().codes]


def test_lines_that_keep_no_more_keep_the_claim(written: Path) -> None:
    """Removing, emptying and constants leave the profile claimed, and the identity removed."""
    claims = load(
        written, "%header", "REMOVE Modality", "BLANK Rows", "REPLACE PatientID P"
    ).claims()

    assert ("113100", "YES", Temporal.REMOVED) == (
        claims.codes[0][0], claims.identity_removed, claims.temporal,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "removed", "temporal"),
    [
        ("KEEP PatientSex", "YES", Temporal.REMOVED),
        ("KEEP PatientID", "NO", Temporal.REMOVED),
        ("KEEP StudyDate", "YES", Temporal.UNMODIFIED),
        ("JITTER StudyDate 31", "YES", Temporal.MODIFIED),
        ("REPLACE PatientID func:hashed", "YES", Temporal.REMOVED),
        ('KEEP (0011,"ACME",02)', "YES", Temporal.REMOVED),
        ("KEEP RequestAttributesSequence__StudyInstanceUID", "YES", Temporal.REMOVED),
    ],
)
def test_a_line_that_keeps_more_drops_the_profile(
    written: Path, line: str, removed: str, temporal: Temporal
) -> None:
    """113100 is not claimed; a direct identifier says NO; dates say what became of them."""
    claims = load(written, "%header", line, functions={"hashed": hashed}).claims()

    assert ((), removed, temporal) == (claims.codes, claims.identity_removed, claims.temporal)


def test_an_option_that_a_line_cuts_short_is_not_claimed(written: Path) -> None:
    """On top of a recipe with options, which stay as they are where no line speaks."""
    whole = load(written, "%header", "REMOVE Modality", on="patient-characteristics-kept")
    cut = load(written, "%header", "REMOVE PatientSex", on="patient-characteristics-kept")

    assert (["113100", "113108"], []) == (codes(whole), codes(cut))


def test_a_strict_basis_forbids_direct_identifiers(written: Path) -> None:
    """Whoever names them."""
    found = faults(written, "%header", "KEEP PatientID", on="dates-kept")

    assert ("line 3: limited-data-set forbids direct identifiers: PatientID",) == found


def test_days_of_its_own_beside_a_keyed_shift_are_a_fault(written: Path) -> None:
    """Two shifts of one patient, one of them known, give the other away."""
    found = faults(written, "%header", "JITTER StudyDate 31", on="chest-ct")

    assert "give it away" in found[0]


# ── variables and functions ──────────────────────────────────────────────────────────────────────


def test_variables_come_from_mappings_tables_and_files(written: Path, tmp_path: Path) -> None:
    """For everyone, or by patient; zeros in front stay; a table says which columns there are."""
    table = pl.DataFrame({"PatientID": ["007", "8"], "subject": ["S-1", "S-2"]})
    file = tmp_path / "v.csv"
    table.write_csv(file)
    by_patient = {"007": {"subject": "S-1"}, "8": {"subject": "S-2"}}
    rows = {("", "007"): {"subject": "S-1"}, ("", "8"): {"subject": "S-2"}}
    lines = ("%header", "REPLACE PatientID var:subject")
    for given_as in (table, table.lazy(), table.to_pandas(), file, str(file), by_patient):
        assert rows == load(written, *lines, variables=given_as).script.variables.rows
    shared = load(written, *lines, variables={"subject": 7}).script.variables

    assert ({"subject": "7"}, {}) == (shared.shared, shared.rows)


def test_variables_show_no_value(written: Path) -> None:
    """Not in a repr, not in the plain words, not in a digest."""
    lines = ("%header", "REPLACE PatientID var:subject")
    one = load(written, *lines, variables={"SECRET-7": {"subject": "HIDDEN-1"}})
    other = load(written, *lines, variables={"SECRET-8": {"subject": "HIDDEN-2"}})

    for text in (repr(one), repr(one.script.variables), str(explain(one)), one._repr_html_()):
        assert not [word for word in ("SECRET", "HIDDEN") if word in text]
    assert one.digest == other.digest
    assert one != other


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (pl.DataFrame({"subject": ["S"]}), "no column PatientID"),
        (pl.DataFrame({"PatientID": ["1", "1"], "subject": ["S", "T"]}), "row 2 is of a patient"),
        (pl.DataFrame({"PatientID": [None], "subject": ["S"]}), "row 1 names no patient"),
        ({"1": {"subject": "S"}, "subject": "T"}, "some values are by patient"),
        ("nowhere.csv", "cannot be read as a table"),
        ("nowhere.xlsx", "is no .csv"),
        (7, "a mapping, a data frame"),
    ],
)
def test_tables_that_cannot_be_used_are_faults(
    written: Path, variables: object, words: str
) -> None:
    """Told with the others, and without a value."""
    found = faults(written, "%header", "REPLACE StudyID var:subject", variables=variables)

    assert any(words in one for one in found), found


def test_days_of_a_table_must_be_whole_numbers(written: Path) -> None:
    """How many are not is told; none of them is."""
    rows = {"1": {"days": "soon"}, "2": {"days": -3}, "3": {"days": 1.5}}
    found = faults(written, "%header", "JITTER StudyDate var:days", variables=rows)

    assert ("line 3: 'days' is no whole number of days for 2 patients",) == found


def test_functions_must_be_ones_that_workers_can_import(written: Path) -> None:
    """A lambda, or a function inside another, cannot be sent to a worker."""
    found = faults(
        written, "%header", "REPLACE StudyID func:f", functions={"f": lambda **_: "x", "g": 7}
    )

    assert ["functions.f", "functions.g"] == [one.partition(":")[0] for one in found]


def test_a_changed_function_is_another_recipe(written: Path) -> None:
    """The digest covers which functions are called."""
    lines = ("%header", "REPLACE StudyID func:f")
    one = load(written, *lines, functions={"f": hashed})
    other = load(
        written, *lines, functions={"f": test_functions_must_be_ones_that_workers_can_import}
    )

    assert one.digest != other.digest


def test_variables_beside_another_kind_of_recipe_are_an_error() -> None:
    """They would be passed over in silence."""
    with pytest.raises(RecipeError, match="for recipes in deid's language"):
        ck.load_recipe("basic", variables={"a": 1})


# ── labels ───────────────────────────────────────────────────────────────────────────────────────

FILTER = """
%filter whitelist
LABEL clean # (someone)
  contains BurnedInAnnotation NO
%filter graylist
LABEL ACME top bar
  contains Manufacturer ACME || equals StationName X+Y
  + missing ImageType
  || notcontains Modality CT|MR
  # a comment
  coordinates 0,0,512,20
  ctpcoordinates 10,20,30,40
  keepcoordinates 1,2,3,4
LABEL flagged only
  empty Manufacturer
LABEL blank it
  coordinates all
LABEL regions
  present SequenceOfUltrasoundRegions
  keepcoordinates from:SequenceOfUltrasoundRegions
%filter blacklist
LABEL screens
  contains ImageType SCREEN
  coordinates 0,0,1,1
"""


def test_labels_become_rules_for_pixels(written: Path) -> None:
    """Coordinates are blanked or kept; what is flagged without any, or black-listed, is refused."""
    rules = load(written, FILTER).pixels.rules

    assert [
        (Deed.BLANK, Area.RECTANGLES, (Rectangle(0, 0, 512, 20), Rectangle(10, 20, 30, 40))),
        (Deed.KEEP, Area.RECTANGLES, (Rectangle(1, 2, 2, 2),)),
        (Deed.REFUSE, Area.ALL, ()),
        (Deed.BLANK, Area.ALL, ()),
        (Deed.KEEP, Area.REGIONS, ()),
        (Deed.REFUSE, Area.ALL, ()),
    ] == [(rule.deed, rule.area, rule.rectangles) for rule in rules]
    assert {"x.dicom"} == {rule.origin for rule in rules}


def test_criteria_are_joined_as_they_are_written(written: Path) -> None:
    """From left to right: (ACME or X+Y) and missing, or not CT; as clauses of which all hold."""
    rule = load(written, FILTER).pixels.rules[0]
    asked = [[(one.keyword, one.match) for one in clause] for clause in rule.criteria]

    modality = ("Modality", Match.MATCHES_NOT)
    assert [
        [("Manufacturer", Match.MATCHES), ("StationName", Match.MATCHES), modality],
        [("ImageType", Match.ABSENT), modality],
    ] == asked


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("contain Modality CT",), "unknown word 'contain' in a LABEL; did you mean contains"),
        (("contains Modalty CT",), "unknown keyword 'Modalty'; did you mean Modality"),
        (("contains Modality (",), "no regular expression"),
        ((r"contains Modality \S",), "puts it into lower case"),
        (("contains Modality",), "must have field and values"),
        (("coordinates 1,2,3",), "four whole numbers"),
        (("coordinates 9,0,3,4",), "enclose nothing"),
        (("ctpcoordinates 1,2,3",), "length of 4"),
        (("coordinates from:Rows",), "from SequenceOfUltrasoundRegions only"),
        (("keepcoordinates all",), "keeps everything"),
        (("Coordinates 1,2,3,4",), "must be in lower case"),
        ((), "the label asks nothing"),
    ],
)
def test_faults_of_labels_are_named(written: Path, lines: tuple[str, ...], words: str) -> None:
    """Deid skips them, or leaves the process."""
    found = faults(written, "%filter graylist", "LABEL one", *lines)

    assert any(words in one and one.startswith("line ") for one in found), found


def test_the_recipes_that_deid_ships_are_read_by_name() -> None:
    """The one for chest X-rays has no fault; all its labels are taken over."""
    assert "deid.dicom.xray.chest" in deid_text.shipped()
    recipe = ck.load_recipe("deid.dicom.xray.chest")

    assert [Deed.REFUSE, Deed.REFUSE] == [rule.deed for rule in recipe.pixels.rules]


# ── told ─────────────────────────────────────────────────────────────────────────────────────────


def test_explain_says_what_lines_do(written: Path) -> None:
    """Each line in the summary, each attribute with the line that decides."""
    recipe = load(
        written, FILTER, "%header", "KEEP PatientSex", "REPLACE PatientID P-1",
        "ADD PatientIdentityRemoved YES",
    )  # fmt: skip
    told = str(explain(recipe))

    for words in (
        "KEEP PatientSex",
        "PatientID (0010,0020) LO: holds a value that the recipe gives (line",
        "PatientIdentityRemoved: not taken over",
        "Images that 2 labels of the recipe flag are refused",
    ):
        assert words in told
