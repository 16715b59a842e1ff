"""Deribit's past over REST: candles by column, and the last trades.

Pages: https://docs.deribit.com/api-reference/market-data/public-get_tradingview_chart_data,
https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_instrument
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize import numbers, sizes
from producers.rest.history import SECONDS, Bar, candle_decoder, make_trade, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.deribit import wire

MOST_CANDLES: Final = 5000  # ours: how many come at once is not documented
MOST_TRADES: Final = 1000
# There are none of four hours, and when the venue's days begin is not documented: both are made of hours.
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h"})
_PATH: Final = "/api/v2/public"


class _Columns(Struct):
    """`{"status":"ok","ticks":[1763683200000],"open":[91000.5],…,"volume":[1.5],"cost":[136500.0]}`: one list each.

    `volume` is in base coin and `cost` in the quote, also of inverse contracts; without candles `status` is `no_data`.
    """

    ticks: list[Raw]  # ms
    open: list[Raw]
    high: list[Raw]
    low: list[Raw]
    close: list[Raw]
    volume: list[Raw]
    cost: list[Raw]


class _Chart(Struct):
    result: _Columns


class _Prints(Struct):
    trades: list[Raw]


class _Trades(Struct):
    result: _Prints


_chart: Final = msgspec.json.Decoder(_Chart).decode
_trades: Final = msgspec.json.Decoder(_Trades).decode
_write: Final = msgspec.json.Encoder().encode
_candle_row: Final = msgspec.json.Decoder(tuple[int, Raw, Raw, Raw, Raw, Raw, Raw]).decode
_trade_row: Final = msgspec.json.Decoder(wire.Trade).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span."""
    params = {
        "instrument_name": instrument.venue_symbol,
        "resolution": str(SECONDS[span.timeframe] // 60),
        "start_timestamp": str(span.start_ts // wire.MS),
        "end_timestamp": str(span.end_ts // wire.MS - 1),
    }
    return RestCall(f"{_PATH}/get_tradingview_chart_data", params)


def _chart_rows(body: bytes) -> list[Raw]:
    """Return the columns, which are equally long, as rows."""
    chart = _chart(body).result
    columns = (chart.ticks, chart.open, chart.high, chart.low, chart.close, chart.volume, chart.cost)
    if len({len(column) for column in columns}) > 1:
        raise FrameError("the columns of a chart differ in length", field="result")
    return [Raw(_write(cells)) for cells in zip(*columns, strict=True)]


def _bar(_: Instrument, raw: Raw) -> Bar:
    """Read a row of the chart, oldest first."""
    tick, opened, high, low, close, volume, cost = _candle_row(raw)
    return tick * wire.MS, {
        "open": numbers.price(opened, "result.open"),
        "high": numbers.price(high, "result.high"),
        "low": numbers.price(low, "result.low"),
        "close": numbers.price(close, "result.close"),
        "volume": numbers.number(volume, "result.volume"),
        "quote_volume": numbers.number(cost, "result.cost"),
    }


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for the newest trades."""
    params = {"instrument_name": instrument.venue_symbol, "count": str(min(limit, MOST_TRADES)), "sorting": "desc"}
    return RestCall(f"{_PATH}/get_last_trades_by_instrument", params)


def older_trades_call(instrument: Instrument, limit: int, oldest: Decoded) -> RestCall:
    """Return the call for the trades up to one, which comes again."""
    newest = trades_call(instrument, limit)
    return RestCall(newest.path, {**newest.params, "end_seq": str(oldest.seq)})


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades; their ids are the socket's, the direction is the taker's; amounts as on the socket."""
    what = f"trades of {instrument.venue_symbol}"
    return read_rows(_trade_rows, body, what, lambda raw: _trade(instrument, _trade_row(raw), ts_recv, sim=sim))


def _trade_rows(body: bytes) -> list[Raw]:
    return _trades(body).result.trades


def _trade(instrument: Instrument, row: wire.Trade, ts_recv: int, *, sim: bool) -> Decoded:
    price, size = numbers.price(row.price, "trades.price"), numbers.number(row.amount, "trades.amount")
    amount, contracts = sizes.sizes(instrument, size, price)
    return make_trade(
        instrument,
        row.trade_id,
        row.timestamp * wire.MS,
        ts_recv=ts_recv,
        sim=sim,
        price=price,
        amount=amount,
        contracts=contracts,
        side=row.direction,
        seq=row.trade_seq,
    )


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(_chart_rows, "chart", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
    older_trades_call=older_trades_call,
)
