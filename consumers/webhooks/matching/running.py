"""Runs the matcher and the reconciler for as long as this process has the lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from consumers.webhooks.delivery.rules import SECOND_NS, DigestRules
from consumers.webhooks.delivery.sending import Endpoints, Sending
from consumers.webhooks.matching.matcher import Matcher
from consumers.webhooks.matching.reading import STREAMS, StreamRow
from consumers.webhooks.matching.reconciler import Reconciler, States
from consumers.webhooks.matching.subscribers import Subscribers
from consumers.webhooks.payloads.facts import Sources
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.registry.sealing import UnsealableError
from contracts import subjects
from contracts.arithmetic.usd import UsdRates
from contracts.subjects import ALL_WEBHOOKS_CHANGED, WEBHOOK_CHANGED
from runtime import clock
from runtime.app.fold import Fault, fold_each
from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import Watchers, read_event
from runtime.store import StoreError

_log = structlog.get_logger("webhooks")
_DOLLAR_TICKERS: Final = subjects.TICKER + "*.*.USD.spot"


class EndpointSource(Endpoints, States, Protocol):
    """Where the endpoints are kept."""

    def every(self) -> AsyncIterator[Endpoint]:
        """Give the endpoints of every owner."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingPlan:
    """What is read, and seconds between writes, looks at notices, and looks at everything that waits."""

    digests: DigestRules = field(default_factory=DigestRules)
    reading: tuple[StreamRow, ...] = STREAMS
    public_url: str = ""
    tick_seconds: float = 0.02
    notice_seconds: float = 1.0
    reconcile_seconds: float = 5.0


class Matching:
    """The endpoints in memory, the matcher and the reconciler, on one bus."""

    def __init__(self, service: Service, sending: Sending, source: EndpointSource, plan: MatchingPlan) -> None:
        self._service, self._sending, self._source, self._plan = service, sending, source, plan
        self._rates = UsdRates()
        rules = sending.rules
        self.subscribers = Subscribers(int(rules.keep_waiting * SECOND_NS))
        self.matcher = Matcher(
            sending.events,
            sending.queue,
            self.subscribers,
            digests=plan.digests,
            sources=Sources(self._rates, plan.public_url),
        )
        self._reconciler = Reconciler(
            sending.events, sending.queue, self.matcher, subscribers=self.subscribers, states=source
        )
        self._changed: set[str] = set()
        self._all_changed = False

    async def run(self, *failing: asyncio.Future[Any]) -> None:
        """Match until the service is stopped; what fails ends it."""
        bus = self._service.bus
        async with AsyncExitStack() as stack:
            changes = await bus.client.subscribe(ALL_WEBHOOKS_CHANGED, cb=self._on_changed)
            stack.push_async_callback(self._unsubscribe, changes)
            stack.callback(bus.listen_reconnect(self._on_reconnect))
            async for endpoint in self._source.every():
                self.subscribers.put(endpoint)
            reader = LaneReader(bus, Watchers(self._sending.letters.keep, _on_gap))
            stack.push_async_callback(reader.close)
            await reader.subscribe(_DOLLAR_TICKERS, read_event, partial(_on_tickers, self._rates))
            await self.matcher.open(bus, reader, self._plan.reading)
            self._service.ready()
            await self._tick(reader.failed, *failing)
        await self.matcher.write()

    async def _tick(self, *failing: asyncio.Future[Any]) -> None:
        plan = self._plan
        noticed = reconciled = float("-inf")
        async for _ in ticks(self._service.stop, plan.tick_seconds, *failing):
            await self._renew()
            await self.matcher.write()
            now = clock.monotonic()
            if now - noticed >= plan.notice_seconds:
                noticed = now
                await self._reconcile(now - reconciled >= plan.reconcile_seconds)
                reconciled = now if now - reconciled >= plan.reconcile_seconds else reconciled
                self._report()

    async def _reconcile(self, everything: bool) -> None:  # noqa: FBT001  # a tick's
        sending = self._sending
        try:
            await self._reconciler.carry_out(sending.now_ns)
            if everything and (late := await self._reconciler.queue_waiting(sending.now_ns(), sending.rules)):
                _log.info("webhooks.queued_again", endpoints=late)
        except (StoreError, NatsError) as error:  # the next look makes up for it
            _log.warning("webhooks.behind", error=f"{type(error).__name__}: {error}"[:300])

    async def renew(self, endpoint_id: str) -> None:
        """Read an endpoint again: whatever is matched from now on is matched with it as it is."""
        self._changed.add(endpoint_id)
        await self._renew()

    async def _renew(self) -> None:
        """Read again what has changed."""
        if self._all_changed:
            self._all_changed = False
            self._changed.update(self.subscribers.ids())
        while self._changed:
            endpoint_id = self._changed.pop()
            before = self.subscribers.find(endpoint_id)
            try:
                endpoint = await self._source.find(endpoint_id)
            except UnsealableError as error:
                _log.error("webhooks.unsealable", endpoint=endpoint_id, error=str(error))  # says it all
                continue
            if endpoint is None:
                self.subscribers.remove(endpoint_id)
                continue
            self.subscribers.put(endpoint)
            if before is not None and before.state != "active" and endpoint.state == "active":
                await self._reconciler.resume(endpoint_id, self._sending.now_ns())

    async def _on_changed(self, message: Msg) -> None:
        self._changed.add(message.subject.removeprefix(WEBHOOK_CHANGED))

    def _on_reconnect(self) -> None:
        self._all_changed = True

    async def _unsubscribe(self, changes: Any) -> None:
        if self._service.bus.connected:
            await changes.unsubscribe()

    def _report(self) -> None:
        report = self._service.report
        report("matched", self.matcher.matched)
        report("coalesced", self.matcher.coalesced)
        for state, count in self.subscribers.count_states().items():
            report(f"endpoints.{state}", count)


def _on_tickers(rates: UsdRates, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
    def on_ticker(_subject: str, ticker: Any) -> None:
        if ticker.last is not None:
            base, _, quote = ticker.symbol.partition("/")
            rates.on_price(base, quote, ticker.last, ticker.ts_recv)

    return fold_each(batch, on_ticker)


def _on_gap(messages: int) -> None:
    _log.warning("webhooks.missed", messages=messages)
