"""What owners ask for: strategies made, shown, paused, resumed and stopped, and signals for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from consumers.strategies import signals
from consumers.strategies.at_work import AtWork, waits_for
from consumers.strategies.describing import changed, describe
from consumers.strategies.inbox import Inbox
from consumers.strategies.kept import Kept
from consumers.strategies.publishing import publish_signalled
from consumers.strategies.store import StrategyStore
from contracts.errors import (
    ConflictError,
    DisabledError,
    InvalidParameterError,
    LimitReachedError,
    NotFoundError,
    SymbolSyntaxError,
)
from contracts.instrument import split_symbol
from contracts.services.changes import audit_of, hash_of
from contracts.services.responses import pages_of
from contracts.services.trading import strategies as words
from contracts.services.trading.accounts import AccountInfo, AccountList, ListAccounts
from contracts.services.trading.events import OrderChanged
from contracts.services.trading.orders import FindOrder, OrderInfo
from contracts.services.trading.strategy_events import StrategySignalled
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.credentials import belonging_of, make_vault, open_text, seal_text
from runtime.nats.audit import publish_audit
from runtime.nats.bus import Bus
from runtime.strategies import running as steps
from runtime.strategies.orders import FINAL
from runtime.strategies.running import Definition, Running, dump

SERVICE: Final = "strategies"
_ID_BYTES: Final = 8
_UNKNOWN_ACCOUNT: Final = "0" * 16  # in place of an id that only the events of trading have


@dataclass(frozen=True, slots=True)
class Means:
    """What the commands need; `secrets` reads what can be sealed with now."""

    bus: Bus
    client: CommandClient
    store: StrategyStore
    at_work: AtWork
    inbox: Inbox
    secrets: Callable[[], Sequence[str]]


class Owners:
    """The commands of owners."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def create(self, request: words.CreateStrategy) -> words.StrategyShown:
        """Make a strategy and let it run; the same request makes one."""
        means, asked = self._means, hash_of(request, "caller", "request_key")
        if request.request_key is not None:
            known = await means.store.find_request(request.owner, request.request_key)
            if known is not None:
                return _known(known, asked)
        _check_symbol(request.symbol)
        account = await self._account(request.owner, request.account)
        if await means.store.count_at_work(request.owner) >= words.MOST_STRATEGIES:
            raise LimitReachedError("There are as many strategies as there may be", maximum=words.MOST_STRATEGIES)
        kept, secret = self._new(request, account, asked)
        definition = _defined(means.at_work, kept)
        await self._check_order(kept, definition)
        running = steps.begin(definition)
        state, control = dump(running)
        kept = kept.beginning(state, control, means.inbox.place)
        kept = kept.with_changes([changed(kept, running, kept.created_ns).model_dump_json()])
        await self._audit("create", kept.id, request, kind=kept.kind, symbol=kept.symbol)
        await means.store.insert(kept, running)
        runner = await means.at_work.start(kept, definition, running)
        if (order := await self._order(kept, definition)) is not None and order.status in FINAL:
            runner.put(order)
        return words.StrategyShown(**describe(kept, running).model_dump(), signal_secret=secret)

    async def list_strategies(self, query: words.ListStrategies) -> words.StrategyPage:
        """Return one page of an owner's strategies."""
        found, total = await self._means.store.list_strategies(query)
        return words.StrategyPage(
            items=[self._describe(kept) for kept in found],
            total=total,
            page=query.page,
            page_size=query.page_size,
            pages=pages_of(total, query.page_size),
        )

    async def find(self, query: words.FindStrategy) -> words.StrategyInfo:
        """Return a strategy."""
        return self._describe(await self.found(query))

    async def pause(self, request: words.ChangeStrategy) -> words.StrategyInfo:
        """Pause a strategy: its orders stay, and are followed."""
        return await self._change(
            "pause", request, lambda running: steps.pause(running, "its owner paused it", "owner")
        )

    async def resume(self, request: words.ChangeStrategy) -> words.StrategyInfo:
        """Let a strategy go on."""
        kept = await self.found(request)
        runner = self._means.at_work.find(kept.id)
        if runner is None or runner.running.control.status in {"stopped", "done"}:
            raise ConflictError("The strategy has ended, or cannot be run: make a new one", id=kept.id)
        definition = runner.definition
        return await self._change("resume", request, lambda running: steps.resume(definition, running, clock.now_ns()))

    async def stop(self, request: words.ChangeStrategy) -> words.StrategyInfo:
        """End a strategy; its orders are cancelled."""
        return await self._change("stop", request, lambda running: steps.stop(running, "its owner stopped it", "owner"))

    async def signal(self, signal: words.TakeSignal) -> words.SignalTaken:
        """Take a signed signal, once; the strategy sees it in the order of its other events."""
        means, strategy_id = self._means, signals.strategy_of(signal)
        kept = await means.store.find_id(strategy_id)
        if kept is None:
            raise NotFoundError(f"There is no strategy {strategy_id}", id=strategy_id)
        vault = make_vault(means.secrets())
        if vault is None or kept.secret is None:
            raise DisabledError("Signals need a secret to be sealed with", setting="APP_SECRET_KEY")
        secret = open_text(vault, kept.secret, belonging_of(kept.owner, kept.id, words.SIGNALS))
        signals.check(signal, secret, clock.now_ns())
        if self._running_of(kept).control.status != "running":
            raise ConflictError("The strategy is not running", id=kept.id)
        await means.store.check_signal(kept.id, signal.id)
        event = StrategySignalled(
            id=f"{kept.id}.signal.{signal.id}",
            ts=clock.now_ns(),
            strategy=kept.id,
            owner=kept.owner,
            account=kept.account,
            symbol=kept.symbol,
            body=signal.body,
        )
        await publish_signalled(means.bus, event)  # one that is published again is dropped by its id
        await means.store.take_signal(kept.id, signal.id, clock.now_ns())
        return words.SignalTaken(id=signal.id, strategy=kept.id)

    async def found(self, query: words.FindStrategy) -> Kept:
        """Return a strategy of an owner; NotFoundError where there is none."""
        kept = await self._means.store.find(query.owner, query.id)
        if kept is None:
            raise NotFoundError(f"There is no strategy {query.id}", id=query.id)
        return kept

    def _describe(self, kept: Kept) -> words.StrategyInfo:
        return describe(kept, self._running_of(kept))

    def _running_of(self, kept: Kept) -> Running:
        runner = self._means.at_work.find(kept.id)
        return kept.glance() if runner is None else runner.running

    async def _change(
        self, action: str, request: words.ChangeStrategy, change: Callable[[Running], Running]
    ) -> words.StrategyInfo:
        kept = await self.found(request)
        runner = self._means.at_work.find(kept.id)
        if runner is None:
            if kept.glance().is_finished:
                return self._describe(kept)
            raise ConflictError("The strategy cannot be run any more", id=kept.id)
        await self._audit(action, kept.id, request)
        return describe(kept, await runner.change(change))

    def _new(self, request: words.CreateStrategy, account: AccountInfo, asked: str) -> tuple[Kept, Any]:
        """Return a new strategy, and its secret as the one who made it gets it."""
        strategy_id, vault = secrets.token_hex(_ID_BYTES), make_vault(self._means.secrets())
        whose = belonging_of(request.owner, strategy_id, words.SIGNALS)
        secret = None if vault is None else seal_text(vault, signals.make_secret(), whose)
        kept = Kept(
            id=strategy_id,
            owner=request.owner,
            account=request.account,
            venue=account.venue,
            exchange=account.exchange,
            kind=request.kind,
            symbol=request.symbol,
            params=request.params,
            accept_fallback=request.accept_fallback,
            created_ns=clock.now_ns(),
            request_key=request.request_key,
            request_hash=asked,
            secret=secret,
            state="",
            control="",
        )
        return kept, secret

    async def _account(self, owner: str, name: str) -> AccountInfo:
        query = ListAccounts(owner=owner)
        found = await self._means.client.request("trading.list_accounts", query, AccountList)
        account = next((one for one in found.items if one.name == name), None)
        if account is None:
            raise NotFoundError(f"There is no account {name}", name=name)
        return account

    async def _check_order(self, kept: Kept, definition: Definition) -> None:
        """Raise where a strategy is to be over an order that is no buy of its instrument."""
        order_id = waits_for(definition)
        if order_id is None:
            return
        order = await self._found_order(kept, order_id)
        if (order.side, order.symbol, order.account) != ("buy", kept.symbol, kept.account):
            raise InvalidParameterError(
                f"The order is no buy of {kept.symbol} on {kept.account}", parameter="params.order_id"
            )

    async def _found_order(self, kept: Kept, order_id: str) -> OrderInfo:
        query = FindOrder(owner=kept.owner, id=order_id)
        return await self._means.client.request("trading.find_order", query, OrderInfo)

    async def _order(self, kept: Kept, definition: Definition) -> OrderChanged | None:
        """Return the order that a strategy waits for, as an event: it may have ended before anybody looked."""
        order_id = waits_for(definition)
        if order_id is None:
            return None
        order = await self._found_order(kept, order_id)
        fields = order.model_dump(include={"client_id", "symbol", "side", "type", "status", "amount", "filled"})
        return OrderChanged(
            **fields,
            id=f"{order.id}.found",
            ts=clock.now_ns(),
            account=_UNKNOWN_ACCOUNT,
            owner=kept.owner,
            venue=kept.venue,
            order_id=order.id,
            number=1,
            price=order.price,
            average_price=order.average_price,
            reason=order.reason,
            error=order.error,
            strategy=None,
        )

    async def _audit(self, action: str, strategy_id: str, request: Any, **details: str) -> None:
        event = audit_of((SERVICE, action, strategy_id), request.caller, clock.now_ns(), dict(details))
        await publish_audit(self._means.bus, event)


def _known(kept: Kept, asked: str) -> words.StrategyShown:
    if kept.request_hash != asked:
        raise ConflictError("The request has made another strategy", id=kept.id)
    return words.StrategyShown(**describe(kept, kept.glance()).model_dump(), signal_secret=None)


def _check_symbol(symbol: str) -> None:
    try:
        _, _, settle, _ = split_symbol(symbol)
    except SymbolSyntaxError as error:
        raise InvalidParameterError(error.message, parameter="symbol") from None
    if settle is not None:
        raise InvalidParameterError("Strategies trade spot only", parameter="symbol")


def _defined(at_work: AtWork, kept: Kept) -> Definition:
    """Return what a new strategy is; InvalidParameterError names what of its params does not fit."""
    try:
        return at_work.definition_of(kept)
    except ValidationError as error:
        raise _fault_of(error) from None


def _fault_of(error: ValidationError) -> InvalidParameterError:
    fault = error.errors(include_url=False)[0]
    parameter = ".".join(("params", *map(str, fault["loc"])))
    return InvalidParameterError(fault["msg"].removeprefix("Value error, "), parameter=parameter)
