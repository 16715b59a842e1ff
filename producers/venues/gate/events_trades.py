"""Gate's trades and liquidations to events."""

from __future__ import annotations

from typing import Final

from contracts.errors import FrameError
from producers.normalize import numbers, sizes
from producers.normalize.ids import distinct
from producers.normalize.topics import Topics
from producers.venue import Decoded, TradeSpan
from producers.venues.gate import wire, wire_trades
from producers.venues.gate.topics import Topic

# 2026-08-20: the venue sends every liquidation, batched within a second; before, at most one a contract and second
# (https://www.gate.com/docs/developers/futures/ws/en/#changelog).
_COMPLETE_SINCE: Final = 1_787_184_000 * wire.SECOND


def decode_spot_trades(topics: Topics[Topic], frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read one print; its time is exact to the microsecond and beyond.

    Pairs number their prints without holes (`id_market`); one print may stand for several numbers (`range`).
    """
    row = wire_trades.read_spot_trades(frame).result
    topic = topics[row.currency_pair]
    first, last = _span(row)
    number = row.id if row.id is not None else last
    if number is None:
        raise FrameError("a trade has neither id nor id_market", field="result.id")
    trade_id = str(number)
    trade = topic.make.trade(
        id=f"{topic.tail}.trade.{trade_id}",
        ts_event=wire.ms_time(row.create_time_ms, "result.create_time_ms"),
        ts_recv=ts_recv,
        trade_id=trade_id,
        price=wire.price(row.price, "result.price"),
        amount=wire.number(row.amount, "result.amount"),
        side=row.side,
        seq=last,
    )
    if first is None or last is None or first == last:
        return (trade,)
    return TradeSpan(topic.instrument, first, last), trade


def _span(row: wire_trades.SpotTrade) -> tuple[int | None, int | None]:
    """Return the first and the last of the numbers that a print stands for; None where it has none."""
    if not row.range:
        return row.id_market, row.id_market
    first, dash, last = row.range.partition("-")
    if not dash or int(numbers.unsigned(first, "result.range")) > int(numbers.unsigned(last, "result.range")):
        raise FrameError(f"result.range is no range of numbers: {row.range[:40]!r}", field="result.range")
    return int(first), int(last)


def decode_futures_trades(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read prints; the sign of the size is the taker's side."""
    found: list[Decoded] = []
    rows: list[wire_trades.FuturesTrade] = wire_trades.read_futures_trades(frame).result or []
    for row in rows:
        topic = topics[row.contract]
        trade_id, price = str(row.id), wire.price(row.price, "result.price")
        size, is_sell = wire.signed(row.size, "result.size")
        amount, contracts = sizes.sizes(topic.instrument, size, price)
        found.append(
            topic.make.trade(
                id=f"{topic.tail}.trade.{trade_id}",
                ts_event=_trade_time(row),
                ts_recv=ts_recv,
                trade_id=trade_id,
                price=price,
                amount=amount,
                contracts=contracts,
                side=None if not size.strip("0.") else "sell" if is_sell else "buy",
            )
        )
    return found


def _trade_time(row: wire_trades.FuturesTrade) -> int:
    if row.create_time_ms is None:
        return wire.seconds_time(row.create_time, "result.create_time")
    return wire.ms_time(row.create_time_ms, "result.create_time_ms")


def decode_liquidations(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read liquidations; the price is the order's.

    Whether the sign of the size is the order's or the position's is nowhere stated for this channel, and readers of it
    disagree: both sides are null. There is no id: it is made of what a row says.
    """
    result: list[wire_trades.Liquidation] | wire_trades.Liquidation | None = wire_trades.read_liquidations(frame).result
    rows = [result] if isinstance(result, wire_trades.Liquidation) else result or []
    seen: dict[str, int] = {}
    found: list[Decoded] = []
    for row in rows:
        topic = topics[row.contract]
        price = wire.price(row.price, "result.price")
        amount, contracts = sizes.sizes(topic.instrument, wire.signed(row.size, "result.size")[0], price)
        ts_event = wire.either_time(row.time_ms or row.time) or None
        native = f"{row.time_ms or row.time}-{row.size}-{row.price}"
        found.append(
            topic.make.liquidation(
                id=distinct(seen, f"{topic.tail}.liquidation.{native}"),
                ts_event=ts_event,
                ts_recv=ts_recv,
                price=price,
                price_kind="limit",
                amount=amount,
                contracts=contracts,
                position_side=None,
                order_side=None,
                sampled=ts_event is not None and ts_event < _COMPLETE_SINCE,
            )
        )
    return found
