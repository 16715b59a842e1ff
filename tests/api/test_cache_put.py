"""`PUT /admin/cache/{key}`: answers that are put in place of the core's, on every process, and who did it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import httpx
import pytest
from nats.aio.msg import Msg

from contracts.streams import CACHE
from contracts.subjects import ALL_AUDIT
from runtime.servers.embedded import NatsServer
from tests.api.test_cache import RAW, admin, data_of, price_of, put_markets, until_price
from tests.api.test_connections import api_process
from tests.api.world import ADMIN_KEY, Api, Start, Store, answering

pytestmark = pytest.mark.nats


async def kept_value(api: Api, key: str, path: str) -> dict[str, Any]:
    await api.until(path, lambda answer: answer.status_code == 200)
    return (await data_of(api, "GET", f"/{key}"))["entries"][0]["value"]


async def test_an_answer_that_is_put_is_served_by_every_process_as_stale_until_its_end(
    store: Store, start: Start
) -> None:
    await put_markets(store)
    one, other = await start(), await start()
    await until_price(one, 91000.0)
    value = {**await kept_value(one, "market_data:BTC:raw", RAW), "price": 12345.5, "quality": "live", "age": 0.5}
    put = await data_of(one, "PUT", "/market_data:BTC:raw", {"value": value, "ttl": 4})
    assert (put["key"], put["value"]["price"]) == ("market_data:BTC:raw", 12345.5)
    for api in (one, other):
        for path in (RAW, "/gpt/raw?symbol=btc"):
            answer = await api.until(path, lambda answer: answer.json()["data"]["price"] == 12345.5)
            document = answer.json()
            assert (document["quality"], document["data"]["quality"]) == ("stale", "stale")
            assert {entry["quality"] for entry in document["data"]["exchanges"]} == {"stale"}
            assert document["age"] >= 0.5
            assert document["symbol"] == "BTC"
        assert (await price_of(api, "/gpt/raw?symbol=BTC/USDT"))[0] == 91000  # another key
        listed = await data_of(api, "GET")
        assert [pinned["key"] for pinned in listed["pinned"]] == ["market_data:BTC:raw"]
        assert listed["classes"]["pinned"]["hits"] >= 2
    await until_price(one, 91000.0)
    await until_price(other, 91000.0)
    assert (await price_of(one))[1] == "live"
    assert (await data_of(other, "GET"))["pinned"] == []


async def test_an_answer_that_is_put_is_taken_away_with_its_key_and_outlives_processes(
    store: Store, start: Start
) -> None:
    await put_markets(store)
    one = await start()
    value = {**await kept_value(one, "multi_ticker:BTC", "/multi/ticker/BTC"), "price": 7.5}
    await data_of(one, "PUT", "/multi_ticker.btc", {"value": value})
    other = await start()  # later than the answer was put
    await other.until("/multi/ticker/BTC", lambda answer: answer.json()["price"] == 7.5)
    assert (await other.get("/multi/ticker/BTC")).json()["quality"] == "stale"
    assert (await data_of(other, "DELETE", "/multi_ticker:BTC"))["pinned"] == 1
    for api in (one, other):
        await api.until("/multi/ticker/BTC", lambda answer: answer.json()["price"] == 91000)


@pytest.mark.parametrize(
    ("key", "path", "shown"),
    [
        ("market_data:BTC:whale", "/gpt/whale?symbol=BTC", "data"),
        ("market_data:BTC:liq", "/gpt/liq?symbol=BTC", "data"),
        ("market_data:BTC:orderbook", "/gpt/orderbook?symbol=BTC", "data"),
        ("aggregated_data:BTC", "/api/market/price?symbol=BTC", "price"),
        ("multi_orderbook:BTC", "/multi/orderbook/BTC", "data"),
        ("market_data:all:symbols", "/multi/symbols", "exchanges"),
        ("market_data:all:health", "/multi/health", "data"),
    ],
)
async def test_a_kept_value_that_is_put_again_makes_an_answer_of_the_same_form(
    store: Store, start: Start, key: str, path: str, shown: str
) -> None:
    await put_markets(store)
    api = await start()
    value = await kept_value(api, key, path)
    before = (await api.get(path)).json()
    shuffled = dict(sorted(value.items(), reverse=True))
    await data_of(api, "PUT", f"/{key}", {"value": shuffled, "ttl": 60})
    after = (await api.get(path)).json()
    assert list(after) == list(before)
    assert keys_of(after[shown]) == keys_of(before[shown])
    assert '"live"' not in json.dumps({name: item for name, item in after.items() if name == "quality"})


def keys_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: keys_of(member) for name, member in sorted(value.items())}
    return [keys_of(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": {"symbol": "BTC"}}, "value.price"),
        ({"value": {"price": "much"}}, "value.price"),
        ({"value": [], "ttl": 5}, "value"),
        ({"value": {}, "ttl": 0}, "ttl"),
        ({"value": {}, "ttl": 86401}, "ttl"),
        ({"value": {}, "ttl": "5"}, "ttl"),
        ({"value": {}, "more": 5}, "more"),
        ({}, "value"),
    ],
)
async def test_a_value_that_is_no_reply_of_the_command_is_refused_with_its_field(
    store: Store, start: Start, body: dict[str, Any], field: str
) -> None:
    await store.put_listing()
    api = await start()
    answer = await admin(api, "PUT", "/aggregated_data:BTC", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY")
    assert field in [fault["field"] for fault in answer.json()["error"]["details"]["faults"]]
    assert (await data_of(api, "GET"))["pinned"] == []


async def test_a_row_of_the_bucket_that_cannot_be_read_is_passed_over(store: Store, start: Start) -> None:
    await put_markets(store)
    unknown, endless = b'{"key":"nothing","value":{}', b'{"key":"multi_ticker:BTC","value":{"age":1e999}'
    rows = (b"{", *(row + b',"since":1,"until":2}' for row in (unknown, endless)))
    for number, body in enumerate(rows):
        await store.put(f"row{number}", body, CACHE)
    api = await start()
    value = {**await kept_value(api, "multi_ticker:BTC", "/multi/ticker/BTC"), "age": 1e308}
    await data_of(api, "PUT", "/multi_ticker:BTC", {"value": value, "ttl": 60})
    assert (await api.get("/multi/ticker/BTC")).json()["age"] >= 1e9
    assert [item["key"] for item in (await data_of(api, "GET"))["pinned"]] == ["multi_ticker:BTC"]
    assert (await admin(api, "PUT", "/multi_ticker:BTC", {"value": value, "ttl": None})).status_code == 200


async def test_who_changed_the_cache_is_in_the_audit_trail(store: Store, start: Start) -> None:
    await put_markets(store)
    found: list[dict[str, Any]] = []

    async def on_event(message: Msg) -> None:
        found.append(json.loads(message.data))

    await store.bus.client.subscribe(ALL_AUDIT, cb=on_event)
    await store.bus.client.flush()
    api = await start()
    value = await kept_value(api, "aggregated_data:BTC", "/api/market/price?symbol=BTC")
    await data_of(api, "PUT", "/aggregated_data.btc", {"value": value, "ttl": 9})
    await data_of(api, "DELETE", "/aggregated_data.btc")
    await data_of(api, "DELETE", "?pattern=multi_*")
    async with asyncio.timeout(20):
        while len(found) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert [(event["service"], event["action"], event["target"]) for event in found] == [
        ("cache", "put", "aggregated_data:BTC"),
        ("cache", "drop", "aggregated_data:BTC"),
        ("cache", "drop", "multi_*"),
    ]
    assert all(event["actor"] and event["request_id"] for event in found)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_two_processes_serve_what_is_put_at_one_and_drop_what_is_dropped_at_the_other(
    store: Store, api_nats: NatsServer
) -> None:
    await put_markets(store)
    settings = {"HYDROPHONE_ADMIN_KEYS": ADMIN_KEY, "GPT_API_RATE_LIMIT_REQUESTS": "100000", "GPT_API_CACHE_TTL": "77"}
    async with (
        answering(api_nats.url),
        api_process(api_nats, **settings) as (port, _),
        api_process(api_nats, **settings) as (other_port, _),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{other_port}", timeout=10) as other_client,
    ):
        one = Api(f"http://127.0.0.1:{port}", port, client)
        other = Api(f"http://127.0.0.1:{other_port}", other_port, other_client)
        for api in (one, other):
            await api.until(RAW, lambda answer: answer.status_code == 200, 30)
        value = {**await kept_value(one, "market_data:BTC:raw", RAW), "price": 5}
        put = await data_of(one, "PUT", "/market_data:BTC:raw", {"value": value})
        life = datetime.fromisoformat(put["until"]) - datetime.fromisoformat(put["since"])
        assert life.total_seconds() == 77
        await until_price(other, 5)
        dropped = await data_of(other, "DELETE", "?pattern=market_data:btc:*")
        assert (dropped["replicas"], dropped["cores"], dropped["pinned"]) == (2, 1, 1)
        await until_price(one, 91000)
        await until_price(other, 91000)
