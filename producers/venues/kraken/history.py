"""Kraken's past over REST: the newest 720 candles of a length, and the last trades.

https://docs.kraken.com/exchange/api-reference/spot-rest: `OHLC` and `Trades`
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.rest.history import SECOND, SECONDS, Bar, bar_prices, candle_decoder, make_trade, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.kraken.plan import rest_name

MOST_CANDLES: Final = 720
MOST_TRADES: Final = 1000
# Weeks are left out: the venue counts them from the epoch, a Thursday.
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d"})
_SIDES: Final = {"b": "buy", "s": "sell"}


class _Candle(Struct, array_like=True, gc=False):
    """`[1763683200,"91000.1","91010.5","90990.0","91005.0","91001.2","12.34",321]`; `vwap` is no part of ours."""

    start: numbers.Seconds
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: numbers.Whole


class _Trade(Struct, array_like=True, gc=False):
    """`["91000.1","0.00027",1763700000.1234567,"b","m","",10218208]`; `b` is a taker who bought."""

    price: str
    volume: str
    time: Raw  # s with fractions
    side: str
    order: str
    misc: str
    trade_id: numbers.Whole


class _Answer(Struct):
    """`{"error":[],"result":{"XXBTZUSD":[…],"last":…}}`: the pair by a name of the venue's own."""

    result: dict[str, Raw]


_answer: Final = msgspec.json.Decoder(_Answer).decode
_list: Final = msgspec.json.Decoder(list[Raw]).decode
_candle: Final = msgspec.json.Decoder(_Candle).decode
_trade: Final = msgspec.json.Decoder(_Trade).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Return the call for all candles since the span's start (those that open after `since`), of which there are 720.

    Raises InvalidParameterError (`start_ts`) where the span begins before them.
    """
    length = SECONDS[span.timeframe]
    back = span.candles_back(length)
    if back > MOST_CANDLES:
        raise InvalidParameterError(
            f"kraken answers the newest {MOST_CANDLES} candles of {instrument.symbol} ({span.timeframe}), not {back}",
            parameter="start_ts",
        )
    params = {"interval": str(length // 60), "since": str(max(0, span.start_ts // SECOND - 1))}
    return RestCall("/0/public/OHLC", {"pair": rest_name(instrument.venue_symbol), **params})


def _bar(_: Instrument, raw: Raw) -> Bar:
    """Read a candle, oldest first; the volume is in base coin, that of the quote is not given."""
    row = _candle(raw)
    volume = numbers.unsigned(row.volume, "result.volume")
    return row.start * SECOND, {**bar_prices(row, numbers.price_text, "result"), "volume": volume, "trades": row.count}


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Return the call for the newest trades."""
    params = {"pair": rest_name(instrument.venue_symbol), "count": str(min(limit, MOST_TRADES))}
    return RestCall("/0/public/Trades", params)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, oldest first; their ids are the socket's, the side is the taker's."""

    def read(raw: Raw) -> Decoded:
        row = _trade(raw)
        return make_trade(
            instrument,
            str(row.trade_id),
            numbers.seconds(row.time, "result.time"),
            ts_recv=ts_recv,
            sim=sim,
            price=numbers.price_text(row.price, "result.price"),
            amount=numbers.unsigned(row.volume, "result.volume"),
            side=_SIDES.get(row.side),
            seq=row.trade_id,
        )

    return read_rows(_rows, body, f"trades of {instrument.venue_symbol}", read)


def _rows(body: bytes) -> list[Raw]:
    rows = next((value for name, value in _answer(body).result.items() if name != "last"), None)
    if rows is None:
        raise FrameError("an answer without rows", field="result")
    return _list(rows)


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(_rows, "OHLC", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
