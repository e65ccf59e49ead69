"""Promise 6: nothing that leaves, and nothing that is printed, holds a source value."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit.deidentify import engine, rules
from cohortkit.model import DeidentifiedSeries
from cohortkit.recipe.model import Action, Decision
from cohortkit.recipe.policy import Policy
from cohortkit.run import produce, worker
from cohortkit.run.searching import Finding
from factory import Patient, Series, write_series
from independent import Identities, collect, search
from promised import Run, check_no_identity


def test_a_stranger_finds_nobody_in_the_release(
    exported: ck.Export, identities: Identities
) -> None:
    """No identity in any byte, name or cell of the release."""
    check_no_identity(exported.release, identities)


def test_the_release_is_not_empty(exported: ck.Export) -> None:
    """There are volumes, pictures and tables in which nobody was found."""
    kinds = {path.suffix for path in exported.release.rglob("*") if path.is_file()}

    assert {".gz", ".png", ".json", ".parquet", ".html"} <= kinds


def leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: the policy keeps whatever it is asked, and the tables release what they get."""
    kept = Decision(Action.KEEP, "sabotage", from_rule=True)
    monkeypatch.setattr(Policy, "decide", lambda *_: kept)
    monkeypatch.setattr(rules, "rules_for", rules.Rules)  # decisions are remembered by recipe
    monkeypatch.setattr(engine, "rules_for", rules.Rules)
    honest = produce.rows_of

    def telling(series: DeidentifiedSeries) -> dict[str, object]:
        told = {"told": series.headers[0].text("PatientComments")}
        made = dict(honest(series))
        return {**made, "labels": tuple({**row, **told} for row in made["series"])}

    monkeypatch.setattr(produce, "rows_of", telling)


def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: the search before publication finds nothing."""
    honest = worker.prove

    def prove(*given_: object) -> Finding:
        return replace(honest(*given_), hits=())  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "prove", prove)


def test_a_leak_is_found_before_it_is_published(
    archive: Path,
    key: ck.Key,
    identities: Identities,
    inline: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A policy that lets everything pass is stopped by the search: refused, quarantined."""
    leak(monkeypatch)

    export = inline(archive, tmp_path / "out", key)

    check_no_identity(export.release, identities)
    assert "identity-found" in set(export.refused()["reason"])
    assert any((tmp_path / "out" / "quarantine").rglob("*"))


def test_sabotage_leak_turns_the_promise_red(
    archive: Path,
    key: ck.Key,
    identities: Identities,
    inline: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """With the policy open and the search blinded, the stranger does find the patient."""
    leak(monkeypatch)
    blind(monkeypatch)
    export = inline(archive, tmp_path / "out", key)

    with pytest.raises(AssertionError):
        check_no_identity(export.release, identities)


def test_nothing_is_printed_or_logged_that_names_a_patient(
    archive: Path,
    key: ck.Key,
    identities: Identities,
    inline: Run,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Standard streams, log records and reprs hold no identity."""
    caplog.set_level(logging.DEBUG)
    index = ck.scan(archive, progress=False)
    cohort = index.search()
    recipe = ck.load_recipe("basic")
    plan = ck.plan(cohort, recipe, to="tables")
    export = inline(archive, tmp_path / "out", key)
    shown = [index, cohort, recipe, plan, export, key, plan.tasks[0], *plan.tasks[0].files]
    (tmp_path / "said").mkdir()
    said = tmp_path / "said" / "all.txt"
    html = [one._repr_html_() for one in shown if hasattr(one, "_repr_html_")]
    texts = [*map(repr, shown), *map(str, shown), *html, caplog.text, *capfd.readouterr()]

    said.write_text("\n".join(texts))

    assert search(tmp_path / "said", identities).hits == set()


TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="\\^=*?\x7f\x85\xa0"),
    min_size=6,
    max_size=20,
).filter(lambda text: text.isprintable() and not text.isdigit())
WORD = TEXT.map(lambda text: "Zq" + text)


@given(name=WORD, identifier=WORD, accession=WORD, place=WORD)
def test_whatever_the_patient_is_called_nobody_is_found(
    name: str,
    identifier: str,
    accession: str,
    place: str,
    tmp_path_factory: pytest.TempPathFactory,
    key: ck.Key,
) -> None:
    """Any name, id, accession and hospital: not a byte of them in the release."""
    base = tmp_path_factory.mktemp("any")
    patient = Patient(
        patient_id=identifier, name=f"{name}^Jo", accession=accession[:16], institution=place
    )
    write_series(base / "archive", patient, Series(slices=2, rows=3, columns=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "cohortkit.run.engines.Local.run",
            lambda _, work, tasks: ((task.number, work(task)) for task in tasks),
        )
        plan = ck.plan(
            ck.scan(base / "archive", progress=False, workers=1).search(),
            ck.load_recipe("basic"),
            to=["nifti", "tables"],
        )
        export = ck.export(plan, base / "out", key=key, progress=False)

    check_no_identity(export.release, collect([base / "archive"]))
    # a name that happens to spell a part of the head is held back, since it stands in a description
    assert set(export.refused()["reason"]) <= {"face-risk"}
    assert export.failed().is_empty()
