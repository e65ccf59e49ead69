"""Priors and follow-ups: in the window, alike, each study once."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UsageError
from fake_index import FakeIndex, archives, troubled
from kept import notes, who


@given(
    archives(20),
    st.sampled_from([(0, 400), (1, None), (100, 200), (None, 150), (158, 158)]),
    st.sampled_from([(), ("Modality",), ("Modality", "BodyPartExamined")]),
    st.sampled_from([None, 1]),
)
def test_pairs_lie_in_the_window_and_share_no_study(
    index: FakeIndex, days: tuple[int | None, int | None], same: tuple[str, ...], most: int | None
) -> None:
    """Two studies of one person, alike, the prior first, each once; nothing is left to pair."""
    cohort = Cohort.start(index).pairs(days=days, same=same, most=most)
    low, high = days[0] or 0, 10**6 if days[1] is None else days[1]
    group = lambda n: (who(n), *(n[name] for name in same))  # noqa: E731 - a key
    day_of: dict[object, dt.date] = {}
    for line in index.rows.to_dicts():
        unit = (group(line), line["StudyInstanceUID"])
        if who(line)[1] and line["StudyDate"] is not None and all(line[name] for name in same):
            day_of[unit] = min(day_of.get(unit, line["StudyDate"]), line["StudyDate"])
    members: dict[object, set[tuple[str, str]]] = defaultdict(set)
    taken: Counter[object] = Counter()
    for line in cohort.identified().to_dicts():
        members[group(line), line["pair_id"]].add((line["pair_role"], line["StudyInstanceUID"]))
        apart = line["pair_days"].days
        assert low <= apart <= high
    for (mine, _), both in members.items():
        roles = dict(both)
        assert {"prior", "follow-up"} == roles.keys()
        assert 2 == len(both)
        gap = (day_of[mine, roles["follow-up"]] - day_of[mine, roles["prior"]]).days
        assert low <= gap <= high
        taken.update([(mine, roles["prior"]), (mine, roles["follow-up"])])
    assert set(taken.values()) <= {1}
    per_group = Counter(mine for mine, _ in members)
    assert most is None or all(count <= most for count in per_group.values())
    free = [unit for unit in day_of if unit not in taken]
    for one in free:
        for other in free:
            gap = (day_of[other] - day_of[one]).days
            fits = one != other and one[0] == other[0] and low <= gap <= high
            assert not fits or (most is not None and per_group[one[0]] >= most)


def test_pairs_are_labelled_and_hide_who_they_are() -> None:
    """Which pair, which role, how many days; ids and intervals are in no view unless asked."""
    cohort = Cohort.start(troubled()).pairs(days=(100, 500), same="Modality")

    assert [("prior", 426), ("follow-up", 426)] == [
        (role, days.days)
        for role, days in cohort.identified().select("pair_role", "pair_days").iter_rows()
    ]
    assert 1 == cohort.identified()["pair_id"].n_unique()
    assert {"pair_id", "pair_days"}.isdisjoint(cohort.to_polars().columns)
    assert 1 == notes(cohort)["pairs"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": (-1, 5)},
        {"days": ()},
        {"same": "ImageType"},
        {"by": "Rows"},
        {"most": 0},
        {"same": 3},
    ],
    ids=str,
)
def test_pairs_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    """A follow-up before its prior, a column of several values, no dates."""
    with pytest.raises(UsageError, match=r"pairs|ImageType"):
        Cohort.start(troubled()).pairs(**({"days": (0, 9)} | wrong))


def test_pairs_of_pairs_are_refused() -> None:
    """Their labels are there already."""
    cohort = Cohort.start(troubled()).pairs(days=(100, 500))
    with pytest.raises(QueryError, match="pair_id"):
        cohort.pairs(days=(1, 2))
