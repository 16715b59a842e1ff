"""Bybit's figures and ids that sockets and REST share.

https://bybit-exchange.github.io/docs/v5/market/tickers
"""

from __future__ import annotations

from uuid import UUID

from producers.simulator.market.instruments import number_text
from producers.simulator.market.listing import Listing

MINUTES = {"D": 1440, "W": 10_080, "M": 43_200}
INTERVALS = ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M")
FUNDING_US = 8 * 3600 * 10**6


def counter_key(market: str, symbol: str, depth: int) -> str:
    """Under which name a topic's update id is kept."""
    return f"{market}|{symbol}|{depth}"


def interval_us(interval: str) -> int:
    """The length of a kline interval."""
    return (MINUTES.get(interval) or int(interval)) * 60_000_000


def trade_id(listing: Listing, number: int) -> str:
    """A UUID on linear, a numeric text on spot."""
    return str(UUID(int=number << 64 | number * 2654435761)) if listing.instrument.market == "linear" else str(number)


def index_price(listing: Listing) -> str:
    """The index price: the mark price and a bit."""
    return number_text(round(listing.mark_price() * 10_002 / 10_000 * 100), listing.instrument.price_scale + 2, -1)


def spot_figures(listing: Listing) -> dict[str, str]:
    """The 24 h figures that sockets and REST share."""
    t, last = listing.instrument, listing.last.price
    return {
        "symbol": t.symbol,
        "lastPrice": t.price_text(last),
        "highPrice24h": t.price_text(listing.high_24h),
        "lowPrice24h": t.price_text(listing.low_24h),
        "prevPrice24h": t.price_text(listing.open_24h),
        "volume24h": listing.volume_text(),
        "turnover24h": listing.quote_text(),
        "price24hPcnt": f"{(last - listing.open_24h) / listing.open_24h:.6f}",
    }


def linear_figures(listing: Listing, now_us: int) -> dict[str, str]:
    """All fields of a linear ticker but its symbol."""
    t, book = listing.instrument, listing.book
    mark = round(listing.mark_price())
    funding_us = now_us - now_us % FUNDING_US + FUNDING_US
    shared = spot_figures(listing)
    del shared["symbol"]
    return {
        "tickDirection": "PlusTick" if listing.last.taker_buys else "MinusTick",
        **shared,
        "prevPrice1h": t.price_text(listing.candles.find((now_us // 60_000_000 - 60) * 60_000_000, 60_000_000).open),
        "markPrice": t.price_text(mark),
        "indexPrice": index_price(listing),
        "openInterest": t.amount_text(listing.open_interest),
        "openInterestValue": number_text(listing.open_interest * mark, t.price_scale + t.amount_scale, 2),
        "nextFundingTime": str(funding_us // 1000),
        "fundingRate": f"{listing.funding_rate:.8f}".rstrip("0"),
        "bid1Price": t.price_text(book.best_bid),
        "bid1Size": t.amount_text(book.bids[book.best_bid]),
        "ask1Price": t.price_text(book.best_ask),
        "ask1Size": t.amount_text(book.asks[book.best_ask]),
        "fundingIntervalHour": "8",
        "fundingCap": "0.005",
    }
