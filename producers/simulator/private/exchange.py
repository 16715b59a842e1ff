"""The exchange's private side: accounts, orders, and their matching against the book that the venue shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from producers.simulator.private.figures import EXACT, ceil_to, floor_to
from producers.simulator.private.money import Account, Permission, Treasury
from producers.simulator.private.orders import Fill, Order, RefusedError, Spot, Status, Wanted
from producers.simulator.private.shown import Levels, Shown
from producers.simulator.private.terms import check_terms

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_FIRST_ORDER: Final = 1000
_FIRST_FILL: Final = 500_000


class Exchange:
    """All accounts of one venue.

    `share` (0 to 1) is how much of what it could take a newly placed order takes at once, `listed_after_us` how late
    its executions are listed: both are for the next order only, and stand at 1 and 0 again after it.
    """

    def __init__(self, markets: Iterable[Spot]) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.accounts: dict[str, Account] = {}
        self.orders: dict[int, Order] = {}
        self.share, self.listed_after_us = _ONE, 0
        self._by_id: dict[int, Account] = {}
        self._treasury = Treasury()
        self._shown = {symbol: Shown() for symbol in self.markets}
        self._by_client_id: dict[tuple[int, str], Order] = {}
        self._open: dict[int, Order] = {}
        self._next_order, self._next_fill = _FIRST_ORDER, _FIRST_FILL
        self._countdowns: dict[tuple[int, str], int] = {}

    def add_account(
        self, key: str, secret: str, permissions: Iterable[Permission], balances: Mapping[str, Decimal]
    ) -> Account:
        """Open an account with a deposit; a key that is there already gets the new secret and permissions."""
        account = self.accounts.get(key)
        if account is None:
            account = self.accounts[key] = Account(len(self.accounts) + 1, key, secret, frozenset(permissions))
            self._by_id[account.id] = account
        account.secret, account.permissions = secret, frozenset(permissions)
        for currency, amount in balances.items():
            self._treasury.deposit(account, currency, amount)
        return account

    def find_account(self, key: str) -> Account | None:
        """Return the account of a key."""
        return self.accounts.get(key)

    def imbalance(self) -> dict[str, Decimal]:
        """Return by how much money was made or lost; {} while none was."""
        return self._treasury.imbalance(list(self.accounts.values()))

    def on_book(self, symbol: str, bids: Levels, asks: Levels, now_us: int) -> list[Order]:
        """Take a book as it is shown now; return the orders that it filled."""
        shown = self._shown[symbol]
        shown.show(bids, asks)
        waiting = [order for order in self._open.values() if order.symbol == symbol]
        waiting.sort(key=lambda order: order.price or _ZERO)  # stable: the oldest of a price first
        sells = [order for order in waiting if order.side == "sell"]
        buys = [order for order in waiting if order.side == "buy"]
        buys.sort(key=lambda order: order.price or _ZERO, reverse=True)
        return [order for order in (*buys, *sells) if self._take(order, now_us, is_maker=True)]

    def place(self, account: Account, wanted: Wanted, now_us: int) -> Order:
        """Take an order, fill what it meets, keep the rest where it is a limit; raises RefusedError."""
        share, self.share = self.share, _ONE
        late, self.listed_after_us = self.listed_after_us, 0
        market = self._check(account, wanted)
        order = self._new(account, wanted, now_us)
        currency, amount = self._needs(market, wanted)
        if amount > account.free[currency]:
            raise RefusedError("funds", f"{amount:f} {currency} are needed, {account.free[currency]:f} are free")
        account.hold(currency, amount)
        order.held_in, order.held = currency, amount
        self._next_order += 1
        self.orders[order.id] = self._open[order.id] = order
        if wanted.client_id is not None:
            self._by_client_id[account.id, wanted.client_id] = order
        self._take(order, now_us, is_maker=False, share=share, late_us=late)
        if order.status == "open" and (order.type == "market" or wanted.immediate):
            self._end(order, "filled" if order.cost is not None and order.fills else "cancelled", now_us)
        return order

    def cancel(self, account: Account, order_id: int, now_us: int) -> Order:
        """Cancel an open order; raises RefusedError where there is none."""
        order = self._open.get(order_id)
        if order is None or order.account_id != account.id:
            raise RefusedError("unknown_order", f"there is no open order {order_id}")
        self._end(order, "cancelled", now_us)
        return order

    def find(self, account: Account, *, order_id: int | None = None, client_id: str | None = None) -> Order | None:
        """Return an order of an account by either id, open or ended."""
        if client_id is not None:
            return self._by_client_id.get((account.id, client_id))
        order = None if order_id is None else self.orders.get(order_id)
        return order if order is not None and order.account_id == account.id else None

    def list_orders(self, account: Account, *, symbol: str | None = None, is_open: bool | None = None) -> list[Order]:
        """Return an account's orders, the oldest first."""
        return [
            order
            for order in (self._open if is_open else self.orders).values()
            if order.account_id == account.id
            and (symbol is None or order.symbol == symbol)
            and (is_open is None or (order.status == "open") == is_open)
        ]

    def list_fills(
        self, account: Account, now_us: int, *, symbol: str | None = None, order_id: int | None = None
    ) -> list[Fill]:
        """Return an account's executions that are listed by now, the oldest first."""
        fills = [
            fill
            for order in self.list_orders(account, symbol=symbol)
            if order_id is None or order.id == order_id
            for fill in order.fills
            if fill.listed_us <= now_us
        ]
        return sorted(fills, key=lambda fill: fill.id)

    @property
    def open_symbols(self) -> set[str]:
        """The markets in which orders wait: whose books are worth handing in."""
        return {order.symbol for order in self._open.values()}

    def count_down(self, account: Account, symbols: Iterable[str], until_us: int | None) -> None:
        """Cancel an account's orders of some markets at a time, unless another one is set before; None stops it."""
        for symbol in symbols:
            self._countdowns.pop((account.id, symbol), None)
            if until_us is not None:
                self._countdowns[account.id, symbol] = until_us

    def tick(self, now_us: int) -> list[Order]:
        """Carry out the countdowns that are due; return the orders that were cancelled."""
        due = {key for key, until in self._countdowns.items() if until <= now_us}
        cancelled = [order for order in self._open.values() if (order.account_id, order.symbol) in due]
        for key in due:
            del self._countdowns[key]
        for order in cancelled:
            self._end(order, "cancelled", now_us)
        return cancelled

    def _check(self, account: Account, wanted: Wanted) -> Spot:
        market = self.markets.get(wanted.symbol)
        if market is None:
            raise RefusedError("symbol", f"{wanted.symbol} is not traded")
        if wanted.client_id is not None and (account.id, wanted.client_id) in self._by_client_id:
            raise RefusedError("duplicate", f"client order id {wanted.client_id} already exists")
        shown = self._shown[wanted.symbol]
        check_terms(wanted, market)
        if wanted.type == "market" and shown.is_empty:
            raise RefusedError("no_book", f"{wanted.symbol} shows nothing")
        if wanted.post_only and next(shown.offers(wanted.side, wanted.price), None) is not None:
            raise RefusedError("would_take", "it would have been a taker")
        return market

    def _new(self, account: Account, wanted: Wanted, now_us: int) -> Order:
        return Order(
            id=self._next_order,
            account_id=account.id,
            client_id=wanted.client_id,
            symbol=wanted.symbol,
            side=wanted.side,
            type=wanted.type,
            amount=wanted.amount,
            cost=wanted.cost,
            price=wanted.price,
            post_only=wanted.post_only,
            created_us=now_us,
            changed_us=now_us,
        )

    def _needs(self, market: Spot, wanted: Wanted) -> tuple[str, Decimal]:
        """Return which currency an order holds, and how much, its fee included."""
        if wanted.side == "sell":
            return market.base, wanted.amount or _ZERO
        if wanted.cost is not None:
            return market.quote, wanted.cost  # its fee is within
        value = EXACT.multiply(wanted.amount or _ZERO, wanted.price or _ZERO)
        if wanted.price is None:
            value = self._value_of(wanted)
        fee = _ZERO if market.fee_in == "received" else market.highest_fee
        return market.quote, ceil_to(EXACT.multiply(value, EXACT.add(_ONE, fee)), market.fee_step)

    def _value_of(self, wanted: Wanted) -> Decimal:
        """Return what a market buy would cost now."""
        left, value = wanted.amount or _ZERO, _ZERO
        for price, amount in self._shown[wanted.symbol].offers(wanted.side, None):
            part = min(left, amount)
            value, left = EXACT.add(value, EXACT.multiply(price, part)), EXACT.subtract(left, part)
        return value

    def _take(self, order: Order, now_us: int, *, is_maker: bool, share: Decimal = _ONE, late_us: int = 0) -> bool:
        """Fill what an order meets; return whether that was anything."""
        market, shown = self.markets[order.symbol], self._shown[order.symbol]
        before = len(order.fills)
        most = None if share == _ONE else floor_to(EXACT.multiply(order.amount or _ZERO, share), market.amount_step)
        for price, offered in shown.offers(order.side, order.price):
            amount = min(offered, self._affordable(order, market, price))
            if most is not None:
                amount = min(amount, EXACT.subtract(most, order.filled))
            if amount <= 0:
                break
            shown.take(order.side, price, amount)
            at = order.price if is_maker and order.price is not None else price
            self._fill(order, amount, at, now_us, is_maker=is_maker, listed_us=now_us + late_us)
        if order.status == "open" and order.amount is not None and order.left <= 0:
            self._end(order, "filled", now_us)
        return len(order.fills) > before

    def _affordable(self, order: Order, market: Spot, price: Decimal) -> Decimal:
        """Return how much of an order can be filled at a price still."""
        if order.amount is not None:
            return order.left
        fee = _ZERO if market.fee_in == "received" else market.taker
        return floor_to(EXACT.divide(order.held, EXACT.multiply(price, EXACT.add(_ONE, fee))), market.amount_step)

    def _fill(
        self, order: Order, amount: Decimal, price: Decimal, now_us: int, *, is_maker: bool, listed_us: int
    ) -> None:
        market = self.markets[order.symbol]
        account = self._by_id[order.account_id]
        value = EXACT.multiply(amount, price)
        gives, gets = (value, amount) if order.side == "buy" else (amount, value)
        got_in = market.base if order.side == "buy" else market.quote
        fee_currency = market.quote if market.fee_in == "quote" else got_in
        of = value if fee_currency == market.quote else amount
        fee = floor_to(EXACT.multiply(of, market.maker if is_maker else market.taker), market.fee_step)
        paid = EXACT.add(gives, fee) if fee_currency == order.held_in else gives
        got = EXACT.subtract(gets, fee) if fee_currency == got_in else gets
        account.pay(order.held_in, paid)
        order.held = EXACT.subtract(order.held, paid)
        account.receive(got_in, got)
        treasury = self._treasury
        treasury.fees[fee_currency] = EXACT.add(treasury.fees[fee_currency], fee)
        treasury.others[order.held_in] = EXACT.add(treasury.others[order.held_in], gives)
        treasury.others[got_in] = EXACT.subtract(treasury.others[got_in], gets)
        self._next_fill += 1
        order.fills.append(
            Fill(self._next_fill, order.id, order.symbol, order.side, amount, price, fee, fee_currency, is_maker,
                 now_us, listed_us)
        )  # fmt: skip
        order.changed_us = now_us

    def _end(self, order: Order, status: Status, now_us: int) -> None:
        account = self._by_id[order.account_id]
        account.hold(order.held_in, -order.held)
        order.held, order.changed_us, order.status = _ZERO, now_us, status
        del self._open[order.id]
