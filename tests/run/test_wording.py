"""What the user wrote stands in the report, so it names nobody."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from cohortkit.errors import UsageError
from factory import Patient, Series, write_series

BIRTH = dt.date(1948, 2, 29)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("wording")
    extra = {"OtherPatientIDs": ["OPID-5550123", "0771"]}
    write_series(folder, Patient(), Series(slices=1, extra=extra))
    return ck.scan(folder, progress=False, workers=1)


def planned(index: object, reason: str) -> ck.Plan:
    cohort = index.search().filter(pl.col("Rows") > 0, reason=reason)  # type: ignore[attr-defined]
    return ck.plan(cohort, ck.load_recipe("basic"), to="tables")


@pytest.mark.parametrize(
    "reason",
    [
        "without Marjolein Quisling",
        "QUISLING, MARJOLEIN has another scan",
        "not mrn-00471113.",
        "see ACC-7719023",
        "not Quisling again",
        "quisling_marjolein asked",
        "MarjoleinQuisling withdrew",
        "ID=MRN-00471113_withdrew",
        "as Oberholzer says",
        "\uff31uisling",
    ],
)
def test_a_reason_that_names_a_patient_is_refused(index: object, reason: str) -> None:
    """In any case and order, by name or number; the message does not repeat it."""
    with pytest.raises(UsageError, match="names a patient") as caught:
        planned(index, reason)

    assert reason.lower() not in str(caught.value).lower()


@pytest.mark.parametrize(
    "reason",
    [
        "not mrn_00471113",
        "not mrn 00471113",
        "not 471113",
        "patient 00471113",
        "born on {birth:%d.%m.%Y}",
        "of {birth:%d %B %Y}",
        "{birth:%Y%m%d} twice",
        "also known as OPID 5550123",
        "also known as 05550123",
    ],
)
def test_ids_and_birth_dates_are_known_in_any_spelling(index: object, reason: str) -> None:
    """With other separators, with more or fewer zeros, in the forms of dates."""
    with pytest.raises(UsageError, match="names a patient"):
        planned(index, reason.format(birth=BIRTH))


def test_a_name_is_known_without_its_accents_and_in_latin_letters(tmp_path: Path) -> None:
    """Umlauts as two letters or one; another script in ours."""
    for number, name in enumerate(["Mueller^Jo", "Grünfeld^Ida", "Петрова^Анна", "山田^太郎"]):
        patient = Patient(name=name, patient_id=f"MRN-77{number}123")
        extra = {"SpecificCharacterSet": "ISO_IR 192"}
        write_series(tmp_path / str(number), patient, Series(slices=1, number=number, extra=extra))
    index = ck.scan(tmp_path, progress=False, workers=1)
    for reason in ("ask Muller", "as Gruenfeld", "as Grunfeld", "see Petrova", "not 山田太郎"):
        with pytest.raises(UsageError, match="names a patient"):
            planned(index, reason)


def test_the_project_of_a_key_names_nobody(index: object, tmp_path: Path) -> None:
    """It stands at the head of the report; nothing is written."""
    plan = planned(index, "too few slices")
    for project in ("quisling-study", "mrn.00471113", f"study-of-{BIRTH:%Y-%m-%d}"):
        key = ck.Key.new(tmp_path / project, project)
        with pytest.raises(UsageError, match="the key's project: names a patient"):
            ck.export(plan, tmp_path / "out", key, progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("reason", ["too few slices", "40 of 12345 images", "MRN-004711139"])
def test_plain_words_pass(index: object, reason: str) -> None:
    """A number that is nobody's is a number."""
    assert len(planned(index, reason).tasks) == 1


def test_a_constant_in_deids_language_names_nobody(index: object, tmp_path: Path) -> None:
    """A line that puts a patient's number into every object is refused, and told by its place."""
    recipe = tmp_path / "x.dicom"
    recipe.write_text("FORMAT dicom\n%header\nREPLACE StudyID MRN-00471113\n", "utf-8")
    with pytest.raises(UsageError, match="the recipe's line 3: names a patient"):
        ck.plan(index.search(), ck.load_recipe(recipe), to="tables")  # type: ignore[attr-defined]


RECIPE = """
title = "{title}"
basis = "expert-determination"
default_issuer = "{issuer}"
[faces]
heads = "accept"
reason = "{faces}"
[[pixels.accept]]
modality = "CR"
risks = ["not-stated"]
reason = "{pixels}"
[[rules]]
keyword = "KVP"
action = "remove"
reason = "{rule}"
"""


