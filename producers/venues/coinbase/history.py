"""Coinbase Exchange's past over REST: candles and recent trades.

https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles and
https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.instrument import Instrument
from producers.normalize.numbers import Seconds, Whole, number, price, price_text, unsigned
from producers.rest.history import SECOND, SECONDS, Bar, candle_decoder, make_trade, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.coinbase.wire import read_time

MOST_CANDLES: Final = 300
MOST_TRADES: Final = 1000
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "1h", "1d"})  # half hours, four hours and weeks there are none of
_TAKER: Final = {"buy": "sell", "sell": "buy"}  # the venue names the maker's side

_Row = tuple[Seconds, Raw, Raw, Raw, Raw, Raw]  # start in s, LOW, HIGH, open, close, volume


class _Trade(Struct, gc=False):
    """`{"trade_id":74,"side":"sell","size":"0.01","price":"91000.16","time":"2026-11-21T20:00:00.122581Z"}`."""

    trade_id: Whole
    side: Literal["buy", "sell"]
    size: str
    price: str
    time: str


_list: Final = msgspec.json.Decoder(list[Raw]).decode
_row: Final = msgspec.json.Decoder(_Row).decode
_trade: Final = msgspec.json.Decoder(_Trade).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Return the call for the candles of a span; `end` is the opening time of the last one."""
    seconds = SECONDS[span.timeframe]
    params = {
        "granularity": str(seconds),
        "start": _time(span.start_ts),
        "end": _time(span.end_ts - seconds * SECOND),
    }
    return RestCall(f"/products/{instrument.venue_symbol}/candles", params)


def _time(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _bar(_: Instrument, raw: Raw) -> Bar:
    """Read a candle, newest first; there is none where nothing was traded. The volume is in the base coin."""
    row = _row(raw)
    return row[0] * SECOND, {
        "open": price(row[3], "candles[3] (open)"),
        "high": price(row[2], "candles[2] (high)"),
        "low": price(row[1], "candles[1] (low)"),
        "close": price(row[4], "candles[4] (close)"),
        "volume": number(row[5], "candles[5] (volume)"),
    }


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Return the call for the newest trades."""
    return RestCall(f"/products/{instrument.venue_symbol}/trades", {"limit": str(min(limit, MOST_TRADES))})


def older_trades_call(instrument: Instrument, limit: int, oldest: Decoded) -> RestCall:
    """Return the call for the trades before one: a page `after` a cursor is an older one.

    https://docs.cdp.coinbase.com/exchange/rest-api/pagination
    """
    newest = trades_call(instrument, limit)
    return RestCall(newest.path, {**newest.params, "after": oldest.trade_id})


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Return trades, newest first; a maker who sold means that the aggressor bought."""

    def read(raw: Raw) -> Decoded:
        row = _trade(raw)
        return make_trade(
            instrument,
            str(row.trade_id),
            read_time(row.time),
            ts_recv=ts_recv,
            sim=sim,
            price=price_text(row.price, "price"),
            amount=unsigned(row.size, "size"),
            side=_TAKER[row.side],
        )

    return read_rows(_list, body, f"trades of {instrument.venue_symbol}", read)


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(_list, "candles", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
    older_trades_call=older_trades_call,
)
