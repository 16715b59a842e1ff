"""KuCoin spot's public REST answers; `code` 200000 is success.

https://www.kucoin.com/docs-new/rest/spot-trading/market-data/introduction
"""

from __future__ import annotations

from typing import Any

from producers.simulator.families.kucoin.classic import BARS, refusal, success
from producers.simulator.hub import Answer, Request
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots, level_texts
from producers.simulator.venues.kucoin.channels import day_figures

PREFIX = "/api/v1/market/"
KEYS = "KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE"
MOST_CANDLES = 1500
KEPT_TRADES = 100


class KucoinRest:
    """Answers of `/api/...`, but for the tokens."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer in the venue's envelope."""
        path = request.path
        if path == "/api/v1/timestamp":
            return success(now_us // 1000)
        if path.startswith(("/api/v2/symbols", "/api/v1/symbols")):
            return self._symbols(path.partition("symbols/")[2], request.query)
        if path == f"{PREFIX}allTickers":
            return success({"time": now_us // 1000, "ticker": [_ticker(item) for item in self._listings.values()]})
        if path == "/api/v3/market/orderbook/level2":
            return refusal(401, "400001", f"Please check the header of your request for {KEYS}")
        name = path.removeprefix(PREFIX)
        if name not in (
            "orderbook/level1",
            "orderbook/level2_20",
            "orderbook/level2_100",
            "histories",
            "candles",
            "stats",
        ):
            return refusal(404, "404", "Not Found")
        if not request.query.get("symbol"):
            return refusal(400, "400100", "symbol is required")
        listing = self._listings.get(request.query["symbol"])
        if listing is None:
            return success(None) if name == "orderbook/level1" else refusal(200, "900001", "symbol not exists")
        return self._answer_one(listing, name, request, now_us)

    def _symbols(self, one: str, query: dict[str, str]) -> Answer:
        """The pairs of a `market` or of all, or the one that the path names."""
        rows = [_symbol(item) for item in self._listings.values() if one in ("", item.instrument.symbol)]
        if one:
            return success(rows[0]) if rows else refusal(200, "900001", "symbol not exists")
        return success([row for row in rows if query.get("market", row["market"]) == row["market"]])

    def _answer_one(self, listing: Listing, name: str, request: Request, now_us: int) -> Answer:
        if name == "orderbook/level1":
            return success({**_best(listing), "time": now_us // 1000})
        if name.startswith("orderbook"):
            depth = self._snapshots.find(listing, now_us, stale=request.stale).top(int(name.rpartition("_")[2]))
            bids, asks = level_texts(listing, depth.bids), level_texts(listing, depth.asks)
            body = {"time": depth.ts_us // 1000, "sequence": str(depth.update_id), "bids": bids, "asks": asks}
            return success(body)
        if name == "histories":
            return success(
                [_trade(listing, index) for index in range(-1, -min(KEPT_TRADES, len(listing.recent)) - 1, -1)]
            )
        if name == "stats":
            return success({"time": now_us // 1000, "symbol": listing.instrument.symbol, **_figures(listing)})
        return _candles(listing, request.query, now_us)


def _candles(listing: Listing, query: dict[str, str], now_us: int) -> Answer:
    """`[start in s, open, close, high, low, volume, turnover]`, newest first; `startAt` and `endAt` in seconds."""
    if query.get("type") not in BARS:
        return refusal(400, "400100", "type is invalid")
    t, length = listing.instrument, BARS[query["type"]] * 10**6
    until = min(int(query.get("endAt", "0")) * 10**6 or now_us, now_us)
    since = int(query.get("startAt", "0")) * 10**6 or until - 100 * length
    limit = max(0, min(MOST_CANDLES, (until - since) // length + 1))
    rows = [
        [
            str(c.start_us // 10**6),
            *(t.price_text(price) for price in (c.open, c.close, c.high, c.low)),
            t.amount_text(c.volume),
            number_text(c.quote, t.price_scale + t.amount_scale, -1),
        ]
        for c in listing.candles.list_candles(length, until, limit)
        if c.start_us >= since
    ]
    return success(rows[::-1])


def _trade(listing: Listing, index: int) -> dict[str, Any]:
    t, x = listing.instrument, listing.recent[index]
    side = "buy" if x.taker_buys else "sell"
    row = {"sequence": str(x.id), "price": t.price_text(x.price), "size": t.amount_text(x.amount), "side": side}
    return {**row, "time": x.ts_us * 1000}


def _best(listing: Listing) -> dict[str, Any]:
    t, book, last = listing.instrument, listing.book, listing.last
    return {
        "sequence": str(book.update_id),
        "price": t.price_text(last.price),
        "size": t.amount_text(last.amount),
        "bestBid": t.price_text(book.best_bid),
        "bestBidSize": t.amount_text(book.bids[book.best_bid]),
        "bestAsk": t.price_text(book.best_ask),
        "bestAskSize": t.amount_text(book.asks[book.best_ask]),
    }


def _figures(listing: Listing) -> dict[str, str]:
    t, book, f = listing.instrument, listing.book, day_figures(listing)
    names = ("last", "high", "low", "changeRate", "changePrice", "vol", "volValue")
    return {
        "buy": t.price_text(book.best_bid),
        "sell": t.price_text(book.best_ask),
        **{name: f[name] for name in names},
        "averagePrice": f["open"],
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
    }


def _ticker(listing: Listing) -> dict[str, str]:
    symbol = listing.instrument.symbol
    return {"symbol": symbol, "symbolName": symbol, **_figures(listing)}


def _symbol(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "symbol": t.symbol,
        "name": t.symbol,
        "baseCurrency": t.base,
        "quoteCurrency": t.quote,
        "feeCurrency": t.quote,
        "market": "USDS",
        "baseMinSize": t.lot,
        "quoteMinSize": "0.1",
        "baseMaxSize": "10000000000",
        "quoteMaxSize": "99999999",
        "baseIncrement": t.lot,
        "quoteIncrement": "0.000001",
        "priceIncrement": t.tick,
        "priceLimitRate": "0.1",
        "minFunds": "0.1",
        "isMarginEnabled": True,
        "enableTrading": True,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }
