"""What Binance's spot and futures share in REST: refusals, klines, fills of one aggressor, 24 h figures.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from producers.simulator.hub import Answer, encode
from producers.simulator.market.candles import MONDAY_US, WEEK_US, Candle
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing, Trade

UNIT_US = {
    "s": 10**6,
    "m": 60 * 10**6,
    "h": 3600 * 10**6,
    "d": 86_400 * 10**6,
    "w": 604_800 * 10**6,
    "M": 2_592_000 * 10**6,
}
INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")


def refuse(strikes: int, weight: int = 6000) -> Answer:
    """A rate-limit answer: 429 at first, 418 with a ban for a client that continues."""
    if strikes <= 1:
        text = f"Too much request weight used; current limit is {weight} request weight per 1 MINUTE."
        return Answer(429, encode({"code": -1003, "msg": text}), (("Retry-After", "1"),))
    text = "Way too much request weight used; IP banned until later. Please use WebSocket Streams for live updates."
    return Answer(418, encode({"code": -1003, "msg": text}), (("Retry-After", "120"),))


def rest_error(status: int, code: int, text: str) -> Answer:
    """A refusal in the venue's form."""
    return Answer(status, encode({"code": code, "msg": text}))


def interval_us(interval: str) -> int | None:
    """An interval's length, None when the venue has no such interval."""
    return int(interval[:-1]) * UNIT_US[interval[-1]] if interval in INTERVALS else None


def quote(listing: Listing, value: int, decimals: int) -> str:
    """A sum of price x amount as text."""
    terms = listing.instrument
    return number_text(value, terms.price_scale + terms.amount_scale, decimals)


def candle_row(listing: Listing, candle: Candle, length_us: int, decimals: int) -> list[Any]:
    """One REST kline."""
    terms = listing.instrument
    return [
        candle.start_us // 1000,
        terms.price_text(candle.open),
        terms.price_text(candle.high),
        terms.price_text(candle.low),
        terms.price_text(candle.close),
        terms.amount_text(candle.volume),
        (candle.start_us + length_us) // 1000 - 1,
        quote(listing, candle.quote, decimals),
        candle.trades,
        terms.amount_text(candle.buy_volume),
        quote(listing, candle.buy_quote, decimals),
        "0",
    ]


def candle_rows(listing: Listing, query: dict[str, str], now_us: int, decimals: int) -> Answer:
    """The answer to a klines request: startTime, endTime (ms), limit."""
    length = interval_us(query.get("interval", ""))
    if length is None:
        return rest_error(400, -1120, "Invalid interval.")
    limit = min(int(query.get("limit", "500")), 1000)
    until = min(int(query.get("endTime", now_us // 1000)) * 1000, now_us)
    if "startTime" in query:
        shift = MONDAY_US if length == WEEK_US else 0
        start = -((shift - int(query["startTime"]) * 1000) // length) * length + shift
        until = min(until, start + (limit - 1) * length)
        limit = max(0, (until - start) // length + 1) if until >= start else 0
    candles = listing.candles.list_candles(length, until, limit)
    return Answer(200, encode([candle_row(listing, candle, length, decimals) for candle in candles]))


def select(listings: dict[str, Listing], query: dict[str, str]) -> list[Listing] | None:
    """What `symbol` or `symbols` (a JSON array) names, else everything; None where one of them is unknown."""
    if "symbols" in query:
        names = json.loads(query["symbols"])
    elif "symbol" in query:
        names = [query["symbol"]]
    else:
        names = list(listings)
    found = [listings.get(str(name)) for name in names]
    return None if None in found else [item for item in found if item is not None]


def select_groups(listing: Listing, query: dict[str, str]) -> list[list[Trade]]:
    """The groups of fills that `fromId`, `startTime` and `endTime` (ms) leave: `limit` of them, else the last ones."""
    limit = min(int(query.get("limit", "500")), 1000)
    groups = group_fills(list(listing.recent))
    if len(listing.recent) == listing.recent.maxlen:
        del groups[0]  # its first fills may have been dropped
    first, start = int(query.get("fromId", "0")), int(query.get("startTime", "0"))
    end = int(query.get("endTime", str(2**63)))
    fits = [g for g in groups if g[0].agg_id >= first and start <= g[0].ts_us // 1000 <= end]
    return fits[:limit] if "fromId" in query or "startTime" in query else fits[-limit:]


def group_fills(trades: list[Trade]) -> list[list[Trade]]:
    """Fills of one aggressor at one price belong together."""
    return [list(fills) for _, fills in groupby(trades, key=lambda trade: trade.agg_id)]


def figures(listing: Listing, now_us: int) -> dict[str, Any]:
    """The rolling 24 h figures that streams and REST share, by the stream's letters."""
    t, last = listing.instrument, listing.last
    change = last.price - listing.open_24h
    average = listing.quote_units // max(listing.volume_units, 1)
    return {
        "p": t.price_text(change),
        "P": f"{change / listing.open_24h * 100:.3f}",
        "w": t.price_text(average),
        "c": t.price_text(last.price),
        "Q": t.amount_text(last.amount),
        "o": t.price_text(listing.open_24h),
        "h": t.price_text(listing.high_24h),
        "l": t.price_text(listing.low_24h),
        "v": listing.volume_text(),
        "q": listing.quote_text(8 if t.market == "spot" else 2),
        "O": now_us // 1000 - 86_400_000,
        "C": now_us // 1000,
        "F": last.id - 1_000_000,
        "L": last.id,
        "n": 1_000_001,
    }


def ticker_row(listing: Listing, path: str, now_us: int, *, is_mini: bool = False) -> dict[str, Any]:
    """One row of `ticker/24hr` (MINI: without changes and best prices), `ticker/price` or `ticker/bookTicker`."""
    t, book, f = listing.instrument, listing.book, figures(listing, now_us)
    if path == "ticker/price":
        return {"symbol": t.symbol, "price": f["c"]}
    touch = {
        "bidPrice": t.price_text(book.best_bid),
        "bidQty": t.amount_text(book.bids[book.best_bid]),
        "askPrice": t.price_text(book.best_ask),
        "askQty": t.amount_text(book.asks[book.best_ask]),
    }
    if path == "ticker/bookTicker":
        return {"symbol": t.symbol, **touch}
    names = {
        "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "c": "lastPrice", "Q": "lastQty",
        "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume",
        "O": "openTime", "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count",
    }  # fmt: skip
    if is_mini:
        return {"symbol": t.symbol, **{name: f[key] for key, name in names.items() if key not in "pPwQ"}}
    return {"symbol": t.symbol, "prevClosePrice": f["o"], **{name: f[key] for key, name in names.items()}, **touch}
