"""`/gpt/liqmap` is the sum of what the stream of liquidations holds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from runtime.clock import now_ns
from tests.api.world import Api, Start, Store
from tests.consumers.market.recorded import list_liquidations
from tests.consumers.market.test_liquidation_map import check_map

pytestmark = pytest.mark.nats
PATH = "/gpt/liqmap?symbol=BTC&window="


async def find_map(api: Api, window: str, count: int) -> Any:
    """Return the map once so many liquidations are in it."""

    def counts(answer: Any) -> bool:
        return answer.status_code == 200 and answer.json()["data"]["totals"]["count"] >= count

    answer = await api.until(f"{PATH}{window}", counts, 90)
    return json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["data"]


async def test_the_map_is_the_sum_of_the_stream_and_goes_on_with_it(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.20")
    past, later = list(list_liquidations(now_ns(), 500, 6 * 1440)), list(list_liquidations(now_ns(), 9, 2, seed=7))
    await store.publish_liquidations(past)
    api = await start()
    whole = len({one.id for one in past if one.symbol.startswith("BTC")})
    found = await find_map(api, "7d", whole)
    assert check_map(found, past, "7d", now_ns()).count == whole
    assert (found["price"], found["sampled"]) == (Decimal("91000.20"), True)
    await store.publish_liquidations(later)
    more = len({one.id for one in later if one.symbol.startswith("BTC")})
    check_map(await find_map(api, "7d", whole + more), [*past, *later], "7d", now_ns())


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
