"""A job file: all of it from one command, and every fault before anything is begun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit import cli
from cohortkit.errors import JobError, UsageError
from promised import PATIENTS, make_archive, tree

WHOLE = """
format = 1
archive = "archive"
index = "index"
recipe = "basic"
key = "key"
out = "out"
to = ["nifti", "tables"]

[search]
Modality = ["CT", "MR"]
StudyDate = "2019-01-01..2030-12-31"

[options.tables]
csv = true

[exclude]
patients = "optout.txt"
reason = "opted out"

[run]
workers = 1
task_minutes = 5

[pace]
stop_file = "STOP"
reserve_gigabytes = 0.001
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An archive, a key and a list of who opted out: the second patient."""
    make_archive(tmp_path / "archive")
    ck.Key.new(tmp_path / "key", project="job")
    (tmp_path / "optout.txt").write_text(PATIENTS[1].patient_id + "\n")
    (tmp_path / "job.toml").write_text(WHOLE)
    return tmp_path


def _by_hand(base: Path, out: Path) -> ck.Export:
    index = ck.scan(base / "archive", progress=False)
    cohort = index.search(Modality=["CT", "MR"], StudyDate=("2019-01-01", "2030-12-31")).exclude(
        patients=base / "optout.txt", reason="opted out"
    )
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=["nifti", ck.Tables(csv=True)])
    return ck.export(plan, out, key=ck.Key.from_file(base / "key"), progress=False, workers=1)


def test_a_job_is_the_same_export_as_by_hand(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, from any folder, with one line of JSON; and again, it has nothing to do."""
    by_hand = tree(_by_hand(base, base / "by-hand").release)
    monkeypatch.chdir("/")

    assert 0 == cli.main(["run", str(base / "job.toml"), "--json"])
    line = json.loads(capsys.readouterr().out)
    assert 0 == cli.main(["run", str(base / "job.toml"), "--json"])

    assert 2 == line["planned"]["series"]
    assert by_hand == tree(base / "out" / "release")
    ledger = [
        json.loads(text) for text in (base / "out/vault/ledger.jsonl").read_text().splitlines()
    ]
    assert [2, 0] == [one["tasks"] for one in ledger if one["event"] == "begin"]


def test_a_job_of_a_cohort_file_by_shards(base: Path) -> None:
    """What is chosen already, and the parts of an array."""
    ck.scan(base / "archive", base / "index", progress=False).search(Modality="CT").save(
        base / "ct.cohort"
    )
    job = base / "ct.toml"
    job.write_text(
        'cohort = "ct.cohort"\nrecipe = "basic"\nkey = "key"\nout = "ct"\nto = ["tables"]\n'
    )

    first = ck.run_job(job, shard="1/2", progress=False)
    second = ck.run_job(job, shard="2/2", progress=False)

    assert first.part is not None
    assert 2 == second.manifest["planned"]["series"]


def test_the_stop_file_of_a_job_stops_it(base: Path) -> None:
    """Beside the job file, as all its paths; exit code 3, and the same command goes on."""
    (base / "STOP").touch()

    assert 3 == cli.main(["run", str(base / "job.toml"), "--json"])
    (base / "STOP").unlink()
    assert 0 == cli.main(["run", str(base / "job.toml"), "--json"])


