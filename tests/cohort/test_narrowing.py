"""An index that is asked for fewer rows than all answers as one that is read whole."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.predicates import verdict
from cohortkit.errors import Unanswerable
from cohortkit.model.query import Absent, AnyOf, Between, Capabilities, Exactly, Like, Query
from cohortkit.protocols import Index, Narrowed, Narrowing
from fake_index import FakeIndex, archives, troubled

PROVED = {"Modality": frozenset({Exactly, AnyOf}), "Rows": frozenset({Exactly, Between})}


@dataclass(frozen=True)
class Behind:
    """A server over rows in memory, which answers what it proved and nothing else."""

    whole: FakeIndex
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("fake", PROVED))
    version: str = "v1"
    location: str = ""

    def series(self) -> pl.LazyFrame:
        return self.whole.series()

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        return self.whole.instances(series_keys)

    def narrow(self, query: Query) -> Narrowed:
        rows = self.whole.series()
        can = self.capabilities
        if not any(can.proves(*term) for term in query.terms) and not can.whole:
            raise Unanswerable(query.terms[0][0], "no term that it was proved to answer")
        schema = rows.collect_schema()
        asked = query.terms[:1] if can.unknown else query.terms
        rest = [
            verdict(word, one, schema[word]).fill_null(can.unknown)
            for word, one in asked
            if can.proves(word, one)
        ]
        rows = rows.filter(*rest)
        counts = Cohort.start(self.whole).counts
        told = (counts.patients, counts.studies, counts.series, counts.instances)
        return Narrowed(rows, told if can.unknown else None)


TERMS = st.fixed_dictionaries(
    {},
    optional={
        "Modality": st.sampled_from(["CT", "MR", None, ["CT", None], ["CT", "MR"], "C*"]),
        "Rows": st.sampled_from([1, (2, None), (1, 3), None]),
        "BodyPartExamined": st.sampled_from(["CHEST", "HEAD*", None]),
    },
)


@given(archives(), TERMS)
def test_a_narrowed_index_gives_the_flow_of_the_whole_one(
    index: FakeIndex, terms: dict[str, object]
) -> None:
    """Rows, counts, losses and hints are those of an index that was read whole."""
    expected = Cohort.start(index, **terms)
    actual = Cohort.start(Behind(index), **terms)

    assert expected.steps == actual.steps
    assert expected.identified().sort("series_key").equals(actual.identified().sort("series_key"))


def test_where_the_whole_is_not_known_the_flow_begins_with_what_was_offered() -> None:
    """No count of an index is made up; the keywords that were asked are told, no value."""
    index = Behind(troubled(), Capabilities("fake", PROVED, unknown=False, whole=False))

    cohort = Cohort.start(index, Modality="MR", Rows=(1, None))

    assert "what the index offered for Modality, Rows" == cohort.steps[0].words
    assert 0 == cohort.steps[0].kept.series


def test_a_term_that_a_server_cannot_answer_is_refused_by_name() -> None:
    """An answer with less is never given."""
    index = Behind(troubled(), Capabilities("fake", {}, unknown=False, whole=False))

    with pytest.raises(Unanswerable, match="Modality") as caught:
        Cohort.start(index, Modality="CT")

    assert "Modality" == caught.value.keyword


def test_a_list_is_proved_by_each_kind_of_its_members() -> None:
    """A wildcard in a list needs both to be proved."""
    can = Capabilities("fake", {"Modality": frozenset({AnyOf, Absent})})

    assert can.proves("Modality", AnyOf(("CT", Absent())))
    assert not can.proves("Modality", AnyOf(("CT", Like("M*"))))
    assert not can.proves("Modality", Exactly("CT"))
    assert not can.proves("Rows", AnyOf((1,)))


def test_what_stands_for_a_server_is_one() -> None:
    """The doubles of these tests keep the protocol's shape."""
    assert isinstance(Behind(troubled()), Narrowing)
    assert isinstance(Behind(troubled()), Index)
    assert not isinstance(troubled(), Narrowing)
