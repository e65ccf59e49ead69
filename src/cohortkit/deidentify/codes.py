"""Codes that a broker gave for people: which of them may stand in a release. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Final

from cohortkit.deidentify.identities import normalise
from cohortkit.model import Person

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,23}")
_OURS: Final = re.compile(r"[psr][a-z2-7]{16}", re.IGNORECASE)
_TELLING: Final = 4  # characters of an id that stand in a code by no chance

Given = tuple[Person, str]


def form(code: str) -> str:
    """The code as folders and DICOMDIR know it, where case and dashes make no difference."""
    return code.upper().replace("-", "_")


def read(rows: Iterable[tuple[str, str, str]], issuer: str) -> tuple[list[Given], list[str]]:
    """Who gets which code, and what is wrong, by row (counted from 1) and without a value.

    A code is 1 to 24 letters, digits, ``-`` and ``_``: it names folders, and a file-set has no
    room for more. One that is an id, holds the id that it stands for, or looks like a name that
    cohortkit makes, is none.

    Args:
        rows: issuer, Patient ID, code.
        issuer: stands in where a row has none.
    """
    wrong: list[str] = []
    codes: dict[Person, str] = {}
    owners: dict[str, Person] = {}
    read = [(normalise(a) or normalise(issuer), normalise(b), c.strip()) for a, b, c in rows]
    ids = {form(patient) for _, patient, _ in read}
    for number, (whose, patient, code) in enumerate(read, 1):
        person = Person(whose, patient)
        fault = _fault(patient, code, ids)
        if not fault and codes.setdefault(person, code) != code:
            fault = "this person has another code already"
        if not fault and owners.setdefault(form(code), person) != person:
            fault = (
                "the code is another id's, but for case and dashes; ids of one person are merged "
                "by people (--people), and the one that stays has the code"
            )
        if fault:
            wrong.append(f"row {number}: {fault}")
    return list(codes.items()), wrong


def _fault(patient: str, code: str, ids: Container[str]) -> str:
    if not patient:
        return "the Patient ID is missing"
    if not _CODE.fullmatch(code):
        return "a code is 1 to 24 letters, digits, - and _"
    if _OURS.fullmatch(code):
        return "the code looks like a name that cohortkit makes"
    if form(code) in ids or (len(patient) >= _TELLING and form(patient) in form(code)):
        return "the code is an id, or holds the one that it stands for"
    return ""
