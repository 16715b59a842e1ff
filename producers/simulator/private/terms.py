"""Whether an order keeps to the steps and minimums of its market. Pure."""

from __future__ import annotations

from decimal import Decimal

from producers.simulator.private.figures import EXACT, is_step
from producers.simulator.private.orders import RefusedError, Spot, Wanted


def check_terms(wanted: Wanted, market: Spot) -> None:
    """Return where an order may be taken; raises RefusedError that says what is wrong with it."""
    if market.halted:
        raise RefusedError("halted", f"{market.symbol} is not traded now")
    if (wanted.price is None) != (wanted.type == "market"):
        raise RefusedError("terms", "a limit order has a price, a market order has none")
    if (wanted.amount is None) == (wanted.cost is None):
        raise RefusedError("terms", "an order has an amount or a cost")
    if wanted.cost is not None:
        if wanted.type != "market" or wanted.side != "buy":
            raise RefusedError("terms", "only market buys are sized by their cost")
        _check_value(wanted.cost, market)
    if wanted.price is not None and (wanted.price <= 0 or not is_step(wanted.price, market.price_step)):
        raise RefusedError("price_step", f"prices of {market.symbol} are multiples of {market.price_step:f}")
    if wanted.amount is not None:
        _check_amount(wanted.amount, market)
        if wanted.price is not None:
            _check_value(EXACT.multiply(wanted.amount, wanted.price), market)


def _check_amount(amount: Decimal, market: Spot) -> None:
    if amount <= 0 or not is_step(amount, market.amount_step):
        raise RefusedError("amount_step", f"amounts of {market.symbol} are multiples of {market.amount_step:f}")
    if amount < market.least_amount:
        raise RefusedError("least_amount", f"the least amount is {market.least_amount:f} {market.base}")


def _check_value(value: Decimal, market: Spot) -> None:
    if value < market.least_value:
        raise RefusedError("least_value", f"the least value is {market.least_value:f} {market.quote}")
