"""Gate's trades, liquidations and candles: pure functions from one channel's frame to its events."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from contracts import market as events
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import SPOT
from producers.normalize import numbers, sizes
from producers.venue import Decoded, TradeSpan
from producers.venues.gate import values, wire
from producers.venues.gate.topic import Topic, Topics, numbered

FastLiquidation: Final = fast(events.Liquidation)
FastCandle: Final = fast(events.Candle)

# 2026-08-20: the venue sends every liquidation, batched within a second; before, at most one a contract and second
# (https://www.gate.com/docs/developers/futures/ws/en/#changelog).
_COMPLETE_SINCE: Final = 1_787_184_000 * values.SECOND
TIMEFRAMES: Final = {"7d": "1w", **{name: name for name in ("10s", "1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d")}}


def decode_spot_trades(topics: Topics, frame: bytes, ts_recv: int) -> tuple[Decoded, ...]:
    """Read one print; its time is exact to the microsecond and beyond.

    Pairs number their prints without holes (`id_market`); one print may stand for several numbers (`range`).
    """
    row = wire.read_spot_trades(frame).result
    topic = topics[row.currency_pair]
    first, last = _span(row)
    number = row.id if row.id is not None else last
    if number is None:
        raise FrameError("a trade has neither id nor id_market", field="result.id")
    trade_id = str(number)
    trade = replace(
        topic.trade,
        id=f"{topic.tail}.trade.{trade_id}",
        ts_event=values.ms_time(row.create_time_ms, "result.create_time_ms"),
        ts_recv=ts_recv,
        trade_id=trade_id,
        price=values.price(row.price, "result.price"),
        amount=values.number(row.amount, "result.amount"),
        side=row.side,
        seq=last,
    )
    if first is None or last is None or first == last:
        return (trade,)
    return TradeSpan(topic.instrument, first, last), trade


def _span(row: wire.SpotTrade) -> tuple[int | None, int | None]:
    """Return the first and the last of the numbers that a print stands for; None where it has none."""
    if not row.range:
        return row.id_market, row.id_market
    first, dash, last = row.range.partition("-")
    if not dash or int(numbers.unsigned(first, "result.range")) > int(numbers.unsigned(last, "result.range")):
        raise FrameError(f"result.range is no range of numbers: {row.range[:40]!r}", field="result.range")
    return int(first), int(last)


def decode_futures_trades(topics: Topics, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read prints; the sign of the size is the taker's side."""
    found: list[Decoded] = []
    rows: list[wire.FuturesTrade] = wire.read_futures_trades(frame).result or []
    for row in rows:
        topic = topics[row.contract]
        trade_id, price = str(row.id), values.price(row.price, "result.price")
        size, is_sell = values.signed(row.size, "result.size")
        amount, contracts = sizes.sizes(topic.instrument, size, price)
        found.append(
            replace(
                topic.trade,
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


def _trade_time(row: wire.FuturesTrade) -> int:
    if row.create_time_ms is None:
        return values.seconds_time(row.create_time, "result.create_time")
    return values.ms_time(row.create_time_ms, "result.create_time_ms")


def decode_liquidations(topics: Topics, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read liquidations; the price is the order's.

    Whether the sign of the size is the order's or the position's is nowhere stated for this channel, and readers of it
    disagree: both sides are null. There is no id: it is made of what a row says.
    """
    result: list[wire.Liquidation] | wire.Liquidation | None = wire.read_liquidations(frame).result
    rows = [result] if isinstance(result, wire.Liquidation) else result or []
    natives = numbered([f"{row.contract}-{row.time_ms or row.time}-{row.size}-{row.price}" for row in rows])
    found: list[Decoded] = []
    for row, native in zip(rows, natives, strict=True):
        topic = topics[row.contract]
        price = values.price(row.price, "result.price")
        amount, contracts = sizes.sizes(topic.instrument, values.signed(row.size, "result.size")[0], price)
        ts_event = values.either_time(row.time_ms or row.time) or None
        found.append(
            FastLiquidation(
                id=f"{topic.tail}.liquidation.{native.removeprefix(row.contract + '-')}",
                **topic.common(ts_event, ts_recv),
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


def decode_candles(topics: Topics, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read candles; those of mark and index prices (`1m_mark_BTC_USDT`) are of no trades and left out.

    So are those whose volume in the base coin cannot be told: spot of 2021 says the quote coin's only, and contracts
    count nothing where their worth is unknown.
    """
    push = wire.read_candles(frame)
    result: list[wire.Candle] | wire.Candle | None = push.result
    rows = [result] if isinstance(result, wire.Candle) else result or []
    found: list[Decoded] = []
    for row in rows:
        name, _, venue_symbol = row.n.partition("_")
        if name not in TIMEFRAMES or venue_symbol.startswith(("mark_", "index_")):
            continue
        topic = topics[venue_symbol]
        volumes = _volumes(topic, row)
        if volumes is not None:
            found.append(_candle(topic, row, (push.sent_ns, ts_recv), volumes))
    return found


def _volumes(topic: Topic, row: wire.Candle) -> tuple[str, str | None] | None:
    """Give the volumes in base and quote coin; None where the first is unknown."""
    total = values.number(row.v, "result.v")
    if topic.instrument.contract != SPOT:
        amount = sizes.amount(topic.instrument, total, None) if total.strip("0.") else "0"
        return None if amount is None else (amount, None)
    if row.a is not None:
        return values.number(row.a, "result.a"), total
    return None if total.strip("0.") else (total, total)


def _candle(topic: Topic, row: wire.Candle, times: tuple[int | None, int], volumes: tuple[str, str | None]) -> Decoded:
    timeframe = TIMEFRAMES[row.n.partition("_")[0]]
    return FastCandle(
        id=f"{topic.tail}.candle.{timeframe}-{row.t}-{wire.fingerprint(row)}",
        **topic.common(*times),
        timeframe=timeframe,
        open=values.price(row.o, "result.o"),
        high=values.price(row.h, "result.h"),
        low=values.price(row.l, "result.l"),
        close=values.price(row.c, "result.c"),
        volume=volumes[0],
        quote_volume=volumes[1],
        trades=None,
        closed=row.w,
        start_ts=values.seconds_time(row.t, "result.t"),
    )
