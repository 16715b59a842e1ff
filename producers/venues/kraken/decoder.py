"""Kraken's decoder: routes the frames of a WebSocket v2 connection and makes events of them.

https://docs.kraken.com/exchange/api-reference/spot-websocket
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from zlib import crc32

import msgspec

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import rows_at
from producers.normalize import numbers
from producers.venue import Ack, Closing, Decoded, Decoder, FindInstrument, Pong, Proof, Refused
from producers.venues.kraken import wire
from producers.venues.kraken.plan import CHANNEL_NAMES, TIMEFRAMES, VENUE_ID, channel_of
from producers.venues.kraken.v1 import V1Decoder, decode_answer, split_trades

FastTrade = fast(events.Trade)
FastTicker = fast(events.Ticker)
FastDelta = fast(events.BookDelta)
FastCandle = fast(events.Candle)

_START: Final = b'{"channel":"'
_NOT_CARRIED: Final = frozenset({"status", "instrument", "level3", "executions", "balances"})
_ALREADY: Final = "already subscribed"  # the text is not documented; the channel speaks all the same
_replace: Final = msgspec.structs.replace


class Pair:
    """One pair's constants on a connection."""

    __slots__ = ("instrument", "symbol", "tail", "ticker", "trade_id", "venue_symbol")

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.venue_symbol = instrument.venue_symbol
        self.tail = instrument.tail
        self.trade_id = f"{instrument.tail}.trade."
        self.ticker = FastTicker(
            id="", venue=VENUE_ID, symbol=self.symbol, venue_symbol=self.venue_symbol, ts_event=None, ts_recv=0, sim=sim
        )


class KrakenDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's v2 name (`BTC/USD`)."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._pairs: dict[str, Pair] = {}
        self._v1 = V1Decoder(find, sim=sim)
        self._routes: dict[str, Callable[[bytes, int], Sequence[Decoded]]] = {
            "trade": self._on_trades,
            "book": self._on_books,
            "ticker": self._on_tickers,
            "ohlc": self._on_candles,
            "heartbeat": lambda frame, ts_recv: (Pong(),),  # noqa: ARG005 - it says only that the connection lives
        }

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: a push, whose channel its start tells without parsing, an answer, or a frame of v1."""
        if frame.startswith(_START):
            channel = frame[12 : frame.find(b'"', 12)].decode("ascii", "replace")
        elif frame.startswith(b"["):
            return self._v1.decode(frame, ts_recv)
        else:
            head = wire.decode_head(frame)
            if head.event is not None:
                return decode_answer(frame)
            if head.channel is None:
                return _decode_answer(head)
            channel = head.channel
        route = self._routes.get(channel)
        if route is not None:
            return route(frame, ts_recv)
        if bytes(wire.decode_head(frame).data) == b"null" or channel in _NOT_CARRIED:
            return ()  # without data it is a message about the connection
        raise FrameError(f"unknown channel {channel!r}", channel=channel)

    def _pair(self, symbol: str) -> Pair:
        pair = self._pairs.get(symbol)
        if pair is None:
            pair = self._pairs[symbol] = Pair(self._find(symbol), sim=self._sim)
        return pair

    def _on_trades(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read trades; the backlog that a snapshot repeats is put into order, its ids are those of before.

        `trade_id` is a sequence number of the pair's trades (https://docs.kraken.com/api/docs/websocket-v2/trade).
        """
        message = wire.decode_trades(frame)
        rows = message.data if message.type == "update" else sorted(message.data, key=lambda row: row.trade_id)
        found: list[Decoded] = []
        for row in rows:
            pair, native = self._pair(row.symbol), str(row.trade_id)
            found.append(
                FastTrade(
                    id=pair.trade_id + native,
                    venue=VENUE_ID,
                    symbol=pair.symbol,
                    venue_symbol=pair.venue_symbol,
                    ts_event=wire.time(row.timestamp, "data.timestamp"),
                    ts_recv=ts_recv,
                    sim=self._sim,
                    trade_id=native,
                    price=numbers.price(row.price, "data.price"),
                    amount=numbers.number(row.qty, "data.qty"),
                    side=row.side,
                    seq=row.trade_id,
                )
            )
        return found

    def _on_books(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read snapshots and changes, each with the checksum of the book after it. There are no sequence numbers."""
        message = wire.decode_books(frame)
        is_snapshot = message.type == "snapshot"
        found: list[Decoded] = []
        stamp = f"{crc32(frame):08x}"
        for place, row in enumerate(message.data):
            pair, ts_event = self._pair(row.symbol), wire.optional_time(row.timestamp, "data.timestamp")
            found.append(
                FastDelta(
                    id=f"{pair.tail}.delta.{ts_event or 0}-{stamp}" + (f"-{place}" if place else ""),
                    venue=VENUE_ID,
                    symbol=pair.symbol,
                    venue_symbol=pair.venue_symbol,
                    ts_event=ts_event,
                    ts_recv=ts_recv,
                    sim=self._sim,
                    bids=wire.read_levels(row.bids, "data.bids"),
                    asks=wire.read_levels(row.asks, "data.asks"),
                    seq=None,
                    is_snapshot=is_snapshot,
                )
            )
            if row.checksum is not None:
                found.append(Proof(pair.instrument, row.checksum))
        return found

    def _on_tickers(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read tickers. A price of 0 stands for no price; a ticker that then says nothing is left out."""
        found: list[Decoded] = []
        stamp = f"{crc32(frame):08x}"
        for place, row in enumerate(wire.decode_tickers(frame).data):
            pair = self._pair(row.symbol)
            ts_event = wire.optional_time(row.timestamp, "data.timestamp")
            bid, bid_amount = _quote(row.bid, row.bid_qty, "bid")
            ask, ask_amount = _quote(row.ask, row.ask_qty, "ask")
            last = numbers.optional_price(row.last, "data.last")
            if bid is None and ask is None and last is None:
                continue
            found.append(
                _replace(
                    pair.ticker,
                    id=f"{pair.tail}.ticker.{ts_event or 0}-{stamp}" + (f"-{place}" if place else ""),
                    ts_event=ts_event,
                    ts_recv=ts_recv,
                    last=last,
                    bid=bid,
                    bid_amount=bid_amount,
                    ask=ask,
                    ask_amount=ask_amount,
                    high_24h=numbers.optional_price(row.high, "data.high"),
                    low_24h=numbers.optional_price(row.low, "data.low"),
                    volume_24h=numbers.optional_amount(row.volume, "data.volume"),
                    change_24h=numbers.optional(row.change_pct, "data.change_pct"),
                )
            )
        return found

    def _on_candles(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Read candles; the venue marks none as closed."""
        found: list[Decoded] = []
        for row in wire.decode_candles(frame).data:
            timeframe = TIMEFRAMES.get(row.interval)
            if timeframe is None:
                continue
            pair, start = self._pair(row.symbol), wire.time(row.interval_begin, "data.interval_begin")
            volume = numbers.number(row.volume, "data.volume")
            bar = [
                numbers.price(raw, "data.open, high, low, close") for raw in (row.open, row.high, row.low, row.close)
            ]
            found.append(
                FastCandle(
                    id=f"{pair.tail}.candle.{timeframe}-{start}-{row.trades}-{volume}-{'-'.join(bar)}",
                    venue=VENUE_ID,
                    symbol=pair.symbol,
                    venue_symbol=pair.venue_symbol,
                    ts_event=None,
                    ts_recv=ts_recv,
                    sim=self._sim,
                    timeframe=timeframe,
                    open=bar[0],
                    high=bar[1],
                    low=bar[2],
                    close=bar[3],
                    volume=volume,
                    quote_volume=None,
                    trades=row.trades,
                    closed=False,
                    start_ts=start,
                )
            )
        return found


def _quote(price: msgspec.Raw, amount: msgspec.Raw, side: str) -> tuple[str | None, str | None]:
    return numbers.quote(
        numbers.optional_price(price, f"data.{side}"), numbers.optional_amount(amount, f"data.{side}_qty")
    )


def _decode_answer(head: wire.Head) -> Sequence[Decoded]:
    """Read an answer: one comes for each pair of a request."""
    if head.alarm is not None:
        return (Closing(head.alarm, 1.0),)
    if head.method == "pong":
        return (Pong(),)
    if head.method is None and head.error is not None:
        return (Refused(None if head.req_id is None else str(head.req_id), head.error),)
    if head.method is None:
        raise FrameError("a frame has neither channel nor method", field="channel, method")
    if head.success is False:
        return _refusals(head) if head.method == "subscribe" else ()
    if head.method != "subscribe" or head.result is None or head.result.channel is None:
        return ()
    symbol = head.result.symbol
    return (Ack(head.result.channel if symbol is None else f"{head.result.channel}:{symbol}"),)


def _refusals(head: wire.Head) -> Sequence[Decoded]:
    """Name what was refused: the error names the pair, its request's id tells the channel.

    Without either, a pair is refused on every channel; without both, the error is about whatever still waits.
    """
    reason = head.error or "refused without a reason"
    channel = None if head.req_id is None else channel_of(head.req_id)
    keys = [f"{name}:{head.symbol}" for name in CHANNEL_NAMES if channel in {None, name}] if head.symbol else []
    if keys and reason.lower().startswith(_ALREADY):
        return [Ack(key) for key in keys]
    if keys:
        return [Refused(key, reason) for key in keys]
    return (Refused(None if head.req_id is None else str(head.req_id), reason),)


_split_data: Final = rows_at(("data",))


def split(frame: bytes) -> list[bytes]:
    """Split a push of many rows: of v2 those of `data` (a row of books is one book's update), of v1 the trades."""
    return split_trades(frame) if frame.startswith(b"[") else _split_data(frame)


def make_decoder(market: str, find: FindInstrument, *, sim: bool) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return KrakenDecoder(find, sim=sim)
