"""Brings an order into the steps of a venue, toward the safe side for its owner, and refuses what is too small. Pure.

An amount is never rounded up: nobody buys or sells more than was wanted. A price never gets worse: a buy's goes down, a
sell's goes up.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT
from contracts.errors import InvalidParameterError, SymbolSyntaxError
from contracts.instrument import split_symbol
from runtime.trading.order import Side

_ZERO: Final = Decimal(0)
_SMALLEST: Final = Decimal("0.00000001")  # the step of amounts and prices on paper


@dataclass(frozen=True, slots=True)
class TradingRules:
    """What a venue takes of one instrument; `least_value` in the quote. Steps are above zero."""

    base: str
    quote: str
    price_step: Decimal
    amount_step: Decimal
    least_amount: Decimal = _ZERO
    least_value: Decimal = _ZERO


def paper_rules(symbol: str) -> TradingRules:
    """Return the rules of a spot pair on paper, the same for each; InvalidParameterError where it names none."""
    try:
        base, quote, settle, _ = split_symbol(symbol)
    except SymbolSyntaxError as error:
        raise InvalidParameterError(error.message, parameter="symbol") from None
    if settle is not None:
        raise InvalidParameterError("Paper accounts trade spot only", parameter="symbol")
    return TradingRules(base, quote, _SMALLEST, _SMALLEST)


def round_amount(amount: Decimal, rules: TradingRules) -> Decimal:
    """Return the amount in whole steps, not above what it was; InvalidParameterError where that is too little."""
    rounded = _in_steps(amount, rules.amount_step, ROUND_FLOOR)
    least = max(rules.least_amount, rules.amount_step)
    if rounded < least:
        raise InvalidParameterError(
            f"The smallest amount is {least:f} {rules.base}", parameter="amount", minimum=f"{least:f}"
        )
    return rounded


def round_price(price: Decimal, side: Side, rules: TradingRules) -> Decimal:
    """Return the price in whole steps, not worse for the side; InvalidParameterError where nothing is left of it."""
    rounded = _in_steps(price, rules.price_step, ROUND_FLOOR if side == "buy" else ROUND_CEILING)
    if rounded <= 0:
        raise InvalidParameterError(
            f"The smallest price is {rules.price_step:f} {rules.quote}",
            parameter="price",
            minimum=f"{rules.price_step:f}",
        )
    return rounded


def check_value(amount: Decimal, price: Decimal, rules: TradingRules) -> None:
    """Return where an order is worth enough; raises InvalidParameterError."""
    value = EXACT.multiply(amount, price)
    if value < rules.least_value:
        raise InvalidParameterError(
            f"The smallest order is worth {rules.least_value:f} {rules.quote}; this one is worth {value:f}",
            parameter="amount",
            minimum_value=f"{rules.least_value:f}",
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What an order is made of, as far as a venue's rules go; a market order has no price."""

    side: Side
    amount: Decimal
    price: Decimal | None


def fit(wanted: Figures, rules: TradingRules, market: Decimal | None) -> Figures:
    """Return the figures in the venue's steps; InvalidParameterError names what is too small.

    `market` is the price that an order without one is valued at; None where that is unknown: its value is not checked.
    """
    amount = round_amount(wanted.amount, rules)
    price = None if wanted.price is None else round_price(wanted.price, wanted.side, rules)
    valued = market if price is None else price
    if valued is not None:
        check_value(amount, valued, rules)
    return Figures(wanted.side, amount, price)


def _in_steps(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    steps = EXACT.divide(value, step).to_integral_value(rounding=rounding)
    return EXACT.multiply(steps, step)
