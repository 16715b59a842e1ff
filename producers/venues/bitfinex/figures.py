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
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize import numbers
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
_POSITION: Final = "pos"
MOST_POSITIONS: Final = 10_000  # that are remembered: a liquidation is over within seconds


def decode_ticker(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a ticker; the change is a fraction. Its time is the push's, where that is asked for.

    Its sizes are sums of the 25 best levels, not what the best bid and ask offer: these are not told.
    """
    message = wire.decode_ticker(frame)
    seq, ts = channel.stamp(message)
    row, price = message.figures, numbers.optional_price
    change = numbers.optional(row.change_part, "change_part")
    return (
        replace(
            channel.ticker,
            id=f"{channel.tail}.ticker.{channel.native(frame, seq, ts)}",
            ts_event=ts,
            ts_recv=ts_recv,
            last=price(row.last, "last"),
            bid=price(row.bid, "bid"),
            ask=price(row.ask, "ask"),
            high_24h=price(row.high, "high"),
            low_24h=price(row.low, "low"),
            volume_24h=numbers.optional_amount(row.volume, "volume"),
            change_24h=None if change is None else numbers.percent(change),
        ),
    )


class Liquidations:
    """Reads the feed of all forced closings: one event a position, at the price at which the venue acquired it.

    The first row of a position (`is_match` 0) may have its entry price only, which was not traded now and is no price
    of the liquidation: it is kept until a row of the same position names the acquired one. Rows of what is then sold in
    the market would count the same closing again. `find` gives instruments by the venue's symbol.
    """

    def __init__(self, find: FindInstrument) -> None:
        self._find = find
        self._found: dict[str, Instrument] = {}
        self._waiting: dict[int, str] = {}  # position -> its amount
        self._published: dict[int, str] = {}  # position -> the price

    def continue_from(self, last: Liquidations) -> None:
        """Take over what the last connection's feed had of its positions."""
        self._waiting, self._published = last._waiting, last._published

    def decode(self, channel: Channel, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read rows, each alone. The amount is that of the position: positive was long, and was closed by selling."""
        message = wire.decode_liquidations(frame)
        channel.stamp(message)
        return read_each(message.rows, lambda raw: self._event(channel, wire.decode_liquidation(raw), ts_recv))

    def _event(self, channel: Channel, row: wire.Liquidation, ts_recv: int) -> Decoded | None:
        if row.kind != _POSITION:
            raise FrameError(f"unknown row {row.kind!r} of liquidations", field="type")
        instrument = self._found.get(row.symbol) or self._find(row.symbol)
        ts = numbers.milliseconds(row.time, "time")
        amount = self._waiting.get(row.position) or numbers.signed(row.amount, "amount")
        price = numbers.optional_price(row.price_acquired, "price_acquired")
        self._found[row.symbol] = instrument
        if row.position in self._published:
            return None
        if price is None:
            _remember(self._waiting, row.position, amount)
            return None
        _remember(self._published, row.position, price)
        self._waiting.pop(row.position, None)
        was_short = amount.startswith("-")
        return FastLiquidation(
            id=f"{instrument.tail}.liquidation.{row.position}-{ts}",
            **common(instrument, ts, ts_recv, sim=channel.sim),
            price=price,
            price_kind="fill",
            amount=amount.removeprefix("-"),
            position_side="short" if was_short else "long",
            order_side="buy" if was_short else "sell",
            sampled=False,
        )


def _remember(kept: dict[int, str], position: int, value: str) -> None:
    """Keep a position; the oldest one makes room for it."""
    kept[position] = value
    if len(kept) > MOST_POSITIONS:
        del kept[next(iter(kept))]


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
            mark_price=numbers.optional_price(_at(fields, _MARK_PRICE), "mark_price"),
            index_price=numbers.optional_price(_at(fields, _SPOT_PRICE), "spot_price"),
        ),
        FastInterest(
            id=f"{channel.tail}.interest.{native}",
            **shared,
            amount=numbers.optional_amount(_at(fields, _OPEN_INTEREST), "open_interest"),
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
    return read_each(message.rows, lambda raw: _candle(channel, raw, ts_recv))[::-1]


def _candle(channel: Channel, raw: Raw, ts_recv: int) -> Decoded:
    row = wire.decode_candle(raw)
    return FastCandle(
        id=f"{channel.tail}.candle.{channel.detail}-{row.time}-{crc32(raw):08x}",
        **channel.common(None, ts_recv),
        timeframe=channel.detail,
        open=numbers.price(row.open, "open"),
        high=numbers.price(row.high, "high"),
        low=numbers.price(row.low, "low"),
        close=numbers.price(row.close, "close"),
        volume=numbers.number(row.volume, "volume"),
        quote_volume=None,
        trades=None,
        closed=False,
        start_ts=row.time * wire.MS,
    )
