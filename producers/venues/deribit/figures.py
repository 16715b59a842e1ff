"""Deribit's tickers with the funding and open interest that they tell, and its candles: pure functions of a frame."""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from msgspec import Raw
from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.instrument import INVERSE, PERP
from producers import numbers, sizes
from producers.venue import Decoded
from producers.venues.deribit import wire
from producers.venues.deribit.topic import Topic

FastFunding = fast(events.Funding)
FastInterest = fast(events.OpenInterest)
FastCandle = fast(events.Candle)

TIMEFRAMES: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "10": "10m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "180": "3h",
    "360": "6h",
    "720": "12h",
    "1D": "1d",
}


def decode_tickers(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read a ticker; perpetuals tell the current funding rate in it, derivatives their open interest.

    The funding is paid all the time and has no next payment: `current_funding` is the rate of now for eight hours.
    """
    row = wire.decode_tickers(frame).params.data
    native = f"{row.timestamp}-{crc32(frame):08x}"
    stamp = (f"{topic.tail}.ticker.{native}", row.timestamp, ts_recv)
    found = [replace(topic.ticker, **_best(topic, row, stamp), **_day(topic, row))]
    common = topic.common(row.timestamp, ts_recv)
    mark = numbers.optional(row.mark_price, "data.mark_price")
    rate = numbers.optional(row.current_funding, "data.current_funding")
    if rate is not None and topic.instrument.contract in {PERP, INVERSE}:
        found.append(
            FastFunding(
                id=f"{topic.tail}.funding.{native}",
                **common,
                rate=rate,
                next_ts=None,
                mark_price=mark,
                index_price=numbers.optional(row.index_price, "data.index_price"),
            )
        )
    interest = numbers.optional(row.open_interest, "data.open_interest")
    if interest is not None:
        found.append(FastInterest(id=f"{topic.tail}.interest.{native}", **common, **_interest(topic, interest, mark)))
    return found


def decode_quotes(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `quote`: the best bid and ask only."""
    row = wire.decode_tickers(frame).params.data
    stamp = (f"{topic.tail}.ticker.quote-{row.timestamp}-{crc32(frame):08x}", row.timestamp, ts_recv)
    return (replace(topic.ticker, **_best(topic, row, stamp)),)


def decode_candles(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `chart.trades`: the candle that begins at `tick`, again with each change; when it is closed is not said."""
    row = wire.decode_candles(frame).params.data
    timeframe = TIMEFRAMES[topic.detail]
    volume, close = numbers.number(row.volume, "data.volume"), numbers.number(row.close, "data.close")
    return (
        FastCandle(
            id=f"{topic.tail}.candle.{timeframe}-{row.tick}-{volume}-{close}",
            **(topic.common(0, ts_recv) | {"ts_event": None}),
            timeframe=timeframe,
            open=numbers.number(row.open, "data.open"),
            high=numbers.number(row.high, "data.high"),
            low=numbers.number(row.low, "data.low"),
            close=close,
            volume=volume,
            quote_volume=numbers.optional(row.cost, "data.cost"),
            trades=None,
            closed=False,
            start_ts=row.tick * wire.MS,
        ),
    )


def _best(topic: Topic, row: wire.Ticker, stamp: tuple[str, int, int]) -> dict[str, Any]:
    """Give id, times, and the best bid and ask; a price of zero stands for none."""
    bid, bid_amount = _quote(topic, row.best_bid_price, row.best_bid_amount)
    ask, ask_amount = _quote(topic, row.best_ask_price, row.best_ask_amount)
    return {
        "id": stamp[0],
        "ts_event": stamp[1] * wire.MS,
        "ts_recv": stamp[2],
        "bid": bid,
        "bid_amount": bid_amount,
        "ask": ask,
        "ask_amount": ask_amount,
    }


def _quote(topic: Topic, raw_price: Raw, raw_size: Raw) -> tuple[str | None, str | None]:
    price, size = numbers.optional(raw_price, "data.best_price"), numbers.optional(raw_size, "data.best_amount")
    if price is None or not price.strip("0."):
        return None, None
    if size is None or not topic.is_inverse:
        return price, size
    return price, sizes.amount(topic.instrument, size, price)


def _day(topic: Topic, row: wire.Ticker) -> dict[str, Any]:
    """Give the last price and the figures of 24 hours: `volume` counts coins, `volume_notional` the quote.

    Older frames have `volume_usd` only, which is the quote of inverse contracts.
    """
    stats = row.stats
    value = numbers.optional(stats.volume_notional, "data.stats.volume_notional")
    if value is None and topic.is_inverse:
        value = numbers.optional(stats.volume_usd, "data.stats.volume_usd")
    return {
        "last": numbers.optional(row.last_price, "data.last_price"),
        "high_24h": numbers.optional(stats.high, "data.stats.high"),
        "low_24h": numbers.optional(stats.low, "data.stats.low"),
        "volume_24h": numbers.optional(stats.volume, "data.stats.volume"),
        "quote_volume_24h": value,
        "change_24h": numbers.optional(stats.price_change, "data.stats.price_change"),
    }


def _interest(topic: Topic, size: str, mark: str | None) -> dict[str, str | None]:
    """Inverse contracts count US dollars, which are coins at the mark price; all others count coins."""
    if not topic.is_inverse:
        return {"amount": size, "value": None, "contracts": None}
    return {"amount": sizes.amount(topic.instrument, size, mark), "value": size, "contracts": size}
