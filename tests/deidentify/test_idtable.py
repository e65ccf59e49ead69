"""Random ids out of a table: frozen vectors, growth under kills and crowds, files that are none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit.deidentify import idrows, idtable, mounts
from cohortkit.deidentify.identities import Keyed
from cohortkit.deidentify.tabled import Draw, Tabled
from cohortkit.errors import IdTableError
from cohortkit.model import Person

TESTS = Path(__file__).parents[1]
VECTORS = TESTS / "table_vectors.json"
FROZEN = "afb53b7ae13ac7c6"
KILLS = 26 if os.environ.get("CI", "").lower() in {"1", "true", "yes"} else 8
texts = st.text(max_size=40)


@pytest.fixture
def key(tmp_path: Path) -> ck.Key:
    return ck.Key.new(tmp_path / "key", "table-tests")


@pytest.fixture
def table(tmp_path: Path, key: ck.Key) -> ck.IdTable:
    return ck.IdTable.new(tmp_path / "ids", key)


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────


def located(secret: bytes, project: str, domain: str, value: str, issuer: str = "") -> bytes:
    """A second implementation of the locator, from the words of docs/design/0012 alone."""
    message = b""
    for part in ("1", project, f"table/{domain}", issuer, value):
        data = part.encode()
        message += len(data).to_bytes(4, "big") + data
    return hmac.new(secret, message, hashlib.sha256).digest()[:16]


def said(made: Tabled, kind: str, of: list[Any]) -> object:
    match kind:
        case "patient":
            return made.patient(Person(*of))
        case "shift":
            return made.shift(Person(*of[:2]), *of[2:])
        case "token":
            return made.token(*of)
        case _:
            return getattr(made, kind)(*of)


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return body


def test_vectors_are_frozen() -> None:
    """The file of vectors has not been changed: a change makes every table unreadable."""
    assert FROZEN == hashlib.sha256(VECTORS.read_bytes()).hexdigest()[:16]


def test_a_table_of_these_rows_gives_these_ids(
    vectors: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is filled from outside, row by row, gives the ids that were frozen."""
    monkeypatch.setenv("COHORTKIT_KEY", f"{vectors['project']}:{vectors['secret']}")
    key = ck.Key.from_env()
    table = ck.IdTable.new(tmp_path / "ids", key)
    with sqlite3.connect(tmp_path / "ids") as file:
        for row in vectors["ids"]:
            pair = (bytes.fromhex(row["locator"]), bytes.fromhex(row["drawn"]))
            file.execute("INSERT INTO ids VALUES (?, ?)", pair)
    file.close()
    made = table.pseudonyms(key)

    assert [row["is"] for row in vectors["ids"]] == [
        said(made, row["kind"], row["of"]) for row in vectors["ids"]
    ]
    assert len(vectors["ids"]) == len(table)


def test_vectors_are_what_the_design_says(vectors: dict[str, Any]) -> None:
    """Locators come out of the second implementation, and ids out of what was drawn alone."""
    secret, project = bytes.fromhex(vectors["secret"]), vectors["project"]
    for row in vectors["ids"]:
        kind, of, drawn = row["kind"], row["of"], bytes.fromhex(row["drawn"])
        number = int.from_bytes(drawn, "big")
        if kind in {"patient", "shift"}:
            assert row["locator"] == located(secret, project, kind, of[1], of[0]).hex()
        else:
            domain = f"token/{of[0]}" if kind == "token" else kind
            assert row["locator"] == located(secret, project, domain, of[-1]).hex()
        letter = {"patient": "p", "study": "s", "series": "r", "token": ""}
        if kind in letter:
            assert row["is"] == letter[kind] + base64.b32encode(drawn).decode().lower()
        elif kind == "uid":
            assert row["is"] == f"2.25.{number}"
            assert uuid.UUID(int=number).version == 4
        else:
            days = [day for day in range(of[2], of[3] + 1) if day]
            assert row["is"] == days[number % len(days)]


