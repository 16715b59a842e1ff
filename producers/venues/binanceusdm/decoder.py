"""Binance USD-M's decoder: what distinguishes its frames, and the REST answers that recorders write into streams."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from contracts.errors import FrameError
from producers.families.binance_decoder import Dialect, Payload, StreamDecoder
from producers.families.binance_rest import decode_depth
from producers.normalize.events import Makers
from producers.normalize.numbers import unsigned
from producers.venue import Decoded, Decoder, FindInstrument
from producers.venues.binanceusdm import wire
from producers.venues.binanceusdm.events import HANDLERS, PARTIAL

_COIN_M: Final = 2
_OF_COIN_M: Final = "coinM"
_RETAIL: Final = "rpiDepth"  # with retail orders: another book in the same frames
# The last two of the venue's are the sessions of stocks and commodities (stream `tradingSession`).
_NOT_CARRIED: Final = frozenset(
    {
        *("continuous_kline", "compositeIndex", "assetIndexUpdate", "contractInfo", _RETAIL, _OF_COIN_M),
        *("EquityUpdate", "CommodityUpdate"),
    }
)


def _kind_of(head: wire.Head, stream: str | None) -> str:
    """Return the event type; the `bookTicker` of before 2021 had none and is known by its fields."""
    if head.st == _COIN_M:
        return _OF_COIN_M
    if head.e is None:
        return "bookTicker" if head.s is not None and head.u is not UNSET else ""
    if head.e == "depthUpdate" and stream is not None:
        channel = stream.partition("@")[2]
        if not channel.startswith("depth"):
            return _RETAIL
        return PARTIAL if channel[5:6] in {"5", "1", "2"} else head.e
    return head.e


def _owner_of(kind: str, head: wire.Head) -> str | None:
    """Return the symbol, which a forced order has inside `o`; None for a COIN-M one of an all-market stream."""
    if head.M is not UNSET:
        raise FrameError(f"{kind} of {head.s}: a frame of the spot sockets, which is no contract", channel=kind)
    if kind == "forceOrder" and head.o is not UNSET:
        owner = wire.read_owner(bytes(head.o))
        return None if owner.st == _COIN_M else owner.s
    if head.s is None:
        field = "o" if kind == "forceOrder" else "s"
        raise FrameError(f"{kind}: missing required field `{field}`", field=field)
    return head.s


def _decode_untyped(payload: Payload, find: FindInstrument, makers: Makers) -> Decoded | None:
    name, _, channel = (payload.stream or "").partition("@")
    if payload.head.last_update_id is not UNSET and channel == "depthSnapshot":
        return decode_depth(payload.body, find(name.upper()), payload.ts_recv, sim=makers.sim)
    if payload.head.open_interest is UNSET:
        return None
    interest = wire.read_open_interest(payload.body)
    instrument, amount = find(interest.symbol), unsigned(interest.amount, "openInterest")
    return makers.maker("interest", instrument)(
        id=f"{instrument.tail}.interest.{interest.time or 0}-{amount}",
        ts_event=None if interest.time is None else interest.time * 1_000_000,
        ts_recv=payload.ts_recv,
        amount=amount,
    )


_DIALECT: Final = Dialect(
    read_head=wire.read_head,
    handlers=HANDLERS,
    not_carried=_NOT_CARRIED,
    kind_of=_kind_of,
    owner_of=_owner_of,
    decode_untyped=_decode_untyped,
)


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Return the decoder of a new connection."""
    return StreamDecoder(_DIALECT, find, makers=makers)
