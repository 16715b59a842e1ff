"""Kraken Futures' decoder: routes the frames of one socket (https://docs.kraken.com/exchange/api-reference/futures-websocket)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from zlib import crc32

from contracts.errors import FrameError
from producers.normalize.events import Makers
from producers.normalize.tables import MakersOfEvents
from producers.normalize.topics import Topics
from producers.venue import Ack, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.krakenfutures import events, tables, wire
from producers.venues.krakenfutures.plan import HEARTBEAT
from producers.venues.krakenfutures.topics import Product

_START: Final = b'{"feed":"'
_EVENT: Final = b'"event"'
_BENIGN: Final = "already subscribed"
# Feeds of accounts, on sockets that are not ours.
_NOT_CARRIED: Final = frozenset(
    {
        *("open_orders", "open_orders_verbose", "open_orders_snapshot", "open_orders_verbose_snapshot", "fills"),
        *("fills_snapshot", "open_positions", "account_log", "account_log_snapshot", "balances", "balances_snapshot"),
        *("notifications_auth", "account_balances_and_margins"),
    }
)


class KrakenFuturesDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's product id in upper case."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._products = Topics(lambda product_id: Product(find(product_id.upper()), makers=makers))
        self._feeds: dict[str, Callable[[bytes, int], Sequence[Decoded]]] = {
            "book": self._on_change,
            "book_snapshot": self._on_snapshot,
            "trade": tables.TRADES.reader_of_many(self._on_trade, self._trade_makers),
            "trade_snapshot": self._on_backlog,
            "ticker": self._on_ticker,
            "ticker_lite": self._on_ticker,
            HEARTBEAT: lambda frame, ts_recv: (Pong(),),  # noqa: ARG005 - it says only that the connection lives
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: a push, whose feed its start names, or an answer."""
        if frame.startswith(_START):
            feed = frame[9 : frame.find(b'"', 9)].decode("ascii", "replace")
            route = self._feeds.get(feed)
            if route is not None and _EVENT not in frame[:64]:
                return route(frame, ts_recv)
        head = wire.decode_head(frame)
        if head.event is not None:
            return _decode_answer(head)
        if head.feed is None:
            raise FrameError("a frame has neither event nor feed", field="feed")
        route = self._feeds.get(head.feed)
        if route is not None:
            return route(frame, ts_recv)
        if head.feed in _NOT_CARRIED:
            return ()
        raise FrameError(f"unknown feed {head.feed!r}", channel=head.feed)

    def _on_change(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = wire.decode_book_change(frame)
        return (events.decode_book_change(self._products[row.product_id], row, ts_recv),)

    def _on_snapshot(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = wire.decode_book_snapshot(frame)
        return (events.decode_book_snapshot(self._products[row.product_id], row, ts_recv),)

    def _on_trade(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = wire.decode_trade(frame)
        return self._decode_trade(row, ts_recv)

    def _decode_trade(self, row: wire.Trade, ts_recv: int) -> list[Decoded]:
        """Read one trade; from the first number on that is passed over, tables do not suffice."""
        product = self._products[row.product_id]
        found = events.decode_trade(product, row, ts_recv)
        if product.passed:
            self._feeds["trade"] = self._on_trade
        return found

    def _trade_makers(self, product_id: str) -> MakersOfEvents | None:
        product = self._products.get(product_id)
        if product is None or product.instrument.sized_in_contracts:
            return None
        return ((product.trade, f"{product.tail}.trade."),)

    def _on_backlog(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read the trades before the subscription, which always come, oldest first; their ids are those of before."""
        rows = wire.decode_trade_snapshot(frame).trades
        return [event for row in reversed(rows) for event in self._decode_trade(row, ts_recv)]

    def _on_ticker(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = wire.decode_ticker(frame)
        return events.decode_ticker(self._products[row.product_id], row, ts_recv, f"{crc32(frame):08x}")


def _decode_answer(head: wire.Head) -> Sequence[Decoded]:
    """Read an answer; one may name several products. Errors name neither a feed nor a product."""
    keys = [HEARTBEAT] if head.feed == HEARTBEAT else [f"{head.feed}:{name}" for name in head.product_ids or ()]
    text = head.message or f"{head.event} without a reason"
    match head.event:
        case "subscribed":
            return [Ack(key) for key in keys]
        case "subscribed_failed":
            return [Refused(key, text) for key in keys] or (Refused(None, text),)
        case "alert" if text.lower().startswith(_BENIGN):
            return ()
        case "error" | "alert":
            return (Refused(None, text),)
        case "info" | "unsubscribed" | "unsubscribed_failed" | "challenge" | "pong":
            return ()
        case _ if bytes(head.data) == b"null":
            return ()  # without data it is a message about the connection
        case _:
            raise FrameError(f"unknown event {head.event!r}", field="event")


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return KrakenFuturesDecoder(find, makers=makers)