# ── the same table, the same ids ─────────────────────────────────────────────────────────────────


def every(made: Tabled, value: str) -> list[str]:
    person = Person("", value)
    names = [made.patient(person), made.study(value), made.series(value), made.uid(value)]
    return [*names, made.token("a", value), made.token("b", value)]


def test_the_same_table_gives_the_same_ids_wherever_it_is_opened(
    key: ck.Key, table: ck.IdTable
) -> None:
    """Opened again, pickled, or by another process: the ids are those."""
    first = every(table.pseudonyms(key), "A")
    again = pickle.loads(pickle.dumps(table))
    code = (
        "import sys,cohortkit as ck;t=ck.IdTable.from_file(sys.argv[2]);"
        "print(t.pseudonyms(ck.Key.from_file(sys.argv[1])).uid('A'))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, key._path or "", table.path],
        capture_output=True,
        text=True,
        check=True,
    )

    assert first == every(ck.IdTable.from_file(table.path).pseudonyms(key), "A")
    assert first == every(again.pseudonyms(key), "A")
    assert first[3] == there.stdout.strip()
    assert table == again


def test_another_table_has_nothing_in_common(key: ck.Key, tmp_path: Path) -> None:
    """Two tables of one key give different ids for everything: none is made from what it is of."""
    one, two = (ck.IdTable.new(tmp_path / name, key).pseudonyms(key) for name in ("1", "2"))
    values = [str(number) for number in range(40)]

    first, second = ({i for v in values for i in every(made, v)} for made in (one, two))

    assert 40 * 6 == len(first) == len(second)
    assert set() == first & second


def test_ids_are_not_made_from_the_key(key: ck.Key, table: ck.IdTable) -> None:
    """What the key alone gives for an identifier is not what the table gives."""
    keyed = key.pseudonyms()
    made = table.pseudonyms(key)

    assert set() == set(every(made, "A")) & {
        keyed.patient(Person("", "A")),
        keyed.study("A"),
        keyed.series("A"),
        keyed.uid("A"),
        keyed.token("a", "A"),
        keyed.token("b", "A"),
    }


class Dict(dict[bytes, bytes]):
    """Rows in memory, drawn from a generator of the test's own."""

    def __init__(self) -> None:
        self.chance = random.Random(1)

    def find(self, locator: bytes) -> bytes | None:
        return self.get(locator)

    def code(self, locator: bytes) -> str:  # noqa: ARG002 - no broker
        return ""

    def add(self, locator: bytes, draw: Draw) -> bytes:
        return self.setdefault(locator, draw())


@given(texts, texts)
def test_ids_of_different_things_differ_and_spellings_do_not(one: str, two: str) -> None:
    """Blanks and NUL around an id mean nothing; whatever else differs has an id of its own."""
    made = Tabled(Keyed("p", bytes(range(32))), Dict())  # type: ignore[arg-type]  # no batches
    bare = "\0 \t\n\r\f\v"

    assert made.uid(one) == made.uid(f"{one}\0")
    assert made.patient(Person("", one)) == made.patient(Person(" ", f" {one} "))
    if one.strip(bare).isascii() and two.strip(bare).isascii():
        assert (one.strip(bare) == two.strip(bare)) == (made.uid(one) == made.uid(two))


@given(st.lists(texts, max_size=8), st.randoms())
@settings(max_examples=25)
def test_the_order_of_questions_changes_nothing(values: list[str], chance: random.Random) -> None:
    """Whatever was asked first: an id, once drawn, stays."""
    made = Tabled(Keyed("p", bytes(range(32))), Dict())  # type: ignore[arg-type]  # no batches
    first = {value: made.uid(value) for value in values}
    shuffled = list(values)
    chance.shuffle(shuffled)

    assert first == {value: made.uid(value) for value in shuffled}


