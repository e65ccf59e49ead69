"""The command: the library's verbs, plain words for errors, exit codes that a batch can trust."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit import cli
from cohortkit.cohort.terms import read_terms
from cohortkit.errors import ExportFailed, OutputError, QueryError

COMMAND = Path(sys.executable).with_name("cohortkit")
COLUMNS = pl.Schema(
    {
        "Modality": pl.String(),
        "StudyDate": pl.Date(),
        "SliceThickness": pl.Float64(),
        "NumberOfSeriesRelatedInstances": pl.Int64(),
        "PixelSpacing": pl.List(pl.Float64()),
        "flag": pl.Boolean(),
    }
)


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        ([], {}),
        (["Modality=CT"], {"Modality": "CT"}),
        (["Modality=CT", "Modality=MR"], {"Modality": ["CT", "MR"]}),
        (["Modality=C*"], {"Modality": "C*"}),
        (["Modality="], {"Modality": None}),
        (["Modality=../a..b"], {"Modality": "../a..b"}),
        (["Modality=a=b"], {"Modality": "a=b"}),
        (["StudyDate=2022-01-01..2024-12-31"], {"StudyDate": ("2022-01-01", "2024-12-31")}),
        (["StudyDate=2022-01-01.."], {"StudyDate": ("2022-01-01", None)}),
        (["SliceThickness=1.25"], {"SliceThickness": 1.25}),
        (["SliceThickness=..3"], {"SliceThickness": (None, 3)}),
        (["NumberOfSeriesRelatedInstances=40..60"], {"NumberOfSeriesRelatedInstances": (40, 60)}),
        (["PixelSpacing=0.5..0.8"], {"PixelSpacing": (0.5, 0.8)}),
        (["flag=true"], {"flag": True}),
        (["Nonsense=1..2"], {"Nonsense": "1..2"}),
    ],
)
def test_terms_are_read_by_the_type_of_the_column(
    words: list[str], terms: dict[str, object]
) -> None:
    """A word on the command line means what the same term means in the library."""
    assert terms == read_terms(words, COLUMNS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Modality"], "term 1 is not KEYWORD=VALUE"),
        (["Modality=CT", "=x"], "term 2 is not KEYWORD=VALUE"),
        (["SliceThickness=thin"], "SliceThickness takes a number"),
        (["SliceThickness=1..thick"], "SliceThickness takes a number"),
        (["Modality=CT..MR"], "Modality is text"),
        (["0", "0="], "unknown keyword '0' in this search; term 1 is not KEYWORD=VALUE"),
    ],
)
def test_a_term_that_means_nothing_is_an_error(words: list[str], told: str) -> None:
    """It names the place or the keyword, and not the value, which may be an identity."""
    with pytest.raises(QueryError, match=re.escape(told)) as caught:
        read_terms(words, COLUMNS)
    assert "thin" not in str(caught.value).replace("thing", "")


@given(st.lists(st.text(min_size=1, max_size=12)))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    """No input makes anything but terms or a QueryError; every keyword asked is in the answer."""
    try:
        terms = read_terms(words, COLUMNS)
    except QueryError:
        return

    assert {word.partition("=")[0] for word in words} == set(terms)


def _run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "words",
    [
        ["scann", "x", "y"],
        ["scan"],
        ["scan", "a", "b", "--fast"],
        ["export", "a.cohort", "out", "--recipe", "basic", "--to", "nifti", "--errors", "ignore"],
        ["export", "a.cohort", "out", "--recipe", "basic", "--to", "nifti", "--limit", "few"],
        ["plan", "no-such.cohort", "--recipe", "basic", "--to", "nifti"],
        ["recipe", "check", "no-such-recipe"],
        ["recipe", "check", "./no-such-recipe.toml"],
        ["search", "no-such-index"],
        ["verify", "no-such-export"],
        ["key", "new", "k"],
        ["scan", "", "index"],
        ["scan", "archive", " "],
        ["search", "y" * 300],
        ["plan", ".", "--recipe", "basic", "--to", "nifti"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_plain_message(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    """Exit code 2, nothing on stdout, a message without a traceback, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COHORTKIT_KEY", raising=False)
    code, out, err = _run(capsys, *words)

    assert 2 == code
    assert "" == out
    assert err.startswith("cohortkit: ")
    assert "Traceback" not in err
    assert "\x1b" not in err
    assert [] == list(tmp_path.iterdir())


