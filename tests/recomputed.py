"""What the dates of a release must be, reckoned from key and archive. Knows nothing of cohortkit.

A moved date falls on the true date of somebody else at times: who looks for true dates alone cannot
tell that from a leak. So every cell of type date is proved instead: it is one of the dates of its
own row's patient, moved by that patient's days. The pseudonym and the days are made here again from
the words of the documentation (HMAC-SHA256 over five parts, each behind its length), with the
standard library alone.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pydicom
from pydicom.dataset import Dataset

VERSION = "1"
BLANKS = "\0 \t\n\r\f\v"
DAYS = (-1825, -1)
"""The range of the shift where a recipe names none."""


@dataclass(frozen=True)
class Secret:
    """The key of a project as its file has it."""

    project: str
    secret: bytes

    @classmethod
    def read(cls, path: Path) -> Secret:
        """Of a key file."""
        body = tomllib.loads(path.read_text("utf-8"))
        return cls(body["project"], bytes.fromhex(body["secret"]))

    def digest(self, domain: str, value: str, issuer: str = "") -> bytes:
        """The MAC of one value in one domain."""
        mac = hmac.new(self.secret, digestmod="sha256")
        for part in (VERSION, self.project, domain, bare(issuer), bare(value)):
            data = part.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(4, "big") + data)
        return mac.digest()

    def patient(self, who: tuple[str, str]) -> str:
        """The pseudonym of (issuer, id)."""
        digest = self.digest("patient", who[1], who[0])
        return "p" + base64.b32encode(digest[:10]).decode().lower()

    def days(self, who: tuple[str, str], low: int, high: int) -> int:
        """By which the dates of (issuer, id) move: never 0."""
        there = [day for day in range(low, high + 1) if day]
        limit = (1 << 64) // len(there) * len(there)
        attempt = 0
        while True:
            digest = self.digest(f"shift/{attempt}", who[1], who[0])
            drawn = int.from_bytes(digest[:8], "big")
            if drawn < limit:
                return there[drawn % len(there)]
            attempt += 1


def bare(value: str) -> str:
    """An id as it is keyed."""
    return unicodedata.normalize("NFC", value).strip(BLANKS)


@dataclass
class Moved:
    """The dates that may stand in a release: pseudonym → days."""

    allowed: dict[str, set[dt.date]] = field(default_factory=dict)
    cells: int = 0

    def unproved(self, frame: pl.DataFrame) -> list[str]:
        """Columns with a date that is none of its patient's moved ones."""
        columns = [name for name, kind in frame.schema.items() if kind == pl.Date]
        found = set()
        if "patient" not in frame.columns:
            return columns
        for row in frame.select("patient", *columns).unique().iter_rows(named=True):
            for name in columns:
                if row[name] is not None:
                    self.cells += 1
                    if row[name] not in self.allowed.get(row["patient"], ()):
                        found.add(name)
        return sorted(found)


def moved(roots: Iterable[Path], secret: Secret, low: int, high: int) -> Moved:
    """The moved dates of every person in the archives."""
    found = Moved()
    known: dict[tuple[str, str], tuple[str, int]] = {}
    for path in (p for root in roots for p in root.rglob("*") if p.is_file()):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except Exception:  # noqa: BLE001 - what nobody can read has no dates
            continue
        who = (_text(header, "IssuerOfPatientID"), _text(header, "PatientID"))
        if who not in known:
            known[who] = secret.patient(who), secret.days(who, low, high)
        name, days = known[who]
        mine = found.allowed.setdefault(name, set())
        mine.update(day + dt.timedelta(days=days) for day in _days(header))
    return found


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    many = value if isinstance(value, pydicom.multival.MultiValue) else [value or ""]
    return bare("\\".join(map(str, many)))


def _days(header: Dataset) -> Iterator[dt.date]:
    """The dates of the header itself: a table has no others."""
    for tag in list(header.keys()):
        try:
            element = header[tag]
        except Exception:  # noqa: BLE001 - a broken element has no date
            continue
        if element.VR == "DA":
            values = element.value
            many = values if isinstance(values, pydicom.multival.MultiValue) else [values]
            for value in many:
                digits = re.fullmatch(r"(\d{4})\.?(\d{2})\.?(\d{2})", str(value or "").strip())
                if digits:
                    try:
                        yield dt.date(*map(int, digits.groups()))
                    except ValueError:
                        continue
