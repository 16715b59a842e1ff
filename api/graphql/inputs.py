"""GraphQL's filters, and how each is written as a request of the market core."""

from __future__ import annotations

import strawberry

from api.market.documents import Fields

MOST_DECIMALS = 12


@strawberry.input
class WhaleFilter:
    """Which whale trades: worth at least so many US dollars, of one side (`buy`, `sell`), at most so many."""

    min_usd_value: float | None = strawberry.field(name="minUsdValue", default=None)
    side: str | None = None
    limit: int | None = None


@strawberry.input
class LiquidationFilter:
    """Which liquidations: of one side (`long`, `short`, or the order's `buy`, `sell`), at most so many."""

    min_usd_value: float | None = strawberry.field(name="minUsdValue", default=None)
    side: str | None = None
    limit: int | None = None


@strawberry.input
class OrderbookFilter:
    """How many levels of each side, and of a book whose spread is at least so much."""

    depth: int | None = None
    min_spread: float | None = strawberry.field(name="minSpread", default=None)


@strawberry.input
class CoverageFilter:
    """Of which exchange and channel, in which span, by which rows; by default all, trades, the last hour, minutes."""

    venue: str | None = None
    channel: str | None = None
    begin: str | None = strawberry.field(name="from", default=None)
    end: str | None = strawberry.field(name="to", default=None)
    step: str | None = None


def coverage_parameters(symbol: str, chosen: CoverageFilter | None) -> Fields:
    """Return the request of a coverage."""
    if chosen is None:
        return {"symbol": symbol}
    span: Fields = {"from": chosen.begin, "to": chosen.end}
    return _given(symbol, venue=chosen.venue, channel=chosen.channel, step=chosen.step, **span)


def list_parameters(symbol: str, chosen: WhaleFilter | LiquidationFilter | None) -> Fields:
    """Return the request of a list; what is not given is left to the core's defaults."""
    if chosen is None:
        return {"symbol": symbol}
    side = None if chosen.side is None else chosen.side.lower()
    return _given(symbol, min_usd=decimal_text(chosen.min_usd_value), side=side, limit=chosen.limit)


def book_parameters(symbol: str, chosen: OrderbookFilter | None) -> Fields:
    """Return the request of a book."""
    if chosen is None:
        return {"symbol": symbol}
    return _given(symbol, depth=chosen.depth, min_spread=decimal_text(chosen.min_spread))


def decimal_text(value: float | None) -> str | None:
    """Return a number as the decimal text that the core takes: its shortest digits, without an exponent."""
    if value is None:
        return None
    text = repr(value)
    return f"{value:.{MOST_DECIMALS}f}" if "e" in text else text.removesuffix(".0")


def _given(symbol: str, **fields: object) -> Fields:
    return {"symbol": symbol, **{name: value for name, value in fields.items() if value is not None}}
