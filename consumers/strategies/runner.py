"""One strategy at work: decides on each event, keeps what follows from it, and only then sends it.

What was kept is gone on with after any crash. Orders are sent again with the client ids that they had, which makes no
second order; an event that comes again changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog
from nats.errors import Error as NatsError

from consumers.strategies.describing import changed
from consumers.strategies.kept import Kept
from consumers.strategies.publishing import publish_changed, publish_refused
from consumers.strategies.sending import FAILURES, REFUSALS, Sender
from consumers.strategies.store import StrategyStore
from contracts.errors import HydrophoneError
from contracts.market import FeedStatus
from contracts.services.trading.events import TradingTripped
from contracts.services.trading.strategy_events import StrategyChanged, StrategyRefused, WantedOrder
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus
from runtime.store import StoreError
from runtime.strategies import running as steps
from runtime.strategies.protocol import Event
from runtime.strategies.running import Decided, Definition, Running

_log = structlog.get_logger("strategies")
MOST_WAITING: Final = 1000  # events of the market that wait for a strategy; beyond that the oldest are left out
MOST_FAILURES: Final = 10  # to send, in a row, before it pauses
UNKNOWN_SECONDS: Final = 15.0  # for which an order that is not known may still be on its way
_PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
Change = Callable[[Running], Running]
Seen = Event | FeedStatus | TradingTripped


class Waiting(NamedTuple):
    """Something that a strategy is to see; `place` is where it stands in the stream of trading."""

    event: Seen
    place: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Acting:
    """What every strategy at work needs; `holds` says whether this process still acts."""

    bus: Bus
    store: StrategyStore
    client: CommandClient
    holds: Callable[[], bool]


class Runner:
    """A strategy; `work` is run by a task of its own."""

    def __init__(self, acting: Acting, kept: Kept, definition: Definition, running: Running) -> None:
        self._acting, self.definition = acting, definition
        self.kept, self.running = kept, running
        self.place = (kept.seq, kept.seq_ns)
        self.left_out = 0
        self._sender = Sender(acting.client, kept)
        self._events: deque[Waiting] = deque()
        self._market = 0
        self._decided: list[Decided] = []
        self._changes = deque(kept.changes)
        self._dirty = False
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._wake.set()
        self._failures, self._retry_at = 0, 0.0
        self._unknown: dict[str, float] = {}

    @property
    def id(self) -> str:
        """The strategy's id."""
        return self.kept.id

    @property
    def is_finished(self) -> bool:
        """Whether nothing is to be done about it, and that is kept."""
        return self.running.is_finished and not self._dirty and not self._events

    def put(self, event: Seen, place: tuple[int, int] | None = None) -> None:
        """Let it see something; what it has seen of the stream of trading is left out."""
        if place is not None and place[0] <= self.place[0]:
            return
        self._events.append(Waiting(event, place))
        if place is None:
            self._bound()
        self._wake.set()

    def reached(self, place: tuple[int, int]) -> None:
        """Note that nothing of the stream of trading up to a place concerns it but what it was handed."""
        if not self._events and place[0] > self.place[0]:
            self.place = place

    def on_other_stream(self) -> None:
        """Begin to count again: the numbers of the stream mean other messages now."""
        self.place = (0, self.place[1])

    async def change(self, change: Change) -> Running:
        """Change how it stands as its owner wants, and keep that; StoreError where it is not kept."""
        async with self._lock:
            self._set(change(self.running))
            await self._save()
            self._wake.set()
            return self.running

    async def save(self) -> None:
        """Keep what has changed without a decision."""
        async with self._lock:
            await self._save()

    async def work(self) -> None:
        """Go on until it is cancelled; raises ChangedElsewhereError where another process acts for it."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                again = await self._go_on()
            except StoreError as error:
                _log.warning("strategy.not_kept", strategy=self.id, error=str(error) or type(error).__name__)
                again = _PAUSES[-1]
            if again is not None:
                asyncio.get_running_loop().call_later(again, self._wake.set)

    async def _go_on(self) -> float | None:
        """Decide, keep, send; return seconds after which to try again, None where nothing is left."""
        while self._events or self._decided:
            async with self._lock:
                self._decide_once()
                if self._decided:
                    await self._save()
            if (again := await self._send_due()) is not None and not self._events:
                return again
        async with self._lock:
            await self._publish()
        return await self._send_due()

    def _decide_once(self) -> None:
        """See events until one of them leads to something that has to be kept before anything else."""
        while self._events and not self._decided:
            event, place = self._events.popleft()
            now_ns = clock.now_ns()
            if isinstance(event, FeedStatus):
                self._market -= 1
                self._set(steps.on_feed(self.definition, self.running, event, now_ns))
                continue
            self._market -= place is None
            if place is not None:
                self.place, self._dirty = place, True
            if isinstance(event, TradingTripped):
                self._set(steps.pause(self.running, f"trading has tripped: {event.reason}"[:500], "itself"))
                continue
            stepped = steps.step(self.definition, self.running, event, now_ns)
            self._set(stepped.running)
            if stepped.decided is not None:
                self._decided.append(stepped.decided)

    def _set(self, after: Running) -> None:
        before, self.running = self.running, after
        if before.control.version != after.control.version:
            self._changes.append(changed(self.kept, after, clock.now_ns()).model_dump_json())
            _log.info("strategy.changed", strategy=self.id, status=after.control.status, reason=after.control.reason)
        prices = {"prices": before.state.prices}
        same = after.control == before.control and after.state.model_copy(update=prices) == before.state
        self._dirty = self._dirty or not same

    async def _save(self) -> None:
        if not self._dirty and not self._decided:
            return
        for decided in self._decided:
            await self._acting.store.save_decision(self.id, decided)
        kept = self.kept.after(self.running, self.place, clock.now_ns()).with_changes(list(self._changes))
        await self._acting.store.save(kept, self.running)
        self.kept, self._decided, self._dirty = kept, [], False

    async def _send_due(self) -> float | None:
        """Send what is due, in its order; return seconds after which to try again where something could not be."""
        if (left := self._retry_at - clock.monotonic()) > 0 and self.running.due:
            return left
        while (due := self.running.due) and not self._dirty_before(due[0]):
            if not self._acting.holds():
                return None
            try:
                sent = await self._sender.send(due[0], self.running)
            except REFUSALS as error:
                await self._on_refused(due[0], error)
            except FAILURES as error:
                return await self._on_failed(error)
            else:
                if sent == "unknown" and self._is_under_way(due[0].client_id):
                    return _PAUSES[-1]
                await self._on_sent(due[0], answered=sent == "sent")
        return None

    def _dirty_before(self, wanted: WantedOrder) -> bool:
        """Return whether something wanted is not kept yet: it follows from a decision that may be made again."""
        return any(one == wanted for decided in self._decided for one in decided.wanted)

    async def _on_sent(self, wanted: WantedOrder, *, answered: bool) -> None:
        self._failures = 0
        async with self._lock:
            after = self.running if answered else steps.on_never_sent(self.running, wanted.client_id)
            self._set(steps.on_sent(after, wanted))

    async def _on_refused(self, wanted: WantedOrder, error: HydrophoneError) -> None:
        """Publish that an order never was one: it comes back on the stream, where it is seen in its order."""
        if wanted.what == "place":
            event = StrategyRefused(
                id=f"{self.id}.refused.{wanted.client_id}",
                ts=clock.now_ns(),
                strategy=self.id,
                owner=self.kept.owner,
                account=self.kept.account,
                symbol=self.kept.symbol,
                client_id=wanted.client_id,
                code=error.code,
                reason=error.message,
            )
            try:
                await publish_refused(self._acting.bus, event)
            except NatsError as lost:
                await self._on_failed(lost)
                return
        await self._on_sent(wanted, answered=True)

    async def _on_failed(self, error: Exception) -> float:
        self._failures += 1
        text = str(error) or type(error).__name__
        _log.warning("strategy.not_sent", strategy=self.id, failures=self._failures, error=text)
        if self._failures >= MOST_FAILURES and self.running.control.status == "running":
            async with self._lock:
                self._set(steps.pause(self.running, f"its orders cannot be sent: {text}", "itself"))
                await self._save()
        pause = _PAUSES[min(self._failures, len(_PAUSES)) - 1]
        self._retry_at = clock.monotonic() + pause
        return pause

    def _is_under_way(self, client_id: str) -> bool:
        """Return whether an order that is not known may still be on its way."""
        since = self._unknown.setdefault(client_id, clock.monotonic())
        return clock.monotonic() - since < UNKNOWN_SECONDS

    async def _publish(self) -> None:
        """Publish each change of its status once it is kept; what fails is done the next time."""
        if not self._changes:
            return
        await self._save()
        while self._changes:
            try:
                await publish_changed(self._acting.bus, StrategyChanged.model_validate_json(self._changes[0]))
            except NatsError as error:
                _log.warning("strategy.not_published", strategy=self.id, error=str(error) or type(error).__name__)
                return
            self._changes.popleft()
            self._dirty = True

    def _bound(self) -> None:
        self._market += 1
        if self._market <= MOST_WAITING:
            return
        oldest = next(number for number, one in enumerate(self._events) if one.place is None)
        del self._events[oldest]
        self._market -= 1
        self.left_out += 1
