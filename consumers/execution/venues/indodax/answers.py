"""What Indodax's private answers say, and what its refusals mean: a clear no, or nothing certain. Pure.

Success is `{"success":1,"return":{…}}`; a refusal is `{"success":0,"error":"text","error_code":"code"}`, mostly with
HTTP 200, and its code may be missing. Trade API 2.0 answers `{"data":[…]}`, or `{"code":1110,"error":"…"}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from consumers.execution.ports import UnclearError
from consumers.execution.venues.indodax.pairs import Pair, Pairs, currency_of
from contracts.arithmetic.exact import EXACT
from contracts.services.trading.refusals import RefusalCode
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Fill, Order, Report, VenueStatus

TOO_MANY: Final = "too_many_requests"
NO_PERMISSION: Final = "no permission"
_KEY_CODES: Final = frozenset({
    "invalid_credentials", "bad_sign", "invalid_tapi_key", "key_not_found", "sign_not_found",
})  # fmt: skip
_SYSTEM_CODES: Final = _KEY_CODES | {TOO_MANY, "internal_server_error"}
_KEY_REFUSED: Final = "Indodax does not accept the key of this account: link it again"
_CLEAR: Final[tuple[tuple[str, str, RefusalCode, str | None], ...]] = (  # what it says, what we say, code, field
    ("insufficient balance", "there is not enough money for it", "INSUFFICIENT_BALANCE", None),
    ("not maker", "it would have been a taker at this price", "POST_ONLY", None),
    (NO_PERMISSION, "the key of this account may not trade: link one that may", "KEY_REFUSED", None),
    ("invalid pair", "Indodax does not trade this pair now", "NOT_SUPPORTED", "symbol"),
    ("minimum order", "", "BELOW_MINIMUM", None),
    ("minimum price", "", "BELOW_MINIMUM", "price"),
)
_STATUSES: Final[Mapping[str, VenueStatus]] = {"open": "open", "filled": "filled", "cancelled": "cancelled"}
_ENDED: Final[Mapping[str, VenueStatus]] = {"FILLED": "filled", "CANCELLED": "cancelled", "REJECTED": "rejected"}
_NO_ORDER: Final = "Indodax showed orders that nobody can read"
_LONGEST: Final = 200
_MS: Final = 1_000_000
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue's no: its own text, and its code where it has one."""

    text: str
    code: str = ""

    @property
    def is_of_the_system(self) -> bool:
        """Whether it is about the request, its key or the venue, and says nothing of an order."""
        words = self.text.lower()
        about_time = any(word in words for word in ("timestamp", "nonce", "maintenance"))
        return self.code in _SYSTEM_CODES or about_time or NO_PERMISSION in words

    @property
    def is_of_the_key(self) -> bool:
        """Whether the key is not accepted."""
        return self.code in _KEY_CODES

    @property
    def is_of_permission(self) -> bool:
        """Whether the key may not do that."""
        return NO_PERMISSION in self.text.lower()

    @property
    def words(self) -> str:
        """What to say of it to an account's owner."""
        return _KEY_REFUSED if self.is_of_the_key else f"Indodax: {self.text[:_LONGEST] or self.code}"


def read_answer(status: int, body: str) -> Mapping[str, Any] | Refused:
    """Return what a TAPI answer holds; raises UnclearError where it is no such answer."""
    answer = _object(status, body)
    if str(answer.get("success")) == "0":
        return Refused(str(answer.get("error", "")), str(answer.get("error_code") or ""))
    content = answer.get("return", {})
    if str(answer.get("success")) != "1" or status != 200 or not isinstance(content, dict):  # noqa: PLR2004 - HTTP
        raise UnclearError(f"Indodax answered with HTTP {status} what nobody can read")
    return cast("dict[str, Any]", content)


def read_rows(status: int, body: str) -> list[Mapping[str, Any]]:
    """Return the rows of an answer of Trade API 2.0; raises UnclearError where there are none."""
    answer = _object(status, body)
    if not isinstance(answer.get("data"), list):
        raise UnclearError(f"Indodax: {str(answer.get('error', f'HTTP {status}'))[:_LONGEST]}")
    return _objects(answer["data"])


def judge(refused: Refused) -> OrderRefusedError | UnclearError:
    """Return what to raise of the no to a new order: only what is known to come before it is taken is a refusal."""
    if refused.is_of_the_key:
        return OrderRefusedError(_KEY_REFUSED, "KEY_REFUSED")
    if refused.code == TOO_MANY:
        return OrderRefusedError("Indodax takes no orders for a few seconds: there were too many", "RATE_LIMITED")
    words = refused.text.lower()
    for known, said, code, field in _CLEAR:
        if known in words:
            return OrderRefusedError(said or refused.words, code, parameter=field)
    return UnclearError(refused.words)


