"""One durable pull consumer, served by FastStream: one message at a time, in order, acknowledged by hand.

What fails is asked for again with a growing delay; what cannot be read, or failed on its last delivery, goes to the
dead-letter stream with its error. A durable that vanished ends the service (`failed`): FastStream would only spin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts import streams
from contracts.streams import DurableSpec
from contracts.subjects import DEAD_LETTER, HEADER_DELIVERIES, HEADER_ERROR, HEADER_MESSAGE_ID
from runtime import clock, retry
from runtime.nats.broker import make_broker, watch_broker
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call

_log = structlog.get_logger("durable")
_NOT_FOUND = 404
_ERROR_LENGTH = 500
Handle = Callable[[str, bytes], Awaitable[None]]
"""(subject, body); raises BadMessageError for what can never be handled, anything else to be asked again."""


class MissingDurableError(RuntimeError):
    """The durable is not on the server, or was made again meanwhile; the message names it."""


class BadMessageError(Exception):
    """A message that can never be handled: it goes to the dead letters at once."""


@dataclass(frozen=True, slots=True)
class DurableRule:
    """Seconds: first and longest delay before a message is asked for again, between looks at the durable, and how long
    to wait for it at the start.
    """  # noqa: D205

    delay: float = 1.0
    delay_max: float = 60.0
    look: float = 1.0
    wait: float = 30.0


async def find_durable(bus: Bus, spec: DurableSpec) -> dict[str, Any] | None:
    """Give the server's account of a durable, None where it has none."""
    try:
        return await call(bus, f"CONSUMER.INFO.{spec.stream}.{spec.name}")
    except ApiRefusalError as error:
        if error.code == _NOT_FOUND:
            return None
        raise


async def wait_for_durable(bus: Bus, spec: DurableSpec, rule: DurableRule) -> dict[str, Any]:
    """Give the server's account as soon as the provisioner has made it; MissingDurableError after `rule.wait`."""
    deadline = clock.monotonic() + rule.wait
    while True:
        info = await find_durable(bus, spec)
        if info is not None:
            return info
        if clock.monotonic() >= deadline:
            raise MissingDurableError(f"durable {spec.stream}/{spec.name}: missing, run the provisioner")
        await clock.sleep(min(rule.look, 0.2))


class DurableLane:
    """Serves one durable; await `failed` to hear that it vanished."""

    def __init__(
        self, bus: Bus, spec: DurableSpec, handle: Handle, *, rule: DurableRule | None = None, dlq: str = streams.DLQ
    ) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bus, self._spec, self._handle = bus, spec, handle
        self._rule = rule or DurableRule()
        self._dlq = dlq
        self._broker: NatsBroker | None = None
        self._before_stop: Callable[[], None] = lambda: None
        self._guards: tuple[asyncio.Task[None], ...] = ()

    async def open(self) -> None:
        """Wait for the durable, then serve it; MissingDurableError where nobody makes it."""
        spec = self._spec
        info = await wait_for_durable(self._bus, spec, self._rule)
        broker, self._before_stop = make_broker(self._bus.options, on_drop=self._bus.count_drop, logger=None)
        broker.subscriber(
            spec.filter_subject,
            durable=spec.name,
            stream=JStream(spec.stream, declare=False),
            pull_sub=PullSub(batch_size=1, timeout=2.0),
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_is,
        )(self._on_message)
        self._broker = broker
        await broker.start()
        self._guards = (
            asyncio.create_task(self._watch(str(info["created"])), name=f"guard of {spec.name}"),
            asyncio.create_task(watch_broker(broker, self._bus.options, lambda _: None), name=f"watch of {spec.name}"),
        )

    async def close(self) -> None:
        """Finish the message at hand, then stop."""
        for guard in self._guards:
            guard.cancel()
        if self._broker is not None:
            self._before_stop()
            await self._broker.stop()
        self.failed.cancel()

    async def _on_message(self, message: NatsMessage) -> None:
        raw = message.raw_message
        try:
            await self._settle(message, raw)
        except (NatsError, NoAnswerError, TimeoutError) as error:
            # Neither acked nor refused: the server delivers it again after ack_wait.
            _log.warning("durable.unsettled", durable=self._spec.name, error=str(error) or type(error).__name__)

    async def _settle(self, message: NatsMessage, raw: Msg) -> None:
        deliveries = raw.metadata.num_delivered or 1
        try:
            async with asyncio.timeout(self._spec.ack_wait):
                await self._handle(raw.subject, raw.data)
        except BadMessageError as error:
            await self._bury(message, raw, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the message is asked for again or buried
            if deliveries >= self._spec.max_deliver:
                await self._bury(message, raw, error)
                return
            delay = min(self._rule.delay_max, self._rule.delay * 2 ** (deliveries - 1))
            _log.warning("durable.again", durable=self._spec.name, delay=delay, error=_say(error))
            await message.nack(delay=delay)
        else:
            await message.ack_sync()

    async def _bury(self, message: NatsMessage, raw: Msg, error: Exception) -> None:
        spec, place = self._spec, raw.metadata.sequence.stream
        headers = {
            HEADER_MESSAGE_ID: f"{spec.name}.{spec.stream}.{place}",
            HEADER_ERROR: " ".join(_say(error).split())[:_ERROR_LENGTH],
            HEADER_DELIVERIES: str(raw.metadata.num_delivered or 1),
        }
        subject = f"{DEAD_LETTER}{spec.name}.{raw.subject}"
        policy = retry.Policy(timeout=10.0)
        await self._bus.publish_acked(subject, raw.data, headers=headers, stream=self._dlq, policy=policy)
        _log.error("durable.buried", durable=spec.name, sequence=place, error=_say(error))
        await message.reject()

    async def _watch(self, created: str) -> None:
        """End the service when its durable is gone, or is another one that was made under the same name."""
        while not self.failed.done():
            await clock.sleep(self._rule.look)
            try:
                info = await find_durable(self._bus, self._spec)
            except (NoAnswerError, ApiRefusalError) as error:
                _log.warning("durable.unknown", durable=self._spec.name, error=str(error))
                continue
            if info is None or info["created"] != created:
                what = "vanished" if info is None else "was made again"
                _log.critical("durable.lost", durable=self._spec.name, what=what)
                error = MissingDurableError(f"durable {self._spec.stream}/{self._spec.name}: {what}")
                self.failed.set_exception(error)


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


async def _as_it_is(message: NatsMessage) -> bytes:
    return message.body
