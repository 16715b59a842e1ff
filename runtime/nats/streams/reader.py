"""Reads a stream in order through ephemeral push consumers, made again from where it was after every kind of break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import structlog
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from runtime import retry
from runtime.app.resume import Mark, Start, find_start
from runtime.nats import wire
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.lanes.parser import Message
from runtime.nats.streams.api import ApiRefusalError, Position, ack_position, call, parse_rfc3339, rfc3339

_log = structlog.get_logger("lane")

HEARTBEAT_SECONDS = 1.0
_MISSED_HEARTBEATS = 3
_INACTIVE_SECONDS = 30
_SECOND_NS = 1_000_000_000
_CONTROL = b"NATS/1.0 100"
_LAST_CONSUMER = b"Nats-Last-Consumer: "
_STALLED = b"Nats-Consumer-Stalled: "
_AGAIN = retry.Policy(wait_initial=0.05, wait_max=2.0, jitter=0.2)


NEW = Start()
ALL = Start(sequence=1)


class Row(NamedTuple):
    """One message of a stream as it came: a `Message` of the lanes."""

    subject: bytes
    payload: bytes
    reply: bytes
    headers: bytes

    @property
    def position(self) -> Position:
        """Where it stands in the stream; read at each use."""
        return ack_position(self.reply)


class _Generation:
    """One consumer's deliveries: hands over rows without a hole and asks to be replaced at the first one."""

    def __init__(self, owner: StreamReader) -> None:
        self.owner = owner
        self.received_at = asyncio.get_running_loop().time()
        self._next = 1

    def take(self, messages: list[Message], /) -> None:
        """Keep the stream's messages, and do what its control messages say where they stand among them."""
        if self.owner.generation is not self:
            return
        self.received_at = self.owner.loop.time()
        rows: list[Row] = []
        for message in messages:
            if not message[1] and message[3].startswith(_CONTROL):
                self._keep(rows)
                rows = []
                if self.owner.generation is self:
                    self._control(message[2], message[3])
            else:
                rows.append(Row._make(message))
        self._keep(rows)

    def _keep(self, rows: list[Row]) -> None:
        """Hand over what came in a row; the server sends in order, so that first and last show whether one is lost."""
        if not rows or self.owner.generation is not self:
            return
        first, last = rows[0].position.consumer_seq, rows[-1].position.consumer_seq
        whole = first == self._next and last - first == len(rows) - 1
        if not whole:
            rows = [row for number, row in enumerate(rows, self._next) if row.position.consumer_seq == number]
        self._next += len(rows)
        if rows:
            self.owner.keep(rows)
        if not whole:
            self.owner.renew("messages of the consumer were lost on the way")

    def _control(self, reply: bytes, headers: bytes) -> None:
        if reply:  # flow control: answered when what came before it was handed over
            self.owner.answer_after_batch(reply.decode())
            return
        last = _header(headers, _LAST_CONSUMER)
        if last is not None and int(last) != self._next - 1:
            self.owner.renew("a heartbeat tells of messages that did not arrive")
        elif stalled := _header(headers, _STALLED):
            self.owner.answer_after_batch(stalled.decode())


