"""Coinbase Advanced Trade's public REST answers, `/api/v3/brokerage/...`.

https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/list-public-products
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Answer, Request, encode, time_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots, level_texts
from producers.simulator.venues.coinbase.advanced.channels import trade_row

PREFIX = "/api/v3/brokerage/"
MOST_TRADES, MOST_CANDLES = 1000, 350
GRANULARITIES = {
    "ONE_MINUTE": 60, "FIVE_MINUTE": 300, "FIFTEEN_MINUTE": 900, "THIRTY_MINUTE": 1800, "ONE_HOUR": 3600,
    "TWO_HOUR": 7200, "SIX_HOUR": 21_600, "ONE_DAY": 86_400,
}  # fmt: skip


class AdvancedRest:
    """Answers of `/api/v3/brokerage/time` and `/api/v3/brokerage/market/...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots, *, side_is_taker: bool) -> None:
        self._listings = listings
        self._snapshots = snapshots
        self._side_is_taker = side_is_taker

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer; unknown products and paths are 404 `NOT_FOUND`."""
        path, query = request.path.removeprefix(PREFIX), request.query
        if path == "time":
            seconds, millis = str(now_us // 1_000_000), str(now_us // 1000)
            return Answer(200, encode({"iso": time_text(now_us), "epochSeconds": seconds, "epochMillis": millis}))
        if path == "market/products":
            return self._products(query)
        kind, _, rest = path.removeprefix("market/").partition("/")
        product, _, what = rest.partition("/")
        listing = self._listings.get(query.get("product_id", "") if kind == "product_book" else product)
        if listing is None or not path.startswith("market/"):
            return failed(404, "NOT_FOUND", "valid product_id is required")
        if kind == "product_book":
            return self._book(listing, request, now_us)
        if kind != "products" or what not in ("", "ticker", "candles"):
            return failed(404, "NOT_FOUND", "no such path")
        if not what:
            return Answer(200, encode(_product(listing)))
        return self._ticker(listing, query) if what == "ticker" else _candles(listing, query, now_us)

    def _products(self, query: dict[str, str]) -> Answer:
        """All products, or those of `product_type` and `product_ids`, `limit` of them from `offset` on."""
        wanted = query["product_ids"].split(",") if "product_ids" in query else list(self._listings)
        kind = query.get("product_type", "SPOT")
        fits = [self._listings[name] for name in wanted if name in self._listings and kind == "SPOT"]
        offset = int(query.get("offset", "0"))
        found = fits[offset : offset + int(query.get("limit", str(len(fits) or 1)))]
        return Answer(200, encode({"products": [_product(item) for item in found], "num_products": len(found)}))

    def _ticker(self, listing: Listing, query: dict[str, str]) -> Answer:
        """The last trades between `start` and `end` (s), newest first, and the best prices."""
        t, book = listing.instrument, listing.book
        start, end = int(query.get("start", "0")), int(query.get("end", "0"))
        fits = [x for x in listing.recent if x.ts_us >= start * 10**6 and (not end or x.ts_us < end * 10**6)]
        limit = min(int(query.get("limit", "100")), MOST_TRADES)
        trades = [trade_row(listing, x, side_is_taker=self._side_is_taker) for x in reversed(fits[-limit:])]
        rows = [{**row, "bid": "", "ask": "", "exchange": "CBE"} for row in trades]
        best = {"best_bid": t.price_text(book.best_bid), "best_ask": t.price_text(book.best_ask)}
        return Answer(200, encode({"trades": rows, **best}))

    def _book(self, listing: Listing, request: Request, now_us: int) -> Answer:
        depth = self._snapshots.find(listing, now_us, stale=request.stale)
        if "limit" in request.query:
            depth = depth.top(int(request.query["limit"]))
        sides = {
            side: [{"price": price, "size": size} for price, size in level_texts(listing, levels)]
            for side, levels in (("bids", depth.bids), ("asks", depth.asks))
        }
        book = {"product_id": listing.instrument.symbol, **sides, "time": time_text(depth.ts_us)}
        return Answer(200, encode({"pricebook": book}))


def failed(status: int, error: str, text: str) -> Answer:
    """An error."""
    return Answer(status, encode({"error": error, "error_details": text, "message": text}))


def _product(listing: Listing) -> dict[str, Any]:
    t, book = listing.instrument, listing.book
    change = (listing.last.price - listing.open_24h) / listing.open_24h * 100
    return {
        "product_id": t.symbol,
        "price": t.price_text(listing.last.price),
        "price_percentage_change_24h": f"{change:.14f}",
        "volume_24h": listing.volume_text(),
        "base_increment": t.lot,
        "quote_increment": t.tick,
        "quote_min_size": "1",
        "quote_max_size": "150000000",
        "base_min_size": t.lot,
        "base_max_size": "3400",
        "base_name": t.base,
        "quote_name": "US Dollar",
        "is_disabled": False,
        "new": False,
        "status": "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": False,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": t.quote,
        "base_currency_id": t.base,
        "mid_market_price": t.price_text((book.best_bid + book.best_ask) // 2),
        "alias": "",
        "alias_to": [],
        "base_display_symbol": t.base,
        "quote_display_symbol": t.quote,
        "view_only": False,
        "price_increment": t.tick,
        "display_name": t.symbol,
        "product_venue": "CBE",
    }


def _candles(listing: Listing, query: dict[str, str], now_us: int) -> Answer:
    """Newest first, from `start` to `end` (s)."""
    seconds = GRANULARITIES.get(query.get("granularity", ""))
    if seconds is None:
        return failed(400, "INVALID_ARGUMENT", "unknown granularity")
    t, length = listing.instrument, seconds * 10**6
    until = min(int(query.get("end", str(now_us // 10**6))) * 10**6, now_us)
    limit = min(int(query.get("limit", str(MOST_CANDLES))), MOST_CANDLES)
    start = int(query.get("start", "0")) * 10**6
    found = [c for c in reversed(listing.candles.list_candles(length, until, limit)) if c.start_us >= start]
    rows = [
        {
            "start": str(c.start_us // 10**6),
            **{name: t.price_text(getattr(c, name)) for name in ("low", "high", "open", "close")},
            "volume": t.amount_text(c.volume),
        }
        for c in found
    ]
    return Answer(200, encode({"candles": rows}))
