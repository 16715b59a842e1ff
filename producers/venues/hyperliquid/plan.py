"""Which sockets Hyperliquid needs, what to send on each, and what its coins are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.limits import refuse_too_many
from producers.venue import (
    BOOK,
    FUNDING,
    INTEREST,
    TICKER,
    TRADE,
    ConnectionPlan,
    SubscribeRequest,
    Subscription,
    SubscriptionLimit,
)

VENUE_ID: Final = "hyperliquid"
MARKET: Final = "public"  # one socket serves perpetuals and spot
MARKETS: Final = (MARKET,)
QUOTE: Final = "USDC"
FIGURES: Final = "activeAssetCtx"
# An address may hold 10 sockets and 1000 subscriptions in all
# (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits).
MOST_SUBSCRIPTIONS: Final = 1000
SUBSCRIPTIONS_PER_SOCKET: Final = 200
_is_coin: Final = re.compile(r"[A-Za-z0-9]+").fullmatch
_is_pair: Final = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9]+").fullmatch


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets. Each subscription is a request of its own: the protocol has no batches.

    There is no public feed of liquidations. Which coins share a socket is decided by their order alone. Raises
    InvalidParameterError where more are given than an address may subscribe to.
    """
    wanted, listed = frozenset(channels), tuple(instruments)
    refuse_too_many(LIMIT, listed, wanted)
    found = [item for instrument in listed for item in _subscriptions(instrument, wanted)]
    return tuple(
        _connection(f"{ws_base}/ws", number, found[start : start + SUBSCRIPTIONS_PER_SOCKET])
        for number, start in enumerate(range(0, len(found), SUBSCRIPTIONS_PER_SOCKET))
    )


def _subscriptions(instrument: Instrument, wanted: frozenset[str]) -> list[Subscription]:
    """List an instrument's subscriptions; `activeAssetCtx` has 24 hour figures, funding and open interest at once."""
    coin = instrument.venue_symbol
    found: list[Subscription] = []
    if TRADE in wanted:
        found.append(Subscription(f"trades:{coin}", TRADE, instrument, 180.0))
    if BOOK in wanted:
        found.append(Subscription(f"l2Book:{coin}", BOOK, instrument, 30.0))
    carried = [channel for channel in (TICKER, FUNDING, INTEREST) if channel in wanted]
    if TICKER in carried:
        found.append(Subscription(f"bbo:{coin}", TICKER, instrument, 60.0))
        found.append(Subscription(f"{FIGURES}:{coin}", TICKER, instrument, 60.0))
    elif carried and instrument.settle is not None:
        found.append(Subscription(f"{FIGURES}:{coin}", carried[0], instrument))
    return found


LIMIT: Final = SubscriptionLimit(
    most=MOST_SUBSCRIPTIONS,
    cost=lambda instrument, channels: len(_subscriptions(instrument, channels)),
    reason=f"an address may hold {MOST_SUBSCRIPTIONS} subscriptions in all, over all its connections",
)


def _connection(url: str, number: int, items: list[Subscription]) -> ConnectionPlan:
    requests = tuple(SubscribeRequest(item.key, _frame("subscribe", item), frozenset({item.key})) for item in items)
    return ConnectionPlan(f"{MARKET}.{number}", MARKET, url, tuple(items), requests)


def _frame(method: str, subscription: Subscription) -> str:
    kind, coin = subscription.key.split(":", 1)
    wanted = {"type": kind, "coin": coin}
    return json.dumps({"method": method, "subscription": wanted}, separators=(",", ":"))


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave one subscription and ask for it again."""
    return tuple(_frame(method, subscription) for method in ("unsubscribe", "subscribe"))


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name a coin without metadata: `BTC` is `BTC/USDC:USDC`, `kPEPE` (1000 PEPE) keeps its name, `PURR/USDC` is spot.

    Raises SymbolSyntaxError for what only the listing can name: `@107` (the 107th spot pair, of any two tokens), `#10`
    (a side of an outcome, which is no coin), `dex:COIN` (another deployer's exchange, which may settle in any token).
    """
    if _is_pair(venue_symbol):
        return make_instrument(VENUE_ID, venue_symbol, venue_symbol)
    if _is_coin(venue_symbol):
        return make_instrument(VENUE_ID, f"{venue_symbol}/{QUOTE}:{QUOTE}", venue_symbol)
    msg = f"{venue_symbol!r} of market {market!r} is no coin that can be named without the listing"
    raise SymbolSyntaxError(msg, symbol=venue_symbol)
