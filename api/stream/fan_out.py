"""The fan-out: messages to many clients, all that wait for one of them in one write, and no task for either.

The first message is written at once; what follows within a tick waits for the tick's end, so that a burst is one write
for each client. Clients for which the same messages wait share the bytes. Whoever does not take what is written gets a
bounded backlog, which costs the others nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from api.http.server import FrameSocket
from api.stream.backlog import Backlog, Message, QueueFullError, text_frame
from runtime import clock

POLICY: Final = 1008
TRY_LATER: Final = 1013
TICK_SECONDS: Final = 0.005
MOST_WAITING: Final = 500  # messages of one tick, after which it ends
MEASURED_EVERY: Final = 16  # writes


class FrameWriter(Protocol):
    """A connection that takes frames while it is `ready`."""

    ready: bool

    @property
    def write_frames(self) -> Callable[[bytes], None]:
        """What writes whole frames."""
        ...


class Outbox(Protocol):
    """One client as the fan-out sees it: what waits for it in this tick, and where that goes."""

    waiting: list[Message]
    backlog: Backlog

    @property
    def writer(self) -> FrameWriter:
        """Where frames are written."""
        ...

    def hold(self, messages: list[Message]) -> None:
        """Take messages for which the writer is not ready."""
        ...

    def end_if_stuck(self, since: float) -> bool:
        """End a client that took nothing since a time (the loop's), or reads no answers; return whether it was one."""
        ...


class NotReady:
    """In place of a connection: everything waits in the backlog."""

    ready = False

    def write_frames(self, frames: bytes) -> None:
        """Nothing is ever written here."""
        raise AssertionError(frames)


class FanOut:
    """Collects messages by client and writes them; everything is called on the event loop's thread.

    `on_written` takes for some of the writes the seconds since the oldest message in it came.
    """

    def __init__(self, on_written: Callable[[float], None] | None = None) -> None:
        self._on_written = on_written
        self._since = 0.0  # when the oldest of what waits came
        self._writes = 0
        self._changed: list[Outbox] = []
        self._messages = 0
        self._due: asyncio.Handle | None = None
        self._written_at = 0.0

    def push(self, message: Message, outboxes: Iterable[Outbox]) -> None:
        """Send a message to clients."""
        changed = self._changed
        if not changed:
            self._since = clock.monotonic()
        for outbox in outboxes:
            waiting = outbox.waiting
            if not waiting:
                changed.append(outbox)
            waiting.append(message)
        self._messages += 1
        if self._messages >= MOST_WAITING:
            self.write()
        elif self._due is None and changed:
            self._schedule()

    def write(self) -> None:
        """Write what waits, now."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        changed, self._changed = self._changed, []
        self._messages = 0
        joined: list[Message] = []
        frames = b""
        for outbox in changed:
            messages, outbox.waiting = outbox.waiting, []
            if not outbox.writer.ready:
                outbox.hold(messages)
                continue
            if messages != joined:
                joined, frames = messages, join_frames(messages)
            outbox.writer.write_frames(frames)
        self._writes += bool(changed)
        if changed and self._on_written is not None and self._writes % MEASURED_EVERY == 1:
            self._on_written(clock.monotonic() - self._since)

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._written_at = max(now, self._written_at + TICK_SECONDS)
        self._due = (
            loop.call_soon(self.write) if self._written_at == now else loop.call_at(self._written_at, self.write)
        )


def join_frames(messages: list[Message]) -> bytes:
    """Return the frames of messages as one text."""
    return messages[0].frame if len(messages) == 1 else b"".join([message.frame for message in messages])


class SocketOutbox:
    """A WebSocket client: what it does not take at once waits in its backlog."""

    def __init__(self, socket: FrameSocket) -> None:
        self.waiting: list[Message] = []
        self.backlog = Backlog()
        self.writer = socket
        self._full = False
        socket.on_ready = self._drain

    def hold(self, messages: list[Message]) -> None:
        """Put messages into the backlog."""
        try:
            for message in messages:
                self.backlog.put(message)
        except QueueFullError:
            self._full = True

    def end_if_stuck(self, since: float) -> bool:
        """Close it with 1013 where it takes nothing, with 1008 where it reads no answers to what it sends."""
        paused_at = self.writer.paused_at
        if paused_at is None or (paused_at > since and not self._full):
            return False
        self.writer.end(POLICY if self._full else TRY_LATER, "too slow: what is sent is not read")
        return True

    def _drain(self) -> None:
        while self.backlog and self.writer.ready:
            taken = self.backlog.take()
            self.writer.write_frames(b"".join([_frame(message, payload) for message, payload in taken]))


def _frame(message: Message, payload: bytes) -> bytes:
    return message.frame if payload is message.payload else text_frame(payload)
