"""Coinbase Exchange's public REST answers.

https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from producers.simulator.hub import Answer, Request, encode, rows_text, time_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.coinbase.channels import maker_side, product_row

MOST_CANDLES = 300
GRANULARITIES = (60, 300, 900, 3600, 21_600, 86_400)
NOT_FOUND = Answer(404, '{"message":"NotFound"}')


class CoinbaseRest:
    """Answers of `/products...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer; unknown products and paths are 404 `NotFound`."""
        head, _, rest = request.path.strip("/").partition("/")
        product, _, what = rest.partition("/")
        if head == "time":
            return Answer(200, encode({"iso": time_text(now_us), "epoch": now_us / 1e6}))
        if head != "products":
            return NOT_FOUND
        if not product:
            return Answer(200, encode([product_row(item) for item in self._listings.values()]))
        listing = self._listings.get(product)
        if listing is None:
            return NOT_FOUND
        if not what:
            return Answer(200, encode(product_row(listing)))
        return self._product(listing, what, request, now_us)

    def _product(self, listing: Listing, what: str, request: Request, now_us: int) -> Answer:
        if what == "book":
            return self._book(listing, request, now_us)
        if what == "ticker":
            return _ticker(listing)
        if what == "trades":
            return _trades(listing, request)
        if what == "candles":
            return _candles(listing, request, now_us)
        return _stats(listing) if what == "stats" else NOT_FOUND

    def _book(self, listing: Listing, request: Request, now_us: int) -> Answer:
        level = request.query.get("level", "1")
        if level not in ("1", "2"):
            return Answer(400, '{"message":"Invalid level"}')
        depth = self._snapshots.find(listing, now_us, stale=request.stale)
        depth = depth.top(1) if level == "1" else depth
        bids, asks = _rows(listing, depth.bids), _rows(listing, depth.asks)
        head = f'"bids":{bids},"asks":{asks},"sequence":{depth.update_id},"auction_mode":false,"auction":null'
        return Answer(200, f'{{{head},"time":"{time_text(depth.ts_us)}"}}')


def _rows(listing: Listing, levels: list[tuple[int, int]]) -> str:
    t = listing.instrument
    return rows_text(f'["{t.price_text(p)}","{t.amount_text(a)}",{1 + a % 5}]' for p, a in levels)


def _ticker(listing: Listing) -> Answer:
    t, book, last = listing.instrument, listing.book, listing.last
    body = {
        "ask": t.price_text(book.best_ask),
        "bid": t.price_text(book.best_bid),
        "volume": listing.volume_text(),
        "trade_id": last.id,
        "price": t.price_text(last.price),
        "size": t.amount_text(last.amount),
        "time": time_text(last.ts_us),
    }
    return Answer(200, encode(body))


def _trades(listing: Listing, request: Request) -> Answer:
    """Newest first; `after` pages to older ids, `before` keeps newer ones."""
    t, query = listing.instrument, request.query
    limit = min(int(query.get("limit", "1000")), 1000)
    after, before = int(query.get("after", "0")), int(query.get("before", "0"))
    found = [x for x in reversed(listing.recent) if (not after or x.id < after) and x.id > before][:limit]
    rows: list[dict[str, Any]] = [
        {
            "trade_id": x.id,
            "side": maker_side(x),
            "size": t.amount_text(x.amount),
            "price": t.price_text(x.price),
            "time": time_text(x.ts_us),
        }
        for x in found
    ]
    cursors = (("cb-before", str(found[0].id)), ("cb-after", str(found[-1].id))) if found else ()
    return Answer(200, encode(rows), cursors)


def _candles(listing: Listing, request: Request, now_us: int) -> Answer:
    """[time in s, LOW, HIGH, open, close, volume] as number literals, newest first."""
    t, query = listing.instrument, request.query
    granularity = int(query.get("granularity", "60"))
    if granularity not in GRANULARITIES:
        return Answer(400, '{"message":"Unsupported granularity"}')
    length = granularity * 10**6
    until = min(_read_time(query.get("end"), now_us), now_us)
    start = _read_time(query.get("start"), until - 299 * length)
    count = (until - until % length - start) // length + 1
    if count > MOST_CANDLES:
        return Answer(
            400, '{"message":"granularity too small for the requested time range. Count of aggregations exceeds 300"}'
        )
    rows: list[str] = []
    for c in reversed(listing.candles.list_candles(length, until, max(0, count))):
        prices = ",".join(_literal(t.price_text(price)) for price in (c.low, c.high, c.open, c.close))
        rows.append(f"[{c.start_us // 10**6},{prices},{_literal(t.amount_text(c.volume))}]")
    return Answer(200, rows_text(rows))


def _stats(listing: Listing) -> Answer:
    t = listing.instrument
    body = {
        "open": t.price_text(listing.open_24h),
        "high": t.price_text(listing.high_24h),
        "low": t.price_text(listing.low_24h),
        "last": t.price_text(listing.last.price),
        "volume": listing.volume_text(),
        "volume_30day": t.amount_text(listing.volume_units * 29),
    }
    return Answer(200, encode(body))


def _literal(text: str) -> str:
    """A number literal without trailing zeros."""
    return f"{Decimal(text).normalize():f}"


def _read_time(text: str | None, otherwise: int) -> int:
    """Seconds or RFC 3339 to microseconds."""
    if not text:
        return otherwise
    if text.isdigit():
        return int(text) * 10**6
    return round(datetime.fromisoformat(text).timestamp() * 1e6)
