"""OKX's public REST answers; `code` is a text and errors are mostly HTTP 200.

https://www.okx.com/docs-v5/en/#public-data-rest-api
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.okx import rows as shapes
from producers.simulator.venues.okx.channels import Sequences

FIGURES = {
    "public/funding-rate": shapes.funding_row,
    "public/open-interest": shapes.interest_row,
    "public/mark-price": shapes.mark_row,
    "market/ticker": shapes.ticker_row,
    "market/tickers": shapes.ticker_row,
}
ONE = (
    "market/books",
    "market/trades",
    "market/history-trades",
    "market/candles",
    "market/history-candles",
    "market/ticker",
    "public/funding-rate",
)
KEPT_CANDLES = 1440  # how far back `candles` goes; `history-candles` has the older ones


class OkxRest:
    """Answers of `/api/v5/...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots, sequences: Sequences) -> None:
        self._listings = listings
        self._snapshots = snapshots
        self._sequences = sequences

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer in the venue's envelope."""
        path, query = request.path.removeprefix("/api/v5/"), request.query
        if path == "public/time":
            return envelope([{"ts": str(now_us // 1000)}])
        if path not in (*ONE, *FIGURES, "public/instruments"):
            return Answer(404, encode({"code": "404", "msg": "Not Found", "data": []}))
        found = self._find(path, query)
        if isinstance(found, Answer):
            return found
        if path == "public/instruments":
            return envelope([_instrument(item) for item in found])
        if path in FIGURES:
            return envelope([FIGURES[path](item, now_us) for item in found])
        if path == "market/books":
            return self._books(found[0], request, now_us)
        if path in ("market/trades", "market/history-trades"):
            return self._trades(found[0], request)
        return _candles(found[0], request, now_us)

    def _find(self, path: str, query: dict[str, str]) -> list[Listing] | Answer:
        """The instruments that a request means, or the refusal."""
        inst_id, inst_type = query.get("instId"), query.get("instType")
        if inst_id is None and path in ONE:
            return refusal("50014", "Parameter instId can not be empty.")
        if inst_id is None and inst_type not in ("SPOT", "SWAP", "FUTURES", "OPTION"):  # the last two are listed empty
            return refusal("51000", "Parameter instType error")
        found = list(self._listings.values())
        if inst_type is not None:
            found = [item for item in found if _type(item) == inst_type]
        for name in ("instFamily", "uly"):
            if name in query:
                found = [item for item in found if _family(item) == query[name]]
        if inst_id is not None:
            found = [item for item in found if item.instrument.symbol == inst_id]
            if not found:
                return refusal("51001", f"Instrument ID, Instrument ID code, or Spread ID doesn't exist: {inst_id}")
        return found

    def _books(self, listing: Listing, request: Request, now_us: int) -> Answer:
        size = min(int(request.query.get("sz", "1")), 400)
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(size)
        seq = self._sequences.show(listing, depth.update_id)
        bids, asks = shapes.rows_text(listing, depth.bids), shapes.rows_text(listing, depth.asks)
        row = f'{{"asks":{asks},"bids":{bids},"ts":"{depth.ts_us // 1000}","seqId":{seq}}}'
        return Answer(200, f'{{"code":"0","msg":"","data":[{row}]}}')

    def _trades(self, listing: Listing, request: Request) -> Answer:
        """The newest; of `history-trades` those older (`after`) or newer (`before`) than a trade, or older than ms."""
        query, is_history = request.query, request.path.endswith("history-trades")
        limit = min(int(query.get("limit", "100")), 100 if is_history else 500)
        groups = [list(fills) for _, fills in groupby(listing.recent, key=lambda x: x.agg_id)]
        rows = [shapes.trade_row(listing, fills, self._sequences.show(listing, fills[0].order)) for fills in groups]
        if is_history:
            by = "ts" if query.get("type") == "2" else "tradeId"
            if "after" in query:
                rows = [row for row in rows if int(row[by]) < int(query["after"])]
            if "before" in query:
                rows = [row for row in rows if int(row["tradeId"]) > int(query["before"])]
        return envelope(list(reversed(rows[-limit:])))


def envelope(rows: list[Any]) -> Answer:
    """A successful answer."""
    return Answer(200, encode({"code": "0", "msg": "", "data": rows}))


def refusal(code: str, text: str) -> Answer:
    """An error: still HTTP 200."""
    return Answer(200, encode({"code": code, "msg": text, "data": []}))


def _type(listing: Listing) -> str:
    return "SPOT" if listing.instrument.market == "spot" else "SWAP"


def _family(listing: Listing) -> str:
    t = listing.instrument
    return "" if t.market == "spot" else t.symbol.removesuffix("-SWAP")


def _candles(listing: Listing, request: Request, now_us: int) -> Answer:
    """`after` (older than) and `before` (newer than) are opening times in ms; newest first."""
    query = request.query
    bar = shapes.find_bar(query.get("bar", "1m"))
    if bar is None:
        return refusal("51000", "Parameter bar error")
    length, shift = bar
    limit = min(int(query.get("limit", "100")), 300)
    until = min(int(query.get("after", now_us // 1000 + 1)) * 1000 - 1, now_us)
    newest = until - (until + shift) % length
    starts = [newest - i * length for i in range(limit)]
    before = int(query.get("before", "0")) * 1000
    if request.path.endswith("market/candles"):
        before = max(before, now_us - KEPT_CANDLES * length)
    found = [listing.candles.find(start, length) for start in starts if start > before]
    return envelope([shapes.candle_row(listing, c, closed=c.start_us + length <= now_us) for c in found])


def _instrument(listing: Listing) -> dict[str, str]:
    t = listing.instrument
    is_spot = t.market == "spot"
    family = _family(listing)
    return {
        "instType": _type(listing),
        "instId": t.symbol,
        "instFamily": family,
        "uly": family,
        "baseCcy": t.base if is_spot else "",
        "quoteCcy": t.quote if is_spot else "",
        "settleCcy": "" if is_spot else t.quote,
        "ctVal": "" if is_spot else t.contract,
        "ctMult": "" if is_spot else "1",
        "ctValCcy": "" if is_spot else t.base,
        "ctType": "" if is_spot else "linear",
        "optType": "",
        "stk": "",
        "listTime": "1606468572000",
        "expTime": "",
        "lever": "10" if is_spot else "100",
        "tickSz": t.tick,
        "lotSz": t.lot,
        "minSz": t.lot,
        "state": "live",
        "ruleType": "normal",
    }
