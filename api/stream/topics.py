"""Topics: what a request of a client means in subjects of the bus, and which topics an event belongs to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from api.stream import protocol
from api.stream.protocol import SubscriptionRequest
from contracts import subjects
from contracts.instrument import escape_token

_BY_BASE: Final[dict[str, tuple[str, ...]]] = {
    protocol.TRADES: (subjects.TRADE,),
    protocol.WHALES: (subjects.WHALE,),
    protocol.LIQUIDATIONS: (subjects.LIQUIDATION,),
    protocol.BOOK: (subjects.BOOK,),
    protocol.ALERTS: (subjects.CLUSTER, subjects.STORM),
}
_TAIL_TOKENS: Final = 4


@dataclass(frozen=True, slots=True)
class ResolvedSymbol:
    """A symbol resolved: `name` as it is answered (`BTC`, `BTC/USDT`), the unified symbols, the instruments' tails."""

    name: str
    base: str
    symbols: frozenset[str]
    tails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """What clients subscribe to: a channel and what of it (a symbol, an instrument's tail, a base, or all)."""

    channel: str
    name: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A request for one symbol, resolved: the symbol as it is answered, its topics, and the bus subjects behind."""

    symbol: str
    topics: tuple[Topic, ...]
    patterns: tuple[str, ...]


def resolve_target(request: SubscriptionRequest, found: ResolvedSymbol | None) -> Target:
    """Return what a request for one symbol, or for all of them, means."""
    if found is None:
        patterns = tuple(prefix + ">" for prefix in _BY_BASE[request.channel])
        return Target("", (Topic(request.channel, "*"),), patterns)
    return Target(found.name, _topics(request, found), _patterns(request, found.base))


def _topics(request: SubscriptionRequest, found: ResolvedSymbol) -> tuple[Topic, ...]:
    if request.channel == protocol.PRICE:
        return (Topic(protocol.PRICE, found.name),)
    if request.channel == protocol.WHALES and found.name != found.base:
        return tuple(Topic(protocol.WHALES, symbol) for symbol in sorted(found.symbols))
    if request.channel in {protocol.WHALES, protocol.LIQUIDATIONS, protocol.ALERTS}:
        return (Topic(request.channel, escape_token(found.base)),)
    variant = request.timeframe if request.channel == protocol.CANDLES else ""
    return tuple(Topic(request.channel, tail, variant) for tail in found.tails)


def _patterns(request: SubscriptionRequest, base: str) -> tuple[str, ...]:
    token = escape_token(base)
    if request.channel == protocol.PRICE:
        return (f"{subjects.CONSOLIDATED_TICKER}{token}.>",)
    if request.channel == protocol.CANDLES:
        return (f"{subjects.CANDLE}{request.timeframe}.*.{token}.>",)
    return tuple(f"{prefix}*.{token}.>" for prefix in _BY_BASE[request.channel])


def topics_of(kind: str, subject: str, event: Any) -> tuple[Topic, ...]:
    """Return the topics that an event belongs to; prices are made from many events and have none here."""
    tokens = subject.split(".")[-_TAIL_TOKENS:]  # venue, base, quote, contract
    tail, base = ".".join(tokens), tokens[1]
    match kind:
        case "trade":
            return (Topic(protocol.TRADES, tail),)
        case "book":
            return (Topic(protocol.BOOK, tail),)
        case "whale":
            return Topic(protocol.WHALES, base), Topic(protocol.WHALES, event.symbol)
        case "liquidation":
            return (Topic(protocol.LIQUIDATIONS, base),)
        case "candle":
            return (Topic(protocol.CANDLES, tail, event.timeframe),)
        case "cluster" | "storm":
            return Topic(protocol.ALERTS, base), Topic(protocol.ALERTS, "*")
        case _:
            return ()
