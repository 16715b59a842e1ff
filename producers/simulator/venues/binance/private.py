"""Binance Spot's private REST: signed requests for accounts, orders and executions.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import parse_qsl

from producers.simulator.families.binance.rows import refuse, rest_error
from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.private.exchange import Exchange
from producers.simulator.private.faults import Refusals
from producers.simulator.private.listed import count_within, show_book, show_open, spot_of
from producers.simulator.private.money import Account
from producers.simulator.private.orders import Order, RefusedError, Wanted
from producers.simulator.private.side import PrivateSide
from producers.simulator.venues.binance.private_rows import account_row, cancelled_row, order_row, placed_row, trade_row

Fields = Mapping[str, str]
_API: Final = "/api/v3/"
_RESTRICTIONS: Final = "/sapi/v1/account/apiRestrictions"
_SIGNATURE: Final = "&signature="
_SECOND: Final = 1_000_000
_MOST_ORDERS: Final = 100  # within ten seconds
_CODES: Final[Mapping[str, tuple[int, str]]] = {
    "symbol": (-1121, "Invalid symbol."),
    "halted": (-1013, "Market is closed."),
    "no_book": (-1013, "Market is closed."),
    "terms": (-1102, "Mandatory parameter was not sent, was empty/null, or malformed."),
    "price_step": (-1013, "Filter failure: PRICE_FILTER"),
    "amount_step": (-1013, "Filter failure: LOT_SIZE"),
    "least_amount": (-1013, "Filter failure: LOT_SIZE"),
    "least_value": (-1013, "Filter failure: NOTIONAL"),
    "funds": (-2010, "Account has insufficient balance for requested action."),
    "would_take": (-2010, "Order would immediately match and take."),
    "duplicate": (-2010, "Duplicate order sent."),
    "unknown_order": (-2011, "Unknown order sent."),
}
_REFUSALS: Final = Refusals(
    maintenance=lambda: rest_error(503, -1001, "Internal error; unable to process your request. Please try again."),
    rate_limit=lambda: refuse(1),
)


class BinancePrivate:
    """Answers of signed requests, on an exchange that trades what the venue lists."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self._listings = listings
        self.side = PrivateSide(Exchange(spot_of(listing) for listing in listings.values()))
        self._acts: dict[tuple[str, str], Callable[[Account, Fields, int], Answer]] = {
            ("GET", "account"): self._account,
            ("GET", "order"): self._find,
            ("POST", "order"): self._place,
            ("DELETE", "order"): self._cancel,
            ("GET", "openOrders"): self._open_orders,
            ("GET", "allOrders"): self._all_orders,
            ("GET", "myTrades"): self._trades,
        }

    def answers(self, request: Request) -> bool:
        """Return whether a request is a private one."""
        return request.path == _RESTRICTIONS or (request.method, request.path.removeprefix(_API)) in self._acts

    def answer(self, request: Request, now_us: int) -> Answer:
        """Return the answer to a private request, with what goes wrong with it."""
        text = request.body if request.method == "POST" else request.query_text
        account = self._identify(request, text, now_us)
        if isinstance(account, Answer):
            return account
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if request.path == _RESTRICTIONS:
            return _restrictions(account)
        name = request.path.removeprefix(_API)
        act = self._acts[request.method, name]
        return self.side.answer(
            f"{request.method} {name}", lambda at: _carry_out(act, account, fields, at), _REFUSALS, now_us
        )

    def tick(self, now_us: int) -> None:
        """Let orders that wait meet the books of now."""
        self.side.tick(now_us)
        show_open(self.side.exchange, self._listings, now_us)

    def _identify(self, request: Request, text: str, now_us: int) -> Account | Answer:
        """Return whose request it is; the refusal where it is not signed as it has to be."""
        account = self.side.exchange.find_account(request.headers.get("x-mbx-apikey", ""))
        if account is None:
            return rest_error(401, -2015, "Invalid API-key, IP, or permissions for action.")
        payload, _, signature = text.rpartition(_SIGNATURE)
        expected = hmac.new(account.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature.lower()):
            return rest_error(400, -1022, "Signature for this request is not valid.")
        fields = dict(parse_qsl(payload))
        if not fields.get("timestamp", "").isdigit():
            return rest_error(400, -1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")
        sent, window = int(fields["timestamp"]), min(int(fields.get("recvWindow", "5000")), 60_000)
        if not now_us // 1000 - window <= sent < now_us // 1000 + 1000:
            return rest_error(400, -1021, "Timestamp for this request is outside of the recvWindow.")
        if request.method != "GET" and "trade" not in account.permissions:
            return rest_error(401, -2015, "Invalid API-key, IP, or permissions for action.")
        return account

    def _account(self, account: Account, _fields: Fields, now_us: int) -> Answer:
        return Answer(200, encode(account_row(account, now_us)))

    def _place(self, account: Account, fields: Fields, now_us: int) -> Answer:
        if count_within(account, "orders", 10 * _SECOND, now_us) > _MOST_ORDERS:
            text = f"Too many new orders; current limit is {_MOST_ORDERS} orders per 10 SECOND."
            return rest_error(429, -1015, text)
        exchange = self.side.exchange
        wanted = _read_wanted(fields)
        if (listing := self._listings.get(wanted.symbol)) is not None:
            show_book(exchange, listing, now_us)
        return Answer(200, encode(placed_row(exchange.place(account, wanted, now_us))))

    def _cancel(self, account: Account, fields: Fields, now_us: int) -> Answer:
        order = self._named(account, fields)
        if order is None:
            raise RefusedError("unknown_order", "")
        return Answer(200, encode(cancelled_row(self.side.exchange.cancel(account, order.id, now_us))))

    def _find(self, account: Account, fields: Fields, _now_us: int) -> Answer:
        order = self._named(account, fields)
        if order is None:
            return rest_error(400, -2013, "Order does not exist.")
        return Answer(200, encode(order_row(order)))

    def _open_orders(self, account: Account, fields: Fields, _now_us: int) -> Answer:
        found = self.side.exchange.list_orders(account, symbol=fields.get("symbol"), is_open=True)
        return Answer(200, encode([order_row(order) for order in found]))

    def _all_orders(self, account: Account, fields: Fields, _now_us: int) -> Answer:
        since = int(fields.get("startTime", "0"))
        found = [
            order
            for order in self.side.exchange.list_orders(account, symbol=fields["symbol"])
            if order.created_us // 1000 >= since
        ]
        limit = int(fields.get("limit", "500"))
        return Answer(200, encode([order_row(order) for order in found[-limit:]]))

    def _trades(self, account: Account, fields: Fields, now_us: int) -> Answer:
        number = int(fields["orderId"]) if "orderId" in fields else None
        fills = self.side.exchange.list_fills(account, now_us, symbol=fields["symbol"], order_id=number)
        limit = int(fields.get("limit", "500"))
        return Answer(200, encode([trade_row(fill) for fill in fills[:limit]]))

    def _named(self, account: Account, fields: Fields) -> Order | None:
        if "origClientOrderId" in fields:
            return self.side.exchange.find(account, client_id=fields["origClientOrderId"])
        return self.side.exchange.find(account, order_id=int(fields["orderId"]))


def _carry_out(act: Callable[[Account, Fields, int], Answer], account: Account, fields: Fields, now_us: int) -> Answer:
    try:
        return act(account, fields, now_us)
    except RefusedError as error:
        return rest_error(400, *_CODES[error.code])
    except (KeyError, InvalidOperation):
        return rest_error(400, *_CODES["terms"])


def _read_wanted(fields: Fields) -> Wanted:
    """Return what is asked for, of `POST /api/v3/order`."""
    kind = fields["type"]
    cost = fields.get("quoteOrderQty")
    return Wanted(
        symbol=fields["symbol"],
        side="buy" if fields["side"] == "BUY" else "sell",
        type="market" if kind == "MARKET" else "limit",
        amount=Decimal(fields["quantity"]) if "quantity" in fields else None,
        cost=None if cost is None else Decimal(cost),
        price=Decimal(fields["price"]) if "price" in fields else None,
        post_only=kind == "LIMIT_MAKER",
        immediate=fields.get("timeInForce") == "IOC",
        client_id=fields.get("newClientOrderId"),
    )


def _restrictions(account: Account) -> Answer:
    body: dict[str, Any] = {
        "ipRestrict": False,
        "createTime": 1_600_000_000_000,
        "enableReading": "view" in account.permissions,
        "enableWithdrawals": "withdraw" in account.permissions,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": "trade" in account.permissions,
        "enablePortfolioMarginTrading": False,
    }
    return Answer(200, encode(body))
