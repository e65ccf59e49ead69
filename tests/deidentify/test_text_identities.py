"""No identity of the patient stays in a cleaned text, however it is spelled and wherever it stands.

The spellings are made here, by this file's own hands, and looked for by its own eyes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.deidentify.text import cleaner, shapes
from cohortkit.deidentify.text.words import Vocabulary
from cohortkit.model import Facts, FileRef, Person, SourceInstance, SourceSeries, Task
from cohortkit.recipe.model import Basis, Option, Recipe, Unlisted
from cohortkit.traces.patterns import Patterns

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("text", bytes(range(32)))
CLEANING = Recipe(
    name="t",
    basis=Basis.GDPR_PSEUDONYMISED,
    options=frozenset({Option.CLEAN_DESCRIPTORS}),
    unlisted=Unlisted.CLEAN,
)
OF_THE_TRADE = ("Vista", "Symphony", "Prisma", "Stack", "Sequence", "Marrow", "Glucose", "Optima")
NAMES = ("Quisling", "Müller", "Ødegård", "O'Brien", "Kovač", "Saint-Exupéry", "May", "Ng", "Xu")
FIELDS = {  # of each VR one of the table, and one that no table lists
    "LO": ("SeriesDescription", "StrainNomenclature"),
    "SH": ("Occupation", "PropertyLabel"),
    "ST": ("DerivationDescription", "MaterialPropertiesDescription"),
    "LT": ("ImageComments", "PulserNotes"),
    "UT": ("ReasonForVisit", "ProtocolPlanningInformation"),
}
TOP = tuple(words[0] for words in FIELDS.values())
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True)
class Someone:
    """A patient; every value may stand in a text."""

    family: str
    given: str
    number: int
    birth: dt.date
    physician: str

    @property
    def patient_id(self) -> str:
        return f"MRN-{self.number:08d}"

    @property
    def phone(self) -> str:
        return f"+49 30 {self.number % 10**7:07d}"

    def header(self, encoding: str) -> Dataset:
        dataset = Dataset()
        dataset.SpecificCharacterSet = encoding
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        dataset.SOPInstanceUID = "1.2.3.4"
        dataset.Modality, dataset.BodyPartExamined = "CT", "CHEST"
        dataset.PatientID = self.patient_id
        dataset.PatientName = f"{self.family}^{self.given}"
        dataset.PatientBirthDate = f"{self.birth:%Y%m%d}"
        dataset.PatientTelephoneNumbers = self.phone
        dataset.ReferringPhysicianName = self.physician
        return dataset


def _days(day: dt.date) -> Iterator[str]:
    month = MONTHS[day.month - 1]
    yield from (f"{day:%Y%m%d}", f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day:%m/%d/%Y}")
    yield from (f"{day.day}.{day.month}.{day.year}", f"{day:%d/%m/%y}", f"{day:%Y %m %d}")
    yield from (f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}")
    yield f"{day:%d}-{month.upper()}-{day.year}"


def spellings(one: Someone) -> list[tuple[str, str]]:
    """(a spelling, what of it must not be seen again)."""
    family, given = one.family, one.given
    names = [family, family.upper(), family.lower(), f"{family}^{given}", f"{given} {family}"]
    names += [
        f"{family}, {given}",
        f"{given}_{family}",
        f"{given[0]}. {family}",
        f"{family}{given}",
    ]
    names += [f"{family} {given[0]}.", unicodedata.normalize("NFD", family), f"{family}'s"]
    names += [f"CT{family}", f"{family}3T", f"T2{family}Prisma"]
    found = [(text, family) for text in names]
    found += [(f"Dr {one.physician}", one.physician), (one.physician.upper(), one.physician)]
    digits = f"{one.number:08d}"
    found += [
        (text, digits.lstrip("0"))
        for text in (one.patient_id, digits, f"#{digits}", f"MRN{digits}")
    ]
    found += [(f"{digits[:4]}{by}{digits[4:]}", digits[4:]) for by in (" ", "-", ". ")]
    found += [(one.phone, f"{one.number % 10**7:07d}")]
    found += [(text, text) for text in _days(one.birth)]
    return found


MAY = Someone("May", "Grace", 4711123, dt.date(1948, 5, 3), "Trio")
PEOPLE = st.builds(
    Someone,
    st.sampled_from((*OF_THE_TRADE, *NAMES)),
    st.sampled_from(("Marjolein", "Optima", "Bo", "Jean-Luc", "Grace")),
    st.integers(10**6 + 1, 10**8 - 1),
    st.dates(dt.date(1920, 1, 1), dt.date(2010, 12, 31)),
    st.sampled_from(("Oberholzer", "Trio", "Nakamura")),
)
AROUND = st.sampled_from(
    (
        "{}",
        "CT thorax {}",
        "{} LUNG 1.25",
        "AX_{}_T2",
        "axial ({}) T1",
        "control of {} with contrast",
        "{}/{}",
        "AX T2 {}, MR 3T [{}]",
    )
)


def planted(one: Someone, text: str, vr: str, depth: int, encoding: str) -> Dataset:
    """The header with a text in both fields of a VR, at a depth, as it comes out of a file."""
    header = inner = one.header(encoding)
    for _ in range(depth):
        item = Dataset()
        inner.RequestAttributesSequence = Sequence([item])
        inner = item
    for keyword in FIELDS[vr]:
        setattr(inner, keyword, text)
    return header


def read_again(header: Dataset, syntax: str) -> Dataset:
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, header, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def cleaned(*headers: Dataset, person: str, **more: Any) -> list[Dataset]:  # noqa: ANN401 - any field of a task
    who = Person("", person)
    instances = tuple(SourceInstance(one, None, FileRef("x", 1, 1, "x")) for one in headers)
    task = Task(0, "k", who, "1.2.3", "1.2.3.5", "1.2.840.10008.5.1.4.1.1.2", "CT", (), **more)
    source = SourceSeries(who, instances, Facts(instances=()))
    return [one._dataset for one in deidentify(source, task, CLEANING, KEY).headers]


OURS = frozenset(
    {"PatientID", "DeidentificationMethod", "CodeMeaning", "CodingSchemeDesignator", "CodeValue"}
)


def texts(dataset: Dataset) -> list[str]:
    """All text of a released header but its own statement and the pseudonyms."""
    return [
        str(element.value or "")
        for element in dataset.iterall()
        if element.VR in FIELDS and element.keyword not in OURS
    ]


def seen(secret: str, text: str) -> bool:
    """Whether a stranger reads the secret there: its letters, whatever case and accents.

    Between other letters too, where a capital parts them.
    """

    def bare(written: str) -> str:
        apart = unicodedata.normalize("NFKD", written.replace("Ø", "O").replace("ø", "o"))
        return "".join(c for c in apart if not unicodedata.combining(c)).casefold()

    apart = re.sub(r"(?<=[A-Za-z])(?=[A-Z][a-z])", " ", text)
    found = rf"(?<![^\W\d_]){re.escape(bare(secret))}(?![^\W\d_])"
    return re.search(found, bare(text)) is not None or re.search(found, bare(apart)) is not None


@given(
    PEOPLE,
    AROUND,
    st.integers(0, 10_000),
    st.sampled_from(sorted(FIELDS)),
    st.integers(0, 3),
    st.sampled_from(("ISO_IR 192", "ISO_IR 100")),
    st.sampled_from((ExplicitVRLittleEndian, ImplicitVRLittleEndian)),
)
@example(MAY, "{}", 0, "LO", 0, "ISO_IR 192", ExplicitVRLittleEndian)
def test_no_planted_identity_stays_in_a_text(
    one: Someone, around: str, which: int, vr: str, depth: int, encoding: str, syntax: str
) -> None:
    """Spelling x words around x VR x depth x character set x transfer syntax."""
    forms = spellings(one)
    text, secret = forms[which % len(forms)]
    if encoding == "ISO_IR 100" and not (text + one.family).isascii():
        encoding = "ISO_IR 192"
    header = read_again(planted(one, around.replace("{}", text), vr, depth, encoding), syntax)

    (out,) = cleaned(header, person=one.patient_id)

    assert [] == [left for left in texts(out) if seen(secret, left)]


@given(PEOPLE, AROUND, st.integers(0, 10_000))
def test_a_text_that_was_cleaned_stays_as_it_is(one: Someone, around: str, which: int) -> None:
    """Cleaning again, with the same patient known, changes nothing."""
    forms = spellings(one)
    header = planted(one, around.replace("{}", forms[which % len(forms)][0]), "LO", 0, "ISO_IR 192")
    (once,) = cleaned(header, person=one.patient_id)
    again = planted(one, once.get("SeriesDescription") or "CT", "LO", 0, "ISO_IR 192")

    (twice,) = cleaned(again, person=one.patient_id)

    assert (once.get("SeriesDescription") or "CT") == twice.SeriesDescription


@given(PEOPLE, st.lists(st.sampled_from(TOP), min_size=2, max_size=5, unique=True), st.randoms())
def test_the_order_of_files_changes_nothing(one: Someone, fields: list[str], random: Any) -> None:  # noqa: ANN401 - hypothesis gives it no name
    """What one file of a series tells of the patient is known in all, whichever is first."""
    headers = []
    for number, keyword in enumerate(fields):
        header = one.header("ISO_IR 192")
        header.InstanceNumber = number
        setattr(header, keyword, f"CT {one.given} thorax Zorbulax")
        if number:
            del header.PatientName
        headers.append(header)
    shuffled = list(headers)
    random.shuffle(shuffled)

    first = cleaned(*headers, person=one.patient_id)
    second = cleaned(*shuffled, person=one.patient_id)

    def by_number(out: list[Dataset]) -> dict[int, str]:
        return {int(one.InstanceNumber): repr(texts(one)) for one in out}

    assert by_number(first) == by_number(second)
    assert [] == [left for out in first for left in texts(out) if seen(one.given, left)]


def test_what_the_index_and_joined_columns_tell_is_known() -> None:
    """A name of another study, and one of a joined table, stand in no text of this series."""
    one = Someone("Quisling", "Marjolein", 4711123, dt.date(1948, 5, 3), "Trio")
    header = one.header("ISO_IR 192")
    header.SeriesDescription = "CT Vista thorax Symphony Prisma 77881 control 7.5 axial 2019"

    (out,) = cleaned(
        header,
        person=one.patient_id,
        known=(("PatientName", "Vista^Marjolein"),),
        joined=(
            ("nick", "Symphony Prisma"),
            ("old", 77881),
            ("dose", 7.5),
            ("x", None),
            ("y", True),
        ),
    )

    assert "CT thorax control 7.5 axial" == out.SeriesDescription


Sabotage = Callable[[pytest.MonkeyPatch], None]
SABOTAGES: dict[str, tuple[Sabotage, str]] = {
    "nothing is known": (
        lambda patch: patch.setattr(cleaner, "known", lambda *_a, **_k: Patterns(())),
        "CT Vista thorax",
    ),
    "every word is of the trade": (
        lambda patch: patch.setattr(Vocabulary, "_knows", lambda *_: True),
        "CT Zorbulax thorax",
    ),
    "no form tells": (
        lambda patch: patch.setattr(shapes, "SHAPES", ()),
        "CT thorax Mrs Hand",
    ),
    "glued words are one": (
        lambda patch: patch.setattr(cleaner.Cleaner, "_glued", lambda *_: iter(())),
        "CTVista thorax",
    ),
    "nothing tells": (
        lambda patch: patch.setattr(cleaner.Cleaner, "_telling", lambda *_: iter(())),
        "CT thorax for Vista",
    ),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_sabotage_each_part_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: without one of its parts cleaning lets through what only that part sees."""
    sabotage, text = SABOTAGES[name]
    one = Someone("Vista", "Marjolein", 4711123, dt.date(1948, 5, 3), "Trio")
    header = one.header("ISO_IR 192")
    header.SeriesDescription = text
    cleaner._vocabulary.cache_clear()
    (sound,) = cleaned(header, person=one.patient_id)

    sabotage(monkeypatch)
    cleaner._vocabulary.cache_clear()
    (broken,) = cleaned(header, person=one.patient_id)
    cleaner._vocabulary.cache_clear()

    assert text != sound.SeriesDescription
    assert text == broken.SeriesDescription
