"""Bitfinex's books to events (https://docs.bitfinex.com/reference/ws-public-books)."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

from contracts.errors import FrameError
from producers.normalize import numbers
from producers.normalize.numbers import ZERO, Row
from producers.venue import Decoded
from producers.venues.bitfinex import wire
from producers.venues.bitfinex.topics import Channel

Sides = tuple[list[Row], list[Row]]  # bids, asks
_MINUS: Final = "-"


def decode_change(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read one changed level of a book.

    The numbers count all frames of the connection: a book is continued while none of them is missing.
    """
    message = wire.decode_update(frame)
    seq, ts = channel.stamp(message)
    bids, asks = read_change(message.row)
    last = channel.seq
    is_old = seq is not None and last is not None and seq <= last  # sent again, or late: it continues nothing
    prev = None if channel.broken or is_old else last
    if not is_old:
        channel.seq, channel.broken = seq, False
    return (_delta(channel, (bids, asks), (frame, ts_recv), (seq, prev, ts)),)


def decode_book(channel: Channel, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a whole book, with which the channel begins."""
    message = wire.decode_whole(frame)
    seq, ts = channel.stamp(message)
    sides = read_whole(message.rows)
    channel.seq, channel.broken = seq, False
    return (_delta(channel, sides, (frame, ts_recv), (seq, None, ts), is_snapshot=True),)


def read_whole(rows: list[Raw]) -> Sides:
    """Return the sides of a whole book; malformed levels are left out."""
    bids: list[Row] = []
    asks: list[Row] = []
    for raw in rows:
        try:
            found = read_change(wire.decode_row(raw))
        except (FrameError, msgspec.MsgspecError):
            continue
        for side, levels in zip((bids, asks), found, strict=True):
            side += [level for level in levels if level[1] != ZERO]
    return bids, asks


def read_change(row: wire.Row) -> Sides:
    """Return the level of a row, on its side; that no order is left removes it: the amount then says the side only.

    A level at a price of zero is left out.
    """
    amount = numbers.signed(row.amount, "amount")
    if row.count < 0:
        raise FrameError(f"count is negative: {row.count}", field="count")
    size = ZERO if row.count == 0 else amount.removeprefix(_MINUS)
    level = numbers.text_levels([(numbers.number(row.price, "price"), size)], "price")
    return ([], level) if amount.startswith(_MINUS) else (level, [])


def _delta(
    channel: Channel,
    sides: Sides,
    origin: tuple[bytes, int],
    place: tuple[int | None, int | None, int | None],
    *,
    is_snapshot: bool = False,
) -> Decoded:
    frame, ts_recv = origin
    seq, prev, ts = place
    return channel.make.delta(
        id=f"{channel.tail}.delta.{channel.native(frame, seq, ts)}",
        ts_event=ts,
        ts_recv=ts_recv,
        bids=sides[0],
        asks=sides[1],
        seq=seq,
        prev_seq=prev,
        is_snapshot=is_snapshot,
    )