class StreamReader:
    """Hands `on_messages(rows)` everything of some subjects of a stream, in order, nothing missed and nothing twice."""

    def __init__(
        self,
        bus: Bus,
        stream: str,
        subjects: tuple[str, ...],
        *,
        on_messages: Callable[[Sequence[Row]], None],
        on_gap: Callable[[int], None],
        failed: asyncio.Future[None],
        start: Start = NEW,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.generation: _Generation | None = None
        self._bus, self._stream, self._subjects = bus, stream, subjects
        self._on_messages, self._on_gap = on_messages, on_gap
        self._failed, self._start = failed, start
        self._heartbeat = heartbeat
        self._last: Position | None = None
        self._mark: Mark | None = None  # what counts as read before the first message is
        self.backlog = 0  # messages that waited when the present consumer was made
        self._pending: list[Row] = []
        self._replies: list[str] = []
        self._subscription: Subscription | None = None
        self._renewal = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self._unlisten: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Make the first consumer and keep one for ever; ApiRefusalError when the stream does not exist."""
        opened = parse_rfc3339(str((await call(self._bus, f"STREAM.INFO.{self._stream}"))["ts"]))
        if self._start == NEW:
            self._start = Start(time_ns=opened)
        await self._make()
        if self._start.sequence is not None:
            self._mark = Mark(self._start.sequence - 1, opened)
        self._unlisten = self._bus.listen_reconnect(self._on_reconnect)
        self._keeper = asyncio.create_task(self._keep(), name=f"reader of {self._stream}")

    @property
    def received_at(self) -> float:
        """When the stream last said something, if only that it is there: the event loop's time, 0 while it is away."""
        return 0.0 if self.generation is None else self.generation.received_at

    async def close(self) -> None:
        """Stop reading."""
        self.generation = None
        self._unlisten()
        if self._keeper is not None:
            self._keeper.cancel()
        await self._drop_subscription()

    def keep(self, rows: list[Row]) -> None:
        """Take messages of the current consumer into this iteration's batch, but for those handed over before."""
        done = 0 if self._last is None else self._last.stream_seq
        if rows[0].position.stream_seq <= done:
            rows = [row for row in rows if row.position.stream_seq > done]
        if not rows:
            return
        self._last = rows[-1].position
        if not self._pending:
            self.loop.call_soon(self._hand_over)
        self._pending += rows

    def answer_after_batch(self, reply: str) -> None:
        """Tell the server to go on once what came so far was handed over."""
        self._replies.append(reply)
        if not self._pending:
            self.loop.call_soon(self._hand_over)

    def renew(self, reason: str) -> None:
        """Replace the consumer from after the last message that was handed over."""
        self.generation = None
        _log.info("stream_reader.renewed", stream=self._stream, reason=reason)
        self._renewal.set()

    def _on_reconnect(self) -> None:
        if self._keeper is not None and not self._keeper.done():
            self.renew("the connection was made again")

    def _hand_over(self) -> None:
        pending, self._pending = self._pending, []
        replies, self._replies = self._replies, []
        if pending and not self._failed.done():
            try:
                self._on_messages(pending)
            except Exception as error:  # noqa: BLE001  # given to whoever awaits `failed`
                self._failed.set_exception(error)
        for reply in replies:
            task = self.loop.create_task(self._answer(reply))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _answer(self, reply: str) -> None:
        with suppress(NatsError):  # without a connection the consumer is replaced anyway
            await self._bus.client.publish(reply)

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat):
                    await self._renewal.wait()
            if self._bus.connected and self.generation is not None and self._silent(self.generation):
                self.renew("no heartbeat")
            if self._renewal.is_set():
                await self._make_again()

    def _silent(self, generation: _Generation) -> bool:
        return self.loop.time() - generation.received_at > _MISSED_HEARTBEATS * self._heartbeat

    async def _make_again(self) -> None:
        for delay in retry.delays(_AGAIN):
            self._renewal.clear()
            try:
                await self._make()
            except (NoAnswerError, ApiRefusalError, NatsError) as error:
                _log.warning("stream_reader.waiting", stream=self._stream, error=str(error))
                await asyncio.sleep(delay)
            else:
                return

    async def _make(self) -> None:
        await self._drop_subscription()
        begin = await self._begin()
        inbox = self._bus.client.new_inbox()
        generation = _Generation(self)
        self.generation = generation
        self._subscription = await wire.subscribe(self._bus.client, inbox, "", generation)
        config: dict[str, Any] = {
            "deliver_subject": inbox,
            "ack_policy": "none",
            "max_deliver": 1,
            "flow_control": True,
            "idle_heartbeat": int(self._heartbeat * _SECOND_NS),
            "inactive_threshold": _INACTIVE_SECONDS * _SECOND_NS,
            "mem_storage": True,
            "num_replicas": 1,
            "replay_policy": "instant",
            "filter_subjects": list(self._subjects),
            **begin,
        }
        body = json.dumps({"stream_name": self._stream, "config": config}).encode()
        self.backlog = int((await call(self._bus, f"CONSUMER.CREATE.{self._stream}", body)).get("num_pending", 0))

    async def _begin(self) -> dict[str, Any]:
        """The deliver policy that goes on after the last message; what was missed is passed to `on_gap`."""
        last = self._last
        mark = self._mark if last is None else Mark(last.stream_seq, last.time_ns, exact=True)
        if mark is None:
            return _policy(self._start)
        resumed = await find_start(self._bus, self._stream, mark)
        if resumed.missed is None:
            self._start, self._last, self._mark = resumed.start, None, None
        if resumed.missed is None or (last is not None and resumed.missed):
            self._on_gap(resumed.missed or 0)
        return _policy(resumed.start)

    async def _drop_subscription(self) -> None:
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            await wire.unsubscribe(self._bus.client, subscription)


def _policy(start: Start) -> dict[str, Any]:
    if start.time_ns is not None:
        return {"deliver_policy": "by_start_time", "opt_start_time": rfc3339(start.time_ns)}
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": max(1, start.sequence or 1)}


def _header(headers: bytes, name: bytes) -> bytes | None:
    at = headers.find(name)
    return None if at < 0 else headers[at + len(name) : headers.find(b"\r\n", at)]
