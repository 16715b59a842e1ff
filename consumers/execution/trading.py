"""What owners ask for: accounts, previews, orders, cancels, and the switch that stops all of it."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from decimal import Decimal
from functools import reduce
from typing import Final

from consumers.execution.account import Account, describe
from consumers.execution.documents.accounts import AccountStore
from consumers.execution.documents.queries import OrderQueries
from consumers.execution.links.tokens import UserTokens
from consumers.execution.opened import Opened, OpenedAccounts
from consumers.execution.ports import UnclearError
from consumers.execution.safety.permits import Permits
from contracts.arithmetic.exact import EXACT, FINE, rounded
from contracts.arithmetic.moments import as_datetime
from contracts.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidParameterError,
    LimitReachedError,
    NoDataError,
    NotFoundError,
)
from contracts.services.access import Caller
from contracts.services.audit import AuditEvent
from contracts.services.trading import accounts as words
from contracts.services.trading.orders import CancelOrder, CreateOrder, FindOrder, OrderInfo, OrderTerms, Preview
from runtime import clock
from runtime.store import Store
from runtime.trading.order import Order
from runtime.trading.order_events import order_id_of
from runtime.trading.rules import Figures, fit

SERVICE: Final = "trading"
_ID_BYTES: Final = 8
_MOST_UNKEPT: Final = 1000  # events of changes that were made while documents were away; the oldest go
_ZERO: Final = Decimal(0)


class Trading:
    """The accounts of all owners, while this process acts for them."""

    def __init__(self, store: Store, opened: OpenedAccounts, permits: Permits, tokens: UserTokens) -> None:
        self.accounts, self.queries = AccountStore(store), OrderQueries(store)
        self.opened, self.permits, self._tokens = opened, permits, tokens
        self._unkept: deque[AuditEvent] = deque(maxlen=_MOST_UNKEPT)

    async def create_account(self, request: words.CreateAccount) -> words.AccountInfo:
        """Make an account; the key of one at an exchange is tried there first.

        InvalidParameterError says what is wrong with a key; UnclearError where the exchange gives no clear answer.
        """
        if len(await self.accounts.list_accounts(request.owner)) >= words.MOST_ACCOUNTS:
            raise LimitReachedError(f"An owner has at most {words.MOST_ACCOUNTS} accounts", maximum=words.MOST_ACCOUNTS)
        if await self.accounts.find(request.owner, request.name) is not None:
            raise AlreadyExistsError(f"There is an account {request.name} already", name=request.name)
        account = Account(
            id=secrets.token_hex(_ID_BYTES),
            owner=request.owner,
            name=request.name,
            venue=request.venue,
            exchange=request.exchange or request.venue,
            balance=request.balance or {},
            limits=request.limits,
            created_ns=clock.now_ns(),
        )
        if request.credential is not None:
            await self.opened.check(account, request.credential)
        await self.audit("create_account", account.id, request.caller, owner=request.owner, venue=account.venue)
        await self.accounts.create(account, request.credential)
        return await self._describe(account)

    async def list_accounts(self, request: words.ListAccounts) -> words.AccountList:
        """Return an owner's accounts with what is in them."""
        items = [await self._describe(account) for account in await self.accounts.list_accounts(request.owner)]
        return words.AccountList(items=items, halted=await self.permits.switches.is_halted(request.owner))

    async def delete_account(self, request: words.DeleteAccount) -> words.AccountInfo:
        """Take an account away; ConflictError where orders of it are not finished."""
        account = await self.account(request.owner, request.name)
        shown = await self._describe(account)
        await self.close_account(account, request.caller, "delete_account")
        return shown

    async def close_account(self, account: Account, caller: Caller, action: str) -> int:
        """Take an account away, its sealed key and its tokens with it; returns how many of these held.

        ConflictError where orders of it are not finished.
        """
        opened = await self.opened.open(account)
        async with opened.closing():
            await self.audit(action, account.id, caller, owner=account.owner)
            ended = await self._tokens.end(account)
            await self.accounts.delete(account.id)
            await self.opened.forget(account.id)
            return ended

    async def preview(self, request: OrderTerms) -> Preview:
        """Return what an order would come to by the book of now."""
        opened, order = await self._order(request, "preview")
        taken = await opened.venue.look(order)
        amount = reduce(EXACT.add, (one.amount for one in taken), _ZERO)
        value = reduce(EXACT.add, (EXACT.multiply(one.price, one.amount) for one in taken), _ZERO)
        left = EXACT.subtract(order.amount, amount)
        rules, fees = await opened.venue.rules(order.symbol), opened.venue.fees
        if order.price is None and left > 0:  # the book shows too little of it
            return Preview(amount=order.amount, price=None, fee=None, fee_currency=rules.quote, total=None)
        resting = EXACT.multiply(left, order.price or _ZERO)
        fee = EXACT.add(EXACT.multiply(value, fees.taker), EXACT.multiply(resting, fees.maker))
        whole = EXACT.add(value, resting)
        return Preview(
            amount=order.amount,
            price=rounded(FINE.divide(value, amount)) if order.price is None else order.price,
            fee=rounded(fee),
            fee_currency=rules.quote,
            total=rounded(EXACT.add(whole, fee) if order.side == "buy" else EXACT.subtract(whole, fee)),
        )

    async def create_order(self, request: CreateOrder) -> OrderInfo:
        """Place an order, once for a client id; ConflictError where it names another order already."""
        client_id = request.client_id or secrets.token_hex(_ID_BYTES)
        opened, order = await self._order(request, client_id, request.strategy)
        known = await opened.journal.find_client_id(order.client_id)
        if known is not None and _terms(known) != _terms(order):
            raise ConflictError("The client_id names another order", client_id=order.client_id)
        return describe(await opened.submit(order), opened.account.name)

    async def cancel_order(self, request: CancelOrder) -> OrderInfo:
        """Cancel an order as far as can be said now."""
        order = await self.find_order(request)
        account = await self.accounts.find_id(order.account)
        if account is None:
            raise NotFoundError(f"There is no order {request.id}", id=request.id)
        if order.strategy is None:  # what a strategy takes back makes nothing worse
            await self._tokens.check(account, request.token)
        opened = await self.opened.open(account)
        return describe(await opened.cancel(order), account.name)

    async def find_order(self, request: FindOrder) -> Order:
        """Return an order of an owner; NotFoundError where there is none."""
        order = await self.queries.find(request.owner, request.id)
        if order is None:
            raise NotFoundError(f"There is no order {request.id}", id=request.id)
        return order

    async def cancel_all(self, owner: str) -> words.Killed:
        """Cancel all that is open in an owner's accounts."""
        ended: list[Order] = []
        for account in await self.accounts.list_accounts(owner):
            opened = await self.opened.open(account)
            unfinished = [order for order in await opened.journal.list_unfinished() if not order.is_final]
            ended += await asyncio.gather(*(opened.cancel(order) for order in unfinished))
        return words.Killed(
            cancelled=[order.id for order in ended if order.is_final],
            waiting=[order.id for order in ended if not order.is_final],
        )

    async def resume(self, request: words.Resume) -> words.Resumed:
        """Let an owner's trading go on."""
        await self.audit("resume", request.owner, request.caller)
        await self.permits.resume(request.owner, clock.now_ns())
        return words.Resumed(halted=False)

    async def account_id(self, owner: str, name: str | None) -> str | None:
        """Return the id of an owner's account; None where none is named. NotFoundError where there is none."""
        return None if name is None else (await self.account(owner, name)).id

    async def _order(self, terms: OrderTerms, client_id: str, strategy: str | None = None) -> tuple[Opened, Order]:
        """Return the order of some terms in the venue's steps; refuses what cannot be placed."""
        account = await self.account(terms.owner, terms.account)
        if terms.paper_only and account.venue != words.PAPER:
            raise InvalidParameterError(f"{account.name} is no paper account", parameter="account")
        await self._tokens.check(account, terms.token, strategy)
        opened = await self.opened.open(account)
        rules = await opened.venue.rules(terms.symbol)
        await self.opened.watch(opened, terms.symbol)
        price = opened.venue.price(terms.symbol)
        if price is None:
            raise NoDataError(f"There is no live book of {terms.symbol} on {account.exchange}", symbol=terms.symbol)
        figures = fit(Figures(terms.side, terms.amount, terms.price), rules, price)
        order = Order(
            id=order_id_of(account.id, client_id),
            client_id=client_id,
            account=account.id,
            owner=account.owner,
            venue=account.venue,
            symbol=terms.symbol,
            side=terms.side,
            type=terms.type,
            amount=figures.amount,
            price=figures.price,
            post_only=terms.post_only,
            reduce_only=terms.reduce_only,
            strategy=strategy,
            created_ns=clock.now_ns(),
        )
        return opened, order

    async def account(self, owner: str, name: str) -> Account:
        """Return an owner's account; NotFoundError where there is none."""
        account = await self.accounts.find(owner, name)
        if account is None:
            raise NotFoundError(f"There is no account {name}", name=name)
        return account

    async def _describe(self, account: Account) -> words.AccountInfo:
        opened = await self.opened.open(account)
        problem, found = None, list[words.Balance]()
        try:
            for currency, free, held in await opened.venue.balances():
                found.append(words.Balance(currency=currency, free=free, held=held))
        except UnclearError as error:
            problem = str(error)
        return words.AccountInfo(
            id=account.id,
            name=account.name,
            venue=account.venue,
            exchange=account.exchange,
            balances=found,
            problem=problem,
            limits=account.limits,
            created_at=as_datetime(account.created_ns),
        )

    async def audit(self, action: str, target: str, caller: Caller, **details: str) -> None:
        """Keep the event of a change before it is made; it is published soon."""
        await self.accounts.save_audit(_event(action, target, caller, **details))

    def audit_later(self, action: str, target: str, caller: Caller) -> None:
        """Remember the event of a change that was made while documents were away."""
        self._unkept.append(_event(action, target, caller))

    async def keep_audit(self) -> None:
        """Keep what was remembered; StoreError where documents are away still."""
        while self._unkept:
            await self.accounts.save_audit(self._unkept[0])
            self._unkept.popleft()


def _event(action: str, target: str, caller: Caller, **details: str) -> AuditEvent:
    now_ns = clock.now_ns()
    return AuditEvent(
        id=f"{SERVICE}.{target}.{action}.{now_ns}",
        ts=now_ns,
        actor=caller.actor,
        service=SERVICE,
        action=action,
        target=target,
        address=caller.address,
        request_id=caller.request_id,
        details=dict(details),
    )


def _terms(order: Order) -> tuple[object, ...]:
    return order.symbol, order.side, order.type, order.amount, order.price, order.post_only, order.reduce_only
