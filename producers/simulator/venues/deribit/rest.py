"""Deribit's public REST methods: the same as on the socket, as paths; an error is HTTP 400 with a JSON-RPC body.

https://docs.deribit.com/articles/json-rpc-overview
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.deribit import rows as shapes

INVALID_PARAMS, NO_METHOD, TOO_MANY, MAINTENANCE = -32602, -32601, 10028, 11051
DEPTHS = (1, 5, 10, 20, 50, 100, 1000, 10000)
KINDS = ("future", "spot", "option", "future_combo", "option_combo")


class DeribitRest:
    """Answers of `/api/v2/public/...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer in the venue's envelope."""
        method = request.path.removeprefix("/api/v2/")
        query = request.query
        if method == "public/get_time":
            return result(now_us // 1000, now_us)
        if method == "public/test":
            return result({"version": "1.2.26"}, now_us)
        if method == "public/get_instruments":
            return self._instruments(query, now_us)
        methods: dict[str, Callable[[Listing, Request, int], Answer]] = {
            "public/get_order_book": self._book,
            "public/ticker": _ticker,
            "public/get_last_trades_by_instrument": _trades,
            "public/get_tradingview_chart_data": _chart,
        }
        if method not in methods:
            return failed(NO_METHOD, "Method not found", 404)
        listing = self._listings.get(query.get("instrument_name", ""))
        if listing is None:
            return failed(INVALID_PARAMS, "Invalid params", 400, "instrument_name")
        return methods[method](listing, request, now_us)

    def _instruments(self, query: dict[str, str], now_us: int) -> Answer:
        """`currency` is that of the settlement (spot: of the base), or `any`, which it is where it is left out.

        `expired` instruments there are none.
        """
        kind, currency = query.get("kind"), query.get("currency", "any")
        if kind is not None and kind not in KINDS:
            return failed(INVALID_PARAMS, "Invalid params", 400, "kind")
        if query.get("expired") == "true":
            return result([], now_us)
        rows = [_instrument(item) for item in self._listings.values()]
        fits = [
            row
            for row in rows
            if kind in (None, row["kind"]) and currency in ("any", row.get("settlement_currency", row["base_currency"]))
        ]
        return result(fits, now_us)

    def _book(self, listing: Listing, request: Request, now_us: int) -> Answer:
        depth = int(request.query.get("depth", "5"))
        if depth not in DEPTHS:
            return failed(INVALID_PARAMS, "Invalid params", 400, "depth")
        book = self._snapshots.find(listing, now_us, stale=request.stale).top(depth)
        row = {**shapes.ticker_row(listing, now_us), "timestamp": book.ts_us // 1000, "change_id": book.update_id}
        sides = {"bids": book.bids, "asks": book.asks}
        levels = "".join(f',"{name}":{shapes.levels_text(listing, rows)}' for name, rows in sides.items())
        head = f'{{"jsonrpc":"2.0","result":{encode(row)[:-1]}{levels}}}'
        return Answer(200, f'{head},"usIn":{now_us},"usOut":{now_us},"usDiff":0,"testnet":false}}')


def result(value: Any, now_us: int) -> Answer:
    """A successful answer."""
    times = {"usIn": now_us, "usOut": now_us, "usDiff": 0, "testnet": False}
    return Answer(200, encode({"jsonrpc": "2.0", "result": value, **times}))


def failed(code: int, message: str, status: int = 400, param: str | None = None) -> Answer:
    """An error."""
    data = None if param is None else {"param": param, "reason": "wrong or missing"}
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return Answer(status, encode({"jsonrpc": "2.0", "error": error, "testnet": False}))


def _ticker(listing: Listing, _request: Request, now_us: int) -> Answer:
    return result(shapes.ticker_row(listing, now_us), now_us)


def _trades(listing: Listing, request: Request, now_us: int) -> Answer:
    """`count` trades within `start_seq`, `end_seq`, `start_timestamp` and `end_timestamp` (ms), sorted asc or desc.

    The last ones, but the first ones where a start is given.
    """
    query = request.query
    count, is_ascending = min(int(query.get("count", "10")), 1000), query.get("sorting") == "asc"
    rows = [shapes.trade_row(listing, trade, trade.price) for trade in listing.recent]
    for name, field in (("seq", "trade_seq"), ("timestamp", "timestamp")):
        start, end = int(query.get(f"start_{name}", "0")), int(query.get(f"end_{name}", str(2**63)))
        rows = [row for row in rows if start <= row[field] <= end]
    from_start = is_ascending and ("start_seq" in query or "start_timestamp" in query)
    found = rows[:count] if from_start else rows[-count:]
    return result({"trades": found if is_ascending else found[::-1], "has_more": len(rows) > count}, now_us)


def _chart(listing: Listing, request: Request, now_us: int) -> Answer:
    """Columns of equal length: `ticks`, `open` and so on."""
    query = request.query
    length = shapes.RESOLUTIONS.get(query.get("resolution", ""))
    if length is None:
        return failed(INVALID_PARAMS, "Invalid params", 400, "resolution")
    begin, end = int(query["start_timestamp"]) * 1000, min(int(query["end_timestamp"]) * 1000, now_us)
    first = max(begin, end - 5000 * length)
    starts = range(first - first % length, end + 1, length)
    rows = [shapes.candle_row(listing, listing.candles.find(start, length)) for start in starts]
    columns = {name: [row[name] for row in rows] for name in ("open", "high", "low", "close", "volume", "cost")}
    return result({"status": "ok", "ticks": [row["tick"] for row in rows], **columns}, now_us)


def _instrument(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    row: dict[str, Any] = {
        "instrument_name": t.symbol,
        "kind": "spot" if t.market == "spot" else "future",
        "is_active": True,
        "state": "open",
        "base_currency": t.base,
        "quote_currency": t.quote,
        "counter_currency": t.quote,
        "tick_size": float(t.tick),
        "min_trade_amount": float(t.lot),
        "contract_size": float(t.lot),
        "creation_timestamp": 1_534_242_287_000,
        "expiration_timestamp": shapes.NEVER_MS,
    }
    if t.market == "spot":
        return row
    kind = "reversed" if t.inverse else "linear"
    settle = t.base if t.inverse else t.quote
    return row | {"settlement_currency": settle, "settlement_period": "perpetual", "instrument_type": kind}
