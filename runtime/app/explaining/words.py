"""The figures of an event in one short line. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text


def says(event: FastEvent) -> str:
    """Return an event's figures in short: `buy 12.5 BTC at 64980`."""
    words = _WORDS.get(event.kind)
    return event.kind if words is None else words(event)


def _trade(event: FastEvent) -> str:
    base = event.symbol.partition("/")[0]
    return f"{event.side or 'trade of'} {event.amount or f'{event.contracts} contracts'} {base} at {event.price}"


def _whale(event: FastEvent) -> str:
    return f"{event.side} {event.amount} {event.symbol} at {event.price}: {event.usd_value} USD"


def _liquidation(event: FastEvent) -> str:
    base, price = event.symbol.partition("/")[0], event.average_price or event.price
    return f"{event.position_side or 'position'} of {event.amount or f'{event.contracts} contracts'} {base} at {price}"


def _spread(event: FastEvent) -> str:
    return f"bid {event.bid} on {event.sell_venue} above ask {event.ask} on {event.buy_venue} by {event.share} %"


_WORDS: Final[dict[str, Callable[[FastEvent], str]]] = {
    "trade": _trade,
    "whale": _whale,
    "liquidation": _liquidation,
    "cluster": lambda event: f"{event.count} {event.side} whales of {event.base}: {event.usd_value} USD",
    "storm": lambda event: f"{event.count} liquidations of {event.base}: {event.usd_value} USD",
    "ticker": lambda event: f"bid {event.bid or '-'}, ask {event.ask or '-'}, last {event.last or '-'}",
    "book": lambda event: f"{len(event.bids)} bids, {len(event.asks)} asks",
    "funding": lambda event: f"rate {event.rate}",
    "interest": lambda event: f"open interest {event.amount or event.contracts or event.value}",
    "funding_extreme": lambda event: f"rate {event.rate} beyond {event.threshold}",
    "interest_jump": lambda event: f"open interest {event.change} % to {event.amount}",
    "wall": lambda event: f"{event.side} {event.amount} at {event.price}: {event.times} times the median",
    "spread": _spread,
    "volume_spike": lambda event: f"{event.volume} in a minute: {event.times} times the median",
    "listing": lambda event: f"{event.symbol} {event.change}",
    "listing_of_a_unit": lambda event: f"{len(event.listed)} instruments",
    "candle": lambda event: f"{event.timeframe} of {event.volume} at {event.close}",
}
