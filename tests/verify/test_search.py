from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import io
import json
import zlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.model import Person, Task
from cohortkit.traces.fields import Kind
from cohortkit.verify import Patterns, collect, scan_file, scan_rows, search
from cohortkit.verify.canary import nifti, png
from cohortkit.verify.search import Ours
from factory import Patient, Series, instance

PATIENT = Patient()


def patterns(*, shifted: bool = False, **values: str) -> Patterns:
    header = instance(PATIENT, Series(), 0)
    for keyword, value in values.items():
        setattr(header, keyword, value)
    person = Person(PATIENT.issuer, str(header.PatientID))
    task = Task(0, "k", person, header.StudyInstanceUID, header.SeriesInstanceUID, "", "CT", ())
    return collect([header], task, frozenset(), shifted=shifted)


ALL = patterns()


def found(data: bytes, name: str = "nifti/p/s/r.json", *, of: Patterns = ALL) -> set[Kind]:
    return {hit.kind for hit in search(of, name, data)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("quisling", Kind.NAME),
        ("xxMARJOLEIN.QUISLINGxx", Kind.NAME),
        ("scan of MRN00471113.", Kind.PATIENT_ID),
        ("29.02.1948", Kind.BIRTH_DATE),
        ("on 03/17/2021", Kind.DATE),
        ("OBERHOLZER", Kind.PHYSICIAN),
        ("weidenstrasse 17, oberdorf", Kind.ADDRESS),
        ("Krankenhaus Sankt Ottilien", Kind.INSTITUTION),
        ("ACC-7719023", Kind.IDENTIFIER),
        (instance(PATIENT, Series(), 0).SOPInstanceUID, Kind.UID),
    ],
)
def test_an_identity_in_a_sidecar_is_found_whatever_its_spelling(text: str, kind: Kind) -> None:
    """The value is found and its kind told."""
    assert kind in found(json.dumps({"A": [{"B": text}]}).encode())


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512", "blake2b", "blake2s"])
@pytest.mark.parametrize("value", [PATIENT.patient_id, PATIENT.name, PATIENT.accession])
def test_a_digest_without_a_key_is_the_value(name: str, value: str) -> None:
    """Whole or cut short, in either case: who has the list of patients has them all."""
    digest = hashlib.new(name, value.encode()).hexdigest()

    for text in (digest, digest[:16], f"sub-{digest.upper()}"):
        assert {Kind.DIGEST} == found(json.dumps({"A": text}).encode())


def test_a_hit_tells_place_and_kind_and_never_the_value() -> None:
    """What is reported of an identity must not be one."""
    hits = search(ALL, "nifti/p/s/r.json", b'{"a": "Quisling"}')

    assert {("json", Kind.NAME)} == {(hit.place, hit.kind) for hit in hits}
    assert "uisling" not in repr(hits)


@pytest.mark.parametrize(
    "data",
    [
        nifti(descrip=b"Time of Quisling"),
        nifti(extension=b"\x40\0\0\0\x06\0\0\0" + b"a Quisling".ljust(56, b"\0")),
        nifti() + b"Quisling",
        gzip.compress(nifti(descrip=b"Quisling"), mtime=0),
        gzip.compress(nifti(), mtime=0) + b"Quisling",
        gzip.compress(nifti() + b"Quisling", mtime=0),
        gzip.compress(b"not NIfTI: Quisling", mtime=0),
        png(b"tEXt", b"Author\0Quisling"),
        png(b"zTXt", b"Author\0\0" + zlib.compress(b"by Quisling")),
        png(b"iCCP", b"x profile\0\0" + zlib.compress(b"Quisling")),
        png(b"pRVT", b"\x78 no stream \x78" + zlib.compress(b"Quisling")),
        png(b"tIME", b"") + b"Quisling",
        b"\x1f\x8b\x08 broken Quisling gzip",
        b"\x89PNG\r\n\x1a\n" + b"Quisling"[:8],
        b'{"broken json": "Quisling',
        "Quisling".encode("utf-16-le"),
        "Quisling".encode("utf-16-be"),
        b"",
    ],
)
def test_no_place_outside_of_the_samples_hides_a_name(data: bytes) -> None:
    """Headers, extensions, chunks, what is packed, what lies behind the end, what is broken."""
    suffix = "nii.gz" if data[:2] == b"\x1f\x8b" else "nii"
    if data[:1] in (b"\x89", b"{"):
        suffix = "png" if data[:1] == b"\x89" else "json"

    assert (Kind.NAME in found(data, f"nifti/p/s/r.{suffix}")) is bool(data)


