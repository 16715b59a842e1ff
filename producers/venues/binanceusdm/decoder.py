"""Binance USD-M's decoder: finds the handler of a frame, and reads control answers and the frames without a type."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from producers import venue as v
from producers.normalize.numbers import unsigned
from producers.venues.binanceusdm import depth, frames, handlers
from producers.venues.binanceusdm.rest import decode_depth

FastInterest = fast(market.OpenInterest)

HANDLERS: Final = {**handlers.HANDLERS, **depth.HANDLERS}
_NAME_AT: Final = len('{"stream":"')
_COIN_M: Final = 2
# The last two are the sessions of stocks and commodities (stream `tradingSession`).
_NOT_CARRIED: Final = frozenset(
    {
        *("continuous_kline", "compositeIndex", "assetIndexUpdate", "contractInfo", "rpiDepth"),
        *("EquityUpdate", "CommodityUpdate"),
    }
)
_SHUTDOWN_SECONDS: Final = 60.0  # as on spot: "as soon as possible"


class UsdmDecoder:
    """Decodes the frames of one connection, combined (`{"stream":…,"data":…}`) or bare."""

    def __init__(self, market: str, find: v.FindInstrument, *, sim: bool) -> None:
        self._find = find
        self._sim = sim
        self._by_stream: dict[bytes, handlers.Handler] = {}
        self._handlers: dict[tuple[str, str], handlers.Handler] = {}

    def decode(self, frame: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        """Decode one frame; raises FrameError or msgspec.DecodeError that names the channel or field at fault."""
        handle = self._by_stream.get(frame[_NAME_AT : frame.find(b'"', _NAME_AT)])
        if handle is not None:
            return handle(frame, ts_recv)
        if frame.lstrip()[:1] == b"[":
            return self._decode_list(frame, ts_recv)
        head = _read_head(frame)
        if head.data is UNSET:
            return self._decode_bare(head, frame, ts_recv)
        return self._decode_combined(head.stream or "", bytes(head.data), ts_recv)

    def _decode_combined(self, stream: str, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        if payload[:1] == b"[":
            return self._decode_list(payload, ts_recv)
        head = _read_head(payload)
        name, _, channel = stream.partition("@")
        if head.e is None and head.last_update_id is not UNSET and channel == "depthSnapshot":
            # recorders write the REST answer into the stream
            return (decode_depth(payload, self._find(name.upper()), ts_recv, sim=self._sim),)
        if head.e == "depthUpdate" and not channel.startswith("depth"):
            head.e = "rpiDepth"  # with retail orders: another book in the same frames
        elif head.e == "depthUpdate" and channel[5:6] in {"5", "1", "2"}:
            head.e = depth.PARTIAL
        events = self._decode_bare(head, payload, ts_recv)
        handle = self._handlers.get((head.e, _symbol(head) or "")) if head.e in HANDLERS else None
        if handle is not None and not stream.startswith("!"):
            self._by_stream[stream.encode()] = handle
        return events

    def _decode_list(self, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        """Decode the array of an all-market stream (`!markPrice@arr`)."""
        items = [bytes(item) for item in frames.read_list(payload)]
        return tuple(event for item in items for event in self._decode_bare(_read_head(item), item, ts_recv))

    def _decode_bare(self, head: frames.Head, payload: bytes, ts_recv: int) -> tuple[v.Decoded, ...]:
        kind = head.e
        if kind in _NOT_CARRIED or head.st == _COIN_M:
            return ()
        if kind == "serverShutdown":
            return (v.Closing(reason=kind, seconds=_SHUTDOWN_SECONDS),)
        if kind is None:
            if head.open_interest is not UNSET:
                return (self._decode_interest(payload, ts_recv),)
            return (_decode_answer(head),)
        if kind not in HANDLERS and head.s is None:
            return ()  # an announcement that is of no instrument
        if kind not in HANDLERS:
            msg = f"unknown event type {kind!r}"
            raise FrameError(msg, channel=kind)
        if head.M is not UNSET:
            raise FrameError(f"{kind} of {head.s}: a frame of the spot sockets, which is no contract", channel=kind)
        symbol = _symbol(head)
        if symbol is None:
            return ()
        return self._handler(kind, symbol)(b'{"data":' + payload + b"}", ts_recv)

    def _handler(self, kind: str, venue_symbol: str) -> handlers.Handler:
        handle = self._handlers.get((kind, venue_symbol))
        if handle is None:
            handle = HANDLERS[kind](self._find(venue_symbol), sim=self._sim)
            self._handlers[kind, venue_symbol] = handle
        return handle

    def _decode_interest(self, payload: bytes, ts_recv: int) -> v.Decoded:
        interest = frames.read_open_interest(payload)
        instrument, amount = self._find(interest.symbol), unsigned(interest.amount, "openInterest")
        return FastInterest(
            id=f"{instrument.tail}.interest.{interest.time or 0}-{amount}",
            venue=instrument.venue,
            symbol=instrument.symbol,
            venue_symbol=instrument.venue_symbol,
            ts_event=None if interest.time is None else interest.time * 1_000_000,
            ts_recv=ts_recv,
            sim=self._sim,
            amount=amount,
            value=None,
        )


def _read_head(payload: bytes) -> frames.Head:
    """Read what tells frames apart; the `bookTicker` of before 2021 had no type and is known by its fields."""
    head = frames.read_head(payload)
    if head.e is None and head.s is not None and head.u is not UNSET:
        head.e = "bookTicker"
    return head


def _symbol(head: frames.Head) -> str | None:
    """Give the symbol, which a forced order has inside `o`; None for a COIN-M one of an all-market stream."""
    if head.e == "forceOrder" and head.o is not UNSET:
        owner = frames.read_owner(bytes(head.o))
        return None if owner.st == _COIN_M else owner.s
    if head.s is None and head.e is not None:
        field = "o" if head.e == "forceOrder" else "s"
        msg = f"{head.e}: missing required field `{field}`"
        raise FrameError(msg, field=field)
    return head.s


def _decode_answer(head: frames.Head) -> v.Decoded:
    """Decode the answer to a request: `{"result":null,"id":1}`, or an error in either of the venue's two forms."""
    ref = None if head.id is None else str(head.id)
    if head.code is not None or head.error is not UNSET:
        detail = head.msg if head.error is UNSET else bytes(head.error).decode()
        return v.Refused(ref=ref, reason=f"{head.code}: {detail}" if head.code is not None else str(detail))
    if head.result is not UNSET:
        return v.Ack(ref=ref or "")  # an id may be null
    msg = "unknown frame: missing required field `e`"
    raise FrameError(msg, field="e")
