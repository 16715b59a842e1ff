"""Every route as somebody reads of it: one test a row of the API's table, with the fields that the row promises."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from contracts.signals import WhaleTrade
from contracts.subjects import WHALE
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Start, Store, message_of, whale

pytestmark = pytest.mark.nats
NOT_READY = 503
TRADE = {"side", "amount", "price", "usd_value", "exchange", "timestamp", "symbol", "id"}


@pytest_asyncio.fixture
async def api(store: Store, start: Start) -> Api:
    """An API over a market that has everything."""
    for venue in ("binance", "okx"):
        await store.put_ticker(venue, "BTC/USDT", "91000.5", bid="91000", ask="91001", volume_24h="10", change_24h="1")
        await store.put_feed(venue)
    levels = [(str(90999 - step), "1.5") for step in range(30)], [(str(91001 + step), "0.5") for step in range(30)]
    await store.put_book("binance", "BTC/USDT", {"bids": levels[0], "asks": levels[1]})
    await store.put_contract("binanceusdm", "BTC/USDT:USDT")
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", str(2_000_000 + number)) for number in range(20)])
    await store.put_liquidations("BTC", [])
    api = await start()
    await api.until("/gpt/raw?symbol=BTC", lambda answer: answer.status_code == 200 and bool(answer.json()["data"]))
    return api


async def good(api: Api, path: str, key: str = READ_KEY) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (answer := await api.get(path, key=key)).status_code == NOT_READY:  # noqa: ASYNC110  # the machine is busy
            await asyncio.sleep(0.1)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def enveloped(api: Api, path: str, key: str = READ_KEY) -> Any:
    body = await good(api, path, key)
    assert body["success"] is True
    assert body["timestamp"].endswith("Z")
    return body["data"]


async def test_gpt_raw(api: Api) -> None:
    data = await enveloped(api, "/gpt/raw?symbol=BTC")
    assert data.keys() >= {"price", "change_24h", "volume_24h", "bid", "ask", "spread", "exchanges", "age", "quality"}


async def test_gpt_whale_gives_ten_and_at_most_a_hundred(api: Api) -> None:
    data = await enveloped(api, "/gpt/whale?symbol=BTC")
    assert len(data) == 10
    assert data[0].keys() >= TRADE
    assert len(await enveloped(api, "/gpt/whale?symbol=BTC&limit=100&min_usd=2000015")) == 5
    assert (await api.get("/gpt/whale?symbol=BTC&limit=101")).status_code == 400


async def test_gpt_liq_has_totals_of_three_spans(api: Api) -> None:
    data = await enveloped(api, "/gpt/liq?symbol=BTC")
    assert data["totals"].keys() == {"1h", "4h", "24h"}


async def test_gpt_orderbook_has_twenty_levels_with_running_totals(api: Api) -> None:
    data = await enveloped(api, "/gpt/orderbook?symbol=BTC")
    assert (len(data["bids"]), len(data["asks"])) == (20, 20)
    assert data["bids"][0].keys() == {"price", "amount", "total"}
    assert data.keys() >= {"spread", "imbalance"}
    assert (await api.get("/gpt/orderbook?symbol=BTC&depth=101")).status_code == 400


async def test_multi_ticker_is_flat(api: Api) -> None:
    body = await good(api, "/multi/ticker/BTC-USDT")
    assert body["exchange"] == "aggregated"
    assert body.keys() >= {"success", "symbol", "price", "bid", "ask", "volume_24h", "change_24h", "timestamp"}


async def test_multi_orderbook_and_trades(api: Api) -> None:
    assert (await enveloped(api, "/multi/orderbook/BTC-USDT?depth=20"))["bids"]
    assert isinstance(await enveloped(api, "/multi/trades/BTC-USDT?limit=50"), list)


async def test_multi_symbols_have_the_names_of_each_exchange(api: Api) -> None:
    data = await enveloped(api, "/multi/symbols?symbol=BTC/USDT")
    found = next(item for item in data if item["symbol"] == "BTC/USDT")
    assert found["names"]["okx"] == "BTC-USDT"


async def test_multi_health(api: Api) -> None:
    assert {"binance", "okx"} <= (await enveloped(api, "/multi/health")).keys()


async def test_market_price_is_plain(api: Api) -> None:
    body = await good(api, "/api/market/price?symbol=BTC")
    assert body.keys() >= {"symbol", "price", "timestamp", "source"}
    assert "success" not in body


async def test_market_ohlc_refuses_in_the_plain_shape(api: Api) -> None:
    answer = await api.get("/api/market/ohlc?symbol=BTC&limit=1001")
    assert answer.status_code == 400
    assert answer.json().keys() >= {"error", "detail", "timestamp"}


async def test_sentiment_analyze(api: Api) -> None:
    headers = {"Authorization": f"Bearer {READ_KEY}"}
    text = {"text": "Bitcoin soars to a record high"}
    answer = await api.client.post("/api/sentiment/analyze", json=text, headers=headers)
    assert answer.json().keys() == {"sentiment", "confidence", "keywords", "language", "timestamp"}
    assert answer.json()["sentiment"] == "Bullish"


async def test_ws(api: Api, store: Store) -> None:
    async with api.stream() as socket:
        assert (await message_of(socket, "connected")).keys() >= {"client_id", "server_time"}
        await socket.send('{"type":"subscribe","symbol":"BTC","id":7}')
        assert (await message_of(socket, "subscribed"))["id"] == 7
        update = await message_of(socket, "price_update")
        assert update.keys() >= {"symbol", "price", "change_24h", "volume_24h", "bid", "ask", "age", "quality"}


async def test_events(api: Api, store: Store) -> None:
    headers = {"Authorization": f"Bearer {READ_KEY}"}
    event = WhaleTrade.model_validate(whale("binance", "BTC/USDT", "3000000"))

    async def publish() -> None:
        while True:
            await store.publish(WHALE + store.tails["binance", "BTC/USDT"], event)
            await asyncio.sleep(0.2)

    publishing = asyncio.create_task(publish())
    async with api.client.stream("GET", "/events?channels=whales&symbols=BTC", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async with asyncio.timeout(20):
            async for line in answer.aiter_lines():
                if line == "event: whale":
                    break
    publishing.cancel()


async def test_graphql(api: Api) -> None:
    headers = {"Authorization": f"Bearer {READ_KEY}"}
    query = {"query": '{ marketData(symbol: "BTC") { symbol price orderbook { spread bids { price } } } }'}
    body = (await api.client.post("/graphql", json=query, headers=headers)).json()
    assert body["data"]["marketData"]["orderbook"]["bids"]


async def test_mcp(api: Api) -> None:
    headers = {"Authorization": f"Bearer {READ_KEY}", "Accept": "application/json, text/event-stream"}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    tools = (await api.client.post("/mcp", json=message, headers=headers)).json()["result"]["tools"]
    assert {tool["annotations"]["readOnlyHint"] for tool in tools} == {True}


async def test_admin_cache(api: Api) -> None:
    assert await enveloped(api, "/admin/cache", ADMIN_KEY)


async def test_alerts_say_which_service_is_not_there(api: Api) -> None:
    answer = await api.get("/api/alerts", key=ADMIN_KEY)
    assert (answer.status_code, answer.json()["error"], "alerts" in answer.json()["detail"]) == (503, "NOT_READY", True)


@pytest.mark.parametrize("path", ["/admin/keys", "/admin/audit", "/admin/analytics/stats", "/admin/deadletters"])
async def test_admin_routes_say_which_service_is_not_there(api: Api, path: str) -> None:
    answer = await api.get(path, key=ADMIN_KEY)
    assert answer.status_code == 503
    assert answer.json()["error"]["details"]["waiting_for"] == [
        path.split("/")[2].replace("keys", "access").replace("audit", "access")
    ]


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/gpt/openapi.json", "/health", "/health/ready", "/metrics"]
)
async def test_always_open(api: Api, path: str) -> None:
    assert (await api.get(path, key=None)).status_code == 200


async def test_the_root_is_a_page_for_people_and_links_for_programs(api: Api) -> None:
    assert "<!doctype html>" in (await api.get("/", key=None, accept="text/html")).text
    links = (await api.get("/", key=None, accept="application/json")).json()
    assert links.keys() == {"name", "version", "links"}


@pytest.mark.parametrize("name", ["detailed", "cache", "exchanges"])
async def test_health(api: Api, name: str) -> None:
    assert json.loads((await api.get(f"/health/{name}", key=None)).text)["timestamp"]
