"""Topics: what a request of a client means in subjects of the bus, and which topics an event belongs to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from api.stream import protocol
from contracts import codec, subjects
from contracts.alerts import ALERT_KINDS, PRICE_ALERT
from contracts.instrument import escape_token, tail_symbol

_BY_BASE: Final[dict[str, str]] = {protocol.TRADES: subjects.TRADE, protocol.BOOK: subjects.BOOK}
EVENTS: Final[dict[str, tuple[str, ...]]] = {  # channels of what is rare: all of it is read, whatever is subscribed
    protocol.WHALES: (subjects.WHALE,),
    protocol.LIQUIDATIONS: (subjects.LIQUIDATION,),
    protocol.ALERTS: (
        *(subjects.CLUSTER, subjects.STORM),  # the signal itself is the message
        *(f"{subjects.ALERT}{kind}." for kind in ALERT_KINDS if kind not in {"cluster", "storm", PRICE_ALERT}),
    ),
}
ALL: Final = "*"  # in place of a symbol
_TAIL_TOKENS: Final = 4
_TIMEFRAME: Final = 3  # which token of a candle's subject it is
_KNOWN_SUBJECTS: Final = 50_000


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


def resolve_target(channel: str, timeframe: str, found: ResolvedSymbol | None, owner: str = "") -> Target:
    """Return what a channel of one symbol, or of all of them, means to an owner: its own alerts are among them."""
    name = "" if found is None else found.name
    topics = (Topic(channel, ALL),) if found is None else _topics(channel, timeframe, found)
    if channel in EVENTS:
        prefixes = EVENTS[channel]
        if channel == protocol.ALERTS and owner:
            topics = (*topics, *(Topic(channel, topic.name, owner) for topic in topics))
            prefixes = (*prefixes, subjects.PRICE_ALERT)
        return Target(name, topics, tuple(prefix + ">" for prefix in prefixes))
    token = escape_token(found.base) if found is not None else "*"
    if channel == protocol.PRICE:
        return Target(name, topics, (f"{subjects.CONSOLIDATED_TICKER}{token}.>",))
    prefix = f"{subjects.CANDLE}{timeframe}." if channel == protocol.CANDLES else _BY_BASE[channel]
    return Target(name, topics, (f"{prefix}*.{token}.>",))


def _topics(channel: str, timeframe: str, found: ResolvedSymbol) -> tuple[Topic, ...]:
    if channel == protocol.PRICE:
        return (Topic(protocol.PRICE, found.name),)
    if channel == protocol.WHALES and found.name != found.base:
        return tuple(Topic(protocol.WHALES, symbol) for symbol in sorted(found.symbols))
    if channel in EVENTS:
        return (Topic(channel, escape_token(found.base)),)
    variant = timeframe if channel == protocol.CANDLES else ""
    return tuple(Topic(channel, tail, variant) for tail in found.tails)


def topics_of_event(subject: str, event: Any) -> tuple[Topic, ...]:
    """Return the topics of one event: a price alert's are of its owner only."""
    if not subject.startswith(subjects.PRICE_ALERT):
        return topics_of(subject)
    base = subject.split(".")[-_TAIL_TOKENS:][1]
    return Topic(protocol.ALERTS, base, event.owner), Topic(protocol.ALERTS, ALL, event.owner)


@lru_cache(maxsize=_KNOWN_SUBJECTS)
def topics_of(subject: str) -> tuple[Topic, ...]:
    """Return the topics that the events of a subject belong to; prices are made from many events and have none.

    Of price alerts the subject does not say whose they are: see `topics_of_event`.
    """
    kind = codec.kind_of(subject)
    tokens = subject.split(".")[-_TAIL_TOKENS:]  # venue, base, quote, contract
    tail, base = ".".join(tokens), tokens[1]
    match kind:
        case "trade":
            return (Topic(protocol.TRADES, tail),)
        case "book":
            return (Topic(protocol.BOOK, tail),)
        case "candle":
            return (Topic(protocol.CANDLES, tail, subject.split(".")[_TIMEFRAME]),)
        case "whale":
            return tuple(Topic(protocol.WHALES, name) for name in (base, tail_symbol(tail)[1], ALL))
        case "liquidation":
            return Topic(protocol.LIQUIDATIONS, base), Topic(protocol.LIQUIDATIONS, ALL)
        case "cluster" | "storm":
            return Topic(protocol.ALERTS, base), Topic(protocol.ALERTS, ALL)
        case "alert" if subject.startswith(EVENTS[protocol.ALERTS]):
            return Topic(protocol.ALERTS, base), Topic(protocol.ALERTS, ALL)
        case _:
            return ()
