"""Requests in real documents: each batch once, figures and pages of what was saved."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.analytics import store as place
from consumers.analytics.core import describe, describe_stretch, stretch_length, sum_of, tally_of
from consumers.analytics.store import COLLECTION, SPAN_NS, RequestStore, indexes
from contracts.services.analytics import MOST_ROWS, RequestBatch
from runtime.store import Store, StoreError
from tests.consumers.analytics.test_core import make_row

START = 1_767_225_600_000_000_000


def make_batch(number: int, count: int = 3, start: int = START) -> RequestBatch:
    rows = [make_row(ts=start + index, ms=float(index), symbol="BTC") for index in range(count)]
    return RequestBatch(id=f"replica.{number}", rows=rows, dropped=number)


async def test_a_batch_that_comes_again_is_counted_once_whoever_takes_it(documents: Store) -> None:
    await documents.create_indexes(indexes(30))
    first, second = RequestStore(documents, "a"), RequestStore(documents, "b")
    assert await first.save(make_batch(1))
    assert not await second.save(make_batch(1))
    assert await second.save(make_batch(2))
    figures = describe(sum_of((await first.sum_up(START, START + SPAN_NS, SPAN_NS)).values()))
    assert (figures.requests, figures.dropped) == (6, 3)
    assert len(await first.rows(START, START + 2)) == 4  # rows 0 and 1 of both


async def test_figures_are_of_the_spans_that_were_asked_for(documents: Store) -> None:
    requests = RequestStore(documents, "a")
    for number in range(4):
        await requests.save(make_batch(number, start=START + number * SPAN_NS))
    found = sum_of((await requests.sum_up(START + SPAN_NS + 60_000_000_000, START + 3 * SPAN_NS, SPAN_NS)).values())
    assert describe(found).requests == 6


async def test_a_timeline_has_each_stretch_once_the_oldest_first(documents: Store) -> None:
    requests = RequestStore(documents, "a")
    for number in (5, 0, 1, 3):
        await requests.save(make_batch(number, count=number + 1, start=START + number * SPAN_NS))
    found = await requests.sum_up(START, START + 6 * SPAN_NS, 3 * SPAN_NS)
    parts = [describe_stretch(start, tally) for start, tally in found.items()]
    assert [(part.start_ts, part.requests) for part in parts] == [(START, 3), (START + 3 * SPAN_NS, 10)]


@pytest.mark.parametrize("hours", [1, 3, 24, 24 * 7, 24 * 30])
def test_a_period_has_at_most_a_hundred_stretches(hours: int) -> None:
    span = hours * 3600 * 10**9
    assert span / 101 < stretch_length(span) <= max(span / 2, SPAN_NS)
    assert stretch_length(span) % SPAN_NS == 0


async def test_pages_give_every_row_once_in_order(documents: Store) -> None:
    requests = RequestStore(documents, "a")
    for number in range(5):
        await requests.save(make_batch(number, count=MOST_ROWS, start=START + number * SPAN_NS // 2))
    found, after, pages = list[Any](), None, 0
    while True:
        rows, after = await requests.page(START + 10, START + 5 * SPAN_NS, after)
        found += rows
        pages += 1
        if after is None:
            break
    assert len(found) == 5 * MOST_ROWS - 10
    assert pages > 4
    assert [row.ts for row in found] == sorted(row.ts for row in found)
    with pytest.raises(ValueError, match="invalid literal"):
        await requests.page(START, START + SPAN_NS, "nonsense")


async def test_a_full_document_is_followed_by_another(documents: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "MOST_ROWS_OF_A_DOCUMENT", 5)
    requests = RequestStore(documents, "a")
    for number in range(4):
        await requests.save(make_batch(number))
    assert await documents.collection(COLLECTION).count_documents({}) == 2
    assert describe(sum_of((await requests.sum_up(START, START + 1, SPAN_NS)).values())).requests == 12


async def test_what_was_written_only_in_half_is_not_lost_with_the_next_batch(
    documents: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = RequestStore(documents, "a")
    await requests.save(make_batch(1))
    collection = requests._requests
    update = collection.update_one

    class Answerless:
        """The collection, whose answer to a write is lost on the way."""

        def __getattr__(self, name: str) -> Any:
            return getattr(collection, name)

        async def update_one(self, *args: Any, **named: Any) -> None:
            await update(*args, **named)
            raise StoreError("the answer is lost")

    monkeypatch.setattr(requests, "_requests", Answerless())
    with pytest.raises(StoreError):
        await requests.save(make_batch(2))
    monkeypatch.setattr(requests, "_requests", collection)
    assert not await requests.save(make_batch(2))
    await requests.save(make_batch(3))
    expected = tally_of([row for number in (1, 2, 3) for row in make_batch(number).rows], dropped=6)
    assert describe(sum_of((await requests.sum_up(START, START + 1, SPAN_NS)).values())) == describe(expected)
