"""Scripts of CTP as recipes: what is taken over, what is stricter, what is refused, and faults."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from cohortkit.cli import main
from cohortkit.errors import RecipeError, Refusal
from cohortkit.recipe.ctp.calls import FUNCTIONS
from cohortkit.recipe.ctp.load import on_top
from cohortkit.recipe.ctp.wanted import Verdict
from cohortkit.recipe.deid import reach
from cohortkit.recipe.file import imported, load_recipe
from cohortkit.recipe.model import Action, Deed, FacePolicy, Recipe
from cohortkit.recipe.policy import FIXED, Policy
from cohortkit.recipe.targets import everything, is_direct
from objects import deidentified, once

CT = get_testdata_file("CT_small.dcm", download=False)
BASIC = load_recipe("basic")
OPEN = replace(BASIC, faces=FacePolicy(True, True, "these objects show a phantom"))  # noqa: FBT003


def script(*lines: str) -> bytes:
    """A DicomAnonymizer script of these lines."""
    return ("<script>\n" + "\n".join(lines) + "\n</script>").encode()


def element(tag: str, text: str) -> bytes:
    """A script of one element."""
    return script(f'<e en="T" t="{tag}" n="any">{text}</e>')


def read(*data: bytes, on: Recipe = OPEN) -> Recipe:
    """A recipe without faults."""
    recipe, _, faults = on_top([(f"s{n}.script", one) for n, one in enumerate(data)], on)
    assert () == faults
    return recipe


def row(data: bytes) -> tuple[Verdict, str]:
    """What became of the one statement of a script."""
    _, (one,), faults = on_top([("s.script", data)], BASIC)
    assert () == faults
    return one.verdict, one.words


def faults_of(data: bytes) -> tuple[str, ...]:
    """What is wrong with a script."""
    return on_top([("s.script", data)], BASIC)[2]


def action(data: bytes, keyword: str, on: Recipe = BASIC) -> Action:
    """What happens to an attribute under a script."""
    (known,) = [one for one in everything() if one.keyword == keyword]
    return Policy(read(data, on=on)).decide(known.tag, known.vr, None).action


@pytest.mark.parametrize(
    ("tag", "text", "verdict", "keyword", "expected"),
    [
        ("00081030", "@keep()", Verdict.TAKEN, "StudyDescription", Action.KEEP),
        ("[0008,1030]", "@remove()", Verdict.TAKEN, "StudyDescription", Action.REMOVE),
        ("00180015", "@remove()", Verdict.TAKEN, "BodyPartExamined", Action.REMOVE),
        ("00180015", "@empty()", Verdict.TAKEN, "BodyPartExamined", Action.EMPTY),
        ("00180015", "", Verdict.TAKEN, "BodyPartExamined", Action.EMPTY),
        ("00180015", "@blank(4)", Verdict.STRICTER, "BodyPartExamined", Action.EMPTY),
        ("00180015", "CHEST", Verdict.TAKEN, "BodyPartExamined", Action.SET),
        ("00180015", "@hash(this,4)", Verdict.STRICTER, "BodyPartExamined", Action.REMOVE),
        ("00180015", "@call(x,y)", Verdict.REFUSED, "BodyPartExamined", Action.REMOVE),
        ("00180015", "X@value(this)", Verdict.STRICTER, "BodyPartExamined", Action.REMOVE),
        ("00080020", "@incrementdate(this,@D)", Verdict.STRICTER, "StudyDate", Action.SHIFT),
        ("00080020", "@hashdate(this,PatientID)", Verdict.STRICTER, "StudyDate", Action.SHIFT),
        ("00080020", "@modifydate(this,*,1,1)", Verdict.STRICTER, "StudyDate", Action.EMPTY),
        ("0020000d", "@hashuid(@R,this)", Verdict.TAKEN, "StudyInstanceUID", Action.UID),
        ("0020000d", "@remove()", Verdict.REFUSED, "StudyInstanceUID", Action.UID),
        ("00100010", "@keep()", Verdict.STRICTER, "PatientName", Action.EMPTY),
        ("00100030", "@incrementdate(this,@D)", Verdict.STRICTER, "PatientBirthDate", Action.EMPTY),
        ("00101010", "@keep()", Verdict.STRICTER, "PatientAge", Action.CAP_AGE),
        ("RefSeriesSeq", "@process()", Verdict.STRICTER, "ReferencedSeriesSequence", Action.KEEP),
        ("00080005", "@keep()", Verdict.REFUSED, "SpecificCharacterSet", Action.REMOVE),
        (
            "00081030",
            "@if(Modality,equals,CT){@keep()}{@remove()}",
            Verdict.STRICTER,
            "StudyDescription",
            Action.REMOVE,
        ),
        (
            "00081030",
            "@if(this,isblank){@remove()}{Removed by CTP}",
            Verdict.STRICTER,
            "StudyDescription",
            Action.SET,
        ),
        ("00180015", "@if(this,isblank){}{@keep()}", Verdict.STRICTER, "BodyPartExamined", None),
        (
            "00180015",
            "@if(this,exists){@keep()}{@empty()}",
            Verdict.STRICTER,
            "BodyPartExamined",
            Action.EMPTY,
        ),
        (
            "00081030",
            "@if(00091002,contains,x){@keep()}{@remove()}",
            Verdict.STRICTER,
            "StudyDescription",
            Action.REMOVE,
        ),
        (
            "00180015",
            "@if(Rows,greaterthan,5){@keep()}{@empty()}",
            Verdict.STRICTER,
            "BodyPartExamined",
            Action.EMPTY,
        ),
        (
            "0020000d",
            "@select(){@keep()}{@hashuid(@R,this)}",
            Verdict.STRICTER,
            "StudyInstanceUID",
            Action.UID,
        ),
    ],
)
def test_one_statement(
    tag: str, text: str, verdict: Verdict, keyword: str, expected: Action | None
) -> None:
    """Each function of the language: what it comes to, and what the table says of it."""
    data = element(tag, text)
    assert verdict is row(data)[0]
    assert (expected or Action.KEEP) is action(data, keyword)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_no_function_of_ctp_is_unknown(name: str) -> None:
    """Each that CTP's program has is taken over, done more strictly or refused, and has its row."""
    blocks = "{@remove()}" * {"if": 2, "select": 2, "append": 1}.get(name, 0)
    asked = {"if": "this,exists", "param": "@SITE"}.get(name, "this,1,1")
    data = script('<p t="SITE">7</p>', f'<e en="T" t="00081030">@{name}({asked}){blocks}</e>')

    _, rows, faults = on_top([("s.script", data)], BASIC)

    assert () == faults
    assert ["StudyDescription"] == [one.about for one in rows]


