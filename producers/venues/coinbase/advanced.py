"""Decodes the frames of Advanced Trade's market data feed: recordings of Coinbase hold some; nothing subscribes to it.

Channels and fields: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
Every frame is `{"channel":"…","timestamp":"2026-11-21T20:00:00.123456789Z","sequence_num":3,"events":[…]}`; the
sequence counts the connection's frames, not a product's, so that no event carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, Literal
from zlib import crc32

import msgspec
from msgspec.structs import replace

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from producers.venue import Ack, Decoded, Pong
from producers.venues.coinbase.wire import (
    NS,
    Levels,
    Product,
    optional_number,
    read_changes,
    read_levels,
    read_number,
    read_time,
    signed,
)

FastCandle = fast(market.Candle)

# `side` is read as the maker's, as on the Exchange feed. The channel's page does not say; adapters that state it agree:
# https://nautilustrader.io/docs/rust-api-latest/nautilus_coinbase/http/parse/fn.coinbase_side_to_aggressor.html
_TAKER: Final[dict[str, str]] = {"BUY": "sell", "SELL": "buy"}
_TIMEFRAME: Final = "5m"  # the candles channel has no other
_NOT_CARRIED: Final = frozenset({"status", "user", "futures_balance_summary"})


class _Trade(msgspec.Struct):
    """`{"trade_id":"10","product_id":"BTC-USD","price":"91000.16","size":"0.05","side":"SELL","time":"…"}`."""

    product_id: str
    trade_id: str
    price: str
    size: str
    time: str
    side: str


class _Trades(msgspec.Struct):
    trades: list[_Trade]


class _Ticker(msgspec.Struct):
    """`{"type":"ticker","product_id":"BTC-USD","price":"91000.16","volume_24_h":"42.5","low_24_h":"89000","high_24_h":
    "91500","price_percent_chg_24_h":"1.85","best_bid":"91000.15","best_bid_quantity":"0.6","best_ask":"91000.16",
    "best_ask_quantity":"0.2"}`; ticker_batch has no best bid and ask.
    """  # noqa: D205

    product_id: str
    price: str
    volume_24_h: str | None = None
    low_24_h: str | None = None
    high_24_h: str | None = None
    price_percent_chg_24_h: str | None = None
    best_bid: str | None = None
    best_bid_quantity: str | None = None
    best_ask: str | None = None
    best_ask_quantity: str | None = None


class _Tickers(msgspec.Struct):
    tickers: list[_Ticker]


class _Change(msgspec.Struct):
    """`{"side":"offer","event_time":"…","price_level":"91000.1","new_quantity":"0.5"}`."""

    side: Literal["bid", "offer"]
    price_level: str
    new_quantity: str


class _Level2(msgspec.Struct):
    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[_Change]


class _Candle(msgspec.Struct):
    """`{"start":"1763755200","high":"91500","low":"89000","open":"90000","close":"91000","volume":"42.5","product_id":
    "BTC-USD"}`: `start` in seconds.
    """  # noqa: D205

    product_id: str
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class _Candles(msgspec.Struct):
    candles: list[_Candle]


class _Subscribed(msgspec.Struct):
    subscriptions: dict[str, list[str]]


class _TradesFrame(msgspec.Struct):
    events: list[_Trades]


class _TickersFrame(msgspec.Struct):
    timestamp: str
    events: list[_Tickers]


class _Level2Frame(msgspec.Struct):
    timestamp: str
    events: list[_Level2]


class _CandlesFrame(msgspec.Struct):
    timestamp: str
    events: list[_Candles]


class _SubscriptionsFrame(msgspec.Struct):
    events: list[_Subscribed]


_trades: Final = msgspec.json.Decoder(_TradesFrame).decode
_tickers: Final = msgspec.json.Decoder(_TickersFrame).decode
_level2: Final = msgspec.json.Decoder(_Level2Frame).decode
_candles: Final = msgspec.json.Decoder(_CandlesFrame).decode
_subscriptions: Final = msgspec.json.Decoder(_SubscriptionsFrame).decode


class AdvancedDecoder:
    """Decodes Advanced Trade frames by channel; `product` gives the constants of a product id."""

    def __init__(self, product: Callable[[str], Product], *, sim: bool) -> None:
        self._product = product
        self._sim = sim
        self._by_channel: dict[str, Callable[[bytes, int], Iterable[Decoded]]] = {
            "market_trades": self._on_trades,
            "ticker": self._on_tickers,
            "ticker_batch": self._on_tickers,
            "l2_data": self._on_level2,
            "candles": self._on_candles,
            "heartbeats": lambda frame, ts_recv: (Pong(),),  # noqa: ARG005 - it says only that the connection lives
            "subscriptions": self._on_subscriptions,
        }

    def decode(self, channel: str, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame of `channel`; an unknown channel is an error that names it."""
        handler = self._by_channel.get(channel)
        if handler is not None:
            return list(handler(frame, ts_recv))
        if channel in _NOT_CARRIED:
            return ()
        raise FrameError(f"channel: {channel!r} is no channel of Advanced Trade", channel=channel)

    def _on_trades(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        for row in (row for event in _trades(frame).events for row in event.trades):
            product = self._product(row.product_id)
            yield replace(
                product.trade,
                id=product.trade_id + row.trade_id,
                ts_event=read_time(row.time),
                ts_recv=ts_recv,
                trade_id=row.trade_id,
                price=read_number(row.price, "price"),
                amount=read_number(row.size, "size"),
                side=_TAKER.get(row.side),
            )

    def _on_tickers(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        body = _tickers(frame)
        ts_event, natives = read_time(body.timestamp), _natives(frame, body.timestamp)
        for row in (row for event in body.events for row in event.tickers):
            product = self._product(row.product_id)
            yield replace(
                product.ticker,
                id=product.ticker_id + next(natives),
                ts_event=ts_event,
                ts_recv=ts_recv,
                last=read_number(row.price, "price"),
                bid=optional_number(row.best_bid, "best_bid"),
                bid_amount=optional_number(row.best_bid_quantity, "best_bid_quantity"),
                ask=optional_number(row.best_ask, "best_ask"),
                ask_amount=optional_number(row.best_ask_quantity, "best_ask_quantity"),
                high_24h=optional_number(row.high_24_h, "high_24_h"),
                low_24h=optional_number(row.low_24_h, "low_24_h"),
                volume_24h=optional_number(row.volume_24_h, "volume_24_h"),
                change_24h=_percent(row.price_percent_chg_24_h),
            )

    def _on_level2(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        body = _level2(frame)
        ts_event, natives = read_time(body.timestamp), _natives(frame, body.timestamp)
        for event in body.events:
            product = self._product(event.product_id)
            is_snapshot = event.type == "snapshot"
            bids, asks = _sides(event.updates, is_snapshot=is_snapshot)
            yield replace(
                product.delta,
                id=product.book_id + next(natives),
                ts_event=ts_event,
                ts_recv=ts_recv,
                bids=bids,
                asks=asks,
                is_snapshot=is_snapshot,
            )

    def _on_candles(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        body = _candles(frame)
        ts_event, natives = read_time(body.timestamp), _natives(frame, body.timestamp)
        for row in (row for event in body.events for row in event.candles):
            product = self._product(row.product_id)
            yield FastCandle(
                id=f"{product.candle_id}{_TIMEFRAME}-{next(natives)}",
                venue="coinbase",
                symbol=product.symbol,
                venue_symbol=product.venue_symbol,
                ts_event=ts_event,
                ts_recv=ts_recv,
                sim=self._sim,
                timeframe=_TIMEFRAME,
                open=read_number(row.open, "open"),
                high=read_number(row.high, "high"),
                low=read_number(row.low, "low"),
                close=read_number(row.close, "close"),
                volume=read_number(row.volume, "volume"),
                quote_volume=None,
                trades=None,
                closed=False,  # the venue marks no candle as closed
                start_ts=int(read_number(row.start, "start")) * NS,
            )

    def _on_subscriptions(self, frame: bytes, ts_recv: int) -> Iterator[Decoded]:
        del ts_recv
        for event in _subscriptions(frame).events:
            for channel, products in event.subscriptions.items():
                yield from (Ack(f"{channel}:{product}") for product in products)


def _sides(rows: list[_Change], *, is_snapshot: bool) -> tuple[Levels, Levels]:
    if not is_snapshot:
        return read_changes(((row.side, row.price_level, row.new_quantity) for row in rows), "bid")
    bids = ((row.price_level, row.new_quantity) for row in rows if row.side == "bid")
    asks = ((row.price_level, row.new_quantity) for row in rows if row.side == "offer")
    return read_levels(bids, "updates"), read_levels(asks, "updates")


def _natives(frame: bytes, timestamp: str) -> Iterator[str]:
    """Number the frame's events: its time, a checksum of its bytes, and the position where there are several."""
    first = f"{read_time(timestamp)}-{crc32(frame):08x}"
    yield first
    position = 0
    while True:
        position += 1
        yield f"{first}-{position}"


def _percent(text: str | None) -> str | None:
    """Read a signed percentage; an exponent (tiny changes come as 5E-05) is written out."""
    if not text or signed(text) is not None:
        return text or None
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise FrameError(f"price_percent_chg_24_h: {text!r} is no number", field="price_percent_chg_24_h") from error
    return format(number, "f")
