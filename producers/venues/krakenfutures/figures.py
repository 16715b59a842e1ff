"""Kraken Futures' tickers, with funding and open interest in the same frame.

https://docs.kraken.com/exchange/api-reference/futures-websocket/ticker
"""

from __future__ import annotations

from typing import Final

from contracts import market as events
from contracts.codec import fast
from producers.normalize import numbers, sizes
from producers.venue import Decoded
from producers.venues.krakenfutures import wire
from producers.venues.krakenfutures.product import Product

FastTicker = fast(events.Ticker)
FastFunding = fast(events.Funding)
FastInterest = fast(events.OpenInterest)

_ONE_DOLLAR: Final = "1"


def decode_ticker(product: Product, row: wire.Ticker, ts_recv: int, stamp: str) -> list[Decoded]:
    """Read one ticker; `stamp` tells frames of the same time apart (`ticker_lite` has no time at all)."""
    ts_event = None if row.time is None else wire.time(row.time, "time")
    native = f"{row.time or 0}-{stamp}"
    found: list[Decoded] = [_ticker(product, row, (ts_event, ts_recv), native)]
    mark = numbers.optional_price(row.markPrice, "markPrice")
    if product.is_perpetual:
        found += _funding(product, row, (ts_event, ts_recv, native), mark)
    interest = numbers.optional_amount(row.openInterest, "openInterest")
    if interest is not None:
        found.append(_interest(product, (interest, mark), (ts_event, ts_recv), native))
    return found


def _ticker(product: Product, row: wire.Ticker, times: tuple[int | None, int], native: str) -> Decoded:
    """Make a ticker. An inverse product's volume counts contracts, which are USD and thus its quote volume."""
    instrument, price, amount = product.instrument, numbers.optional_price, numbers.optional_amount
    bid, bid_size = numbers.quote(price(row.bid, "bid"), amount(row.bid_size, "bid_size"))
    ask, ask_size = numbers.quote(price(row.ask, "ask"), amount(row.ask_size, "ask_size"))
    volume, quote_volume = amount(row.volume, "volume"), amount(row.volumeQuote, "volumeQuote")
    if instrument.is_inverse:
        quote_volume = quote_volume or (volume if instrument.contract_size == _ONE_DOLLAR else None)
        volume = None
    elif volume is not None:
        volume = sizes.amount(instrument, volume, None)
    return FastTicker(
        id=f"{product.tail}.ticker.{native}",
        **product.common(*times),
        last=price(row.last, "last"),
        bid=bid,
        bid_amount=None if bid_size is None else sizes.amount(instrument, bid_size, bid),
        ask=ask,
        ask_amount=None if ask_size is None else sizes.amount(instrument, ask_size, ask),
        open_24h=price(row.open, "open"),
        high_24h=price(row.high, "high"),
        low_24h=price(row.low, "low"),
        volume_24h=volume,
        quote_volume_24h=quote_volume,
        change_24h=numbers.optional(row.change, "change"),
    )


def _funding(product: Product, row: wire.Ticker, stamp: tuple[int | None, int, str], mark: str | None) -> list[Decoded]:
    """Make a funding event of the relative rate: `funding_rate` is no fraction and is not carried."""
    rate = numbers.optional(row.relative_funding_rate, "relative_funding_rate")
    if rate is None and mark is None:
        return []
    ts_event, ts_recv, native = stamp
    next_ms = row.next_funding_rate_time
    return [
        FastFunding(
            id=f"{product.tail}.funding.{native}",
            **product.common(ts_event, ts_recv),
            rate=rate,
            next_ts=wire.time(next_ms, "next_funding_rate_time") if next_ms else None,
            mark_price=mark,
            index_price=numbers.optional_price(row.index, "index"),
        )
    ]


def _interest(product: Product, told: tuple[str, str | None], times: tuple[int | None, int], native: str) -> Decoded:
    """Make an open interest event; inverse contracts are USD, and coins at the mark price."""
    interest, mark = told
    instrument = product.instrument
    amount, contracts = sizes.sizes(instrument, interest, mark)
    is_dollars = instrument.is_inverse and instrument.contract_size == _ONE_DOLLAR
    return FastInterest(
        id=f"{product.tail}.interest.{native}",
        **product.common(*times),
        amount=amount,
        value=interest if is_dollars else None,
        contracts=contracts,
    )
