"""Hyperliquid's past over REST: the newest 5000 candles of a length, and the last trades.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint: `candleSnapshot` and `recentTrades`;
how many trades the latter gives is not documented.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from contracts.errors import InvalidParameterError
from contracts.instrument import Instrument
from producers.normalize import numbers
from producers.rest.history import SECONDS, Bar, candle_decoder, make_trade, read_rows
from producers.venue import Decoded, History, RestCall, Span
from producers.venues.hyperliquid import wire

MOST_CANDLES: Final = 5000
MOST_TRADES: Final = 30  # ours: how many cannot be chosen
# On which day the venue's weeks begin is not documented: they are made of days.
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d"})
_HEAVY: Final = 20  # of 1200 units a minute
_ROWS_A_UNIT: Final = 60  # candles cost one unit more for so many
_SIDES: Final = {"B": "buy", "A": "sell"}

_rows: Final = msgspec.json.Decoder(list[Raw]).decode
_candle_row: Final = msgspec.json.Decoder(wire.Candle).decode
_trade_row: Final = msgspec.json.Decoder(wire.Trade).decode


def _call(weight: int, question: dict[str, Any]) -> RestCall:
    return RestCall("/info", weight=weight, method="POST", body=json.dumps(question, separators=(",", ":")))


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span; raises InvalidParameterError (`start_ts`) before the newest 5000."""
    back = span.candles_back(SECONDS[span.timeframe])
    if back > MOST_CANDLES:
        raise InvalidParameterError(
            f"the venue has the newest {MOST_CANDLES} candles of {instrument.symbol} ({span.timeframe}), not {back}",
            parameter="start_ts",
        )
    wanted = {
        "coin": instrument.venue_symbol,
        "interval": span.timeframe,
        "startTime": span.start_ts // wire.MS,
        "endTime": span.end_ts // wire.MS - 1,
    }
    return _call(_HEAVY + span.limit // _ROWS_A_UNIT, {"type": "candleSnapshot", "req": wanted})


def _bar(_: Instrument, raw: Raw) -> Bar:
    """Read a candle, oldest first; the volume is in base coin, that of the quote is not given."""
    row = _candle_row(raw)
    return row.t * wire.MS, {"trades": row.n, **wire.bars(row)}


def trades_call(instrument: Instrument, limit: int) -> RestCall:  # noqa: ARG001 - how many cannot be chosen
    """Ask for the newest trades; weight 20."""
    return _call(_HEAVY, {"type": "recentTrades", "coin": instrument.venue_symbol})


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades, which are the socket's."""
    what = f"trades of {instrument.venue_symbol}"
    return read_rows(_rows, body, what, lambda raw: _trade(instrument, _trade_row(raw), ts_recv, sim=sim))


def _trade(instrument: Instrument, row: wire.Trade, ts_recv: int, *, sim: bool) -> Decoded:
    trade = make_trade(
        instrument,
        str(row.tid),
        row.time * wire.MS,
        ts_recv=ts_recv,
        sim=sim,
        price=numbers.price_text(row.px, "px"),
        amount=numbers.unsigned(row.sz, "sz"),
        side=_SIDES[row.side],
    )
    return replace(trade, id=f"{instrument.tail}.trade.{row.time}-{row.tid}")


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=candle_decoder(_rows, "candles", _bar),
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
