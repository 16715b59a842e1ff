"""Bybit's past over REST, of all its markets: candles and recent trades.

https://bybit-exchange.github.io/docs/v5/market/kline and https://bybit-exchange.github.io/docs/v5/market/recent-trade
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.normalize.events import Makers
from producers.rest.history import candle_id, is_closed, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.bybit import wire
from producers.venues.bybit.plan import SPOT, market_of
from producers.venues.bybit.topics import Topic
from producers.venues.bybit.wire import MS

MOST: Final = 1000
_MOST_SPOT_TRADES: Final = 60
# On which day a week begins is not documented: weeks are made of days.
INTERVALS: Final = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "D"}
_SIDES: Final = {"Buy": "buy", "Sell": "sell"}

_Row = tuple[str, str, str, str, str, str, str]  # start in ms, open, high, low, close, volume, turnover


class _Rows(Struct, gc=False):
    rows: list[Raw] = field(name="list")


class _Answer(Struct, gc=False):
    """`{"retCode":0,"result":{"symbol":"BTCUSDT","list":[["1763700000000","1","2","0.5","1.5","3","4.5"]]}}`."""

    result: _Rows


class _Trade(Struct, gc=False):
    """`{"execId":"20f4","symbol":"BTCUSDT","price":"91000.5","size":"0.01","side":"Buy","time":"17637…","seq":"17"}`.

    `side` is the taker's, `execId` the socket's `i`.
    """

    execId: str
    price: str
    size: str
    side: wire.Side
    time: str
    seq: str = ""


_answer: Final = msgspec.json.Decoder(_Answer).decode
_candle_row: Final = msgspec.json.Decoder(_Row).decode
_trade_row: Final = msgspec.json.Decoder(_Trade).decode


def _rows(body: bytes) -> list[Raw]:
    return _answer(body).result.rows


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span; `end` is the last moment of it."""
    params = {
        "category": market_of(instrument),
        "symbol": instrument.venue_symbol,
        "interval": INTERVALS[span.timeframe],
        "start": str(span.start_ts // MS),
        "end": str(span.end_ts // MS - 1),
        "limit": str(min(span.limit, MOST)),
    }
    return RestCall("/v5/market/kline", params)


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read candles, newest first; an inverse contract's volume counts USD, its turnover the coin."""
    topic = Topic(instrument, "candle", "", Makers(sim=sim))
    what = f"kline of {instrument.venue_symbol}"
    return read_rows(_rows, body, what, lambda raw: _candle(topic, timeframe, _candle_row(raw), ts_recv))


def _candle(topic: Topic, timeframe: str, row: _Row, ts_recv: int) -> Decoded:
    start = wire.read_time(row[0], "result.list[0] (startTime)")
    opened, high, low, close = (
        numbers.price_text(text, f"result.list[{index}]") for index, text in enumerate(row[1:5], start=1)
    )
    volume, turnover = numbers.unsigned(row[5], "result.list[5]"), numbers.unsigned(row[6], "result.list[6]")
    return topic.make.candle(
        ts_recv=ts_recv,
        id=candle_id(topic.instrument, timeframe, start),
        timeframe=timeframe,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=turnover if topic.is_inverse else volume,
        quote_volume=volume if topic.is_inverse else turnover,
        trades=None,
        closed=is_closed(timeframe, start, ts_recv),
        start_ts=start,
    )


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for the newest trades; of spot there are 60 at most."""
    category = market_of(instrument)
    most = _MOST_SPOT_TRADES if category == SPOT else MOST
    params = {"category": category, "symbol": instrument.venue_symbol, "limit": str(min(limit, most))}
    return RestCall("/v5/market/recent-trade", params)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, newest first; sizes of inverse contracts count USD."""
    topic = Topic(instrument, "trade", "", Makers(sim=sim))
    what = f"recent-trade of {instrument.venue_symbol}"
    return read_rows(_rows, body, what, lambda raw: _trade(topic, _trade_row(raw), ts_recv))


def _trade(topic: Topic, row: _Trade, ts_recv: int) -> Decoded:
    price = numbers.price_text(row.price, "result.list.price")
    amount, contracts = topic.sizes(numbers.unsigned(row.size, "result.list.size"), price)
    return topic.make.trade(
        ts_recv=ts_recv,
        id=topic.id_start + row.execId,
        ts_event=wire.read_time(row.time, "result.list.time"),
        trade_id=row.execId,
        price=price,
        amount=amount,
        contracts=contracts,
        side=_SIDES[row.side],
        seq=int(row.seq) if row.seq.isascii() and row.seq.isdigit() else None,
    )


HISTORY: Final = History(
    timeframes=frozenset(INTERVALS),
    most_candles=MOST,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
