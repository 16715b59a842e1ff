"""One strategy as it is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ConfigDict

from contracts.services.trading.sealed import SealedText
from runtime.strategies.control import Control
from runtime.strategies.protocol import State
from runtime.strategies.running import Running, dump


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One strategy; `seq` is the last message of the stream of trading that it has seen. Times are ns UTC."""

    id: str
    owner: str
    account: str
    venue: str
    exchange: str
    kind: str
    symbol: str
    params: dict[str, Any]
    accept_fallback: bool
    created_ns: int
    request_key: str | None
    request_hash: str
    secret: SealedText | None
    state: str
    control: str
    seq: int = 0
    seq_ns: int = 0
    saved: int = 0
    saved_ns: int = 0
    changes: list[str] = field(default_factory=list[str])  # of its status, that are to be published, as JSON

    def after(self, running: Running, place: tuple[int, int], now_ns: int) -> Kept:
        """Return it as it is after it went on, with the place in the stream that it has reached."""
        state, control = dump(running)
        seq, seq_ns = place
        return replace(
            self, state=state, control=control, seq=seq, seq_ns=seq_ns, saved=self.saved + 1, saved_ns=now_ns
        )

    def beginning(self, state: str, control: str, place: tuple[int, int]) -> Kept:
        """Return it with the state that it begins with, from a place in the stream on."""
        seq, seq_ns = place
        return replace(self, state=state, control=control, seq=seq, seq_ns=seq_ns, saved_ns=self.created_ns)

    def with_changes(self, changes: list[str]) -> Kept:
        """Return it with the changes that are to be published."""
        return replace(self, changes=changes)

    def with_control(self, running: Running) -> Kept:
        """Return it with how it stands changed, and its own state as it is."""
        return replace(self, control=running.control.model_dump_json(), saved=self.saved + 1)

    def glance(self) -> Running:
        """Return how it stands without what only its kind can read."""
        return Running(_Glance.model_validate_json(self.state), Control.model_validate_json(self.control))


class _Glance(State):
    """What every state has, of any kind."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")
