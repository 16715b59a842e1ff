"""Bitfinex's trades and liquidations to events.

https://docs.bitfinex.com/reference/ws-public-trades, https://docs.bitfinex.com/reference/ws-public-status
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize import numbers
from producers.venue import TRADE, Decoded, FindInstrument, Gap, Unreadable
from producers.venues.bitfinex import wire
from producers.venues.bitfinex.topics import Channel

_MINUS: Final = "-"
_POSITION: Final = "pos"
MOST_POSITIONS: Final = 10_000  # that are remembered: a liquidation is over within seconds


def decode_trade(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `te`, the print as soon as it happened; `tu` repeats it a little later and is not looked at."""
    message = wire.decode_trade(frame)
    channel.stamp(message)
    return (_trade(channel, message.row, ts_recv),)


def decode_prints(channel: Channel, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the last trades, with which the channel begins, newest first.

    Of a recording all become events, as they stand. To a feed they are history: of its first connection none does, and
    after a lost connection they hold what was missed, unless that is more than they are.
    """
    message = wire.decode_prints(frame)
    channel.stamp(message)

    def read(raw: Raw) -> tuple[int, Decoded]:
        row = wire.decode_print(raw)
        return row.ident, _trade(channel, row, ts_recv)

    items = read_each(message.rows, read)
    bad = [item for item in items if isinstance(item, Unreadable)]
    trades = [item for item in items if not isinstance(item, Unreadable)]
    if channel.gives_history:
        return [item if isinstance(item, Unreadable) else item[1] for item in items]
    before = channel.before
    if before is None or not trades:
        return bad
    trades.sort(key=itemgetter(0))
    found: list[Decoded] = [trade for ident, trade in trades if ident > before]
    oldest = trades[0][0]
    if oldest > before:
        found.insert(0, Gap(TRADE, channel.instrument, f"trades between {before} and {oldest} were not received"))
    return bad + found


def _trade(channel: Channel, row: wire.Print, ts_recv: int) -> Decoded:
    amount = numbers.signed(row.amount, "amount")
    trade_id = str(row.ident)
    trade = channel.make.trade(
        id=f"{channel.tail}.trade.{trade_id}",
        ts_event=row.time * wire.MS,
        ts_recv=ts_recv,
        trade_id=trade_id,
        price=numbers.price(row.price, "price"),
        amount=amount.removeprefix(_MINUS),
        side="sell" if amount.startswith(_MINUS) else "buy",
    )
    channel.newest = max(row.ident, channel.newest or 0)
    return trade


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
        return channel.makers.maker("liquidation", instrument)(
            id=f"{instrument.tail}.liquidation.{row.position}-{ts}",
            ts_event=ts,
            ts_recv=ts_recv,
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