def test_shifts_are_uniform_and_never_zero(key: ck.Key, table: ck.IdTable) -> None:
    """Every day of a small range comes as often as another (chi-square), 0 never."""
    made = table.pseudonyms(key)
    with made.together():
        counts = Counter(made.shift(Person("", str(n)), -3, 3) for n in range(6000))

    assert {-3, -2, -1, 1, 2, 3} == set(counts)
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 40  # p < 2e-7
    with pytest.raises(ValueError, match="other than 0"):
        made.shift(Person("", "1"), 0, 0)


def test_asking_what_is_held_draws_nothing(key: ck.Key, table: ck.IdTable) -> None:
    """``held`` answers with what there is, and else with nothing."""
    made = table.pseudonyms(key)

    assert ("", "") == (made.held("task", "A"), made.held_uid("A"))
    assert 0 == len(table)
    assert made.token("task", "A") == made.held("task", "A")
    assert made.uid("A") == made.held_uid("A")


# ── growth ───────────────────────────────────────────────────────────────────────────────────────


def grow(key: ck.Key, table: ck.IdTable, told: Path, *numbers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, TESTS / "grown.py", key._path or "", table.path, *map(str, numbers)]
    with told.open("wb") as heard:
        return subprocess.Popen(command, stdout=heard)


def whole_lines(told: Path) -> list[list[str]]:
    lines = told.read_text().splitlines(keepends=True)
    return [line.split() for line in lines if line.endswith("\n")]


def check_table(key: ck.Key, path: Path, told: list[list[str]]) -> None:
    """What was told stands, in a table that is sound and doubles nothing."""
    made = ck.IdTable.from_file(path).pseudonyms(key)
    for number, name, uid in told:
        assert [name, uid] == [made.patient(Person("", number)), made.held_uid(f"1.2.{number}")]
    file = sqlite3.connect(path)
    assert [("ok",)] == file.execute("PRAGMA integrity_check").fetchall()
    (rows, drawn) = file.execute("SELECT count(*), count(DISTINCT drawn) FROM ids").fetchone()
    file.close()
    assert rows == drawn


def test_two_runs_grow_a_table_at_once(key: ck.Key, table: ck.IdTable, tmp_path: Path) -> None:
    """Three processes ask for the same ids in other orders: all are told the same, once each."""
    files = [tmp_path / str(number) for number in (1, 2, 3)]
    runs = [grow(key, table, file, n, 300, 5 * n) for n, file in enumerate(files, 1)]

    assert [0, 0, 0] == [run.wait(timeout=120) for run in runs]
    told = [sorted(whole_lines(file)) for file in files]
    assert 300 == len(told[0])
    assert told[0] == told[1] == told[2]
    assert 600 == len(table)
    check_table(key, table.path, told[0])


def test_a_kill_loses_and_doubles_nothing(key: ck.Key, table: ck.IdTable, tmp_path: Path) -> None:
    """SIGKILL while two processes grow it: what either was told is what the table says after."""
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    told: list[list[str]] = []
    for number in range(KILLS):
        files = [tmp_path / f"{number}{who}" for who in "ab"]
        batches = (chance.choice([1, 3, 500]), 2)
        pairs = zip(files, batches, strict=True)
        runs = [grow(key, table, file, chance.randrange(99), 100_000, n) for file, n in pairs]
        until = time.monotonic() + 60
        while not all(file.stat().st_size for file in files) and time.monotonic() < until:
            time.sleep(0.01)
        for run in runs:
            time.sleep(chance.random() * 0.1)
            run.send_signal(signal.SIGKILL)
            assert -signal.SIGKILL == run.wait(timeout=60), seed
        assert all(whole_lines(file) for file in files), seed
        told += [line for file in files for line in whole_lines(file)]

    check_table(key, table.path, told)
    assert len({name for _, name, _ in told}) == len({n for n, _, _ in told}), seed


