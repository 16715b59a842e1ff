"""Hyperliquid's decoder: routes the frames of one socket by channel, and reads answers and errors.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

import msgspec

from contracts.errors import FrameError
from producers.normalize.events import Makers
from producers.normalize.numbers import NULL
from producers.normalize.topics import Topics
from producers.venue import Ack, Decoded, Decoder, FindInstrument, Pong, Refused
from producers.venues.hyperliquid import events, wire
from producers.venues.hyperliquid.topics import Topic

_NAME_AT: Final = len(b'{"channel":"')
_ALREADY: Final = "Already subscribed"
# Mid prices of everything, and what belongs to a user: known, and not carried.
_NOT_CARRIED: Final = frozenset(
    {
        *("allMids", "notification", "webData2", "webData3", "orderUpdates", "userEvents", "user", "userFills"),
        *("userFundings", "userNonFundingLedgerUpdates", "activeAssetData", "userTwapSliceFills", "userTwapHistory"),
        *("twapStates", "clearinghouseState", "openOrders", "userHistoricalOrders", "spotState", "post"),
        *("allDexsClearinghouseState", "allDexsAssetCtxs", "explorerBlock", "explorerTxs"),
    }
)
_Decode = Callable[[Topics[Topic], bytes, int], Sequence[Decoded]]


class HyperliquidDecoder:
    """Decodes one connection's frames. Trades that it received before are left out."""

    def __init__(self, find: FindInstrument, *, makers: Makers) -> None:
        self._topics = Topics(lambda coin: Topic(find(coin), makers=makers))

    def decode(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        """Decode one frame; where `channel` comes first it is routed without parsing."""
        decode = _CHANNELS.get(frame[_NAME_AT : frame.find(b'"', _NAME_AT)])
        return self._slow_route(frame, ts_recv) if decode is None else decode(self._topics, frame, ts_recv)

    def inherit(self, last: HyperliquidDecoder) -> None:
        """Take over which trades were received: a new subscription begins with a backlog of recent ones."""
        for coin, topic in last._topics.items():
            self._topics[coin].tids = topic.tids

    def _slow_route(self, frame: bytes, ts_recv: int) -> Sequence[Decoded]:
        if frame[:1].isalpha() and b" " in frame:
            return (Pong(),)  # a sentence: `Websocket connection established.` greets each connection
        head = wire.decode_head(frame)
        if head.channel is None:
            raise FrameError("a frame without channel", field="channel")
        decode = _CHANNELS.get(head.channel.encode())
        if decode is not None:
            return decode(self._topics, frame, ts_recv)
        if head.channel in _NOT_CARRIED or head.data == NULL:
            return ()  # without data it is a notice
        raise FrameError(f"unknown channel {head.channel!r}", channel=head.channel)


def _decode_answer(frame: bytes) -> Sequence[Decoded]:
    """Read the confirmation of a subscription; that of an unsubscription says nothing new."""
    answer = wire.decode_answer(frame).data
    if answer.method != "subscribe" or answer.subscription is None:
        return ()
    return (Ack(_key(answer.subscription)),)


def _decode_error(frame: bytes) -> Sequence[Decoded]:
    """Read a refusal; where its text ends in the request or the subscription that is meant, that one is refused.

    "Already subscribed" means that there is nothing to do.
    """
    reason = wire.decode_error(frame).data
    wanted = _named(reason)
    if wanted is not None and reason.startswith(_ALREADY):
        return (Ack(_key(wanted)),)
    return (Refused(None if wanted is None else _key(wanted), reason),)


def _named(reason: str) -> wire.Wanted | None:
    start, end = reason.find("{"), reason.rfind("}")
    if start < 0 or end < start:
        return None
    text = reason[start : end + 1].encode()
    try:
        wanted = wire.decode_named(text).subscription or wire.decode_wanted(text)
    except msgspec.DecodeError:  # the text quotes something else: it names nothing
        return None
    return wanted if wanted.type and wanted.coin else None


def _key(wanted: wire.Wanted) -> str:
    """Name a subscription: `trades:BTC`."""
    return f"{wanted.type}:{wanted.coin}"


_CHANNELS: Final[dict[bytes, _Decode]] = {
    b"trades": events.decode_trades,
    b"l2Book": events.decode_book,
    b"bbo": events.decode_best,
    b"activeAssetCtx": events.decode_context,
    b"activeSpotAssetCtx": events.decode_context,
    b"candle": events.decode_candles,
    b"subscriptionResponse": lambda _topics, frame, _ts_recv: _decode_answer(frame),
    b"error": lambda _topics, frame, _ts_recv: _decode_error(frame),
    b"pong": lambda _topics, _frame, _ts_recv: (Pong(),),
}


def inherit(decoder: Decoder, last: Decoder | None) -> None:
    """Hand the ids of received trades to the decoder of a new connection."""
    if last is not None:
        cast("HyperliquidDecoder", decoder).inherit(cast("HyperliquidDecoder", last))


def make_decoder(market: str, find: FindInstrument, *, makers: Makers) -> Decoder:  # noqa: ARG001 - there is one market
    """Make the decoder of a new connection."""
    return HyperliquidDecoder(find, makers=makers)
