"""OKX's rows and units that sockets and REST share: all numbers are texts, swap sizes are contracts.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from producers.simulator.market.candles import MONDAY_US, WEEK_US, Candle
from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing, Trade

FUNDING_US = 8 * 3600 * 10**6
BARS = {
    "1s": 1, "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1H": 3600, "2H": 7200, "4H": 14_400,
    "6H": 21_600, "12H": 43_200, "1D": 86_400, "1W": 604_800, "1M": 2_592_000,
}  # fmt: skip
HONG_KONG_US = 8 * 3600 * 10**6
Levels = list[tuple[int, int]]


def rows_text(listing: Listing, levels: Levels) -> str:
    """JSON rows of [price, size, "0", number of orders]."""
    t = listing.instrument
    rows = (f'["{t.price_text(p)}","{t.amount_text(a)}","0","{1 + a % 5 if a else 0}"]' for p, a in levels)
    return "[" + ",".join(rows) + "]"


def base_text(listing: Listing, units: int) -> str:
    """An amount in base coin: contracts times what one contract is."""
    scaled = int(Decimal(listing.instrument.contract) * 100)
    return number_text(units * scaled, listing.instrument.amount_scale + 2, -1)


def quote_text(listing: Listing, units: int) -> str:
    """A sum of price x amount in quote coin."""
    t = listing.instrument
    return number_text(units * int(Decimal(t.contract) * 100), t.price_scale + t.amount_scale + 2, -1)


def find_bar(text: str) -> tuple[int, int] | None:
    """Length and shift of a bar in microseconds; bars from 6 hours on open in Hong Kong time unless `utc`.

    Weeks open on Monday.
    """
    seconds = BARS.get(text.removesuffix("utc"))
    if seconds is None:
        return None
    length, shift = seconds * 10**6, HONG_KONG_US if seconds >= BARS["6H"] and not text.endswith("utc") else 0
    return length, shift - MONDAY_US if length == WEEK_US else shift


def ticker_row(listing: Listing, now_us: int) -> dict[str, str]:
    """One ticker: swaps count `vol24h` in contracts and `volCcy24h` in base coin."""
    t, book, last = listing.instrument, listing.book, listing.last
    is_spot = t.market == "spot"
    return {
        "instType": "SPOT" if is_spot else "SWAP",
        "instId": t.symbol,
        "last": t.price_text(last.price),
        "lastSz": t.amount_text(last.amount),
        "askPx": t.price_text(book.best_ask),
        "askSz": t.amount_text(book.asks[book.best_ask]),
        "bidPx": t.price_text(book.best_bid),
        "bidSz": t.amount_text(book.bids[book.best_bid]),
        "open24h": t.price_text(listing.open_24h),
        "high24h": t.price_text(listing.high_24h),
        "low24h": t.price_text(listing.low_24h),
        "sodUtc0": t.price_text(listing.open_24h),
        "sodUtc8": t.price_text(listing.open_24h),
        "volCcy24h": listing.quote_text() if is_spot else base_text(listing, listing.volume_units),
        "vol24h": listing.volume_text(),
        "ts": str(now_us // 1000),
    }


def funding_row(listing: Listing, now_us: int) -> dict[str, str]:
    """One row of `funding-rate`."""
    due = now_us - now_us % FUNDING_US + FUNDING_US
    return {
        "formulaType": "withRate",
        "fundingRate": f"{listing.funding_rate:.8f}",
        "fundingTime": str(due // 1000),
        "instId": listing.instrument.symbol,
        "instType": "SWAP",
        "method": "current_period",
        "nextFundingRate": "",
        "nextFundingTime": str((due + FUNDING_US) // 1000),
        "ts": str(now_us // 1000),
    }


def interest_row(listing: Listing, now_us: int) -> dict[str, str]:
    """One row of `open-interest`."""
    t = listing.instrument
    value = quote_text(listing, listing.open_interest * round(listing.mark_price()))
    amounts = {"oi": t.amount_text(listing.open_interest), "oiCcy": base_text(listing, listing.open_interest)}
    return {"instId": t.symbol, "instType": "SWAP", **amounts, "oiUsd": value, "ts": str(now_us // 1000)}


def mark_row(listing: Listing, now_us: int) -> dict[str, str]:
    """One row of `mark-price`."""
    t = listing.instrument
    mark = t.price_text(round(listing.mark_price()))
    return {"instId": t.symbol, "instType": "SWAP", "markPx": mark, "ts": str(now_us // 1000)}


def trade_row(listing: Listing, fills: list[Trade], sequence: int) -> dict[str, Any]:
    """One aggressor's fills at one price."""
    t, first = listing.instrument, fills[0]
    return {
        "instId": t.symbol,
        "tradeId": str(fills[-1].id),
        "px": t.price_text(first.price),
        "sz": t.amount_text(sum(x.amount for x in fills)),
        "side": "buy" if first.taker_buys else "sell",
        "ts": str(first.ts_us // 1000),
        "count": str(len(fills)),
        "source": "0",
        "seqId": sequence,
    }


def candle_row(listing: Listing, candle: Candle, *, closed: bool) -> list[str]:
    """[ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]."""
    t = listing.instrument
    prices = (t.price_text(price) for price in (candle.open, candle.high, candle.low, candle.close))
    quote = quote_text(listing, candle.quote)
    base = quote if t.market == "spot" else base_text(listing, candle.volume)
    return [str(candle.start_us // 1000), *prices, t.amount_text(candle.volume), base, quote, "1" if closed else "0"]
