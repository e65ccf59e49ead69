"""Descriptions under clean descriptors: what is real and harmless stays, what names someone goes.

Blanking is not cleaning: the commonest real SeriesDescriptions of the Imaging Data Commons (its
index is on PyPI) are exported in files of made-up patients, and beside them descriptions into
which the same patient's name, numbers, dates and telephone were typed in many forms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pydicom
from pydicom.dataset import Dataset

from leak.markers import UID_ROOT, Maker
from leak.sheet import ordinary, write

COMMONEST = 1000
GOAL = 0.95
_TYPED = (
    "CT thorax {family}",
    "{given} {family} follow-up",
    "{FAMILY}, {Given} LUNG 1.25",
    "{family}^{given}",
    "ABD for {Family} only",
    "MRN {patient_id} AX T2",
    "AX T2 #{patient_id}",
    "{accession} LUNG",
    "LUNG B60f ({accession})",
    "born {birth_iso}",
    "CT {birth_dotted} thorax",
    "{birth_us} BRAIN",
    "PRE OP {birth}",
    "seen {study_words} COR",
    "call {phone} first",
    "AX {institution}",
    "for Dr {physician} SAG",
    "{physician}/{given} COR T1",
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up patient; every value is one that text may be seen to hold."""

    family: str
    given: str
    patient_id: str
    accession: str
    institution: str
    physician: str
    phone: str
    birth: str
    study: str

    def words(self) -> dict[str, str]:
        """What may stand in a description, by the names used in forms of one."""
        year, month, day = self.birth[:4], self.birth[4:6], self.birth[6:]
        seen = f"{int(self.study[6:])} {_MONTHS[int(self.study[4:6]) - 1]} {self.study[:4]}"
        return {
            "family": self.family, "FAMILY": self.family.upper(), "Family": self.family.title(),
            "given": self.given, "Given": self.given.title(), "patient_id": self.patient_id,
            "accession": self.accession, "institution": self.institution,
            "physician": self.physician, "phone": self.phone, "birth": self.birth,
            "birth_iso": f"{year}-{month}-{day}", "birth_dotted": f"{day}.{month}.{year}",
            "birth_us": f"{month}/{day}/{year}", "study_words": seen,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One description, and what in it must not come out; nothing of a real one."""

    number: int
    text: str
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the descriptions.

    Attributes:
        kept: real ones that came out as they were.
        changed: real ones that came out otherwise.
        real: how many real ones there were.
        named: typed ones that still hold what they must not.
        typed: how many typed ones there were.
        lost: some real ones that did not come out as they were.
    """

    kept: int
    changed: int
    real: int
    named: tuple[str, ...]
    typed: int
    lost: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Descriptions: {self.kept:,} of {self.real:,} real ones kept ({self.share:.1%}), "
            f"{self.changed} changed; {len(self.named)} of {self.typed} with a typed identity "
            "still name someone"
        )

    @property
    def share(self) -> float:
        """Of the real ones that were kept."""
        return self.kept / self.real if self.real else 0.0


def commonest(environment: Path) -> list[str]:
    """The commonest descriptions in the index that is installed in an environment.

    Raises:
        FileNotFoundError: the index is not there.
    """
    found = sorted(environment.glob("lib/python3*/site-packages/idc_index_data/idc_index.parquet"))
    if not found:
        raise FileNotFoundError("idc_index.parquet")
    counted = (
        pl.scan_parquet(found[0])
        .select("SeriesDescription")
        .drop_nulls()
        .group_by("SeriesDescription")
        .len()
        .sort(["len", "SeriesDescription"], descending=[True, False])
        .head(COMMONEST)
        .collect()
    )
    return list(counted["SeriesDescription"])


def build(folder: Path, real: list[str], seed: int) -> list[Case]:
    """Write a file for each description; each of a patient of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    maker = Maker(seed)
    cases = []
    for number, case in enumerate(_forms(real), 1):
        person = _person(maker, number)
        text = case.format_map(person.words()) if number > len(real) else case
        told = person.words()
        secrets = [told[name] for name in told if number > len(real) and f"{{{name}}}" in case]
        write(folder / f"{number:04d}.dcm", _object(person, number, text))
        cases.append(Case(number, text, tuple(secrets)))
    return cases


def judge(outputs: Path, cases: list[Case]) -> Verdict:
    """Compare what came out, file by file of the same name."""
    real = [case for case in cases if not case.secrets]
    typed = [case for case in cases if case.secrets]
    out = {case.number: _text(outputs / f"{case.number:04d}.dcm") for case in cases}
    kept = [case for case in real if out[case.number] == case.text.strip()]
    lost = [case for case in real if case not in kept]
    named = [
        case.text
        for case in typed
        if any(one.casefold() in out[case.number].casefold() for one in case.secrets)
    ]
    changed = sum(bool(out[case.number]) for case in lost)
    return Verdict(
        len(kept), changed, len(real), tuple(named), len(typed), tuple(c.text for c in lost)
    )


def _forms(real: list[str]) -> Iterator[str]:
    yield from real
    for _ in range(10):
        yield from _TYPED


def _person(maker: Maker, number: int) -> Person:
    return Person(
        family=maker.word()[:9],
        given=maker.word()[:7],
        patient_id=f"PX{maker.number(10**7, 10**8)}",
        accession=f"AC{maker.number(10**8, 10**9)}",
        institution=f"{maker.word().title()} Clinic",
        physician=maker.word()[:8],
        phone=f"+49 30 {maker.number(10**6, 10**7)}",
        birth=maker.date(number),
        study=maker.date(number),
    )


def _object(person: Person, number: int, text: str) -> Dataset:
    dataset = ordinary(number)
    dataset.PatientName = f"{person.family.title()}^{person.given.title()}"
    dataset.PatientID = person.patient_id
    dataset.AccessionNumber = person.accession
    dataset.InstitutionName = person.institution
    dataset.ReferringPhysicianName = person.physician.title()
    dataset.PatientTelephoneNumbers = person.phone
    dataset.PatientBirthDate = person.birth
    dataset.StudyDate = person.study
    dataset.SeriesDescription = text
    dataset.SOPInstanceUID = f"{UID_ROOT}.4.{number}.3"
    return dataset


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    value = pydicom.dcmread(path, stop_before_pixels=True).get("SeriesDescription")
    return "" if value is None else str(value).strip()