QUARANTINES = [
    ("this,contains,chest", "CHEST"),
    ("this,matches,CH.ST", "CHEST"),
    ("this,exists", "CHEST"),
    ("this,isblank", ""),
    ("Rows,greaterthan,100000", "CHEST"),  # nobody can ask: it may be true
    ("00091002,contains,x", "CHEST"),
]


@pytest.mark.parametrize(("asked", "value"), QUARANTINES)
@pytest.mark.parametrize("cases", ["{@quarantine()}{@keep()}", "{@keep()}{@quarantine()}"])
def test_a_condition_is_asked_of_the_element_itself(
    asked: str, value: str, cases: str, tmp_path: Path
) -> None:
    """Where it holds, or where nobody can ask whether it does, the object is held back."""
    ds = pydicom.dcmread(CT)
    ds.StudyDescription = value
    ds.save_as(tmp_path / "one.dcm")
    recipe = read(element("00081030", f"@if({asked}){cases}"))

    if cases.startswith("{@keep") and asked.startswith("this"):
        assert deidentified(tmp_path / "one.dcm", recipe=recipe)
    else:
        with pytest.raises(Refusal, match="held-by-recipe"):
            deidentified(tmp_path / "one.dcm", recipe=recipe)
    del ds.StudyDescription  # CTP asks nothing of an element that is not there
    ds.save_as(tmp_path / "none.dcm")
    assert deidentified(tmp_path / "none.dcm", recipe=recipe)


