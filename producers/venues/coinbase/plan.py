"""Which sockets Coinbase needs, what to send on each, and what its products are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.venue import BOOK, TICKER, TRADE, ConnectionPlan, SubscribeRequest, Subscription

VENUE_ID: Final = "coinbase"
MARKET: Final = "spot"
HEARTBEAT: Final = "heartbeat"
LEVEL2: Final = "level2_batch"  # the public one: `level2` wants a signature since August 2023

# Our channel -> (the venue's channel, seconds of silence). The ticker comes with matches only: as quiet.
_CHANNELS: Final[dict[str, tuple[str, float]]] = {
    TRADE: ("matches", 180.0),
    TICKER: ("ticker", 180.0),
    BOOK: (LEVEL2, 30.0),
}
DATA_CHANNELS: Final = tuple(name for name, _ in _CHANNELS.values())
_PRODUCT: Final = re.compile("([A-Z0-9]+)-([A-Z0-9]+)")
_PRODUCTS_PER_SOCKET: Final = 20  # few, since a socket is renewed as a whole


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return the sockets: 20 products each, everything in one request.

    The venue closes a socket on which nothing was subscribed for 5 seconds, hence the one request
    (https://docs.cdp.coinbase.com/exchange/websocket-feed/overview). `heartbeat` is always part of it: it carries the
    newest trade's id of each product and shows that the socket lives.
    """
    wanted = set(channels)
    kept = [(channel, *_CHANNELS[channel]) for channel in _CHANNELS if channel in wanted]
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    if not kept:
        return ()
    return tuple(
        _connection(ws_base, number, (listed[start : start + _PRODUCTS_PER_SOCKET], kept))
        for number, start in enumerate(range(0, len(listed), _PRODUCTS_PER_SOCKET))
    )


def _connection(
    ws_base: str, number: int, content: tuple[list[Instrument], list[tuple[str, str, float]]]
) -> ConnectionPlan:
    products, channels = content
    subscriptions = tuple(
        Subscription(key=f"{name}:{item.venue_symbol}", channel=channel, instrument=item, silence=silence)
        for channel, name, silence in channels
        for item in products
    )
    frame = json.dumps(
        {
            "type": "subscribe",
            "product_ids": [item.venue_symbol for item in products],
            "channels": [*(name for _, name, _ in channels), HEARTBEAT],
        },
        separators=(",", ":"),
    )
    name = f"{MARKET}.{number}"
    request = SubscribeRequest(ref=name, frame=frame, keys=frozenset(item.key for item in subscriptions))
    return ConnectionPlan(name=name, market=MARKET, url=ws_base, subscriptions=subscriptions, requests=(request,))


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave one channel of one product and subscribe it again: a book then begins with a snapshot."""
    channel, product = subscription.key.split(":", 1)
    return tuple(
        json.dumps({"type": kind, "product_ids": [product], "channels": [channel]}, separators=(",", ":"))
        for kind in ("unsubscribe", "subscribe")
    )


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name a product without metadata: `BTC-USD` is `BTC/USD`.

    Every product of Coinbase Exchange is spot; Advanced Trade has others (`BTC-PERP-INTX`, `BIT-28MAR25-CDE`), whose
    names have another form. Raises SymbolSyntaxError for those.
    """
    found = _PRODUCT.fullmatch(venue_symbol)
    if found is None:
        msg = f"{venue_symbol!r} is no Coinbase product of market {market!r}: expected BASE-QUOTE"
        raise SymbolSyntaxError(msg, symbol=venue_symbol)
    return make_instrument(VENUE_ID, f"{found[1]}/{found[2]}", venue_symbol)
