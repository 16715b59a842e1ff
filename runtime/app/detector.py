"""Runs a detector: the past of its window first, then every event of its durable, its signals published once each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import structlog
from faststream.nats import NatsRouter

from contracts import streams
from contracts.streams import DurableSpec
from runtime import clock
from runtime.app.fold import fold_each
from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.app.settling import BadMessageError
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.durable import DurableRule, MissingDurableError, wait_for_durable
from runtime.nats.lanes.reader import Batch, Decode
from runtime.nats.signals import publish_signal
from runtime.nats.streams.api import ApiRefusalError, call, parse_rfc3339
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import Start

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
_log = structlog.get_logger("detector")
_REMADE_WITHIN: Final = 5.0  # seconds: the provisioner looks every second
_MARGIN: Final = 60_000_000_000  # events arrive later than they happened
Prepare = Callable[[int], Awaitable[None]]
Signals = Sequence[tuple[str, FastEvent]]
"""(subject, fast event) pairs."""


class Detector(Protocol):
    """Decides by events alone, without clock or I/O, so that the same events always give the same signals and ids.

    `window`: how far back (ns) events matter. A repeated event must give nothing. What `fold` raises is that event's
    fault and must leave everything as it was.
    """

    @property
    def window(self) -> int:
        """How far back events matter, ns."""
        ...

    @property
    def forgotten(self) -> int:
        """How much was dropped because memory is bounded."""
        ...

    def recall(self, signal: FastEvent, /) -> None:
        """Take note of a signal that was published before: its cooldown holds."""
        ...

    def fold(self, event: FastEvent, /) -> Signals:
        """Fold one event and give the signals that follow from it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Where a detector reads and writes; `signals`: the wildcard of its own, `cooldown` (ns): how long one silences."""

    durable: DurableSpec
    signals: str
    cooldown: int
    decode: Decode[FastEvent]
    rule: DurableRule = field(default_factory=DurableRule)
    signals_stream: str = streams.SIGNALS
    dlq: str = streams.DLQ


class Detecting:
    """A detector on the bus: `fold` is for the handler of its durable, `run` for the consumer."""

    def __init__(self, detector: Detector, plan: Detection) -> None:
        self.detector, self.plan = detector, plan
        self._bus: Bus | None = None
        self._unsent: list[tuple[str, FastEvent]] = []
        self._sent = 0

    async def fold(self, event: Any) -> None:
        """Fold one event and publish what follows; BadMessageError where it cannot be folded."""
        if self._bus is not None and self._bus.tracing.on:
            self._bus.tracing.note_current(event)
        try:
            found = self.detector.fold(event)
        except Exception as error:  # decided by this message alone: delivering it again would change nothing
            raise BadMessageError(f"{type(error).__name__}: {error}") from error
        self._unsent.extend(found)
        await self._send()

    async def run(
        self, service: Service, router: NatsRouter, letters: DeadLetters, prepare: Prepare | None = None
    ) -> None:
        """Run until the service is stopped; serve a durable that was made again, with what it did not deliver.

        The past of the window is folded first; `prepare` is awaited before that with when it begins, ns UTC.
        MissingDurableError where nobody makes the durable in time.
        """
        bus, plan = service.bus, self.plan
        self._bus = bus
        info = await wait_for_durable(bus, plan.durable, plan.rule)
        if prepare is not None:
            await prepare(await _find_begin(bus, self.detector, plan, int(info["ack_floor"]["stream_seq"])))
        await _recall(bus, self.detector, plan, letters)
        while True:
            self._unsent += await _refold(bus, self.detector, plan, int(info["ack_floor"]["stream_seq"]))
            await self._send()
            serving = Serving(bus, service.broker, router, plan.rule)
            try:
                await serving.open()
                service.ready()
                async for _ in ticks(service.stop, 1.0, serving.failed):
                    service.report("signals", self._sent)
                    service.report("forgotten", self.detector.forgotten)
                return
            except MissingDurableError as error:
                info = await _wait_again(bus, plan, error)
            finally:
                await serving.close()

    async def _send(self) -> None:
        if self._bus is None:
            raise RuntimeError("a detector publishes while it runs")
        while self._unsent:  # what could not be published stays and goes first the next time
            await publish_signal(self._bus, *self._unsent[0], stream=self.plan.signals_stream)
            del self._unsent[0]
            self._sent += 1


async def _wait_again(bus: Bus, plan: Detection, lost: MissingDurableError) -> dict[str, Any]:
    """Give the server's account of the durable that was made again; raise `lost` where it is not within seconds."""
    _log.warning("detector.durable_lost", durable=plan.durable.name, error=str(lost))
    try:
        return await wait_for_durable(bus, plan.durable, replace(plan.rule, wait=min(_REMADE_WITHIN, plan.rule.wait)))
    except MissingDurableError:
        raise lost from None


async def _recall(bus: Bus, detector: Detector, plan: Detection, letters: DeadLetters) -> None:
    since = Start(time_ns=clock.now_ns() - plan.cooldown - _MARGIN)
    rows = await read_past(bus, plan.signals_stream, (plan.signals,), since)
    batch = Batch(rows, plan.decode, letters.keep)
    batch.refuse(fold_each(batch.events, lambda _subject, signal: detector.recall(signal)))


async def _refold(bus: Bus, detector: Detector, plan: Detection, floor: int) -> list[tuple[str, FastEvent]]:
    """Fold the window that ends at the last acked message; signals that were never published follow from it again."""
    spec = plan.durable
    since = Start(time_ns=await _find_begin(bus, detector, plan, floor))
    rows = await read_past(bus, spec.stream, (spec.filter_subject,), since)
    past = [row for row in rows if row.position.stream_seq <= floor]
    batch = Batch(past, plan.decode, _already_kept)
    found: list[tuple[str, FastEvent]] = []
    faults = fold_each(batch.events, lambda _subject, event: found.extend(detector.fold(event)))
    folded = len(batch.events) - len(faults)
    _log.info("detector.refolded", durable=spec.name, events=folded, signals=len(found))
    return found


async def _find_begin(bus: Bus, detector: Detector, plan: Detection, floor: int) -> int:
    """Return when the window begins that ends at the last acked message, ns UTC."""
    return await _time_of(bus, plan.durable.stream, floor) - detector.window - _MARGIN


def _already_kept(_subject: str, _body: bytes, _error: Exception) -> None:
    """Leave out what cannot be read: it is among the dead letters since it was delivered."""


async def _time_of(bus: Bus, stream: str, sequence: int) -> int:
    """When the stream took a message, ns UTC; the present where it does not hold it any more."""
    body = f'{{"seq":{sequence}}}'.encode()
    try:
        return parse_rfc3339(str((await call(bus, f"STREAM.MSG.GET.{stream}", body))["message"]["time"]))
    except ApiRefusalError:
        return clock.now_ns()
