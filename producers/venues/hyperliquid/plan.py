"""Which sockets Hyperliquid needs, what to send on each, and what its coins are called."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.venue import BOOK, FUNDING, INTEREST, TICKER, TRADE, ConnectionPlan, SubscribeRequest, Subscription

VENUE_ID: Final = "hyperliquid"
MARKET: Final = "public"  # one socket serves perpetuals and spot
MARKETS: Final = (MARKET,)
QUOTE: Final = "USDC"
FIGURES: Final = "activeAssetCtx"
# An address may hold 10 sockets and 1000 subscriptions in all
# (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits).
SUBSCRIPTIONS_PER_SOCKET: Final = 200


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Lay the sockets. Each subscription is a request of its own: the protocol has no batches.

    There is no public feed of liquidations. Which coins share a socket is decided by their order alone.
    """
    wanted = frozenset(channels)
    found = [item for instrument in instruments for item in _subscriptions(instrument, wanted)]
    return tuple(
        _connection(f"{ws_base}/ws", number, found[start : start + SUBSCRIPTIONS_PER_SOCKET])
        for number, start in enumerate(range(0, len(found), SUBSCRIPTIONS_PER_SOCKET))
    )


def _subscriptions(instrument: Instrument, wanted: frozenset[str]) -> list[Subscription]:
    """List an instrument's subscriptions; `activeAssetCtx` tells 24 hour figures, funding and open interest at once."""
    coin = instrument.venue_symbol
    found: list[Subscription] = []
    if TRADE in wanted:
        found.append(Subscription(f"trades:{coin}", TRADE, instrument, 180.0))
    if BOOK in wanted:
        found.append(Subscription(f"l2Book:{coin}", BOOK, instrument, 30.0))
    told = [channel for channel in (TICKER, FUNDING, INTEREST) if channel in wanted]
    if TICKER in told:
        found.append(Subscription(f"bbo:{coin}", TICKER, instrument, 60.0))
        found.append(Subscription(f"{FIGURES}:{coin}", TICKER, instrument, 60.0))
    elif told and instrument.settle is not None:
        found.append(Subscription(f"{FIGURES}:{coin}", told[0], instrument))
    return found


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

    `@107` is the 107th spot pair, whose tokens only the metadata names: it is called `@107/USDC`, USDC being what most
    pairs are quoted in. `dex:COIN` is a perpetual of another deployer's exchange: `DEX-COIN/USDC:USDC`, USDC presumed.
    """
    if not venue_symbol or venue_symbol.startswith("/"):
        msg = f"{venue_symbol!r} is no coin of market {market!r}"
        raise SymbolSyntaxError(msg, symbol=venue_symbol)
    if "/" in venue_symbol:
        return make_instrument(VENUE_ID, venue_symbol, venue_symbol)
    if venue_symbol.startswith("@"):
        return make_instrument(VENUE_ID, f"{venue_symbol}/{QUOTE}", venue_symbol)
    return make_instrument(VENUE_ID, f"{perpetual_base(venue_symbol)}/{QUOTE}:{QUOTE}", venue_symbol)


def perpetual_base(coin: str) -> str:
    """Give a perpetual's base: the coin as it is, `dex:COIN` as `DEX-COIN` (a symbol's base has no colon)."""
    dex, colon, name = coin.partition(":")
    return f"{dex.upper()}-{name}" if colon else coin
