"""What waits for a client that is behind, bounded: state is conflated to its newest, events drop their oldest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

EVENTS_KEPT: Final = 1000
CONTROLS_KEPT: Final = 500
TAKEN_BYTES: Final = 64 * 1024
CONTROL: Final = "control"  # in place of the key of a state: an answer to the client
_SMALL: Final = 126
_MEDIUM: Final = 1 << 16


class Message:
    """One message for any number of clients: its JSON, and the same as a WebSocket frame (RFC 6455, 5.2).

    `key` names what it is the state of, None for an event; `position` is where an event stands in the streams.
    """

    __slots__ = ("frame", "key", "payload", "position")

    def __init__(self, payload: bytes, key: object = None, position: bytes = b"") -> None:
        self.payload = payload
        self.frame = text_frame(payload)
        self.key = key
        self.position = position


def text_frame(payload: bytes) -> bytes:
    """Return one unmasked, unfragmented text frame, as a server sends it."""
    size = len(payload)
    if size < _SMALL:
        return b"\x81%c%b" % (size, payload)
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


class QueueFullError(Exception):
    """A client takes too little: more answers wait than it may have, or more events where none may be dropped."""


class Backlog:
    """The messages that one client could not be sent yet; with `whole` no event is dropped."""

    def __init__(self, events_kept: int = EVENTS_KEPT, *, whole: bool = False) -> None:
        self._events_kept = events_kept
        self._whole = whole
        self._controls: deque[Message] = deque()
        self._events: deque[Message] = deque()
        self._states: dict[object, tuple[Message, int]] = {}
        self._dropped = 0
        self.dropped = 0
        self.conflated = 0

    def __bool__(self) -> bool:
        return bool(self._controls or self._events or self._states)

    def put(self, message: Message) -> None:
        """Keep one more message; raises QueueFullError where nothing may be left out."""
        if message.key is None:
            self._put_event(message)
        elif message.key is CONTROL:
            if len(self._controls) >= CONTROLS_KEPT:
                raise QueueFullError
            self._controls.append(message)
        else:
            self._put_state(message.key, message)

    def take(self, most_bytes: int = TAKEN_BYTES) -> Iterator[tuple[Message, bytes]]:
        """Yield about so many bytes, answers first, then events, then states: each message and its JSON as it is sent.

        The JSON says how many others the message stands for: `"conflated":3` or `"dropped":3`.
        """
        while most_bytes > 0 and self:
            message, payload = self._next()
            most_bytes -= len(payload)
            yield message, payload

    def _put_event(self, message: Message) -> None:
        if len(self._events) >= self._events_kept:
            if self._whole:
                raise QueueFullError
            self._events.popleft()
            self._dropped += 1
            self.dropped += 1
        self._events.append(message)

    def _put_state(self, key: object, message: Message) -> None:
        held = self._states.get(key)
        conflated = 0 if held is None else held[1] + 1
        self.conflated += held is not None
        self._states[key] = (message, conflated)

    def _next(self) -> tuple[Message, bytes]:
        if self._controls:
            message = self._controls.popleft()
            return message, message.payload
        if self._events:
            dropped, self._dropped = self._dropped, 0
            message = self._events.popleft()
            return message, _marked(message.payload, b"dropped", dropped)
        message, conflated = self._states.pop(next(iter(self._states)))
        return message, _marked(message.payload, b"conflated", conflated)


def _marked(payload: bytes, mark: bytes, count: int) -> bytes:
    return b'%b,"%b":%d}' % (payload[:-1], mark, count) if count else payload
