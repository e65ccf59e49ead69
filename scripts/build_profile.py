#!/usr/bin/env python3
"""Build the profile tables that ship with cohortkit from PS3.15 as data.

    python scripts/build_profile.py [STANDARD] [OUT]

STANDARD holds ``ps3_15_table_e1-1.csv`` and ``safe_private.csv`` (default: ../shared/standard
beside the checkout); OUT is the package's data folder. The same input gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STANDARD = ROOT.parent / "shared" / "standard"
OUT = ROOT / "src" / "cohortkit" / "recipe" / "data"

OPTION_COLUMNS = {
    "clean_graphics": "113103",
    "clean_structured_content": "113104",
    "clean_descriptors": "113105",
    "retain_longitudinal_full_dates": "113106",
    "retain_longitudinal_modified_dates": "113107",
    "retain_patient_characteristics": "113108",
    "retain_device_identity": "113109",
    "retain_uids": "113110",
    "retain_institution_identity": "113112",
}
TABLE_NOTE = """\
# DICOM PS3.15 Table E.1-1. Built by scripts/build_profile.py; do not edit.
# basic: the Basic Profile, edition 2026c. keep, clean: the options (CID 7050) under which the
# attribute is K or C, edition as in the last column; empty where none is known: no option holds.
# An X in a tag is any digit (repeating groups). An empty keyword: match by number.
"""
SAFE_NOTE = """\
# DICOM PS3.15 Table E.3.10-1, Safe Private Attributes. Built by scripts/build_profile.py; do not
# edit. element is the last byte; the block byte is the creator's.
"""


MORE_NOTE = """\
# Private elements outside PS3.15 Table E.3.10-1 that hold numbers, of a list that another archive
# keeps, behind a veto by VR, creator and meaning. Built by scripts/build_profile.py; do not edit.
"""
NUMBERS = frozenset({"DS", "IS", "FL", "FD", "SL", "SS", "US", "UL"})
CREATORS = re.compile(r"CTP|INTELERAD|SECTRA|NQ|GEIIS|MITRA|UCSF|SIENET|Agfa")
VETO = re.compile(
    r"\b(?:date|timestamp|stamp|clock|age|birth\w*|patient\w*|site|institut\w*|hospital|station|"
    r"serial|ids?|ident\w*|exam\w*|study|studies|series|uid|comments?|name|physician|operator|user|"
    r"address|phone|unknown|version|private|checksum|crc|hash|key|unique|no|number|weight|height|"
    r"code|pointer|sex|gender|accession|order|protocol|history|text|annotation|label|title|host|"
    r"suite|product|license|tag|marker|path|file|db|database|record|random|seed|raw|report\w*|"
    r"finding\w*|diagnos\w*|string|heart|rr|archived|implant\w*|burned|information|data|"
    r"(?<!echo )(?<!repetition )(?<!inversion )(?<!dead )(?<!exposure )times?)\b",
    re.IGNORECASE,
)
"""Words of a meaning that may count people, things or moments instead of measuring."""


def table(rows: Iterable[Mapping[str, str]]) -> str:
    """The profile's table, one line an attribute, in tag order."""
    lines = [
        (
            row["tag"].upper(),
            row["keyword"],
            row["vr"],
            row["basic"],
            _codes(row, "K"),
            _codes(row, "C"),
            row["options_edition"],
        )
        for row in sorted(rows, key=lambda row: row["tag"].upper())
    ]
    return TABLE_NOTE + _csv("tag keyword vr basic keep clean options_edition", lines)


def safe_private(rows: Iterable[Mapping[str, str]]) -> str:
    """The private elements that the standard itself lists, by creator, group and element."""
    lines = sorted(
        (
            row["private_creator"],
            row["group"].lower(),
            row["element"].lower().removeprefix("xx"),
            row["vr"],
            row["meaning"],
        )
        for row in rows
        if row["in_ps3_15_e3_10_1"] == "True"
    )
    return SAFE_NOTE + _csv("creator group element vr meaning", lines)


def more_private(rows: Iterable[Mapping[str, str]]) -> str:
    """Numbers of another archive's list: no text, no bytes, no UID; nothing that counts people.

    The veto is by VR, by creator and by meaning, and what has no meaning goes too.
    """
    lines = sorted(
        {
            (
                row["private_creator"],
                row["group"].lower(),
                row["element"].lower().removeprefix("xx"),
                row["vr"],
            )
            for row in rows
            if row["in_ps3_15_e3_10_1"] != "True" and row["action"] == "keep" and _harmless(row)
        }
    )
    return MORE_NOTE + _csv("creator group element vr", lines)


def _harmless(row: Mapping[str, str]) -> bool:
    meaning = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", row["meaning"]).strip()
    return (
        row["vr"] in NUMBERS
        and bool(meaning)
        and re.fullmatch(r"xx[0-9a-f]{2}", row["element"].lower()) is not None
        and CREATORS.match(row["private_creator"]) is None
        and VETO.search(meaning) is None
    )


def _codes(row: Mapping[str, str], letter: str) -> str:
    cells = {code: row[column] for column, code in OPTION_COLUMNS.items()}
    unknown = set(cells.values()) - {"", "K", "C"}
    if unknown:
        raise SystemExit(f"{row['tag']}: unknown codes {sorted(unknown)}")
    return " ".join(code for code, cell in cells.items() if cell == letter)


def _csv(header: str, lines: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split())
    writer.writerows(lines)
    return text.getvalue()


def build(standard: Path, out: Path) -> None:
    """Write ``table.csv``, ``safe_private.csv`` and ``more_private.csv`` into ``out``."""
    for source, target, make in (
        ("ps3_15_table_e1-1.csv", "table.csv", table),
        ("safe_private.csv", "safe_private.csv", safe_private),
        ("safe_private.csv", "more_private.csv", more_private),
    ):
        with (standard / source).open(encoding="utf-8", newline="") as file:
            text = make(csv.DictReader(file))
        (out / target).write_text(text, encoding="utf-8", newline="\n")
        print(f"{target}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    build(given[0] if given else STANDARD, given[1] if len(given) > 1 else OUT)
