"""Gate's past over REST, of pairs and contracts: candles and recent trades.

https://www.gate.com/docs/developers/apiv4/en/#market-k-line-chart and #query-market-transaction-records (pairs),
#futures-market-k-line-chart and #futures-market-transaction-records (contracts)
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize import numbers, sizes
from producers.normalize.events import Makers
from producers.rest.history import SECOND, SECONDS, candle_id, is_closed, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.gate import wire
from producers.venues.gate.plan import DECIMAL_SIZES, SPOT, market_of
from producers.venues.gate.topics import Topic

MOST: Final = 1000
# On which day seven days begin is not documented: weeks are made of days.
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d"})
_SPOT_PATH: Final = "/api/v4/spot/"
_FUTURES_PATH: Final = "/api/v4/futures/usdt/"
_COLUMNS: Final = 7  # of a pair's candle: start in s, QUOTE volume, CLOSE, HIGH, LOW, OPEN, base volume; then: closed
_IN_MS: Final = 10**11  # a time of this size or more is in ms


class _Candle(Struct, gc=False):
    """A contract's: `{"t":1539852480,"v":97151,"c":"1.032","h":"1.032","l":"1.032","o":"1.032","sum":"3580"}`."""

    t: wire.Number
    v: wire.Number
    c: wire.Number
    h: wire.Number
    l: wire.Number
    o: wire.Number
    sum: wire.Maybe = None


class _SpotTrade(Struct, gc=False):
    """`{"id":"1232893232","create_time":"1548000000","create_time_ms":"1548000000123.456","side":"buy",…}`."""

    create_time_ms: wire.Number
    side: Literal["buy", "sell"]
    amount: wire.Number
    price: wire.Number
    id: wire.Maybe = None
    sequence_id: wire.Maybe = None  # the socket's `id_market`


class _FuturesTrade(Struct, gc=False):
    """`{"id":121234231,"create_time":1514764800,"create_time_ms":1514764800.123,"size":-100,"price":"100.123"}`.

    `create_time_ms` counts seconds here, with the ms behind the point; where it counts ms its size shows it.
    """

    id: wire.Number
    create_time: wire.Number
    size: wire.Number
    price: wire.Number
    create_time_ms: wire.Number | None = None


_rows: Final = msgspec.json.Decoder(list[Raw] | None).decode
_spot_candle_row: Final = wire.reader(list[wire.Number | bool])
_futures_candle_row: Final = wire.reader(_Candle)
_spot_trade_row: Final = wire.reader(_SpotTrade)
_futures_trade_row: Final = wire.reader(_FuturesTrade)


def _call(instrument: Instrument, name: str, params: dict[str, str]) -> RestCall:
    if market_of(instrument) == SPOT:
        return RestCall(_SPOT_PATH + name, {"currency_pair": instrument.venue_symbol, **params})
    return RestCall(_FUTURES_PATH + name, {"contract": instrument.venue_symbol, **params}, headers=DECIMAL_SIZES)


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span, which excludes a limit; `to` is the opening time of the last one."""
    last = span.end_ts // SECOND - SECONDS[span.timeframe]
    params = {"interval": span.timeframe, "from": str(span.start_ts // SECOND), "to": str(last)}
    return _call(instrument, "candlesticks", params)


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read candles, oldest first. Pairs say whether they are closed; contracts do not, and count contracts."""
    topic, what = Topic(instrument, Makers(sim=sim)), f"candlesticks of {instrument.venue_symbol}"
    if market_of(instrument) == SPOT:
        return read_rows(_list, body, what, lambda raw: _spot_candle(topic, timeframe, _spot_candle_row(raw), ts_recv))
    return read_rows(
        _list, body, what, lambda raw: _futures_candle(topic, timeframe, _futures_candle_row(raw), ts_recv)
    )


def _list(body: bytes) -> list[Raw]:
    return _rows(body) or []


