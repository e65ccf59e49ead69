"""Decoding ahead changes nothing but the time: order, faults and memory stay what they were."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import Refusal
from cohortkit.model import Reason
from cohortkit.pixels.ahead import ahead, threads


@given(st.lists(st.integers(0, 3)), st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(waits: list[int], workers: int) -> None:
    """However long each takes, and with any number of threads."""
    items = list(enumerate(waits))

    def work(item: tuple[int, int]) -> int:
        time.sleep(item[1] / 5000)
        return item[0]

    assert list(range(len(items))) == list(ahead(work, items, workers))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_first_fault_in_order_is_told(workers: int) -> None:
    """A later one that comes earlier does not hide it, and what was before it is given."""
    numbers = {2: 7, 3: 9}

    def work(item: int) -> int:
        if item in numbers:
            time.sleep(0.02 if item == 2 else 0)
            raise Refusal(Reason.DECODE_FAILED, number=numbers[item])
        return item

    given_: list[int] = []
    with pytest.raises(Refusal) as caught:
        given_.extend(one for one in ahead(work, range(6), workers))

    assert {"number": 7} == caught.value.numbers


def test_no_more_are_held_than_there_are_threads() -> None:
    """Where the reader is slow, nothing piles up."""
    lock, held, most = threading.Lock(), 0, 0

    def work(item: int) -> int:
        nonlocal held, most
        with lock:
            held += 1
            most = max(most, held)
        return item

    for _ in ahead(work, range(40), 3):
        time.sleep(0.001)
        with lock:
            held -= 1

    assert most <= 3 + 1


def test_there_is_a_thread() -> None:
    """Whatever the machine says of itself."""
    assert 1 <= threads() <= 4
