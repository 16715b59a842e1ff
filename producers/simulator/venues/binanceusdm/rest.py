"""Binance USD-M's REST rows, and the mark price that its streams share.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from producers.simulator.families.binance import rows as figs
from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots, level_texts

FUNDING_US = 8 * 3600 * 10**6
DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)


def mark_prices(listing: Listing) -> tuple[str, str]:
    """Mark and index price with 8 decimals."""
    scale = listing.instrument.price_scale
    mark = round(listing.mark_price() * 10 ** (8 - scale))
    return number_text(mark, 8, 8), number_text(mark * 10_002 // 10_000, 8, 8)


def list_trades(listing: Listing, request: Request) -> Answer:
    """The answer to `trades`."""
    t = listing.instrument
    limit = min(int(request.query.get("limit", "500")), 1000)
    rows = [
        {
            "id": x.id,
            "price": t.price_text(x.price),
            "qty": t.amount_text(x.amount),
            "quoteQty": figs.quote(listing, x.price * x.amount, 2),
            "time": x.ts_us // 1000,
            "isBuyerMaker": not x.taker_buys,
        }
        for x in list(listing.recent)[-limit:]
    ]
    return Answer(200, encode(rows))


def list_agg_trades(listing: Listing, request: Request) -> Answer:
    """The answer to `aggTrades`: fills of one aggressor at one price are one row."""
    t = listing.instrument
    rows = [
        {
            "a": fills[0].agg_id,
            "p": t.price_text(fills[0].price),
            "q": t.amount_text(sum(x.amount for x in fills)),
            "nq": t.amount_text(sum(x.amount for x in fills)),
            "f": fills[0].id,
            "l": fills[-1].id,
            "T": fills[0].ts_us // 1000,
            "m": not fills[0].taker_buys,
        }
        for fills in figs.select_groups(listing, request.query)
    ]
    return Answer(200, encode(rows))


def _premium_row(listing: Listing, now_us: int) -> dict[str, Any]:
    mark, index = mark_prices(listing)
    due = now_us - now_us % FUNDING_US + FUNDING_US
    row = {"symbol": listing.instrument.symbol, "markPrice": mark, "indexPrice": index, "estimatedSettlePrice": index}
    rate = {"lastFundingRate": f"{listing.funding_rate:.8f}", "interestRate": "0.00010000"}
    return {**row, **rate, "nextFundingTime": due // 1000, "time": now_us // 1000}


def _timed(path: str) -> Callable[[Listing, int], dict[str, Any]]:
    return lambda listing, now_us: {**figs.ticker_row(listing, path, now_us), "time": now_us // 1000}


ROWS: dict[str, Callable[[Listing, int], dict[str, Any]]] = {
    "premiumIndex": _premium_row,
    "ticker/24hr": lambda listing, now_us: figs.ticker_row(listing, "ticker/24hr", now_us),
    "ticker/price": _timed("ticker/price"),
    "ticker/bookTicker": _timed("ticker/bookTicker"),
}


def exchange_info(listings: list[Listing], now_us: int) -> Answer:
    """The answer to `exchangeInfo`."""
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}
    body = {
        "timezone": "UTC",
        "serverTime": now_us // 1000,
        "futuresType": "U_MARGINED",
        "rateLimits": [limit],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(item) for item in listings],
    }
    return Answer(200, encode(body))


def _symbol(listing: Listing) -> dict[str, Any]:
    t = listing.instrument
    return {
        "symbol": t.symbol,
        "pair": t.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "baseAsset": t.base,
        "quoteAsset": t.quote,
        "marginAsset": t.quote,
        "pricePrecision": t.price_decimals,
        "quantityPrecision": t.amount_scale,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": t.tick, "maxPrice": "1000000", "tickSize": t.tick},
            {"filterType": "LOT_SIZE", "minQty": t.lot, "maxQty": "1000000", "stepSize": t.lot},
            {"filterType": "MARKET_LOT_SIZE", "minQty": t.lot, "maxQty": "120000", "stepSize": t.lot},
            {"filterType": "MIN_NOTIONAL", "notional": "50"},
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "TAKE_PROFIT"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


class BinanceUsdmRest:
    """Answers of `/fapi/v1/...` and `/fapi/v2/...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """Return one answer; ValueError means an unreadable parameter."""
        path = re.sub(r"^/fapi/v[12]/", "", request.path)
        if path in ("ping", "time"):
            return Answer(200, encode({"serverTime": now_us // 1000} if path == "time" else {}))
        listing = self._listings.get(request.query.get("symbol", ""))
        if "symbol" in request.query and listing is None:
            return figs.rest_error(400, -1121, "Invalid symbol.")
        found = [listing] if listing else list(self._listings.values())
        if path == "exchangeInfo":
            return exchange_info(list(self._listings.values()), now_us)
        if path in ROWS:
            rows = [ROWS[path](item, now_us) for item in found]
            return Answer(200, encode(rows[0] if listing else rows))
        if path not in ("depth", "klines", "trades", "aggTrades", "openInterest"):
            return Answer(404, "<html><body><h2>404 Not found</h2></body></html>")
        if listing is None:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            return figs.rest_error(400, -1102, text)
        return self._answer_one(listing, path, request, now_us)

    def _answer_one(self, listing: Listing, path: str, request: Request, now_us: int) -> Answer:
        if path == "openInterest":
            amount = listing.instrument.amount_text(listing.open_interest)
            body = {"openInterest": amount, "symbol": listing.instrument.symbol, "time": now_us // 1000}
            return Answer(200, encode(body))
        if path == "klines":
            return figs.candle_rows(listing, request.query, now_us, 5)
        if path == "depth":
            return self._depth(listing, request, now_us)
        return list_trades(listing, request) if path == "trades" else list_agg_trades(listing, request)

    def _depth(self, listing: Listing, request: Request, now_us: int) -> Answer:
        limit = int(request.query.get("limit", "500"))
        if limit not in DEPTH_LIMITS:
            return figs.rest_error(400, -4021, f"{limit} is not valid depth limit.")
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(limit)
        body = {
            "lastUpdateId": depth.update_id,
            "E": now_us // 1000,
            "T": depth.ts_us // 1000,
            "bids": level_texts(listing, depth.bids),
            "asks": level_texts(listing, depth.asks),
        }
        return Answer(200, encode(body))
