"""Which Kraken Futures sockets to hold, their subscriptions, and what its products are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.venue import (
    BOOK,
    FUNDING,
    INTEREST,
    LIQUIDATION,
    TICKER,
    TRADE,
    ConnectionPlan,
    SubscribeRequest,
    Subscription,
)

VENUE_ID: Final = "krakenfutures"
MARKET: Final = "futures"
HEARTBEAT: Final = "heartbeat"

PRODUCTS_PER_SOCKET: Final = 60  # ours: the venue names no figure
PRODUCTS_PER_REQUEST: Final = 30

# Linear (F, and V of older listings) or inverse (I), perpetual (P) or dated (F): `PF_XBTUSD`, `FI_XBTUSD_260327`.
_PRODUCT: Final = re.compile(
    "(?:P(?P<perpetual>[FIV])_(?P<pair>[A-Z0-9]+)|F(?P<dated>[FIV])_(?P<of>[A-Z0-9]+)_(?P<on>[0-9]{6}))"
)
_QUOTES: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "XBT")
_COINS: Final = {"XBT": "BTC", "XDG": "DOGE"}


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return the sockets: 60 products each, a request a feed and 30 products; `heartbeat` shows that a socket lives.

    Liquidations come in the feed `trade`, funding and open interest in the feed `ticker`.
    """
    wanted = frozenset(channels)
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    batches = [listed[start : start + PRODUCTS_PER_SOCKET] for start in range(0, len(listed), PRODUCTS_PER_SOCKET)]
    plans = (_connection(f"{ws_base}/ws/v1", number, batch, wanted) for number, batch in enumerate(batches))
    return tuple(found for found in plans if found.subscriptions)


def _connection(url: str, number: int, listed: list[Instrument], wanted: frozenset[str]) -> ConnectionPlan:
    feeds: dict[str, list[Subscription]] = {"trade": [], "ticker": [], "book": []}
    for item in listed:
        for channel, feed, silence in _channels_of(wanted):
            feeds[feed].append(Subscription(f"{feed}:{item.venue_symbol}", channel, item, silence))
    requests = [SubscribeRequest(HEARTBEAT, _frame("subscribe", HEARTBEAT), frozenset())]
    for feed, found in feeds.items():
        products = sorted({item.key.split(":", 1)[1] for item in found})
        for start in range(0, len(products), PRODUCTS_PER_REQUEST):
            batch = products[start : start + PRODUCTS_PER_REQUEST]
            keys = frozenset(f"{feed}:{product}" for product in batch)
            requests.append(SubscribeRequest(f"{feed}.{start}", _frame("subscribe", feed, batch), keys))
    subscriptions = tuple(item for found in feeds.values() for item in found)
    return ConnectionPlan(f"{MARKET}.{number}", MARKET, url, subscriptions, tuple(requests))


def _channels_of(wanted: frozenset[str]) -> list[tuple[str, str, float | None]]:
    """List (our channel, feed, seconds of silence): of the channels that share a feed one watches over it."""
    found: list[tuple[str, str, float | None]] = []
    if TRADE in wanted:
        found.append((TRADE, "trade", 180.0))
    if LIQUIDATION in wanted:
        found.append((LIQUIDATION, "trade", None))
    if TICKER in wanted:
        found.append((TICKER, "ticker", 30.0))
    found += [(channel, "ticker", None) for channel in (FUNDING, INTEREST) if channel in wanted]
    if BOOK in wanted:
        found.append((BOOK, "book", 30.0))
    return found


def _frame(event: str, feed: str, products: list[str] | None = None) -> str:
    order: dict[str, Any] = {"event": event, "feed": feed}
    return json.dumps(order if products is None else {**order, "product_ids": products}, separators=(",", ":"))


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave one feed of one product and subscribe it again: a book then begins with a snapshot."""
    feed, product = subscription.key.split(":", 1)
    return tuple(_frame(event, feed, [product]) for event in ("unsubscribe", "subscribe"))


def guess(market: str, venue_symbol: str) -> Instrument:  # noqa: ARG001 - there is one market
    """Name a product by its id: `PF_XBTUSD` is linear, `PI_XBTUSD` inverse, with an expiry it is a dated future."""
    return make_product(venue_symbol)


def make_product(
    venue_symbol: str, pair: tuple[str, str] | None = None, contract_size: str | None = None
) -> Instrument:
    """Make an instrument; `pair` is the listing's base and quote, else the id is split at the longest known quote.

    Inverse products count contracts of USD; linear ones coins, unless a contract is worth something else than 1.
    """
    found = _PRODUCT.fullmatch(venue_symbol)
    if found is None:
        raise SymbolSyntaxError(f"{venue_symbol!r} is no perpetual or future of Kraken Futures", symbol=venue_symbol)
    base, quote = pair or _split(found["pair"] or found["of"], venue_symbol)
    base, quote = _COINS.get(base, base), _COINS.get(quote, quote)
    is_inverse = (found["perpetual"] or found["dated"]) == "I"
    expiry = f"-{found['on']}" if found["on"] else ""
    symbol = f"{base}/{quote}:{base if is_inverse else quote}{expiry}"
    in_contracts = is_inverse or contract_size not in {None, "1"}
    size = contract_size if in_contracts else None
    return make_instrument(VENUE_ID, symbol, venue_symbol, contract_size=size, sized_in_contracts=in_contracts)


def _split(pair: str, venue_symbol: str) -> tuple[str, str]:
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair.removesuffix(quote), quote
    raise SymbolSyntaxError(f"{venue_symbol!r} ends in no known quote", symbol=venue_symbol)