def test_a_reader_who_has_seen_enough_ends_it_quietly() -> None:
    """As in ``| head``: no complaint, no traceback, exit code 0."""
    with subprocess.Popen(
        [COMMAND, "recipe", "explain", "basic"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.read(10)
        run.stdout.close()
        complaint = run.stderr.read()

    assert (0, b"") == (run.returncode, complaint)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words", [["--help"], ["recipe", "explain", "basic"], ["recipe", "check", "basic"]]
)
def test_a_full_disk_behind_standard_output_is_no_fault_of_ours(
    words: list[str], unbuffered: str
) -> None:
    """One line that says so, whether Python writes at once or at the end."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [COMMAND, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )

    said = b"cohortkit: standard output cannot be written: no space left\n"
    assert (3, said) == (done.returncode, done.stderr)


def test_a_log_holds_no_progress_bar(tmp_path: Path) -> None:
    """Where stderr is no terminal nobody watches."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "a").write_text("no DICOM")
    run = subprocess.run(
        [COMMAND, "scan", tmp_path / "archive", tmp_path / "index"],
        capture_output=True,
        check=True,
    )

    assert b"" == run.stderr


def test_help_tells_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word, and with --help, the command says what it can do."""
    for words in ([], ["--help"]):
        code, out, _ = _run(capsys, *words)

        assert 0 == code
        assert all(name in out for name in ("scan", "search", "plan", "export", "verify", "demo"))


def test_a_key_is_made_once_and_for_its_owner(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Mode 0600, the secret is not shown, and a second time is refused."""
    file = tmp_path / "p.key"
    code, out, _ = _run(capsys, "key", "new", file, "--project", "p", "--json")
    said = json.loads(out)
    secret = re.search(r'secret = "(\w+)"', file.read_text("ascii"))

    assert 0 == code
    assert {"file", "project", "key_id"} == set(said)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert secret
    assert secret[1] not in out
    before = file.read_bytes()
    assert 2 == _run(capsys, "key", "new", file, "--project", "p")[0]
    assert before == file.read_bytes()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutputError("the output is taken"), 2),
        (ExportFailed("task 3 failed"), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("MRN-00471113"), 1),
    ],
)
def test_errors_become_exit_codes(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    """One line on stderr; of an unforeseen fault its kind alone, never its words."""

    def scan(*_: object, **__: object) -> None:
        raise error

    monkeypatch.delenv(cli.TRACEBACK, raising=False)
    monkeypatch.setattr(ck, "scan", scan)
    got, out, err = _run(capsys, "scan", "a", "b")

    assert code == got
    assert "" == out
    assert 1 == len(err.splitlines())
    assert "MRN-00471113" not in err


def test_an_error_is_one_line_of_json_where_it_was_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A batch reads why, too; people read the same on stderr."""
    code, out, err = _run(capsys, "search", tmp_path / "nothing", "--json")

    assert 2 == code
    told = json.loads(out)
    assert 1 == len(out.splitlines())
    assert code == told["exit_code"]
    assert f"cohortkit: {told['error']}" == err.strip()


def test_the_faults_of_each_recipe_are_a_line_of_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A recipe with a fault has its line like one without."""
    path = tmp_path / "wrong.toml"
    path.write_text('basis = "nothing"\n')
    code, out, err = _run(capsys, "recipe", "check", "basic", path, "--json")

    good, wrong = map(json.loads, out.splitlines())
    assert 2 == code == wrong["exit_code"]
    assert ("basic", str(path)) == (good["recipe"], wrong["recipe"])
    assert f"cohortkit: {wrong['error']}" == err.strip()


@pytest.mark.parametrize("name", ["cohortkit.cli", "polars"])
def test_ctrl_c_while_it_loads_is_one_line(name: str) -> None:
    """Loading takes a second: who has thought better of it gets no traceback."""
    program = (
        "import builtins, sys\n"
        "loaded = builtins.__import__\n"
        "def stopped(name, *rest):\n"
        f"    if name == {name!r}: raise KeyboardInterrupt\n"
        "    return loaded(name, *rest)\n"
        "builtins.__import__ = stopped\n"
        "from cohortkit.__main__ import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (130, "", "cohortkit: stopped\n") == (done.returncode, done.stdout, done.stderr)
