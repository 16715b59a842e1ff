"""Bybit's public REST answers; errors are HTTP 200 with a `retCode`.

https://bybit-exchange.github.io/docs/v5/market/orderbook
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots, level_texts
from producers.simulator.venues.bybit.rows import (
    INTERVALS,
    counter_key,
    interval_us,
    linear_figures,
    spot_figures,
    trade_id,
)

DEEPEST = 1000
CATEGORIES = ("spot", "linear", "inverse", "option")  # inverse and options are listed empty


class BybitRest:
    """Answers of `/v5/market/...`; `counters` are the update ids of the sockets' topics."""

    def __init__(
        self, listings: dict[tuple[str, str], Listing], snapshots: Snapshots, counters: dict[str, int]
    ) -> None:
        self._listings = listings
        self._snapshots = snapshots
        self._counters = counters

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer in the venue's envelope."""
        path = request.path.removeprefix("/v5/market/")
        if path == "time":
            seconds = now_us // 1_000_000
            return _envelope({"timeSecond": str(seconds), "timeNano": str(now_us * 1000)}, now_us)
        category = request.query.get("category", "spot" if path == "kline" else "")
        if category not in CATEGORIES:
            return refusal(10001, "params error: Category is invalid", now_us)
        found = [item for (market, _), item in self._listings.items() if market == category]
        symbol = request.query.get("symbol")
        if symbol is not None:
            found = [item for item in found if item.instrument.symbol == symbol]
            if not found:
                return refusal(10001, "Not supported symbols", now_us)
        if "baseCoin" in request.query and path in ("instruments-info", "tickers"):
            found = [item for item in found if item.instrument.base == request.query["baseCoin"]]
        if path == "instruments-info":
            return _instruments(found, request, category, now_us)
        if path == "tickers":
            return _envelope({"category": category, "list": [_ticker(item, now_us) for item in found]}, now_us)
        answers = {"orderbook": self._orderbook, "recent-trade": _trades, "kline": _klines}
        if path not in answers:
            return Answer(404, '{"retCode":10017,"retMsg":"Route not found"}')
        if symbol is None:
            return refusal(10001, "params error: symbol invalid", now_us)
        return answers[path](found[0], request, now_us)

    def _orderbook(self, listing: Listing, request: Request, now_us: int) -> Answer:
        t = listing.instrument
        limit = int(request.query.get("limit", "1" if t.market == "spot" else "25"))
        if not 1 <= limit <= DEEPEST:
            return refusal(10001, "params error: limit invalid", now_us)
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(limit)
        body = {
            "s": t.symbol,
            "b": level_texts(listing, depth.bids),
            "a": level_texts(listing, depth.asks),
            "ts": now_us // 1000,
            "u": self._counters.get(counter_key(t.market, t.symbol, 1000), depth.update_id % 10**8),
            "seq": depth.update_id,
            "cts": depth.ts_us // 1000,
        }
        return _envelope(body, now_us)


def refusal(code: int, text: str, now_us: int) -> Answer:
    """An error: still HTTP 200."""
    body: dict[str, Any] = {"retCode": code, "retMsg": text, "result": {}, "retExtInfo": {}, "time": now_us // 1000}
    return Answer(200, encode(body))


def _envelope(result: dict[str, Any], now_us: int) -> Answer:
    body = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_us // 1000}
    return Answer(200, encode(body))


def _instruments(found: list[Listing], request: Request, category: str, now_us: int) -> Answer:
    """`limit` rows from `cursor` on; pairs have no pages. Of `status` only Trading is listed."""
    query = request.query
    rows = [_instrument(item) for item in found if query.get("status", "Trading") == "Trading"]
    begin, limit = int(query.get("cursor") or "0"), int(query.get("limit", "500"))
    end = len(rows) if category == "spot" else begin + limit
    cursor = str(end) if end < len(rows) else ""
    return _envelope({"category": category, "list": rows[begin:end], "nextPageCursor": cursor}, now_us)


def _ticker(listing: Listing, now_us: int) -> dict[str, str]:
    t, book = listing.instrument, listing.book
    if t.market == "linear":
        return {"symbol": t.symbol, **linear_figures(listing, now_us)}
    touch = {
        "bid1Price": t.price_text(book.best_bid),
        "bid1Size": t.amount_text(book.bids[book.best_bid]),
        "ask1Price": t.price_text(book.best_ask),
        "ask1Size": t.amount_text(book.asks[book.best_ask]),
    }
    return {**spot_figures(listing), **touch}


def _trades(listing: Listing, request: Request, now_us: int) -> Answer:
    t = listing.instrument
    most = 60 if t.market == "spot" else 1000
    limit = min(int(request.query.get("limit", "60" if t.market == "spot" else "500")), most)
    rows = [
        {
            "execId": trade_id(listing, x.id),
            "symbol": t.symbol,
            "price": t.price_text(x.price),
            "size": t.amount_text(x.amount),
            "side": "Buy" if x.taker_buys else "Sell",
            "time": str(x.ts_us // 1000),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(x.order),
        }
        for x in reversed(list(listing.recent)[-limit:])
    ]
    return _envelope({"category": t.market, "list": rows}, now_us)


def _klines(listing: Listing, request: Request, now_us: int) -> Answer:
    t, query = listing.instrument, request.query
    interval = query.get("interval", "")
    if interval not in INTERVALS:
        return refusal(10001, "Invalid period!", now_us)
    length = interval_us(interval)
    limit = min(int(query.get("limit", "200")), 1000)
    until = min(int(query.get("end", now_us // 1000)) * 1000, now_us)
    candles = listing.candles.list_candles(length, until, limit)
    first = int(query.get("start", "0")) * 1000
    rows = [
        [
            str(c.start_us // 1000),
            *(t.price_text(price) for price in (c.open, c.high, c.low, c.close)),
            t.amount_text(c.volume),
            number_text(c.quote, t.price_scale + t.amount_scale, -1),
        ]
        for c in reversed(candles)
        if c.start_us >= first
    ]
    return _envelope({"category": t.market, "symbol": t.symbol, "list": rows}, now_us)


def _instrument(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    if t.market == "spot":
        lot = {"basePrecision": t.lot, "quotePrecision": "0.0000001", "minOrderQty": t.lot, "minOrderAmt": "5"}
        head = {"symbol": t.symbol, "baseCoin": t.base, "quoteCoin": t.quote, "innovation": "0", "status": "Trading"}
        return {**head, "marginTrading": "utaOnly", "lotSizeFilter": lot, "priceFilter": {"tickSize": t.tick}}
    return {
        "symbol": t.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": t.base,
        "quoteCoin": t.quote,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "priceScale": str(t.price_decimals),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": t.tick, "maxPrice": "1999999.80", "tickSize": t.tick},
        "lotSizeFilter": {"maxOrderQty": "1190.000", "minOrderQty": t.lot, "qtyStep": t.lot, "minNotionalValue": "5"},
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": t.quote,
    }
