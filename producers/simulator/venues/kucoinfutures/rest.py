"""KuCoin futures' public REST answers; `code` 200000 is success, prices of books and candles are JSON numbers.

https://www.kucoin.com/docs-new/rest/futures-trading/market-data/introduction
"""

from __future__ import annotations

from typing import Any

from producers.simulator.families.kucoin.classic import refusal, success
from producers.simulator.hub import Answer, Request
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.kucoinfutures.channels import base_text, full_ticker_data, mark_texts, quote_text
from producers.simulator.windows import Levels

FUNDING_US = 8 * 3600 * 10**6
DEPTHS = {"level2/snapshot": None, "level2/depth20": 20, "level2/depth100": 100}
MINUTES = (1, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 10080)
MOST_CANDLES = 500
KEPT_TRADES = 100
ONE = (*DEPTHS, "trade/history", "kline/query", "ticker")


class KucoinFuturesRest:
    """Answers of `/api/v1/...`, but for the tokens."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer in the venue's envelope."""
        path = request.path.removeprefix("/api/v1/")
        if path == "timestamp":
            return success(now_us // 1000)
        if path == "contracts/active":
            return success([_contract(item, now_us) for item in self._listings.values()])
        if path == "allTickers":
            return _raw("[" + ",".join(full_ticker_data(item) for item in self._listings.values()) + "]")
        parts = path.split("/")
        symbol = parts[1] if parts[0] in ("contracts", "mark-price", "funding-rate") and len(parts) > 1 else None
        if symbol is None and path not in ONE:
            return refusal(404, "404", "Not Found")
        symbol = symbol or request.query.get("symbol") or request.query.get("contract")
        if not symbol:
            return refusal(400, "400100", "Parameter symbol can not be empty")
        listing = self._listings.get(symbol)
        if listing is None:
            return refusal(200, "900001", "symbol not exists")
        return self._answer_one(listing, path if path in ONE else parts[0], request, now_us)

    def _answer_one(self, listing: Listing, path: str, request: Request, now_us: int) -> Answer:
        if path in DEPTHS:
            return self._depth(listing, DEPTHS[path], request, now_us)
        if path == "trade/history":
            count = min(KEPT_TRADES, len(listing.recent))
            return success([_trade(listing, index) for index in range(-1, -count - 1, -1)])
        if path == "kline/query":
            return _candles(listing, request.query, now_us)
        if path == "ticker":
            return _raw(full_ticker_data(listing))
        if path == "contracts":
            return success(_contract(listing, now_us))
        row = {"symbol": listing.instrument.symbol, "timePoint": now_us // 1000}
        if path == "mark-price":
            mark, index = (float(text) for text in mark_texts(listing))
            return success({**row, "granularity": 1000, "value": mark, "indexPrice": index})
        return success({**row, "granularity": 28_800_000, "value": listing.funding_rate})

    def _depth(self, listing: Listing, limit: int | None, request: Request, now_us: int) -> Answer:
        depth = self._snapshots.find(listing, now_us, stale=request.stale)
        bids, asks = _rows(listing, depth.bids[:limit]), _rows(listing, depth.asks[:limit])
        return _raw(
            f'{{"symbol":"{listing.instrument.symbol}","sequence":{depth.update_id},"bids":{bids},"asks":{asks},'
            f'"ts":{depth.ts_us * 1000}}}'
        )


def _raw(data: str) -> Answer:
    return Answer(200, f'{{"code":"200000","data":{data}}}')


def _rows(listing: Listing, levels: Levels) -> str:
    t = listing.instrument
    return "[" + ",".join(f"[{t.price_text(p)},{a}]" for p, a in levels) + "]"


def _candles(listing: Listing, query: dict[str, str], now_us: int) -> Answer:
    """`[start in ms, open, high, low, close, contracts]`, oldest first; `from` and `to` in ms."""
    minutes = int(query.get("granularity", "0"))
    if minutes not in MINUTES:
        return refusal(400, "400100", "granularity is invalid")
    t, length = listing.instrument, minutes * 60 * 10**6
    until = min(int(query.get("to", "0")) * 1000 or now_us, now_us)
    since = int(query.get("from", "0")) * 1000 or until - 200 * length
    limit = max(0, min(MOST_CANDLES, (until - since) // length + 1))
    rows = [
        f"[{c.start_us // 1000},"
        + ",".join(t.price_text(price) for price in (c.open, c.high, c.low, c.close))
        + f",{c.volume}]"
        for c in listing.candles.list_candles(length, until, limit)
        if c.start_us >= since
    ]
    return _raw("[" + ",".join(rows) + "]")


def _trade(listing: Listing, index: int) -> dict[str, Any]:
    t, x = listing.instrument, listing.recent[index]
    return {
        "sequence": x.id,
        "tradeId": str(x.id),
        "takerOrderId": str(x.order),
        "makerOrderId": str(x.id),
        "price": t.price_text(x.price),
        "size": x.amount,
        "side": "buy" if x.taker_buys else "sell",
        "ts": x.ts_us * 1000,
    }


def _contract(listing: Listing, now_us: int) -> dict[str, Any]:
    t = listing.instrument
    mark, index = (float(text) for text in mark_texts(listing))
    base = t.symbol.removesuffix(f"{t.quote}M")
    return {
        "symbol": t.symbol,
        "rootSymbol": t.quote,
        "type": "FFWCSX",
        "firstOpenDate": 1585555200000,
        "expireDate": None,
        "settleDate": None,
        "baseCurrency": base,
        "quoteCurrency": t.quote,
        "settleCurrency": t.quote,
        "maxOrderQty": 1_000_000,
        "lotSize": 1,
        "tickSize": float(t.tick),
        "multiplier": float(t.contract),
        "isDeleverage": True,
        "isQuanto": True,
        "isInverse": False,
        "markMethod": "FairPrice",
        "status": "Open",
        "fundingFeeRate": listing.funding_rate,
        "fundingRateGranularity": 28_800_000,
        "openInterest": str(listing.open_interest),
        "turnoverOf24h": float(quote_text(listing, listing.quote_units)),
        "volumeOf24h": float(base_text(listing, listing.volume_units)),
        "markPrice": mark,
        "indexPrice": index,
        "highPrice": float(t.price_text(listing.high_24h)),
        "lowPrice": float(t.price_text(listing.low_24h)),
        "priceChg": float(t.price_text(listing.last.price - listing.open_24h)),
        "priceChgPct": round((listing.last.price - listing.open_24h) / listing.open_24h, 4),
        "lastTradePrice": float(number_text(listing.last.price, t.price_scale, -1)),
        "nextFundingRateTime": (FUNDING_US - now_us % FUNDING_US) // 1000,
        "maxLeverage": 125,
    }
