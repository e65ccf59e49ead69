"""Many files of one person, searched at once: what is found is what is found one by one."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from cohortkit.run.searching import scan_all
from cohortkit.verify import Patterns, scan_file
from cohortkit.verify.memory import Element, Memory, Run
from cohortkit.verify.objects import parts
from cohortkit.verify.search import Hit, Ours
from stored import NAME, clean, patterns, stored

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
THEIRS = patterns(PatientName=NAME)
OURS = Ours(names=frozenset({"p-1"}), folders=frozenset({"dicom"}))
WORDS = ["", "thorax", NAME, "0042", "Jörg", "QUISLING marjolein"]
VARIED = ["ImageComments", "SeriesDescription", "InstanceNumber", "SliceLocation", "StationName"]


def one_by_one(of: Patterns, files: dict[str, bytes], ours: Ours) -> tuple[int, set[object]]:
    """Bytes looked at and hits by name, of files that know nothing of each other."""
    looked, hits = 0, set[object]()
    for name, data in files.items():
        found = scan_file(of, name, data, ours=ours)
        looked += found.bytes
        hits |= {(name, hit) for hit in found.hits}
    return looked, hits


def at_once(of: Patterns, files: dict[str, bytes], ours: Ours) -> tuple[int, set[object]]:
    """The same by the search of many."""
    with tempfile.TemporaryDirectory() as text:
        root = Path(text)
        for name, data in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        looked, hits = scan_all(of, root, list(files), ours)
    return looked, set(hits)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object whose values come, go and come back, in one of two encodings."""
    syntax = draw(st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]))
    dataset = clean(SpecificCharacterSet=draw(st.sampled_from(["ISO_IR 100", "ISO_IR 192"])))
    for keyword in draw(st.sets(st.sampled_from(VARIED))):
        word = draw(st.sampled_from(WORDS))
        number = {"InstanceNumber": 7, "SliceLocation": DSfloat("1.5")}.get(keyword)
        setattr(dataset, keyword, word if number is None else number)
    if draw(st.booleans()):
        inner = Dataset()
        inner.CodeMeaning = draw(st.sampled_from(WORDS))
        dataset.ProcedureCodeSequence = Sequence([inner])
    return stored(dataset, syntax)


@st.composite
def sidecars(draw: st.DrawFn) -> bytes:
    """JSON with cells that come back, and something packed."""
    word = draw(st.sampled_from(WORDS))
    packed = base64.b64encode(f"{draw(st.sampled_from(WORDS))} is here today".encode()).decode()
    body = {"SeriesDescription": word, "Rows": 4, "Packed": packed, "N": draw(st.integers(0, 9))}
    return json.dumps(body, indent=draw(st.sampled_from([None, 2]))).encode()


@given(
    st.lists(st.tuples(st.booleans(), objects(), sidecars()), min_size=1, max_size=6),
    st.sampled_from(["dicom/P-1/s", "dicom/quisling/marjolein", "P-1"]),
)
def test_what_is_found_at_once_is_what_is_found_one_by_one(
    made: list[tuple[bool, bytes, bytes]], folder: str
) -> None:
    """Hits and their files, and how many bytes were looked at."""
    files = {
        f"{folder}/i{number:04d}.{'dcm' if is_object else 'json'}": data if is_object else side
        for number, (is_object, data, side) in enumerate(made)
    }

    assert one_by_one(THEIRS, files, OURS) == at_once(THEIRS, files, OURS)


@given(st.lists(objects(), min_size=2, max_size=6))
def test_elements_that_stand_together_hide_nothing(made: list[bytes]) -> None:
    """Whatever an object says like those before it or not: what is left out was searched."""
    memory = Memory()
    said: set[object] = set()
    for data in made:
        found = parts(data, memory)
        alone = parts(data)
        said |= {*found.cells, *found.rest}

        assert {*alone.cells, *alone.rest} <= said
        letters = sum(len(str(cell)) for _, cell in alone.cells)
        known = found.known.letters + sum(len(str(cell)) for _, cell in found.cells)
        assert letters == known
        memory.settle(clean=True)


def test_the_third_object_of_a_series_is_taken_in_pieces_that_were_known() -> None:
    """What varied in the second is read by itself, and what stands before it is compared."""
    memory = Memory()
    for number in range(3):
        parts(stored(clean(InstanceNumber=str(number), StationName="x")), memory)
        met = list(memory.met)
        memory.settle(clean=True)

    runs = [[one.tag for one in run.elements] for run in met if isinstance(run, Run)]
    assert [[0x00080016, 0x00080018, 0x00081010]] == runs
    assert [0x00200013] == [one.tag for one in met if isinstance(one, Element)]


def test_where_one_file_is_not_clean_its_name_is_told_and_no_other() -> None:
    """Of three, the second names somebody."""
    files = {
        f"dicom/P-1/i{n}.dcm": stored(clean(ImageComments=text))
        for n, text in enumerate(["thorax", f"seen {NAME}", "thorax"])
    }

    _, hits = at_once(THEIRS, files, OURS)

    assert {"dicom/P-1/i1.dcm"} == {name for name, _ in hits}  # type: ignore[misc,attr-defined]
    assert all(isinstance(hit, Hit) for _, hit in hits)  # type: ignore[misc,attr-defined]


def test_the_same_bytes_in_another_character_set_are_read_again() -> None:
    """Elements that are known as bytes are known as they were read."""
    memory = Memory()
    text = "Jörg"
    for number in range(3):
        latin = clean(SpecificCharacterSet="ISO_IR 100", StationName=text.encode().decode("latin1"))
        latin.InstanceNumber = number
        parts(stored(latin), memory)
        memory.settle(clean=True)

    found = parts(stored(clean(SpecificCharacterSet="ISO_IR 192", StationName=text)), memory)

    assert ("StationName", text) in found.cells
