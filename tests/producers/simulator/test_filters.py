"""What a request's parameters leave out is left out: a row for each documented filter of the simulated REST routes."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.producers.simulator.client import get
from tests.producers.simulator.conftest import StartSimulator

Check = Callable[[Any], Any]
ADVANCED = "/api/v3/brokerage/market"
KUCOIN_TICKER = {
    "symbol", "sequence", "side", "size", "tradeId", "price", "bestBidPrice", "bestBidSize", "bestAskPrice",
    "bestAskSize", "ts",
}  # fmt: skip


def _names(*path: str) -> Check:
    """Return what the rows at a path are called, by the last part of the path."""

    def check(body: Any) -> list[Any]:
        for part in path[:-1]:
            body = body[part]
        return [row[path[-1]] for row in body]

    return check


# venue, path and query, what is read from the answer, what that is
ROUTES: list[tuple[str, str, Check, Any]] = [
    ("binance", '/api/v3/exchangeInfo?symbols=["ETHUSDT"]', _names("symbols", "symbol"), ["ETHUSDT"]),
    ("binance", "/api/v3/exchangeInfo?symbol=ETHUSDT", _names("symbols", "symbol"), ["ETHUSDT"]),
    ("binance", '/api/v3/ticker/price?symbols=["ETHUSDT"]', _names("symbol"), ["ETHUSDT"]),
    ("binance", '/api/v3/ticker/24hr?symbols=["FOO"]', lambda body: body["code"], -1121),
    ("binance", "/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI", lambda body: "bidPrice" in body, False),
    ("binance", "/api/v3/aggTrades?symbol=BTCUSDT&startTime=0&limit=3", len, 3),
    ("binance", "/api/v3/aggTrades?symbol=BTCUSDT&endTime=1", len, 0),
    ("binance", "/api/v3/trades?symbol=BTCUSDT&limit=2", len, 2),
    ("binance", "/api/v3/depth?symbol=BTCUSDT&limit=3", lambda body: len(body["bids"]), 3),
    ("binanceusdm", "/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=99999999999", len, 0),
    ("binanceusdm", "/fapi/v1/aggTrades?symbol=BTCUSDT&limit=2", lambda body: {"nq" in row for row in body}, {True}),
    (
        "bybit",
        "/v5/market/instruments-info?category=linear&baseCoin=ETH",
        _names("result", "list", "symbol"),
        ["ETHUSDT"],
    ),
    ("bybit", "/v5/market/instruments-info?category=linear&limit=1", lambda b: b["result"]["nextPageCursor"], "1"),
    (
        "bybit",
        "/v5/market/instruments-info?category=linear&limit=1&cursor=1",
        _names("result", "list", "symbol"),
        ["ETHUSDT"],
    ),
    ("bybit", "/v5/market/instruments-info?category=spot&status=PreLaunch", _names("result", "list", "symbol"), []),
    ("bybit", "/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=2", lambda b: len(b["result"]["list"]), 2),
    (
        "okx",
        "/api/v5/public/instruments?instType=SWAP&instFamily=ETH-USDT",
        _names("data", "instId"),
        ["ETH-USDT-SWAP"],
    ),
    ("okx", "/api/v5/market/tickers?instType=SWAP&uly=BTC-USDT", _names("data", "instId"), ["BTC-USDT-SWAP"]),
    ("okx", "/api/v5/market/trades?instId=BTC-USDT&limit=3", lambda body: len(body["data"]), 3),
    ("okx", "/api/v5/market/history-trades?instId=BTC-USDT&limit=3", lambda body: len(body["data"]), 3),
    ("okx", "/api/v5/market/history-trades?instId=BTC-USDT&after=1", lambda body: body["data"], []),
    ("okx", "/api/v5/market/history-trades?instId=BTC-USDT&type=2&after=1", lambda body: body["data"], []),
    ("okx", f"/api/v5/market/history-trades?instId=BTC-USDT&before={10**18}", lambda body: body["data"], []),
    (
        "coinbase",
        f"{ADVANCED}/products?product_ids=ETH-USD&product_ids=BTC-USD&limit=1",
        _names("products", "product_id"),
        ["ETH-USD"],
    ),
    ("coinbase", f"{ADVANCED}/products?product_type=FUTURE", _names("products", "product_id"), []),
    ("coinbase", f"{ADVANCED}/products?offset=1", _names("products", "product_id"), ["ETH-USD"]),
    ("coinbase", f"{ADVANCED}/product_book?product_id=BTC-USD&limit=2", lambda body: len(body["pricebook"]["asks"]), 2),
    ("coinbase", f"{ADVANCED}/products/BTC-USD/ticker?limit=2", lambda body: len(body["trades"]), 2),
    ("coinbase", f"{ADVANCED}/products/BTC-USD/ticker?end=1", lambda body: body["trades"], []),
    (
        "coinbase",
        f"{ADVANCED}/products/BTC-USD/candles?granularity=ONE_MINUTE&limit=4",
        lambda body: len(body["candles"]),
        4,
    ),
    ("coinbase", f"{ADVANCED}/products/FOO-USD", lambda body: body["error"], "NOT_FOUND"),
    ("coinbase", "/api/v3/brokerage/time", set, {"iso", "epochSeconds", "epochMillis"}),
    (
        "htx",
        "/linear-swap-ex/market/detail/batch_merged?contract_code=ETH-USDT",
        _names("ticks", "contract_code"),
        ["ETH-USDT"],
    ),
    ("htx", "/linear-swap-api/v1/swap_contract_info?pair=ETH-USDT", _names("data", "contract_code"), ["ETH-USDT"]),
    ("htx", "/linear-swap-api/v1/swap_contract_info?business_type=futures", _names("data", "contract_code"), []),
    ("htx", "/market/detail/merged?symbol=btcusdt", lambda body: len(body["tick"]["bid"]), 2),
    (
        "htx",
        "/market/tickers",
        lambda body: {"bid", "bidSize", "ask", "askSize", "symbol"} <= set(body["data"][0]),
        True,
    ),
    ("gate", "/api/v4/spot/currency_pairs/ETH_USDT", lambda body: body["id"], "ETH_USDT"),
    ("gate", "/api/v4/futures/usdt/contracts?limit=1&offset=1", _names("name"), ["ETH_USDT"]),
    ("gate", "/api/v4/spot/trades?currency_pair=BTC_USDT&limit=2&page=2", len, 2),
    ("gate", "/api/v4/spot/trades?currency_pair=BTC_USDT&to=1", len, 0),
    ("gate", "/api/v4/spot/trades?currency_pair=BTC_USDT&last_id=1", len, 0),
    ("gate", "/api/v4/futures/usdt/trades?contract=BTC_USDT&from=99999999999", len, 0),
    (
        "gate",
        "/api/v4/futures/usdt/tickers?contract=BTC_USDT",
        lambda b: {"highest_bid", "lowest_ask"} <= set(b[0]),
        True,
    ),
    ("kraken", "/0/public/AssetPairs?pair=XBTUSD", lambda body: list(body["result"]), ["XXBTZUSD"]),
    ("kraken", "/0/public/AssetPairs?pair=XBTUSD,FOO", lambda body: body["error"], ["EQuery:Unknown asset pair"]),
    ("kraken", "/0/public/Ticker?pair=ETHUSD,XBTUSD", lambda body: set(body["result"]), {"XETHZUSD", "XXBTZUSD"}),
    ("kraken", "/0/public/Assets?asset=XBT", lambda body: list(body["result"]), ["XBT"]),
    ("kraken", "/0/public/Depth?pair=XBTUSD&count=3", lambda body: len(body["result"]["XXBTZUSD"]["bids"]), 3),
    (
        "krakenfutures",
        "/derivatives/api/v3/history?symbol=PF_XBTUSD&lastTime=2020-01-01T00:00:00Z",
        lambda b: b["history"],
        [],
    ),
    ("krakenfutures", "/api/charts/v1/trade/PF_XBTUSD/1m?count=3", lambda body: len(body["candles"]), 3),
    ("kucoin", "/api/v2/symbols?market=BTC", lambda body: body["data"], []),
    ("kucoin", "/api/v2/symbols/ETH-USDT", lambda body: body["data"]["symbol"], "ETH-USDT"),
    ("kucoinfutures", "/api/v1/ticker?symbol=XBTUSDTM", lambda body: set(body["data"]), KUCOIN_TICKER),
    ("kucoinfutures", "/api/v1/allTickers", lambda body: set(body["data"][0]), KUCOIN_TICKER),
    ("deribit", "/api/v2/public/get_instruments", lambda body: len(body["result"]), 6),
    ("deribit", "/api/v2/public/get_instruments?kind=spot", lambda body: len(body["result"]), 2),
    (
        "deribit",
        "/api/v2/public/get_instruments?currency=BTC&kind=future",
        _names("result", "instrument_name"),
        ["BTC-PERPETUAL"],
    ),
    ("deribit", "/api/v2/public/get_instruments?expired=true", lambda body: body["result"], []),
    (
        "deribit",
        "/api/v2/public/get_last_trades_by_instrument?instrument_name=BTC-PERPETUAL&end_timestamp=1",
        lambda body: body["result"]["trades"],
        [],
    ),
    ("bitfinex", "/v2/trades/tBTCUST/hist?limit=2", len, 2),
    ("bitfinex", "/v2/trades/tBTCUST/hist?end=1", len, 0),
    ("bitfinex", "/v2/candles/trade:1m:tBTCUST/hist?limit=2&sort=1&start=1", len, 2),
    ("bitfinex", "/v2/tickers?symbols=tETHUST", lambda body: [row[0] for row in body], ["tETHUST"]),
    ("bitfinex", "/v2/book/tBTCUST/R0?len=25", len, 50),
    (
        "bitfinex",
        "/v2/conf/pub:info:pair,pub:list:pair:futures",
        lambda body: [row[0] for row in body[0]],
        ["BTCUST", "ETHUST"],
    ),
]


@pytest.mark.parametrize("venue", sorted({row[0] for row in ROUTES}))
async def test_a_filter_leaves_out_what_it_says(start: StartSimulator, venue: str) -> None:
    sim = await start(venue)
    sim.pause()
    wrong: list[str] = []
    for _, path, read, wanted in (row for row in ROUTES if row[0] == venue):
        body = (await get(sim.rest_url(venue) + path.replace('"', "%22"))).body
        found = read(body)
        if found != wanted:
            wrong.append(f"{path}: {found}, not {wanted}")
    assert wrong == []


@pytest.mark.parametrize(("order", "newest_first"), [("", True), ("&sorting=asc", False)])
async def test_deribits_trades_are_sorted_as_asked(start: StartSimulator, order: str, *, newest_first: bool) -> None:
    sim = await start("deribit")
    path = f"/api/v2/public/get_last_trades_by_instrument?instrument_name=BTC-PERPETUAL&count=5{order}"
    rows = (await get(sim.rest_url("deribit") + path)).body["result"]["trades"]
    numbers = [row["trade_seq"] for row in rows]
    assert numbers == sorted(numbers, reverse=newest_first)
    assert len(numbers) == 5


async def test_hyperliquids_book_is_gathered_at_the_asked_digits(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    sim.pause()

    def ask(**fields: Any) -> Any:
        data = json.dumps({"type": "l2Book", "coin": "BTC", **fields}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{sim.rest_url('hyperliquid')}/info", data), timeout=5
        ) as answer:
            return json.loads(answer.read())

    fine, coarse = await asyncio.to_thread(ask), await asyncio.to_thread(ask, nSigFigs=3)
    best, gathered = float(fine["levels"][0][0]["px"]), float(coarse["levels"][0][0]["px"])
    assert gathered % 100 == 0
    assert gathered <= best < gathered + 100
    assert float(coarse["levels"][1][0]["px"]) >= float(fine["levels"][1][0]["px"])