def test_gzip_s_own_file_name_is_searched() -> None:
    """Gzip writes the name of the file that it packed, unless told not to."""
    out = io.BytesIO()
    with gzip.GzipFile("Quisling.nii", "wb", 1, out, 0) as file:
        file.write(nifti())

    assert {Kind.NAME} == found(out.getvalue(), "nifti/p/s/r.nii.gz")


def test_samples_are_not_searched() -> None:
    """Eight voxels that spell a name are eight voxels: they are checked by digest."""
    data = nifti()[:-8] + b"Quisling"

    assert set() == found(data, "nifti/p/s/r.nii")
    assert set() == found(gzip.compress(data, mtime=0), "nifti/p/s/r.nii.gz")
    assert len(data) > scan_file(ALL, "r.nii", data).bytes / 4


def test_a_table_is_searched_by_cell_and_by_column_name() -> None:
    """Strings, lists of strings and long numbers; a DICOM keyword as a column is no hit."""
    frames = {
        Kind.NAME: pl.DataFrame({"PatientName": [["a", "von Quisling"]]}),
        Kind.PATIENT_ID: pl.DataFrame({"MRN-00471113": [1]}),
    }
    for kind, frame in frames.items():
        out = io.BytesIO()
        frame.write_parquet(out)
        assert {kind} == found(out.getvalue(), "tables/series.parquet")


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("control of Quisling", {Kind.NAME}),
        (["a", "Quisling"], {Kind.NAME}),
        (dt.date(1948, 2, 29), {Kind.BIRTH_DATE}),
        (dt.datetime(2021, 3, 17, 8, 14), {Kind.DATE}),  # noqa: DTZ001 - as DICOM has it
        (19480229, {Kind.BIRTH_DATE}),
        (19480229.0, {Kind.BIRTH_DATE}),
        (-689176800, {Kind.BIRTH_DATE}),
        (1615990000, {Kind.DATE}),
        (1615990000123, {Kind.DATE}),
        (1625990000, set()),
        (210317, set()),
        ("210317", {Kind.DATE}),
        ("x210317", set()),
        ("2021.03.17", {Kind.DATE}),
        ("March 17, 2021", {Kind.DATE}),
        ("17/3/21", {Kind.DATE}),
        ("1.17.3.21", set()),
        ("at 1615990000.5 s", {Kind.DATE}),
        ("SANKT_OTTILIEN 3T", {Kind.INSTITUTION}),
        ("the ottilien protocol", {Kind.INSTITUTION}),
        ("Oberdorf", {Kind.ADDRESS}),
        (20210317, {Kind.DATE}),
        (119480229, set()),
        (4711, set()),
        (None, set()),
        (True, set()),
        (0.471113, set()),
    ],
)
def test_rows_are_searched_by_the_type_of_a_cell(value: object, kinds: set[Kind]) -> None:
    """Text is text, a date its ISO form, a number itself."""
    hits = scan_rows(ALL, {"series": ({"SeriesDescription": value},)}).hits

    assert kinds == {hit.kind for hit in hits}
    assert all(hit.place == "table series.SeriesDescription" for hit in hits)


def test_a_long_id_written_as_a_number_is_found() -> None:
    """A table that made a number of an id leaks it all the same."""
    of = patterns(PatientID="20471113")

    assert {Kind.PATIENT_ID} == {
        hit.kind for hit in scan_rows(of, {"labels": ({"id": 20471113}, {"id": 20471113.0})}).hits
    }


