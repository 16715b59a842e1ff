"""Gate's plain frames as tables: trades of spot."""

from __future__ import annotations

from typing import Final

from producers.normalize.tables import MakersOfEvents, Table, amount, chosen, digits, ident, integer, price, span, time
from producers.normalize.topics import Topics
from producers.venues.gate.topics import Topic
from producers.venues.gate.wire import MS

SPOT_TRADES: Final = Table(
    (
        {
            "id": ident("result.id"),
            "ts_event": time("result.create_time_ms", MS, text=True),
            "trade_id": digits("result.id", text=False),
            "price": price("result.price"),
            "amount": amount("result.amount"),
            "side": chosen("result.side", {"buy": "buy", "sell": "sell"}),
            "seq": span("result.range"),
        },
    ),
    checks=(integer("result.id_market", or_null=True),),
    owner="result.currency_pair",
)


def spot_makers(topics: Topics[Topic], pair: str) -> MakersOfEvents | None:
    """Return the makers of a pair's trades; None before it was met."""
    topic = topics.get(pair)
    return None if topic is None else ((topic.make.trade, f"{topic.tail}.trade."),)