TAGS = [k.tag for k in everything() if k.tag >> 16 >= 8 and k.tag >> 16 not in (0x5000, 0x6000)]
HIDING = (
    "@remove()", "@empty()", "@hash(this,6)", "@hashname(this,6,2)", "@lookup(this,ptid)",
    "@encrypt(this,key)", "@initials(this)", "@truncate(this,3)", "@call(any)", "@round(this,5)",
    "@contents(this,x)", "@lowercase(this)", "@if(this,isblank){@empty()}{@hash(this)}",
    "a text of its own", "@modifydate(this,*,*,1)",
)  # fmt: skip
UIDS = (0x00080016, 0x00080018, 0x0020000D, 0x0020000E)


@settings(deadline=None)
@given(tag=st.sampled_from(TAGS), text=st.sampled_from(HIDING))
def test_what_a_script_hides_does_not_pass(tag: int, text: str) -> None:
    """Whatever the attribute: of a value that CTP would hide nothing stays, not by the profile."""
    text = text.replace("(this,isblank", "(Modality,isblank")
    recipe, _, faults = on_top([("s.script", element(f"{tag:08x}", text))], BASIC)
    (known,) = [one for one in everything() if one.tag == tag]
    decision = Policy(recipe).decide(tag, known.vr or "UN", None)
    out_of_reach = tag in FIXED or tag >> 16 == 0x7FE0 or tag in UIDS
    assert faults or out_of_reach or 0 == reach.level(decision)


@settings(deadline=None)
@given(tag=st.sampled_from(TAGS))
def test_what_identifies_by_itself_is_not_kept(tag: int) -> None:
    """@keep of a direct identifier changes nothing, and is no claim."""
    (known,) = [one for one in everything() if one.tag == tag]
    recipe, _, faults = on_top([("s.script", element(f"{tag:08x}", "@keep()"))], BASIC)
    assert () == faults
    before, after = (Policy(one).decide(tag, known.vr or "UN", None) for one in (BASIC, recipe))
    assert not is_direct(known) or reach.level(after) <= reach.level(before)
    assert "YES" == recipe.claims().identity_removed


def test_unspecified_elements_go() -> None:
    """With the switch, what the script does not name goes, but for kept groups and the image."""
    data = script(
        '<e en="T" t="00080060" n="Modality">@keep()</e>',
        '<k en="T" t="0018">Keep group 18</k>',
        '<r en="T" t="unspecifiedelements">Remove unchecked elements</r>',
    )
    assert Action.REMOVE is action(data, "ImageType")
    assert Action.KEEP is action(data, "Modality")
    assert Action.KEEP is action(data, "SliceThickness")
    assert Action.KEEP is action(data, "Rows")
    assert Action.UID is action(data, "SOPInstanceUID")
    without = data.replace(b'en="T" t="unspecified', b'en="F" t="unspecified')
    assert Action.KEEP is action(without, "ImageType")


def test_very_many_statements_are_told_in_one_line() -> None:
    """A script of thousands of elements leaves a recipe that can be read."""
    tags = [k.tag for k in everything() if k.tag >> 16 == 0x0018 and k.vr == "DS"][:60]
    recipe = read(script(*(f'<e en="T" t="{tag:08x}">@remove()</e>' for tag in tags)))
    assert 60 == len(recipe.rules)
    said = [line for line in str(recipe).splitlines() if "Rule:" in line]
    assert [
        "  - Rule: remove 60 attributes, each told by recipe explain, because: as s0.script has it"
    ] == (said)


@pytest.mark.parametrize("first", ["@keep()", "a text"])
def test_a_later_script_goes_before_an_earlier_one(first: str) -> None:
    """What the last one takes away is gone, whatever the one before it kept or wrote there."""
    earlier, later = element("00081030", first), element("StudyDescription", "@remove()")
    recipe = read(earlier, later)
    assert Action.REMOVE is Policy(recipe).decide(0x00081030, "LO", None).action
    assert () == recipe.script.lines