def test_moved_dates_are_not_searched_where_a_cell_is_of_type_date_and_text_still_is() -> None:
    """A shifted date may fall on another date of the patient; no text is ever shifted."""
    of = patterns(shifted=True)

    assert () == scan_rows(of, {"studies": ({"StudyDate": dt.date(2021, 3, 17)},)}).hits
    assert 1 == len(scan_rows(of, {"labels": ({"When": "2021-03-17 10:22"},)}).hits)
    assert {Kind.DATE} == found(b'{"InstanceNumber": 20210317}', of=of)
    assert {Kind.DATE} == found(b'{"Comment": "2021-03-17"}', of=of)
    assert {Kind.DATE} == found(b'{"Comment": "seen 2021-03-17"}', of=of)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("John Smith", "exam JOHNSMITH 2"),
        ("O'Brien^Ann", "OBRIEN"),
        ("van der Berg^Jan", "VANDERBERG"),
        ("Garcia Lopez^Ana", "GarciaLopez"),
        ("Quisling^Marjolein", "mquisling"),
        ("Quisling^Marjolein", "QUISLINGM"),
        ("Quisling^Marjolein", "\uff31\uff55\uff49\uff53\uff4c\uff49\uff4e\uff47"),
        ("Quisling^Marjolein", "Qui\u200bsling"),
        ("\u0141ukasz^Jan", "LUKASZ"),
        ("Mueller^Jan", "M\u00fcller"),
        ("M\u00fcller^Jan", "MULLER"),
        ("Muller^Jan", "m\u00fcller"),
        ("M\u00c3\u00bcller^Jan", "M\u00fcller"),
        ("^^^Quisling", "quisling"),
        ("Quisling^Marjolein", "Qu\u0456sling"),
        ("Quisling^Marjolein", "\u0410\u041d\u041d\u0410 QUISL\u0399NG"),
        ("\u0421\u0415\u041c\u0415\u041d\u041e\u0412^\u0418\u0432\u0430\u043d", "Semenov"),
        ("Mueller^Jan", "MULLER"),
        ("J\u00f8rgensen^Jan", "Joergensen"),
        ("Strauss^Jan", "STRAU\u1e9e"),
        ("\u738b^\u5c0f\u660e", "\u738b"),
        ("\u738b^\u5c0f\u660e", "\u60a3\u8005\u738b\u5c0f\u660e\u5148\u751f"),
        ("\uae40^\ubbfc\uc900", "\uae40 scan"),
    ],
)
def test_a_name_is_found_in_the_spellings_of_people_and_programs(name: str, written: str) -> None:
    """Glued, without accents or with others, as a log-in, in wide letters, read in a wrong set."""
    of = patterns(PatientName=name)

    assert Kind.NAME in found(json.dumps({"a": f"x {written} y"}).encode(), of=of)
    assert Kind.NAME in found(json.dumps({"a": written}, ensure_ascii=False).encode(), of=of)


@pytest.mark.parametrize(
    "text",
    [
        "2.25.4711132047111320471113",
        "0.20471113",
        "20471113.5",
        "x120471113",
        "204711130",
    ],
)
def test_a_number_inside_another_number_is_no_hit(text: str) -> None:
    """Eight digits are inside a random UID in one of a million places."""
    of = patterns(PatientID="20471113", PatientName="")

    assert Kind.PATIENT_ID not in found(json.dumps({"a": text}).encode(), of=of)


@pytest.mark.parametrize(
    "written",
    [
        12345,
        12345.0,
        [1, 12345],
        "00012345",
        "1.2345e4",
        "1.2345E+04",
        "12345.00",
        "(12345)",
    ],
)
@pytest.mark.parametrize("patient_id", ["12345", "0012345", "MRN-12345"])
def test_a_number_of_five_digits_is_found_in_every_form(patient_id: str, written: object) -> None:
    """As a number, with zeros around it, with an exponent, and in the files that hold it."""
    of = patterns(PatientID=patient_id)

    assert {Kind.PATIENT_ID} == {
        hit.kind for hit in scan_rows(of, {"labels": ({"n": written},)}).hits
    }
    assert Kind.PATIENT_ID in found(json.dumps({"a": written}).encode(), of=of)
    assert Kind.PATIENT_ID in found(f"a,b\n{written},2".encode(), "tables/a.csv", of=of)


@pytest.mark.parametrize("written", [123456, 1234, "112345", "12345.5", "1.12345", "a12345", "1e5"])
def test_another_number_is_not(written: object) -> None:
    """A part of another number is no number."""
    of = patterns(PatientID="12345", PatientName="")

    assert () == scan_rows(of, {"labels": ({"n": written},)}).hits


@pytest.mark.parametrize("text", ["MRN471113", "471113", "0471113", "x471113y"])
def test_a_number_of_six_digits_is_found_behind_letters(text: str) -> None:
    """As one of eight."""
    assert Kind.PATIENT_ID in found(
        json.dumps({"a": text}).encode(), of=patterns(PatientID="471113")
    )


@pytest.mark.parametrize(
    "data",
    [
        png(b"tEXt", b"Author\0Wu"),
        png(b"zTXt", b"Author\0\0" + zlib.compress(b"by Wu")),
        png(b"iTXt", b"Author\0\0\0\0\0Wu"),
        nifti(descrip=b"of Wu"),
        "\u738b\u5c0f".encode(),
    ],
)
def test_a_short_name_is_found_where_there_is_text(data: bytes) -> None:
    """Chunks of text are text; two ideographs are six bytes, and no chance."""
    of = patterns(PatientName="Wu^\u738b\u5c0f=\u738b\u5c0f")

    assert Kind.NAME in found(data, "x.bin", of=of) | found(data, "x.nii", of=of)


