"""Indodax's public REST answers; errors have no `success`, times are seconds but for the server's own.

https://github.com/btcid/indodax-official-api-docs/blob/master/Public-RestAPI.md
"""

from __future__ import annotations

from collections import deque
from typing import Any

from producers.simulator.hub import Answer, Request, encode, rows_text
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots

CALLS_A_MINUTE = 180
LEVELS = 150  # assumed: the page names no number
TRADES = 150
TIMEFRAMES = {"1": 1, "15": 15, "30": 30, "60": 60, "240": 240, "1D": 1440, "3D": 4320, "1W": 10_080}
MOST_CANDLES = 2000
INVALID_PAIR = Answer(200, encode({"error": "invalid_pair", "error_description": "Invalid Pair"}))
NOT_FOUND = Answer(404, "<html><body>Not Found</body></html>")
EXCESS = Answer(429, encode({"error": "too_many_requests", "error_description": "Too Many Requests"}))


class IndodaxRest:
    """Answers of `/api/...` and `/tradingview/history_v2`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots, *, enforce_limits: bool) -> None:
        self._listings = listings
        self._enforce_limits = enforce_limits
        self._snapshots = snapshots
        self._calls: deque[int] = deque(maxlen=CALLS_A_MINUTE)

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer; a pair left out is `btcidr`."""
        if self._enforce_limits and self._is_excess(now_us):
            return EXCESS
        if request.path == "/tradingview/history_v2":
            return self._candles(request, now_us)
        what, _, pair = request.path.removeprefix("/api/").partition("/")
        if what == "server_time":
            return Answer(200, encode({"timezone": "UTC", "server_time": now_us // 1000}))
        whole = {"pairs": self._pairs, "price_increments": self._increments}.get(what)
        if whole is not None:
            return Answer(200, encode(whole()))
        if what in ("ticker_all", "summaries"):
            return self._tickers(now_us, is_summary=what == "summaries")
        listing = self._listings.get(pair or "btcidr")
        if what not in ("ticker", "trades", "depth") or listing is None:
            return NOT_FOUND if listing is not None else INVALID_PAIR
        if what == "depth":
            return self._depth(listing, request, now_us)
        return Answer(200, encode({"ticker": _ticker(listing, now_us)})) if what == "ticker" else _trades(listing)

    def _is_excess(self, now_us: int) -> bool:
        if len(self._calls) == CALLS_A_MINUTE and self._calls[0] > now_us - 60_000_000:
            return True
        self._calls.append(now_us)
        return False

    def _pairs(self) -> list[dict[str, Any]]:
        """Every pair, with one under maintenance at the end; `base_currency` is the quote."""
        rows = [_pair(item.instrument.base, item.instrument.quote) for item in self._listings.values()]
        return [*rows, {**_pair("HALT", "IDR"), "is_maintenance": 1}]

    def _increments(self) -> dict[str, Any]:
        return {"increments": {_ticker_id(item): item.instrument.tick for item in self._listings.values()}}

    def _tickers(self, now_us: int, *, is_summary: bool) -> Answer:
        tickers = {_ticker_id(item): _ticker(item, now_us) for item in self._listings.values()}
        if not is_summary:
            return Answer(200, encode({"tickers": tickers}))
        before = {name: item.instrument.price_text(item.open_24h) for name, item in self._listings.items()}
        named = {name: {**row, "name": name.partition("_")[0].upper()} for name, row in tickers.items()}
        return Answer(200, encode({"tickers": named, "prices_24h": before, "prices_7d": before}))

    def _depth(self, listing: Listing, request: Request, now_us: int) -> Answer:
        t = listing.instrument
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(LEVELS)
        buy, sell = (
            rows_text(f'[{t.price_text(price)},"{t.amount_text(amount)}"]' for price, amount in side)
            for side in (depth.bids, depth.asks)
        )
        return Answer(200, f'{{"buy":{buy},"sell":{sell}}}')

    def _candles(self, request: Request, now_us: int) -> Answer:
        """Oldest first, opened from `from` to `to` (seconds)."""
        query = request.query
        listing = self._listings.get(query.get("symbol", "").lower())
        minutes = TIMEFRAMES.get(query.get("tf", ""))
        if listing is None or minutes is None:
            return INVALID_PAIR
        length = minutes * 60_000_000
        until = min(int(query.get("to", str(now_us // 10**6))) * 10**6, now_us)
        start = int(query.get("from", "0")) * 10**6
        count = min(MOST_CANDLES, max(0, (until - start) // length + 1))
        t = listing.instrument
        rows = [
            f'{{"Time":{c.start_us // 10**6},"Open":{t.price_text(c.open)},"High":{t.price_text(c.high)},'
            f'"Low":{t.price_text(c.low)},"Close":{t.price_text(c.close)},"Volume":"{t.amount_text(c.volume)}"}}'
            for c in listing.candles.list_candles(length, until, count)
            if c.start_us >= start
        ]
        return Answer(200, rows_text(rows))


def _ticker_id(listing: Listing) -> str:
    return f"{listing.instrument.base}_{listing.instrument.quote}".lower()


def _pair(base: str, quote: str) -> dict[str, Any]:
    return {
        "id": f"{base}{quote}".lower(),
        "symbol": f"{base}{quote}",
        "base_currency": quote.lower(),
        "traded_currency": base.lower(),
        "traded_currency_unit": base,
        "description": f"{base}/{quote}",
        "ticker_id": f"{base}_{quote}".lower(),
        "volume_precision": 0,
        "price_precision": 1000,
        "price_round": 8,
        "pricescale": 1000,
        "trade_min_base_currency": 10_000,
        "trade_min_traded_currency": 0.0001,
        "has_memo": False,
        "memo_name": False,
        "trade_fee_percent": 0.3,
        "is_maintenance": 0,
    }


def _ticker(listing: Listing, now_us: int) -> dict[str, Any]:
    """The names of the volumes are the coins' own."""
    t, book = listing.instrument, listing.book
    return {
        "high": t.price_text(listing.high_24h),
        "low": t.price_text(listing.low_24h),
        f"vol_{t.base.lower()}": listing.volume_text(),
        f"vol_{t.quote.lower()}": number_text(listing.quote_units, t.price_scale + t.amount_scale, 0),
        "last": t.price_text(listing.last.price),
        "buy": t.price_text(book.best_bid),
        "sell": t.price_text(book.best_ask),
        "server_time": now_us // 10**6,
    }


def _trades(listing: Listing) -> Answer:
    """Newest first; everything but the side is text."""
    t = listing.instrument
    rows = [
        {
            "date": str(x.ts_us // 10**6),
            "price": t.price_text(x.price),
            "amount": t.amount_text(x.amount),
            "tid": str(x.id),
            "type": "buy" if x.taker_buys else "sell",
        }
        for x in list(listing.recent)[-TRADES:][::-1]
    ]
    return Answer(200, encode(rows))
