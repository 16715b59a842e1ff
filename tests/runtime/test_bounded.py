"""Histograms of the last hours: what a list of the values would have, in little memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from runtime.bounded import RollingHistogram, bucket_of, edge_of


@given(st.lists(st.tuples(st.integers(0, 2**70), st.integers(0, 49)), max_size=80), st.integers(1, 100))
def test_a_histogram_counts_what_a_list_of_the_values_has(values: list[tuple[int, int]], percent: int) -> None:
    sizes, kept = RollingHistogram(3, 10), list[tuple[int, int]]()

    def quantile() -> int | None:
        ranked = sorted(bucket for _, bucket in kept)
        return edge_of(ranked[-(-len(ranked) * percent // 100) - 1] + 1) - 1 if ranked else None

    assert sizes.find_quantile((percent, 100)) is None
    for value, at in sorted(values, key=lambda one: one[1]):
        sizes.add(value, at)
        kept.append((at // 10, bucket_of(value)))
        kept = [one for one in kept if one[0] > at // 10 - 3]
        assert sizes.find_quantile((percent, 100)) == quantile()
    found: dict[int, Counter[int]] = {}
    for slot, bucket in kept:
        found.setdefault(slot, Counter())[bucket] += 1
    assert sizes.list_slots() == found
    assert sizes.list_slots(3) == {slot: counts for slot, counts in found.items() if slot >= 3}
    assert sizes.find_slot(4) == found.get(4, {})
    assert sizes.count == len(kept)
    again = RollingHistogram(3, 10)
    again.add(5, 0)
    assert again.find_quantile((1, 2)) == 5
    again.restore({**{slot: {} for slot in again.list_slots()}, **sizes.list_slots()})
    assert (again.count, again.find_quantile((percent, 100))) == (sizes.count, quantile())
    again = RollingHistogram(3, 10)
    again.restore(sizes.list_slots())
    assert (again.list_slots(), again.count) == (sizes.list_slots(), sizes.count)


def test_a_histogram_takes_ten_bytes_a_bucket_and_says_so() -> None:
    tracemalloc.start()
    try:
        sizes = RollingHistogram(24, 1)
        for hour in range(24):
            for value in range(0, 2**20, 2**9):
                sizes.add(value, hour)
        sizes.find_quantile((99, 100))
        gc.collect()  # the interpreter keeps what was freed in lists of its own until then
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    counted = sum(map(len, sizes.list_slots().values())) * 25 // 24  # with what the older ones have together
    assert counted > 24 * 100
    assert sizes.size() < 13 * counted + 24 * 200
    assert 0.8 * taken < sizes.size() < taken
