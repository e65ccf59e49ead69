"""Keyed identities: frozen vectors, an independent second implementation, and attacks on both."""

from __future__ import annotations

import base64
import collections
import hashlib
import hmac
import json
import os
import pickle
import re
import subprocess
import sys
import unicodedata
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cohortkit.deidentify import identities
from cohortkit.deidentify.identities import Keyed, normalise
from cohortkit.model import Person

VECTORS = Path(__file__).parents[1] / "vectors.json"
FROZEN = "abb7ecfbd318f59d"


# ── a second implementation, from the words of the design alone ──────────────────────────────────


def trimmed(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip("\0 \t\n\r\f\v")


def keyed(secret: bytes, project: str, domain: str, value: str, issuer: str = "") -> bytes:
    message = b""
    for part in ("1", project, domain, trimmed(issuer), trimmed(value)):
        data = part.encode("utf-8", "surrogatepass")
        message += len(data).to_bytes(4, "big") + data
    return hmac.new(secret, message, hashlib.sha256).digest()


def letters(digest: bytes) -> str:
    return base64.b32encode(digest[:10]).decode().lower()


def mapped(secret: bytes, project: str, uid: str) -> str:
    data = bytearray(keyed(secret, project, "uid", uid)[:16])
    data[6] = data[6] & 0x0F | 0x80
    data[8] = data[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(data, 'big')}"


def days(secret: bytes, project: str, person: Person, low: int, high: int) -> int:
    choices = [day for day in range(low, high + 1) if day != 0]
    attempt = 0
    while True:
        digest = keyed(secret, project, f"shift/{attempt}", person.patient_id, person.issuer)
        drawn = int.from_bytes(digest[:8], "big")
        if drawn < 2**64 - 2**64 % len(choices):
            return choices[drawn % len(choices)]
        attempt += 1


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return data


@pytest.fixture(scope="module")
def frozen(vectors: dict[str, Any]) -> Keyed:
    return Keyed(vectors["project"], bytes.fromhex(vectors["secret"]))


def test_vectors_are_frozen() -> None:
    """The file of vectors has not been changed: a change breaks every release made before it."""
    assert FROZEN == hashlib.sha256(VECTORS.read_bytes()).hexdigest()[:16]


def test_code_gives_the_vectors(vectors: dict[str, Any], frozen: Keyed) -> None:
    """What cohortkit makes is what was frozen."""
    for row in vectors["patient"]:
        assert row["name"] == frozen.patient(Person(row["issuer"], row["patient_id"]))
    for row in vectors["shift"]:
        person = Person(row["issuer"], row["patient_id"])
        assert row["days"] == frozen.shift(person, row["low"], row["high"])
    assert [r["name"] for r in vectors["study"]] == [
        frozen.study(r["uid"]) for r in vectors["study"]
    ]
    for row in vectors["series"]:
        assert row["name"] == frozen.series(row["uid"])
    for row in vectors["uid"]:
        assert row["mapped"] == frozen.uid(row["uid"])
    for row in vectors["token"]:
        assert row["token"] == frozen.token(row["domain"], row["value"])


def test_spellings_of_one_identifier_are_one(vectors: dict[str, Any], frozen: Keyed) -> None:
    """Blanks, NUL and the form of accents do not make two patients of one."""
    for spellings in vectors["same"].values():
        assert 1 == len({frozen.patient(Person(*spelling)) for spelling in spellings})


def test_vectors_are_what_the_design_says(vectors: dict[str, Any]) -> None:
    """The vectors themselves come out of the second implementation."""
    secret, project = bytes.fromhex(vectors["secret"]), vectors["project"]
    for row in vectors["patient"]:
        digest = keyed(secret, project, "patient", row["patient_id"], row["issuer"])
        assert row["name"] == "p" + letters(digest)
    for row in vectors["uid"]:
        assert row["mapped"] == mapped(secret, project, row["uid"])
    for row in vectors["shift"]:
        person = Person(row["issuer"], row["patient_id"])
        assert row["days"] == days(secret, project, person, row["low"], row["high"])


def test_all_vectors_differ(vectors: dict[str, Any]) -> None:
    """No two people, domains or issuers of the vectors share a name."""
    names = [row["name"] for kind in ("patient", "study", "series") for row in vectors[kind]]
    names += [row["token"] for row in vectors["token"]]
    assert len(names) == len({name.lstrip("psr")[-16:] for name in names})


# ── properties ───────────────────────────────────────────────────────────────────────────────────

texts = st.text(max_size=80)
secrets = st.binary(min_size=32, max_size=32)
projects = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
people = st.builds(Person, texts, texts)


@given(secrets, projects, people, texts, texts)
def test_second_implementation_agrees(
    secret: bytes, project: str, person: Person, value: str, domain: str
) -> None:
    """On any input both implementations give the same identities."""
    made = Keyed(project, secret)
    patient = keyed(secret, project, "patient", person.patient_id, person.issuer)
    assert "p" + letters(patient) == made.patient(person)
    assert "s" + letters(keyed(secret, project, "study", value)) == made.study(value)
    assert "r" + letters(keyed(secret, project, "series", value)) == made.series(value)
    assert letters(keyed(secret, project, f"token/{domain}", value)) == made.token(domain, value)
    assert mapped(secret, project, value) == made.uid(value)


@given(secrets, people, st.integers(-4000, 4000), st.integers(0, 4000))
def test_shift_is_in_range_and_never_zero(
    secret: bytes, person: Person, low: int, width: int
) -> None:
    """A shift lies in the range, is whole days, is never 0, and both implementations agree."""
    high = low + width
    assume((low, high) != (0, 0))
    shift = Keyed("p", secret).shift(person, low, high)
    assert low <= shift <= high
    assert 0 != shift
    assert days(secret, "p", person, low, high) == shift


@given(texts)
def test_form_of_names_and_uids(value: str) -> None:
    """Names are safe in paths; a UID is a valid UUID under 2.25 of at most 64 characters."""
    made = Keyed("p", bytes(range(32)))
    for name in (made.patient(Person(value, value)), made.study(value), made.series(value)):
        assert re.fullmatch(r"[psr][a-z2-7]{16}", name)
    uid = made.uid(value)
    number = uuid.UUID(int=int(uid.removeprefix("2.25.")))
    assert (8, uuid.RFC_4122) == (number.version, number.variant)
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", uid)


@given(people, people)
def test_parts_do_not_run_together(one: Person, other: Person) -> None:
    """(A, BC) and (AB, C) are two people, whatever the letters are."""
    same = [normalise(p) for p in (one.issuer, one.patient_id)] == [
        normalise(p) for p in (other.issuer, other.patient_id)
    ]
    made = Keyed("p", bytes(range(32)))
    assert same == (made.patient(one) == made.patient(other))


@given(secrets, secrets, projects, projects, people, texts)
def test_another_key_or_project_has_nothing_in_common(
    secret: bytes, other: bytes, project: str, project2: str, person: Person, value: str
) -> None:
    """Without the same secret and the same project no identity can be matched."""
    assume((secret, project) != (other, project2))
    one, two = Keyed(project, secret), Keyed(project2, other)
    assert one.patient(person) != two.patient(person)
    assert one.uid(value) != two.uid(value)
    assert one.token("x", value) != two.token("x", value)
    assert one.study(value) != two.study(value)


@given(texts)
def test_identity_of_a_value_is_not_in_its_name(value: str) -> None:
    """Domains are apart: patient, study, series and token of one value share nothing."""
    made = Keyed("p", bytes(range(32)))
    names = {
        made.patient(Person("", value))[1:],
        made.study(value)[1:],
        made.series(value)[1:],
        made.token("patient", value),
        made.token("study", value),
    }
    assert 5 == len(names)


@given(texts)
def test_no_bare_hash(value: str) -> None:
    """A digest that a list of Patient IDs could be tried against is not what is used."""
    assert not bare_hashes(value) & set(every_name(Keyed("p", bytes(range(32))), value))


def bare_hashes(value: str) -> set[str]:
    """What an attacker without the key would compute from a list of identifiers."""
    data = trimmed(value).encode("utf-8", "surrogatepass")
    digests = [hashlib.new(name, data).digest() for name in ("md5", "sha1", "sha256", "sha512")]
    digests += [
        hmac.new(b"", data, "sha256").digest(),
        hmac.new(bytes(32), data, "sha256").digest(),
    ]
    length = len(data).to_bytes(4, "big") + data
    digests += [hashlib.sha256(length).digest()]
    for domain in ("patient", "study", "series", "uid"):
        digests.append(keyed(b"", "p", domain, value))
        message = b"".join(
            len(p).to_bytes(4, "big") + p for p in (b"1", b"p", domain.encode(), b"", data)
        )
        digests.append(hashlib.sha256(message).digest())
    return {letters(d) for d in digests} | {str(identities.uuid_number(d, 8)) for d in digests}


def every_name(made: Keyed, value: str) -> list[str]:
    person = Person("", value)
    names = [made.patient(person)[1:], made.study(value)[1:], made.series(value)[1:]]
    return [*names, made.uid(value).removeprefix("2.25.")]


def test_bare_hash_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: an engine that hashes without the key is seen by the test above."""

    def bare(_self: Keyed, _domain: str, value: str, _issuer: str = "") -> bytes:
        return hashlib.sha256(trimmed(value).encode()).digest()

    monkeypatch.setattr(Keyed, "_digest", bare)
    assert bare_hashes("123") & set(every_name(Keyed("p", bytes(range(32))), "123"))


def test_shift_is_uniform() -> None:
    """Over many people every day of a small range comes as often as another (chi-square)."""
    made = Keyed("p", bytes(range(32)))
    counts = collections.Counter(made.shift(Person("", str(n)), -3, 3) for n in range(6000))
    assert {-3, -2, -1, 1, 2, 3} == set(counts)
    chi2 = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert chi2 < 25  # p < 0.0002 for 5 degrees of freedom; the key is fixed, so no flake


def test_rejection_draws_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw above the last whole multiple of the range is thrown away, not folded in."""
    drawn = iter([b"\xff" * 32, (5).to_bytes(8, "big") + bytes(24)])
    asked: list[str] = []

    def digest(_self: Keyed, domain: str, _value: str, _issuer: str = "") -> bytes:
        asked.append(domain)
        return next(drawn)

    monkeypatch.setattr(Keyed, "_digest", digest)
    assert 6 == Keyed("p", bytes(32)).shift(Person("", "x"), 1, 7)
    assert ["shift/0", "shift/1"] == asked


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 4), (1, 0), (0, -1)])
def test_range_without_a_day_is_refused(low: int, high: int) -> None:
    """A range of nothing but 0 is an error: a shift of 0 would publish the true dates."""
    with pytest.raises(ValueError, match="range"):
        Keyed("p", bytes(32)).shift(Person("", "x"), low, high)


