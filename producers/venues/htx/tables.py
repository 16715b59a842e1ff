"""HTX's plain frames as tables: trades of spot."""

from __future__ import annotations

from typing import Final

from producers.normalize.tables import Decode, Table, amount, chosen, digits, ident, price, time
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import MS

_TRADES: Final = Table(
    (
        {
            "id": ident("tick.data[].tradeId"),
            "ts_event": time("tick.data[].ts", MS),
            "trade_id": digits("tick.data[].tradeId", text=False),
            "price": price("tick.data[].price", text=False),
            "amount": amount("tick.data[].amount", text=False),
            "side": chosen("tick.data[].direction", {"buy": "buy", "sell": "sell", "": None}, or_absent=True),
        },
    ),
)  # of spot: of contracts there is something to be multiplied


def with_table(decode: Decode, *, topic: Topic, channel: str) -> Decode:
    """Return what decodes an instrument's channel, by a table where that has one."""
    if channel != "trade.detail" or topic.instrument.sized_in_contracts:
        return decode
    return _TRADES.reader(decode, ((topic.make.trade, f"{topic.tail}.trade."),))
