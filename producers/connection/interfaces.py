"""What a session works with: the connection behind it, the recorder of its inputs, REST answers of books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.instrument import Instrument


@dataclass(frozen=True, slots=True)
class DepthAnswer:
    """A REST depth answer as it came; `body` is None where it could not be had. `audit`: it is compared."""

    instrument: Instrument
    body: bytes | None
    ts_recv: int
    simulated: bool
    audit: bool = False


@dataclass(frozen=True, slots=True)
class TradesAnswer:
    """A REST answer with an instrument's past trades as it came; `body` is None where it could not be had."""

    instrument: Instrument
    body: bytes | None
    ts_recv: int
    simulated: bool


class ConnectionEvents(Protocol):
    """The connection behind a session: receives what concerns the socket."""

    def on_control(self, control: Any) -> None:
        """Ack, refusal, pong, reply, announced close."""
        ...

    def on_event(self, kind: str, symbol: str | None) -> None:
        """Data of a channel came."""
        ...

    def on_resync(self, symbol: str) -> None:
        """A pushed book needs a fresh snapshot."""
        ...


class Recorder(Protocol):
    """Receives every input of a session, in order: a recording of them replays to the same events."""

    def on_open(self, connection: str, ts: int, *, sim: bool) -> None:
        """A connection begins."""
        ...

    def on_frame(self, connection: str, ts: int, frame: bytes) -> None:
        """A frame arrived."""
        ...

    def on_snapshot(self, connection: str, ts: int, answer: DepthAnswer) -> None:
        """A REST snapshot arrived; without a body where it could not be had."""
        ...

    def on_trades(self, connection: str, ts: int, answer: TradesAnswer) -> None:
        """Past trades arrived by REST; without a body where they could not be had."""
        ...

    def on_mark(self, connection: str, ts: int, mark: str, detail: Mapping[str, str | int | None]) -> None:
        """Something else that shapes the events: "confirmed", "tick", "again", "silent", "close"."""
        ...