def test_same_in_another_process() -> None:
    """Another process with other hash seeds makes the same identities."""
    code = (
        "from cohortkit.deidentify.identities import Keyed;from cohortkit.model import Person;"
        "k=Keyed('p',bytes(range(32)));q=Person('I','007');"
        "print(k.patient(q),k.uid('1.2.3'),k.shift(q,-365,365),k.token('a','b'))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    made, person = Keyed("p", bytes(range(32))), Person("I", "007")
    here = [made.patient(person), made.uid("1.2.3"), str(made.shift(person, -365, 365))]
    assert [*here, made.token("a", "b")] == run.stdout.split()


def test_secret_cannot_be_read_back() -> None:
    """Nothing that a Keyed shows, holds or pickles is the secret."""
    secret = bytes(range(100, 132))
    made = Keyed("chest", secret)
    shown = f"{made!r}{made!s}{made}"
    assert "<Keyed project='chest'>" * 3 == shown
    held = [getattr(made, name) for name in Keyed.__slots__]
    assert not any(secret in (v if isinstance(v, bytes) else repr(v).encode()) for v in held)
    assert not hasattr(made, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(made)


@pytest.mark.parametrize("secret", [b"", b"short", bytes(31), bytes(33)])
def test_short_secret_is_refused(secret: bytes) -> None:
    """A secret that is not 32 bytes is refused, and the message does not hold it."""
    with pytest.raises(ValueError, match="32 bytes") as caught:
        Keyed("p", secret)
    assert repr(secret) not in str(caught.value)


def test_empty_project_is_refused() -> None:
    """Without a project two projects would share pseudonyms."""
    with pytest.raises(ValueError, match="project"):
        Keyed("", bytes(32))


@settings(max_examples=50)
@given(st.text())
def test_normalise_is_idempotent_and_keeps_zeros(value: str) -> None:
    """Normalising twice is normalising once; leading zeros and case stay."""
    assert normalise(value) == normalise(normalise(value))
    assert "007aB" == normalise(" 007aB\0")
