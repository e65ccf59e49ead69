"""Key files: only the owner reads them, only project and key id are shown, nothing is guessed."""

from __future__ import annotations

import copy
import os
import pickle
import re
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import KeyFileError
from cohortkit.model import Person

SECRET = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
GOOD = f'format = 1\nproject = "chest-ct"\nsecret = "{SECRET}"\n'


def written(folder: Path, text: str | bytes = GOOD, mode: int = 0o600) -> Path:
    place = folder / "some.key"
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    place.chmod(mode)
    return place


def test_new_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """`Key.new` makes a file of mode 0600, whatever the umask, that loads as the same key."""
    old = os.umask(0)
    try:
        key = Key.new(tmp_path / "a.key", project="chest-ct")
    finally:
        os.umask(old)
    assert 0o600 == stat.S_IMODE((tmp_path / "a.key").stat().st_mode)
    assert key == Key.from_file(tmp_path / "a.key")
    assert "chest-ct" == key.project
    assert re.fullmatch(r"[a-z2-7]{8}", key.key_id)


def test_two_new_keys_differ(tmp_path: Path) -> None:
    """Two keys of one project have another secret, and so other pseudonyms."""
    one, two = Key.new(tmp_path / "a", project="p"), Key.new(tmp_path / "b", project="p")
    assert one.key_id != two.key_id
    assert one != two
    person = Person("", "1")
    assert one.pseudonyms().patient(person) != two.pseudonyms().patient(person)


def test_new_key_never_overwrites(tmp_path: Path) -> None:
    """A key that is lost breaks a project: an existing file stays as it is, a dangling link too."""
    place = written(tmp_path)
    with pytest.raises(KeyFileError, match="not overwritten"):
        Key.new(place, project="other")
    assert GOOD == place.read_text()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeyFileError, match="not overwritten"):
        Key.new(tmp_path / "link", project="other")
    assert not (tmp_path / "nowhere").exists()


def test_new_key_needs_its_folder(tmp_path: Path) -> None:
    """A folder that is not there is not made in silence."""
    with pytest.raises(KeyFileError, match="no such file"):
        Key.new(tmp_path / "no" / "a.key", project="p")


@pytest.mark.parametrize("project", ["", " ", "a b", "-x", "x" * 65, "a\nb", 'a"b', "a:b", "../x"])
def test_project_id_is_a_plain_word(tmp_path: Path, project: str) -> None:
    """A project id stands in file names and environment variables, so it is a plain word."""
    with pytest.raises(KeyFileError, match="project id"):
        Key.new(tmp_path / "a.key", project=project)
    assert not (tmp_path / "a.key").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o666, 0o777])
def test_key_that_others_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Any bit for group or others is too much; the message says what to do."""
    with pytest.raises(KeyFileError, match=rf"mode 0{mode:o}.*chmod 600"):
        Key.from_file(written(tmp_path, mode=mode))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_key_of_its_owner_is_taken(tmp_path: Path, mode: int) -> None:
    """0600 and stricter are taken, through a link too: the file itself is checked."""
    place = written(tmp_path, mode=mode)
    (tmp_path / "link").symlink_to(place)
    assert Key.from_file(place) == Key.from_file(str(tmp_path / "link"))


def test_link_to_a_readable_file_is_refused(tmp_path: Path) -> None:
    """A link does not hide that its target can be read by others."""
    (tmp_path / "link").symlink_to(written(tmp_path, mode=0o644))
    with pytest.raises(KeyFileError, match="others may read"):
        Key.from_file(tmp_path / "link")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, a named pipe (which must not hang): clear errors."""
    with pytest.raises(KeyFileError, match="no such file"):
        Key.from_file(tmp_path / "missing")
    with pytest.raises(KeyFileError, match="not a plain file"):
        Key.from_file(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileError, match="not a plain file"):
        Key.from_file(tmp_path / "pipe")
    with pytest.raises(KeyFileError, match="no such file"):
        Key.from_file(written(tmp_path) / "below-a-file")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        SECRET,
        f"chest-ct:{SECRET}",
        GOOD.replace(SECRET, SECRET[:-1]),
        GOOD.replace(SECRET, SECRET + "00"),
        GOOD.replace(SECRET, "g" * 64),
        GOOD.replace(f'"{SECRET}"', "5"),
        GOOD.replace("chest-ct", ""),
        GOOD.replace('"chest-ct"', "[]"),
        GOOD.replace("format = 1", "format = 2"),
        GOOD.replace("format = 1\n", ""),
        GOOD + "more = 1\n",
        GOOD + GOOD,
        GOOD.encode("utf-16"),
        b"\xff\xfe" + GOOD.encode(),
        b"\0" * 100,
        GOOD + "# " + "x" * 5000,
    ],
)
def test_malformed_key_is_refused_without_its_secret(tmp_path: Path, text: str | bytes) -> None:
    """A malformed file is refused, and neither message nor traceback quotes what is in it."""
    with pytest.raises(KeyFileError) as caught:
        Key.from_file(written(tmp_path, text))
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET[:20] not in told
    assert caught.value.__cause__ is None