@pytest.mark.parametrize("word", ["NIFTI", "Basic", "Modality", "Tilt", "MODIFIED"])
def test_a_patient_who_is_called_as_one_of_our_words_is_found_in_any_other_place(word: str) -> None:
    """Our constants stand where they stand: the same word in a description is the patient."""
    of = patterns(PatientName=word)
    ours = Ours(
        folders=frozenset({"nifti"}),
        places={
            "DeidentificationRecipe": frozenset({"basic"}),
            "PatientIdentityRemoved": frozenset({"yes"}),
            "LongitudinalTemporalInformationModified": frozenset({"modified"}),
            "Reason": frozenset({"tilt"}),
        },
    )
    mine = {
        "DeidentificationRecipe": "basic",
        "GeometryPolicies": [{"Reason": "tilt"}],
        "LongitudinalTemporalInformationModified": "MODIFIED",
        "Modality": "CT",
        "PatientIdentityRemoved": "YES",
    }
    hers = {"SeriesDescription": word}

    assert () == search(of, "nifti/p/s/r.json", json.dumps(mine).encode(), ours=ours)
    assert search(of, "nifti/p/s/r.json", json.dumps(hers).encode(), ours=ours)
    assert scan_rows(of, {"series": (hers,)}, ours=ours).hits
    assert () == scan_rows(of, {"series": ({"Modality": "MR"},)}, ours=ours).hits


@pytest.mark.parametrize("text", ["id=20471113", "(20471113)", "MRN20471113", "20471113"])
def test_a_number_that_stands_alone_is_a_hit(text: str) -> None:
    """Behind letters too."""
    of = patterns(PatientID="20471113")

    assert Kind.PATIENT_ID in found(json.dumps({"a": text}).encode(), of=of)


def test_short_values_are_found_as_whole_tokens_only() -> None:
    """``Wu`` is in ``Wuppertal``; ``Wu^Li`` is a name."""
    of = patterns(PatientName="Wu^Li")

    assert set() == found(b'{"a": "Wuppertal liver"}', of=of)
    assert {Kind.NAME} == found(b'{"a": "seen by_wu today"}', of=of)


def test_an_ordinal_in_a_file_name_is_no_short_id() -> None:
    """A patient with the ID 0010 does not make ``0010.png`` a leak; in a cell it is one."""
    of = patterns(PatientID="0010", PatientName="")

    assert set() == found(png(b"tIME", b""), "png/p/s/r/0010.png", of=of)
    assert {Kind.PATIENT_ID} == found(b'{"a": "0010"}', of=of)


def test_our_own_folders_and_endings_are_no_hits() -> None:
    """Patients named NIfTI and PNG are not in every path; another folder of that name is."""
    of = patterns(PatientName="NIFTI^PNG")
    ours = Ours(folders=frozenset({"nifti"}))

    assert () == search(of, "nifti/p/s/r.nii.gz", b"", ours=ours)
    assert () == search(of, "nifti/p/s/r/i1.png", b"", ours=ours)
    assert search(of, "nifti/p/of nifti/r.nii.gz", b"", ours=ours)


def test_a_name_in_a_file_name_is_found() -> None:
    """Names are searched in every part of the path, the first and the only one too."""
    ours = Ours(folders=frozenset({"nifti"}), names=frozenset({"p"}))

    for name in ("nifti/p/quisling/r.nii", "quisling/p/s/r.nii", "quisling.nii", "p/p/quisling"):
        assert {Kind.NAME} == {hit.kind for hit in search(ALL, name, nifti(), ours=ours)}


def test_our_own_words_are_not_from_a_patient() -> None:
    """A patient named Basic, under the recipe basic: a cell that is ours as a whole is no hit.

    The same word in any other cell is one.
    """
    of = patterns(PatientName="Basic")
    ours = Ours(places={"recipe": frozenset({"basic"})})

    assert () == search(of, "a.json", b'{"recipe": "basic"}', ours=ours)
    assert search(of, "a.json", b'{"recipe": "Basic indeed"}', ours=ours)
    assert search(of, "a.json", b'{"Comment": "basic"}', ours=ours)


def test_a_dicom_keyword_as_a_key_is_no_hit_and_any_other_key_is_searched() -> None:
    """A patient named Rescale is not in every sidecar."""
    of = patterns(PatientName="Rescale^Slope")

    assert set() == found(b'{"RescaleSlope": "x"}', of=of)
    assert {Kind.NAME} == found(b'{"Rescale Slope": "x"}', of=of)


