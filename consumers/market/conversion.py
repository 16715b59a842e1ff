"""Figures of one quote brought into another by the bus's own spot prices, and labelled as that. Pure.

Rates lead over dollars (`contracts.arithmetic.usd`): a quote's worth in USD divided by the target's. A dollar coin that
no venue prices in USD is taken as one dollar; its rate then says `peg`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from consumers.market.price import SPOT, Quoted, Rate, find_kind, find_tick
from consumers.market.quality import STALE
from consumers.market.state import Reader
from contracts.arithmetic.exact import EXACT, FINE
from contracts.arithmetic.usd import DOLLAR_STABLES, USD, UsdRates, tells_usd

_RATE_PLACES: Final = Decimal("1E-12")
_FINEST: Final = Decimal("1E-8")  # where no venue quotes in the target itself
_PRICES: Final = ("last", "bid", "ask", "high_24h", "low_24h")


def convert_quotes(reader: Reader, quoted: list[Quoted], quote: str | None) -> list[Quoted]:
    """Give the same list with every price of the main market in one quote: `quote`, or that of the main group.

    What no rate is known for, and contracts beside spot, stay as they are.
    """
    kind = find_kind([item for item in quoted if quote is None or item.quote == quote] or quoted)
    if kind is None:
        return quoted
    market, target = kind[0], quote or kind[1]
    others = {item.quote for item in quoted if item.market == market and item.quote != target}
    rates = find_rates(reader, others, target)
    own = [item.price for item in quoted if item.quote == target and item.price is not None]
    tick = find_tick(own) if own else _FINEST
    return [
        convert(item, target, rates[item.quote], tick) if item.market == market and item.quote in rates else item
        for item in quoted
    ]


def convert(item: Quoted, quote: str, rate: Rate, tick: Decimal) -> Quoted:
    """Bring one venue's prices into another quote, rounded to `tick`; the volume is in the base coin and stays."""
    prices = {name: _times(getattr(item.ticker, name), rate.rate, tick) for name in _PRICES}
    return Quoted(msgspec.structs.replace(item.ticker, **prices), item.quality, item.market, quote, rate)


def find_rates(reader: Reader, quotes: Iterable[str], target: str) -> dict[str, Rate]:
    """Find the rate of each quote into the target, from spot tickers that are not stale; the unknown are left out."""
    wanted = set(quotes)
    if not wanted:
        return {}
    rates = _dollar_rates(reader, {*wanted, target})
    goal = rates.find(target, reader.now_ns)
    if goal is None:
        return {}
    found: dict[str, Rate] = {}
    for quote in sorted(wanted):
        usd = rates.find(quote, reader.now_ns)
        if usd is not None:
            factor = FINE.divide(usd.rate, goal.rate).quantize(_RATE_PLACES, context=EXACT).normalize(EXACT)
            if factor == 0:
                continue  # the quote is worth too little of the target to be expressed in it
            found[quote] = Rate(quote, factor, "peg" if "peg" in {usd.source, goal.source} else "bus")
    return found


def _dollar_rates(reader: Reader, coins: set[str]) -> UsdRates:
    rates = UsdRates()
    for base in sorted(coins | DOLLAR_STABLES):
        for item in reader.state.list_of_base(base):
            dollars = item.quote == USD or item.quote in DOLLAR_STABLES or item.quote in coins
            if item.contract != SPOT or not dollars or not tells_usd(base, item.quote):
                continue
            ticker = reader.find_ticker(item)
            if ticker is not None and ticker.last is not None and reader.quality(ticker, item, "ticker") != STALE:
                rates.on_price(base, item.quote, ticker.last, ticker.ts_recv)
    return rates


def _times(text: str | None, rate: Decimal, tick: Decimal) -> str | None:
    if text is None:
        return None
    price = EXACT.multiply(Decimal(text), rate).quantize(tick, context=EXACT)
    return format(price, "f") if price > 0 else None  # below the tick there is no price
