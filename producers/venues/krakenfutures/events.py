"""Kraken Futures' trades, liquidations and books.

https://docs.kraken.com/exchange/api-reference/futures-websocket/trade
"""

from __future__ import annotations

from typing import Final

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from producers.normalize import numbers, sizes
from producers.venue import Decoded
from producers.venues.krakenfutures import wire
from producers.venues.krakenfutures.plan import VENUE_ID
from producers.venues.krakenfutures.product import Product

FastTrade = fast(events.Trade)
FastDelta = fast(events.BookDelta)
FastLiquidation = fast(events.Liquidation)

_LIQUIDATION: Final = "liquidation"
# A position that is taken over by another trader, and one that is ended: nobody traded.
_TRANSFERS: Final = frozenset({"assignment", "termination"})
_TRADES: Final = frozenset({"fill", "block", _LIQUIDATION})


def decode_trade(product: Product, row: wire.Trade, ts_recv: int) -> list[Decoded]:
    """Read one trade. A trade of type `liquidation` is told as both: it was a print, and somebody was forced to it.

    `side` is that of the liquidating order: who sells had a long position. All of them are told as far as is known.
    """
    if row.type in _TRANSFERS:
        product.pass_over(row.seq)
        return []
    if row.type not in _TRADES:
        raise FrameError(f"unknown type of trade {row.type!r}", field="type")
    price, size = numbers.price(row.price, "price"), numbers.number(row.qty, "qty")
    amount, contracts = sizes.sizes(product.instrument, size, price)
    ts_event, native = wire.time(row.time, "time"), row.uid or _by_number(row)
    found: list[Decoded] = [
        *product.span(row.seq),
        FastTrade(
            id=f"{product.tail}.trade.{native}",
            venue=VENUE_ID,
            symbol=product.symbol,
            venue_symbol=product.venue_symbol,
            ts_event=ts_event,
            ts_recv=ts_recv,
            sim=product.sim,
            trade_id=native,
            price=price,
            amount=amount,
            contracts=contracts,
            side=row.side,
            seq=row.seq,
        ),
    ]
    if row.type == _LIQUIDATION:
        found.append(
            FastLiquidation(
                id=f"{product.tail}.liquidation.{native}",
                **product.common(ts_event, ts_recv),
                price=price,
                price_kind="fill",
                amount=amount,
                contracts=contracts,
                position_side="long" if row.side == "sell" else "short",
                order_side=row.side,
                sampled=False,
            )
        )
    return found


def _by_number(row: wire.Trade) -> str:
    """Name a trade without `uid` by its number, which counts a product's trades."""
    if row.seq is None:
        raise FrameError("a trade has neither uid nor seq", field="uid")
    return str(row.seq)


def decode_book_snapshot(product: Product, row: wire.BookSnapshot, ts_recv: int) -> Decoded:
    """Read a whole book."""
    bids = wire.read_levels(((level.price, level.qty) for level in row.bids), "bids")
    asks = wire.read_levels(((level.price, level.qty) for level in row.asks), "asks")
    bids, asks, unit = sizes.book(product.instrument, bids, asks)
    return FastDelta(
        id=f"{product.delta_id}snapshot-{row.seq}-{row.timestamp}",
        **product.common(wire.time(row.timestamp, "timestamp"), ts_recv),
        bids=bids,
        asks=asks,
        seq=row.seq,
        prev_seq=None,
        is_snapshot=True,
        unit=unit,
    )


def decode_book_change(product: Product, row: wire.BookChange, ts_recv: int) -> Decoded:
    """Read one changed level; `seq` counts a product's snapshots and changes by one."""
    level, unit = wire.read_levels([(row.price, row.qty)], "book"), "base"
    if product.instrument.sized_in_contracts:
        level, _, unit = sizes.book(product.instrument, level, [])
    is_bid = row.side == "buy"
    return FastDelta(
        id=f"{product.delta_id}{row.seq}",
        venue=VENUE_ID,
        symbol=product.symbol,
        venue_symbol=product.venue_symbol,
        ts_event=wire.time(row.timestamp, "timestamp"),
        ts_recv=ts_recv,
        sim=product.sim,
        bids=level if is_bid else [],
        asks=[] if is_bid else level,
        seq=row.seq,
        prev_seq=row.seq - 1,
        is_snapshot=False,
        unit=unit,
    )
