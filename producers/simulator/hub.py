"""Sessions, the streams they subscribe to, and the frames and answers that a venue gives to the server (no I/O)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class MessagePing:
    """Pings that are messages of the venue's protocol, in place of WebSocket ping frames.

    `text(now_us)` is the next one; the client has `patience` times the time of the venue's rules; `farewell` comes
    before the close when it did not answer. The venue sets `Session.ponged` when it did.
    """

    text: Callable[[int], str]
    patience: float = 1.0
    farewell: str | None = None


@dataclass(slots=True, eq=False)
class Session:
    """One client socket as its venue sees it. Times are microseconds of the server's clock.

    With `gzipped` everything that is sent is a binary frame of gzip. `headers` are the handshake's, in lower case.
    """

    id: int
    path: str
    query: dict[str, str]
    opened_us: int
    streams: dict[str, None] = field(default_factory=dict)
    combined: bool = False
    has_subscribed: bool = False
    arg_chars: int = 0
    gzipped: bool = False
    ping: MessagePing | None = None
    ponged: bool = False
    inbound: deque[int] = field(default_factory=lambda: deque(maxlen=1024))
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def conn_id(self) -> str:
        """The id that venues put into their answers."""
        return f"{self.id:08x}"

    def count_within(self, now_us: int, window_us: int) -> int:
        """Notes one inbound message and returns how many came within the window, this one included."""
        self.inbound.append(now_us)
        while self.inbound and self.inbound[0] <= now_us - window_us:
            self.inbound.popleft()
        return len(self.inbound)


@dataclass(frozen=True, slots=True)
class Frame:
    """One text for several sessions.

    `channel` is the canonical channel, `symbol` the venue's own; `is_delta` marks
    book changes that build on the frame before them.
    """

    sessions: tuple[Session, ...]
    text: str
    channel: str
    symbol: str
    stream: str
    is_delta: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; one that is `lost` never reaches the client, whose connection breaks."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One REST request below a venue's prefix, headers in lower case; `stale` asks for an old book.

    `body` and `query_text` are byte for byte as they were sent: what signatures are made of. Fields of a JSON body are
    in `query` too.
    """

    path: str
    query: dict[str, str]
    stale: bool = False
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    method: str = "GET"
    body: str = ""
    query_text: str = ""


class HangupError(Exception):
    """The venue ends this socket after the given texts, with a close code and reason."""

    def __init__(self, code: int, reason: str, texts: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.texts = texts


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Keep-alive rules in seconds, None where the venue has none.

    `ping_every` / `pong_within`: the server's ping frames; `idle_inbound`: cut without any client message;
    `idle_any`: cut when neither side sent; `subscribe_within`: first subscription; `lifetime`: forced close.
    """

    ping_every: float | None = None
    pong_within: float | None = None
    idle_inbound: float | None = None
    idle_any: float | None = None
    subscribe_within: float | None = None
    lifetime: float | None = None

    def patient(self, ping: MessagePing | None) -> Heartbeat:
        """The rules for a socket with pings of its own."""
        if ping is None or self.pong_within is None:
            return self
        return replace(self, pong_within=self.pong_within * ping.patience)


@dataclass(frozen=True, slots=True)
class Tick:
    """One publishing moment. `elapsed_ms` counts market steps; `flush` makes every period due."""

    now_us: int
    elapsed_ms: int
    step_ms: int
    flush: bool = False

    @property
    def now_ms(self) -> int:
        """Milliseconds UTC."""
        return self.now_us // 1000

    def due(self, period_ms: int) -> bool:
        """Whether something of this period is to be published now."""
        return self.flush or period_ms <= self.step_ms or self.elapsed_ms % period_ms < self.step_ms


@dataclass(slots=True)
class Hub:
    """The subscribers of each stream; new ones of a stream with a snapshot wait for `welcome`."""

    listeners: dict[str, dict[Session, None]] = field(default_factory=dict)
    waiting: dict[str, dict[Session, None]] = field(default_factory=dict)

    def join(self, session: Session, stream: str, *, wait: bool = False) -> None:
        """Subscribes a session, at once or from the next `welcome` on."""
        session.streams[stream] = None
        (self.waiting if wait else self.listeners).setdefault(stream, {})[session] = None

    def leave(self, session: Session, stream: str) -> None:
        """End one subscription, active or waiting."""
        session.streams.pop(stream, None)
        for table in (self.listeners, self.waiting):
            sessions = table.get(stream)
            if sessions is not None:
                sessions.pop(session, None)
                if not sessions:
                    del table[stream]

    def drop(self, session: Session) -> None:
        """Ends all subscriptions of a session."""
        for stream in list(session.streams):
            self.leave(session, stream)

    def has_subscribers(self, stream: str) -> bool:
        """Return whether a stream has subscribers, active or waiting."""
        return stream in self.listeners or stream in self.waiting

    def subscribers_of(self, stream: str) -> tuple[Session, ...]:
        """Return the active subscribers."""
        return tuple(self.listeners.get(stream, ()))

    def welcome(self, stream: str) -> tuple[Session, ...]:
        """Return the new subscribers of a stream; they are active from now on."""
        joining = self.waiting.pop(stream, None)
        if not joining:
            return ()
        self.listeners.setdefault(stream, {}).update(joining)
        return tuple(joining)


def read_order(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a client sent, an empty one for other JSON; None for what is no JSON."""
    try:
        message = json.loads(text)
    except json.JSONDecodeError:
        return None
    return cast("dict[str, Any]", message) if isinstance(message, dict) else {}


def encode(value: object) -> str:
    """Compact JSON, keys in the order given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def rows_text(rows: Iterable[str]) -> str:
    """A JSON array of ready texts."""
    return "[" + ",".join(rows) + "]"


def time_text(us: int) -> str:
    """Return a time as RFC 3339 with microseconds, UTC."""
    moment = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06d}Z"
