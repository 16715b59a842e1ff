"""The decoder of the Exchange feed: finds a frame's handler, reads answers and heartbeats.

Frames of Advanced Trade are passed on to their own decoder.

Channels and fields: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from contracts.errors import FrameError
from producers.normalize.events import Makers
from producers.normalize.topics import Topics
from producers.venue import (
    Ack,
    Closing,
    Decoded,
    Decoder,
    FindInstrument,
    LastTrade,
    Pong,
    Refused,
)
from producers.venues.coinbase import events, tables, wire
from producers.venues.coinbase.decoder_advanced import AdvancedDecoder
from producers.venues.coinbase.plan import DATA_CHANNELS, LEVEL2
from producers.venues.coinbase.topics import Product

_LEVEL2_NAMES: Final = frozenset({"level2", "level2_50", LEVEL2})  # the list answers level2_50 for level2_batch
_NOT_CARRIED: Final = frozenset(
    {"received", "open", "done", "change", "activate", "status", "auction", "rfq_match", "balance"}
)
_PRODUCT: Final = re.compile(r"\b[A-Z0-9]+-[A-Z0-9]+\b")
_CLOSES: Final = ("ErrSlowConsume", "ErrSlowRead", "Message too big")
_PREFIX: Final = b'{"type":"'
_ADVANCED: Final = b'{"channel":"'


class ExchangeDecoder:
    """Decodes one connection's frames. Remembers the products' constants and the last time of each book."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._products = Topics(lambda product_id: Product(find(product_id), makers=makers))
        self._advanced: AdvancedDecoder | None = None
        find_trade, find_ticker = (
            partial(find, self._products) for find in (tables.trade_makers, tables.ticker_makers)
        )
        on_match = tables.TRADES.reader_of_many(partial(events.on_match, self._products), find_trade)
        on_ticker = tables.TICKERS.reader_of_many(partial(events.on_ticker, self._products), find_ticker)
        self._by_type: dict[bytes, Callable[[bytes, int], Sequence[Decoded]]] = {
            b"match": on_match,
            b"last_match": on_match,
            b"ticker": on_ticker,
            b"snapshot": partial(events.on_snapshot, self._products),
            b"l2update": partial(events.on_l2update, self._products),
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
        elif frame.startswith(_ADVANCED):
            handler = self._advanced_decoder().by_channel.get(frame[12 : frame.find(b'"', 12)])
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
            return self._advanced_decoder().decode(head.channel, frame, ts_recv)
        raise FrameError("type: missing, and there is no channel either", field="type")

    def _advanced_decoder(self) -> AdvancedDecoder:
        """Return the decoder of Advanced Trade's frames, made with the first of them: few connections meet any."""
        if self._advanced is None:
            self._advanced = AdvancedDecoder(self._products)
        return self._advanced

    def _on_heartbeat(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        del ts_recv
        row = wire.decode_heartbeat(frame)
        if not row.last_trade_id:
            return (Pong(),)
        return (LastTrade(instrument=self._products[row.product_id].instrument, trade_id=str(row.last_trade_id)),)

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


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return ExchangeDecoder(find, makers=makers)
