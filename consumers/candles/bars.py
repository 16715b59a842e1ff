"""One bar: exact sums of trades, merged in any order to the same result. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from operator import attrgetter, mul
from typing import Any, Final

import msgspec

from contracts.arithmetic.decimals import sum_up
from contracts.arithmetic.exact import EXACT, MOST, MOST_AMOUNT, MOST_VALUE, read_amount, value_of
from contracts.timeframes import SECOND

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

_read: Final = EXACT.create_decimal  # as `Decimal` does, since no number has 400 digits, for two thirds of its cost
_price_of, _amount_of, _received_of, _sim_of = map(attrgetter, ("price", "amount", "ts_recv", "sim"))


@dataclass(slots=True)
class Bar:  # no msgspec struct: to set an attribute of one costs five times as much
    """Trades of one span, summed. What decides open and close is (time, the venue's number, order of arrival).

    `open_id` and `close_id` are the trade's id, or its sequence where the id is no number (`number_text`).
    """

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    open_ts: int
    open_id: str
    open_n: int
    close_ts: int
    close_id: str
    close_n: int
    ts_recv: int
    sim: bool
    closed: bool = False
    dirty: bool = True
    published: int = 0  # when, ns UTC


def open_bar(start: int, trade: FastEvent, ts: int, n: int) -> Bar:
    """Begin a bar with its first trade, the n-th of its instrument; FigureError for one that cannot be summed."""
    price = Decimal(trade.price)
    amount = read_amount(trade.amount)
    return Bar(
        start=start,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=amount,
        quote_volume=value_of(price, amount),
        trades=1,
        open_ts=ts,
        open_id=number_text(trade),
        open_n=n,
        close_ts=ts,
        close_id=number_text(trade),
        close_n=n,
        ts_recv=trade.ts_recv,
        sim=trade.sim,
    )


def fold_trade(bar: Bar, trade: FastEvent, ts: int, n: int) -> None:
    """Add one trade; FigureError, with the bar as it was, for one that cannot be summed.

    Call it within `localcontext(EXACT)`: operators cost half of what the context's methods do.
    """
    price, amount = _read(trade.price), _read(trade.amount)
    volume, quote_volume = bar.volume + amount, bar.quote_volume + price * amount
    if volume >= MOST_AMOUNT or quote_volume >= MOST_VALUE:  # too much in one trade, or the sum of many
        value_of(price, read_amount(trade.amount))
        volume, quote_volume = min(volume, MOST), min(quote_volume, MOST)
    bar.volume, bar.quote_volume = volume, quote_volume
    bar.trades += 1
    if price > bar.high:
        bar.high = price
    elif price < bar.low:
        bar.low = price
    if ts > bar.close_ts:
        bar.close, bar.close_ts, bar.close_id, bar.close_n = price, ts, number_text(trade), n
    else:
        _place(bar, price, (ts, number_text(trade), n))
    bar.ts_recv = max(bar.ts_recv, trade.ts_recv)
    if trade.sim:
        bar.sim = True


def fold_in_order(bar: Bar, trades: Sequence[FastEvent], ts: int, n: int) -> bool:
    """Add trades of the bar's minute that follow each other in time, after all others; returns whether they were added.

    Where they are too much for it, nothing is: `fold_trade` then says which of them cannot be summed. The last one was
    made at `ts`, and is the n-th of its instrument. Call it within `localcontext(EXACT)`: sums are never rounded, so
    that it does not matter in which order they are made.
    """
    prices, amounts = list(map(_price_of, trades)), list(map(_amount_of, trades))
    volume, quote_volume, high, low = map(_read, _sum_up(prices, amounts))
    volume, quote_volume = volume + bar.volume, quote_volume + bar.quote_volume
    if volume >= MOST_AMOUNT or quote_volume >= MOST_VALUE:
        return False
    bar.volume, bar.quote_volume = volume, quote_volume
    bar.trades += len(trades)
    bar.high, bar.low = max(bar.high, high), min(bar.low, low)
    bar.close, bar.close_ts, bar.close_id, bar.close_n = _read(prices[-1]), ts, number_text(trades[-1]), n
    bar.ts_recv = max(bar.ts_recv, *map(_received_of, trades))
    bar.sim = bar.sim or any(map(_sim_of, trades))
    return True


def _sum_up(prices: list[str], amounts: list[str]) -> tuple[str, str, str, str]:
    """Return the sum of the amounts, that of their values, the highest and the lowest price."""
    summed = sum_up(prices, amounts)
    if summed is not None:
        volume, value, highest, lowest = summed
        return volume, value, prices[highest], prices[lowest]
    found, sizes = list(map(_read, prices)), list(map(_read, amounts))
    volume, value = sum(sizes[1:], sizes[0]), sum(map(mul, found[1:], sizes[1:]), found[0] * sizes[0])
    return format(volume, "f"), format(value, "f"), format(max(found), "f"), format(min(found), "f")


def _place(bar: Bar, price: Decimal, at: tuple[int, str, int]) -> None:
    """Make a trade (time, id, arrival) that is not later than all others the bar's first or last, where it is that."""
    ts, trade_id, n = at
    order = (ts, *rank(trade_id, n))
    if order > (bar.close_ts, *rank(bar.close_id, bar.close_n)):
        bar.close, bar.close_ts, bar.close_id, bar.close_n = price, ts, trade_id, n
    if order < (bar.open_ts, *rank(bar.open_id, bar.open_n)):
        bar.open, bar.open_ts, bar.open_id, bar.open_n = price, ts, trade_id, n


def merge(bar: Bar, part: Bar) -> None:
    """Add the trades of another bar that lies within this one's span."""
    bar.high = max(bar.high, part.high)
    bar.low = min(bar.low, part.low)
    bar.volume = add_up(bar.volume, part.volume)
    bar.quote_volume = add_up(bar.quote_volume, part.quote_volume)
    bar.trades += part.trades
    part_close = (part.close_ts, *rank(part.close_id, part.close_n))
    if part_close > (bar.close_ts, *rank(bar.close_id, bar.close_n)):
        bar.close, bar.close_ts, bar.close_id, bar.close_n = part.close, part.close_ts, part.close_id, part.close_n
    part_open = (part.open_ts, *rank(part.open_id, part.open_n))
    if part_open < (bar.open_ts, *rank(bar.open_id, bar.open_n)):
        bar.open, bar.open_ts, bar.open_id, bar.open_n = part.open, part.open_ts, part.open_id, part.open_n
    bar.ts_recv = max(bar.ts_recv, part.ts_recv)
    bar.sim = bar.sim or part.sim
    bar.dirty = True


def number_text(trade: FastEvent) -> str:
    """Return what orders trades of one time on a venue: the id where it is a number, else the sequence, if any.

    A trade that was filled in comes later than those that it was made before.
    """
    text: str = trade.trade_id
    return text if trade.seq is None or text.isdecimal() else str(trade.seq)


def rank(trade_id: str, n: int) -> tuple[int, int]:
    """Order trades of one time: by the venue's number where it counts, else by arrival."""
    return (int(trade_id), n) if trade_id.isdecimal() else (0, n)


def add_up(one: Decimal, other: Decimal) -> Decimal:
    """Give the exact sum; a million of the largest amounts would leave the contract's digits and are shown as those."""
    total = EXACT.add(one, other)
    return min(total, MOST)


def is_sound(bar: Bar) -> bool:
    """Whether a saved bar's figures are some that trades make, so that it can be added to and published."""
    prices, sums = (bar.open, bar.high, bar.low, bar.close), (bar.volume, bar.quote_volume)
    finite = all(figure.is_finite() for figure in (*prices, *sums))
    return finite and all(0 < price <= MOST for price in prices) and all(0 <= total <= MOST for total in sums)


def named(tail: str, candle: FastEvent) -> FastEvent:
    """Return the candle with its id: two versions of one that differ in anything have different ones."""
    prices = f"{candle.open} {candle.high} {candle.low} {candle.close} {candle.volume} {candle.quote_volume}"
    said = f"{prices} {candle.ts_event} {candle.ts_recv} {candle.sim:d} {candle.closed:d}"
    mark = blake2b(said.encode(), digest_size=6).hexdigest()
    closed = ".closed" if candle.closed else ""
    identity = f"{tail}.candle.{candle.timeframe}.{candle.start_ts // SECOND}.{candle.trades}.{mark}{closed}"
    return msgspec.structs.replace(candle, id=identity)
