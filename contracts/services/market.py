"""Requests of `cmd.v1.market.<verb>`: the parameters of the REST routes by name, typed, with their defaults and bounds.

The reply to each is in `replies.market` and `replies.multi` beside it. What REST has beside `data` travels
in headers: the resolved symbol, percent-encoded, and the members that stand beside the data, as JSON.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from contracts.arithmetic.moments import Moment
from contracts.market import Timeframe
from contracts.schema.literals import iso

LONGEST_SYMBOL: Final = 64
MOST_OF_A_LIST: Final = 100
MOST_CANDLES: Final = 1000
QUEUE: Final = "market"

Side = Literal["buy", "sell"]
LiquidationSide = Literal["long", "short", "buy", "sell"]
MapWindow = Literal["1h", "4h", "12h", "24h", "3d", "7d", "30d"]
Indicator = Literal["rsi", "macd", "ema", "bollinger", "sma", "atr", "stochastic", "vwap", "obv"]
Venue = Annotated[
    Annotated[str, Field(max_length=64)] | None, Field(description="only this exchange: CCXT's id, or an alias")
]
Symbol = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_SYMBOL,
        description="a coin (`BTC`: each exchange's main quote), a pair in any spelling, or the exchange's own name of "
        "a contract",
    ),
]
AtMost = Annotated[int, Field(ge=1, le=MOST_OF_A_LIST, description="at most so many, the newest first")]
Depth = Annotated[int, Field(ge=1, le=MOST_OF_A_LIST, description="levels of each side")]
Least = Annotated[
    Annotated[str, Field(max_length=32, pattern=r"^([0-9]+\.?[0-9]*|\.[0-9]+)$")] | None,
    Field(description="only from so many US dollars on"),
]
LeastSpread = Annotated[
    Annotated[str, Field(max_length=32, pattern=r"^([0-9]+\.?[0-9]*|\.[0-9]+)$")] | None,
    Field(description="only a book whose spread is at least so much, in its quote"),
]


class MarketQuery(BaseModel):
    """What every request of the market core is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class SymbolQuery(MarketQuery):
    """A question about one symbol."""

    symbol: Symbol


class PastQuery(MarketQuery):
    """A question that can be about a moment of the past."""

    as_of: Moment | None = Field(
        default=None,
        description="as it was answered at this time, as far back as that is recorded: ISO 8601, or seconds or "
        "milliseconds since 1970",
    )


class PastSymbolQuery(PastQuery, SymbolQuery):
    """The same about one symbol."""


class RawQuery(PastSymbolQuery):
    """The full snapshot of a symbol."""


class PriceQuery(PastSymbolQuery):
    """The price of a symbol."""


class WhaleQuery(PastSymbolQuery):
    """The recent whale trades of a symbol."""

    limit: AtMost = 10
    min_usd: Least = None
    side: Side | None = Field(default=None, description="only trades whose aggressor bought, or sold")


class LiquidationsQuery(PastSymbolQuery):
    """The recent liquidations of a symbol's base, with totals."""

    limit: AtMost = 20
    min_usd: Least = None
    side: LiquidationSide | None = Field(
        default=None, description="only of this position (long, short), or by an order of this side (buy, sell)"
    )


class LiquidationMapQuery(PastSymbolQuery):
    """What was liquidated of a symbol's base at each price."""

    window: MapWindow = Field(default="24h", description="how far back: `24h` are the last 1440 minutes, this one too")


class OrderbookQuery(PastSymbolQuery):
    """One exchange's book of a symbol: the deepest live one where none is named."""

    depth: Depth = 20
    exchange: Venue = None
    min_spread: LeastSpread = None


class TickerQuery(PastSymbolQuery):
    """The consolidated ticker of a symbol."""

    convert: bool = Field(default=False, description="bring other quotes of the coin in")


class MultiOrderbookQuery(PastSymbolQuery):
    """The consolidated book of a symbol."""

    depth: Depth = 20


class TradesQuery(PastSymbolQuery):
    """The recent trades of a symbol over every exchange, or on one."""

    limit: AtMost = 50
    exchange: Venue = None


class SymbolsQuery(PastQuery):
    """The symbols that data is received of."""

    symbol: Symbol | None = Field(default=None, description="only what this means")
    exchange: Venue = None
    listed: bool = Field(default=False, description="everything that exchanges list")


_FROM: Final = (
    "candles that start at this time or later, the oldest of them: ISO 8601, or seconds or milliseconds since 1970"
)
_TO: Final = "candles that start before this time"


class OhlcQuery(SymbolQuery):
    """The candles of a symbol on one exchange: the one with most volume where none is named."""

    timeframe: Timeframe = Field(default="1h", description="the length of a candle")
    limit: Annotated[int, Field(ge=1, le=MOST_CANDLES, description="at most so many, the newest")] = 100
    exchange: Venue = None
    indicators: tuple[Indicator, ...] = Field(
        default=(), max_length=9, strict=False, description="computed from the candles, a value for each"
    )
    from_: Moment | None = Field(default=None, alias="from", description=_FROM)
    to: Moment | None = Field(default=None, description=_TO)

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class HealthQuery(PastQuery):
    """The state of each exchange's feed."""


class StatusQuery(MarketQuery):
    """The core itself: what it holds in memory, and what is not as it should be."""


def past_url(public_url: str, base: str, at_ns: int) -> str:
    """Return where the page shows a coin as it was at a time (ns UTC); `public_url` ends without a slash."""
    return f"{public_url}/?as_of={iso(at_ns)}&symbol={quote(base, safe='')}"
