"""Hyperliquid's `POST /info`: what it answers to each type of question.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.hyperliquid.channels import (
    BACKLOG,
    book_text,
    candle_row,
    figures,
    interval_us,
    mids,
    round_levels,
    trade_row,
)

MOST_CANDLES = 5000
UNKNOWN = Answer(500, "null")  # the answer for a coin that is not listed: unconfirmed
UNREADABLE = Answer(422, "Failed to deserialize the JSON body into the target type")


class HyperliquidRest:
    """Answers of `/info`; the body's fields come as the request's query."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer."""
        if request.path != "/info":
            return Answer(404, "Not Found")
        kind = request.query.get("type")
        if kind in ("meta", "metaAndAssetCtxs"):
            return self._perpetuals(with_figures=kind != "meta")
        if kind in ("spotMeta", "spotMetaAndAssetCtxs"):
            return self._pairs(with_figures=kind != "spotMeta")
        if kind == "perpDexs":
            return Answer(200, "[null]")
        if kind == "allMids":
            return Answer(200, encode(mids(self._all())))
        listing = self._listings.get(request.query.get("coin", ""))
        if kind not in ("l2Book", "recentTrades", "candleSnapshot") or listing is None:
            return UNKNOWN if "coin" in request.query else UNREADABLE
        return self._of_coin(listing, request, now_us)

    def _of_coin(self, listing: Listing, request: Request, now_us: int) -> Answer:
        kind = request.query["type"]
        if kind == "l2Book":
            depth = self._snapshots.find(listing, now_us, stale=request.stale)
            digits, mantissa = (int(request.query.get(name) or "0") for name in ("nSigFigs", "mantissa"))
            if digits not in (0, 2, 3, 4, 5) or mantissa not in (0, 1, 2, 5):
                return UNREADABLE
            sides = depth.bids, depth.asks
            if digits:
                sides = (
                    round_levels(depth.bids, digits, mantissa or 1),
                    round_levels(depth.asks, digits, -(mantissa or 1)),
                )
            return Answer(200, book_text(listing, sides, depth.ts_us // 1000))
        if kind == "recentTrades":
            newest = list(listing.recent)[-BACKLOG:][::-1]
            return Answer(200, encode([trade_row(listing, trade) for trade in newest]))
        return _candles(listing, request, now_us)

    def _all(self) -> list[Listing]:
        return list(self._listings.values())

    def _perpetuals(self, *, with_figures: bool) -> Answer:
        found = [item for item in self._all() if item.instrument.market == "linear"]
        universe: list[dict[str, Any]] = [
            {"name": item.instrument.symbol, "szDecimals": item.instrument.amount_scale, "maxLeverage": 40}
            for item in found
        ]
        gone = {"name": "GONE", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True}
        meta = {"universe": [*universe, gone], "marginTables": [], "collateralToken": 0}
        return Answer(200, encode([meta, [figures(item) for item in found]] if with_figures else meta))

    def _pairs(self, *, with_figures: bool) -> Answer:
        """Spot pairs have numbers for names; their bases are wrapped coins: `UBTC`."""
        tokens: list[dict[str, Any]] = [_token("USDC", 0, 8)]
        universe: list[dict[str, Any]] = []
        for item in self._all():
            t = item.instrument
            if t.market == "spot":
                tokens.append(_token(f"U{t.base}", len(tokens), t.amount_scale))
                number = int(t.symbol.removeprefix("@"))
                universe.append({"tokens": [len(tokens) - 1, 0], "name": t.symbol, "index": number})
        meta = {"universe": universe, "tokens": tokens}
        if not with_figures:
            return Answer(200, encode(meta))
        return Answer(200, encode([meta, self._pair_figures(universe)]))

    def _pair_figures(self, universe: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A context for each number up to the greatest, as a pair's is found by its `index`; others are empty."""
        found = [_empty_figures(number) for number in range(1 + max((pair["index"] for pair in universe), default=-1))]
        for pair in universe:
            found[pair["index"]] = figures(self._listings[pair["name"]])
        return found


def _empty_figures(number: int) -> dict[str, Any]:
    zeros = dict.fromkeys(("prevDayPx", "dayNtlVlm", "markPx", "circulatingSupply", "dayBaseVlm"), "0.0")
    return {**zeros, "midPx": None, "coin": f"@{number}"}


def _token(name: str, index: int, decimals: int) -> dict[str, Any]:
    return {"name": name, "szDecimals": decimals, "weiDecimals": 8, "index": index, "tokenId": f"0x{index:032x}"}


def _candles(listing: Listing, request: Request, now_us: int) -> Answer:
    """Candles from `startTime` to `endTime` (ms), oldest first."""
    interval = request.query.get("interval", "")
    length = interval_us(interval)
    if length is None:
        return UNREADABLE
    start = int(request.query.get("startTime", "0")) * 1000
    end = min(int(request.query.get("endTime", str(now_us // 1000))) * 1000, now_us)
    first = max(start - start % length, end - MOST_CANDLES * length)
    count = (end - first) // length
    rows = [candle_row(listing, interval, end - end % length - i * length, length) for i in range(count, -1, -1)]
    return Answer(200, encode([row for row in rows if row["t"] * 1000 >= start][-MOST_CANDLES:]))
