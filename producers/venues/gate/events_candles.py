"""Gate's candles to events."""

from __future__ import annotations

from typing import Final

from contracts.instrument import SPOT
from producers.normalize import sizes
from producers.normalize.topics import Topics
from producers.venue import Decoded
from producers.venues.gate import wire, wire_trades
from producers.venues.gate.topics import Topic

TIMEFRAMES: Final = {"7d": "1w", **{name: name for name in ("10s", "1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d")}}


def decode_candles(topics: Topics[Topic], frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read candles; those of mark and index prices (`1m_mark_BTC_USDT`) are of no trades and left out.

    So are those whose volume in the base coin is not known: spot of 2021 says the quote coin's only, and contracts
    count nothing where their worth is unknown.
    """
    push = wire_trades.read_candles(frame)
    result: list[wire_trades.Candle] | wire_trades.Candle | None = push.result
    rows = [result] if isinstance(result, wire_trades.Candle) else result or []
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


def _volumes(topic: Topic, row: wire_trades.Candle) -> tuple[str, str | None] | None:
    """Return the volumes in base and quote coin; None where the first is unknown."""
    total = wire.number(row.v, "result.v")
    if topic.instrument.contract != SPOT:
        amount = sizes.amount(topic.instrument, total, None) if total.strip("0.") else "0"
        return None if amount is None else (amount, None)
    if row.a is not None:
        return wire.number(row.a, "result.a"), total
    return None if total.strip("0.") else (total, total)


def _candle(
    topic: Topic, row: wire_trades.Candle, times: tuple[int | None, int], volumes: tuple[str, str | None]
) -> Decoded:
    timeframe = TIMEFRAMES[row.n.partition("_")[0]]
    return topic.make.candle(
        id=f"{topic.tail}.candle.{timeframe}-{row.t}-{wire.fingerprint(row)}",
        ts_event=times[0],
        ts_recv=times[1],
        timeframe=timeframe,
        open=wire.price(row.o, "result.o"),
        high=wire.price(row.h, "result.h"),
        low=wire.price(row.l, "result.l"),
        close=wire.price(row.c, "result.c"),
        volume=volumes[0],
        quote_volume=volumes[1],
        trades=None,
        closed=row.w,
        start_ts=wire.seconds_time(row.t, "result.t"),
    )
