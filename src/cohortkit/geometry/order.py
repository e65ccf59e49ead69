"""Which of the frames at each place belong to the same volume in time, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Any

from cohortkit.errors import Refusal
from cohortkit.model import FrameFacts, Reason

Key = Callable[[FrameFacts], Any]
Places = Sequence[Sequence[FrameFacts]]
Volumes = list[list[int]]


def in_time(places: Places) -> Volumes:
    """For each volume in time, which frame it takes at each place.

    Args:
        places: the frames at each place; all of the same number.

    Returns:
        One list for each volume, with an index into each place.

    Raises:
        Refusal: ``same-place`` where no known dimension tells the frames apart.
    """
    if len(places[0]) == 1:
        return [[0] * len(places)]
    dimensions = _varying_dimensions(places)
    found = _by_label(places, lambda facts: facts.temporal_position)
    if found is not None and _unmixed(places, found):
        return found
    found = _by_label(places, lambda f: tuple(f.dimensions[d] for d in dimensions) or None)
    if found is not None and (_unmixed(places, found) or _one_after_another(places, found)):
        return found
    found = _ranked(places)
    if found is not None:
        return found
    found = _by_label(places, _weighting)
    if found is not None:
        return _as_acquired(places, found)
    found = _by_label(places, lambda f: (f.temporal_position, f.trigger_time, _weighting(f)))
    if found is not None:
        return found
    raise Refusal(Reason.SAME_PLACE, frames=len(places[0]))


def _ranked(places: Places) -> Volumes | None:
    """Volumes by the order of acquisition at each place.

    Raises:
        Refusal: ``same-place`` where time and instance number contradict each other.
    """
    by_number = _by_rank(places, lambda facts: facts.instance_number)
    clocks: tuple[Key, ...] = (
        lambda facts: facts.time,
        lambda facts: facts.trigger_time,
        lambda facts: facts.acquisition_number,
    )
    contradicted = False
    for key in clocks:
        found = _by_rank(places, key)
        if found is None or not _unmixed(places, found):
            continue
        if by_number is None or found == by_number:
            return found
        contradicted = True
    if contradicted:
        raise Refusal(Reason.SAME_PLACE, frames=len(places[0]))
    if by_number is None or not _in_turn(places, by_number) or not _unmixed(places, by_number):
        return None
    return by_number


def _in_turn(places: Places, volumes: Volumes) -> bool:
    """Whether instance numbers run volume after volume, or place after place.

    Where they do neither, their order at a place says nothing of time.
    """
    by_volume = [[place[n] for place, n in zip(places, picks, strict=True)] for picks in volumes]
    return _apart(by_volume) or _apart(places)


def _apart(groups: Sequence[Sequence[FrameFacts]]) -> bool:
    """Whether the instance numbers of no group reach into another's."""
    numbers = [[f.instance_number or 0 for f in group] for group in groups]
    ends = sorted((min(group), max(group)) for group in numbers)
    return all(one[1] < other[0] for one, other in pairwise(ends))


def _varying_dimensions(places: Places) -> list[int]:
    """Dimension indices that differ at one place: the last in the header varies slowest here."""
    lengths = {len(facts.dimensions) for place in places for facts in place}
    if len(lengths) != 1:
        return []
    first = places[0]
    return [
        d
        for d in reversed(range(lengths.pop()))
        if len({facts.dimensions[d] for facts in first}) > 1
    ]


def _by_label(places: Places, key: Key) -> Volumes | None:
    """Volumes by a value that is the same for the whole volume; None where it does not do."""
    by_place: list[dict[Hashable, int]] = []
    for place in places:
        labels = [key(facts) for facts in place]
        if None in labels or len(set(labels)) != len(place):
            return None
        by_place.append({label: n for n, label in enumerate(labels)})
    known = set(by_place[0])
    if any(set(labels) != known for labels in by_place):
        return None
    return [[labels[label] for labels in by_place] for label in sorted(known, key=_comparable)]


def _by_rank(places: Places, key: Key) -> Volumes | None:
    """Volumes by the order of a value at each place; None where two are equal or absent."""
    by_place = []
    for place in places:
        values = [key(facts) for facts in place]
        if None in values or len(set(values)) != len(place):
            return None
        by_place.append(sorted(range(len(place)), key=values.__getitem__))
    return [[ranks[n] for ranks in by_place] for n in range(len(places[0]))]


def _unmixed(places: Places, volumes: Volumes) -> bool:
    """Whether each volume has one diffusion weighting, temporal position, inversion time."""
    chosen = [[place[n] for place, n in zip(places, picks, strict=True)] for picks in volumes]
    return _alike(chosen) and all(len({f.temporal_position for f in one}) == 1 for one in chosen)


def _alike(volumes: Sequence[Sequence[FrameFacts]]) -> bool:
    """Whether each volume has one diffusion weighting and inversion time."""
    return all(len({(_weighting(f), f.inversion_time) for f in one}) == 1 for one in volumes)


def _one_after_another(places: Places, volumes: Volumes) -> bool:
    """Whether temporal positions count slices within a volume, and on from there in the next."""
    chosen = [[place[n] for place, n in zip(places, picks, strict=True)] for picks in volumes]
    times = [
        [f.temporal_position for f in one if f.temporal_position is not None] for one in chosen
    ]
    whole = all(len(one) == len(places) for one in times)
    return whole and _alike(chosen) and all(max(a) < min(b) for a, b in pairwise(times))


def _weighting(facts: FrameFacts) -> tuple[float, tuple[float, ...]]:
    vector = facts.b_vector or ()
    return round(facts.b_value or 0.0, 1), tuple(round(x, 3) + 0.0 for x in vector)


def _as_acquired(places: Places, volumes: Volumes) -> Volumes:
    """Volumes in the order in which they were acquired, as far as that is known."""

    def first(picks: list[int]) -> tuple[float, float]:
        chosen = [place[n] for place, n in zip(places, picks, strict=True)]
        times = [facts.time for facts in chosen if facts.time is not None]
        numbers = [f.instance_number for f in chosen if f.instance_number is not None]
        return min(times, default=0.0), min(numbers, default=0)

    return sorted(volumes, key=first)


def _comparable(label: object) -> tuple[Any, ...]:
    """A label as something that sorts, with None before numbers."""
    if isinstance(label, tuple):
        return tuple(item for part in label for item in _comparable(part))
    return (label is not None, label if label is not None else 0)