def test_a_term_of_a_sidecar_as_a_key_is_no_hit_and_as_a_value_is() -> None:
    """A phantom named for its slice timing is not in every time series."""
    of = patterns(PatientName="Slice Timing")

    assert set() == found(b'{"SliceTiming": [0, 1]}', of=of)
    assert {Kind.NAME} == found(b'{"Comment": "SliceTiming"}', of=of)


@given(
    before=st.text(st.characters(codec="ascii", categories=["P", "Z"]), max_size=9),
    after=st.text(st.characters(codec="ascii", categories=["P", "Z"]), max_size=9),
    upper=st.booleans(),
)
def test_whatever_stands_around_it_a_name_is_found(before: str, after: str, upper: bool) -> None:  # noqa: FBT001 - drawn
    """Separators do not hide a name, neither in JSON nor in bytes."""
    text = f"{before}Quisling{after}"
    text = text.upper() if upper else text

    assert Kind.NAME in found(json.dumps({"k": text}).encode())
    assert Kind.NAME in found(text.encode(), "a.bin")
    assert Kind.NAME in found(text.encode(), "a.csv")


@given(st.binary(max_size=300), st.sampled_from(["nii", "nii.gz", "png", "json", "parquet", "x"]))
def test_hostile_bytes_never_crash_the_search(data: bytes, suffix: str) -> None:
    """A writer's bug, or an enemy's file: the search answers."""
    for head in (b"", b"\x1f\x8b\x08\x04", b"\x89PNG\r\n\x1a\n", nifti()[:348], b"PAR1"):
        scan_file(ALL, f"a.{suffix}", head + data)


def test_a_clean_release_of_the_same_patient_is_clean() -> None:
    """No pattern of a patient with a full header is found in an ordinary sidecar and table."""
    sidecar = {
        "Modality": "CT",
        "Manufacturer": "ACME",
        "SliceThickness": 2.5,
        "ConversionSoftware": "cohortkit",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "KVP": 120,
    }
    rows = {"series": ({"patient": "pabcdefghijklmnop", "Modality": "CT", "Rows": 12},)}

    assert set() == found(json.dumps(sidecar).encode())
    assert () == scan_rows(ALL, rows).hits


def test_an_empty_set_of_patterns_finds_nothing() -> None:
    """The automaton of no pattern is not built."""
    assert () == search(Patterns(()), "a.json", b'{"a": "Quisling"}')


def _notebook(*outputs: dict[str, object]) -> bytes:
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": "x", "outputs": outputs}]}
    ).encode()


def _stream(*chunks: str) -> dict[str, object]:
    return {"output_type": "stream", "name": "stdout", "text": list(chunks)}


@pytest.mark.parametrize(
    "outputs",
    [
        (_stream("Quisling^Mar", "jolein"),),
        (_stream("MRN-0047"), _stream("1113\n")),
        (_stream("MRN-00"), {"data": {"text/plain": ["471113"]}}),
        ({"data": {"text/plain": "MRN-004"}}, {"data": {"text/plain": ["71113"]}}),
    ],
)
def test_what_a_notebook_keeps_in_pieces_is_read_whole(outputs: tuple[dict[str, object]]) -> None:
    """A name over two chunks or outputs is on the page, and so it is found."""
    assert found(_notebook(*outputs), "walk.ipynb") & {Kind.NAME, Kind.PATIENT_ID}
    assert set() == found(_notebook(_stream("Quis ", "lung")), "walk.ipynb")


@pytest.mark.parametrize("name", ["walk.ipynb", "page.html", "run.log", "x.json"])
@pytest.mark.parametrize("packed", ["plain", "png", "gzip", "lines"])
def test_what_is_in_base64_is_unpacked(name: str, packed: str) -> None:
    """A picture with a name in a chunk of text, or bytes of any kind."""
    said = b"of MRN-00471113, Quisling^Marjolein"
    body = {"png": png(b"tEXt", b"k\0" + said), "gzip": gzip.compress(said)}.get(packed, said)
    text = (base64.encodebytes if packed == "lines" else base64.b64encode)(body).decode()
    data = text.encode()
    if name.endswith(("ipynb", "json")):
        data = _notebook({"data": {"image/png": text, "application/x": [text]}})
    assert found(data, name) & {Kind.NAME, Kind.PATIENT_ID}


@given(st.binary(max_size=200))
def test_what_is_no_base64_hurts_nobody(data: bytes) -> None:
    """Any bytes under such a name are searched without a fault."""
    for name in ("walk.ipynb", "run.log"):
        found(data, name)
