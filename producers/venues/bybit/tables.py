"""Bybit's plain frames as tables: trades, but of inverse contracts, whose sizes are divided."""

from __future__ import annotations

from typing import Final

from producers.normalize.tables import Decode, Table, amount, chosen, ident, integer, name, price, time
from producers.venues.bybit.topics import Topic
from producers.venues.bybit.wire import MS

_TRADES: Final = Table(
    (
        {
            "id": ident("data[].i"),
            "ts_event": time("data[].T", MS),
            "trade_id": name("data[].i"),
            "price": price("data[].p"),
            "amount": amount("data[].v"),
            "side": chosen("data[].S", {"Buy": "buy", "Sell": "sell"}),
            "seq": integer("data[].seq", or_null=True),
        },
    ),
)  # but of inverse contracts, whose amounts are divided


def with_table(decode: Decode, topic: Topic) -> Decode:
    """Return what decodes a topic, by a table where that has one."""
    if topic.kind == "trade" and not topic.is_inverse:
        return _TRADES.reader(decode, ((topic.make.trade, topic.id_start),))
    return decode
