"""What other processes order of a private side, by query parameters: accounts with money, and faults. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final, cast, get_args

from producers.simulator.private.faults import FaultKind, PrivateFault
from producers.simulator.private.money import Permission
from producers.simulator.private.side import PrivateSide

_PERMISSIONS: Final[tuple[str, ...]] = get_args(Permission)


def open_account(side: PrivateSide, query: dict[str, str]) -> dict[str, object]:
    """Open an account, or give one more money; returns what it has. ValueError names the parameter at fault."""
    permissions = query.get("permissions", "view,trade").split(",")
    for name in permissions:
        if name not in _PERMISSIONS:
            raise ValueError(f"permissions: {name!r} is not one of {', '.join(_PERMISSIONS)}")
    if not query.get("key") or not query.get("secret"):
        raise ValueError("key, secret: missing")
    balances = dict(_balance(part) for part in query.get("balance", "").split(",") if part)
    granted = cast("list[Permission]", permissions)
    account = side.exchange.add_account(query["key"], query["secret"], granted, balances)
    account.passphrase = query.get("passphrase", "")
    return {"id": account.id, "balance": {name: f"{amount:f}" for name, amount in account.free.items()}}


def read_private_fault(query: dict[str, str]) -> PrivateFault:
    """Read a fault of `faults.py`; ValueError names the parameter at fault."""
    return PrivateFault(
        kind=cast("FaultKind", query.get("kind", "")),
        method=query.get("method") or None,
        seconds=float(_number("seconds", query.get("seconds", "1"))),
        share=_number("share", query.get("share", "0.5")),
    )


def _balance(part: str) -> tuple[str, Decimal]:
    currency, _, amount = part.partition(":")
    return currency, _number("balance", amount)


def _number(name: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{name}: {text!r} is not a number") from None
