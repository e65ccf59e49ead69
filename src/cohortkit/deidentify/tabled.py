"""Random identities out of a table: drawn once, and the same from then on.

The table holds no identifier: of each it keeps a keyed locator (`Keyed.locator`) beside what was
drawn for it. So the table alone names nobody, and the key alone turns no released id back; whoever
wants to must have both, and the archive's index.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Protocol

from cohortkit.deidentify.identities import (
    NAME_BYTES,
    UID_BYTES,
    Keyed,
    day_count,
    letters,
    nth_day,
    uuid_number,
)
from cohortkit.model import Person

Draw = Callable[[], bytes]

UID, PATIENT, STUDY, SERIES, SHIFT, TOKEN = "uid", "patient", "study", "series", "shift", "token/"
_RANDOM_UUID: Final = 4


class Rows(Protocol):
    """Where a table keeps its rows: locator → what was drawn. Nothing is ever changed."""

    def find(self, locator: bytes) -> bytes | None:
        """What was drawn, or nothing yet."""
        ...

    def code(self, locator: bytes) -> str:
        """What a broker gave instead, or empty."""
        ...

    def add(self, locator: bytes, draw: Draw) -> bytes:
        """What was drawn, by whoever was first; never the same for two locators."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Make what is added inside durable in one go."""
        ...


def draw_name() -> bytes:
    """Eighty random bits of the operating system's."""
    return secrets.token_bytes(NAME_BYTES)


def draw_uid() -> bytes:
    """A UUID of version 4."""
    number = uuid_number(secrets.token_bytes(UID_BYTES), _RANDOM_UUID)
    return number.to_bytes(UID_BYTES, "big")


def draw_number() -> bytes:
    """128 random bits."""
    return secrets.token_bytes(UID_BYTES)


class Tabled:
    """Pseudonyms of one project out of one table (`cohortkit.protocols.Pseudonyms`)."""

    __slots__ = ("_keyed", "_rows")

    def __init__(self, keyed: Keyed, rows: Rows) -> None:
        self._keyed = keyed
        self._rows = rows

    def __repr__(self) -> str:
        return f"<Tabled project={self._keyed.project!r}>"

    def patient(self, person: Person) -> str:
        """A broker's code for a person, or ``p`` and 16 characters of a-z2-7."""
        locator = self._keyed.locator(PATIENT, person.patient_id, person.issuer)
        code = self._rows.code(locator)
        if code:
            return code
        drawn = "p" + self._name(PATIENT, person.patient_id, person.issuer)
        return self._rows.code(locator) or drawn  # given in this very moment

    def study(self, study_instance_uid: str) -> str:
        """A name for a study: ``s`` and 16 characters of a-z2-7."""
        return "s" + self._name(STUDY, study_instance_uid)

    def series(self, series_instance_uid: str) -> str:
        """A name for a series: ``r`` and 16 characters of a-z2-7."""
        return "r" + self._name(SERIES, series_instance_uid)

    def token(self, domain: str, value: str) -> str:
        """A random token for any other identifier; other domains have others."""
        return self._name(TOKEN + domain, value)

    def uid(self, uid: str) -> str:
        """A UID under 2.25: a random UUID (RFC 9562 version 4, PS3.5 B.2), for any kind of UID."""
        return _uid_text(self._row(UID, uid, "", draw_uid))

    def shift(self, person: Person, low: int, high: int) -> int:
        """Whole days by which a person's dates move: uniform over [low, high] without 0.

        128 bits over at most some ten thousand days: no day is likelier than another by more than
        one part in 2**110.

        Raises:
            ValueError: a range that holds no day but 0.
        """
        days = day_count(low, high)
        row = self._row(SHIFT, person.patient_id, person.issuer, draw_number)
        return nth_day(low, high, int.from_bytes(row, "big") % days)

    def held(self, domain: str, value: str) -> str:
        """The token if the table has one, else empty."""
        row = self._rows.find(self._keyed.locator(TOKEN + domain, value))
        return "" if row is None else letters(row)

    def held_uid(self, uid: str) -> str:
        """The new UID if the table has one, else empty."""
        row = self._rows.find(self._keyed.locator(UID, uid))
        return "" if row is None else _uid_text(row)

    def one(self, person: Person) -> Person:
        """The person itself: nobody is merged here."""
        return person

    def together(self) -> AbstractContextManager[None]:
        """Make what is drawn inside durable in one go."""
        return self._rows.together()

    def _name(self, domain: str, value: str, issuer: str = "") -> str:
        return letters(self._row(domain, value, issuer, draw_name))

    def _row(self, domain: str, value: str, issuer: str, draw: Draw) -> bytes:
        locator = self._keyed.locator(domain, value, issuer)
        found = self._rows.find(locator)
        return self._rows.add(locator, draw) if found is None else found


def _uid_text(row: bytes) -> str:
    return f"2.25.{int.from_bytes(row, 'big')}"
