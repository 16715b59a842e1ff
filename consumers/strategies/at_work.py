"""Every strategy at work in this process: started where it was, handed what it is to see, kept as it goes on."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from typing import Final

import structlog
from pydantic import ValidationError

from consumers.strategies.describing import changed
from consumers.strategies.inbox import Place, Seen
from consumers.strategies.kept import Kept
from consumers.strategies.markets import Markets
from consumers.strategies.publishing import publish_changed, publish_decided
from consumers.strategies.runner import Acting, Runner
from consumers.strategies.store import wanted_of
from contracts.errors import InvalidParameterError
from contracts.services.trading.events import OrderChanged, OrderFilled, TradingTripped
from contracts.services.trading.strategy_events import StrategyDecided
from runtime import clock
from runtime.store import Document
from runtime.strategies import running as steps
from runtime.strategies.loading import Kinds
from runtime.strategies.protocol import Clock, Setup
from runtime.strategies.running import Definition, Running, load
from runtime.tasks import end_tasks

_log = structlog.get_logger("strategies")
KILLED: Final = "all trading of its owner was stopped"


class AtWork:
    """The strategies that have not ended; `failed` fails with the first that another process acts for."""

    def __init__(self, acting: Acting, markets: Markets, kinds: Kinds) -> None:
        self._acting, self._markets, self.kinds = acting, markets, kinds
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watched: defaultdict[str, list[Runner]] = defaultdict(list)  # by the order that they wait for
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __len__(self) -> int:
        return len(self._runners)

    async def start_all(self) -> None:
        """Go on with every strategy that was at work; one that cannot be run any more is paused with the reason."""
        for kept in await self._acting.store.list_at_work():
            try:
                definition = self.definition_of(kept)
                running = load(definition.kind, kept.state, kept.control)
            except (InvalidParameterError, ValidationError) as error:
                await self._put_aside(kept, error)
                continue
            await self.start(kept, definition, running)

    def definition_of(self, kept: Kept) -> Definition:
        """Return what a strategy is; InvalidParameterError where its kind cannot be run, ValidationError its params."""
        kind = self.kinds.find(kept.kind)
        params = kind.params.model_validate(kept.params)
        return Definition(kind, Setup(kept.id, kept.symbol, params, kept.created_ns), kept.accept_fallback)

    async def start(self, kept: Kept, definition: Definition, running: Running) -> Runner:
        """Let a strategy go on."""
        runner = Runner(self._acting, kept, definition, running)
        self._runners[kept.id] = runner
        if order_id := waits_for(definition):
            self._watched[order_id].append(runner)
        await self._markets.watch(runner)
        task = asyncio.create_task(runner.work(), name=f"strategy {kept.id}")
        task.add_done_callback(self._on_ended)
        self._tasks[kept.id] = task
        return runner

    def find(self, strategy_id: str) -> Runner | None:
        """Return a strategy at work."""
        return self._runners.get(strategy_id)

    def places(self) -> list[Place]:
        """Return where each has got to in the stream of trading."""
        return [runner.place for runner in self._runners.values()]

    def on_event(self, event: Seen, place: Place) -> None:
        """Hand over something of the stream of trading."""
        if isinstance(event, TradingTripped):
            self._on_tripped(event, place)
            return
        runner = self._runners.get(event.strategy or "")
        if runner is not None:
            runner.put(event, place)
        if isinstance(event, OrderChanged | OrderFilled):
            for waiting in self._watched.get(event.order_id, ()):
                waiting.put(event, place)

    def on_other_stream(self) -> None:
        """Begin to count again, everywhere."""
        for runner in self._runners.values():
            runner.on_other_stream()

    def tick(self, now_ns: int) -> None:
        """Let every strategy see that time has passed."""
        second = Clock(id=f"clock.{now_ns // 10**9}", ts=now_ns)
        for runner in self._runners.values():
            runner.put(second)

    async def keep(self, place: Place) -> None:
        """Keep what has changed, publish what was decided, and let go of what has ended."""
        for runner in list(self._runners.values()):
            runner.reached(place)
            await runner.save()
            if runner.is_finished:
                self._forget(runner)
        for document in await self._acting.store.list_unpublished():
            await self._publish(document)

    async def pause_all(self, owner: str, reason: str) -> None:
        """Pause every strategy of an owner."""
        for runner in self._runners.values():
            if runner.kept.owner == owner:
                await runner.change(lambda running: steps.pause(running, reason, "owner"))

    async def close(self) -> None:
        """Stop all of them where they are, kept as they are."""
        await end_tasks(self._tasks.values())
        self.failed.cancel()

    async def _put_aside(self, kept: Kept, error: Exception) -> None:
        """Pause what cannot be run now, and publish that; what cannot even be read stays as it is."""
        _log.warning("strategy.cannot_run", strategy=kept.id, kind=kept.kind, error=str(error))
        try:
            glance = kept.glance()
        except ValidationError:
            return
        paused = steps.pause(glance, f"it cannot be run any more: {error}"[:500], "itself")
        if paused is not glance:
            await publish_changed(self._acting.bus, changed(kept, paused, clock.now_ns()))  # again, until it is kept
            await self._acting.store.save(kept.with_control(paused), paused)

    def _on_tripped(self, event: TradingTripped, place: Place) -> None:
        for runner in self._runners.values():
            kept = runner.kept
            mine = event.strategy == kept.id if event.what == "strategy" else event.venue == kept.venue
            if kept.owner == event.owner and mine:
                runner.put(event, place)

    def _forget(self, runner: Runner) -> None:
        self._markets.forget(runner)
        for runners in self._watched.values():
            if runner in runners:
                runners.remove(runner)
        self._tasks.pop(runner.id).cancel()
        del self._runners[runner.id]

    def _on_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self.failed.done():
            return
        error = task.exception()
        if error is not None:
            self.failed.set_exception(error)

    async def _publish(self, document: Document) -> None:
        """Publish a decision; what fails is published the next time."""
        kept = await self._acting.store.find_id(document["strategy"])
        if kept is None:
            return
        event = StrategyDecided(
            id=f"{kept.id}.decided.{document['number']}",
            ts=document["at"],
            strategy=kept.id,
            owner=kept.owner,
            account=kept.account,
            symbol=kept.symbol,
            number=document["number"],
            saw=json.loads(document["event"])["id"],
            saw_kind=document["kind"],
            now=document["at"],
            wanted=wanted_of(document),
            state=hashlib.sha256(document["after"].encode()).hexdigest(),
        )
        await publish_decided(self._acting.bus, event)
        await self._acting.store.published(document["_id"])


def waits_for(definition: Definition) -> str | None:
    """Return the order whose end a strategy waits for, where it does."""
    order_id: str | None = getattr(definition.setup.params, "order_id", None)
    return order_id
