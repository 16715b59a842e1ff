"""One market made of all exchanges: weighed, merged, crossed, converted, and honest about who is in it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from contracts.market import Trade
from contracts.state import TradesState
from tests.api.world import LISTED, Start, Store, origin

pytestmark = pytest.mark.nats
SECOND = 1_000_000_000
MORE = (
    *LISTED,
    ("binance", "BTC/USDC", "BTCUSDC"),
    ("kraken", "BTC/USD", "XBTUSD"),
    ("kraken", "USDT/USD", "USDTUSD"),
    ("indodax", "BTC/IDR", "btc_idr"),
    ("indodax", "USDT/IDR", "usdt_idr"),
)


def body(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


async def put_three(store: Store) -> None:
    day = {"high_24h": "92000", "low_24h": "90000.5"}
    await store.put_ticker(
        "binance", "BTC/USDT", "91000.20", volume_24h="3000", change_24h="1.5", bid="91000.1", ask="91000.3", **day
    )
    await store.put_ticker(
        "bybit",
        "BTC/USDT",
        "91010.20",
        volume_24h="1000",
        change_24h="2.5",
        bid="91000.4",
        ask="91010",
        high_24h="93000",
    )
    await store.put_ticker("okx", "BTC/USDT", "120000", volume_24h="9000", bid="119999", ask="120001")
    await store.put_ticker("coinbase", "BTC/USD", "90900", volume_24h="500")
    await store.put_ticker("binanceusdm", "BTC/USDT:USDT", "91050", volume_24h="900000")


async def test_the_ticker_is_weighed_without_outliers_contracts_and_other_quotes(store: Store, start: Start) -> None:
    await put_three(store)
    api = await start()
    for path in ("/multi/ticker/BTC", "/multi/ticker/btcusdt", "/multi/ticker/BTC%2FUSDT", "/multi/ticker/BTC/USDT"):
        said = body(await api.get(path))
        assert (said["success"], said["exchange"], said["symbol"].split("/")[0]) == (True, "aggregated", "BTC")
        assert said["price"] == Decimal("91002.70")  # (91000.20 * 3000 + 91010.20 * 1000) / 4000
        assert (said["volume_24h"], said["change_24h"]) == (4000, Decimal("1.75"))
        assert (said["high_24h"], said["low_24h"]) == (93000, Decimal("90000.5"))
        assert (said["quote"], said["market"], said["converted"]) == ("USDT", "spot", False)
        assert said["outlier_exchanges"] == ["okx"]
        assert (said["quality"], said["stale_exchanges"]) == ("live", [])
        assert {"timestamp", "age"} <= said.keys()


async def test_the_best_bid_and_offer_name_their_exchanges_and_say_when_they_cross(store: Store, start: Start) -> None:
    await put_three(store)
    api = await start()
    said = body(await api.get("/multi/ticker/BTC"))
    assert (said["bid"], said["bid_exchange"]) == (Decimal("91000.4"), "bybit")
    assert (said["ask"], said["ask_exchange"]) == (Decimal("91000.3"), "binance")
    assert (said["crossed"], said["spread"]) == (True, Decimal("-0.1"))
    await store.put_ticker("bybit", "BTC/USDT", "91010.20", volume_24h="1000", bid="91000.2", ask="91010")
    later = body(await api.until("/multi/ticker/BTC", lambda answer: not answer.json()["crossed"]))
    assert (later["bid"], later["spread"]) == (Decimal("91000.2"), Decimal("0.1"))


async def test_a_stale_venue_of_the_ticker_is_named(store: Store, start: Start) -> None:
    await put_three(store)
    await store.put_ticker("bybit", "BTC/USDT", "80000", volume_24h="1000", bid="99999", age=600)
    api = await start()
    said = body(await api.get("/multi/ticker/BTC"))
    assert said["stale_exchanges"] == ["bybit"]
    assert said["bid_exchange"] != "bybit"


async def test_other_quotes_come_in_only_when_asked_by_rates_of_the_bus(store: Store, start: Start) -> None:
    await store.put_listing(MORE)
    await store.put_ticker("binance", "BTC/USDT", "100000.00", volume_24h="1")
    await store.put_ticker("kraken", "BTC/USD", "99900", volume_24h="1", bid="99800", ask="100200")
    await store.put_ticker("kraken", "USDT/USD", "0.999", volume_24h="5")
    await store.put_ticker("indodax", "BTC/IDR", "1600000000", volume_24h="2", high_24h="1616000000")
    await store.put_ticker("indodax", "USDT/IDR", "16000", volume_24h="5")
    api = await start()
    plain = body(await api.get("/multi/ticker/BTC/USDT"))
    assert (plain["price"], plain["volume_24h"], plain["converted"]) == (100000, 1, False)
    said = body(await api.get("/multi/ticker/BTC/USDT?convert=true"))
    assert said["converted"] is True
    assert (said["price"], said["volume_24h"], said["quote"]) == (100000, 4, "USDT")
    assert (said["bid"], said["bid_exchange"]) == (Decimal("99899.90"), "kraken")  # 99800 / 0.999
    assert said["high_24h"] == 101000
    entries = {entry["exchange"]: entry for entry in said["exchanges"]}
    assert entries["binance"]["converted"] is None
    assert entries["kraken"]["converted"]["from"] == "USD"
    assert abs(entries["kraken"]["converted"]["rate"] * Decimal("0.999") - 1) < Decimal("1e-11")
    assert entries["indodax"]["converted"] == {"from": "IDR", "rate": Decimal("0.0000625"), "source": "bus"}
    refused = await api.get("/multi/ticker/BTC?convert=maybe")
    assert (refused.status_code, refused.json()["error"]["details"]["parameter"]) == (400, "convert")


async def test_a_dollar_coin_that_nobody_prices_in_dollars_counts_as_one_and_says_peg(
    store: Store, start: Start
) -> None:
    await store.put_listing(MORE)
    await store.put_ticker("binance", "BTC/USDT", "100000", volume_24h="1")
    await store.put_ticker("coinbase", "BTC/USD", "100010", volume_24h="1")
    await store.put_ticker("indodax", "BTC/IDR", "1600000000", volume_24h="0.5")
    api = await start()
    said = body(await api.get("/multi/ticker/BTC?convert=1"))
    entries = {entry["exchange"]: entry for entry in said["exchanges"]}
    assert entries["coinbase"]["converted"] == {"from": "USD", "rate": 1, "source": "peg"}
    assert said["price"] == 100005
    assert (entries["indodax"]["converted"], entries["indodax"]["used"], entries["indodax"]["quote"]) == (
        None,
        False,
        "IDR",
    )


BINANCE = {"bids": [("100.0", "1"), ("99.5", "2")], "asks": [("100.5", "1.5"), ("101", "1")]}
BYBIT = {"bids": [("100.7", "0.5"), ("100", "0.25"), ("99", "9")], "asks": [("100.8", "3"), ("102", "1")]}


async def test_the_consolidated_book_merges_levels_by_price_and_says_that_it_is_crossed(
    store: Store, start: Start
) -> None:
    await store.put_book("binance", "BTC/USDT", BINANCE)
    await store.put_book("bybit", "BTC/USDT", BYBIT)
    await store.put_book("coinbase", "BTC/USD", {"bids": [("500", "1")], "asks": [("501", "1")]})
    await store.put_book("binanceusdm", "BTC/USDT:USDT", {"bids": [("600", "1")], "asks": [("601", "1")]})
    api = await start()
    answer = await api.get("/multi/orderbook/BTC?depth=3")
    said = body(answer)
    data = said["data"]
    assert data["bids"] == [
        {
            "price": Decimal("100.7"),
            "amount": Decimal("0.5"),
            "total": Decimal("50.35"),
            "exchanges": {"bybit": Decimal("0.5")},
        },
        {
            "price": 100,
            "amount": Decimal("1.25"),
            "total": 125,
            "exchanges": {"binance": 1, "bybit": Decimal("0.25")},
        },
        {"price": Decimal("99.5"), "amount": 2, "total": 199, "exchanges": {"binance": 2}},
    ]
    assert [level["price"] for level in data["asks"]] == [Decimal("100.5"), Decimal("100.8"), 101]
    assert (data["crossed"], data["spread"]) == (True, Decimal("-0.2"))
    assert data["imbalance"] == Decimal("-0.1892")  # (3.75 - 5.5) / 9.25
    assert data["whole_to"] == {"bids": Decimal("99.5"), "asks": 101}
    assert {entry["exchange"] for entry in data["exchanges"]} == {"binance", "bybit"}
    assert all({"age", "quality"} <= entry.keys() for entry in data["exchanges"])
    assert (said["quality"], data["depth"]) == ("live", {"bids": 3, "asks": 3})


async def test_stale_books_and_books_in_contracts_are_left_out_and_named(store: Store, start: Start) -> None:
    await store.put_book("binance", "BTC/USDT", BINANCE)
    await store.put_book("bybit", "BTC/USDT", BYBIT, unit="contracts")
    await store.put_book("okx", "BTC/USDT", BYBIT, quality="stale")
    api = await start()
    data = body(await api.get("/multi/orderbook/BTCUSDT"))["data"]
    assert (data["stale_exchanges"], data["contracts_exchanges"]) == (["okx"], ["bybit"])
    assert [level["exchanges"] for level in data["bids"]] == [{"binance": 1}, {"binance": 2}]
    assert data["crossed"] is False
    wrong = await api.get("/multi/orderbook/BTC?depth=101")
    assert (wrong.status_code, wrong.json()["error"]["details"]["parameter"]) == (400, "depth")
    assert (await api.get("/multi/orderbook/ETH")).status_code == 404


async def put_trades(store: Store, venue: str, symbol: str, rows: list[tuple[int, str]]) -> None:
    trades = [
        Trade.model_validate(
            {
                **origin(venue, symbol),
                "id": f"{venue}.{ts}",
                "ts_event": ts,
                "trade_id": str(ts),
                "price": price,
                "amount": "1.50",
                "side": "sell",
            }
        )
        for ts, price in rows
    ]
    document = TradesState(venue=venue, symbol=symbol, trades=trades, quality="live", sim=False)
    await store.put(f"trade.{store.tails[venue, symbol]}", document.model_dump_json().encode())


async def test_trades_of_all_exchanges_are_reported_newest_first(store: Store, start: Start) -> None:
    at = 1_767_268_800 * SECOND
    await put_trades(store, "binance", "BTC/USDT", [(at + 5, "91000.10"), (at + 1, "91000")])
    await put_trades(store, "bybit", "BTC/USDT", [(at + 3, "91001")])
    await store.put_ticker("binance", "BTC/USDT", "91000")
    await store.put_ticker("bybit", "BTC/USDT", "91000")
    api = await start()
    answer = await api.get("/multi/trades/BTC")
    said = body(answer)
    assert [trade["id"] for trade in said["data"]] == [f"binance.{at + 5}", f"bybit.{at + 3}", f"binance.{at + 1}"]
    assert '"price":91000.10,"amount":1.50,' in answer.text
    assert said["data"][0]["side"] == "sell"
    assert {entry["exchange"]: entry["quality"] for entry in said["exchanges"]} == {"binance": "live", "bybit": "live"}
    only = body(await api.get("/multi/trades/BTC?exchange=bybit&limit=1"))
    assert [trade["exchange"] for trade in only["data"]] == ["bybit"]
    unknown = await api.get("/multi/trades/BTC?exchange=mtgox")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "UNKNOWN_VENUE")


async def test_symbols_are_those_that_were_received_or_all_that_are_listed(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    await store.put_ticker("bybit", "BTC/USDT", "1")
    await store.put_feed("binance")
    api = await start()
    said = body(await api.get("/multi/symbols"))
    assert said["data"] == [
        {
            "symbol": "BTC/USDT",
            "base": "BTC",
            "quote": "USDT",
            "contract": "spot",
            "market": "spot",
            "exchanges": ["binance", "bybit"],
            "names": {"binance": "BTCUSDT", "bybit": "BTCUSDT"},
            "exchange_symbols": {"binance": "BTCUSDT", "bybit": "BTCUSDT"},
        }
    ]
    assert (said["exchanges"]["binance"]["symbols"], said["exchanges"]["binance"]["quality"]) == (1, "live")
    listed = body(await api.get("/multi/symbols?exchange=binance&listed=true"))
    assert [entry["symbol"] for entry in listed["data"]] == ["BTC/USDT", "ETH/BTC", "ETH/USDT"]
    unknown = await api.get("/multi/symbols?exchange=mtgox")
    assert unknown.json()["error"]["details"]["parameter"] == "exchange"


async def test_a_symbol_of_path_and_query_is_refused_and_routes_are_counted_by_template(
    store: Store, start: Start
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    twice = await api.get("/multi/ticker/BTC?symbol=ETH")
    assert (twice.status_code, twice.json()["error"]["details"]["parameter"]) == (400, "symbol")
    assert (await api.get("/multi/ticker/NOSUCHCOIN")).status_code == 404
    assert (await api.get("/multi/ticker/")).json()["error"]["details"]["parameter"] == "symbol"
    assert (await api.get("/multi/ticker/BTC", key=None)).status_code == 401
    text = (await api.get("/metrics", key=None)).text
    assert 'route="/multi/ticker/{symbol}"' in text
    assert "NOSUCHCOIN" not in text
    paths = (await api.get("/openapi.json", key=None)).json()["paths"]
    symbol, *_ = paths["/multi/ticker/{symbol}"]["get"]["parameters"]
    assert (symbol["in"], symbol["required"]) == ("path", True)
