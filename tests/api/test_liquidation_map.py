"""`/gpt/liqmap` is the sum of what the stream of liquidations holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from consumers.market.liquidations.history import MINUTE
from contracts.market import Liquidation
from contracts.schema.literals import iso
from contracts.streams import LIQUIDATIONS
from runtime.clock import now_ns
from tests.api.world import Api, Start, Store
from tests.consumers.market.recorded import list_liquidations
from tests.consumers.market.test_liquidation_map import check_map

pytestmark = pytest.mark.nats
PATH = "/gpt/liqmap?symbol=BTC&window="


async def find_map(api: Api, window: str, count: int) -> Any:
    """Return the map once so many liquidations are in it; fails at once where there are more."""

    def counts(answer: Any) -> bool:
        if answer.status_code != 200:
            return False
        assert answer.json()["data"]["totals"]["count"] <= count
        return answer.json()["data"]["totals"]["count"] == count

    answer = await api.until(f"{PATH}{window}", counts)
    return json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["data"]


async def prepare_stream(store: Store, past: Sequence[Liquidation], *, has_dropped: bool) -> int:
    """Publish the past to a stream that had more, or never had any; return the first minute of which it has all."""
    stream = store.bus.jetstream()
    if has_dropped:
        await store.publish_liquidations(past[:3])
        await stream.purge_stream(LIQUIDATIONS)
    else:
        config = (await stream.stream_info(LIQUIDATIONS)).config
        await stream.delete_stream(LIQUIDATIONS)
        await stream.add_stream(config)
    await store.publish_liquidations(past)
    return -(-(past[0].ts_event or past[0].ts_recv) // MINUTE) if has_dropped else 0


def since(events: Iterable[Liquidation], minute: int) -> list[Liquidation]:
    return [one for one in events if (one.ts_event or one.ts_recv) // MINUTE >= minute]


def count_of_btc(events: Iterable[Liquidation]) -> int:
    return len({one.id for one in events if one.symbol.startswith("BTC")})


@pytest.mark.parametrize("has_dropped", [False, True])
async def test_the_map_is_the_sum_of_the_stream_and_goes_on_with_it(
    store: Store, start: Start, *, has_dropped: bool
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.20")
    past, later = list(list_liquidations(now_ns(), 500, 6 * 1440)), list(list_liquidations(now_ns(), 9, 2, seed=7))
    first = await prepare_stream(store, past, has_dropped=has_dropped)
    whole = count_of_btc(held := since(past, first))
    assert (whole < count_of_btc(past)) is has_dropped  # the first minute has a liquidation
    api = await start()
    found = await find_map(api, "7d", whole)
    assert check_map(found, held, "7d", now_ns()).count == whole
    assert (found["price"], found["sampled"]) == (Decimal("91000.20"), True)
    assert found["held_from"] == (iso(first * MINUTE) if has_dropped else None)
    late = past[0].model_copy(update={"id": "late"})  # of a minute that the map lacks, where it lacks any
    await store.publish_liquidations([late, *later])
    held += since([late, *later], first)
    check_map(await find_map(api, "7d", count_of_btc(held)), held, "7d", now_ns())


async def test_a_window_that_there_is_not_is_refused_and_a_quiet_coin_has_an_empty_map(
    store: Store, start: Start
) -> None:
    await store.put_ticker("binance", "ETH/USDT", "3000")
    api = await start()
    refused = await api.get("/gpt/liqmap?symbol=ETH&window=2h")
    assert (refused.status_code, refused.json()["error"]["details"]["parameter"]) == (400, "window")
    empty = (await api.until("/gpt/liqmap?symbol=ETH", lambda answer: answer.status_code == 200)).json()["data"]
    assert (empty["buckets"], empty["step"], empty["totals"]["count"]) == ([], None, 0)
    assert (empty["sampled"], empty["price"], empty["window"]) == (False, 3000, "24h")
