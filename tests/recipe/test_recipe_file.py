"""Recipe files: whole or not at all, every fault at once, each with its place."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pytest

from cohortkit.errors import RecipeError, UsageError
from cohortkit.recipe import targets
from cohortkit.recipe.check import check
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import (
    Action,
    Attribute,
    Basis,
    DatePolicy,
    Label,
    LabelType,
    Option,
    PixelRisk,
    Recipe,
)
from cohortkit.recipe.policy import Policy

BASIS = 'basis = "expert-determination"\n'
KEPT = 'action = "keep"\nreason = "the study needs it"\n'
_TWO_PATTERNS = """
[[rules]]
pattern = "Study*"
action = "remove"
[[rules]]
pattern = "*Date"
action = "empty"
"""
_THE_SAME_TWICE = """
[[rules]]
keyword = "StudyDate"
action = "remove"
[[rules]]
tag = "(0008,0020)"
action = "empty"
"""


def faults(tmp_path: Path, text: str) -> tuple[str, ...]:
    """The faults of a recipe with this text."""
    file = tmp_path / "r.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    return caught.value.faults


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    """A recipe with every word comes back as its records."""
    file = tmp_path / "all.toml"
    file.write_text("""
format = 1
title = "All of it"
description = "For the test."
basis = "gdpr-pseudonymised"
profile = "basic"
options = ["retain-modified-dates", "retain-uids"]
unlisted = "by-rule"
default_issuer = "HOSPITAL A"
[dates]
shift_days = [-100, 100]
[faces]
heads = "accept"
unknown_body_part = "refuse"
reason = "all faces are removed already"
[[pixels.accept]]
sop_class = "Digital X-Ray Image Storage - For Presentation"
risks = ["not-stated"]
reason = "the sites say NO by contract"
[[rules]]
keyword = "StudyDescription"
action = "keep"
reason = "a closed list of our own"
[[rules]]
tag = "(0018,1000)"
action = "remove"
[[rules]]
private = { group = "0019", creator = "ACME 1.0", element = "0C" }
action = "keep"
reason = "the b-value, a number"
[[rules]]
vr = "UC"
action = "remove"
[[rules]]
pattern = "Contrast*Ingredient*"
action = "remove"
[labels]
diagnosis = "text"
biopsy = "date"
""")
    recipe = load_recipe(file)
    assert (recipe.name, recipe.title, recipe.basis) == ("all", "All of it", "gdpr-pseudonymised")
    assert recipe.options == {Option.RETAIN_MODIFIED_DATES, Option.RETAIN_UIDS}
    assert recipe.dates == DatePolicy(-100, 100)
    assert (recipe.faces.accept_heads, recipe.faces.accept_unknown) == (True, False)
    dx = "1.2.840.10008.5.1.4.1.1.1.1"
    assert recipe.pixels.accepts(PixelRisk.NOT_STATED, modality="DX", sop_class=dx)
    assert not recipe.pixels.accepts(PixelRisk.STATED_YES, modality="DX", sop_class=dx)
    assert not recipe.pixels.accepts(PixelRisk.NOT_STATED, modality="DX", sop_class=None)
    assert recipe.rules[1].target == Attribute(0x00181000, "DeviceSerialNumber")
    assert recipe.labels == (Label("diagnosis", LabelType.TEXT), Label("biopsy", LabelType.DATE))
    assert recipe.default_issuer == "HOSPITAL A"


def test_ten_faults_are_ten_lines(tmp_path: Path) -> None:
    """One mistake hides no other, and each says where it is and what was meant."""
    text = """
titel = "x"
basis = "limited-data-sett"
options = ["retain-full-dates", "retain-modified-dates", "retain-date",
           "clean-recognizable-visual-features"]
