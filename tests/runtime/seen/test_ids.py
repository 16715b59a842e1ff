"""Ids that were seen: at least the last ones, never many more, in both forms."""

from __future__ import annotations

import importlib
import tracemalloc
from typing import Any

import pytest

from runtime.seen import ids
from runtime.seen import seen_ids as python

try:
    compiled: Any = importlib.import_module("runtime.seen.compiled.seen_ids")
except ImportError:
    compiled = None
NEEDS_COMPILED = pytest.mark.skipif(compiled is None, reason="not built here")
FORMS = [pytest.param(python, id="python"), pytest.param(compiled, id="compiled", marks=NEEDS_COMPILED)]


@pytest.mark.parametrize("form", FORMS)
def test_the_last_ones_are_remembered_and_at_most_a_quarter_more(form: Any) -> None:
    seen = form.SeenIds(100)
    assert all(seen.add(str(number)) for number in range(1000))
    assert not any(seen.add(str(number)) for number in range(900, 1000))
    assert sum(str(number) in seen for number in range(1000)) <= 125
    seen.discard("999")
    assert seen.add("999")


@NEEDS_COMPILED
def test_the_compiled_form_is_used_where_it_is_built() -> None:
    assert ids.SeenIds is compiled.SeenIds


@NEEDS_COMPILED
def test_an_id_takes_sixteen_bytes_at_most_and_one_of_few_ids_takes_little() -> None:
    def traced(limit: int, added: int) -> int:
        tracemalloc.start()
        seen = compiled.SeenIds(limit)
        for number in range(added):
            seen.add(str(number))
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        del seen
        return held

    assert traced(4096, 20_000) < 5 * 1024 * 16 + 2048
    assert traced(4096, 5) < 1024


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("added", [0, 5, 700, 20_000])
def test_it_says_what_it_takes(form: Any, added: int) -> None:
    keys = [str(number) for number in range(added)]
    tracemalloc.start()
    seen = form.SeenIds(4096)
    for key in keys:
        seen.add(key)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert abs(seen.size() - held) < 0.02 * held + 500


@NEEDS_COMPILED
def test_the_table_after_a_full_one_is_as_large_at_once() -> None:
    seen, sizes = compiled.SeenIds(4096), list[int]()
    for number in range(6 * 1024):
        seen.add(str(number))
        sizes.append(seen.size())
    changes = [number for number in range(1, len(sizes)) if sizes[number] != sizes[number - 1]]
    assert [number for number in changes if number >= 1024] == [1024, 2048, 3072, 4096], "then the oldest is used again"
    assert {sizes[number] - sizes[number - 1] for number in changes[-4:]} == {2048 * 8}
