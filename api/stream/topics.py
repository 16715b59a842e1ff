"""Topics: what a wish of a client means in subjects of the bus, and which topics an event belongs to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from api.stream import protocol
from api.stream.protocol import Wish
from api.stream.symbols import Listed
from contracts import subjects
from contracts.instrument import escape_token
from contracts.market import Candle

_BY_BASE: Final[dict[str, tuple[str, ...]]] = {
    protocol.TRADES: (subjects.TRADE,),
    protocol.WHALES: (subjects.WHALE,),
    protocol.LIQUIDATIONS: (subjects.LIQUIDATION,),
    protocol.BOOK: (subjects.BOOK,),
    protocol.ALERTS: (subjects.CLUSTER, subjects.STORM),
}
_TAIL_TOKENS: Final = 4


@dataclass(frozen=True, slots=True)
class Topic:
    """What clients subscribe to: a channel and what of it (a symbol, an instrument's tail, a base, or all)."""

    channel: str
    name: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A wish for one symbol, resolved: the symbol as it is answered, its topics, and the bus subjects behind them."""

    symbol: str
    topics: tuple[Topic, ...]
    patterns: tuple[str, ...]


def decide_meaning(wish: Wish, found: Listed | None) -> Meaning:
    """Say what a wish for one symbol, or for all of them, means."""
    if found is None:
        patterns = tuple(prefix + ">" for prefix in _BY_BASE[wish.channel])
        return Meaning("", (Topic(wish.channel, "*"),), patterns)
    return Meaning(found.name, _topics(wish, found), _patterns(wish, found.base))


def _topics(wish: Wish, found: Listed) -> tuple[Topic, ...]:
    if wish.channel == protocol.PRICE:
        return (Topic(protocol.PRICE, found.name),)
    if wish.channel == protocol.WHALES and not found.bare:
        return tuple(Topic(protocol.WHALES, symbol) for symbol in sorted(found.symbols))
    if wish.channel in {protocol.WHALES, protocol.LIQUIDATIONS, protocol.ALERTS}:
        return (Topic(wish.channel, escape_token(found.base)),)
    variant = wish.timeframe if wish.channel == protocol.CANDLES else ""
    return tuple(Topic(wish.channel, tail, variant) for tail in found.tails)


def _patterns(wish: Wish, base: str) -> tuple[str, ...]:
    token = escape_token(base)
    if wish.channel == protocol.PRICE:
        return (f"{subjects.CONSOLIDATED_TICKER}{token}.>",)
    if wish.channel == protocol.CANDLES:
        return (f"{subjects.CANDLE}{wish.timeframe}.*.{token}.>",)
    return tuple(f"{prefix}*.{token}.>" for prefix in _BY_BASE[wish.channel])


def tail_of(subject: str) -> str:
    """The last four tokens of a subject: venue, base, quote, contract."""
    return ".".join(subject.split(".")[-_TAIL_TOKENS:])


def topics_of(kind: str, subject: str, event: Any) -> tuple[Topic, ...]:
    """The topics that an event belongs to; price topics are not among them: they are made from many events."""
    tail = tail_of(subject)
    base = tail.split(".")[1]
    match kind:
        case "trade":
            return (Topic(protocol.TRADES, tail),)
        case "book":
            return (Topic(protocol.BOOK, tail),)
        case "whale":
            return Topic(protocol.WHALES, base), Topic(protocol.WHALES, event.symbol)
        case "liquidation":
            return (Topic(protocol.LIQUIDATIONS, base),)
        case Candle.kind:
            return (Topic(protocol.CANDLES, tail, event.timeframe),)
        case "cluster" | "storm":
            return Topic(protocol.ALERTS, base), Topic(protocol.ALERTS, "*")
        case _:
            return ()