unlisted = "kept"
[faces]
heads = "accept"
[[pixels.accept]]
modality = "CRR"
risks = ["not-statd"]
reason = "these are scanned"
[[rules]]
keyword = "PatientNam"
action = "keep"
[[rules]]
keyword = "StudyDate"
action = "remov"
[[rules]]
keyword = "StudyDescription"
action = "keep"
"""
    found = faults(tmp_path, text)
    for start in (
        "titel: unknown word; did you mean title",
        "basis: unknown basis 'limited-data-sett'; did you mean limited-data-set",
        "options[2]: unknown option 'retain-date'; did you mean retain-",
        'options: clean-recognizable-visual-features removes faces; say [faces] heads = "deface"',
        "options: retain-full-dates contradicts retain-modified-dates",
        "unlisted: unknown word for unlisted attributes 'kept'; did you mean keep",
        "faces.reason: missing",
        "pixels.accept[0].modality: unknown modality 'CRR'; did you mean CR",
        "pixels.accept[0].risks[0]: unknown risk 'not-statd'; did you mean not-stated",
        "rules[0].keyword: unknown keyword 'PatientNam'; did you mean PatientName",
        "rules[1].action: unknown action 'remov'; did you mean remove",
        "rules[2].reason: missing",
    ):
        assert [line for line in found if line.startswith(start)], start
    assert len(found) == 12


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ('unlisted = "cleen"', "unlisted", "did you mean clean"),
        ('[text]\nwords = ["ISPY2"]', "text", "clean-descriptors"),
        ("[text]\npatients = 4", "text.patients", "5"),
        ('[text]\nwords = ["MX8000", "PX12345"]', "text.words[1]", "five digits"),
        ('[text]\nwords = ["a.b"]', "text.words[0]", "letters and digits"),
        ('[text]\nword = ["ab"]', "text.word", "did you mean words"),
        ('profile = "full"', "profile", "basic"),
        ("format = 2", "format", "format 1"),
        ("options = 3", "options", "a list"),
        ("title = 3", "title", "text"),
        ('title = ""', "title", "1 to"),
        ('options = ["retain-uids", "retain-uids"]', "options", "twice"),
        ('options = ["clean-pixel-data"]', "options", "says what to clean"),
        ("[dates]\nshift_days = [-9, 9]", "dates.shift_days", "retain-modified-dates"),
        ('[faces]\nhaeds = "accept"', "faces.haeds", "heads"),
        ('[faces]\nreason = "no one asked"', "faces.reason", "nothing is accepted"),
        ('[[pixels.accept]]\nrisks = ["colour"]\nreason = "a b"', "pixels.accept[0]", "one of"),
        ('[labels]\nPatientID = "text"', "labels.PatientID", "does not keep"),
        ('[labels]\nPatientSex = "text"', "labels.PatientSex", "does not keep"),
        ('[labels]\nbiopsy = "date"', "labels.biopsy", "dates are removed"),
        ('[labels]\nx = "age"', "labels.x", "ages are removed"),
        ('[labels]\nx = "text"\nX = "text"', "labels.x", "case only"),
        ('[labels]\nx = "txet"', "labels.x", "did you mean text"),
        ('[rules]\nkeyword = "StudyDate"', "rules", "a list"),
        ('[[rules]]\nkeyword = "StudyDate"', "rules[0].action", "missing"),
        ('[[rules]]\naction = "remove"', "rules[0]", "exactly one"),
        (
            '[[rules]]\nkeyword = "StudyDate"\nvr = "DA"\naction = "remove"',
            "rules[0]",
            "keyword and",
        ),
        ('[[rules]]\nkeyword = "studydate"\naction = "remove"', "rules[0].keyword", "StudyDate"),
        ('[[rules]]\nkeyword = ""\naction = "remove"', "rules[0].keyword", "unknown keyword"),
        ('[[rules]]\nkeyword = "StudyDate"\naction = "clean"', "rules[0].action", "VR LO or"),
        ('[[rules]]\nkeyword = "StudyDate"\naction = "uid"', "rules[0].action", "VR UI"),
        ('[[rules]]\nkeyword = "StudyTime"\naction = "shift"', "rules[0].action", "say keep"),
        ('[[rules]]\ntag = "0008,0020"\naction = "remove"', "rules[0].tag", "(gggg,eeee)"),
        ('[[rules]]\ntag = "(0009,0020)"\naction = "remove"', "rules[0].tag", "private"),
        ('[[rules]]\ntag = "(0002,0010)"\naction = "remove"', "rules[0]", "no part"),
        ('[[rules]]\ntag = "(6000,3000)"\n' + KEPT, "rules[0]", "go whole"),
        ('[[rules]]\nkeyword = "PixelData"\naction = "remove"', "rules[0]", "[pixels]"),
        ('[[rules]]\nkeyword = "PatientIdentityRemoved"\n' + KEPT, "rules[0]", "written anew"),
        ('[[rules]]\nkeyword = "PatientBirthDate"\n' + KEPT, "rules[0]", "never kept"),
        ('[[rules]]\nkeyword = "PatientName"\n' + KEPT, "rules[0].acknowledge", "missing"),
        ('[[rules]]\nvr = "SX"\naction = "remove"', "rules[0].vr", "unknown VR"),
        ('[[rules]]\npattern = "Xyz*"\naction = "remove"', "rules[0].pattern", "no keyword fits"),
        ('[[rules]]\npattern = "StudyDate"\naction = "remove"', "rules[0].pattern", "keyword"),
        ('[[rules]]\npattern = "*Date"\n' + KEPT, "rules[0]", "PatientBirthDate"),
        (
            '[[rules]]\nprivate = { group = "0018", creator = "x", element = "1" }\n' + KEPT,
            "rules[0].private.element",
            "2 hexadecimal",
        ),
        (
            _TWO_PATTERNS,
            "rules[1]",
            "rules[0] says something else of StudyDate",
        ),
        (
            _THE_SAME_TWICE,
            "rules[1]",
            "StudyDate has a rule already",
        ),
        (
            'options = ["retain-modified-dates"]\n[[rules]]\nkeyword = "StudyDate"\n' + KEPT,
            "rules[0].action",
            "gives the shift away",
        ),
        (
            'options = ["retain-modified-dates"]\n[dates]\nshift_days = [1, 7]',
            "dates.shift_days",
            "hide nothing",
        ),
        (
            'options = ["retain-modified-dates"]\n[dates]\nshift_days = [0, 0]',
            "dates.shift_days",
            "0 is never used",
        ),
        (
            'options = ["retain-modified-dates"]\nlabels = {seen = "year"}',
            "labels.seen",
            "gives the shift away",
        ),
        ('labels = {PatientBirthDate = "year"}', "labels.PatientBirthDate", "does not keep"),
        (
            """options = ["retain-modified-dates"]
            dates = {shift_days = [-100, 100], same_weekday = true}""",
            "dates.shift_days",
            "of whole weeks hide nothing",
        ),
    ],
)
def test_a_fault_has_its_place(tmp_path: Path, body: str, place: str, words: str) -> None:
    """One mistake in an otherwise sound recipe: one line there, and a word that helps."""
    found = faults(tmp_path, BASIS + body)
    assert any(line.startswith(f"{place}: ") and words in line for line in found), found


@pytest.mark.parametrize(
    ("basis", "option"),
    [
        ("safe-harbor", "retain-full-dates"),
        ("safe-harbor", "retain-modified-dates"),
        ("safe-harbor", "retain-uids"),
        ("safe-harbor", "retain-device-identity"),
        ("safe-harbor", "retain-institution-identity"),
        ("limited-data-set", "retain-device-identity"),
    ],
)
def test_a_basis_forbids_options_and_says_where(tmp_path: Path, basis: str, option: str) -> None:
    """The contradiction is told with the paragraph of the law."""
    found = faults(tmp_path, f'basis = "{basis}"\noptions = ["{option}"]\n')
    assert any(f"{basis} forbids {option}: 45 CFR" in line for line in found)


def test_a_limited_data_set_forbids_faces_and_names(tmp_path: Path) -> None:
    """45 CFR 164.514(e)(2): names, and full-face and comparable images."""
    found = faults(
        tmp_path,
        'basis = "limited-data-set"\n[faces]\nheads = "accept"\nreason = "we like them"\n'
        '[[rules]]\nkeyword = "PatientName"\nacknowledge = "keeps-a-direct-identifier"\n' + KEPT,
    )
    assert ["faces: ", "rules[0]: "] == [line.split("limited")[0] for line in found]


@pytest.mark.parametrize(
    "keyword",
    """PatientInsurancePlanCodeSequence PersonIdentificationCodeSequence RetrieveURI RetrieveURL
    UniqueDeviceIdentifier UDISequence ContactURI StorageURL TopicAuthor CameraOwnerName
    OperatorIdentificationSequence ActualHumanPerformersSequence GPSLatitude
    ContentCreatorIdentificationCodeSequence SpecimenAccessionNumber BoardingPassID""".split(),  # noqa: SIM905 - words read best as words
)
def test_what_identifies_by_itself_is_acknowledged(tmp_path: Path, keyword: str) -> None:
    """A rule that keeps it asks for the acknowledging words."""
    body = BASIS + f'[[rules]]\nkeyword = "{keyword}"\n' + KEPT
    found = faults(tmp_path, body)
    assert ["rules[0].acknowledge: missing; this keeps what identifies by itself"] == [
        line.partition(" (")[0] for line in found
    ]


def test_every_word_for_a_person_is_a_direct_identifier() -> None:
    """No attribute of the dictionary that goes, and whose keyword names people, is left out."""
    people = re.compile(
        r"(Physician|Operator|Observer|Performer|Author|Person|Participant|Creator|Owner)\w*"
        r"(Ident|Code|Name|Address|Telephone|Telecom|Sequence$)|(URI|URL)$|Telephone|Telecom"
    )
    anyone = re.compile(  # a thing, a role or a place, not who
        "PrivateCreator|DateTime|UID|CreatorVersion|Organization|OtherParticipants|Role|Rank|"
        "Intent|Authority|AuthorizationEquip|InstitutionalDepart|CodingSchemeURL|OwnerID"
    )
    policy = Policy(load_recipe("basic"))
    left = [
        known.keyword
        for known in targets.everything()
        if people.search(known.keyword)
        and not anyone.search(known.keyword)
        and not targets.is_direct(known)
        and policy.decide(known.tag, known.vr, None).action is not Action.KEEP
    ]
    assert [] == left


def test_an_empty_recipe_is_no_recipe(tmp_path: Path) -> None:
    """Nothing said is a fault, not a recipe that says nothing."""
    found = faults(tmp_path, "# only a comment\n")
    assert "empty" in found[0]


def test_a_basis_is_needed(tmp_path: Path) -> None:
    """Nothing leaves without a ground."""
    assert ("basis: missing",) == faults(tmp_path, 'title = "x"\n')


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    """The parser's own words, with line and column."""
    (found,) = faults(tmp_path, BASIS + "options = [\n\n")
    assert found.startswith("not TOML: ")
    assert "line" in found or "end of document" in found
    (found,) = faults(tmp_path, BASIS + "title 3\n")
    assert "line 2" in found


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe", "not UTF-8"), (b"#" * 1_000_001, "larger"), (b"a=" + b"[" * 9999, "not TOML")],
)
def test_files_that_are_no_recipes(tmp_path: Path, content: bytes, words: str) -> None:
    """Bytes, bombs: one line, no traceback of a parser."""
    file = tmp_path / "r.toml"
    file.write_bytes(content)
    with pytest.raises(RecipeError, match=words):
        load_recipe(file)


