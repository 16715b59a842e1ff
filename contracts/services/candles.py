"""Requests about candles and past trades: of our own candles, and of a venue's history, asked of the venue itself."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from contracts.commands import Command, CommandModel, Failure, command
from contracts.market import Candle, Nanoseconds, Timeframe, Trade

MOST_ROWS: Final = 1000  # candles or trades of one reply
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="at most so many, the newest of the span")]

VenueId = Annotated[str, Field(description="CCXT's id of the exchange")]
UnifiedSymbol = Annotated[str, Field(description="unified (CCXT) symbol")]
CandleLength = Annotated[Timeframe, Field(description="the length of a candle")]


class CandlesQuery(CommandModel):
    """Which of our own candles; the span is by the candles' `start_ts`."""

    venue: VenueId
    symbol: UnifiedSymbol
    timeframe: CandleLength
    start_ts: Nanoseconds | None = Field(default=None, description="from this start on; null for as old as there are")
    end_ts: Nanoseconds | None = Field(default=None, description="up to, but not with, this start; null for the newest")
    limit: Limit = MOST_ROWS


class CandlesReply(CommandModel):
    """Our own candles, oldest first, each start once; the last one may be open. None for an interval without trades."""

    candles: list[Candle] = Field(default_factory=list[Candle])
    since_ts: Nanoseconds | None = Field(
        default=None,
        description="the first trade that was folded: a candle that starts before it may lack trades; null for none",
    )
    gaps: list[tuple[Nanoseconds, Nanoseconds]] = Field(
        default_factory=list[tuple[int, int]],
        description="[[from, to], …] when the feed was interrupted, oldest first: candles of then may lack trades",
    )
    loading: bool = Field(default=False, description="true while candles of before the last restart are still read")
    error: Failure | None = None


class HistoryQuery(CommandModel):
    """Which of a venue's candles, asked of the venue itself; the span is by the candles' `start_ts`."""

    venue: VenueId
    symbol: UnifiedSymbol
    timeframe: CandleLength
    start_ts: Nanoseconds = Field(description="from this start on, a whole multiple of the time frame")
    end_ts: Nanoseconds = Field(description="up to, but not with, this start")
    limit: Limit = MOST_ROWS


class HistoryReply(CommandModel):
    """The venue's candles, oldest first, each start once; `closed` false for the one that is still open.

    Each is a Candle with `id` `<tail>.candle.<timeframe>.<start, seconds>.rest`, `ts_event` null, `ts_recv` when the
    venue's answer arrived, and null for what the venue does not say (`quote_volume`, `trades`).
    """

    candles: list[Candle] = Field(default_factory=list[Candle])
    error: Failure | None = None


class TradeHistoryQuery(CommandModel):
    """Which of a venue's past trades, asked of the venue itself; the span is by the venue's clock."""

    venue: VenueId
    symbol: UnifiedSymbol
    start_ts: Nanoseconds | None = Field(default=None, description="from this time on; null for the newest")
    end_ts: Nanoseconds | None = Field(default=None, description="up to, but not with, this time; null for now")
    limit: Limit = MOST_ROWS


class TradeHistoryReply(CommandModel):
    """The venue's trades, oldest first; `complete` false where the span holds more than the venue or the limit gave."""

    trades: list[Trade] = Field(default_factory=list[Trade])
    complete: bool = False
    error: Failure | None = None


COMMANDS: Final[tuple[Command, ...]] = (
    command("candles.list", CandlesQuery, CandlesReply, 2.0),
    command("history.candles", HistoryQuery, HistoryReply, 10.0, served_by="producers"),
    command("history.trades", TradeHistoryQuery, TradeHistoryReply, 10.0, served_by="producers"),
)