def test_key_from_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``project:64 hex digits`` is the same key as the file with the same content."""
    monkeypatch.setenv("COHORTKIT_KEY", f"chest-ct:{SECRET}")
    assert Key.from_env() == Key.from_file(written(tmp_path))
    monkeypatch.setenv("COHORTKIT_KEY", f" chest-ct:{SECRET.upper()}\n")
    assert Key.from_env() == Key.from_file(tmp_path / "some.key")


@pytest.mark.parametrize(
    "value",
    [None, "", "x", SECRET, f":{SECRET}", f"a b:{SECRET}", f"p:{SECRET[:-1]}", "p:", "p:zz"],
)
def test_bad_environment_is_refused(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """No key, or half of one, is an error and no silent default."""
    monkeypatch.delenv("COHORTKIT_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("COHORTKIT_KEY", value)
    with pytest.raises(KeyFileError, match="COHORTKIT_KEY") as caught:
        Key.from_env()
    assert SECRET[:20] not in str(caught.value)


def everything_shown(key: Key) -> str:
    """All that printing, formatting, inspecting and pickling a key shows."""
    held = [repr(getattr(key, name)) for name in Key.__slots__]
    shown = [repr(key), str(key), f"{key}", format(key), "%s" % key, *held, repr([key])]  # noqa: UP031 - the old form is one way to show it
    shown += [repr(dir(key)), repr(key.pseudonyms()), repr(key.__reduce__())]
    return "".join(shown) + pickle.dumps(key).decode("latin-1")


def test_secret_is_shown_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """repr, str, format, slots, dir and pickle hold project and key id, never the secret."""
    monkeypatch.setenv("COHORTKIT_KEY", f"chest-ct:{SECRET}")
    for key in (Key.from_file(written(tmp_path)), Key.from_env()):
        assert not hasattr(key, "__dict__")
        with pytest.raises(TypeError):
            vars(key)
        shown = everything_shown(key)
        assert SECRET not in shown
        assert bytes.fromhex(SECRET).decode("latin-1") not in shown
        assert f"Key(project='chest-ct', key_id='{key.key_id}')" == repr(key)


def test_pickle_loads_the_key_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker opens the file itself; copies are the same key; the current folder may differ."""
    place = written(tmp_path)
    monkeypatch.chdir(tmp_path)
    key = Key.from_file("some.key")
    data = pickle.dumps(key)
    monkeypatch.chdir("/")
    again = pickle.loads(data)
    assert key == again == copy.deepcopy(key)
    person = Person("", "1")
    assert key.pseudonyms().patient(person) == again.pseudonyms().patient(person)
    place.unlink()
    with pytest.raises(KeyFileError, match="no such file"):
        pickle.loads(data)


def test_a_key_that_was_swapped_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that finds another key than the run began with stops."""
    data = pickle.dumps(Key.from_file(written(tmp_path)))
    written(tmp_path, GOOD.replace(SECRET, SECRET[::-1]))
    with pytest.raises(KeyFileError, match="changed"):
        pickle.loads(data)
    monkeypatch.setenv("COHORTKIT_KEY", f"chest-ct:{SECRET}")
    data = pickle.dumps(Key.from_env())
    monkeypatch.setenv("COHORTKIT_KEY", f"brain-mr:{SECRET}")
    with pytest.raises(KeyFileError, match="changed"):
        pickle.loads(data)


def test_key_in_a_worker_process(tmp_path: Path) -> None:
    """Another process loads the key from its pickle and makes the same pseudonyms."""
    key = Key.new(tmp_path / "a.key", project="p")
    code = (
        "import pickle,sys;from cohortkit.model import Person;"
        "key=pickle.loads(sys.stdin.buffer.read());"
        "print(repr(key),key.pseudonyms().patient(Person('','1')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(key), capture_output=True, check=True
    )
    assert f"{key!r} {key.pseudonyms().patient(Person('', '1'))}" == run.stdout.decode().strip()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_no_file_crashes_the_parser(tmp_path: Path, data: bytes) -> None:
    """Any bytes are a key or a KeyFileError, nothing else."""
    with pytest.raises(KeyFileError):
        Key.from_file(written(tmp_path, data))


@pytest.mark.parametrize("secret", ["0" * 64, "f" * 64, "0123456789abcdef" * 4, "ab" * 32])
def test_a_secret_that_anybody_would_try_is_refused(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file and in the variable; the message does not repeat it."""
    monkeypatch.setenv("COHORTKIT_KEY", f"p:{secret}")
    for read in (
        Key.from_env,
        lambda: Key.from_file(written(tmp_path, GOOD.replace(SECRET, secret))),
    ):
        with pytest.raises(KeyFileError, match="not random") as caught:
            read()
        assert secret not in str(caught.value)