def test_what_the_last_script_does_not_name_goes_with_its_switch() -> None:
    """Also what an earlier script kept."""
    switch = '<r en="T" t="unspecifiedelements">all</r>'
    recipe = read(element("00081030", "@keep()"), script('<e t="00080060">@keep()</e>', switch))
    assert Action.REMOVE is Policy(recipe).decide(0x00081030, "LO", None).action


def test_two_statements_about_one_element_are_a_fault() -> None:
    """In one script nothing says which is meant."""
    data = script('<e t="00081030">@keep()</e>', '<e t="[0008,1030]">@remove()</e>')
    assert ("line 3: StudyDescription has a statement already, on line 2",) == faults_of(data)


def test_a_kept_date_moves_where_another_moves() -> None:
    """A true date beside a moved one would give the shift away."""
    data = script(
        '<e en="T" t="00080020">@incrementdate(this,@D)</e>', '<e en="T" t="00080021">@keep()</e>'
    )
    assert Action.SHIFT is action(data, "SeriesDate")


def test_private_elements() -> None:
    """By its creator it is kept; by its number nothing says whose it is, so it goes."""
    recipe = read(element("0029[SIEMENS CSA HEADER]10", "@keep()"))
    policy = Policy(recipe)
    assert Action.KEEP is policy.decide(0x00291010, "OB", "SIEMENS CSA HEADER").action
    assert Action.REMOVE is policy.decide(0x00291010, "OB", "ANOTHER").action
    assert Verdict.REFUSED is row(element("00291010", "@keep()"))[0]


def test_an_object_as_it_leaves(tmp_path: Path) -> None:
    """A constant, a date moved by a secret number, a description kept; and the claim drops."""
    path = tmp_path / "ct.script"
    path.write_bytes(
        script(
            '<p t="PROJECT">Lung</p>',
            '<e en="T" t="00081030">@param(@PROJECT) study</e>',
            '<e en="T" t="00080080">@always()SITE 1</e>',
            '<e en="T" t="00080020">@incrementdate(this,@DATEINC)</e>',
            '<e en="T" t="00180022">@remove()</e>',
        )
    )
    recipe = load_recipe(path, on=OPEN)
    before, after = pydicom.dcmread(CT), pydicom.dcmread(once(Path(CT), recipe))
    assert "Lung study" == after.StudyDescription
    assert "SITE 1" == after.InstitutionName
    assert before.StudyDate != after.StudyDate != ""
    assert "ScanOptions" in before
    assert "ScanOptions" not in after
    assert "MODIFIED" == after.LongitudinalTemporalInformationModified
    assert "DeidentificationMethodCodeSequence" not in after


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A structured report of somebody."""
    dataset = pydicom.dcmread(get_testdata_file("reportsi.dcm", download=False))
    dataset.PatientID = "R-1"
    dataset.save_as(tmp_path / "report")
    return tmp_path / "report"


def test_quarantine_holds_the_object_back(report: Path) -> None:
    """Where the condition is met no object leaves, of whatever kind; where it is not, it does."""
    data = element("00080060", '@if(Modality,equals,"sr"){@quarantine()}{@keep()}')
    with pytest.raises(Refusal, match="held-by-recipe"):
        deidentified(report, recipe=read(data))
    assert deidentified(Path(CT), recipe=read(data))
    assert deidentified(report, recipe=OPEN)
    words = row(data)[1]
    assert "where the condition says so, the object is refused" in words


def test_a_filter_holds_back_what_it_does_not_accept(report: Path) -> None:
    """Of every kind: CTP's filter looks at reports, too."""
    only_ct = b'Modality.equals("CT") * !Manufacturer.contains("nobody")'
    with pytest.raises(Refusal, match="held-by-recipe"):
        deidentified(report, recipe=read(only_ct))
    assert deidentified(Path(CT), recipe=read(only_ct))
    with pytest.raises(Refusal, match="held-by-recipe"):
        deidentified(Path(CT), recipe=read(b'!Manufacturer.containsIgnoreCase("ge med")'))


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ('Modality.equals("CT")', True),
        ('Modality.equals("ct")', False),
        ('Modality.equalsIgnoreCase("ct")', True),
        ('Modality.startsWith("C") * Modality.endsWith("T")', True),
        ('Modality.matches("C")', False),
        ('Modality.matches("C.|M.")', True),
        ('!(Modality.equals("MR") + Modality.equals("US"))', True),
        ('!(Modality.equals("CT") * !Modality.equals("US"))', False),
        ('[0018,1012].equals("")', True),
        ('![0018,1012].equals("")', False),
        ('Modality.equals("")', False),
        ('false. + Modality.contains("T")', True),
        ('[0028,0010].equals("128") * Columns.equals("128")', True),
        ('ImageType.contains("AXIAL")', True),
    ],
)
def test_the_language_of_filters(expression: str, accepted: bool) -> None:  # noqa: FBT001 - a table
    """Every method and operator, on a real object."""
    recipe = read(expression.encode())
    if accepted:
        assert deidentified(Path(CT), recipe=recipe)
    else:
        with pytest.raises(Refusal, match="held-by-recipe"):
            deidentified(Path(CT), recipe=recipe)


