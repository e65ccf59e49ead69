"""Keyed identities: HMAC-SHA256 over version, project, domain, issuer and id.

The message is five parts, each as four bytes of length (big endian) and its UTF-8 bytes, so that
no two lists of parts give one message: ``version ‖ project ‖ domain ‖ issuer ‖ id``. Ids and
issuers are normalised first (`normalise`). ``tests/vectors.json`` freezes all of it: whoever
changes a byte here changes every release ever made.

A bare hash of an identifier is never used: a list of all the Patient IDs of a hospital is short
enough to be tried one by one, unless a secret stands before it.
"""

from __future__ import annotations

import base64
import hmac
import unicodedata
from contextlib import AbstractContextManager, nullcontext

from cohortkit.model import Person

VERSION = "1"
SECRET_BYTES = 32

_BLANKS = "\0 \t\n\r\f\v"
NAME_BYTES, UID_BYTES = 10, 16
_UUID_FIXED = (0xF << 76) | (0x3 << 62)
_UUID_VARIANT = 0x2 << 62
_DRAW_BITS = 64
_LOCATOR_BYTES = 16


def normalise(value: str) -> str:
    """An identifier as it is compared and keyed: NFC, without blanks and NUL around it.

    Leading zeros and the case of letters are kept: ``007`` and ``7`` are two patients.
    """
    return unicodedata.normalize("NFC", value).strip(_BLANKS)


def letters(data: bytes) -> str:
    """Ten bytes as 16 characters of a-z2-7."""
    return base64.b32encode(data[:NAME_BYTES]).decode("ascii").lower()


def uuid_number(data: bytes, version: int) -> int:
    """Sixteen bytes as the number of a UUID (RFC 9562) of a version."""
    number = int.from_bytes(data[:UID_BYTES], "big")
    return number & ~_UUID_FIXED | version << 76 | _UUID_VARIANT


def day_count(low: int, high: int) -> int:
    """How many days there are in [low, high] without 0.

    Raises:
        ValueError: none.
    """
    days = high - low + 1 - (low <= 0 <= high)
    if days < 1:
        raise ValueError("a date shift needs a range of days other than 0")
    return days


def nth_day(low: int, high: int, number: int) -> int:
    """The day of a number, counted from 0, in [low, high] without 0."""
    value = low + number
    return value + 1 if low <= 0 <= high and value >= 0 else value


class Keyed:
    """Pseudonyms of one project under one secret (`cohortkit.protocols.Pseudonyms`).

    The secret itself is not kept: only the state of a MAC that has begun with it, which cannot be
    read, printed or pickled.
    """

    __slots__ = ("_mac", "project")

    def __init__(self, project: str, secret: bytes) -> None:
        """Begin a MAC.

        Raises:
            ValueError: an empty project or a secret of another length than 32 bytes.
        """
        if not project:
            raise ValueError("a project needs a name")
        if len(secret) != SECRET_BYTES:
            raise ValueError("a secret has 32 bytes")
        self.project = project
        self._mac = hmac.new(secret, digestmod="sha256")

    def __repr__(self) -> str:
        return f"<Keyed project={self.project!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: who needs the key elsewhere loads it there."""
        raise TypeError("a key is loaded where it is used, never sent")

    def patient(self, person: Person) -> str:
        """A name for a person: ``p`` and 16 characters of a-z2-7 (80 bits)."""
        return "p" + self._name("patient", person.patient_id, person.issuer)

    def study(self, study_instance_uid: str) -> str:
        """A name for a study: ``s`` and 16 characters of a-z2-7."""
        return "s" + self._name("study", study_instance_uid)

    def series(self, series_instance_uid: str) -> str:
        """A name for a series: ``r`` and 16 characters of a-z2-7."""
        return "r" + self._name("series", series_instance_uid)

    def token(self, domain: str, value: str) -> str:
        """A keyed token for any other identifier: 16 characters of a-z2-7.

        The same value in two domains gives two tokens that cannot be matched.
        """
        return self._name(f"token/{domain}", value)

    def uid(self, uid: str) -> str:
        """A UID under 2.25: 122 keyed bits as a UUID of version 8 (RFC 9562, PS3.5 B.2).

        One domain for every kind of UID, so that a reference finds its target wherever it stands.
        """
        return f"2.25.{uuid_number(self._digest('uid', uid), 8)}"

    def shift(self, person: Person, low: int, high: int) -> int:
        """Whole days by which a person's dates move: uniform over [low, high] without 0.

        Raises:
            ValueError: a range that holds no day but 0.
        """
        return nth_day(low, high, self._below(day_count(low, high), person))

    def held(self, domain: str, value: str) -> str:
        """The same as `token`: who has the key has them all."""
        return self.token(domain, value)

    def held_uid(self, uid: str) -> str:
        """The same as `uid`."""
        return self.uid(uid)

    def one(self, person: Person) -> Person:
        """The person itself: nobody is merged here."""
        return person

    def together(self) -> AbstractContextManager[None]:
        """Nothing to be done: nothing is stored."""
        return nullcontext()

    def locator(self, domain: str, value: str, issuer: str = "") -> bytes:
        """Where a table of random ids keeps that of an identifier: 16 keyed bytes."""
        return self._digest(f"table/{domain}", value, issuer)[:_LOCATOR_BYTES]

    def _below(self, count: int, person: Person) -> int:
        """A keyed number in [0, count), every one equally likely (by rejection, not modulo)."""
        limit = (1 << _DRAW_BITS) // count * count
        attempt = 0
        while True:
            digest = self._digest(f"shift/{attempt}", person.patient_id, person.issuer)
            drawn = int.from_bytes(digest[: _DRAW_BITS // 8], "big")
            if drawn < limit:
                return drawn % count
            attempt += 1

    def _name(self, domain: str, value: str, issuer: str = "") -> str:
        return letters(self._digest(domain, value, issuer))

    def _digest(self, domain: str, value: str, issuer: str = "") -> bytes:
        mac = self._mac.copy()
        for part in (VERSION, self.project, domain, normalise(issuer), normalise(value)):
            # surrogates come from bytes that lied about their character set; they must not crash
            data = part.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(4, "big") + data)
        return mac.digest()
