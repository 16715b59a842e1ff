"""What waits for one client, bounded: state is conflated to its newest, events drop their oldest, both are counted."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

EVENTS_KEPT: Final = 1000
CONTROLS_KEPT: Final = 100
_SMALL: Final = 126
_MEDIUM: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Message:
    """One message for any number of clients: its JSON, and the same as a WebSocket frame (RFC 6455, 5.2)."""

    payload: bytes
    frame: bytes = field(repr=False)


def make_message(payload: bytes) -> Message:
    """Frame a JSON text once for all who get it."""
    return Message(payload, text_frame(payload))


def text_frame(payload: bytes) -> bytes:
    """One unmasked, unfragmented text frame, as a server sends it."""
    size = len(payload)
    if size < _SMALL:
        return b"\x81%c%b" % (size, payload)
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


def marked(message: Message, mark: str, count: int) -> bytes:
    """The frame of a message with how many others it stands for: `"conflated":3` or `"dropped":3`."""
    return text_frame(b'%b,"%b":%d}' % (message.payload[:-1], mark.encode(), count)) if count else message.frame


class QueueFullError(Exception):
    """A client sends requests and does not read the answers."""


class SendQueue:
    """The queue of one client."""

    def __init__(self, events_kept: int = EVENTS_KEPT) -> None:
        self._events_kept = events_kept
        self._controls: deque[Message] = deque()
        self._events: deque[Message] = deque()
        self._states: dict[object, tuple[Message, int]] = {}
        self._dropped = 0
        self._waiting = asyncio.Event()
        self.dropped = 0
        self.conflated = 0

    def put_control(self, message: Message) -> None:
        """Queue an answer to the client; QueueFullError when it does not read them."""
        if len(self._controls) >= CONTROLS_KEPT:
            raise QueueFullError
        self._controls.append(message)
        self._waiting.set()

    def put_event(self, message: Message) -> None:
        """Queue an event; the oldest one is dropped past the limit."""
        if len(self._events) >= self._events_kept:
            self._events.popleft()
            self._dropped += 1
            self.dropped += 1
        self._events.append(message)
        self._waiting.set()

    def put_state(self, key: object, message: Message) -> None:
        """Queue the newest state of something in the place of an older one that was not sent yet."""
        held = self._states.get(key)
        conflated = 0 if held is None else held[1] + 1
        self.conflated += held is not None
        self._states[key] = (message, conflated)
        self._waiting.set()

    async def wait(self) -> None:
        """Return once something waits."""
        await self._waiting.wait()

    def take(self, most_bytes: int = 64 * 1024) -> list[bytes]:
        """Take frames of about so many bytes: answers first, then events, then states."""
        frames: list[bytes] = []
        room = most_bytes
        while room > 0 and (frame := self._next()) is not None:
            frames.append(frame)
            room -= len(frame)
        if not (self._controls or self._events or self._states):
            self._waiting.clear()
        return frames

    def _next(self) -> bytes | None:
        if self._controls:
            return self._controls.popleft().frame
        if self._events:
            dropped, self._dropped = self._dropped, 0
            return marked(self._events.popleft(), "dropped", dropped)
        if self._states:
            message, conflated = self._states.pop(next(iter(self._states)))
            return marked(message, "conflated", conflated)
        return None