def test_a_pixel_script_blanks(tmp_path: Path) -> None:
    """The regions of a signature that fits turn black, and nothing else changes."""
    data = b'A title\n{ Modality.equals("CT") * Rows.equals("128") } (0,0,128,20) (120,100,90,4)'
    path = tmp_path / "pixels.script"
    path.write_bytes(data)
    before, after = pydicom.dcmread(CT), pydicom.dcmread(once(Path(CT), load_recipe(path, on=OPEN)))
    was, now = before.pixel_array.copy(), after.pixel_array
    assert not (now[:20] == was[:20]).all()
    was[:20] = was[100:104, 120:] = now[0, 0]
    assert (was == now).all()


def test_a_signature_that_cannot_be_asked_refuses_what_may_fit() -> None:
    """Nothing leaves unblanked because a comparison is not known here."""
    recipe = read(b'{ Modality.equals("CT") * Rows.isLessThan("500") } (0,0,9,9)')
    assert [Deed.REFUSE] == [rule.deed for rule in recipe.pixels.rules]
    with pytest.raises(Refusal, match="held-by-recipe"):
        deidentified(Path(CT), recipe=recipe)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (script('<e en="T" t="00081030">@keeep()</e>'), "line 2: unknown function @keeep; did"),
        (script('<e en="T" t="StudyDescripton">@keep()</e>'), "line 2: unknown element"),
        (script('<e en="T" t="00081030">@param(@X)</e>'), "line 2: no <p> is called 'X'"),
        (script('<e en="T" t="00081030">@if(Modality,equalz,CT){}{}</e>'), "unknown condition"),
        (script('<e en="T" t="00081030">@if(Rows,greaterthan){}{}</e>'), "greaterthan compares"),
        (script('<e en="T" t="00081030">@if(Rowz,isblank){}{}</e>'), "line 2: unknown element"),
        (script('<e en="T" t="00081030">@hash(this</e>'), "line 2: a '(' is not closed"),
        (script('<x t="00081030">@keep()</x>'), "line 2: unknown <x>; a script holds"),
        (script('<e en="yes" t="00081030">@keep()</e>'), "line 2: en is T or F"),
        (script('<r en="T" t="overlay">all</r>'), "unknown 'overlay'; did you mean overlays"),
        (script('<e en="F" t="00081030">@keep()</e>'), "the script is empty"),
        (b"<script><e", "line 1: not XML"),
        (b"<html/>", "a script begins with <script>"),
        (b"<script><e t='00081030'><e/></e></script>", "inside of another element"),
        (b'{ Modality.equal("CT") } (0,0,1,1)', "unknown method 'equal'; did you mean equals"),
        (b'{ Modality.equals("CT") }', "without a region blanks nothing"),
        (b'{ Modality.equals("CT") } (0,0,0,1)', "a region is (left,top,width,height)"),
        (b'(0,0,1,1) { Modality.equals("CT") } (0,0,1,1)', "before the first signature"),
        (b'{ Modality.equals("CT") * } (0,0,1,1)', "it ends where a term is expected"),
        (b'{ Modality.equals("CT") (0,0,1,1)', "has no partner"),
        (b'{ Rows.isLessThan("5") } (0,0,1,1)', "all images that may fit are refused"),
        (b'Modality.matches("(")', "is no regular expression here"),
        (b"true.", "it refuses nothing"),
        (b"false.", "it would refuse every object"),
        (b"\xff\xfe\x00", "neither XML nor UTF-8"),
        (b"", "no script of CTP"),
    ],
)
def test_faults_have_a_place(data: bytes, fault: str) -> None:
    """What is misspelt or impossible is a fault, with its line and its neighbours."""
    found = faults_of(data)
    assert [one for one in found if fault in one], found


