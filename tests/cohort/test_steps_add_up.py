"""Nothing is lost between steps: in = kept + did not match + unknown, at every level."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort, Counts
from cohortkit.errors import StoreError
from fake_index import DAYS, FakeIndex, archives, row, troubled

LEVELS = ("patients", "studies", "series", "instances")


def recount(rows: pl.DataFrame) -> Counts:
    """Counts by plain Python."""
    lines = rows.to_dicts()
    people = [
        ((line["IssuerOfPatientID"] or "").strip(), (line["PatientID"] or "").strip())
        for line in lines
    ]
    return Counts(
        patients=len(set(people)),
        studies=len(
            {(who, line["StudyInstanceUID"]) for who, line in zip(people, lines, strict=True)}
        ),
        series=len(lines),
        instances=sum(line["NumberOfSeriesRelatedInstances"] for line in lines),
    )


VISITS = pl.DataFrame({"PatientID": ["1", "01", "2", "9"], "day": [*DAYS[:3], None]})
Do = Callable[[Cohort], Cohort]
LABELS = pl.DataFrame(
    {"AccessionNumber": ["A1", "A9", None, "A*"], "split": ["train", "x", "y", "z"]}
)


@st.composite
def steps(draw: st.DrawFn) -> Do:
    """Any step, with any arguments that it takes."""
    number = draw(st.integers(1, 3))
    sort = draw(st.sampled_from(["StudyDate", "Rows", "SliceThickness", "Modality"]))
    level = draw(st.sampled_from(["study", "series"]))
    some = draw(st.lists(st.sampled_from(["1", "01", "2", "9", "*"]), min_size=1, max_size=3))
    uids = draw(st.lists(st.sampled_from(["1.1", "1.2", "1.9"]), min_size=1, max_size=2))
    down = draw(st.booleans())
    kept = draw(st.sampled_from(["keep", "leave out"]))
    done: dict[str, Do] = {
        "search": lambda c: c.search(Modality=["CT", "M*"], StudyDate=(DAYS[number - 1], None)),
        "list": lambda c: c.search(ImageType="ORIGINAL", BodyPartExamined=[None, "HEAD*"]),
        "filter": lambda c: c.filter(pl.col("Rows") >= number, reason="small"),
        "window": lambda c: c.filter(pl.col("Rows") == pl.col("Rows").max().over("PatientID")),
        "first": lambda c: c.first_per("patient", by=sort, level=level, descending=down),
        "column": lambda c: c.first_per("Modality", by=[sort, "Rows"], level=level),
        "study": lambda c: c.first_per("study", by=sort, level="series"),
        "sample": lambda c: c.sample(number, seed=number, level="patient"),
        "series": lambda c: c.sample(number, seed=number, level="series"),
        "only": lambda c: c.only(patients=some),
        "both": lambda c: c.only(patients=some, studies=uids),
        "exclude": lambda c: c.exclude(patients=some, studies=uids),
        "nth": lambda c: c.first_per("patient", by=sort, level=level, nth=number),
        "text": lambda c: c.text("chest", "he*", where="BodyPartExamined"),
        "nearest": lambda c: c.nearest(VISITS, on="PatientID", date="day", days=(-200, 99)),
        "best": lambda c: c.best_per("study", prefer=[{"Modality": "CT"}, f"-{sort}"]),
        "pairs": lambda c: c if "pair_id" in c.labels else c.pairs(days=(0, 900), most=number),
        "match": lambda c: (
            c
            if "match_id" in c.labels
            else c.match(pl.col("Rows") == number, within={"SliceThickness": 2}, controls=number)
        ),
        "split": lambda c: c if _is_split(c) else c.split(train=0.5, test=0.5),
        "join": lambda c: (
            c if _is_split(c) else c.join(LABELS, on="AccessionNumber", unmatched=kept)
        ),
    }
    return done[draw(st.sampled_from(sorted(done)))]


FIRST = st.sampled_from([{}, {"Modality": ["CT", "MR", None]}])


def _is_split(cohort: Cohort) -> bool:
    """Whether a column of that name is there, or is going to be: there is one at most."""
    return bool(cohort.parts) or "split" in cohort.labels


@given(archives(), st.lists(steps(), max_size=4), FIRST)
def test_every_level_adds_up_at_every_step(
    index: FakeIndex, way: list[Do], first: dict[str, object]
) -> None:
    """Random archives, random steps: what comes in is kept, did not match or is unknown."""
    cohort = Cohort.start(index, **first)
    assert recount(index.rows) == cohort.steps[0].kept

    for step in way:
        after = step(cohort)
        assert recount(after.identified()) == after.counts
        assert after is cohort or cohort.counts == after.steps[-1].before
        cohort = after

    for step in cohort.steps:
        for level in LEVELS:
            lost = sum(
                getattr(loss.not_matched, level) + getattr(loss.unknown, level)
                for loss in step.losses
            )
            assert getattr(step.before, level) == getattr(step.kept, level) + lost
            for loss in step.losses:
                assert getattr(loss.not_matched, level) >= 0
                assert getattr(loss.unknown, level) >= 0


@given(archives(), st.lists(steps(), max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    index: FakeIndex, way: list[Do], shuffled: object
) -> None:
    """The same series in another order: the same series kept, the same counts."""
    order = list(range(index.rows.height))
    shuffled.shuffle(order)
    other = FakeIndex(index.rows[order])
    one, two = Cohort.start(index), Cohort.start(other)
    for step in way:
        one, two = step(one), step(two)

    assert one.steps == two.steps
    assert one.identified().sort("series_key").equals(two.identified().sort("series_key"))


@given(archives(), st.lists(steps(), max_size=3))
def test_a_step_never_invents_or_doubles_a_series(index: FakeIndex, way: list[Do]) -> None:
    """Whatever is done, each series is there at most once, with the index's own values."""
    cohort = Cohort.start(index)
    for step in way:
        cohort = step(cohort)
    kept = cohort.identified().select(index.rows.columns)

    assert kept["series_key"].n_unique() == kept.height
    assert kept.equals(index.rows.filter(pl.col("series_key").is_in(kept["series_key"].implode())))


