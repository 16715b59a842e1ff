"""Events of the Exchange feed: trades, tickers and books.

Channels and fields: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

from producers.connection.frames import UNDECODABLE
from producers.normalize.numbers import figures, said, traded
from producers.venue import BOOK, Decoded, Gap, Unreadable
from producers.venues.coinbase import wire
from producers.venues.coinbase.topics import Product
from producers.venues.coinbase.wire import Levels, optional_time, read_changes, read_levels, read_time

Products = Mapping[str, Product]
Events = tuple[Decoded, ...]

# The venue names the maker's side; the trade's is the other one.
_TAKER: Final[dict[str, str]] = {"buy": "sell", "sell": "buy"}
_TRADED: Final = ("price", "size")
_TICKER_FIGURES: Final = (
    *("price", "best_bid", "best_bid_size", "best_ask", "best_ask_size"),
    *("open_24h", "high_24h", "low_24h", "volume_24h"),
)
_PRICES: Final = tuple("size" not in name and "volume" not in name for name in _TICKER_FIGURES)


def on_match(products: Products, frame: bytes, ts_recv: int) -> Events:
    """Read one trade."""
    row = wire.decode_match(frame)
    product = products[row.product_id]
    trade_id = str(row.trade_id)
    price, amount = traded(row.price, row.size, _TRADED)
    return (
        product.trade(
            id=product.trade_id + trade_id,
            ts_event=read_time(row.time),
            ts_recv=ts_recv,
            trade_id=trade_id,
            price=price,
            amount=amount,
            side=_TAKER[row.side],
            seq=row.sequence,
        ),
    )


def on_ticker(products: Products, frame: bytes, ts_recv: int) -> Events:
    """Read best bid and offer and the figures of 24 hours."""
    row = wire.decode_ticker(frame)
    product = products[row.product_id]
    found = figures((row.price, row.best_bid, row.best_bid_size, row.best_ask, row.best_ask_size,
                     row.open_24h, row.high_24h, row.low_24h, row.volume_24h), _TICKER_FIGURES)  # fmt: skip
    last, bid, bid_amount, ask, ask_amount, opened, high, low, volume = said(found, _PRICES)
    return (
        product.ticker(  # A sequence comes again with other figures: a checksum of the frame distinguishes them.
            id=f"{product.ticker_id}{row.sequence or 0}-{crc32(frame):08x}",
            ts_event=read_time(row.time) if row.time else None,
            ts_recv=ts_recv,
            last=last,
            bid=bid,
            bid_amount=bid_amount if bid else None,
            ask=ask,
            ask_amount=ask_amount if ask else None,
            open_24h=opened,
            high_24h=high,
            low_24h=low,
            volume_24h=volume,
            seq=row.sequence,
        ),
    )


def on_snapshot(products: Products, frame: bytes, ts_recv: int) -> Events:
    """Read a whole book; one that cannot be read is a gap."""
    try:
        row = wire.decode_snapshot(frame)
        return (
            _delta(
                products[row.product_id],
                row,
                (read_levels(row.bids, "bids"), read_levels(row.asks, "asks")),
                (frame, ts_recv),
            ),
        )
    except UNDECODABLE as error:
        return _lost(products, frame, error)


def on_l2update(products: Products, frame: bytes, ts_recv: int) -> Events:
    """Read changed levels; a frame that cannot be read is a gap of its book."""
    try:
        row = wire.decode_l2update(frame)
        return (_delta(products[row.product_id], row, read_changes(row.changes, "buy"), (frame, ts_recv)),)
    except UNDECODABLE as error:
        return _lost(products, frame, error)


def _lost(products: Products, frame: bytes, error: Exception) -> Events:
    """Return the gap of a book that lost an update: nothing is numbered here that would show it later."""
    try:
        instrument = products[wire.decode_owner(frame).product_id].instrument
    except UNDECODABLE:
        instrument = None
    return Unreadable(frame, error), Gap(BOOK, instrument, f"an update could not be read: {error}")


def _delta(
    product: Product, row: wire.Snapshot | wire.L2Update, sides: tuple[Levels, Levels], origin: tuple[bytes, int]
) -> Decoded:
    frame, ts_recv = origin
    own = optional_time(row.time)
    if own is not None:
        product.last_ts = own
    # The feed numbers nothing here: the frame's own time and a checksum of its bytes distinguish frames.
    return product.delta(
        id=f"{product.book_id}{own or 0}-{crc32(frame):08x}",
        ts_event=product.last_ts if own is None and row.time is not None else own,
        ts_recv=ts_recv,
        bids=sides[0],
        asks=sides[1],
        is_snapshot=type(row) is wire.Snapshot,
    )
