"""Bitfinex's tickers, liquidations, funding and open interest, and candles: pure functions from a frame to its events.

https://docs.bitfinex.com/reference/ws-public-ticker, https://docs.bitfinex.com/reference/ws-public-status,
https://docs.bitfinex.com/reference/ws-public-candles
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from msgspec import Raw
from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.instrument import Instrument
from producers import numbers
from producers.venue import Decoded, FindInstrument
from producers.venues.bitfinex import wire
from producers.venues.bitfinex.channel import Channel, common

FastLiquidation = fast(events.Liquidation)
FastFunding = fast(events.Funding)
FastInterest = fast(events.OpenInterest)
FastCandle = fast(events.Candle)

TIMEFRAMES: Final = {
    **{name: name for name in ("1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h")},
    "1D": "1d",
    "1W": "1w",
    "14D": "14d",
    "1M": "1M",
}
_TIME, _SPOT_PRICE, _NEXT_FUNDING, _CURRENT_FUNDING, _MARK_PRICE, _OPEN_INTEREST = 0, 3, 7, 11, 14, 17
_TRIGGER: Final = 0


def decode_ticker(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a ticker; the change is a fraction. Its time is the push's, where that is asked for.

    Its sizes are sums of the 25 best levels, not what the best bid and ask offer: these are not told.
    """
    message = wire.decode_ticker(frame)
    seq, ts = channel.stamp(message)
    row, optional = message.figures, numbers.optional
    change = optional(row.change_part, "change_part")
    return (
        replace(
            channel.ticker,
            id=f"{channel.tail}.ticker.{channel.native(frame, seq, ts)}",
            ts_event=ts,
            ts_recv=ts_recv,
            last=optional(row.last, "last"),
            bid=optional(row.bid, "bid"),
            ask=optional(row.ask, "ask"),
            high_24h=optional(row.high, "high"),
            low_24h=optional(row.low, "low"),
            volume_24h=optional(row.volume, "volume"),
            change_24h=None if change is None else numbers.percent(change),
        ),
    )


class Liquidations:
    """Reads the feed of all forced closings. `find` gives instruments by the venue's symbol."""

    def __init__(self, find: FindInstrument) -> None:
        self._find = find
        self._found: dict[str, Instrument] = {}

    def decode(self, channel: Channel, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read the triggers, one for each position; rows of what then matched would count the same closing again.

        The amount is that of the position: positive was long, and was closed by selling.
        """
        message = wire.decode_liquidations(frame)
        channel.stamp(message)
        return [self._event(channel, row, ts_recv) for row in message.rows if row.is_match == _TRIGGER]

    def _event(self, channel: Channel, row: wire.Liquidation, ts_recv: int) -> Decoded:
        instrument = self._found.get(row.symbol)
        if instrument is None:
            instrument = self._found[row.symbol] = self._find(row.symbol)
        ts = numbers.milliseconds(row.time, "time")
        amount = numbers.signed(row.amount, "amount")
        was_short = amount.startswith("-")
        price, kind = _price(row)
        return FastLiquidation(
            id=f"{instrument.tail}.liquidation.{row.position}-{ts}",
            **common(instrument, ts, ts_recv, sim=channel.sim),
            price=price,
            price_kind=kind,
            amount=amount.removeprefix("-"),
            position_side="short" if was_short else "long",
            order_side="buy" if was_short else "sell",
            sampled=False,
        )


def _price(row: wire.Liquidation) -> tuple[str, str]:
    """Give the price at which the venue took the position over, and its kind.

    A trigger may be told before that: then it has only the price at which the position had been entered, which was
    never traded now; it stands in for the price and is marked as no fill.
    """
    acquired = numbers.optional(row.price_acquired, "price_acquired")
    if acquired is not None and acquired.strip("0."):
        return acquired, "fill"
    return numbers.number(row.base_price, "base_price"), "bankruptcy"


def decode_derivative(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded, Decoded]:
    """Read a perpetual's status: the funding of the current eight hours, prices, and open interest in coins."""
    message = wire.decode_derivative(frame)
    channel.stamp(message)
    fields = message.fields
    ts = numbers.milliseconds(_at(fields, _TIME), "time")
    native = f"{ts}-{crc32(frame):08x}"
    next_time = _at(fields, _NEXT_FUNDING)
    shared = channel.common(ts, ts_recv)
    return (
        FastFunding(
            id=f"{channel.tail}.funding.{native}",
            **shared,
            rate=numbers.optional(_at(fields, _CURRENT_FUNDING), "current_funding"),
            next_ts=None if next_time == numbers.NULL else numbers.milliseconds(next_time, "next_funding"),
            mark_price=numbers.optional(_at(fields, _MARK_PRICE), "mark_price"),
            index_price=numbers.optional(_at(fields, _SPOT_PRICE), "spot_price"),
        ),
        FastInterest(
            id=f"{channel.tail}.interest.{native}",
            **shared,
            amount=numbers.optional(_at(fields, _OPEN_INTEREST), "open_interest"),
            value=None,
        ),
    )


def _at(fields: list[Raw], place: int) -> Raw:
    return fields[place] if place < len(fields) else numbers.NULL


def decode_candle(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read the newest candle, again with each change; when it is closed is not said."""
    message = wire.decode_one_candle(frame)
    channel.stamp(message)
    return (_candle(channel, message.row, ts_recv),)


def decode_candles(channel: Channel, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the candles with which the channel begins, newest first; told oldest first."""
    message = wire.decode_candles(frame)
    channel.stamp(message)
    return [_candle(channel, row, ts_recv) for row in sorted(message.rows, key=lambda row: row.time)]


def _candle(channel: Channel, row: wire.Candle, ts_recv: int) -> Decoded:
    close, volume = numbers.number(row.close, "close"), numbers.number(row.volume, "volume")
    return FastCandle(
        id=f"{channel.tail}.candle.{channel.detail}-{row.time}-{volume}-{close}",
        **channel.common(None, ts_recv),
        timeframe=channel.detail,
        open=numbers.number(row.open, "open"),
        high=numbers.number(row.high, "high"),
        low=numbers.number(row.low, "low"),
        close=close,
        volume=volume,
        quote_volume=None,
        trades=None,
        closed=False,
        start_ts=row.time * wire.MS,
    )
