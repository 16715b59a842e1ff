"""Replies of `cmd.v1.market.<verb>` over all exchanges, and candles: also what REST has in `data`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.services.replies.market import AGE, PastReply, Quality, ReplyModel, Rests


class Conversion(ReplyModel):
    """How figures came from another quote."""

    quote: str = Field(alias="from", description="the quote that the exchange prices in")
    rate: float
    source: Literal["bus", "peg"] = Field(description="peg: a dollar coin taken as one dollar")


class VenueTicker(ReplyModel):
    """One exchange's share of a consolidated ticker."""

    exchange: str
    symbol: str
    quote: str
    market: str
    price: float | None
    bid: float | None
    ask: float | None
    volume_24h: float | None
    change_24h: float | None
    converted: Conversion | None
    used: bool
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class MergedLevel(ReplyModel):
    """All that is offered at one price; `total` is price times amount in the quote."""

    price: float
    amount: float
    total: float
    exchanges: dict[str, float] = Field(description="amount by exchange")


class Sides(ReplyModel):
    """A figure of each side."""

    bids: float | None
    asks: float | None


class VenueBook(ReplyModel):
    """One exchange's share of a consolidated book."""

    exchange: str
    symbol: str
    bid: float | None
    ask: float | None
    seq: int | None
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class MergedBook(PastReply):
    """The consolidated book."""

    exchange: Literal["aggregated"]
    quote: str
    market: str
    bids: list[MergedLevel]
    asks: list[MergedLevel]
    depth: Sides
    bid_amount: float
    ask_amount: float
    spread: float | None
    crossed: bool = Field(description="one exchange bids more than another asks")
    imbalance: float | None = Field(description="from -1 (all asks) to 1 (all bids)")
    whole_to: Sides = Field(description="down, or up, to this price every exchange's levels are known")
    exchanges: list[VenueBook]
    stale_exchanges: list[str]
    contracts_exchanges: list[str] = Field(description="left out: their amounts are contracts of unknown size")
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class MarketTrade(ReplyModel):
    """One print; `side` is the aggressor's."""

    id: str
    exchange: str
    symbol: str
    price: float
    amount: float | None
    contracts: float | None
    side: Literal["buy", "sell"] | None
    age: float = Field(description=AGE)
    sim: bool
    timestamp: datetime


class TradesOf(ReplyModel):
    """One exchange's newest trade."""

    exchange: str
    symbol: str
    age: float
    quality: Quality


class SymbolEntry(ReplyModel):
    """One symbol with the exchanges that have it, and what they call it."""

    symbol: str
    base: str
    quote: str
    contract: str = Field(description="`spot`, `perp`, `inverse`, or an expiry")
    market: str = Field(description="the same as `contract`")
    exchanges: list[str]
    names: dict[str, str] = Field(description="what each exchange calls it")
    exchange_symbols: dict[str, str] = Field(description="the same as `names`")


class SymbolsOf(ReplyModel):
    """How many symbols an exchange has here, and how its feed is."""

    symbols: int
    quality: Quality | None
    last_message_age: float | None
    sim: bool | None


class Bar(ReplyModel):
    """One candle; `source` own: from the trades that were received, exchange: from the exchange's history."""

    timestamp: datetime = Field(description="when it opened")
    open: float
    high: float
    low: float
    close: float
    volume: float = Field(description="base coin")
    quote_volume: float | None
    trades: int | None
    closed: bool
    source: Literal["own", "exchange"]
    whole: bool = Field(description="false for one of our own that may lack trades")


class Hole(ReplyModel):
    """Candles that are not there, and why; `to` is the last of them."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    count: int
    reason: Literal["no_trades", "not_heard", "unknown"] = Field(
        description="no_trades: nothing was traded; not_heard: we listened, nothing came, and the exchange did not "
        "say; unknown: we did not listen then"
    )


class Indicators(ReplyModel):
    """One value for each candle, null where too few came before; only those that were asked for."""

    rsi: list[float | None] | None = None
    ema: list[float | None] | None = None
    macd: dict[Literal["macd", "signal", "histogram"], list[float | None]] | None = None
    bollinger: dict[Literal["middle", "upper", "lower"], list[float | None]] | None = None
    sma: list[float | None] | None = None
    atr: list[float | None] | None = None
    stochastic: dict[Literal["k", "d"], list[float | None]] | None = None
    vwap: list[float | None] | None = Field(default=None, description="from the first candle shown on")
    obv: list[float | None] | None = Field(default=None, description="from the first candle shown on")


class TradesReply(PastReply):
    """Recent trades over every exchange, newest first."""

    trades: list[MarketTrade]
    exchanges: list[TradesOf]
    age: float | None
    quality: Quality


class SymbolsReply(PastReply):
    """The symbols, and how many of them each exchange has."""

    symbols: list[SymbolEntry]
    exchanges: dict[str, SymbolsOf]


class TickerReply(PastReply):
    """The consolidated ticker of a symbol."""

    symbol: str
    exchange: Literal["aggregated"]
    price: float
    bid: float | None
    ask: float | None
    bid_exchange: str | None
    ask_exchange: str | None
    spread: float | None
    crossed: bool = Field(description="one exchange bids more than another asks")
    volume_24h: float | None = Field(description="base coin")
    change_24h: float | None = Field(description="percent")
    high_24h: float | None
    low_24h: float | None
    quote: str
    market: str
    source: str
    converted: bool = Field(description="whether figures of other quotes are in it")
    exchanges: list[VenueTicker]
    stale_exchanges: list[str]
    outlier_exchanges: list[str]
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class OhlcReply(ReplyModel):
    """Candles of one exchange, oldest first."""

    symbol: str
    exchange: str
    instrument: str = Field(description="the unified symbol of what the candles are of")
    quote: str
    market: str
    timeframe: str
    candles: list[Bar]
    complete: bool = Field(description="whether every candle of the span is there and whole")
    reasons: list[str]
    holes: list[Hole]
    coverage: Rests | None = Field(
        default=None,
        description="how much of the candles' time was received here, so far as they are over; what was not is the "
        "exchange's, or in no candle; null where that is not known",
    )
    indicators: Indicators | None = None
    age: float | None = Field(description="seconds since the newest of it arrived here")
    quality: Quality
    sim: bool
