"""Binance's past over REST, spot and USD-M: candles and recent trades, whose answers differ in paths and names only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.normalize.numbers import Milliseconds, Whole, price_text, unsigned
from producers.rest.history import candle_id, read_rows
from producers.venue import Decoded, History, RestCall, Span

MILLISECOND: Final = 1_000_000
MOST: Final = 1000
TIMEFRAMES: Final = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"})  # its weeks begin on Monday

# [open time, open, high, low, close, volume, close time, quote volume, trades, taker base, taker quote, ignored]
_Row = tuple[Milliseconds, str, str, str, str, str, Milliseconds, str, Whole, str, str, str]
_list: Final = msgspec.json.Decoder(list[Raw]).decode
_row: Final = msgspec.json.Decoder(_Row).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the past of one market is and what it weighs.

    `read_trade` returns a row with `number`, `price`, `amount`, `time` (ms) and `is_buyer_maker`; `mark` stands before
    the number in the ids of aggregates, as on the socket.
    """

    candles_path: str
    candles_weight: Callable[[int], int]  # of so many candles
    trades_path: str
    trades_weight: int
    read_trade: Callable[[Raw], Any]
    mark: str = ""

    def candles_call(self, instrument: Instrument, span: Span) -> RestCall:
        """Return the call for the candles of a span."""
        limit = min(span.limit, MOST)
        params = {
            "symbol": instrument.venue_symbol,
            "interval": span.timeframe,
            "startTime": str(span.start_ts // MILLISECOND),
            "endTime": str(span.end_ts // MILLISECOND - 1),
            "limit": str(limit),
        }
        return RestCall(self.candles_path, params, weight=self.candles_weight(limit))

    def trades_call(self, instrument: Instrument, limit: int) -> RestCall:
        """Return the call for the newest trades."""
        params = {"symbol": instrument.venue_symbol, "limit": str(min(limit, MOST))}
        return RestCall(self.trades_path, params, weight=self.trades_weight)

    def decode_trades(self, body: bytes, instrument: Instrument, *, ts_recv: int, sim: bool) -> list[Decoded]:
        """Return trades; a buyer who was the maker means that the aggressor sold."""

        def read(raw: Raw) -> Decoded:
            row = self.read_trade(raw)
            return make(
                id=f"{instrument.tail}.trade.{self.mark}{row.number}",
                ts_event=row.time * MILLISECOND,
                trade_id=str(row.number),
                price=price_text(row.price, "price"),
                amount=unsigned(row.amount, "quantity"),
                side="sell" if row.is_buyer_maker else "buy",
            )

        make = Makers(sim=sim).maker("trade", instrument, ts_recv=ts_recv)
        return read_rows(_list, body, f"{self.trades_path.rpartition('/')[2]} of {instrument.venue_symbol}", read)


def make_history(source: Source) -> History:
    """Return the calls and decoders of a market's past."""
    return History(
        timeframes=TIMEFRAMES,
        most_candles=MOST,
        candles_call=source.candles_call,
        decode_candles=decode_candles,
        most_trades=MOST,
        trades_call=source.trades_call,
        decode_trades=source.decode_trades,
    )


def decode_candles(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
    """Return klines as candles; volumes are base and quote. A candle is closed when its own close time is over."""
    make = Makers(sim=sim).maker("candle", instrument, ts_recv=ts_recv, timeframe=timeframe)

    def read(raw: Raw) -> Decoded:
        row = _row(raw)
        return make(
            id=candle_id(instrument, timeframe, row[0] * MILLISECOND),
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
