"""What was decided, kept in documents first and then published, so that nothing is lost and nothing comes twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog

from consumers.alerts.everybody import alert_subject
from consumers.alerts.store import AlertStore, Fired
from contracts import streams, subjects
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.reader import Batch, read_event
from runtime.nats.signals import publish_signal
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import Start
from runtime.store import Document

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
_log = structlog.get_logger("alerts")
MOST_WAITING: Final = 20_000  # decided and not kept yet; more end the process, which decides them again from its save
_MARGIN_NS: Final = 60_000_000_000


class TooManyWaitingError(RuntimeError):
    """The document store takes nothing any more, and more alerts wait than may."""


def stream_of(alert: FastEvent) -> str:
    """Return the stream of an alert: an owner's are on one of their own."""
    return streams.SIGNALS if alert.owner is None else streams.OWN_ALERTS


class Outbox:
    """Alerts on their way to the bus; `sent` counts those that arrived there."""

    def __init__(self, bus: Bus, store: AlertStore, letters: DeadLetters) -> None:
        self._bus, self._store, self._letters = bus, store, letters
        self._fired: list[Fired] = []
        self._states: list[Document] = []
        self._known: set[str] = set()
        self._unsettled = True
        self.sent = 0

    @property
    def waits(self) -> bool:
        """Whether something is not on the bus yet."""
        return self._unsettled or bool(self._fired or self._states)

    def add(self, fired: Sequence[Fired], states: Sequence[Document] = ()) -> None:
        """Take what was decided, and states to explain from."""
        self._fired += fired
        self._states += states
        if len(self._fired) + len(self._states) > MOST_WAITING:
            raise TooManyWaitingError(f"{len(self._fired)} alerts and {len(self._states)} states wait")

    async def recover(self) -> None:
        """Find which of those that were kept, and not known as published, the bus has already."""
        since = await self._store.oldest_waiting()
        if since is None:
            return
        start = Start(time_ns=since - _MARGIN_NS)
        for stream, patterns in (
            (streams.SIGNALS, streams.PUBLIC_ALERTS),
            (streams.OWN_ALERTS, (subjects.ALL_PRICE_ALERTS,)),
        ):
            batch = Batch(await read_past(self._bus, stream, patterns, start), read_event, self._letters.keep)
            self._known.update(alert.id for _, alert in batch.events)

    async def keep(self) -> None:
        """Keep what was decided so far; after it a state may be saved that goes on from there."""
        fired, states = self._fired, self._states
        self._fired, self._states = [], []
        try:
            if fired:
                self._unsettled = True
                await self._store.add_fired(fired, clock.now_ns())
            await self._store.keep_states(states, clock.now_ns())
        except BaseException:
            self._fired, self._states = fired + self._fired, states + self._states
            raise

    async def settle(self) -> None:
        """Keep what was decided, and publish what waits, in the order in which it was decided."""
        await self.keep()
        if not self._unsettled:
            return
        self._unsettled = False
        try:
            for one in await self._store.list_waiting():
                if one.alert.id not in self._known:
                    await publish_signal(self._bus, alert_subject(one.alert), one.alert, stream=stream_of(one.alert))
                await self._store.published([one.alert.id], clock.now_ns())
                self.sent += 1
        except BaseException:
            self._unsettled = True
            raise
        self._known.clear()
