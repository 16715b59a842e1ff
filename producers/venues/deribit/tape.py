"""Deribit's trades with the liquidations among them, and its books: pure functions from a frame to its events.

Amounts of inverse contracts are US dollars: they are given as `contracts` of one dollar, and as `amount` in the coin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from producers.normalize import numbers, sizes
from producers.normalize.numbers import Row
from producers.venue import Decoded
from producers.venues.deribit import wire
from producers.venues.deribit.topic import Topic

FastLiquidation = fast(events.Liquidation)

_OPPOSITE: Final[dict[str, wire.Side]] = {"buy": "sell", "sell": "buy"}
_CLOSED: Final = {"sell": "long", "buy": "short"}  # the side of the forced order: the position that it closes


def decode_trades(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read the trades of one instrument."""
    return trade_events(topic, wire.decode_trades(frame).params.data, ts_recv)


def trade_events(topic: Topic, rows: Iterable[wire.Trade], ts_recv: int) -> list[Decoded]:
    """Make the events of trades; one that is marked as a liquidation gives both, the trade first."""
    instrument = topic.instrument
    found: list[Decoded] = []
    for row in rows:
        price, size = numbers.price(row.price, "data.price"), numbers.number(row.amount, "data.amount")
        if not row.trade_id:
            raise FrameError("data.trade_id is empty", field="data.trade_id")
        amount, contracts = sizes.sizes(instrument, size, price) if topic.is_inverse else (size, None)
        found.append(
            replace(
                topic.trade,
                id=f"{topic.tail}.trade.{row.trade_id}",
                ts_event=row.timestamp * wire.MS,
                ts_recv=ts_recv,
                trade_id=row.trade_id,
                price=price,
                amount=amount,
                contracts=contracts,
                side=row.direction,
                seq=row.trade_seq,
            )
        )
        if row.liquidation is not None:
            found += _liquidations(topic, row, found[-1])
    return found


def _liquidations(topic: Topic, row: wire.Trade, trade: Decoded) -> list[Decoded]:
    """Make the liquidations that a trade was part of: of its maker (M), its taker (T), or both (MT).

    The direction is the taker's, so that the forced order of a maker is on the other side of it. Every one is marked.
    """
    sides: dict[str, wire.Side] = {"T": row.direction, "M": _OPPOSITE[row.direction]}
    return [
        FastLiquidation(
            id=f"{topic.tail}.liquidation.{row.trade_id}-{who}",
            **topic.common(row.timestamp, trade.ts_recv),
            price=trade.price,
            price_kind="fill",
            amount=trade.amount,
            contracts=trade.contracts,
            position_side=_CLOSED[sides[who]],
            order_side=sides[who],
            sampled=False,
        )
        for who in row.liquidation or ""
    ]


def decode_books(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a book's snapshot or change; a change that continues the id 0 is the first of a book, and so the whole."""
    book = wire.decode_books(frame).params.data
    whole = book.type == "snapshot" or book.prev_change_id == 0
    sides = _changes(book.bids, "data.bids"), _changes(book.asks, "data.asks")
    native = f"snapshot-{book.change_id}" if whole else str(book.change_id)
    prev = None if whole else book.prev_change_id
    return (_delta(topic, sides, (native, book.timestamp, ts_recv), (book.change_id, prev, whole)),)


def decode_ladders(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a grouped book, which comes as a whole each time."""
    ladder = wire.decode_ladders(frame).params.data
    sides = numbers.levels(ladder.bids, "data.bids"), numbers.levels(ladder.asks, "data.asks")
    native = f"{topic.detail}-{ladder.change_id}"
    return (_delta(topic, sides, (native, ladder.timestamp, ts_recv), (ladder.change_id, None, True)),)


def _changes(rows: list[wire.Change], field: str) -> list[Row]:
    """Read one side: a deleted level has the amount "0", whatever the row says."""
    written = [
        (
            str(row.price, "ascii", "replace"),
            numbers.ZERO if row.action == "delete" else str(row.amount, "ascii", "replace"),
        )
        for row in rows
    ]
    return numbers.text_levels(written, field)


def _delta(
    topic: Topic, sides: tuple[list[Row], list[Row]], stamp: tuple[str, int, int], chain: tuple[int, int | None, bool]
) -> Decoded:
    bids, asks, unit = sizes.book(topic.instrument, *sides)
    native, timestamp, ts_recv = stamp
    seq, prev_seq, whole = chain
    return replace(
        topic.delta,
        id=f"{topic.tail}.delta.{native}",
        ts_event=timestamp * wire.MS,
        ts_recv=ts_recv,
        bids=bids,
        asks=asks,
        seq=seq,
        prev_seq=prev_seq,
        is_snapshot=whole,
        unit=unit,
    )
