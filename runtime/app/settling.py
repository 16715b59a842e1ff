"""FastStream middleware that settles the messages of durables: acknowledge, retry with delay, or dead letter.

What fails is delivered again with a growing delay; what can never be handled, or failed on its last delivery, goes to
the dead-letter stream with its error.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, TypedDict

import structlog
from fast_depends.exceptions import ValidationError
from faststream import AckPolicy, BaseMiddleware, ContextRepo
from faststream.message import StreamMessage
from faststream.nats import JStream, PullSub
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig

from contracts import streams
from contracts.streams import DurableSpec
from contracts.subjects import DEAD_LETTER, HEADER_DELIVERIES, HEADER_ERROR, HEADER_MESSAGE_ID
from runtime import retry
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.deadletter import one_line
from runtime.nats.durable import DurableRule

_log = structlog.get_logger("durable")
_FETCH_SECONDS: Final = 2.0


class BadMessageError(Exception):
    """A message that can never be handled: it goes to the dead letters at once."""


class DurableArguments(TypedDict):
    """Arguments of `router.subscriber`."""

    subject: str
    durable: str
    stream: JStream
    pull_sub: PullSub
    config: ConsumerConfig
    ack_policy: AckPolicy
    inbox_prefix: Any


def durable(spec: DurableSpec) -> DurableArguments:
    """Return the arguments of `router.subscriber` for a durable: one message at a time, in order, settled by us."""
    return {
        "subject": spec.filter_subject,
        "durable": spec.name,
        "stream": JStream(spec.stream, declare=False),
        "pull_sub": PullSub(batch_size=1, timeout=_FETCH_SECONDS),
        "config": ConsumerConfig(ack_wait=spec.ack_wait, max_deliver=spec.max_deliver),
        "ack_policy": AckPolicy.MANUAL,
        "inbox_prefix": None,  # the connection's own, in place of FastStream's default
    }


def durable_of(subscriber: Any) -> DurableSpec | None:
    """Return the durable that a subscriber reads, None for one of core NATS."""
    stream, config = getattr(subscriber, "stream", None), getattr(subscriber, "config", None)
    if stream is None or config is None or config.durable_name is None:
        return None
    subject = str(subscriber.subject.broker_address)
    return DurableSpec(stream.name, config.durable_name, subject, int(config.ack_wait), config.max_deliver)


class Settling:
    """The middleware of a broker: makes one settler for each message."""

    def __init__(self, bus: Bus, rule: DurableRule, dlq: str = streams.DLQ) -> None:
        self.bus, self.rule, self.dlq = bus, rule, dlq

    def __call__(self, message: Any, /, *, context: ContextRepo) -> BaseMiddleware[Any, Any]:
        """Return the settler of one message."""
        return _Settler(message, context=context, settling=self)


class _Settler(BaseMiddleware[Any, Any]):
    def __init__(self, message: Any, /, *, context: ContextRepo, settling: Settling) -> None:
        super().__init__(message, context=context)
        self._settling = settling
        self._spec = durable_of(context.get_local("handler_")) if isinstance(message, Msg) else None

    async def consume_scope(self, call_next: Any, msg: StreamMessage[Any]) -> Any:
        if self._spec is None:
            return await call_next(msg)
        async with asyncio.timeout(self._spec.ack_wait):
            return await call_next(msg)

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool | None:
        if self._spec is None or (exc_val is not None and not isinstance(exc_val, Exception)):
            return False
        try:
            await self._settle(self._spec, exc_val)
        except (NatsError, NoAnswerError, TimeoutError) as error:
            # Neither acked nor refused: the server delivers it again after ack_wait.
            _log.warning("durable.unsettled", durable=self._spec.name, error=str(error) or type(error).__name__)
        return True

    async def _settle(self, spec: DurableSpec, error: Exception | None) -> None:
        raw, rule = self.msg, self._settling.rule
        if error is None:
            await raw.ack_sync()
            return
        deliveries = raw.metadata.num_delivered or 1
        if isinstance(error, BadMessageError | ValidationError) or deliveries >= spec.max_deliver:
            await self._bury(spec, error)
        else:
            delay = min(rule.delay_max, rule.delay * 2 ** (deliveries - 1))
            _log.warning("durable.again", durable=spec.name, delay=delay, error=one_line(error))
            await raw.nak(delay=delay)

    async def _bury(self, spec: DurableSpec, error: Exception) -> None:
        raw = self.msg
        place = raw.metadata.sequence.stream
        headers = {
            HEADER_MESSAGE_ID: f"{spec.name}.{spec.stream}.{place}",
            HEADER_ERROR: one_line(error),
            HEADER_DELIVERIES: str(raw.metadata.num_delivered or 1),
        }
        subject, policy = f"{DEAD_LETTER}{spec.name}.{raw.subject}", retry.Policy(timeout=10.0)
        settling = self._settling
        await settling.bus.publish_acked(subject, raw.data, headers=headers, stream=settling.dlq, policy=policy)
        _log.error("durable.buried", durable=spec.name, sequence=place, error=one_line(error))
        await raw.term()