def test_places_where_no_recipe_is(tmp_path: Path) -> None:
    """A missing file, a folder, another suffix, an unknown name, no name, a NUL."""
    for source, words in (
        (tmp_path / "no.toml", "no such file"),
        (str(tmp_path / "no.toml"), "no such file"),
        (tmp_path.parent / (tmp_path.name + "/"), "ends in .toml"),
        ("chest-tc", "did|chest-ct"),
        ("", "no recipe was named"),
        ("x\0.toml", "NUL"),
        ("recipe.txt", "ends in .toml"),
    ):
        with pytest.raises(RecipeError, match=words):
            load_recipe(source)
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(RecipeError, match="folder"):
        load_recipe(folder)


def test_a_recipe_made_in_memory_is_checked_too() -> None:
    """No way around the contradictions; a sound one comes back as it is."""
    both = frozenset({Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES})
    with pytest.raises(UsageError, match="contradicts"):
        load_recipe(Recipe("mine", Basis.EXPERT_DETERMINATION, options=both))
    sound = Recipe("mine", Basis.EXPERT_DETERMINATION)
    assert load_recipe(sound) is sound


def test_check_tells_of_many_and_raises_for_none(tmp_path: Path) -> None:
    """What the shell prints: sound ones with their digest, faulty ones with their faults."""
    bad = tmp_path / "bad.toml"
    bad.write_text('titel = "x"\n')
    sound, faulty, unknown, foreign = check(["basic", bad, "nope", "x.dicom"])
    assert sound.recipe is not None
    assert "sound" in str(sound)
    assert len(faulty.faults) == 2
    assert "2 faults" in str(faulty)
    assert len(unknown.faults) == len(foreign.faults) == 1


