"""Kraken's public REST answers, `/0/public/...`: `{"error":[],"result":…}`, HTTP 200 for errors too.

https://docs.kraken.com/exchange/api-reference
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from producers.simulator.hub import Answer, Request, encode, time_text
from producers.simulator.market.instruments import Instrument
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.venue import Snapshots
from producers.simulator.venues.kraken.channels import INTERVALS

MOST_LEVELS, MOST_TRADES, MOST_CANDLES = 500, 1000, 720
OLD_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
LETTERED = ("XBT", "ETH", "XRP", "LTC")  # pairs that answers still name as XXBTZUSD


class KrakenRest:
    """Answers of `/0/public/...`; pairs are found by any of their names."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots
        self._by_name: dict[str, Listing] = {}
        for listing in listings.values():
            key, altname, wsname = names(listing.instrument)
            self._by_name |= dict.fromkeys((key, altname, wsname, listing.instrument.symbol), listing)

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer; unknown paths and pairs are errors within the body."""
        what = request.path.removeprefix("/0/public/")
        if what == "Time":
            return result({"unixtime": now_us // 10**6, "rfc1123": time_text(now_us)})
        if what == "SystemStatus":
            return result({"status": "online", "timestamp": time_text(now_us)})
        if what == "Assets":
            return self._assets(request)
        if what in ("AssetPairs", "Ticker"):
            return self._several(request, _pair if what == "AssetPairs" else _ticker)
        if what not in ("Depth", "Trades", "OHLC"):
            return failed("EGeneral:Unknown method")
        listing = self._by_name.get(request.query.get("pair", ""))
        if listing is None:
            return failed("EQuery:Unknown asset pair")
        key = names(listing.instrument)[0]
        if what == "Depth":
            return result({key: self._depth(listing, request, now_us)})
        return _trades(listing, key, request) if what == "Trades" else _candles(listing, key, request, now_us)

    def _several(self, request: Request, row: Callable[[Listing], dict[str, Any]]) -> Answer:
        """A row for each pair of `pair` (names with commas between them), of all pairs without it."""
        wanted = request.query.get("pair")
        found = list(self._listings.values()) if wanted is None else list(map(self._by_name.get, wanted.split(",")))
        known = [item for item in found if item is not None]
        if len(known) < len(found):
            return failed("EQuery:Unknown asset pair")
        return result({names(item.instrument)[0]: row(item) for item in known})

    def _assets(self, request: Request) -> Answer:
        """The coins, or those of `asset`."""
        rows: dict[str, Any] = {}
        for item in self._listings.values():
            for name in (OLD_NAMES.get(item.instrument.base, item.instrument.base), f"Z{item.instrument.quote}"):
                rows[name] = {
                    "aclass": "currency",
                    "altname": name.removeprefix("Z"),
                    "decimals": 10,
                    "status": "enabled",
                }
        wanted = request.query.get("asset")
        if wanted is None:
            return result(rows)
        found = {key: row for key, row in rows.items() if {key, row["altname"]} & set(wanted.split(","))}
        return result(found) if found else failed("EQuery:Unknown asset")

    def _depth(self, listing: Listing, request: Request, now_us: int) -> dict[str, Any]:
        count = min(int(request.query.get("count", "100")), MOST_LEVELS)
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(count)
        t, seconds = listing.instrument, depth.ts_us // 10**6
        sides = {"asks": depth.asks, "bids": depth.bids}
        return {
            side: [[t.price_text(price), t.amount_text(amount), seconds] for price, amount in levels]
            for side, levels in sides.items()
        }


def names(terms: Instrument) -> tuple[str, str, str]:
    """The key of answers, the alternative name, and the name of old sockets: XXBTZUSD, XBTUSD, XBT/USD."""
    base = OLD_NAMES.get(terms.base, terms.base)
    key = f"X{base}Z{terms.quote}" if base in LETTERED else f"{base}{terms.quote}"
    return key, f"{base}{terms.quote}", f"{base}/{terms.quote}"


def result(value: object) -> Answer:
    """An answer with data."""
    return Answer(200, encode({"error": [], "result": value}))


def failed(reason: str) -> Answer:
    """An answer without data."""
    return Answer(200, encode({"error": [reason]}))


def _pair(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    _, altname, wsname = names(t)
    return {
        "altname": altname,
        "wsname": wsname,
        "aclass_base": "currency",
        "base": wsname.partition("/")[0],
        "aclass_quote": "currency",
        "quote": f"Z{t.quote}",
        "lot": "unit",
        "pair_decimals": t.price_decimals,
        "lot_decimals": t.amount_decimals,
        "lot_multiplier": 1,
        "ordermin": "0.0001",
        "costmin": "0.5",
        "tick_size": t.tick,
        "status": "online",
    }


def _ticker(listing: Listing) -> dict[str, Any]:
    """Two figures where the page has two: since midnight, and of 24 hours (here the same)."""
    t, book, last = listing.instrument, listing.book, listing.last
    bid, ask, volume = book.best_bid, book.best_ask, listing.volume_text()
    low, high = t.price_text(listing.low_24h), t.price_text(listing.high_24h)
    vwap = t.price_text(listing.quote_units // max(1, listing.volume_units))
    return {
        "a": [t.price_text(ask), "1", t.amount_text(book.asks[ask])],
        "b": [t.price_text(bid), "1", t.amount_text(book.bids[bid])],
        "c": [t.price_text(last.price), t.amount_text(last.amount)],
        "v": [volume, volume],
        "p": [vwap, vwap],
        "t": [listing.trade_count, listing.trade_count],
        "l": [low, low],
        "h": [high, high],
        "o": t.price_text(listing.open_24h),
    }


def _trades(listing: Listing, key: str, request: Request) -> Answer:
    """Oldest first after `since` (ns); `last` continues from there."""
    since_us = int(request.query.get("since", "0")) // 1000
    count = min(int(request.query.get("count", "1000")), MOST_TRADES)
    found = [trade for trade in listing.recent if trade.ts_us > since_us]
    found = found[:count] if since_us else found[-count:]
    last_us = found[-1].ts_us if found else since_us
    return result({key: [_trade_row(listing, trade) for trade in found], "last": str(last_us * 1000)})


def _trade_row(listing: Listing, trade: Trade) -> list[Any]:
    t, side = listing.instrument, "b" if trade.taker_buys else "s"
    return [t.price_text(trade.price), t.amount_text(trade.amount), trade.ts_us / 1e6, side, "m", "", trade.id]


def _candles(listing: Listing, key: str, request: Request, now_us: int) -> Answer:
    minutes = int(request.query.get("interval", "1"))
    if minutes not in INTERVALS:
        return failed("EGeneral:Invalid arguments")
    since_us = int(request.query.get("since", "0")) * 10**6
    t, length = listing.instrument, minutes * 60_000_000
    found = [c for c in listing.candles.list_candles(length, now_us, MOST_CANDLES) if c.start_us > since_us]
    rows: list[Any] = []
    for c in found:
        prices = [t.price_text(price) for price in (c.open, c.high, c.low, c.close)]
        vwap = t.price_text(c.quote // c.volume if c.volume else c.close)
        rows.append([c.start_us // 10**6, *prices, vwap, t.amount_text(c.volume), c.trades])
    last = found[-2].start_us // 10**6 if len(found) > 1 else 0
    return result({key: rows, "last": last})
