"""KuCoin spot's past over REST: candles, and the last 100 trades.

Pages: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-klines,
https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-trade-history

Trades have other ids here than on the socket, where each has a `tradeId` beside its sequence: here they have the
sequence only. So their ids are `rest-<sequence>`; `seq` is the same on both.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.instrument import Instrument
from producers.families.kucoin_rest import decode_rows
from producers.normalize import numbers
from producers.rest.history import SECOND, bar_prices, make_candle, make_trade
from producers.venue import Decoded, History, RestCall, Span

MOST_CANDLES: Final = 1500
MOST_TRADES: Final = 100  # always so many
# On which day the venue's weeks begin is not documented: they are made of days.
PERIODS: Final = {
    "1m": "1min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "1hour",
    "4h": "4hour",
    "1d": "1day",
}


class _Candle(Struct, array_like=True, gc=False):
    """`["1763683200","91000.1","91005","91010.5","90990","12.34","1122987.6"]`: close comes second."""

    start: int  # s
    open: str
    close: str
    high: str
    low: str
    volume: str
    turnover: str


class _Trade(Struct, gc=False):
    """`{"sequence":"1545896668571","price":"91000.1","size":"0.0053","side":"sell","time":1763700000436443257}`."""

    sequence: int
    price: str
    size: str
    side: Literal["buy", "sell"]
    time: int  # ns


_candle: Final = msgspec.json.Decoder(_Candle, strict=False).decode
_trade: Final = msgspec.json.Decoder(_Trade, strict=False).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Return the call for the candles of a span; weight 3."""
    params = {
        "symbol": instrument.venue_symbol,
        "type": PERIODS[span.timeframe],
        "startAt": str(span.start_ts // SECOND),
        "endAt": str(span.end_ts // SECOND - 1),
    }
    return RestCall("/api/v1/market/candles", params, weight=3)


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read candles, newest first; volume and turnover are base and quote."""

    def read(raw: Raw) -> Decoded:
        row = _candle(raw)
        return make_candle(
            instrument,
            timeframe,
            row.start * SECOND,
            ts_recv=ts_recv,
            sim=sim,
            **bar_prices(row, numbers.price_text, "data"),
            volume=numbers.unsigned(row.volume, "data.volume"),
            quote_volume=numbers.unsigned(row.turnover, "data.turnover"),
        )

    return decode_rows(body, f"candles of {instrument.venue_symbol}", read)


def trades_call(instrument: Instrument, limit: int) -> RestCall:  # noqa: ARG001 - how many cannot be chosen
    """Return the call for the newest trades; weight 3."""
    return RestCall("/api/v1/market/histories", {"symbol": instrument.venue_symbol}, weight=3)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades; the side is the taker's."""

    def read(raw: Raw) -> Decoded:
        row = _trade(raw)
        return make_trade(
            instrument,
            f"rest-{row.sequence}",
            row.time,
            ts_recv=ts_recv,
            sim=sim,
            price=numbers.price_text(row.price, "data.price"),
            amount=numbers.unsigned(row.size, "data.size"),
            side=row.side,
            seq=row.sequence,
        )

    return decode_rows(body, f"trades of {instrument.venue_symbol}", read)


HISTORY: Final = History(
    timeframes=frozenset(PERIODS),
    most_candles=MOST_CANDLES,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST_TRADES,
    trades_call=trades_call,
    decode_trades=decode_trades,
    same_trade_ids=False,
)
