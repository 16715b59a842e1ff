"""Decodes the frames of the Exchange feed; those of Advanced Trade are passed on to their own decoder.

Channels and fields: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from contracts.errors import FrameError
from producers.connection.frames import UNDECODABLE
from producers.normalize.numbers import figures, positive, quote, traded
from producers.venue import (
    BOOK,
    Ack,
    Closing,
    Decoded,
    Decoder,
    FindInstrument,
    Gap,
    LastTrade,
    Pong,
    Refused,
    Unreadable,
)
from producers.venues.coinbase import wire
from producers.venues.coinbase.advanced import AdvancedDecoder
from producers.venues.coinbase.plan import DATA_CHANNELS, LEVEL2
from producers.venues.coinbase.wire import Levels, Product, optional_time, read_changes, read_levels, read_time

# The venue names the maker's side; the trade's is the other one.
_TAKER: Final[dict[str, str]] = {"buy": "sell", "sell": "buy"}
_LEVEL2_NAMES: Final = frozenset({"level2", "level2_50", LEVEL2})  # the list answers level2_50 for level2_batch
_NOT_CARRIED: Final = frozenset(
    {"received", "open", "done", "change", "activate", "status", "auction", "rfq_match", "balance"}
)
_TRADED: Final = ("price", "size")
_TICKER_FIGURES: Final = (
    *("price", "best_bid", "best_bid_size", "best_ask", "best_ask_size"),
    *("open_24h", "high_24h", "low_24h", "volume_24h"),
)
_PRODUCT: Final = re.compile(r"\b[A-Z0-9]+-[A-Z0-9]+\b")
_CLOSES: Final = ("ErrSlowConsume", "ErrSlowRead", "Message too big")


_PREFIX: Final = b'{"type":"'


class ExchangeDecoder:
    """Decodes one connection's frames. Remembers the products' constants and the last time of each book."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._products: dict[str, Product] = {}
        self._advanced = AdvancedDecoder(self._product, sim=sim)
        self._by_type: dict[bytes, Callable[[bytes, int], Sequence[Decoded]]] = {
            b"match": self._on_match,
            b"last_match": self._on_match,
            b"ticker": self._on_ticker,
            b"snapshot": self._on_snapshot,
            b"l2update": self._on_l2update,
            b"heartbeat": self._on_heartbeat,
            b"subscriptions": self._on_subscriptions,
            b"error": self._on_error,
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame; an unknown type or channel is an error that names it."""
        if frame.startswith(_PREFIX):
            handler = self._by_type.get(frame[9 : frame.find(b'"', 9)])
            if handler is not None:
                return handler(frame, ts_recv)
        return self._by_head(frame, ts_recv)

    def _by_head(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        head = wire.decode_head(frame)
        if head.type is not None:
            handler = self._by_type.get(head.type.encode())
            if handler is not None:
                return handler(frame, ts_recv)
            if head.type in _NOT_CARRIED or head.channel is head.product_id is None:
                return ()  # the page: new types of messages may come at any time, and are to be ignored
            raise FrameError(f"type: {head.type!r} is no frame of this feed", type=head.type)
        if head.channel is not None:
            return self._advanced.decode(head.channel, frame, ts_recv)
        raise FrameError("type: missing, and there is no channel either", field="type")

    def _product(self, product_id: str) -> Product:
        product = self._products.get(product_id)
        if product is None:
            product = self._products[product_id] = Product(self._find(product_id), sim=self._sim)
        return product

    def _on_match(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = wire.decode_match(frame)
        product = self._products.get(row.product_id) or self._product(row.product_id)
        trade_id = str(row.trade_id)
        price, amount = traded(row.price, row.size, _TRADED)
        return (
            replace(
                product.trade,
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

    def _on_ticker(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = wire.decode_ticker(frame)
        product = self._product(row.product_id)
        found = figures((row.price, row.best_bid, row.best_bid_size, row.best_ask, row.best_ask_size,
                         row.open_24h, row.high_24h, row.low_24h, row.volume_24h), _TICKER_FIGURES)  # fmt: skip
        bid, bid_amount = quote(found[1], found[2])
        ask, ask_amount = quote(found[3], found[4])
        return (
            replace(
                product.ticker,
                # A sequence comes again with other figures: a checksum of the frame tells them apart.
                id=f"{product.ticker_id}{row.sequence or 0}-{crc32(frame):08x}",
                ts_event=read_time(row.time) if row.time else None,
                ts_recv=ts_recv,
                last=positive(found[0]),
                bid=bid,
                bid_amount=bid_amount,
                ask=ask,
                ask_amount=ask_amount,
                open_24h=positive(found[5]),
                high_24h=positive(found[6]),
                low_24h=positive(found[7]),
                volume_24h=found[8] or None,
                seq=row.sequence,
            ),
        )

    def _on_snapshot(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        try:
            row = wire.decode_snapshot(frame)
            return (self._delta(row, (read_levels(row.bids, "bids"), read_levels(row.asks, "asks")), (frame, ts_recv)),)
        except UNDECODABLE as error:
            return self._lost(frame, error)

    def _on_l2update(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        try:
            row = wire.decode_l2update(frame)
            return (self._delta(row, read_changes(row.changes, "buy"), (frame, ts_recv)),)
        except UNDECODABLE as error:
            return self._lost(frame, error)

    def _lost(self, frame: bytes, error: Exception) -> Sequence[Decoded]:
        """Say which book lost an update that cannot be read: nothing is numbered here that would show it later."""
        try:
            instrument = self._product(wire.decode_owner(frame).product_id).instrument
        except UNDECODABLE:
            instrument = None
        return Unreadable(frame, error), Gap(BOOK, instrument, f"an update could not be read: {error}")

    def _delta(
        self,
        row: wire.Snapshot | wire.L2Update,
        sides: tuple[Levels, Levels],
        origin: tuple[bytes, int],
    ) -> Decoded:
        product = self._product(row.product_id)
        frame, ts_recv = origin
        own = optional_time(row.time)
        if own is not None:
            product.last_ts = own
        return replace(
            product.delta,
            # The feed numbers nothing here: the frame's own time and a checksum of its bytes tell frames apart.
            id=f"{product.book_id}{own or 0}-{crc32(frame):08x}",
            ts_event=product.last_ts if own is None and row.time is not None else own,
            ts_recv=ts_recv,
            bids=sides[0],
            asks=sides[1],
            is_snapshot=type(row) is wire.Snapshot,
        )

    def _on_heartbeat(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        del ts_recv
        row = wire.decode_heartbeat(frame)
        if not row.last_trade_id:
            return (Pong(),)
        return (LastTrade(instrument=self._product(row.product_id).instrument, trade_id=str(row.last_trade_id)),)

    def _on_subscriptions(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        del ts_recv
        names = (
            (LEVEL2 if item.name in _LEVEL2_NAMES else item.name, item)
            for item in wire.decode_subscriptions(frame).channels
        )
        return [Ack(f"{name}:{product}") for name, item in names for product in item.product_ids or ()]

    def _on_error(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Refuse all channels of the products that the text names, or nothing in particular (`ref` None)."""
        del ts_recv
        row = wire.decode_error(frame)
        reason = ": ".join(part for part in (row.message, row.reason) if part) or "no reason given"
        if any(word in reason for word in _CLOSES):
            return (Closing(reason, 0.0),)
        products = dict.fromkeys(_PRODUCT.findall(reason))
        named = [Refused(f"{channel}:{product}", reason) for product in products for channel in DATA_CHANNELS]
        return named or (Refused(None, reason),)


def make_decoder(market: str, find: FindInstrument, *, sim: bool) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return ExchangeDecoder(find, sim=sim)
