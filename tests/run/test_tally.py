from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.model import Names, Outcome, Record, Status
from cohortkit.reasons import Reason
from cohortkit.run.counts import counts, reasons
from cohortkit.run.tally import Tally, best, complete

FATES = st.tuples(st.sampled_from(Status), st.sampled_from([None, *Reason]))


@given(
    count=st.integers(1, 12),
    data=st.data(),
)
def test_whatever_comes_in_every_instance_has_exactly_one_outcome(
    count: int, data: st.DataObject
) -> None:
    """Parts overlap, statuses differ: nothing is lost and nothing is twice."""
    tally = Tally("nifti", count)
    parts = data.draw(
        st.lists(st.tuples(FATES, st.sets(st.integers(0, count - 1), min_size=1)), max_size=8)
    )
    for (status, reason), members in parts:
        tally.add(status, members, reason)
    tally.add(Status.REFUSED, tally.rest(), Reason.TILT)

    outcomes = tally.outcomes()

    assert complete(outcomes, ["nifti"], count)
    assert list(range(count)) == sorted(n for one in outcomes for n in one.instances)
    for one in outcomes:
        for number in one.instances:
            said = [fate[0] for fate, members in parts if number in members]
            assert not said or one.status is best(said)


@given(st.permutations([0, 1, 2, 3]))
def test_the_order_in_which_parts_come_does_not_matter(order: list[int]) -> None:
    """Outcomes are sorted, so that records are the same bytes in every run."""
    parts = [
        (Status.WRITTEN, (0, 1), None),
        (Status.REFUSED, (1, 2), Reason.TILT),
        (Status.REFUSED, (3,), Reason.TILT),
        (Status.DUPLICATE, (4,), Reason.SAME_INSTANCE),
    ]
    expected, tally = Tally("a", 5), Tally("a", 5)
    for status, members, reason in parts:
        expected.add(status, members, reason)
    for place in order:
        status, members, reason = parts[place]
        tally.add(status, members, reason)

    assert expected.outcomes() == tally.outcomes()


def test_a_part_that_was_not_written_beside_one_that_was_is_told() -> None:
    """An enhanced object of which one stack is refused: written, with the reason and a count."""
    tally = Tally("nifti", 1)
    tally.add(Status.WRITTEN, (0,))
    tally.add(Status.REFUSED, (0,), Reason.TILT, {"angle": 12.0})

    assert (
        Outcome(
            "nifti", Status.WRITTEN, (0,), Reason.TILT, {"angle": 12.0, "parts_not_written": 1.0}
        ),
    ) == tally.outcomes()


def test_an_instance_of_which_nothing_was_said_is_an_error() -> None:
    """A silent drop is a fault, not a count."""
    tally = Tally("nifti", 2)
    tally.add(Status.WRITTEN, (0,))

    with pytest.raises(ValueError, match="without an outcome"):
        tally.outcomes()


def test_an_instance_that_the_series_does_not_have_is_an_error() -> None:
    """A payload that claims more than there is."""
    with pytest.raises(ValueError, match="not in the series"):
        Tally("nifti", 2).add(Status.WRITTEN, (2,))


@pytest.mark.parametrize(
    "outcomes",
    [
        (),
        (Outcome("a", Status.WRITTEN, (0,)),),
        (Outcome("a", Status.WRITTEN, (0, 1)), Outcome("a", Status.REFUSED, (1,), Reason.TILT)),
        (Outcome("a", Status.WRITTEN, (0, 1)), Outcome("b", Status.WRITTEN, (0, 1))),
        (Outcome("a", Status.WRITTEN, (0, 1, 2)),),
    ],
)
def test_a_lost_a_doubled_and_a_strange_outcome_are_not_complete(
    outcomes: tuple[Outcome, ...],
) -> None:
    """The last check before a record is published."""
    assert not complete(outcomes, ["a"], 2)


RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["", "pa", "pb"]),
        st.sampled_from(["s1", "s2", "s3"]),
        st.lists(FATES, min_size=1, max_size=4),
    ),
    max_size=8,
)


@given(RECORDS)
def test_the_sums_hold_at_every_level(
    drawn: list[tuple[str, str, list[tuple[Status, Reason]]]],
) -> None:
    """In = written + refused + failed + not applicable + duplicate: patient to instance."""
    records = [
        Record(
            task=f"t{number}",
            plan="",
            names=Names(patient, study, f"r{number}"),
            instances=len(fates),
            outcomes=tuple(
                Outcome("nifti", status, (place,), reason)
                for place, (status, reason) in enumerate(fates)
            ),
        )
        for number, (patient, study, fates) in enumerate(drawn)
    ]

    lines = {line.level: line for line in counts(records)}

    if records:
        assert ["patient", "study", "series", "instance"] == list(lines)
        assert len(records) == lines["series"].units
        assert sum(record.instances for record in records) == lines["instance"].units
    for line in lines.values():
        assert line.units == sum(line.by.values())
    assert sum(record.instances for record in records) == sum(
        why.instances for why in reasons(records)
    )
    assert counts(records) == counts(reversed(records))
