"""Bitfinex's decoder: learns a connection's channels from their acknowledgements and routes its frames.

https://docs.bitfinex.com/docs/ws-general
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from contracts.errors import FrameError, SymbolSyntaxError
from contracts.instrument import Instrument
from producers.connection.frames import UNDECODABLE
from producers.normalize.events import Makers
from producers.normalize.numbers import NULL
from producers.venue import (
    LIQUIDATION,
    TRADE,
    Ack,
    Closing,
    Decoded,
    Decoder,
    FindInstrument,
    Gap,
    Pong,
    Proof,
    Refused,
)
from producers.venues.bitfinex import events_book, events_candles, events_ticker, events_trades, wire
from producers.venues.bitfinex.plan import CONF, GLOBAL, LIQUIDATIONS
from producers.venues.bitfinex.topics import Channel, Decode

_RESTART: Final = 20051
_MAINTENANCE_ENDED: Final = 20061
_AT_ONCE: Final = 1.0
_PAIR: Final = 6  # letters of a pair without a colon
_KINDS: Final[dict[str, tuple[Decode, Decode]]] = {
    "trades": (events_trades.decode_trade, events_trades.decode_prints),
    "book": (events_book.decode_change, events_book.decode_book),
    "ticker": (events_ticker.decode_ticker, events_ticker.decode_ticker),
    "deriv": (events_ticker.decode_derivative, events_ticker.decode_derivative),
    "candles": (events_candles.decode_candle, events_candles.decode_candles),
}
_KEPT_BACK: Final = {
    TRADE: "trades",
    LIQUIDATION: LIQUIDATIONS,
}  # what no later frame repeats, if one was lost


class BitfinexDecoder:
    """Decodes one connection's frames. `find` gives instruments by the venue's symbol.

    `newest` are the ids of the newest trades by symbol; `before` those of the connection before this one, None where
    nothing is continued (a recording): then all prints with which a channel begins become events.
    """

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self.before: dict[str, int] | None = None
        self._find = find
        self._makers = makers
        self.liquidations = events_trades.Liquidations(self._instrument)
        self._channels: dict[bytes, Channel | None] = {}  # None: known, and not carried
        self._number: int | None = None
        self._lost: list[Decoded] = []

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame: an event, or data of a channel that the connection subscribed before."""
        if frame[:1] == b"{":
            return self._on_event(frame)
        name = frame[1 : frame.find(b",")]
        try:
            found = self._on_data(frame, name, ts_recv)
        except UNDECODABLE:
            self._on_unreadable(frame, name)
            raise
        if self._lost:
            found, self._lost = [*self._lost, *found], []
        return found

    def _on_data(self, frame: bytes, name: bytes, ts_recv: int) -> Sequence[Decoded]:
        start = len(name) + 2
        body = frame[start : start + 4]
        channel = self._channels.get(name)
        if channel is None or (body[:1] == b'"' and body != b'"te"'):
            return self._on_other(frame, name, ts_recv)
        return (channel.many if body[:2] in {b"[[", b"[]"} else channel.one)(channel, frame, ts_recv)

    def _on_unreadable(self, frame: bytes, name: bytes) -> None:
        """Count a frame that came and could not be read; a book is not continued by what follows it."""
        channel = self._channels.get(name)
        if channel is not None:
            channel.broken = True
        with suppress(*UNDECODABLE):  # its number cannot be read either: the next frame shows the hole
            self._stamp(*_tail(wire.decode_anything(frame)))

    @property
    def newest(self) -> dict[str, int]:
        """The newest trade that was received, by symbol, of this connection or the ones before."""
        own = {
            item.instrument.venue_symbol: item.newest
            for item in self._channels.values()
            if item is not None and item.instrument is not None and item.newest is not None
        }
        return (self.before or {}) | own

    def book_number(self, symbol: str) -> int | None:
        """Return the number of the channel on which a book comes."""
        for name, item in self._channels.items():
            if item is not None and item.kind == "book" and item.instrument and item.instrument.venue_symbol == symbol:
                return int(name)
        return None

    # ---- data
    def _on_other(self, frame: bytes, name: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode what is no plain row: heartbeats (which may come before the acknowledgement), prints, checksums."""
        message = wire.decode_anything(frame)
        body = str(message.body, "ascii", "replace")
        if body == '"hb"':
            self._stamp(message.first, message.second)
            return (Pong(),)
        channel = self._channels[name] if name in self._channels else self._channel_named(message, name)
        if channel is None:
            self._stamp(*_tail(message))
            return ()
        if body == '"te"':
            return channel.one(channel, frame, ts_recv)
        if body == '"cs"':
            return self._on_checksum(channel, frame)
        if body in {'"tu"', '"fte"', '"ftu"'}:
            self._stamp(message.second, message.third)
            return ()
        if body[:1] == '"':
            raise FrameError(f"unknown message {body} of {channel.kind}", field=channel.kind)
        return (channel.many if body[:2] in {"[[", "[]"} else channel.one)(channel, frame, ts_recv)

    def _channel_named(self, message: wire.Anything, name: bytes) -> Channel | None:
        """Make a channel of the names at a frame's end, which recordings may have in place of the acknowledgement."""
        kind, pair = (msgspec.json.decode(field) for field in (message.third, message.fourth))
        if not isinstance(kind, str) or not isinstance(pair, str):
            raise FrameError(f"channel {name.decode()} was not subscribed", field="chanId")
        symbol = f"t{pair}" if ":" in pair or len(pair) == _PAIR else f"f{pair}"
        made = self._channels[name] = self._make(wire.Event(event="subscribed", channel=kind, symbol=symbol, prec="P0"))
        return made

    def _on_checksum(self, channel: Channel, frame: bytes) -> Sequence[Decoded]:
        message = wire.decode_checksum(frame)
        self._stamp_tail(message)
        if channel.instrument is None:
            raise FrameError("a checksum of no book", field="cs")
        return (Proof(channel.instrument, message.value),)

    def _stamp_tail(self, message: Any) -> tuple[int | None, int | None]:
        """Return a frame's number and time in ns, and see whether a frame before it is missing."""
        number, ts = wire.read_tail(message.tail, message.more)
        if number is not None:
            self._count(number)
        return number, ts

    def _stamp(self, tail: msgspec.Raw, more: msgspec.Raw) -> None:
        number, _ = wire.read_tail(msgspec.json.decode(tail), msgspec.json.decode(more))
        if number is not None:
            self._count(number)

    def _count(self, number: int) -> None:
        """Every frame of a connection has the next number: with one missing no book is proven any more."""
        last = self._number
        if last is None or number == last + 1:
            self._number = number
            return
        if number <= last:
            return
        self._number = number
        kinds: set[str] = set()
        for item in self._channels.values():
            if item is not None:
                item.broken = True
                kinds.add(item.kind)
        reason = f"frames {last + 1} to {number - 1} of the connection were not received"
        self._lost += [Gap(channel, None, reason) for channel, kind in _KEPT_BACK.items() if kind in kinds]

    # ---- events
    def _on_event(self, frame: bytes) -> Sequence[Decoded]:
        event = wire.decode_event(frame)
        handler = _EVENTS.get(event.event)
        if handler is not None:
            return handler(self, event)
        if event.data == NULL:
            return ()  # a control message, whatever it says
        raise FrameError(f"unknown event {event.event!r}", field="event")

    def on_subscribed(self, event: wire.Event) -> Sequence[Decoded]:
        """Learn a channel's number."""
        if event.chanId is None:
            raise FrameError("an acknowledgement has no chanId", field="chanId")
        self._channels[str(event.chanId).encode()] = self._make(event)
        return (Ack(_key(event)),)

    def on_unsubscribed(self, event: wire.Event) -> Sequence[Decoded]:
        """Ignore a channel from now on."""
        self._channels[str(event.chanId).encode()] = None
        return ()

    def _make(self, event: wire.Event) -> Channel | None:
        """Make the channel that an acknowledgement names; None for loans, books of orders and of rounded prices."""
        kind, symbol, detail = event.channel or "", event.symbol or "", ""
        if event.key is not None:
            kind, symbol, detail = _read_key(kind, event.key)
        if symbol.startswith("f") or (kind == "book" and event.prec not in {None, "P0"}):
            return None
        if kind == LIQUIDATIONS:
            decode = self.liquidations.decode
            return Channel(kind, None, decode, decode, self._makers, self._stamp_tail)
        if kind not in _KINDS or (kind == "candles" and detail not in events_candles.TIMEFRAMES):
            raise FrameError(f"unknown channel {_key(event)!r}", field="channel")
        one, many = _KINDS[kind]
        detail = events_candles.TIMEFRAMES.get(detail, "")
        made = Channel(kind, self._instrument(symbol), one, many, self._makers, self._stamp_tail, detail=detail)
        if self.before is not None:
            made.gives_history, made.before = False, self.before.get(symbol)
        return made

    def _instrument(self, symbol: str) -> Instrument:
        try:
            return self._find(symbol)
        except SymbolSyntaxError as error:
            raise FrameError(error.message, field="symbol") from error


def _tail(message: wire.Anything) -> tuple[msgspec.Raw, msgspec.Raw]:
    """Return the number and the time at a frame's end; a text and its row stand before them, or the row alone."""
    return (message.second, message.third) if bytes(message.body)[:1] == b'"' else (message.first, message.second)


def _read_key(kind: str, key: str) -> tuple[str, str, str]:
    """Read (kind, symbol, detail) of `deriv:tBTCF0:USTF0`, `liq:global` or `trade:1m:tBTCUSD`."""
    head, _, rest = key.partition(":")
    if kind == "status":
        return (LIQUIDATIONS, "", "") if key == GLOBAL else (head, rest, "")
    detail, _, symbol = rest.partition(":")
    return kind, symbol, detail


def _key(event: wire.Event) -> str:
    return f"{event.channel}:{event.symbol if event.key is None else event.key}"


def _on_info(_decoder: BitfinexDecoder, event: wire.Event) -> Sequence[Decoded]:
    """Leave a server that restarts, and one after its maintenance, after which everything is to be subscribed again."""
    code = None if event.code is None else int(event.code)
    if code in {_RESTART, _MAINTENANCE_ENDED}:
        return (Closing(f"{code}: {event.msg or 'the venue wants a new connection'}", _AT_ONCE),)
    return ()


def _on_error(_decoder: BitfinexDecoder, event: wire.Event) -> Sequence[Decoded]:
    """Read a refusal; it repeats what was asked for, or else concerns whatever is still unanswered."""
    reason = f"{event.code}: {event.msg}"
    return (Refused(None if event.channel is None else _key(event), reason),)


def _on_conf(_decoder: BitfinexDecoder, event: wire.Event) -> Sequence[Decoded]:
    return (Ack(CONF) if event.status in {None, "OK"} else Refused(CONF, f"flags: {event.status}"),)


_EVENTS: Final[dict[str, Callable[[BitfinexDecoder, wire.Event], Sequence[Decoded]]]] = {
    "subscribed": BitfinexDecoder.on_subscribed,
    "unsubscribed": BitfinexDecoder.on_unsubscribed,
    "info": _on_info,
    "error": _on_error,
    "conf": _on_conf,
    "pong": lambda _decoder, _event: (Pong(),),
}


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return BitfinexDecoder(find, makers=makers)


def inherit(decoder: Decoder, last: Decoder | None) -> None:
    """Hand the newest trades on: what was missed between two connections is in the new one's first frames."""
    if isinstance(decoder, BitfinexDecoder):
        decoder.before = {}
        if isinstance(last, BitfinexDecoder):
            decoder.before = last.newest
            decoder.liquidations.continue_from(last.liquidations)