@pytest.mark.parametrize("place", ["title", "issuer", "faces", "pixels", "rule", "name"])
def test_no_place_of_a_recipe_may_name_a_patient(index: object, tmp_path: Path, place: str) -> None:
    """Its reasons are printed in the report, and its file's name is the recipe's."""
    words = dict.fromkeys(("title", "issuer", "faces", "pixels", "rule"), "for the sake of science")
    words |= {"name": "science"}
    plain = tmp_path / "science.toml"
    plain.write_text(RECIPE.format(**words))
    words |= {place: "for Marjolein Quisling"}
    naming = tmp_path / "naming" / f"{words['name'].replace(' ', '_')}.toml"
    naming.parent.mkdir()
    naming.write_text(RECIPE.format(**words))
    cohort = index.search()  # type: ignore[attr-defined]

    ck.plan(cohort, ck.load_recipe(plain), to="tables")
    with pytest.raises(UsageError, match="the recipe's"):
        ck.plan(cohort, ck.load_recipe(naming), to="tables")


MORE = """
options = ["clean-descriptors"]
basis = "expert-determination"
[[pixels.rules]]
when = {{ Modality = "US", {when} = "{device}" }}
keep_regions = true
reason = "{rule}"
[labels]
"{label}" = "text"
[[rules]]
private = {{ group = "0019", creator = "{creator}", element = "0c" }}
action = "remove"
[text]
words = ["{words}"]
"""


@pytest.mark.parametrize("place", ["device", "rule", "label", "creator", "words"])
def test_no_place_is_left_out(index: object, tmp_path: Path, place: str) -> None:
    """Every text of a recipe is looked at, also of what this cohort does not have."""
    said = {"when": "StationName", "device": "Voluson", "rule": "as the device draws it"}
    said |= {"label": "finding", "creator": "ACME 1.1", "words": "protocol"}
    path = tmp_path / "science.toml"
    cohort = index.search()  # type: ignore[attr-defined]
    path.write_text(MORE.format(**said))
    ck.plan(cohort, ck.load_recipe(path), to="tables")
    path.write_text(MORE.format(**(said | {place: "Marjolein Quisling"})))

    with pytest.raises(UsageError, match="the recipe's"):
        ck.plan(cohort, ck.load_recipe(path), to="tables")


@pytest.mark.parametrize("recipe", ["basic", "chest-ct", "brain-mr", "dates-kept"])
def test_what_ships_may_be_used_whatever_somebody_is_called(tmp_path: Path, recipe: str) -> None:
    """A patient called Strictest does not make the basic recipe unusable."""
    for number, name in enumerate(("Strictest", "Agreement", "Disease", "Outbreak")):
        patient = Patient(name=f"{name}^Ada", patient_id=f"MRN-77{number}123")
        write_series(tmp_path / str(number), patient, Series(slices=1, number=number))
    cohort = ck.scan(tmp_path, progress=False, workers=1).search()

    assert ck.plan(cohort, ck.load_recipe(recipe), to="tables")


def test_a_joined_column_that_is_called_as_a_patient_is_refused(index: object) -> None:
    """Names of columns are words of the report too."""
    labels = pl.DataFrame({"AccessionNumber": ["ACC-7719023"], "Quisling^Marjolein": ["yes"]})
    cohort = index.search().join(labels, on="AccessionNumber")  # type: ignore[attr-defined]

    with pytest.raises(UsageError, match="names a patient"):
        ck.plan(cohort, ck.load_recipe("basic"), to="tables")


@pytest.mark.parametrize(
    "text",
    [
        "*0761 5554321*", "*Dr. Fremdname*", "*a.fremd@klinik.example*", "*Lindenallee 44*",
        "*4. Mai 1931*",
        "*04.05.1931*", "*123-45-6789*", "*97 jaehrige*", "*97 Jahre*",
    ],
)  # fmt: skip
def test_a_question_on_a_released_label_tells_nobody(
    index: object, tmp_path: Path, text: str
) -> None:
    """The cell is emptied for that; the question that finds it is told without, or refused."""
    table = pl.DataFrame({"PatientID": ["MRN-00471113"], "finding": ["cough"]})
    joined = index.search().join(table, on="PatientID")  # type: ignore[attr-defined]
    recipe = tmp_path / "r.toml"
    recipe.write_text('basis = "gdpr-pseudonymised"\n[labels]\nfinding = "text"\n')
    read = ck.load_recipe(recipe)

    ck.plan(
        joined.search(finding="*cough*", StudyDate=("2000-01-01", "2039-12-31")), read, to="tables"
    )
    try:
        told = ck.plan(joined.search(finding=text), read, to="tables").about.to_json().decode()
    except UsageError as refused:
        told = str(refused)
    assert text.strip("*") not in told
