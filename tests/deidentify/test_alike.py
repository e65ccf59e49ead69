"""What a header shares with the one before it makes no difference to what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.deidentify import left
from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.deidentify.text.cleaner import cleaner_for
from cohortkit.dicom.loader import read_header
from cohortkit.dicom.plain import Known
from cohortkit.errors import Refusal
from cohortkit.geometry.facts import read_facts
from cohortkit.model import FileRef, Person, SourceInstance, SourceSeries, Task, released
from cohortkit.model.alike import differing
from cohortkit.payloads.rows import rows
from cohortkit.recipe.model import Basis, Option, Recipe
from cohortkit.run.redactions import residue
from cohortkit.traces import fields
from cohortkit.traces.fields import source_texts
from factory import CT, MR, Patient, Series, instance

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("alike", bytes(range(32)))
WHO = Person(Patient().issuer, Patient().patient_id)
RECIPES = [
    Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED, options=frozenset(options))
    for options in (
        (),
        (Option.RETAIN_MODIFIED_DATES, Option.RETAIN_SAFE_PRIVATE),
        (Option.RETAIN_UIDS, Option.CLEAN_DESCRIPTORS),
    )
]
CHANGES: dict[str, list[object]] = {
    "ContentTime": [None, "101112", "101113", ""],
    "StudyDescription": [None, "CHEST of Quisling", "CHEST plain", ""],
    "SeriesDescription": ["Thorax Oberholzer", "Thorax"],
    "SOPClassUID": [CT, MR],
    "PatientAge": ["073Y", "091Y"],
    "PatientSex": [None, "F", "M"],
    "ClinicalTrialSponsorName": [None, "Ottilien", "Other"],
    "SpecificCharacterSet": ["ISO_IR 192", "ISO_IR 100"],
    "StudyDate": ["20210317", "20210318"],
    "creator": ["GEMS_PARM_01", "ANOTHER_ONE ", ""],
    "implicit": [False, True],
    "number": [0, 1, 2],
}
START: dict[str, object] = {
    **{keyword: values[-1] for keyword, values in CHANGES.items()},
    "StudyDescription": "CHEST of Quisling",
    "SOPClassUID": CT,
    "SpecificCharacterSet": "ISO_IR 192",
    "creator": "GEMS_PARM_01",
    "implicit": False,
}


@st.composite
def files(draw: st.DrawFn) -> list[bytes]:
    """A series in which little changes from file to file: elements come, go and come back."""
    state, made = dict(START), []
    for _ in range(draw(st.integers(3, 7))):
        for what in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2, unique=True)):
            state[what] = draw(st.sampled_from(CHANGES[what]))
        made.append(written(**state))
    return made


def written(*, creator: str, implicit: bool, number: int, **values: object) -> bytes:
    """The bytes of a file."""
    dataset = instance(Patient(), Series(), number)
    del dataset.PixelData
    for keyword, value in values.items():
        if value is None:
            dataset.pop(keyword, None)
        else:
            setattr(dataset, keyword, value)
    if creator:
        dataset.add_new(0x00430010, "LO", creator)
        dataset.add_new(0x00431039, "IS", [1000, 8, 0, 0])
        dataset.add_new(0x00431001, "LO", "of a maker")
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def read(paths: Sequence[Path], known: Known | None) -> list[Dataset]:
    return [read_header(path, known)[0] for path in paths]


def said(element: DataElement | RawDataElement) -> object:
    """An element without the place in the file at which it was found."""
    return element[:4] if isinstance(element, RawDataElement) else element


def made_of(headers: list[Dataset], recipe: Recipe) -> object:
    """All that comes of a series: elements, rows, kept keywords and the report of its texts."""
    texts = sorted({repr((word, str(vr), values)) for word, vr, values in source_texts(headers)})
    instances = tuple(SourceInstance(one, None, FileRef("x", 1, 1, "x")) for one in headers)
    task = Task(0, "k", WHO, "1.2.3", "1.2.3.5", CT, "CT", (), over_89=False)
    cleaner = cleaner_for(headers, task, recipe)
    try:
        source = SourceSeries(WHO, instances, read_facts(headers))
        series = deidentify(source, task, recipe, KEY, cleaner=cleaner)
    except Refusal as refusal:
        return texts, refusal.reason
    elements = [[said(one) for one in header.elements()] for header in series.headers]
    report = b"" if cleaner is None else residue(cleaner)
    dummies = [header._dummies for header in series.headers]
    return texts, rows(series), elements, dummies, series.kept, report


def unremembering(headers: list[Dataset], recipe: Recipe) -> object:
    """The same where every element of every file is looked at anew."""
    with pytest.MonkeyPatch.context() as patch:
        for room in (left, released, fields):
            patch.setattr(room, "differing", lambda *_: None)
        return made_of(headers, recipe)


def compare(made: list[bytes], recipe: Recipe) -> None:
    """Hold what is remembered, as one object or by its bytes, to what is looked at anew."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder, str(number)) for number in range(len(made))]
        for path, data in zip(paths, made, strict=True):
            path.write_bytes(data)
        alone, together = read(paths, None), read(paths, Known())

    for one, other in zip(alone, together, strict=True):
        assert [said(e) for e in one._dict.values()] == [said(e) for e in other._dict.values()]
    plain = unremembering(alone, recipe)
    assert plain == made_of(alone, recipe)
    assert plain == made_of(together, recipe)


@pytest.mark.parametrize("what", sorted(CHANGES))
@pytest.mark.parametrize("recipe", RECIPES, ids=["bare", "dates", "texts"])
def test_each_change_is_seen_amid_files_that_are_alike(what: str, recipe: Recipe) -> None:
    """Files that share everything, then each value of one attribute, twice, and back again."""
    values = [START[what]] * 3 + [one for value in CHANGES[what] for one in (value, value)]
    compare([written(**{**START, what: value}) for value in [*values, START[what]]], recipe)


@settings(max_examples=80, deadline=None)
@given(files(), st.sampled_from(RECIPES))
def test_what_headers_share_makes_no_difference(made: list[bytes], recipe: Recipe) -> None:
    """A series whose reader knows what it has read becomes what one of unconnected files does."""
    compare(made, recipe)


def test_what_files_share_is_one_object(tmp_path: Path) -> None:
    """Else the test above would compare nothing: from the third file on most are taken over."""
    for number in range(4):
        dataset = instance(Patient(), Series(), number)
        dataset.save_as(tmp_path / str(number), enforce_file_format=True)

    *_, before, last = read([tmp_path / str(number) for number in range(4)], Known())

    shared = [tag for tag, one in last._dict.items() if before._dict.get(tag) is one]
    assert len(shared) > 0.8 * len(last._dict)


def test_what_files_say_alike_is_judged_once(tmp_path: Path) -> None:
    """Also where another reader made an object of each: then by its bytes and their encoding."""
    for number in range(2):
        dataset = instance(Patient(), Series(), number)
        dataset.save_as(tmp_path / str(number), enforce_file_format=True)
    before, last = (one._dict for one in read([tmp_path / "0", tmp_path / "1"], None))

    changed = differing(last, before)

    assert changed is not None
    assert {t for t, one in last.items() if said(one) != said(before[t])} == set(changed)
    tag = next(t for t in last if t not in changed)
    for other in ({"VR": "UN"}, {"is_little_endian": False}, {"is_implicit_VR": True}):
        turned = {**last, tag: last[tag]._replace(**other)}
        assert tag in (differing(turned, before) or ())
