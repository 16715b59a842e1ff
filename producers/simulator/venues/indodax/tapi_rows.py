"""Orders and balances in TAPI's shapes: texts everywhere, and names that the coins make. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from producers.simulator.private import Account, Order, Spot
from producers.simulator.private.figures import EXACT

SECOND_US = 1_000_000


def info(account: Account, markets: Iterable[Spot], now_us: int) -> dict[str, Any]:
    """`getInfo`: rupiah is a number, coins are texts."""
    currencies = sorted({*(m.base for m in markets), *(m.quote for m in markets), *account.free, *account.held})
    return {
        "server_time": now_us // SECOND_US,
        "balance": {name.lower(): _amount(name, account.free[name]) for name in currencies},
        "balance_hold": {name.lower(): _amount(name, account.held[name]) for name in currencies},
        "address": {},
        "network": {"btc": "mainnet", "eth": ["eth", "arb"]},
        "memo_is_required": {},
        "user_id": f"{account.id:05d}",
        "name": "Simulated",
        "email": "simulated@example.com",
        "profile_picture": None,
        "verification_status": "verified",
        "gauth_enable": True,
        "withdraw_status": 1,
    }


def placed(order: Order, market: Spot) -> dict[str, Any]:
    """`trade`."""
    base, quote = market.base.lower(), "rp"
    got = {f"receive_{base}": _eight(order.filled), f"spend_{quote}": _plain(order.spent)}
    left = {f"remain_{quote}": _plain(EXACT.multiply(order.left, order.price or Decimal(0)))}
    if order.side == "sell":
        got = {f"receive_{quote}": _plain(order.spent), f"spend_{base}": _eight(order.filled)}
        left = {f"remain_{base}": _eight(order.left)}
    named = {} if order.client_id is None else {"client_order_id": order.client_id}
    return {**got, "fee": _plain(order.fee), **left, "order_id": order.id, **named}


def open_order(order: Order, market: Spot) -> dict[str, Any]:
    """One of `openOrders`; `order_idr` where it is sized in the quote."""
    return {**_head(order), **_sizes(order, market, market.quote.lower()), "order_type": order.type}


def whole_order(order: Order, market: Spot) -> dict[str, Any]:
    """`getOrder`: `order_rp` where it is sized in rupiah."""
    ended = {} if order.status == "open" else {"finish_time": str(order.changed_us // SECOND_US)}
    got = {f"receive_{market.base.lower()}": _eight(order.filled)}
    if order.side == "sell":
        got = {f"receive_{market.quote.lower()}": _plain(order.spent)}
    sizes = _sizes(order, market, "rp" if market.quote == "IDR" else market.quote.lower())
    return {**_head(order), **sizes, **ended, "status": order.status, **got}


def cancelled(order: Order, account: Account, market: Spot) -> dict[str, Any]:
    """`cancelOrder`: the balances, with what is held as `frozen_`."""
    names = sorted({*account.free, *account.held})
    balance = {name.lower(): _plain(account.free[name]) for name in names}
    frozen = {f"frozen_{name.lower()}": _plain(account.held[name]) for name in names}
    named = {} if order.client_id is None else {"client_order_id": order.client_id}
    return {
        "order_id": order.id,
        **named,
        "type": order.side,
        "pair": f"{market.base}_{market.quote}".lower(),
        "balance": balance | frozen,
    }


def _head(order: Order) -> dict[str, Any]:
    return {
        "order_id": str(order.id),
        "client_order_id": order.client_id or "",
        "submit_time": str(order.created_us // SECOND_US),
        "price": _plain(order.price or Decimal(0)),
        "type": order.side,
    }


def _sizes(order: Order, market: Spot, quote: str) -> dict[str, str]:
    if order.amount is None:
        cost = order.cost or Decimal(0)
        left = EXACT.subtract(cost, EXACT.add(order.spent, order.fee))
        return {f"order_{quote}": _plain(cost), f"remain_{quote}": _plain(left)}
    base = market.base.lower()
    return {f"order_{base}": _eight(order.amount), f"remain_{base}": _eight(order.left)}


def _amount(currency: str, amount: Decimal) -> int | str:
    return int(amount) if currency == "IDR" and amount == int(amount) else _eight(amount)


def _eight(amount: Decimal) -> str:
    return f"{amount:.8f}"


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(EXACT), "f")
