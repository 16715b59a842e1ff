"""Decodes the frames of the Exchange feed; those of Advanced Trade are passed on to their own decoder.

Channels and fields: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal
from zlib import crc32

import msgspec
from msgspec.structs import replace

from contracts.errors import FrameError
from producers.venue import Ack, Closing, Decoded, Decoder, FindInstrument, LastTrade, Refused
from producers.venues.coinbase.advanced import AdvancedDecoder
from producers.venues.coinbase.plan import DATA_CHANNELS, LEVEL2
from producers.venues.coinbase.wire import (
    Levels,
    Product,
    are_plain,
    optional_number,
    optional_time,
    plain,
    read_changes,
    read_levels,
    read_number,
    read_time,
)

# The venue names the maker's side; the trade's is the other one.
_TAKER: Final[dict[str, str]] = {"buy": "sell", "sell": "buy"}
_LEVEL2_NAMES: Final = frozenset({"level2", "level2_50", LEVEL2})  # the list answers level2_50 for level2_batch
_NOT_CARRIED: Final = frozenset(
    {"received", "open", "done", "change", "activate", "status", "auction", "rfq_match", "balance"}
)
_TICKER_FIGURES: Final = (
    *("price", "best_bid", "best_bid_size", "best_ask", "best_ask_size"),
    *("open_24h", "high_24h", "low_24h", "volume_24h"),
)
_PRODUCT: Final = re.compile(r"\b[A-Z0-9]+-[A-Z0-9]+\b")
_CLOSES: Final = ("ErrSlowConsume", "ErrSlowRead", "Message too big")


class _Head(msgspec.Struct):
    type: str | None = None
    channel: str | None = None


class _Match(msgspec.Struct, gc=False):
    """`{"type":"match","trade_id":10,"sequence":50,"maker_order_id":"…","taker_order_id":"…","time":
    "2026-11-21T20:00:00.122581Z","product_id":"BTC-USD","size":"0.05","price":"91000.16","side":"sell"}`.
    """  # noqa: D205

    trade_id: int
    sequence: int
    product_id: str
    time: str
    size: str
    price: str
    side: Literal["buy", "sell"]


class _Ticker(msgspec.Struct, gc=False):
    """`{"type":"ticker","sequence":50,"product_id":"BTC-USD","price":"91000.16","open_24h":"90000","volume_24h":"42.5",
    "low_24h":"89000","high_24h":"91500","best_bid":"91000.15","best_bid_size":"0.6","best_ask":"91000.16",
    "best_ask_size":"0.2","side":"buy","time":"2026-11-21T20:00:00.122581Z","trade_id":10,"last_size":"0.05"}`.
    Before 2022 there were no sizes of the best bid and ask; before the first match there is no time.
    """  # noqa: D205

    sequence: int
    product_id: str
    price: str
    best_bid: str
    best_ask: str
    best_bid_size: str | None = None
    best_ask_size: str | None = None
    open_24h: str | None = None
    high_24h: str | None = None
    low_24h: str | None = None
    volume_24h: str | None = None
    time: str | None = None


class _Snapshot(msgspec.Struct, gc=False):
    """`{"type":"snapshot","product_id":"BTC-USD","bids":[["90999.9","1.2"]],"asks":[["91000.0","0.8"]],"time":"…"}`;
    older ones have no time.
    """  # noqa: D205

    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    time: str | None = None


class _L2Update(msgspec.Struct, gc=False):
    """`{"type":"l2update","product_id":"BTC-USD","time":"…","changes":[["buy","90999.90","0.00000000"]]}`: the side,
    the price and the new size of that level; older ones have no time.
    """  # noqa: D205

    product_id: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]
    time: str | None = None


class _Heartbeat(msgspec.Struct):
    """`{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"…"}`, every second."""

    product_id: str
    last_trade_id: int


class _Listed(msgspec.Struct):
    name: str
    product_ids: list[str] | None = None


class _Subscriptions(msgspec.Struct):
    """`{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}`: the whole list."""

    channels: list[_Listed]


class _Error(msgspec.Struct):
    """`{"type":"error","message":"Failed to subscribe","reason":"FOO-USD is not a valid product"}`."""

    message: str = ""
    reason: str = ""


_match: Final = msgspec.json.Decoder(_Match).decode
_ticker: Final = msgspec.json.Decoder(_Ticker).decode
_snapshot: Final = msgspec.json.Decoder(_Snapshot).decode
_l2update: Final = msgspec.json.Decoder(_L2Update).decode
_heartbeat: Final = msgspec.json.Decoder(_Heartbeat).decode
_subscriptions: Final = msgspec.json.Decoder(_Subscriptions).decode
_error: Final = msgspec.json.Decoder(_Error).decode
_head: Final = msgspec.json.Decoder(_Head).decode

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
        head = _head(frame)
        if head.type is not None:
            handler = self._by_type.get(head.type.encode())
            if handler is not None:
                return handler(frame, ts_recv)
            if head.type in _NOT_CARRIED:
                return ()
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
        row = _match(frame)
        product = self._products.get(row.product_id) or self._product(row.product_id)
        trade_id = str(row.trade_id)
        price, size = row.price, row.size
        if plain(price) is None or plain(size) is None:
            read_number(price, "price")
            read_number(size, "size")
        return (
            replace(
                product.trade,
                id=product.trade_id + trade_id,
                ts_event=read_time(row.time),
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=price,
                amount=size,
                side=_TAKER[row.side],
                seq=row.sequence,
            ),
        )

    def _on_ticker(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = _ticker(frame)
        product = self._product(row.product_id)
        figures = (row.price, row.best_bid, row.best_bid_size or "", row.best_ask, row.best_ask_size or "",
                   row.open_24h or "", row.high_24h or "", row.low_24h or "", row.volume_24h or "")  # fmt: skip
        if not are_plain(figures):
            for name, figure in zip(_TICKER_FIGURES, figures, strict=True):
                optional_number(figure, name)
        return (
            replace(
                product.ticker,
                id=f"{product.ticker_id}{row.sequence}",
                ts_event=read_time(row.time) if row.time else None,
                ts_recv=ts_recv,
                last=row.price or None,
                bid=row.best_bid or None,
                bid_amount=row.best_bid_size or None,
                ask=row.best_ask or None,
                ask_amount=row.best_ask_size or None,
                open_24h=row.open_24h or None,
                high_24h=row.high_24h or None,
                low_24h=row.low_24h or None,
                volume_24h=row.volume_24h or None,
                seq=row.sequence,
            ),
        )

    def _on_snapshot(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = _snapshot(frame)
        sides = (read_levels(row.bids, "bids"), read_levels(row.asks, "asks"))
        return (self._delta(row, sides, (frame, ts_recv)),)

    def _on_l2update(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        row = _l2update(frame)
        return (self._delta(row, read_changes(row.changes, "buy"), (frame, ts_recv)),)

    def _delta(
        self,
        row: _Snapshot | _L2Update,
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
            is_snapshot=type(row) is _Snapshot,
        )

    def _on_heartbeat(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        del ts_recv
        row = _heartbeat(frame)
        return (LastTrade(instrument=self._product(row.product_id).instrument, trade_id=str(row.last_trade_id)),)

    def _on_subscriptions(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        del ts_recv
        names = ((LEVEL2 if item.name in _LEVEL2_NAMES else item.name, item) for item in _subscriptions(frame).channels)
        return [Ack(f"{name}:{product}") for name, item in names for product in item.product_ids or ()]

    def _on_error(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Refuse all channels of the products that the text names, or nothing in particular (`ref` None)."""
        del ts_recv
        row = _error(frame)
        reason = ": ".join(part for part in (row.message, row.reason) if part) or "no reason given"
        if any(word in reason for word in _CLOSES):
            return (Closing(reason, 0.0),)
        products = dict.fromkeys(_PRODUCT.findall(reason))
        named = [Refused(f"{channel}:{product}", reason) for product in products for channel in DATA_CHANNELS]
        return named or (Refused(None, reason),)


def make_decoder(market: str, find: FindInstrument, *, sim: bool) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return ExchangeDecoder(find, sim=sim)
