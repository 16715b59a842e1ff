"""Bitfinex's past over REST: candles and the last trades.

Pages: https://docs.bitfinex.com/reference/rest-public-candles, https://docs.bitfinex.com/reference/rest-public-trades
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.rest.history import Bar, bar_prices, candle_decoder, make_trade, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.bitfinex import wire

MOST_CANDLES: Final = 10_000
MOST_TRADES: Final = 1000  # ours: the venue would give more
# There are none of four hours; on which day the venue's weeks begin is not documented: they are made of days.
LENGTHS: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1h", "1d": "1D"}
_MINUS: Final = "-"


class _Candle(Struct, array_like=True, gc=False):
    """`[1763683200000,91000.1,91005,91010.5,90990,12.34]`: close comes second; the volume is in base coin."""

    start: int  # ms
    open: Raw
    close: Raw
    high: Raw
    low: Raw
    volume: Raw


_rows: Final = msgspec.json.Decoder(list[Raw] | None).decode
_candle: Final = msgspec.json.Decoder(_Candle).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span."""
    params = {
        "start": str(span.start_ts // wire.MS),
        "end": str(span.end_ts // wire.MS - 1),
        "limit": str(min(span.limit, MOST_CANDLES)),
    }
    return RestCall(f"/v2/candles/trade:{LENGTHS[span.timeframe]}:{instrument.venue_symbol}/hist", params)


def _bar(_: Instrument, raw: Raw) -> Bar:
    """Read a candle, newest first; time without trades has none."""
    row = _candle(raw)
    volume = numbers.number(row.volume, "candles.volume")
    return row.start * wire.MS, {**bar_prices(row, numbers.price, "candles"), "volume": volume}


def _list(body: bytes) -> list[Raw]:
    return _rows(body) or []


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for the newest trades."""
    return RestCall(f"/v2/trades/{instrument.venue_symbol}/hist", {"limit": str(min(limit, MOST_TRADES))})


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, newest first; their ids are the socket's, a negative amount is a taker's who sold."""
    what = f"trades of {instrument.venue_symbol}"
    return read_rows(_list, body, what, lambda raw: _trade(instrument, wire.decode_print(raw), ts_recv, sim=sim))


def _trade(instrument: Instrument, row: wire.Print, ts_recv: int, *, sim: bool) -> Decoded:
    amount = numbers.signed(row.amount, "trades.amount")
    return make_trade(
        instrument,
        str(row.ident),
        row.time * wire.MS,
        ts_recv=ts_recv,
        sim=sim,
        price=numbers.price(row.price, "trades.price"),
        amount=amount.removeprefix(_MINUS),
        side="sell" if amount.startswith(_MINUS) else "buy",
    )


HISTORY: Final = History(
    timeframes=frozenset(LENGTHS),
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(_list, "candles", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
