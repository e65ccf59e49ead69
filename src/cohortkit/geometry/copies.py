"""Which instances may be copies of one another; only their pixels can tell."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from cohortkit.model import Facts, InstanceFacts
from cohortkit.model.facts import PLAIN


def suspects(facts: Facts) -> tuple[tuple[int, ...], ...]:
    """Groups of ordinals: the same SOP Instance UID, or the same facts in every frame.

    Of a group whose pixels are the same too, all but one are copies.
    """
    leader = list(range(len(facts.instances)))

    def find(n: int) -> int:
        while leader[n] != n:
            n = leader[n]
        return n

    seen: dict[Hashable, int] = {}
    for ordinal, instance in enumerate(facts.instances):
        if instance.pixels is None:
            continue
        for key in _keys(instance):
            other = seen.setdefault(key, ordinal)
            leader[find(ordinal)] = find(other)
    groups: dict[int, list[int]] = {}
    for ordinal in range(len(leader)):
        groups.setdefault(find(ordinal), []).append(ordinal)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _keys(instance: InstanceFacts) -> list[Hashable]:
    keys: list[Hashable] = []
    if instance.identity is not None:
        keys.append(("identity", instance.identity))
    placed = all(frame.position is not None for frame in instance.frames)
    if placed and instance.frames:
        keys.append(tuple(replace(frame, instance=0, display=PLAIN) for frame in instance.frames))
    return keys