def test_every_fault_is_named_at_once_and_nothing_is_begun(base: Path) -> None:
    """Of the form and of what the words mean, together."""
    faulty = (
        WHOLE.replace("format = 1", "format = 2")
        .replace('"basic"', '"basik"')
        .replace('key = "key"', 'key = "absent"')
        .replace('"nifti", "tables"', '"nifty"')
        .replace("Modality =", "Modallity =")
        .replace("csv = true", "cvs = true")
        .replace("task_minutes = 5", "task_minuts = 5")
        .replace('"optout.txt"', '"optin.txt"')
        .replace('out = "out"', 'out = "archive/out"')
        .replace('stop_file = "STOP"', 'hours = "8-17"')
        + '\n[pase]\nhours = "20:00-06:00"\n'
    )
    (base / "job.toml").write_text(faulty)
    before = sorted(path.name for path in base.iterdir())

    with pytest.raises(JobError) as caught:
        ck.run_job(base / "job.toml", progress=False)

    places = [fault.split(":")[0] for fault in caught.value.faults]
    assert [
        "exclude.patients",
        "format",
        "key",
        "options.tables",
        "out",
        "pace.hours",
        "pase",
        "recipe",
        "run.task_minuts",
        "search.Modallity",
        "to",
    ] == sorted(places)
    words = str(caught.value)
    for told in ("11 faults", "did you mean task_minutes", "there is basic", "mean Modality"):
        assert told in words
    assert before == sorted(path.name for path in base.iterdir())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('recipe = "basic"\n', ""), "recipe: missing"),
        (('out = "out"\n', ""), "out: missing"),
        (('index = "index"\n', ""), "index: missing"),
        (('to = ["nifti", "tables"]', "to = []"), "to: at least one"),
        (('to = ["nifti", "tables"]', 'to = "nifti"'), "to: must be a list"),
        (('["nifti", "tables"]', '["nifti"]'), "options.tables: this output is not in the list"),
        (("csv = true", "csv = true\ncsw = 1"), "tables has no option 'csw'; it has csv"),
        (("workers = 1", "workers = 0"), "run.workers: a whole number from 1"),
        (("workers = 1", 'workers = "2"'), "run.workers: must be a whole number"),
        (("task_minutes = 5", "task_minutes = -5"), "task_minutes: a number above 0"),
        (('archive = "archive"', 'archive = "nowhere"'), "archive: no such folder"),
        (('archive = "archive"', "digest = true"), "digest: without 'archive' nothing is scanned"),
        (("key = ", 'then = ["pairs", "frist_per x"]\nkey = '), "then.2: .*first_per"),
        (("key = ", 'then = ["pairs"]\nkey = '), "then.1: pairs needs days="),
        (("key = ", 'then = ["first_per patient by=Nothing"]\nkey = '), "then.1: .*Nothing"),
        (("key = ", 'then = ["join gone.csv on=PatientID"]\nkey = '), "then.1: "),
        (("key = ", 'then = ["first_per patient by=StudyDate"]\nkey = '), None),
        (('archive = "archive"', "containers = true"), "containers: without 'archive' nothing is"),
        (('archive = "archive"', 'archive = "archive"\ndigest = true\ncontainers = true'), None),
        (('archive = "archive"', 'cohort = "x.cohort"'), "index: a cohort file says that"),
        (('["CT", "MR"]', "[]"), "search.Modality: an empty list would match nothing"),
        (("format = 1", ""), None),
    ],
)
def test_each_fault_says_its_place_and_what_to_write(
    base: Path, change: tuple[str, str], fault: str | None
) -> None:
    """In the words of the file."""
    text = WHOLE.replace(*change)
    assert text != WHOLE
    (base / "job.toml").write_text(text)

    if fault is None:
        assert 0 == ck.run_job(base / "job.toml", progress=False).exit_code
        return
    with pytest.raises(JobError, match=fault):
        ck.run_job(base / "job.toml", progress=False)
    assert not (base / "out").exists()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"format = ", "not TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "no such file"),
        (b"", "recipe: missing"),
    ],
)
def test_what_is_no_job_file_is_told(tmp_path: Path, data: bytes | None, fault: str) -> None:
    """Exit code 2, in one sentence."""
    path = tmp_path / "job.toml"
    if data is not None:
        path.write_bytes(data)

    with pytest.raises(JobError, match=fault):
        ck.run_job(path)
    assert 2 == cli.main(["run", str(path)])


