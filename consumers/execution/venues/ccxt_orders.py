"""Reads CCXT's orders, trades, markets and balances, whose numbers are texts, into ours. Pure.

What is missing and needed is an UnreadableError that names it: a status or a figure that nobody gave is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

from contracts.arithmetic.exact import EXACT
from contracts.errors import InvalidParameterError
from runtime.trading.figures import Fees
from runtime.trading.order import Fill, Order, Report, VenueStatus
from runtime.trading.rules import TradingRules

Row = Mapping[str, Any]
_MS: Final = 1_000_000  # ns
_SKEW_NS: Final = 60_000 * _MS  # how far a venue's clock may be behind ours
_TICK_SIZE: Final = 4  # CCXT: precision is a step
_NO_REASON: Final = frozenset({"", "EC_NoError", "UNKNOWN"})  # Bybit's
_ZERO: Final = Decimal(0)
_STATUSES: Final[Mapping[str, VenueStatus]] = MappingProxyType({
    "open": "open",
    "canceling": "open",
    "closed": "filled",
    "canceled": "cancelled",
    "expired": "cancelled",
    "expired_in_match": "cancelled",
    "rejected": "rejected",
})  # fmt: skip


class UnreadableError(ValueError):
    """An answer lacks something that is needed, or says what makes no sense."""


def read_number(value: object, what: str) -> Decimal:
    """Return an exact number; UnreadableError where there is none, or where it went through a float."""
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise UnreadableError(f"{what} is no number") from None
        if number.is_finite():
            return number
    raise UnreadableError(f"{what} is no exact number")


def read_report(row: Row, fills: Sequence[Fill], amount: Decimal | None) -> Report:
    """Return what an order's row says; `amount` is the whole order's, None where that is not known here.

    What has ended with less than its amount was cancelled, whatever the venue calls it.
    """
    filled = read_number(row.get("filled"), "the filled amount")
    wanted = amount if amount is not None else read_number(row.get("amount"), "the amount")
    status = _STATUSES.get(str(row.get("status")))
    if status is None:
        raise UnreadableError(f"the status {row.get('status')!r} is not known")
    if status == "filled" and filled < wanted:
        status = "cancelled"
    elif status == "cancelled" and filled >= wanted:
        status = "filled"
    return Report(
        venue_order_id=_text(row, "id"),
        client_id=row.get("clientOrderId") or None,
        status=status,
        filled=filled,
        fills=tuple(fills),
        reason=_reason(row, status),
        symbol=row.get("symbol") or None,
    )


def _reason(row: Row, status: VenueStatus) -> str | None:
    """Return why it was rejected, or ended by the exchange, where that is said; an exchange may reject what it took."""
    info: Row = row.get("info") or {}
    said = info.get("rejectReason") if status in {"rejected", "cancelled"} else None
    if isinstance(said, str) and said not in _NO_REASON:
        return f"the exchange ended it: {said}"
    return "the exchange rejected it" if status == "rejected" else None


def read_accepted(row: Row, order: Order) -> Report:
    """Return what the answer to a new order says: all of it, or only that the venue has it."""
    if row.get("status") is None:
        return Report(venue_order_id=_text(row, "id"), client_id=order.client_id, status="open", symbol=order.symbol)
    return read_report({**row, "clientOrderId": order.client_id}, (), order.amount)


def read_fills(trades: Iterable[Row], venue_order_id: str) -> tuple[Fill, ...]:
    """Return the executions of one order, the oldest first."""
    fills = [_read_fill(trade) for trade in trades if str(trade.get("order")) == venue_order_id]
    return tuple(sorted(fills, key=lambda fill: (fill.ts, fill.id)))


def sum_of(fills: Iterable[Fill]) -> Decimal:
    """Return how much executions come to."""
    return reduce(EXACT.add, (fill.amount for fill in fills), _ZERO)


def is_ours(row: Row, order: Order) -> bool:
    """Return whether a row is of this order: a client id may have named another one before, here or elsewhere."""
    if row.get("clientOrderId") != order.client_id or row.get("symbol") != order.symbol:
        return False
    if row.get("side") != order.side or row.get("type") not in {order.type, None}:
        return False
    named = row.get("amount")
    if named is not None and read_number(named, "the amount") != order.amount:
        return False
    price = row.get("price") if order.type == "limit" else None
    if price is not None and read_number(price, "the price") != order.price:
        return False
    created = row.get("timestamp")
    return created is None or int(created) * _MS >= order.created_ns - _SKEW_NS


def read_rules(market: Row, precision_mode: int, venue: str) -> TradingRules:
    """Return what a venue takes of a spot market; InvalidParameterError where it does not trade it."""
    symbol = market.get("symbol")
    if not market.get("spot"):
        raise InvalidParameterError(f"Accounts at {venue} trade spot only here", parameter="symbol")
    if market.get("active") is False:
        raise InvalidParameterError(f"{venue} does not trade {symbol} now", parameter="symbol")
    limits, precision = market["limits"], market["precision"]
    steps = [_step(precision.get(name), precision_mode) for name in ("price", "amount")]
    if None in steps:
        raise InvalidParameterError(f"{venue} lists no steps of {symbol}", parameter="symbol")
    price_step, amount_step = (step for step in steps if step is not None)
    return TradingRules(
        base=_text(market, "base"),
        quote=_text(market, "quote"),
        price_step=price_step,
        amount_step=amount_step,
        least_amount=_least(limits, "amount"),
        least_value=_least(limits, "cost"),
    )


def read_fees(markets: Iterable[Row]) -> Fees:
    """Return the highest fees of some markets, as the venue's list of prices has them; UnreadableError without any."""
    rows = [market for market in markets if market.get("maker") is not None and market.get("taker") is not None]
    if not rows:
        raise UnreadableError("no market says its fees")
    return Fees(*(max(read_number(row[name], "the fee") for row in rows) for name in ("maker", "taker")))


def read_balances(balance: Row) -> list[tuple[str, Decimal, Decimal]]:
    """Return each currency that there is something of: free and held."""
    found: list[tuple[str, Decimal, Decimal]] = []
    for currency, total in sorted(balance["total"].items()):
        free, held = (balance[name].get(currency) for name in ("free", "used"))
        if total is None or not read_number(total, f"the balance of {currency}"):
            continue
        pair = read_number(free, f"free {currency}"), read_number(held, f"held {currency}")
        found.append((currency, *pair))
    return found


def _read_fill(trade: Row) -> Fill:
    fees: list[Row] = [fee for fee in (trade.get("fees") or [trade.get("fee")]) if fee and fee.get("cost") is not None]
    if len(fees) != 1:
        raise UnreadableError("an execution has no single fee")
    return Fill(
        id=_text(trade, "id"),
        amount=read_number(trade.get("amount"), "an execution's amount"),
        price=read_number(trade.get("price"), "an execution's price"),
        fee=read_number(fees[0]["cost"], "an execution's fee"),
        fee_currency=_text(fees[0], "currency"),
        ts=int(read_number(trade.get("timestamp"), "an execution's time")) * _MS,
    )


def _step(value: object, mode: int) -> Decimal | None:
    """Return a step; None where the venue gives none, or counts significant digits."""
    step = _ZERO if value is None else read_number(value, "a step")
    return step if mode == _TICK_SIZE and step > 0 else None


def _least(limits: Row, what: str) -> Decimal:
    limit: Row = limits.get(what) or {}
    value = limit.get("min")
    return _ZERO if value is None else read_number(value, f"the least {what}")


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableError(f"{name} is missing")
    return value
