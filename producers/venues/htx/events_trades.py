"""HTX's trades and liquidations to events."""

from __future__ import annotations

from typing import Final

from contracts.errors import FrameError
from producers.normalize import sizes
from producers.normalize.ids import distinct
from producers.normalize.topics import Topics
from producers.venue import Decoded
from producers.venues.htx import wire, wire_numbers
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import (
    ABSENT,
    MS,
    identity,
    number,
    optional_amount,
)

_SIDES: Final = {"buy": "buy", "sell": "sell", "": None}
_CLOSED: Final = {"buy": "short", "sell": "long"}  # the side of the order: the position that it closes


def decode_trades(topic: Topic, frame: bytes, ts_recv: int, channel: str) -> list[Decoded]:  # noqa: ARG001
    """Read trades."""
    return [trade_event(topic, row, ts_recv) for row in wire.decode_trades(frame).tick.data or ()]


def trade_event(topic: Topic, row: wire.Trade, ts_recv: int) -> Decoded:
    """Make the event of a trade. Contracts give coins as `quantity`, used where the contract's worth is not known.

    Whether the `amount` of contracts counts both sides is not confirmed; it is taken as one side's, as all venues do.
    """
    instrument, contracts = topic.instrument, None
    price, amount = wire_numbers.price(row.price, "tick.data.price"), number(row.amount, "tick.data.amount")
    if instrument.sized_in_contracts:
        quantity = wire_numbers.optional_quotient(row.quantity, "tick.data.quantity")
        base, contracts = sizes.sizes(instrument, amount, price)
        amount = quantity if base is None else base
    trade_id = identity(row.id if row.tradeId == ABSENT else row.tradeId)
    if not trade_id:
        raise FrameError("a trade has neither tradeId nor id", field="tick.data.id")
    return topic.make.trade(
        id=f"{topic.tail}.trade.{trade_id}",
        ts_event=row.ts * MS,
        ts_recv=ts_recv,
        trade_id=trade_id,
        price=price,
        amount=amount,
        contracts=contracts,
        side=_side(row.direction),
        seq=None,
    )


def _side(direction: str) -> str | None:
    if direction not in _SIDES:
        raise FrameError(f"unknown direction {direction!r}", field="tick.data.direction")
    return _SIDES[direction]


def decode_liquidations(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read liquidations: `price` is the bankruptcy price, `volume` contracts, `amount` coins (recent frames only).

    Rows have no id: it is made of what they say, and equal rows of one frame are numbered. Whether the
    venue leaves some out is not documented.
    """
    seen: dict[str, int] = {}
    found: list[Decoded] = []
    for row in wire.decode_forced(frame).data or ():
        if row.direction not in _CLOSED:
            raise FrameError(f"unknown direction {row.direction!r} of a liquidation", field="data.direction")
        topic = topics[row.contract_code]
        price, volume = wire_numbers.price(row.price, "data.price"), number(row.volume, "data.volume")
        amount = optional_amount(row.amount, "data.amount")
        if amount is None:
            amount = sizes.amount(topic.instrument, volume, price)
        native = f"{row.created_at}-{row.direction}-{price}-{volume}"
        found.append(
            topic.make.liquidation(
                id=distinct(seen, f"{topic.tail}.liquidation.{native}"),
                ts_event=row.created_at * MS,
                ts_recv=ts_recv,
                price=price,
                price_kind="bankruptcy",
                amount=amount,
                contracts=volume,
                position_side=_CLOSED[row.direction],
                order_side=row.direction,
                sampled=False,
            )
        )
    return found