def test_values_are_read_before_the_scan_and_all_that_is_wrong_with_them_is_told(
    base: Path,
) -> None:
    """What a search cannot ask, an output twice, limits and lists: at once."""
    (base / "empty.txt").write_text("\n")
    text = (
        WHOLE.replace('to = ["nifti", "tables"]', 'to = ["nifti", "tables", "nifti", "nifty"]')
        .replace('"2019-01-01..2030-12-31"', '"2031-01-01..2030-12-31"\nRows = "many"')
        .replace("workers = 1", 'workers = 1\nengine = "http://host"\nlimit = 0')
        .replace("task_minutes = 5", "task_minutes = 0\ntask_gigabytes = -1")
        .replace(
            "reserve_gigabytes = 0.001", 'reserve_gigabytes = 0\nhours = "8"\nper_minute = "x"'
        )
        .replace('patients = "optout.txt"', 'patients = "optout.xlsx"')
        .replace('reason = "opted out"', 'reason = "opted\\nout"')
        + '\n[only]\npatients = "empty.txt"\n'
    )
    (base / "optout.xlsx").write_text("x")
    (base / "job.toml").write_text(text)

    with pytest.raises(JobError) as caught:
        ck.run_job(base / "job.toml", progress=False)

    places = [fault.split(":")[0] for fault in caught.value.faults]
    assert [
        "exclude.patients",
        "exclude.reason",
        "only.patients",
        "pace.hours",
        "pace.per_minute",
        "pace.reserve_gigabytes",
        "run.engine",
        "run.limit",
        "run.task_gigabytes",
        "run.task_minutes",
        "search.Rows",
        "search.StudyDate",
        "to",
        "to",
    ] == sorted(places)
    assert "the range ends before it begins" in str(caught.value)
    assert not (base / "index").exists()
    assert not (base / "out").exists()


def test_a_value_that_no_search_takes_is_told(base: Path) -> None:
    """A table, where text, a number or a date is meant."""
    (base / "job.toml").write_text(WHOLE.replace('["CT", "MR"]', '{ is = "CT" }'))

    with pytest.raises(UsageError, match=r"search\.Modality: text, a number"):
        ck.run_job(base / "job.toml", progress=False)


def test_random_ids_and_merges_are_part_of_a_job(base: Path) -> None:
    """The table is drawn from, people are merged; and each fault of them has its place."""
    key = ck.Key.from_file(base / "key")
    table = ck.IdTable.new(base / "ids", key)
    (base / "harbor.toml").write_text('basis = "safe-harbor"\nids = "table"\n')
    old, new = PATIENTS[0], PATIENTS[1]
    (base / "people.csv").write_text(
        "PatientID,IssuerOfPatientID,IntoPatientID,IntoIssuerOfPatientID\n"
        f"{old.patient_id},{old.issuer},{new.patient_id},{new.issuer}\n"
    )
    text = WHOLE.partition("[exclude]")[0] + "[run]\nworkers = 1\n"
    text = text.replace('"basic"', '"harbor.toml"')
    more = 'key = "key"\nids = "ids"\npeople = "people.csv"'
    (base / "job.toml").write_text(text.replace('key = "key"', more))

    made = ck.run_job(base / "job.toml", progress=False)

    assert table.table_id == made.manifest["ids"]["table"]
    assert 1 == len(set(made.table("files")["patient"]))
    (base / "job.toml").write_text(text)
    with pytest.raises(JobError) as caught:
        ck.run_job(base / "job.toml", progress=False)
    assert ["ids"] == [fault.split(":")[0] for fault in caught.value.faults]
    (base / "people.csv").write_text("PatientID\n1\n")
    (base / "job.toml").write_text(text.replace('key = "key"', more.replace('"ids"', '"absent"')))
    with pytest.raises(JobError) as caught:
        ck.run_job(base / "job.toml", progress=False)
    assert ["ids", "people"] == sorted(fault.split(":")[0] for fault in caught.value.faults)
