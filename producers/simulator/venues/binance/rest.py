"""Binance Spot's public REST answers, `/api/v3`.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

from typing import Any

from producers.simulator.families.binance import rows as figs
from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.venue import Snapshots, level_texts


class BinanceRest:
    """Answers of `/api/v3/...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """Return one answer; ValueError means an unreadable parameter."""
        path = request.path.removeprefix("/api/v3/")
        if path in ("ping", "time"):
            return Answer(200, encode({"serverTime": now_us // 1000} if path == "time" else {}))
        if path == "exchangeInfo":
            return self._exchange_info(request, now_us)
        if path.startswith("ticker/"):
            return self._tickers(path, request, now_us)
        if path not in ("depth", "klines", "trades", "aggTrades"):
            return Answer(404, "<html><body><h2>404 Not found</h2></body></html>")
        if "symbol" not in request.query:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            return figs.rest_error(400, -1102, text)
        listing = self._listings.get(request.query["symbol"])
        if listing is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        return self._answer_one(listing, path, request, now_us)

    def _answer_one(self, listing: Listing, path: str, request: Request, now_us: int) -> Answer:
        if path == "klines":
            return figs.candle_rows(listing, request.query, now_us, 8)
        return self._depth(listing, request, now_us) if path == "depth" else _trades(listing, request, path)

    def _depth(self, listing: Listing, request: Request, now_us: int) -> Answer:
        limit = min(int(request.query.get("limit", "100")), 5000)
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(limit)
        bids, asks = level_texts(listing, depth.bids), level_texts(listing, depth.asks)
        return Answer(200, encode({"lastUpdateId": depth.update_id, "bids": bids, "asks": asks}))

    def _exchange_info(self, request: Request, now_us: int) -> Answer:
        found = figs.select(self._listings, request.query)
        if found is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
        body = {
            "timezone": "UTC",
            "serverTime": now_us // 1000,
            "rateLimits": [limit],
            "exchangeFilters": [],
            "symbols": [_symbol(item) for item in found],
        }
        return Answer(200, encode(body))

    def _tickers(self, path: str, request: Request, now_us: int) -> Answer:
        found = figs.select(self._listings, request.query)
        if found is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        is_mini = request.query.get("type") == "MINI"
        rows = [figs.ticker_row(item, path, now_us, is_mini=is_mini) for item in found]
        return Answer(200, encode(rows[0] if "symbol" in request.query else rows))


def _trades(listing: Listing, request: Request, path: str) -> Answer:
    t = listing.instrument
    limit = min(int(request.query.get("limit", "500")), 1000)
    if path == "aggTrades":
        return Answer(200, encode([_agg_row(listing, fills) for fills in figs.select_groups(listing, request.query)]))
    rows = [
        {
            "id": x.id,
            "price": t.price_text(x.price),
            "qty": t.amount_text(x.amount),
            "quoteQty": figs.quote(listing, x.price * x.amount, 8),
            "time": x.ts_us // 1000,
            "isBuyerMaker": not x.taker_buys,
            "isBestMatch": True,
        }
        for x in list(listing.recent)[-limit:]
    ]
    return Answer(200, encode(rows))


def _agg_row(listing: Listing, fills: list[Trade]) -> dict[str, Any]:
    t, first = listing.instrument, fills[0]
    return {
        "a": first.agg_id,
        "p": t.price_text(first.price),
        "q": t.amount_text(sum(x.amount for x in fills)),
        "f": first.id,
        "l": fills[-1].id,
        "T": first.ts_us // 1000,
        "m": not first.taker_buys,
        "M": True,
    }


def _symbol(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "symbol": t.symbol,
        "status": "TRADING",
        "baseAsset": t.base,
        "baseAssetPrecision": 8,
        "quoteAsset": t.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": t.tick, "maxPrice": "1000000.00000000", "tickSize": t.tick},
            {"filterType": "LOT_SIZE", "minQty": t.lot, "maxQty": "9000000.00000000", "stepSize": t.lot},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
    }
