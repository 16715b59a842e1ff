"""Kraken Futures' public REST answers: `{"result":"success",…,"serverTime":"…"}`.

https://docs.kraken.com/exchange/api-reference/futures-rest
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from producers.simulator.hub import Answer, Request, encode, rows_text, time_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.krakenfutures.channels import figures, forced_orders, number, uid

MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "12h": 720, "1d": 1440, "1w": 10_080}
MOST_TRADES, MOST_CANDLES = 100, 2000
PREFIX, CHARTS = "/derivatives/api/v3/", "/api/charts/v1/"


class KrakenFuturesRest:
    """Answers of `/derivatives/api/v3/...` and of the charts."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer; unknown products and paths are errors in the venue's envelope."""
        if request.path.startswith(CHARTS):
            return self._charts(request, now_us)
        what, _, name = request.path.removeprefix(PREFIX).partition("/")
        if what == "instruments":
            return success({"instruments": [_listed(item) for item in self._listings.values()]}, now_us)
        if what == "tickers" and not name:
            return success({"tickers": [_ticker(item, now_us) for item in self._listings.values()]}, now_us)
        if what not in ("tickers", "orderbook", "history"):
            return failed("notFound", now_us, 404)
        symbol = name or request.query.get("symbol", "")
        if not symbol:
            return failed("requiredArgumentMissing", now_us)
        listing = self._listings.get(symbol.upper())
        if listing is None:
            return failed("contractNotFound", now_us)
        if what == "tickers":
            return success({"ticker": _ticker(listing, now_us)}, now_us)
        return self._book(listing, request, now_us) if what == "orderbook" else _history(listing, request, now_us)

    def _book(self, listing: Listing, request: Request, now_us: int) -> Answer:
        depth = self._snapshots.find(listing, now_us, stale=request.stale)
        t = listing.instrument
        bids, asks = (
            rows_text(f"[{t.price_text(price)},{t.amount_text(amount)}]" for price, amount in levels)
            for levels in (depth.bids, depth.asks)
        )
        body = f'"orderBook":{{"bids":{bids},"asks":{asks}}},"serverTime":"{time_text(now_us)}"'
        return Answer(200, f'{{"result":"success",{body}}}')

    def _charts(self, request: Request, now_us: int) -> Answer:
        """Candles with times in ms and prices as texts, oldest first."""
        kind, _, rest = request.path.removeprefix(CHARTS).partition("/")
        symbol, _, resolution = rest.partition("/")
        listing = self._listings.get(symbol.upper())
        if kind not in ("trade", "mark", "spot") or listing is None or resolution not in MINUTES:
            return failed("notFound", now_us, 404)
        t, length = listing.instrument, MINUTES[resolution] * 60_000_000
        until = min(int(request.query.get("to", str(now_us // 10**6))) * 10**6, now_us)
        since = int(request.query.get("from", str((until - 300 * length) // 10**6))) * 10**6
        count = min(MOST_CANDLES, max(1, (until - until % length - since) // length + 1))
        count = min(count, int(request.query.get("count", str(MOST_CANDLES))))
        rows: list[dict[str, Any]] = []
        for c in listing.candles.list_candles(length, until, count):
            prices = {"open": c.open, "high": c.high, "low": c.low, "close": c.close}
            texts = {name: t.price_text(price) for name, price in prices.items()}
            rows.append({"time": c.start_us // 1000, **texts, "volume": t.amount_text(c.volume)})
        return Answer(200, encode({"candles": rows, "more_candles": False}))


def success(row: dict[str, Any], now_us: int) -> Answer:
    """An answer with data."""
    return Answer(200, encode({"result": "success", **row, "serverTime": time_text(now_us)}))


def failed(error: str, now_us: int, status: int = 200) -> Answer:
    """An answer without data."""
    return Answer(status, encode({"result": "error", "error": error, "serverTime": time_text(now_us)}))


def _listed(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "symbol": t.symbol,
        "type": "flexible_futures",
        "tickSize": number(t.tick),
        "contractSize": 1,
        "tradeable": True,
        "contractValueTradePrecision": t.amount_decimals,
        "base": t.base,
        "quote": t.quote,
        "pair": f"{t.symbol.partition('_')[2].removesuffix(t.quote)}:{t.quote}",
        "tag": "perpetual",
        "postOnly": False,
        "fundingRateCoefficient": 8,
        "maxRelativeFundingRate": 0.001,
    }


def _ticker(listing: Listing, now_us: int) -> dict[str, Any]:
    row = figures(listing, now_us)
    renamed = {
        "bidSize": "bid_size",
        "askSize": "ask_size",
        "vol24h": "volume",
        "open24h": "open",
        "high24h": "high",
        "low24h": "low",
        "change24h": "change",
        "fundingRate": "funding_rate",
        "fundingRatePrediction": "funding_rate_prediction",
        "indexPrice": "index",
    }
    same = ("tag", "pair", "bid", "ask", "last", "markPrice", "openInterest", "suspended", "volumeQuote")
    figured = {ours: row[theirs] for ours, theirs in renamed.items()}
    return {"symbol": listing.instrument.symbol, **{name: row[name] for name in same}, **figured}


def _history(listing: Listing, request: Request, now_us: int) -> Answer:
    """The last trades, newest first; with `lastTime` (RFC 3339) those before it."""
    t, forced = listing.instrument, forced_orders(listing)
    before = request.query.get("lastTime")
    until_us = round(datetime.fromisoformat(before).timestamp() * 1e6) if before else now_us + 1
    fits = [trade for trade in listing.recent if trade.ts_us < until_us]
    rows: list[dict[str, Any]] = [
        {
            "time": time_text(trade.ts_us),
            "trade_id": number_of,
            "price": number(t.price_text(trade.price)),
            "size": number(t.amount_text(trade.amount)),
            "side": "buy" if trade.taker_buys else "sell",
            "type": "liquidation" if trade.order in forced else "fill",
            "uid": uid(trade),
        }
        for number_of, trade in enumerate(reversed(fits[-MOST_TRADES:]), 1)
    ]
    return success({"history": rows}, now_us)
