"""Binance spot's past over REST: candles and recent trades.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints (klines, trades)
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from contracts import market
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.normalize.numbers import Milliseconds, Whole, price_text, unsigned
from producers.rest.history import read_rows
from producers.venue import Decoded, History, RestCall, Span

FastCandle = fast(market.Candle)
FastTrade = fast(market.Trade)
MILLISECOND: Final = 1_000_000
MOST: Final = 1000
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"})

# [open time, open, high, low, close, volume, close time, quote volume, trades, taker base, taker quote, ignored]
_Row = tuple[Milliseconds, str, str, str, str, str, Milliseconds, str, Whole, str, str, str]


class _Trade(Struct, gc=False):
    """`{"id":5500000001,"price":"91000.10","qty":"0.0031","time":1763700000122,"isBuyerMaker":true}`."""

    id: Whole
    price: str
    qty: str
    time: Milliseconds
    isBuyerMaker: bool


_list: Final = msgspec.json.Decoder(list[Raw]).decode
_row: Final = msgspec.json.Decoder(_Row).decode
_trade: Final = msgspec.json.Decoder(_Trade).decode


def candles_call(instrument: Instrument, span: Span) -> RestCall:
    """Ask for the candles of a span; weight 2."""
    params = {
        "symbol": instrument.venue_symbol,
        "interval": span.timeframe,
        "startTime": str(span.start_ts // MILLISECOND),
        "endTime": str(span.end_ts // MILLISECOND - 1),
        "limit": str(min(span.limit, MOST)),
    }
    return RestCall("/api/v3/klines", params, weight=2)


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read klines; volumes are base and quote. The venue's weeks begin on Monday, as ours do."""

    def read(raw: Raw) -> Decoded:
        row = _row(raw)
        return FastCandle(
            **_head(instrument, ts_recv, sim=sim),
            id=f"{instrument.tail}.candle.{timeframe}.{row[0] // 1000}.rest",
            ts_event=None,
            timeframe=timeframe,
            open=price_text(row[1], "open"),
            high=price_text(row[2], "high"),
            low=price_text(row[3], "low"),
            close=price_text(row[4], "close"),
            volume=unsigned(row[5], "volume"),
            quote_volume=unsigned(row[7], "quote volume"),
            trades=row[8],
            closed=row[6] * MILLISECOND < ts_recv,
            start_ts=row[0] * MILLISECOND,
        )

    return read_rows(_list, body, f"klines of {instrument.venue_symbol}", read)


def trades_call(instrument: Instrument, limit: int) -> RestCall:
    """Ask for the newest trades; weight 25."""
    return RestCall("/api/v3/trades", {"symbol": instrument.venue_symbol, "limit": str(min(limit, MOST))}, weight=25)


def decode_trades(body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Read trades; a buyer who was the maker means that the aggressor sold."""

    def read(raw: Raw) -> Decoded:
        row = _trade(raw)
        return FastTrade(
            **_head(instrument, ts_recv, sim=sim),
            id=f"{instrument.tail}.trade.{row.id}",
            ts_event=row.time * MILLISECOND,
            trade_id=str(row.id),
            price=price_text(row.price, "price"),
            amount=unsigned(row.qty, "quantity"),
            side="sell" if row.isBuyerMaker else "buy",
        )

    return read_rows(_list, body, f"trades of {instrument.venue_symbol}", read)


def _head(instrument: Instrument, ts_recv: int, *, sim: bool) -> dict[str, Any]:
    return {
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "venue_symbol": instrument.venue_symbol,
        "ts_recv": ts_recv,
        "sim": sim,
    }


HISTORY: Final = History(
    timeframes=TIMEFRAMES,
    most_candles=MOST,
    candles_call=candles_call,
    decode_candles=decode_candles,
    most_trades=MOST,
    trades_call=trades_call,
    decode_trades=decode_trades,
)
