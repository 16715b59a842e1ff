"""Bitfinex's public REST answers; an error is `["error",10020,"symbol: invalid"]`, mostly with HTTP 500.

https://docs.bitfinex.com/docs/rest-general
"""

from __future__ import annotations

from typing import Any

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.bitfinex.rows import (
    TIMEFRAMES,
    candle_row,
    level_row,
    order_row,
    ticker_row,
    trade_row,
)

RAW = "R0"
MOST_CANDLES = 10_000
BAD_PARAMETER, RATE_LIMIT, MAINTENANCE, UNKNOWN = 10_020, 11_010, 20_060, 10_000
LISTS = {
    "pub:list:pair:exchange": "spot",
    "pub:list:pair:futures": "linear",
    "pub:info:pair": "spot",
    "pub:info:pair:futures": "linear",
    "pub:list:pair:margin": "",
    "pub:list:pair:securities": "",
}


class BitfinexRest:
    """Answers of `/v2/...`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer."""
        kind, _, rest = request.path.removeprefix("/v2/").partition("/")
        if kind == "platform":
            return Answer(200, "[1]")
        if kind == "conf":
            return self._conf(rest)
        if kind == "tickers":
            return self._tickers(request)
        if kind == "candles":
            return self._candles(rest, request, now_us)
        if kind not in ("book", "trades", "ticker"):
            return failed(UNKNOWN, "unknown endpoint", 404)
        return self._of_symbol(kind, rest, request, now_us)

    def _of_symbol(self, kind: str, rest: str, request: Request, now_us: int) -> Answer:
        symbol, _, detail = rest.partition("/")
        listing = self._listings.get(symbol)
        if listing is None or (kind == "book" and detail not in ("P0", RAW)):
            return failed(BAD_PARAMETER, "symbol: invalid" if listing is None else "prec: invalid")
        if kind == "ticker":
            return Answer(200, ticker_row(listing))
        if kind == "trades":
            times = [(trade.ts_us // 1000, trade_row(listing, trade)) for trade in listing.recent]
            return Answer(200, _select(times, request.query, (125, 1000)))
        return self._book(listing, request, now_us, is_raw=detail == RAW)

    def _conf(self, name: str) -> Answer:
        """One list for each name; `pub:info:` has the sizes of orders with the pairs."""
        found: list[list[Any]] = []
        for part in name.split(","):
            if part not in LISTS:
                return failed(BAD_PARAMETER, "conf: invalid")
            terms = [x.instrument for x in self._listings.values() if x.instrument.market == LISTS[part]]
            pairs = [term.symbol.removeprefix("t") for term in terms]
            sizes = [[None, None, None, term.lot, "2000.0", *[None] * 7] for term in terms]
            found.append([list(row) for row in zip(pairs, sizes, strict=True)] if "info" in part else pairs)
        return Answer(200, encode(found))

    def _tickers(self, request: Request) -> Answer:
        wanted = request.query.get("symbols", "ALL").split(",")
        fits = [item for name, item in self._listings.items() if wanted == ["ALL"] or name in wanted]
        return Answer(200, "[" + ",".join(f'["{x.instrument.symbol}",{ticker_row(x)[1:]}' for x in fits) + "]")

    def _book(self, listing: Listing, request: Request, now_us: int, *, is_raw: bool) -> Answer:
        """Levels, or of R0 orders (`[id, price, amount]`): one a level."""
        length = int(request.query.get("len", "25"))
        if length not in (1, 25, 100, 250):
            return failed(BAD_PARAMETER, "len: invalid")
        book = self._snapshots.find(listing, now_us, stale=request.stale).top(length)
        row = order_row if is_raw else level_row
        rows = [row(listing, price, amount, is_bid=True) for price, amount in book.bids]
        rows += [row(listing, price, amount, is_bid=False) for price, amount in book.asks]
        return Answer(200, "[" + ",".join(rows) + "]")

    def _candles(self, rest: str, request: Request, now_us: int) -> Answer:
        """`trade:1m:tBTCUSD/hist`, newest first, or `/last`."""
        name, _, section = rest.partition("/")
        _, timeframe, symbol = (*name.split(":", 2), "", "")[:3]
        listing, length = self._listings.get(symbol), TIMEFRAMES.get(timeframe)
        if listing is None or length is None or section not in ("hist", "last"):
            return failed(BAD_PARAMETER, "key: invalid")
        if section == "last":
            return Answer(200, candle_row(listing, listing.candles.list_candles(length, now_us, 1)[0]))
        until = min(int(request.query.get("end", now_us // 1000)) * 1000, now_us)
        candles = listing.candles.list_candles(length, until, MOST_CANDLES)
        times = [(candle.start_us // 1000, candle_row(listing, candle)) for candle in candles]
        return Answer(200, _select(times, request.query, (100, MOST_CANDLES)))


def _select(rows: list[tuple[int, str]], query: dict[str, str], limits: tuple[int, int]) -> str:
    """The rows (oldest first, with their times) of `start` to `end` (ms): `limit` of them, newest first.

    With `sort` 1 the oldest ones first.
    """
    usual, most = limits
    start, end = int(query.get("start", "0")), int(query.get("end", str(2**63)))
    fits = [row for time_ms, row in rows if start <= time_ms <= end]
    if query.get("sort") != "1":
        fits.reverse()
    return "[" + ",".join(fits[: min(int(query.get("limit", str(usual))), most)]) + "]"


def failed(code: int, text: str, status: int = 500) -> Answer:
    """An error."""
    return Answer(status, encode(["error", code, text]))
