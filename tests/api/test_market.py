"""Market routes answer from what the buckets hold, exactly and with age and quality."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import httpx
import nats
import pytest

from runtime.servers.embedded import NatsServer
from tests.api.world import Start, Store, whale

pytestmark = pytest.mark.nats
AGING = {"age", "data_age", "exchanges"}
ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$")
LEVELS = {"bids": [("91000.10", "2.5"), ("91000.00", "1.5")], "asks": [("91000.30", "1.0"), ("91001", "1")]}


def body(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def error(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["success"] is False
    assert ISO.match(document["timestamp"])
    return document["error"]


async def put_btc(store: Store) -> None:
    day = {"high_24h": "92000", "low_24h": "90000.5", "bid": "91000.10", "ask": "91000.30"}
    await store.put_ticker("binance", "BTC/USDT", "91000.20", volume_24h="3000", change_24h="1.5", **day)
    await store.put_ticker("bybit", "BTC/USDT", "91010.20", volume_24h="1000", change_24h="2.5", high_24h="92100")
    await store.put_ticker("coinbase", "BTC/USD", "90900", volume_24h="500")
    await store.put_ticker("binanceusdm", "BTC/USDT:USDT", "91050", volume_24h="900000")


async def test_raw_weighs_the_fresh_venues_of_the_main_quote(store: Store, start: Start) -> None:
    await put_btc(store)
    api = await start()
    answer = body(await api.get("/gpt/raw?symbol=BTC"))
    data = answer["data"]
    assert answer["success"] is True
    assert answer["symbol"] == "BTC"
    assert ISO.match(answer["timestamp"])
    assert data["price"] == Decimal("91002.70")  # (91000.20 * 3000 + 91010.20 * 1000) / 4000
    assert (data["quote"], data["market"], data["source"]) == ("USDT", "spot", "aggregated")
    assert data["change_24h"] == Decimal("1.75")
    assert data["volume_24h"] == 4000
    assert (data["high"], data["low"]) == (92100, Decimal("90000.5"))
    assert (data["bid"], data["ask"], data["spread"]) == (Decimal("91000.10"), Decimal("91000.30"), Decimal("0.20"))
    used = {item["exchange"]: item["used"] for item in data["exchanges"]}
    assert used == {"binance": True, "bybit": True, "coinbase": False, "binanceusdm": False}
    assert data["quality"] == "live"
    assert 0 <= data["age"] < 10
    assert data["data_age"] == data["age"]


async def test_numbers_are_the_literals_of_their_text(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "0.123456789012345678901234567890", volume_24h="1")
    api = await start()
    text = (await api.get("/gpt/raw?symbol=BTC")).text
    assert text.count('"price":0.123456789012345678901234567890,') == 2
    assert '"price":0.123456789012345678901234567890,' in (await api.get("/api/market/price?symbol=BTC")).text


async def test_a_stale_venue_is_named_and_left_out(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", volume_24h="1", age=1)
    await store.put_ticker("bybit", "BTC/USDT", "80000", volume_24h="1000", age=600)
    await store.put_ticker("okx", "BTC/USDT", "80001", volume_24h="1000")
    await store.put_feed("okx", connected=False, state="down")
    api = await start()
    data = body(await api.get("/gpt/raw?symbol=BTC"))["data"]
    assert data["price"] == 91000
    assert sorted(data["stale_exchanges"]) == ["bybit", "okx"]
    assert {item["exchange"]: item["quality"] for item in data["exchanges"]}["okx"] == "stale"


async def test_only_stale_venues_give_a_stale_price(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", volume_24h="1", age=700)
    await store.put_ticker("bybit", "BTC/USDT", "90000", volume_24h="1000", age=600)
    api = await start()
    data = body(await api.get("/gpt/raw?symbol=BTC"))["data"]
    assert (data["price"], data["quality"], data["source"]) == (90000, "stale", "bybit")
    assert data["age"] > 500


async def test_an_answer_grows_stale_without_any_change(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", age=0)
    api = await start({"stale_after_ns": 1_500_000_000})
    await api.until("/api/market/price?symbol=BTC", lambda answer: answer.json()["quality"] == "stale")


async def test_simulated_data_says_so(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", sim=True)
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "2000000", sim=True)])
    api = await start()
    data = body(await api.get("/gpt/raw?symbol=BTC"))["data"]
    assert (data["quality"], data["sim"], data["whales"][0]["sim"]) == ("sim", True, True)


async def test_raw_tells_contracts_whales_and_liquidations(store: Store, start: Start) -> None:
    await put_btc(store)
    await store.put_contract("binanceusdm", "BTC/USDT:USDT")
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "1137501.25")])
    await store.put_liquidations("BTC", [])
    api = await start()
    data = body(await api.get("/gpt/raw?symbol=BTC"))["data"]
    assert data["funding"][0]["rate"] == Decimal("0.0001")
    assert data["funding"][0]["next_time"] == "2027-01-15T08:00:00Z"
    assert data["open_interest"][0]["amount"] == Decimal("81234.567")
    assert data["whales"][0]["usd_value"] == Decimal("1137501.25")
    assert data["liquidations"]["totals"]["1h"]["total_usd"] == Decimal("3000.30")


async def test_a_change_in_the_bucket_changes_the_answer(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000")
    api = await start()
    assert body(await api.get("/gpt/raw?symbol=BTC"))["data"]["price"] == 91000
    await store.put_ticker("binance", "BTC/USDT", "91001")
    await api.until("/gpt/raw?symbol=BTC", lambda answer: answer.json()["data"]["price"] == 91001)


async def test_every_spelling_is_understood(store: Store, start: Start) -> None:
    await put_btc(store)
    api = await start()
    for text in ("btcusdt", "BTC-USDT", "XBT/USDT", "BTC%2FUSDT", "btc_usdt"):
        answer = body(await api.get(f"/api/market/price?symbol={text}"))
        said = (answer["symbol"], answer["price"], answer["source"])
        assert (text, *said) == (text, "BTC/USDT", Decimal("91002.70"), "aggregated")
        assert ISO.match(answer["timestamp"])


async def test_whales_are_limited_and_filtered(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000")
    pairs = [("BTC/USDT", str(1_000_000 + index)) for index in range(11)] + [("BTC/USD", "5000000")]
    await store.put_whales("BTC", [whale("binance", symbol, usd) for symbol, usd in pairs])
    api = await start()
    answer = body(await api.get("/gpt/whale?symbol=BTC"))
    assert len(answer["data"]) == 10
    assert set(answer["data"][0]) == {"id", "symbol", "side", "amount", "price", "usd_value", "exchange", "timestamp"}
    assert '"amount":12.50000000000000000001' in (await api.get("/gpt/whale?symbol=BTC")).text
    assert answer["data"][0]["timestamp"] == "2026-01-01T12:00:00.125Z"
    assert (answer["quality"], 0 <= answer["age"] < 10) == ("live", True)
    assert [item["usd_value"] for item in body(await api.get("/gpt/whale?symbol=BTC&min_usd=1000010.5"))["data"]] == [
        5_000_000
    ]
    assert len(body(await api.get("/gpt/whale?symbol=BTC/USDT&limit=100"))["data"]) == 11
    assert len(body(await api.get("/gpt/whale?symbol=BTC&limit=1"))["data"]) == 1


async def test_liquidations_tell_totals_and_that_they_are_sampled(store: Store, start: Start) -> None:
    await store.put_ticker("binanceusdm", "BTC/USDT:USDT", "91000")
    entry = {
        "id": "l1",
        "venue": "binanceusdm",
        "symbol": "BTC/USDT:USDT",
        "ts": 1_767_268_800_000_000_000,
        "price": "90000.5",
        "amount": "0.5",
        "usd_value": "45000.25",
        "position_side": "long",
        "order_side": "sell",
        "sampled": True,
        "sim": False,
    }
    await store.put_liquidations("BTC", [entry, {**entry, "id": "l2"}])
    api = await start()
    data = body(await api.get("/gpt/liq?symbol=BTC&limit=1"))["data"]
    assert [item["id"] for item in data["recent"]] == ["l1"]
    assert (data["recent"][0]["position_side"], data["recent"][0]["order_side"]) == ("long", "sell")
    assert set(data["totals"]) == {"1h", "4h", "24h"}
    assert data["totals"]["24h"]["long_usd"] == Decimal("1000.10")
    assert data["sampled"] is True
    assert data["as_of"] == "2026-01-01T12:00:00Z"


async def test_orderbook_is_the_deepest_live_one(store: Store, start: Start) -> None:
    await store.put_book("binance", "BTC/USDT", LEVELS)
    await store.put_book("bybit", "BTC/USDT", {"bids": [("91000", "1")], "asks": [("91001", "1")]})
    await store.put_book("okx", "BTC/USDT", {"bids": [("91000", "90")], "asks": [("91001", "90")]}, quality="stale")
    api = await start()
    answer = body(await api.get("/gpt/orderbook?symbol=BTC"))
    data = answer["data"]
    assert (data["exchange"], data["symbol"], data["seq"], data["quality"]) == ("binance", "BTC/USDT", 77, "live")
    assert data["bids"][0] == {"price": Decimal("91000.10"), "amount": Decimal("2.5"), "total": Decimal("227500.250")}
    assert (data["spread"], data["imbalance"]) == (Decimal("0.20"), Decimal("0.3333"))
    assert len(body(await api.get("/gpt/orderbook?symbol=BTC&depth=1"))["data"]["asks"]) == 1
    assert body(await api.get("/gpt/orderbook?symbol=BTC&exchange=BYBIT"))["data"]["exchange"] == "bybit"


async def test_feed_health_tells_every_venue(store: Store, start: Start) -> None:
    await store.put_feed("binance")
    await store.put_feed(
        "okx", connected=False, state="down", reason="reset by peer", marks=[("book", "BTC/USDT", "gap")]
    )
    api = await start()
    feeds = body(await api.get("/multi/health"))["data"]
    assert set(feeds) == {"binance", "okx"}
    assert (feeds["binance"]["reconnects"], feeds["binance"]["gaps"], feeds["binance"]["resyncs"]) == (2, 1, 1)
    assert 0 <= feeds["binance"]["last_message_ages"]["trade"] < 10
    assert feeds["binance"]["latency"]["venue_ms"] == {"p50": Decimal("12.345"), "p99": Decimal("99.000")}
    assert feeds["binance"]["clock_offset_ms"] == Decimal("-1.500")
    assert feeds["okx"]["not_live"] == [{"channel": "book", "symbol": "BTC/USDT", "state": "gap"}]
    assert (feeds["okx"]["connected"], feeds["okx"]["reason"], feeds["okx"]["quality"]) == (
        False,
        "reset by peer",
        "stale",
    )


async def test_an_unknown_symbol_lists_the_supported_ones(store: Store, start: Start) -> None:
    await put_btc(store)
    api = await start()
    said = error(await api.get("/gpt/raw?symbol=XYZ"), 404)
    assert (said["code"], said["message"]) == ("INVALID_SYMBOL", "Symbol XYZ is not supported")
    assert said["details"]["supported_symbols"] == ["BTC/USD", "BTC/USDT", "BTC/USDT:USDT"]
    listed = error(await api.get("/gpt/raw?symbol=ETH"), 404)
    assert (listed["code"], "BTC/USDT" in listed["details"]["supported_symbols"]) == ("NO_DATA", True)


async def test_plain_routes_fail_as_plain_objects(store: Store, start: Start) -> None:
    await put_btc(store)
    api = await start()
    answer = await api.get("/api/market/price?symbol=XYZ")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "detail", "timestamp"}
    assert (answer.json()["error"], "BTC/USDT" in answer.json()["detail"]) == ("INVALID_SYMBOL", True)


WRONG = [
    ("/gpt/raw", "symbol"),
    ("/gpt/raw?symbol=", "symbol"),
    ("/gpt/raw?symbol=BTC&symbol=ETH", "symbol"),
    (f"/gpt/raw?symbol={'B' * 65}", "symbol"),
    ("/gpt/raw?symbol=BTC&depth=3", "depth"),
    ("/gpt/whale?symbol=BTC&limit=0", "limit"),
    ("/gpt/whale?symbol=BTC&limit=101", "limit"),
    ("/gpt/whale?symbol=BTC&limit=ten", "limit"),
    ("/gpt/whale?symbol=BTC&min_usd=-1", "min_usd"),
    ("/gpt/whale?symbol=BTC&min_usd=1e6", "min_usd"),
    ("/gpt/liq?symbol=BTC&limit=1.5", "limit"),
    ("/gpt/orderbook?symbol=BTC&depth=101", "depth"),
    (f"/gpt/raw?{'&'.join(f'a{index}=1' for index in range(40))}", "query"),
]


async def test_a_wrong_parameter_is_named(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    for path, parameter in WRONG:
        said = error(await api.get(path), 400)
        assert (path, said["code"], said["details"]["parameter"]) == (path, "INVALID_PARAMETER", parameter)


async def test_an_unknown_exchange_lists_the_supported_ones(store: Store, start: Start) -> None:
    await put_btc(store)
    api = await start()
    said = error(await api.get("/gpt/orderbook?symbol=BTC&exchange=mtgox"), 400)
    assert (said["code"], said["details"]["parameter"]) == ("UNKNOWN_VENUE", "exchange")
    assert "binance" in said["details"]["supported_venues"]
    assert error(await api.get("/gpt/orderbook?symbol=BTC"), 404)["code"] == "NO_DATA"


async def test_nothing_received_yet_is_not_ready(store: Store, start: Start) -> None:
    api = await start()
    said = error(await api.get("/gpt/raw?symbol=BTC"), 503)
    assert (said["code"], said["details"]["waiting_for"]) == ("NOT_READY", ["market data"])


async def test_a_subscriber_asks_the_bus_and_gets_what_stands_in_data(
    store: Store, start: Start, api_nats: NatsServer
) -> None:
    await put_btc(store)
    api = await start()
    data = body(await api.get("/gpt/raw?symbol=BTC"))["data"]
    bus = await nats.connect(api_nats.subscriber_url)
    reply = await bus.request("cmd.v1.market.raw", b'{"symbol":"BTC"}', timeout=2)
    refused = await bus.request("cmd.v1.market.raw", b'{"symbol":"BTC","limit":1,"symbol":"NOPE"}', timeout=2)
    await bus.close()
    said = json.loads(reply.data, parse_float=Decimal)
    assert list(said) == list(data)
    assert {name: said[name] for name in said if name not in AGING} == {
        name: data[name] for name in data if name not in AGING
    }
    assert [entry["price"] for entry in said["exchanges"]] == [entry["price"] for entry in data["exchanges"]]
    assert reply.headers is not None
    assert reply.headers["Hydrophone-Symbol"] == "BTC"
    assert json.loads(reply.headers["Hydrophone-Beside"])["quality"] == "live"
    assert json.loads(refused.data)["error"]["code"] == "INVALID_SYMBOL"