def test_the_digest_is_of_what_is_said_and_not_of_how(tmp_path: Path) -> None:
    """Order, comments, title and name change nothing; one more word that matters does."""
    one = tmp_path / "one.toml"
    two = tmp_path / "two.toml"
    one.write_text(BASIS + 'options = ["retain-uids", "retain-full-dates"]\ntitle = "a"\n')
    two.write_text('# hi\noptions = ["retain-full-dates", "retain-uids"]\n' + BASIS)
    assert load_recipe(one).digest == load_recipe(two).digest
    recipe = load_recipe(one)
    others = [
        dataclasses.replace(recipe, options=frozenset({Option.RETAIN_UIDS})),
        dataclasses.replace(recipe, basis=Basis.AUTHORIZATION),
        dataclasses.replace(recipe, default_issuer="A"),
        dataclasses.replace(recipe, labels=(Label("x", LabelType.TEXT),)),
        dataclasses.replace(recipe, dates=DatePolicy(-50, -1)),
    ]
    assert len({recipe.digest, *(other.digest for other in others)}) == 6


def test_a_mark_that_some_editors_put_before_the_text_is_none_of_it(tmp_path: Path) -> None:
    """Windows Notepad saves UTF-8 so."""
    (tmp_path / "r.toml").write_bytes(b'\xef\xbb\xbfbasis = "expert-determination"\n')

    assert "r" == load_recipe(tmp_path / "r.toml").name


def test_a_pipe_is_no_recipe(tmp_path: Path) -> None:
    """Nobody waits for what never comes."""
    os.mkfifo(tmp_path / "r.toml")

    with pytest.raises(RecipeError, match="no regular file"):
        load_recipe(tmp_path / "r.toml")
