"""Changes price alerts on command, one change at a time: in documents first, then among the rules at work."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from nats.errors import Error as NatsError

from consumers.alerts import rules
from consumers.alerts.core import PriceWatch
from consumers.alerts.reading import PriceReader, find_end
from consumers.alerts.rules import Here, Resolved
from consumers.alerts.store import AlertStore, StaleHolderError, dump
from consumers.alerts.watching import Watchlist
from contracts import streams
from contracts.errors import NotReadyError
from contracts.instrument import VENUE_ALIASES
from contracts.services.alerts import (
    AlertPage,
    CreateAlert,
    DeleteAlert,
    Deleted,
    FindAlert,
    ListAlerts,
    PriceAlert,
    SnoozeAlert,
    UpdateAlert,
)
from contracts.services.market import SymbolsQuery
from contracts.services.replies.multi import SymbolEntry, SymbolsReply
from contracts.services.responses import pages_of
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError
from runtime.store import StoreError

_log = structlog.get_logger("alerts")
PRICES: Final = streams.MARKET


@asynccontextmanager
async def reachable() -> AsyncGenerator[None]:
    """Raise NotReadyError where the document store or the bus fails, or another process does this by now."""
    try:
        yield
    except StoreError as error:
        _log.warning("alerts.store_failed", error=str(error))
        raise NotReadyError("The store of alerts is not available", waiting_for=["document store"]) from None
    except StaleHolderError as error:
        _log.warning("alerts.replaced", error=str(error))
        raise NotReadyError("Another process keeps the alerts by now", waiting_for=["alerts"]) from None
    except (NatsError, ApiRefusalError, NoAnswerError) as error:
        _log.warning("alerts.bus_failed", error=str(error) or type(error).__name__)
        raise NotReadyError("The bus is not available", waiting_for=["bus"]) from None


class Symbols:
    """What a symbol means, as the market core says."""

    def __init__(self, bus: Bus) -> None:
        self._commands = CommandClient(bus)

    async def entries(self, symbol: str, exchange: str | None) -> list[SymbolEntry]:
        """Return the listed symbols that are meant; raises the error that the core replies with."""
        query = SymbolsQuery(symbol=symbol, exchange=exchange, listed=True)
        return (await self._commands.request("market.symbols", query, SymbolsReply)).symbols

    async def resolve(self, symbol: str, exchange: str | None) -> Resolved:
        """Return the market that a price alert looks at."""
        venue = None if exchange is None else VENUE_ALIASES.get(exchange.lower(), exchange.lower())
        return rules.resolve(symbol, await self.entries(symbol, venue), venue)


class AlertChanges:
    """The one who changes price alerts; those that are finished are kept beside those at work."""

    def __init__(self, bus: Bus, store: AlertStore, watchlist: Watchlist, reader: PriceReader) -> None:
        self._bus, self._store, self._watchlist, self._reader = bus, store, watchlist, reader
        self._symbols = Symbols(bus)
        self._finished: dict[str, PriceWatch] = {}
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Take every rule from the documents."""
        now_ns = clock.now_ns()
        kept = [pair async for pair in self._store.every()]
        finished = {rule.id for rule, state in kept if rules.is_finished(PriceWatch(rule, state), now_ns)}
        self._finished = {rule.id: PriceWatch(rule, state) for rule, state in kept if rule.id in finished}
        self._watchlist.load(pair for pair in kept if pair[0].id not in finished)

    def find(self, rule_id: str) -> PriceWatch | None:
        """Return a rule, at work or finished."""
        return self._watchlist.find(rule_id) or self._finished.get(rule_id)

    async def create(self, request: CreateAlert) -> PriceAlert:
        """Make an alert; LimitReachedError where the owner has as many as may be."""
        resolved = await self._symbols.resolve(request.rule.symbol, request.rule.exchange)
        async with self._lock, reachable():
            rule_id = rules.id_of(request, secrets.token_hex(rules.ID_BYTES))
            known = self.find(rule_id)
            if known is not None:
                return rules.describe(rules.again(known, request), clock.now_ns())
            rules.check_limit(sum(watch.rule.owner == request.owner for watch in self._watchlist))
            watch = rules.create(request, rule_id, resolved, await self._here())
            self._watchlist.add(watch)
            try:
                await self._store.add(self._watchlist.state_of(rule_id), clock.now_ns())
            except StoreError:
                self._watchlist.remove(rule_id)
                raise
            await self._reader.ensure()
            return rules.describe(watch, clock.now_ns())

    async def update(self, request: UpdateAlert) -> PriceAlert:
        """Change an alert; it can fire again where its condition or figures are others."""
        async with self._lock, reachable():
            known = rules.found(self.find(request.id), request.id, request.owner)
            at_work = self._watchlist.find(request.id) is not None
            here = await self._here()
            changed = rules.update(rules.copied(known), request, here)
            revives = not at_work and not rules.is_finished(changed, here.now_ns)
            if revives:
                rules.check_limit(sum(watch.rule.owner == request.owner for watch in self._watchlist))
            await self._put(changed, at_work=at_work, revives=revives)
            return rules.describe(changed, clock.now_ns())

    async def snooze(self, request: SnoozeAlert) -> PriceAlert:
        """Silence an alert for a while."""
        async with self._lock, reachable():
            known = rules.found(self.find(request.id), request.id, request.owner)
            changed = rules.snooze(known, request.seconds, clock.now_ns())
            at_work = self._watchlist.find(request.id) is not None
            await self._put(changed, at_work=at_work, revives=False)
            return rules.describe(changed, clock.now_ns())

    async def delete(self, request: DeleteAlert) -> Deleted:
        """Take an alert away; what it fired stays."""
        async with self._lock, reachable():
            rules.found(self.find(request.id), request.id, request.owner)
            await self._store.delete(request.id)
            self._watchlist.remove(request.id)
            self._finished.pop(request.id, None)
            return Deleted(id=request.id)

    async def show(self, request: FindAlert) -> PriceAlert:
        """Return one alert of an owner."""
        return rules.describe(rules.found(self.find(request.id), request.id, request.owner), clock.now_ns())

    async def list(self, query: ListAlerts) -> AlertPage:
        """Return a page of an owner's alerts, the newest first."""
        now_ns = clock.now_ns()
        symbols = None
        if query.symbol is not None:
            symbols = {entry.symbol for entry in await self._symbols.entries(query.symbol, None)}
        fitting = [
            watch
            for watch in (*self._watchlist, *self._finished.values())
            if watch.rule.owner == query.owner
            and (symbols is None or watch.rule.symbol in symbols)
            and (query.state is None or rules.shown_state(watch, now_ns) == query.state)
        ]
        fitting.sort(key=lambda watch: (-watch.rule.created_ns, watch.rule.id))
        start = (query.page - 1) * query.page_size
        return AlertPage(
            items=[rules.describe(watch, now_ns) for watch in fitting[start : start + query.page_size]],
            total=len(fitting),
            page=query.page,
            page_size=query.page_size,
            pages=pages_of(len(fitting), query.page_size),
        )

    async def keep(self) -> None:
        """Save every state and how far the prices were read; put aside what is finished, drop what is long over."""
        async with self._lock:
            now_ns = clock.now_ns()
            seq, seq_ns = self._watchlist.seq, self._watchlist.seq_ns
            states = [dump(watch) for watch in self._watchlist.states()]
            await self._store.save_states(states)
            await self._store.save_silences(PRICES, seq, seq_ns, "{}")
            for watch in [watch for watch in self._watchlist if rules.is_finished(watch, now_ns)]:
                await self._store.save_states([dump(watch)])
                self._watchlist.remove(watch.rule.id)
                self._finished[watch.rule.id] = watch
            for watch in list(self._finished.values()):
                if watch.rule.updated_ns < now_ns - rules.FINISHED_KEPT_NS and not _fired_since(watch, now_ns):
                    await self._store.delete(watch.rule.id)
                    del self._finished[watch.rule.id]

    async def _here(self) -> Here:
        seq, seq_ns = await find_end(self._bus, PRICES)
        if not self._reader.is_open:
            self._watchlist.on_read(seq, seq_ns)
        return Here(clock.now_ns(), seq)

    async def _put(self, watch: PriceWatch, *, at_work: bool, revives: bool) -> None:
        if at_work:
            self._watchlist.put(watch)
            watch = self._watchlist.state_of(watch.rule.id)
        elif revives:
            self._finished.pop(watch.rule.id)
            self._watchlist.add(watch)
            watch = self._watchlist.state_of(watch.rule.id)
            await self._reader.ensure()
        else:
            self._finished[watch.rule.id] = watch
        await self._store.save(watch, clock.now_ns())


def _fired_since(watch: PriceWatch, now_ns: int) -> bool:
    return (watch.state.spoke or 0) >= now_ns - rules.FINISHED_KEPT_NS