def _spot_candle(topic: Topic, timeframe: str, row: list[wire.Number | bool], ts_recv: int) -> Decoded:
    if len(row) < _COLUMNS:
        raise FrameError(f"a candle of {topic.instrument.venue_symbol} has {len(row)} columns", field="candlesticks")
    start, quoted, *texts, volume = [str(item) for item in row[:_COLUMNS]]
    close, high, low, opened = (
        numbers.price_text(text, f"candlesticks[{index}]") for index, text in enumerate(texts, start=2)
    )
    quoted, volume = numbers.unsigned(quoted, "candlesticks[1]"), numbers.unsigned(volume, "candlesticks[6]")
    prices = {"open": opened, "high": high, "low": low, "close": close}
    closed = str(row[_COLUMNS]).lower() == "true" if len(row) > _COLUMNS else None
    return _event(topic, (timeframe, start, ts_recv), prices, closed=closed, volume=volume, quote_volume=quoted)


def _futures_candle(topic: Topic, timeframe: str, row: _Candle, ts_recv: int) -> Decoded:
    volume = sizes.amount(topic.instrument, wire.number(row.v, "candlesticks.v"), None)
    if volume is None:
        raise FrameError(f"what a contract of {topic.instrument.venue_symbol} is worth is not known", field="v")
    columns = {"open": row.o, "high": row.h, "low": row.l, "close": row.c}
    prices = {name: wire.price(value, f"candlesticks.{name[0]}") for name, value in columns.items()}
    quoted = wire.optional_number(row.sum, "candlesticks.sum")
    return _event(topic, (timeframe, row.t, ts_recv), prices, closed=None, volume=volume, quote_volume=quoted)


def _event(
    topic: Topic, when: tuple[str, wire.Number, int], prices: dict[str, str], *, closed: bool | None, **volumes: Any
) -> Decoded:
    timeframe, opened, ts_recv = when
    start = wire.seconds_time(opened, "candlesticks.t")
    return topic.make.candle(
        ts_recv=ts_recv,
        **prices,
        **volumes,
        id=candle_id(topic.instrument, timeframe, start),
        timeframe=timeframe,
        trades=None,
        closed=is_closed(timeframe, start, ts_recv) if closed is None else closed,
        start_ts=start,
    )


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for the newest trades."""
    return _call(instrument, "trades", {"limit": str(min(limit, MOST))})


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, newest first; the side is the taker's, of contracts the sign of the size."""
    topic, what = Topic(instrument, Makers(sim=sim)), f"trades of {instrument.venue_symbol}"
    if market_of(instrument) == SPOT:
        return read_rows(_list, body, what, lambda raw: _spot_trade(topic, _spot_trade_row(raw), ts_recv))
    return read_rows(_list, body, what, lambda raw: _futures_trade(topic, _futures_trade_row(raw), ts_recv))


def _spot_trade(topic: Topic, row: _SpotTrade, ts_recv: int) -> Decoded:
    number = row.sequence_id if row.id is None else row.id
    if number is None:
        raise FrameError("a trade has neither id nor sequence_id", field="id")
    return topic.make.trade(
        id=f"{topic.tail}.trade.{number}",
        ts_event=wire.ms_time(row.create_time_ms, "create_time_ms"),
        ts_recv=ts_recv,
        trade_id=str(number),
        price=wire.price(row.price, "price"),
        amount=wire.number(row.amount, "amount"),
        side=row.side,
        seq=int(wire.number(row.sequence_id, "sequence_id")) if row.sequence_id else None,
    )


def _futures_trade(topic: Topic, row: _FuturesTrade, ts_recv: int) -> Decoded:
    price = wire.price(row.price, "price")
    size, is_sell = wire.signed(row.size, "size")
    amount, contracts = sizes.sizes(topic.instrument, size, price)
    return topic.make.trade(
        id=f"{topic.tail}.trade.{row.id}",
        ts_event=_time(row.create_time if row.create_time_ms is None else row.create_time_ms),
        ts_recv=ts_recv,
        trade_id=str(row.id),
        price=price,
        amount=amount,
        contracts=contracts,
        side=None if not size.strip("0.") else "sell" if is_sell else "buy",
    )


def _time(value: wire.Number) -> int:
    in_ms = int(wire.number(value, "create_time_ms").partition(".")[0]) >= _IN_MS
    return (wire.ms_time if in_ms else wire.seconds_time)(value, "create_time_ms")


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