def test_every_fault_at_once() -> None:
    """Three mistakes, three lines."""
    data = script(
        '<e en="T" t="00081030">@kep()</e>',
        '<e en="T" t="Modalty">@keep()</e>',
        '<k en="T" t="18x">group</k>',
    )
    assert ["line 2", "line 3", "line 4"] == [one[:6] for one in faults_of(data)]


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE script [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<script><e t="00081030">&b;</e></script>"""
OUTSIDE = b"""<!DOCTYPE script [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<script><e t="00081030">&x;</e></script>"""
REMOTE = b'<!DOCTYPE script SYSTEM "http://127.0.0.1:9/s.dtd"><script/>'


@pytest.mark.parametrize("data", [LAUGHS, OUTSIDE, REMOTE])
def test_hostile_xml_is_not_read(data: bytes) -> None:
    """No entity is expanded, no file or address opened: a document type is refused as such."""
    assert ("line 1: a document type has no place here",) == faults_of(data)


@settings(deadline=None)
@given(
    st.binary(max_size=200) | st.text(alphabet='<>{}()@"\\.*+!,ab0[]', max_size=120).map(str.encode)
)
def test_no_bytes_raise(data: bytes) -> None:
    """Whatever the file holds: a recipe or faults, no exception."""
    for prefix in (b"", b'<script><e t="00081030">', b"{ "):
        on_top([("s.script", prefix + data)], BASIC)


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the library and in the shell, as text, page and JSON."""
    path, page = tmp_path / "site.script", tmp_path / "page.html"
    path.write_bytes(element("00081030", "@hash(this)"))
    table = imported([path])
    assert {"taken over": 0, "stricter": 1, "refused": 0} == table.counts
    assert ["StudyDescription"] == table.to_polars()["about"].to_list()
    assert "Note on line 2: StudyDescription: stricter" in str(table.recipe)
    assert 0 == main(["recipe", "import", str(path), "--html", str(page)])
    assert "stricter   line 2, StudyDescription: @hash(this)" in capsys.readouterr().out
    assert "<td>@hash(this)</td>" in page.read_text()
    assert 0 == main(["recipe", "import", str(path), "--json"])
    assert 1 == json.loads(capsys.readouterr().out)["counts"]["stricter"]
    assert 2 == main(["recipe", "import", str(tmp_path / "none.script")])


def test_several_scripts_and_other_languages(tmp_path: Path) -> None:
    """Scripts are read together, each with its name; with recipes in deid's language not."""
    one, other = tmp_path / "a.script", tmp_path / "b.xml"
    one.write_bytes(b'{ Modality.equals("CT") } (0,0,9,9)')
    other.write_bytes(element("00081030", "@remove()"))
    recipe = load_recipe([one, other], on="chest-ct")
    assert "a.script+b.xml" == recipe.name
    assert recipe.options == load_recipe("chest-ct").options
    with pytest.raises(RecipeError, match="read together"):
        load_recipe([one, tmp_path / "x.dicom"])
    with pytest.raises(RecipeError, match="variables and functions are for"):
        load_recipe(one, variables={"a": "b"})
    with pytest.raises(RecipeError, match="no <p> is called"):
        load_recipe([one, _with(tmp_path, "c.script", element("00081030", "@param(@X)"))])


def _with(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name