def test_what_is_handed_out_stays_though_the_task_fails(key: ck.Key, table: ck.IdTable) -> None:
    """An exception inside a batch takes no id back: somebody may have used it."""
    made = table.pseudonyms(key)
    seen = []
    with pytest.raises(RuntimeError), made.together():  # noqa: PT012 - both in one block
        seen.append(made.uid("A"))
        raise RuntimeError

    assert seen == [ck.IdTable.from_file(table.path).pseudonyms(key).held_uid("A")]


def test_a_draw_that_is_taken_is_drawn_again(
    key: ck.Key, table: ck.IdTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should chance ever repeat itself, two people still have two names."""
    drawn = iter([b"a" * 10, b"a" * 10, b"a" * 10, b"b" * 10])
    monkeypatch.setattr("cohortkit.deidentify.tabled.draw_name", lambda: next(drawn))
    made = table.pseudonyms(key)

    assert made.study("1") != made.study("2")
    assert 2 == len(table)


def test_who_waits_for_too_long_is_told(
    key: ck.Key, table: ck.IdTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that another process does not let go of is an error by name, not a hang."""
    monkeypatch.setattr(idrows, "_PATIENCE", 0.3)
    holder = sqlite3.connect(table.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(IdTableError, match="another process"):
        table.pseudonyms(key).uid("A")
    holder.execute("ROLLBACK")
    holder.close()

    assert table.pseudonyms(key).uid("A")


def test_a_table_holds_no_identity(key: ck.Key, table: ck.IdTable) -> None:
    """Neither an identifier nor a digest of one without the key is in the file, nor in a repr."""
    made = table.pseudonyms(key)
    made.patient(Person("HOSPITAL", "PLANTED-77"))
    made.uid("1.2.840.77777777")
    data = table.path.read_bytes()
    plain = [b"HOSPITAL", b"PLANTED-77", b"1.2.840.77777777"]
    plain += [hashlib.new(n, b"PLANTED-77").digest()[:8] for n in ("md5", "sha1", "sha256")]

    assert [] == [one for one in plain if one in data]
    shown = [repr(table), repr(made), str(table.__reduce__())]
    assert not any("PLANTED" in one for one in shown)
    assert 0o600 == table.path.stat().st_mode & 0o777


# ── files that are no table, or not this one ─────────────────────────────────────────────────────


def refused(what: object, words: str) -> None:
    with pytest.raises(IdTableError, match=words):
        what()  # type: ignore[operator]


def test_another_key_is_refused(table: ck.IdTable, tmp_path: Path) -> None:
    """A table answers to the key that it was made for; another would find nothing and draw anew."""
    other = ck.Key.new(tmp_path / "other", "table-tests")

    refused(lambda: table.pseudonyms(other), "another key")


def test_nothing_is_ever_overwritten(key: ck.Key, table: ck.IdTable) -> None:
    """A new table is made where nothing is; no half of one stays behind."""
    made = table.pseudonyms(key).uid("A")

    refused(lambda: ck.IdTable.new(table.path, key), "not overwritten")
    assert made == table.pseudonyms(key).uid("A")
    assert ["ids", "key"] == sorted(one.name for one in table.path.parent.iterdir())


def test_a_table_is_never_inside_a_release(key: ck.Key, table: ck.IdTable, tmp_path: Path) -> None:
    """Neither made there nor opened there."""
    release = tmp_path / "out" / "release"
    release.mkdir(parents=True)
    (tmp_path / "out" / "vault").mkdir()

    refused(lambda: ck.IdTable.new(release / "ids", key), "inside a release")
    table.path.rename(release / "ids")
    refused(lambda: ck.IdTable.from_file(release / "ids"), "inside a release")


def test_what_others_may_read_is_refused(table: ck.IdTable) -> None:
    """As for keys: the mode says who could have read it."""
    table.path.chmod(0o640)

    refused(lambda: ck.IdTable.from_file(table.path), "chmod 600")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no table of ids"),
        (b"PatientID,name\n1,2\n", "no table of ids"),
        (b"SQLite format 3\0" + bytes(84), "cannot|damaged|no table"),
        (os.urandom(10_000), "no table of ids"),
    ],
)
def test_other_files_are_told_apart(tmp_path: Path, content: bytes, words: str) -> None:
    """Empty, text, a head without a body, noise: refused by name, and left as they were."""
    path = tmp_path / "x"
    path.write_bytes(content)
    path.chmod(0o600)

    refused(lambda: ck.IdTable.from_file(path), words)
    assert content == path.read_bytes()


