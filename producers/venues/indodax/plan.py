"""Which sockets Indodax needs, what to send on each, and what its pairs are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from zlib import crc32

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.venue import BOOK, TICKER, TRADE, ConnectionPlan, SubscribeRequest, Subscription

VENUE_ID: Final = "indodax"
MARKET: Final = "spot"
TRADES: Final = "market:trade-activity-"
BOOKS: Final = "market:order-book-"
SUMMARY: Final = "market:summary-24h"

CONNECT_ID: Final = 1
PING: Final = '{"method":7,"id":2}'
_SUBSCRIBE, _UNSUBSCRIBE = 1, 2
_OURS: Final = 0x80000000
_TRADE_STREAM, _BOOK_STREAM, _OTHER_STREAM = 1, 2, 3

# The venue prints this token in its documentation for everybody to connect with: it names nobody, opens public channels
# only, and ends in September 2031.
PUBLIC_TOKEN: Final = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE5NDY2MTg0MTV9"  # noqa: S105 - public, see above
    ".UR1lBM6Eqh0yWz-PVirw1uPCxe60FdchR8eNVdsskeo"
)
CONNECT: Final = json.dumps({"params": {"token": PUBLIC_TOKEN}, "id": CONNECT_ID}, separators=(",", ":"))

_PAIRS_PER_SOCKET: Final = 60  # ours: the venue documents no limit
_is_code: Final = re.compile(r"[a-z0-9]+").fullmatch
_QUOTES: Final = ("idr", "usdt", "usdc", "btc", "eth")
# Codes that mean another coin elsewhere; CCXT names them so, and CCXT's names are ours.
_RENAMED: Final = {"str": "XLM", "bchabc": "BCH", "bchsv": "BSV", "drk": "DASH", "nem": "XEM"}


def request_id(channel: str) -> int:
    """Number the request that subscribes to a channel, by its name alone.

    An answer names its request only: from this number a decoder knows which stream is meant without having seen the
    request. Its upper half of 32 bits is ours; the last digit in base four marks trades (1), books (2) and the rest (3)
    apart.
    """
    kind = _TRADE_STREAM if channel.startswith(TRADES) else _BOOK_STREAM if channel.startswith(BOOKS) else _OTHER_STREAM
    return _OURS + (crc32(channel.encode()) & 0x7FFFFFFC) + kind


def is_trade_request(number: int) -> bool:
    """Whether a request was for a pair's trades."""
    return number >= _OURS and number % 4 == _TRADE_STREAM


def is_pair_request(number: int) -> bool:
    """Whether a request was for something of one pair."""
    return number >= _OURS and number % 4 in {_TRADE_STREAM, _BOOK_STREAM}


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets: the connect command, whose answer the rest waits for, then a request a channel.

    An unknown pair is confirmed like any other and stays silent: only listed instruments may be given. The summary of
    24 hours is one channel for all pairs: each socket has it, last, for the pairs of its own.
    """
    wanted = frozenset(channels)
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    groups = [listed[start : start + _PAIRS_PER_SOCKET] for start in range(0, len(listed), _PAIRS_PER_SOCKET)]
    plans: list[ConnectionPlan] = []
    for number, group in enumerate(groups):
        items = [*_subscriptions(group, wanted)]
        if TICKER in wanted:
            items.append(Subscription(SUMMARY, TICKER, None, 60.0))
        if items:
            plans.append(_connection(ws_base, number, items))
    return tuple(plans)


def _subscriptions(group: list[Instrument], wanted: frozenset[str]) -> Iterator[Subscription]:
    """List channels; many pairs trade a few times a day only, so that silence there proves nothing."""
    for item in group:
        if TRADE in wanted:
            yield Subscription(f"{TRADES}{item.venue_symbol}", TRADE, item, 900.0)
        if BOOK in wanted:
            yield Subscription(f"{BOOKS}{item.venue_symbol}", BOOK, item, 120.0)


def _connection(ws_base: str, number: int, items: list[Subscription]) -> ConnectionPlan:
    gate = SubscribeRequest(str(CONNECT_ID), CONNECT, frozenset(), gate=True)
    requests = (
        SubscribeRequest(str(request_id(item.key)), subscribe(item.key), frozenset({item.key})) for item in items
    )
    return ConnectionPlan(
        name=f"{MARKET}.{number}",
        market=MARKET,
        url=f"{ws_base}/ws/",
        subscriptions=tuple(items),
        requests=(gate, *requests),
    )


def subscribe(channel: str, **position: Any) -> str:
    """Write the request for a channel; with `recover`, `offset` and `epoch` it asks for what came after the offset."""
    return _command(_SUBSCRIBE, {"channel": channel, **position}, request_id(channel))


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave a channel and ask for it again."""
    channel = subscription.key
    return _command(_UNSUBSCRIBE, {"channel": channel}, request_id(channel)), subscribe(channel)


def _command(method: int, params: dict[str, Any], number: int) -> str:
    return json.dumps({"method": method, "params": params, "id": number}, separators=(",", ":"))


def unified(base: str, quote: str) -> str:
    """Return the unified symbol of a pair by the venue's codes: `btc`, `idr` is `BTC/IDR`, `str` is `XLM`."""
    return f"{_RENAMED.get(base, base.upper())}/{quote.upper()}"


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name a pair without metadata: `btcidr` is `BTC/IDR`. Raises SymbolSyntaxError."""
    for quote in _QUOTES:
        base = venue_symbol.removesuffix(quote)
        if base != venue_symbol and _is_code(base):
            return make_instrument(VENUE_ID, unified(base, quote), venue_symbol)
    msg = f"{venue_symbol!r} of market {market!r} is no code of a coin and one of {', '.join(_QUOTES)}"
    raise SymbolSyntaxError(msg, symbol=venue_symbol)
