"""Bitfinex's trades and books: pure functions from a frame to its events.

https://docs.bitfinex.com/reference/ws-public-trades, https://docs.bitfinex.com/reference/ws-public-books
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from contracts.errors import FrameError
from producers import numbers
from producers.numbers import ZERO, Row
from producers.venue import TRADE, Decoded, Gap
from producers.venues.bitfinex import wire
from producers.venues.bitfinex.channel import Channel

_MINUS: Final = "-"


def decode_trade(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `te`, the print as soon as it happened; `tu` repeats it a little later and is not looked at."""
    message = wire.decode_trade(frame)
    channel.stamp(message)
    return (_trade(channel, message.row, ts_recv),)


def decode_prints(channel: Channel, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the last trades, with which the channel begins, newest first.

    A recording tells them all, as they stand. To a feed they are history: of its first connection they are not told,
    and after a lost connection they hold what was missed, unless that is more than they are.
    """
    message = wire.decode_prints(frame)
    channel.stamp(message)
    rows = sorted(message.rows, key=lambda row: row.ident)
    if rows:
        channel.newest = rows[-1].ident
    if channel.tells_history:
        return [_trade(channel, row, ts_recv) for row in message.rows]
    before = channel.before
    if before is None or not rows:
        return []
    found: list[Decoded] = [_trade(channel, row, ts_recv) for row in rows if row.ident > before]
    if rows[0].ident > before:
        reason = f"trades between {before} and {rows[0].ident} were not received"
        found.insert(0, Gap(TRADE, channel.instrument, reason))
    return found


def _trade(channel: Channel, row: wire.Print, ts_recv: int) -> Decoded:
    amount = numbers.signed(row.amount, "amount")
    channel.newest = max(row.ident, channel.newest or 0)
    trade_id = str(row.ident)
    return replace(
        channel.trade,
        id=f"{channel.tail}.trade.{trade_id}",
        ts_event=row.time * wire.MS,
        ts_recv=ts_recv,
        trade_id=trade_id,
        price=numbers.number(row.price, "price"),
        amount=amount.removeprefix(_MINUS),
        side="sell" if amount.startswith(_MINUS) else "buy",
    )


def decode_change(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read one changed level of a book.

    The numbers count all frames of the connection: a book is continued while none of them is missing.
    """
    message = wire.decode_update(frame)
    seq, ts = channel.stamp(message)
    level, is_bid = read_level(message.row)
    last = channel.seq
    is_old = seq is not None and last is not None and seq <= last  # sent again, or late: it continues nothing
    prev = None if channel.broken or is_old else last
    if not is_old:
        channel.seq, channel.broken = seq, False
    return (_delta(channel, ([level], []) if is_bid else ([], [level]), (frame, ts_recv), (seq, prev, ts)),)


def decode_book(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a whole book, with which the channel begins."""
    message = wire.decode_whole(frame)
    seq, ts = channel.stamp(message)
    channel.seq, channel.broken = seq, False
    bids: list[Row] = []
    asks: list[Row] = []
    for row in message.rows:
        level, is_bid = read_level(row)
        if level[1] != ZERO:
            (bids if is_bid else asks).append(level)
    return (_delta(channel, (bids, asks), (frame, ts_recv), (seq, None, ts), is_snapshot=True),)


def read_level(row: wire.Row) -> tuple[Row, bool]:
    """Read a level; that no order is left removes it, and the amount then tells the side only."""
    amount = str(row.amount, "ascii", "replace")
    is_bid = not amount.startswith(_MINUS)
    if row.count == 0:
        return (numbers.number(row.price, "price"), ZERO), is_bid
    if row.count < 0:
        raise FrameError(f"count is negative: {row.count}", field="count")
    size = amount if is_bid else amount[1:]
    if not size.replace(".", "", 1).isdigit():
        size = numbers.plain(size, "amount")
    return (numbers.number(row.price, "price"), size), is_bid


def _delta(
    channel: Channel,
    sides: tuple[list[Row], list[Row]],
    origin: tuple[bytes, int],
    place: tuple[int | None, int | None, int | None],
    *,
    is_snapshot: bool = False,
) -> Decoded:
    frame, ts_recv = origin
    seq, prev, ts = place
    return replace(
        channel.delta,
        id=f"{channel.tail}.delta.{channel.native(frame, seq, ts)}",
        ts_event=ts,
        ts_recv=ts_recv,
        bids=sides[0],
        asks=sides[1],
        seq=seq,
        prev_seq=prev,
        is_snapshot=is_snapshot,
    )