@dataclass(frozen=True, slots=True)
class Row:
    """An order as TAPI shows it; `filled` is None where it is sized in the quote and does not say what it got."""

    id: str
    client_id: str | None
    status: VenueStatus
    filled: Decimal | None

    def report(self, symbol: str | None, fills: tuple[Fill, ...] = ()) -> Report:
        """Return what it says."""
        filled = sum((fill.amount for fill in fills), _ZERO) if self.filled is None else self.filled
        return Report(
            venue_order_id=self.id,
            client_id=self.client_id,
            status=self.status,
            filled=filled,
            fills=fills,
            symbol=symbol,
        )


def read_open(content: Mapping[str, Any], pairs: Pairs) -> list[Report]:
    """Return the open orders of all pairs; there are none where `orders` is null or a list. Raises UnclearError.

    One of a pair that is not known has the pair's own name.
    """
    orders = content.get("orders")
    if orders is None or orders == []:
        return []
    if not isinstance(orders, dict):
        raise UnclearError(_NO_ORDER)
    found: list[Report] = []
    for name, rows in cast("dict[str, Any]", orders).items():
        pair = pairs.by_ticker_id.get(name)
        for row in _objects(rows):
            if pair is None:
                found.append(Row(str(row.get("order_id")), _name_of(row), "open", _ZERO).report(name))
            else:
                found.append(read_order(row, pair).report(pair.symbol))
    return found


def read_open_of(content: Mapping[str, Any], pair: Pair) -> list[Row]:
    """Return the open orders of one pair: a list, null where there are none. Raises UnclearError."""
    orders = content.get("orders")
    rows = cast("dict[str, Any]", orders).get(pair.ticker_id) if isinstance(orders, dict) else orders
    return [read_order(row, pair) for row in _objects([] if rows is None else rows)]


def read_order(row: Any, pair: Pair) -> Row:
    """Read an order of `getOrder`, `getOrderByClientOrderId` or `openOrders`; raises UnclearError.

    Those of `openOrders` have no status. One that is sized in coins has `order_btc` and `remain_btc`; in the quote
    `order_rp`, `order_idr`, and what it got as `receive_btc`.
    """
    (row,) = _objects([row])
    try:
        status = _STATUSES[str(row.get("status", "open"))]
        whole, left, got = (row.get(f"{name}_{pair.base}") for name in ("order", "remain", "receive"))
        if whole is not None and left is not None:
            filled: Decimal | None = EXACT.subtract(Decimal(str(whole)), Decimal(str(left)))
        else:
            filled = None if got is None else Decimal(str(got))
        return Row(str(row["order_id"]), _name_of(row), status, filled)
    except (KeyError, InvalidOperation):
        raise UnclearError(_NO_ORDER) from None


def read_ended(row: Mapping[str, Any]) -> Row:
    """Read an order of the order history; raises UnclearError."""
    try:
        filled, status = Decimal(str(row["executedQty"])), _ENDED[str(row["status"])]
        return Row(str(row["orderId"]), str(row["clientOrderId"]), status, filled)
    except (KeyError, InvalidOperation):
        raise UnclearError(_NO_ORDER) from None


def read_fills(rows: list[Mapping[str, Any]], order: Order) -> tuple[Fill, ...]:
    """Return the executions of an order among those of its pair; raises UnclearError."""
    try:
        return tuple(
            Fill(
                id=str(row["tradeId"]),
                amount=Decimal(str(row["qty"])),
                price=Decimal(str(row["price"])),
                fee=Decimal(str(row["commission"])),
                fee_currency=currency_of(str(row["commissionAsset"])),
                ts=int(row["time"]) * _MS,
            )
            for row in rows
            if row.get("clientOrderId") == order.client_id
        )
    except (KeyError, ValueError, InvalidOperation):
        raise UnclearError("Indodax showed an execution that nobody can read") from None


def read_balances(content: Mapping[str, Any]) -> list[tuple[str, Decimal, Decimal]]:
    """Return what `getInfo` says of each currency that there is any of: free and held. Raises UnclearError."""
    try:
        free, held = content["balance"], content["balance_hold"]
        found = [(code, Decimal(str(free[code])), Decimal(str(held.get(code, "0")))) for code in sorted(free)]
    except (KeyError, AttributeError, InvalidOperation):
        raise UnclearError("Indodax showed balances that nobody can read") from None
    return [(currency_of(code), one, other) for code, one, other in found if one or other]


def _object(status: int, body: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise UnclearError(f"Indodax answered with HTTP {status} and no words: it may be in maintenance") from None
    if not isinstance(answer, dict):
        raise UnclearError(f"Indodax answered with HTTP {status} what nobody can read")
    return cast("dict[str, Any]", answer)


def _objects(rows: Any) -> list[Mapping[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[Any]", rows)):
        raise UnclearError(_NO_ORDER)
    return cast("list[Mapping[str, Any]]", rows)


def _name_of(row: Mapping[str, Any]) -> str | None:
    return str(row.get("client_order_id") or "") or None
