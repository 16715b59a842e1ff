"""One account at Indodax as an executor meets it: orders by our own ids, and nothing taken for certain that is not.

A market buy is sized by what it may cost: the venue takes no amount for it. It costs at most what the live book shows
for the amount that is wanted. Whether the venue has an order is asked by its id; that it has none is believed only
where open orders, ended ones and executions do not show it either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from functools import reduce
from typing import Any, Final

from consumers.execution.ports import UnclearError
from consumers.execution.venues.books import LiveBooks
from consumers.execution.venues.indodax import answers
from consumers.execution.venues.indodax.answers import Refused, Row
from consumers.execution.venues.indodax.client import IndodaxClient, NotSentError
from consumers.execution.venues.indodax.histories import Histories
from consumers.execution.venues.indodax.pairs import Pair, Pairs
from consumers.execution.venues.indodax.public import IndodaxPublic
from contracts.arithmetic.exact import EXACT
from contracts.errors import InvalidParameterError
from runtime import clock
from runtime.trading.figures import Fees, Levels, OrderRefusedError, Print, Taken
from runtime.trading.order import Fill, Order, Report
from runtime.trading.rules import TradingRules

_ZERO: Final = Decimal(0)
_RUPIAH: Final = Decimal(1)
_CENT: Final = Decimal("0.01")
_MAKER_OR_CANCEL: Final = "MOC"


class IndodaxVenue:
    """The account of one key. Books are handed in; everything else is asked of the venue."""

    def __init__(self, client: IndodaxClient, public: IndodaxPublic, now: Callable[[], int] = clock.now_ns) -> None:
        self._client, self._public = client, public
        self._histories = Histories(client, now)
        self._books = LiveBooks(now)
        self._open: dict[str, str] = {}  # the pairs of open orders, by client id
        self._counted: set[str] = set()  # pairs that the venue counts down

    def __repr__(self) -> str:
        return "IndodaxVenue(***)"

    @property
    def fees(self) -> Fees:
        """The highest that the venue takes of any pair."""
        return self._public.fees

    async def open(self) -> frozenset[str]:
        """Return no symbols: the venue fills its orders by itself."""
        return frozenset()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def check(self) -> None:
        """Return where the key may read and trade and nothing else; raises InvalidParameterError, UnclearError.

        Whether it may withdraw is tried with `withdrawFee`, whether it may trade by cancelling an order that is not
        there: neither changes anything.
        """
        info = await self._client.call("getInfo")
        if isinstance(info, Refused):
            raise _refusal_of_key(info)
        if str(info.get("withdraw_status", 1)) != "0":
            fee = await self._client.call("withdrawFee", currency="btc")
            if not isinstance(fee, Refused):
                raise InvalidParameterError(
                    "This key can withdraw: make one at Indodax (Trade API) with the permissions view and trade, and "
                    "without withdraw, then delete this one",
                    parameter="key",
                )
            if not fee.is_of_permission:
                raise UnclearError(f"it is not known whether the key can withdraw ({fee.words})")
        tried = await self._client.call("cancelByClientOrderId", client_order_id="hydrophone-none")
        if isinstance(tried, Refused) and tried.is_of_permission:
            raise InvalidParameterError(
                "This key may not trade: make one at Indodax (Trade API) with the permissions view and trade",
                parameter="key",
            )

    async def rules(self, symbol: str) -> TradingRules:
        """Return the steps and minimums of a pair; raises InvalidParameterError, UnclearError."""
        return (await self._public.pairs()).find(symbol).rules

    async def flush(self) -> Sequence[Report]:
        """Return nothing: what changed is asked for order by order."""
        return ()

    async def balances(self) -> Sequence[tuple[str, Decimal, Decimal]]:
        """Return what is free and held of each currency; raises UnclearError."""
        return answers.read_balances(await self._ask("getInfo"))

    async def look(self, order: Order) -> Sequence[Taken]:
        """Return what an order would take of the live book now."""
        return self._books.look(order)

    def price(self, symbol: str) -> Decimal | None:
        """Return the middle of the live book."""
        return self._books.price(symbol)

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Take a live book as it is shown now."""
        self._books.on_book(symbol, bids, asks)

    def on_trade(self, symbol: str, trade: Print) -> None:
        """Do nothing: the venue fills its orders by itself."""

    async def place(self, order: Order) -> Report:
        """Send an order that is not there yet; raises OrderRefusedError, UnclearError."""
        try:
            pair = (await self._public.pairs()).find(order.symbol)
            fields = self._terms(order, pair)
        except (UnclearError, InvalidParameterError) as error:
            raise OrderRefusedError(f"it was not sent: {error}", "NOT_SENT") from None
        try:
            answer = await self._client.call("trade", **fields)
        except NotSentError as error:
            raise OrderRefusedError(f"it was not sent: {error}", "NOT_SENT") from None
        if isinstance(answer, Refused):
            raise answers.judge(answer)
        if answer.get("client_order_id") != order.client_id or "order_id" not in answer:
            raise UnclearError("Indodax answered with another order")
        taken = await self._note(order, pair, Row(str(answer["order_id"]), order.client_id, "open", _ZERO).report(None))
        try:
            return await self.find(order) or taken
        except UnclearError:  # it is there: what became of it is asked later
            return taken

    async def find(self, order: Order) -> Report | None:
        """Return what became of an order; None where nothing at the venue shows it. Raises UnclearError."""
        pair = self._pair(await self._public.pairs(), order)
        answer = await self._client.call("getOrderByClientOrderId", client_order_id=order.client_id)
        if isinstance(answer, Refused):
            if answer.is_of_the_system:
                raise UnclearError(answer.words)
            return await self._search(order, pair)
        shown = answers.read_order(answer.get("order"), pair)
        if shown.client_id != order.client_id:
            raise UnclearError("Indodax answered with another order")
        return await self._describe(order, pair, shown)

    async def cancel(self, order: Order) -> Report | None:
        """Cancel it; returns what became of it where the venue says so. Raises OrderRefusedError, UnclearError."""
        answer = await self._client.call("cancelByClientOrderId", client_order_id=order.client_id)
        if isinstance(answer, Refused):
            raise UnclearError(answer.words) if answer.is_of_the_system else OrderRefusedError(answer.words)
        report = await self.find(order)
        return None if report is None or report.status == "open" else report

    async def list_open(self) -> Sequence[Report]:
        """Return what is open, whoever placed it; raises UnclearError."""
        pairs = await self._public.pairs()
        return answers.read_open(await self._ask("openOrders"), pairs)

    async def countdown(self, seconds: float) -> None:
        """Have the venue cancel all orders of the pairs in which any of ours is open, unless asked again in time.

        It is stopped where none is open any more. Raises UnclearError.
        """
        self._counted |= set(self._open.values())
        await self._count_down(self._counted, seconds)

    async def _note(self, order: Order, pair: Pair, report: Report) -> Report:
        """Remember what is open; where nothing of a pair is any more, the venue need not count down."""
        if report.status == "open":
            self._open[order.client_id] = pair.ticker_id
            return report
        self._open.pop(order.client_id, None)
        idle = self._counted - set(self._open.values())
        if idle:
            try:
                await self._count_down(idle, 0)
            except UnclearError:  # tried again with the next order that ends
                return report
            self._counted -= idle
        return report

    async def _count_down(self, pairs: set[str], seconds: float) -> None:
        answer = await self._client.count_down(",".join(sorted(pairs)), int(seconds * 1000))
        if isinstance(answer, Refused):
            raise UnclearError(answer.words)

    def _terms(self, order: Order, pair: Pair) -> dict[str, str]:
        """Return the parameters of `trade`; raises OrderRefusedError where the book shows too little to buy."""
        fields = {"pair": pair.ticker_id, "type": order.side, "client_order_id": order.client_id}
        if order.price is not None:
            fields |= {"order_type": "limit", "price": f"{order.price:f}", pair.base: f"{order.amount:f}"}
            return {**fields, "time_in_force": _MAKER_OR_CANCEL} if order.post_only else fields
        if order.side == "sell":
            return {**fields, "order_type": "market", pair.base: f"{order.amount:f}"}
        return {**fields, "order_type": "market", pair.quote: f"{self._cost(order, pair):f}"}

    def _cost(self, order: Order, pair: Pair) -> Decimal:
        taken = self._books.look(order)
        if reduce(EXACT.add, (one.amount for one in taken), _ZERO) < order.amount:
            raise OrderRefusedError("the live book shows less than that", "BOOK_TOO_THIN")
        cost = reduce(EXACT.add, (EXACT.multiply(one.price, one.amount) for one in taken), _ZERO)
        return cost.quantize(_RUPIAH if pair.quote == "idr" else _CENT, ROUND_FLOOR)

    async def _search(self, order: Order, pair: Pair) -> Report | None:
        """Look where else an order would show that cannot be found by its id."""
        for shown in answers.read_open_of(await self._ask("openOrders", pair=pair.ticker_id), pair):
            if shown.client_id == order.client_id:
                return await self._describe(order, pair, shown)
        ended = await self._histories.find_ended(order, pair)
        if ended is not None:
            return await self._describe(order, pair, ended)
        if await self._histories.list_fills(order, pair):
            raise UnclearError("Indodax shows executions of an order that it does not show")
        return None

    async def _describe(self, order: Order, pair: Pair, row: Row) -> Report:
        """Return the report of an order with the executions that are not known yet."""
        fills: tuple[Fill, ...] = ()
        if row.filled is None or row.filled > order.named:
            fills = await self._histories.list_fills(order, pair)
        return await self._note(order, pair, row.report(order.symbol, fills))

    async def _ask(self, method: str, **fields: str) -> Mapping[str, Any]:
        answer = await self._client.call(method, **fields)
        if isinstance(answer, Refused):
            raise UnclearError(answer.words)
        return answer

    def _pair(self, pairs: Pairs, order: Order) -> Pair:
        pair = pairs.by_symbol.get(order.symbol)  # one in maintenance as well
        if pair is None:
            raise UnclearError(f"Indodax does not list {order.symbol} any more")
        return pair


def _refusal_of_key(info: Refused) -> InvalidParameterError | UnclearError:
    if info.is_of_the_key:
        return InvalidParameterError("Indodax does not accept this key and secret", parameter="key")
    if info.is_of_permission:
        return InvalidParameterError(
            "This key may not read: make one at Indodax (Trade API) with the permissions view and trade",
            parameter="key",
        )
    return UnclearError(info.words)
