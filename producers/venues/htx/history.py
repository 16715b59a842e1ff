"""HTX's past over REST, of both hosts: candles and recent trades.

Spot has so many candles back from now, contracts those of a span. Whether days and weeks are of UTC is not
documented: they are made of four hours.

https://www.htx.com/en-us/opend/newApiPages/?id=7ec4a4da-7773-11ed-9966-0242ac110003 (klines, most recent trades)
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import InvalidParameterError
from contracts.instrument import SPOT, Instrument
from producers.normalize.events import Makers
from producers.rest.history import SECOND, SECONDS, bar_prices, candle_id, is_closed, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.htx import wire
from producers.venues.htx.events_trades import trade_event
from producers.venues.htx.plan import SWAP_REST
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import ABSENT, number, optional_amount, price

MOST: Final = 2000
PERIODS: Final = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "60min", "4h": "4hour"}
_SPOT_PATH: Final = "/market/history/"
_SWAP_PATH: Final = "/linear-swap-ex/market/history/"


class _Candles(Struct, gc=False):
    """`{"status":"ok","ch":"market.btcusdt.kline.1min","data":[{"id":1763700000,"open":1,…}]}`."""

    data: list[Raw] | None


class _Trade(Struct, gc=False):
    """A trade of REST, which spells the number of a spot trade `trade-id`."""

    ts: int
    amount: Raw
    price: Raw
    direction: str = ""
    id: Raw = ABSENT
    tradeId: Raw = ABSENT
    trade_id: Raw = msgspec.field(default=ABSENT, name="trade-id")
    quantity: Raw = ABSENT


class _Order(Struct, gc=False):
    """`{"id":105,"ts":1763700000000,"data":[{"trade-id":102090727790,"price":1.5,"amount":2,…}]}`: one aggressor's."""

    data: list[Raw]


class _Trades(Struct, gc=False):
    data: list[_Order] | None


_candles: Final = msgspec.json.Decoder(_Candles).decode
_kline: Final = msgspec.json.Decoder(wire.Kline).decode
_trades: Final = msgspec.json.Decoder(_Trades).decode
_trade: Final = msgspec.json.Decoder(_Trade).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span; of spot for all since its start, which can be 2000 at most.

    Raises InvalidParameterError (`start_ts`) where a spot span begins before them.
    """
    period = PERIODS[span.timeframe]
    if instrument.contract != SPOT:
        params = {"contract_code": instrument.venue_symbol, "period": period}
        params |= {"from": str(span.start_ts // SECOND), "to": str(span.end_ts // SECOND - 1)}
        return RestCall(f"{_SWAP_PATH}kline", params, base_url=SWAP_REST)
    size = max(1, span.candles_back(SECONDS[span.timeframe]))
    if size > MOST:
        raise InvalidParameterError(
            f"htx has the newest {MOST} candles of {instrument.symbol} ({span.timeframe}), not {size}",
            parameter="start_ts",
        )
    return RestCall(f"{_SPOT_PATH}kline", {"symbol": instrument.venue_symbol, "period": period, "size": str(size)})


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read candles: newest first of spot, oldest first of contracts. `amount` counts coins, also of contracts."""
    topic, what = Topic(instrument, Makers(sim=sim)), f"kline of {instrument.venue_symbol}"
    return read_rows(_klines, body, what, lambda raw: _candle(topic, timeframe, _kline(raw), ts_recv))


def _klines(body: bytes) -> list[Raw]:
    return _candles(body).data or []


def _candle(topic: Topic, timeframe: str, row: wire.Kline, ts_recv: int) -> Decoded:
    start = row.id * SECOND
    quoted = row.vol if topic.is_spot else row.turnover
    count = optional_amount(row.count, "data.count")
    return topic.make.candle(
        ts_recv=ts_recv,
        id=candle_id(topic.instrument, timeframe, start),
        timeframe=timeframe,
        **bar_prices(row, price, "data"),
        volume=number(row.amount, "data.amount"),
        quote_volume=optional_amount(quoted, "data.vol, data.trade_turnover"),
        trades=None if count is None else int(count.partition(".")[0]),
        closed=is_closed(timeframe, start, ts_recv),
        start_ts=start,
    )


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for what the newest aggressors traded, which is one trade each at least."""
    size = str(min(limit, MOST))
    if instrument.contract == SPOT:
        return RestCall(f"{_SPOT_PATH}trade", {"symbol": instrument.venue_symbol, "size": size})
    params = {"contract_code": instrument.venue_symbol, "size": size}
    return RestCall(f"{_SWAP_PATH}trade", params, base_url=SWAP_REST)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, aggressors newest first, as the socket's are read."""
    topic, what = Topic(instrument, Makers(sim=sim)), f"trades of {instrument.venue_symbol}"
    return read_rows(_trade_rows, body, what, lambda raw: trade_event(topic, _as_pushed(_trade(raw)), ts_recv))


def _trade_rows(body: bytes) -> list[Raw]:
    return [row for order in _trades(body).data or () for row in order.data]


def _as_pushed(row: _Trade) -> wire.Trade:
    return wire.Trade(
        ts=row.ts,
        amount=row.amount,
        price=row.price,
        direction=row.direction,
        id=row.id,
        tradeId=row.tradeId if row.trade_id == ABSENT else row.trade_id,
        quantity=row.quantity,
    )


HISTORY: Final = History(
    timeframes=frozenset(PERIODS),
    most_candles=MOST,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