def test_other_databases_folders_and_nothing_are_told_apart(tmp_path: Path, key: ck.Key) -> None:
    """Somebody else's database, a folder, no file, a pipe, a NUL, a folder that is not there."""
    other = sqlite3.connect(tmp_path / "db")
    other.execute("CREATE TABLE ids (a, b)")
    other.commit()
    other.close()
    (tmp_path / "db").chmod(0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)

    refused(lambda: ck.IdTable.from_file(tmp_path / "db"), "it is no table of ids")
    refused(lambda: ck.IdTable.from_file(tmp_path), "not a plain file")
    refused(lambda: ck.IdTable.from_file(tmp_path / "pipe"), "not a plain file")
    refused(lambda: ck.IdTable.from_file(tmp_path / "no"), "no such file")
    refused(lambda: ck.IdTable.from_file("a\0b"), "NUL")
    refused(lambda: ck.IdTable.new("a\0b", key), "NUL")
    refused(lambda: ck.IdTable.new(tmp_path / "no" / "ids", key), "no such file")


def test_a_later_format_is_refused(table: ck.IdTable) -> None:
    """Never misread."""
    file = sqlite3.connect(table.path)
    file.execute("PRAGMA user_version=3")
    file.close()

    refused(lambda: ck.IdTable.from_file(table.path), "another version")


def test_a_cut_table_is_an_error_and_draws_nothing_anew(key: ck.Key, table: ck.IdTable) -> None:
    """Half a file is damaged; it must not answer with new ids for those that were cut off."""
    made = table.pseudonyms(key)
    with made.together():
        for number in range(2000):
            made.uid(str(number))
    data = table.path.read_bytes()
    table.path.write_bytes(data[: len(data) // 2 // 4096 * 4096])

    def ask() -> None:
        again = ck.IdTable.from_file(table.path).pseudonyms(key)
        for number in range(2000):
            again.uid(str(number))

    refused(ask, "damaged")


def test_a_table_that_was_exchanged_during_a_run_is_refused(key: ck.Key, table: ck.IdTable) -> None:
    """A worker opens the table that the run began with, or none."""
    pickled = pickle.dumps(table)
    table.path.unlink()
    ck.IdTable.new(table.path, key)

    refused(lambda: pickle.loads(pickled), "has changed")


MOUNTED = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:30 / /home rw shared:2 - nfs4 server:/home rw,vers=4.2,local_lock=none
31 22 0:31 / /home/old\\040lab rw - nfs server:/old rw,vers=3,nolock,local_lock=all
32 22 0:32 / /scratch rw - lustre mgs:/fs rw,localflock
33 22 0:33 / /work rw - lustre mgs:/fs rw,flock
34 22 0:34 / /mnt/cloud rw - fuse.sshfs me@there: rw
35 22 0:35 / /mnt/cloud/disk rw - xfs /dev/sdb rw
36 22 0:36 / /smb rw - cifs //server/share rw,nobrl
a line that nobody understands
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/table", ""),
        ("/home/me/table", ""),
        ("/home/old lab/table", "nfs"),
        ("/home/old labs/table", ""),
        ("/scratch/table", "lustre"),
        ("/work/table", ""),
        ("/mnt/cloud/table", "fuse.sshfs"),
        ("/mnt/cloud/disk/table", ""),
        ("/smb/table", "cifs"),
    ],
)
def test_a_file_system_says_whether_its_locks_hold_between_machines(place: str, kind: str) -> None:
    """By the options of the nearest mount point; what is local or has locks is no matter."""
    assert kind == mounts.alone(MOUNTED, place)


