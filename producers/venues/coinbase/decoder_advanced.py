"""The decoder of Advanced Trade's market data feed: recordings of Coinbase hold some frames; nothing subscribes to it.

Channels and fields: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
Every frame is `{"channel":"…","timestamp":"2026-11-21T20:00:00.123456789Z","sequence_num":3,"events":[…]}`; the
sequence counts the connection's frames, not a product's, so that no event carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final
from zlib import crc32

from contracts.errors import FrameError
from producers.connection.frames import UNDECODABLE
from producers.normalize.numbers import figures, plain, positive, price_text, quote, unsigned
from producers.venue import BOOK, Ack, Decoded, Gap, Pong, Unreadable
from producers.venues.coinbase import tables
from producers.venues.coinbase import wire_advanced as wire
from producers.venues.coinbase.events import Products
from producers.venues.coinbase.wire import NS, Levels, read_changes, read_levels, read_time

# `side` is read as the maker's, as on the Exchange feed. The channel's page does not say; adapters that state it agree:
# https://nautilustrader.io/docs/rust-api-latest/nautilus_coinbase/http/parse/fn.coinbase_side_to_aggressor.html
_TAKER: Final[dict[str, str]] = {"BUY": "sell", "SELL": "buy"}
_TICKER_FIGURES: Final = (
    *("price", "best_bid", "best_bid_quantity", "best_ask", "best_ask_quantity"),
    *("high_24_h", "low_24_h", "volume_24_h"),
)
_TIMEFRAME: Final = "5m"  # the candles channel has no other
_NOT_CARRIED: Final = frozenset({"status", "user", "futures_balance_summary"})


class AdvancedDecoder:
    """Decodes Advanced Trade frames; `products` are the constants of product ids, `by_channel` what decodes which."""

    def __init__(self, products: Products) -> None:
        self._products = products
        find_trade, find_ticker = (partial(find, products) for find in (tables.trade_makers, tables.ticker_makers))
        on_tickers = tables.ADVANCED_TICKERS.reader_of_many(_listed(self._on_tickers), find_ticker)
        self.by_channel: dict[bytes, Callable[[bytes, int], Sequence[Decoded]]] = {
            b"market_trades": tables.ADVANCED_TRADES.reader_of_many(_listed(self._on_trades), find_trade),
            b"ticker": on_tickers,
            b"ticker_batch": on_tickers,
            b"l2_data": self._on_level2,
            b"candles": _listed(self._on_candles),
            b"heartbeats": lambda frame, ts_recv: (Pong(),),  # noqa: ARG005 - it says only that the connection lives
            b"subscriptions": _listed(self._on_subscriptions),
        }

    def decode(self, channel: str, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame of `channel`; an unknown channel is an error that names it."""
        handler = self.by_channel.get(channel.encode())
        if handler is not None:
            return handler(frame, ts_recv)
        if channel in _NOT_CARRIED:
            return ()
        raise FrameError(f"channel: {channel!r} is no channel of Advanced Trade", channel=channel)

    def _on_trades(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        """Read trades, which come newest first, in the order of their numbers."""
        rows = [row for event in wire.decode_trades(frame).events for row in event.trades]
        for row in sorted(rows, key=_number):
            product = self._products[row.product_id]
            yield product.trade(
                id=product.trade_id + row.trade_id,
                ts_event=read_time(row.time),
                ts_recv=ts_recv,
                trade_id=row.trade_id,
                price=price_text(row.price, "price"),
                amount=unsigned(row.size, "size"),
                side=_TAKER.get(row.side),
            )

    def _on_tickers(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        body = wire.decode_tickers(frame)
        ts_event, natives = read_time(body.timestamp), _natives(frame, body.timestamp)
        for row in (row for event in body.events for row in event.tickers):
            product = self._products[row.product_id]
            found = figures((row.price, row.best_bid, row.best_bid_quantity, row.best_ask, row.best_ask_quantity,
                             row.high_24_h, row.low_24_h, row.volume_24_h), _TICKER_FIGURES)  # fmt: skip
            bid, bid_amount = quote(found[1], found[2])
            ask, ask_amount = quote(found[3], found[4])
            change = row.price_percent_chg_24_h
            yield product.ticker(
                id=product.ticker_id + next(natives),
                ts_event=ts_event,
                ts_recv=ts_recv,
                last=positive(found[0]),
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                high_24h=positive(found[5]),
                low_24h=positive(found[6]),
                volume_24h=found[7] or None,
                change_24h=plain(change, "price_percent_chg_24_h") if change else None,
            )

    def _on_level2(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        try:
            body = wire.decode_level2(frame)
            return list(self._books(body, _natives(frame, body.timestamp), ts_recv))
        except UNDECODABLE as error:  # nothing is numbered for each book that would show the loss later
            return Unreadable(frame, error), Gap(BOOK, None, f"an update could not be read: {error}")

    def _books(self, body: wire.Level2Frame, natives: Iterator[str], ts_recv: int) -> Iterator[Decoded]:
        ts_event = read_time(body.timestamp)
        for event in body.events:
            product = self._products[event.product_id]
            is_snapshot = event.type == "snapshot"
            bids, asks = _sides(event.updates, is_snapshot=is_snapshot)
            yield product.delta(
                id=product.book_id + next(natives),
                ts_event=ts_event,
                ts_recv=ts_recv,
                bids=bids,
                asks=asks,
                is_snapshot=is_snapshot,
            )

    def _on_candles(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        body = wire.decode_candles(frame)
        ts_event, natives = read_time(body.timestamp), _natives(frame, body.timestamp)
        for row in (row for event in body.events for row in event.candles):
            product = self._products[row.product_id]
            yield product.candle(
                id=f"{product.candle_id}{_TIMEFRAME}-{next(natives)}",
                ts_event=ts_event,
                ts_recv=ts_recv,
                timeframe=_TIMEFRAME,
                open=price_text(row.open, "open"),
                high=price_text(row.high, "high"),
                low=price_text(row.low, "low"),
                close=price_text(row.close, "close"),
                volume=unsigned(row.volume, "volume"),
                closed=False,  # the venue marks none as closed
                start_ts=int(unsigned(row.start, "start")) * NS,
            )

    def _on_subscriptions(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        del ts_recv
        for event in wire.decode_subscriptions(frame).events:
            for channel, products in event.subscriptions.items():
                yield from (Ack(f"{channel}:{product}") for product in products)


def _listed(read: Callable[[bytes, int], Iterator[Decoded]]) -> Callable[[bytes, int], Sequence[Decoded]]:
    return lambda frame, ts_recv: list(read(frame, ts_recv))


def _number(row: wire.Trade) -> tuple[int, str]:
    """Return what sorts trades by their numbers, however long these are."""
    if not (row.trade_id.isascii() and row.trade_id.isdigit()):
        raise FrameError(f"trade_id: {row.trade_id[:40]!r} is no number", field="trade_id")
    return len(row.trade_id), row.trade_id


def _sides(rows: list[wire.Change], *, is_snapshot: bool) -> tuple[Levels, Levels]:
    if not is_snapshot:
        return read_changes([(row.side, row.price_level, row.new_quantity) for row in rows], "bid")
    bids = [(row.price_level, row.new_quantity) for row in rows if row.side == "bid"]
    asks = [(row.price_level, row.new_quantity) for row in rows if row.side == "offer"]
    return read_levels(bids, "updates"), read_levels(asks, "updates")


def _natives(frame: bytes, timestamp: str) -> Iterator[str]:
    """Number the frame's events: its time, a checksum of its bytes, and the position where there are several."""
    first = f"{read_time(timestamp)}-{crc32(frame):08x}"
    yield first
    position = 0
    while True:
        position += 1
        yield f"{first}-{position}"