def test_unknown_is_kept_apart_from_did_not_match() -> None:
    """One series fails, one has no value, one passes."""
    index = FakeIndex.of(
        row(1, "a", "1", Modality="CT"),
        row(2, "a", "1", Modality="MR"),
        row(3, "b", "2", Modality=None),
        row(4, "c", "3", Modality="MR"),
        row(5, "c", "3", Modality=""),
    )
    (loss,) = Cohort.start(index, Modality="CT").steps[-1].losses

    assert Counts(0, 0, 2, 20) == loss.not_matched
    assert Counts(2, 2, 2, 20) == loss.unknown
    assert ("not: Modality is CT", "Modality is unknown") == (loss.out, loss.unsure)


def test_a_patient_with_one_series_kept_counts_as_kept() -> None:
    """At patient and study level, kept means some of it is."""
    index = FakeIndex.of(row(1, "a", "1", Modality="CT"), row(2, "a", "1", Modality="MR"))
    cohort = Cohort.start(index, Modality="CT")

    assert Counts(1, 1, 1, 10) == cohort.counts
    assert 0 == cohort.steps[-1].losses[0].not_matched.patients


def test_one_id_at_two_sites_is_two_people() -> None:
    """The person is (issuer, Patient ID)."""
    assert 2 == Cohort.start(troubled(), PatientID="0001").counts.patients


def test_an_index_that_counts_no_instances_has_none_to_tell() -> None:
    """Without the column, instances are unknown, not nought."""
    index = FakeIndex(troubled().rows.drop("NumberOfSeriesRelatedInstances", "IssuerOfPatientID"))
    cohort = Cohort.start(index, Modality="CT").first_per("patient", by="StudyDate")

    assert cohort.counts.instances is None
    assert "instance" not in repr(cohort)
    assert "instance" not in cohort.flow().svg()


def test_an_index_without_people_is_refused() -> None:
    """A cohort cannot be without Patient ID, study and key."""
    with pytest.raises(StoreError, match="PatientID"):
        Cohort.start(FakeIndex(troubled().rows.drop("PatientID")))
