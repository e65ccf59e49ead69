"""Two identities that are one person: all that is made of one is made of the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from cohortkit.deidentify.identities import normalise
from cohortkit.model import Person
from cohortkit.protocols import Pseudonyms


@dataclass(frozen=True, slots=True, repr=False)
class People:
    """Which person is which. Identified: it shows counts and no more.

    Attributes:
        into: for each identity that is merged, the one that stays; never one that is merged too.
    """

    into: Mapping[Person, Person] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<People: {len(self.into)} merged>"

    def __bool__(self) -> bool:
        return bool(self.into)

    def one(self, person: Person) -> Person:
        """The identity that stays, or the person itself; normalised."""
        plain = Person(normalise(person.issuer), normalise(person.patient_id))
        return self.into.get(plain, plain)

    def digest(self) -> str:
        """SHA-256 over all of it: for the vault, and keyed there."""
        rows = sorted(
            [one.issuer, one.patient_id, other.issuer, other.patient_id]
            for one, other in self.into.items()
        )
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def merged(pairs: Iterable[tuple[Person, Person]], default_issuer: str) -> tuple[People, list[str]]:
    """Read merges, each from one identity into another, in any order; chains are followed.

    Args:
        pairs: who goes into whom.
        default_issuer: stands in where an issuer is absent.

    Returns:
        The people, and what is wrong, by row (counted from 1) and without a value.
    """
    direct: dict[Person, Person] = {}
    wrong: list[str] = []
    for number, (raw, other) in enumerate(pairs, 1):
        one, into = (_plain(person, default_issuer) for person in (raw, other))
        if not one.patient_id or not into.patient_id:
            wrong.append(f"row {number}: an id is missing")
        elif direct.setdefault(one, into) != into:
            wrong.append(f"row {number}: this id goes into another already")
    direct = {one: into for one, into in direct.items() if one != into}
    ends: dict[Person, Person] = {}
    for one in direct:
        end, steps = direct[one], 0
        while end in direct and steps <= len(direct):
            end, steps = direct[end], steps + 1
        ends[one] = end
    circles = sum(end in direct for end in ends.values())
    if circles:
        wrong.append(f"{circles} ids go into each other in a circle; one of them has to stay")
    return People(ends), wrong


def _plain(person: Person, default_issuer: str) -> Person:
    issuer = normalise(person.issuer) or normalise(default_issuer)
    return Person(issuer, normalise(person.patient_id))


@dataclass(frozen=True, slots=True)
class Merged:
    """Pseudonyms under which merged people are one (`cohortkit.protocols.Pseudonyms`)."""

    inner: Pseudonyms
    people: People

    def patient(self, person: Person) -> str:
        """The name of the person who stays."""
        return self.inner.patient(self.people.one(person))

    def study(self, study_instance_uid: str) -> str:
        """A name for a study."""
        return self.inner.study(study_instance_uid)

    def series(self, series_instance_uid: str) -> str:
        """A name for a series."""
        return self.inner.series(series_instance_uid)

    def uid(self, uid: str) -> str:
        """A new UID."""
        return self.inner.uid(uid)

    def shift(self, person: Person, low: int, high: int) -> int:
        """The shift of the person who stays."""
        return self.inner.shift(self.people.one(person), low, high)

    def token(self, domain: str, value: str) -> str:
        """A token for any other identifier."""
        return self.inner.token(domain, value)

    def held(self, domain: str, value: str) -> str:
        """The token if there is one already, else empty."""
        return self.inner.held(domain, value)

    def held_uid(self, uid: str) -> str:
        """The new UID if there is one already, else empty."""
        return self.inner.held_uid(uid)

    def one(self, person: Person) -> Person:
        """The person who stays."""
        return self.people.one(person)

    def together(self) -> AbstractContextManager[None]:
        """Store what is asked inside in one go."""
        return self.inner.together()
