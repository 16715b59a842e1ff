"""Bitfinex's rows that sockets and REST share: arrays of JSON numbers, sells and asks negative.

https://docs.bitfinex.com/reference/ws-public-books
"""

from __future__ import annotations

from producers.simulator.hub import encode
from producers.simulator.market.candles import Candle
from producers.simulator.market.listing import Liquidation, Listing, Trade

TIMEFRAMES = {
    **{f"{minutes}m": minutes * 60_000_000 for minutes in (1, 5, 15, 30)},
    **{f"{hours}h": hours * 3_600_000_000 for hours in (1, 3, 6, 12)},
    "1D": 86_400_000_000,
    "1W": 604_800_000_000,
    "14D": 1_209_600_000_000,
}
FUNDING_US = 8 * 3600 * 10**6
SUMMED = 25
Levels = list[tuple[int, int]]


def trade_row(listing: Listing, trade: Trade) -> str:
    """[id, time, amount (negative: sold), price]."""
    t = listing.instrument
    sign = "" if trade.taker_buys else "-"
    return f"[{trade.id},{trade.ts_us // 1000},{sign}{t.amount_text(trade.amount)},{t.price_text(trade.price)}]"


def level_row(listing: Listing, price: int, amount: int, *, is_bid: bool) -> str:
    """[price, number of orders, amount (asks negative)]; a level that is gone has no orders and the amount 1 or -1."""
    t, sign = listing.instrument, "" if is_bid else "-"
    if not amount:
        return f"[{t.price_text(price)},0,{sign}1]"
    return f"[{t.price_text(price)},{1 + amount % 4},{sign}{t.amount_text(amount)}]"


def order_row(listing: Listing, price: int, amount: int, *, is_bid: bool) -> str:
    """[id, price, amount (asks negative)] of the one order of a level."""
    t, sign = listing.instrument, "" if is_bid else "-"
    return f"[{2 * price + is_bid},{t.price_text(price)},{sign}{t.amount_text(amount)}]"


def ticker_row(listing: Listing) -> str:
    """[bid, sum of 25 bids, ask, sum of 25 asks, change, change (fraction), last, volume, high, low]."""
    t, book, last = listing.instrument, listing.book, listing.last.price
    change = last - listing.open_24h
    parts = (
        t.price_text(book.best_bid),
        t.amount_text(sum(amount for _, amount in book.list_bids(SUMMED))),
        t.price_text(book.best_ask),
        t.amount_text(sum(amount for _, amount in book.list_asks(SUMMED))),
        t.price_text(change),
        str(round(change / listing.open_24h, 8)),
        t.price_text(last),
        listing.volume_text(),
        t.price_text(listing.high_24h),
        t.price_text(listing.low_24h),
    )
    return "[" + ",".join(parts) + "]"


def derivative_row(listing: Listing, now_us: int) -> str:
    """A perpetual's status; what is null is so at the venue."""
    t = listing.instrument
    mark = float(t.price_text(round(listing.mark_price())))
    due = now_us - now_us % FUNDING_US + FUNDING_US
    rate, interest = round(listing.funding_rate, 8), float(t.amount_text(listing.open_interest))
    head = [now_us // 1000, None, mark, mark, None, 1_396_531.67, None, due // 1000, rate, 1, None, rate]
    return encode([*head, None, None, mark, None, None, interest, None, None, None, 0.0005, 0.0025])


def liquidation_rows(listing: Listing, closing: Liquidation) -> list[str]:
    """The trigger and the match of one forced closing; the amount is that of the position."""
    t = listing.instrument
    amount = float(t.amount_text(closing.amount)) * (1 if closing.is_long else -1)
    entry = float(t.price_text(round(closing.fill_price * (1.04 if closing.is_long else 0.96))))
    price = float(t.price_text(closing.fill_price))
    head = ["pos", closing.ts_us % 10**9, closing.ts_us // 1000, None, t.symbol, amount, entry, None]
    return [encode([*head, is_match, 1, None, price]) for is_match in (0, 1)]


def candle_row(listing: Listing, candle: Candle) -> str:
    """[time, open, close, high, low, volume]."""
    t = listing.instrument
    prices = (candle.open, candle.close, candle.high, candle.low)
    return f"[{candle.start_us // 1000},{','.join(map(t.price_text, prices))},{t.amount_text(candle.volume)}]"
