"""Deribit's figures that sockets and REST share: JSON numbers; amounts of inverse contracts are US dollars.

https://docs.deribit.com/api-reference/market-data/public-ticker
"""

from __future__ import annotations

from typing import Any

from producers.simulator.market.candles import Candle
from producers.simulator.market.listing import Listing, Trade

NEVER_MS = 32_503_708_800_000  # when a perpetual expires
RESOLUTIONS = {
    **{str(minutes): minutes * 60_000_000 for minutes in (1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720)},
    "1D": 86_400_000_000,
}
Levels = list[tuple[int, int]]


def price_of(listing: Listing, price: float) -> float:
    """A price as a JSON number."""
    return float(listing.instrument.price_text(round(price)))


def amount_of(listing: Listing, amount: int) -> float:
    """An amount as a JSON number: dollars of inverse contracts, coins otherwise."""
    return float(listing.instrument.amount_text(amount))


def coins_of(listing: Listing, units: int, price: int) -> float:
    """An amount in the coin, at this price where it counts dollars."""
    amount = amount_of(listing, units)
    return round(amount / price_of(listing, price), 8) if listing.instrument.inverse else amount


def trade_row(listing: Listing, trade: Trade, before: int) -> dict[str, Any]:
    """One fill; `before` is the price of the one before. The aggressor of a forced order is marked with T."""
    moved = trade.price - before
    row: dict[str, Any] = {
        "trade_seq": trade.id % 10**8,
        "trade_id": str(trade.id),
        "timestamp": trade.ts_us // 1000,
        "tick_direction": 0 if moved > 0 else 2 if moved < 0 else 1,
        "price": price_of(listing, trade.price),
        "mark_price": price_of(listing, listing.mark_price()),
        "instrument_name": listing.instrument.symbol,
        "index_price": price_of(listing, listing.mark_price()),
        "direction": "buy" if trade.taker_buys else "sell",
        "amount": amount_of(listing, trade.amount),
    }
    if listing.instrument.market == "spot":
        return row
    forced = any(x.ts_us == trade.ts_us and x.is_long != trade.taker_buys for x in listing.liquidations)
    row["contracts"] = float(trade.amount)
    return row | {"liquidation": "T"} if forced else row


def quote_row(listing: Listing, now_us: int) -> dict[str, Any]:
    """The best bid and ask."""
    book = listing.book
    return {
        "timestamp": now_us // 1000,
        "instrument_name": listing.instrument.symbol,
        "best_bid_price": price_of(listing, book.best_bid),
        "best_bid_amount": amount_of(listing, book.bids[book.best_bid]),
        "best_ask_price": price_of(listing, book.best_ask),
        "best_ask_amount": amount_of(listing, book.asks[book.best_ask]),
    }


def ticker_row(listing: Listing, now_us: int) -> dict[str, Any]:
    """The whole ticker; derivatives have their open interest, perpetuals their funding."""
    last = listing.last.price
    mark = price_of(listing, listing.mark_price())
    change = (last - listing.open_24h) / listing.open_24h * 100
    volume = coins_of(listing, listing.volume_units, last)
    value = round(volume * price_of(listing, last), 2)
    row = {
        **quote_row(listing, now_us),
        "state": "open",
        "last_price": price_of(listing, last),
        "mark_price": mark,
        "index_price": mark,
        "stats": {
            "high": price_of(listing, listing.high_24h),
            "low": price_of(listing, listing.low_24h),
            "price_change": round(change, 4),
            "volume": volume,
            "volume_usd": value,
            "volume_notional": value,
        },
    }
    if listing.instrument.market == "spot":
        return row
    rate = listing.funding_rate
    interest = amount_of(listing, listing.open_interest)
    return row | {"open_interest": interest, "current_funding": rate, "funding_8h": rate}


def candle_row(listing: Listing, candle: Candle) -> dict[str, Any]:
    """One candle: volume in the coin, cost in the quote."""
    volume = coins_of(listing, candle.volume, candle.close)
    return {
        "tick": candle.start_us // 1000,
        "open": price_of(listing, candle.open),
        "high": price_of(listing, candle.high),
        "low": price_of(listing, candle.low),
        "close": price_of(listing, candle.close),
        "volume": volume,
        "cost": round(volume * price_of(listing, candle.close), 2),
    }


def levels_text(listing: Listing, levels: Levels) -> str:
    """JSON rows of [price, amount]."""
    terms = listing.instrument
    return "[" + ",".join(f"[{terms.price_text(p)},{terms.amount_text(a)}]" for p, a in levels) + "]"
