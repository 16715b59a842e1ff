"""What each exchange can do through CCXT, and how orders are found there again; who cannot is refused. Pure.

An order whose answer is lost is found by its client order id, and nothing else. So an exchange is offered where the id
that an account sends is kept there as it is, and finds the order among open and ended ones; and where all open orders
are listed, so that what is nobody's is seen. CCXT says of itself what it has (`has`, `features`); what it does not say
stands in `WAYS`, read in its classes and tried against a simulated private side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from contracts.errors import InvalidParameterError

NEEDED: Final = ("createOrder", "cancelOrder", "fetchOpenOrders", "fetchOrderTrades", "fetchBalance")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that an order may be in: CCXT's method, and its parameter for a client id, None where it takes none."""

    method: str
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """How an exchange finds orders.

    `one` is the parameter by which `fetchOrder` takes a client id, None where it takes none; `cancel` that of
    `cancelOrder`. `next_page` is (key of the last row as it came, parameter of the next request) of a list of open
    orders that comes in pages of `page`.
    """

    client_id: re.Pattern[str]
    one: str | None
    listings: tuple[Listing, ...]
    cancel: str
    trades: int  # of one order: the most that are asked for
    page: int | None = None
    next_page: tuple[str, str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an account can do at an exchange; `refused` says why there are no accounts there."""

    venue: str
    post_only: bool = False
    market: bool = False
    refused: str | None = None


_SPOT: Final = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}}
WAYS: Final[Mapping[str, Ways]] = MappingProxyType({
    "binance": Ways(
        client_id=re.compile(r"[A-Za-z0-9_-]{1,36}"),
        one="clientOrderId",
        listings=(Listing("fetch_open_orders"), Listing("fetch_orders")),
        cancel="clientOrderId",
        trades=1000,
        options={**_SPOT, "fetchMargins": False, "fetchOpenOrders": {"warnWithoutSymbol": False}},
    ),
    "bybit": Ways(
        client_id=re.compile(r"[A-Za-z0-9_-]{1,36}"),
        one=None,
        listings=(
            Listing("fetch_open_orders", "orderLinkId"),
            Listing("fetch_canceled_and_closed_orders", "orderLinkId"),
        ),
        cancel="orderLinkId",
        trades=100,
        page=50,
        next_page=("nextPageCursor", "cursor"),
        options=_SPOT,
    ),
})  # fmt: skip
_LACKS: Final[Mapping[str, str]] = MappingProxyType({
    "indodax": "CCXT's class for it is wrong; it has an adapter of its own",
    "kucoin": "it lists open orders of one symbol at a time, so that what is nobody's would not be seen",
    "gate": "it takes only client order ids that begin with t-",
    "mexc": "it lists open orders of one symbol at a time, so that what is nobody's would not be seen",
})  # fmt: skip
_NOT_TRIED: Final = "it was not tried whether its client order ids find every order again"


def find_ways(venue: str) -> Ways:
    """Return how orders are found at an exchange; InvalidParameterError, for an owner, where that is not known."""
    if venue not in WAYS:
        raise _refusal(venue, _LACKS.get(venue, _NOT_TRIED))
    return WAYS[venue]


def describe_venue(venue: str, has: Mapping[str, Any], features: Mapping[str, Any] | None) -> Capabilities:
    """Return what an account can do at an exchange, of what CCXT says of it."""
    missing = [name for name in NEEDED if has.get(name) is not True]
    if venue in _LACKS:
        return Capabilities(venue, refused=_LACKS[venue])
    if missing:
        return Capabilities(venue, refused=f"CCXT cannot do {', '.join(missing)} there")
    if venue not in WAYS:
        return Capabilities(venue, refused=_NOT_TRIED)
    stated: Mapping[str, Any] = features or {}
    for part in ("spot", "createOrder", "timeInForce"):
        stated = stated.get(part) or {}
    return Capabilities(venue, post_only=bool(stated.get("PO")), market=True)


def require(capabilities: Capabilities) -> None:
    """Return where accounts can be made; InvalidParameterError, in words for an owner, where they cannot."""
    if capabilities.refused is not None:
        raise _refusal(capabilities.venue, capabilities.refused)


def _refusal(venue: str, reason: str) -> InvalidParameterError:
    return InvalidParameterError(f"No accounts at {venue} can be made here: {reason}", parameter="venue")
