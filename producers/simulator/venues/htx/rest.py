"""HTX's public REST answers of both hosts; errors are mostly HTTP 200 with `status` "error".

https://www.htx.com/en-us/opend/newApiPages/?id=7ec4ff6d-7773-11ed-9966-0242ac110003
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.venue import Snapshots
from producers.simulator.venues.htx import rows

SPOT, SWAP = "/market/", "/linear-swap-ex/market/"
DEPTH = 150
MOST_ROWS = 2000
Write = Callable[[Listing], str]
FIGURES = ("depth", "history/trade", "history/kline", "detail/merged", "tickers", "detail/batch_merged")


class HtxRest:
    """Answers of `/v1/…`, `/market/…`, `/linear-swap-api/…` and `/linear-swap-ex/market/…`."""

    def __init__(self, listings: dict[str, Listing], snapshots: Snapshots) -> None:
        self._listings = listings
        self._snapshots = snapshots

    def answer(self, request: Request, now_us: int) -> Answer:
        """One answer in the venue's envelope."""
        path, now_ms = request.path, now_us // 1000
        spot, swaps = self._of("spot"), self._of("linear")
        lists: dict[str, tuple[Write, list[Listing]]] = {
            "/v1/common/symbols": (_pair, spot),
            "/linear-swap-api/v1/swap_contract_info": (_contract, swaps),
            "/linear-swap-api/v1/swap_funding_rate": (partial(rows.funding_text, now_us=now_us), swaps),
        }
        if path == "/v1/common/timestamp":
            return Answer(200, encode({"status": "ok", "data": now_ms}))
        if path in lists:
            write, listed = lists[path]
            if listed is swaps:
                listed = _filtered(listed, request.query)
            return _envelope(f'"data":[{",".join(write(item) for item in listed)}]', now_ms)
        prefix = next((start for start in (SWAP, SPOT) if path.startswith(start)), None)
        if prefix is None or path.removeprefix(prefix) not in FIGURES:
            return refusal("invalid-parameter", "no such path", status=404)
        return self._figures(path.removeprefix(prefix), request, now_us)

    def _of(self, market: str) -> list[Listing]:
        return [item for item in self._listings.values() if item.instrument.market == market]

    def _figures(self, name: str, request: Request, now_us: int) -> Answer:
        now_ms, query = now_us // 1000, request.query
        is_swap = request.path.startswith(SWAP)
        if name in ("tickers", "detail/batch_merged"):
            found = self._of("linear" if is_swap else "spot")
            if is_swap:
                found = _filtered(found, query)
            texts = ",".join(_ticker(item, now_us) for item in found)
            return _envelope(f'"{"ticks" if is_swap else "data"}":[{texts}]', now_ms)
        symbol = query.get("contract_code" if is_swap else "symbol", "")
        listing = self._listings.get(symbol)
        if listing is None or rows.is_spot(listing) == is_swap:
            return refusal("invalid-parameter", "invalid symbol")
        ch = f"market.{symbol}.{name.replace('history/', '').replace('/', '.')}"
        if name == "depth":
            return self._depth(listing, request, now_us)
        if name == "history/trade":
            return _envelope(f'"ch":"{ch}","data":[{_trades(listing, _size(query))}]', now_ms)
        if name == "history/kline":
            return _candles(listing, query, now_us)
        tick = rows.merged_tick(listing, now_us)
        return _envelope(f'"ch":"{ch}","tick":{tick}', now_ms)

    def _depth(self, listing: Listing, request: Request, now_us: int) -> Answer:
        if request.query.get("type") != "step0":
            return refusal("invalid-parameter", "invalid type")
        limit = min(int(request.query.get("depth", str(DEPTH))), DEPTH)
        depth = self._snapshots.find(listing, now_us, stale=request.stale).top(limit)
        ch = f"market.{listing.instrument.symbol}.depth.step0"
        tick = rows.depth_tick(listing, (depth.bids, depth.asks), ch, depth.ts_us // 1000)
        return _envelope(f'"ch":"{ch}","tick":{tick}', now_us // 1000)


def refusal(code: str, text: str, *, status: int = 200) -> Answer:
    """An error: mostly HTTP 200."""
    return Answer(status, encode({"status": "error", "err-code": code, "err-msg": text, "data": None}))


def _envelope(text: str, now_ms: int) -> Answer:
    return Answer(200, f'{{"status":"ok",{text},"ts":{now_ms}}}')


def _size(query: dict[str, str]) -> int:
    return max(1, min(int(query.get("size", "1")), MOST_ROWS))


def _trades(listing: Listing, size: int) -> str:
    """Aggressors with their fills, newest first."""
    orders = [list(fills) for _, fills in groupby(listing.recent, key=lambda trade: trade.order)]
    return ",".join(rows.trades_tick(listing, fills, number="trade-id") for fills in reversed(orders[-size:]))


def _candles(listing: Listing, query: dict[str, str], now_us: int) -> Answer:
    """`size` candles, newest first on spot and oldest first on swaps, which also have those of a span (in s)."""
    period = query.get("period", "")
    if period not in rows.PERIODS:
        return refusal("invalid-parameter", "invalid period")
    length, size, until = rows.PERIODS[period] * rows.SECOND_US, _size(query), now_us
    if "from" in query and not rows.is_spot(listing):
        until = min(int(query.get("to", now_us)) * rows.SECOND_US, now_us)
        size = min(max(0, (until - int(query["from"]) * rows.SECOND_US) // length + 1), MOST_ROWS)
    found = listing.candles.list_candles(length, until, size)
    if rows.is_spot(listing):
        found.reverse()
    texts = ",".join(rows.candle_tick(listing, candle) for candle in found)
    return _envelope(f'"ch":"market.{listing.instrument.symbol}.kline.{period}","data":[{texts}]', now_us // 1000)


def _filtered(swaps: list[Listing], query: dict[str, str]) -> list[Listing]:
    """The swaps that the filters leave: by `contract_code`, `pair`, `contract_type` and `business_type`."""
    wanted = query.get("contract_code") or query.get("pair")
    has_swaps = query.get("business_type", "swap") in ("swap", "all") and query.get("contract_type", "swap") == "swap"
    return [item for item in swaps if has_swaps and wanted in (None, item.instrument.symbol)]


def _ticker(listing: Listing, now_us: int) -> str:
    if rows.is_spot(listing):
        return rows.overview_row(listing)
    tick = rows.merged_tick(listing, now_us)
    names = f'"contract_code":"{listing.instrument.symbol}","business_type":"swap"'
    return f"{{{names},{tick[1:]}"


def _pair(listing: Listing) -> str:
    t = listing.instrument
    return encode(
        {
            "base-currency": t.base.lower(),
            "quote-currency": t.quote.lower(),
            "price-precision": t.price_scale,
            "amount-precision": t.amount_scale,
            "symbol-partition": "main",
            "symbol": t.symbol,
            "state": "online",
            "api-trading": "enabled",
        }
    )


def _contract(listing: Listing) -> str:
    t = listing.instrument
    return (
        f'{{"symbol":"{t.base}","contract_code":"{t.symbol}","contract_size":{float(t.contract):.18f},'
        f'"price_tick":{t.tick},"delivery_date":"","delivery_time":"","create_date":"20201021","contract_status":1,'
        f'"support_margin_mode":"all","business_type":"swap","pair":"{t.symbol}","contract_type":"swap",'
        f'"trade_partition":"{t.quote}"}}'
    )