def test_a_table_where_locks_are_of_one_machine_is_refused(
    key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither made nor opened there, and the error says where to."""
    table = ck.IdTable.new(tmp_path / "table", key)
    point = str(tmp_path.resolve()).replace(" ", "\\040")
    line = f"40 22 0:40 / {point} rw - fuse.rclone remote: rw"
    monkeypatch.setattr(idtable, "_mounted", lambda: line)
    for door in (ck.IdTable.from_file, lambda path: ck.IdTable.new(path, key)):
        with pytest.raises(IdTableError, match=r"fuse\.rclone.*keep it on a disk"):
            door(table.path)


def test_who_holds_a_table_is_felt_by_others_alone(key: ck.Key, table: ck.IdTable) -> None:
    """Another process feels it; nothing is drawn by it, and afterwards it is free."""
    ask = "import sys, cohortkit as ck; sys.exit(ck.IdTable.from_file(sys.argv[1]).is_held())"
    words = [sys.executable, "-c", ask, str(table.path)]
    with table.held():
        assert 1 == subprocess.run(words, check=False).returncode
    assert 0 == subprocess.run(words, check=False).returncode
    assert 0 == len(table)
    assert table.pseudonyms(key).study("1.2")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("", "4711", "")], "a code is 1 to 24"),
        ([("", "4711", "../etc")], "a code is 1 to 24"),
        ([("", "4711", "=cmd")], "a code is 1 to 24"),
        ([("", "4711", "A" * 25)], "a code is 1 to 24"),
        ([("", "", "A1")], "Patient ID is missing"),
        ([("", "4711", "4711")], "is an id"),
        ([("", "AB-12", "x_ab_12")], "holds the one"),
        ([("", "1", "A1"), ("", "A1", "B1")], "is an id"),
        ([("", "4711", "paaaaaaaaaaaaaaaa")], "looks like a name"),
        ([("", "1", "A-1"), ("", "2", "a_1")], "the code is another id's"),
        ([("", "1", "A1"), (" ", "1 ", "A2")], "another code already"),
        ([("", "held", "A1")], "has a name in this table already"),
        ([("", "2", "OLD_1")], "the code is another's in this table"),
    ],
)
def test_codes_that_cannot_be_are_told_by_row_and_none_is_taken(
    key: ck.Key, table: ck.IdTable, rows: list[tuple[str, str, str]], words: str
) -> None:
    """All or nothing; no value is in what is said."""
    made = table.pseudonyms(key)
    made.patient(Person("", "held"))
    table.assign([("", "old", "Old-1")], key)
    with pytest.raises(ck.errors.UsageError, match=words) as caught:
        table.assign([("", "good", "G-1"), *rows], key)
    assert not any(part in str(caught.value) for row in rows for part in row if len(part) > 3)
    assert "G-1" != made.patient(Person("", "good"))


def test_a_code_is_the_persons_name_wherever_the_table_is_opened(
    key: ck.Key, table: ck.IdTable
) -> None:
    """Zeros in front count, blanks do not; the rest is drawn as before, and all is known again."""
    before = table.pseudonyms(key).study("1.2.3")
    assert 2 == table.assign([("H", " 007", "S-001"), ("", "7", "S-002")], key, issuer="K")
    made = ck.IdTable.from_file(table.path).pseudonyms(key)
    assert "S-001" == made.patient(Person("H", "007"))
    assert "S-002" == made.patient(Person("K", "7"))
    other = made.patient(Person("K", "007"))
    assert before == made.study("1.2.3")
    assert all(map(table.gave, ["S-001", "S-002", other, before]))
    assert not table.gave("S-003")
    assert not table.gave("p" + "a" * 16)
