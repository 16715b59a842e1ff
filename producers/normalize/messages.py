"""Events as the bus gets them, with what a connection needs to know of each: what writers return. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from msgspec import Struct

from contracts import codec
from contracts.codec import EVENTS
from runtime.nats.lanes.message import Parts, split_message

RECENT: Final = 128  # trades of an instrument that are remembered: more than a backlog repeats


class Route:
    """One instrument's events of a kind on one connection; what its session knows of all of them.

    `count` messages were taken, of which `noted` were passed on to whoever watches and counts. `plain`: nothing is to
    be done with the next one but to publish it. `keep` remembers a message, of trades in `recent`, the newest ones;
    who ends the connection clears them, since they refer to their route.
    """

    __slots__ = ("count", "keep", "kind", "noted", "plain", "recent", "symbol")

    def __init__(self, kind: str, symbol: str) -> None:
        self.kind = kind
        self.symbol = symbol
        self.plain = False
        self.count = self.noted = 0
        self.recent: deque[Message] = deque(maxlen=RECENT if kind == "trade" else 0)
        self.keep = self.recent.append


class Message(Struct, gc=False):  # a struct is made in a third of the time of a named tuple
    """An event as the bus gets it: whose it is, its command in parts, and what a connection needs to know of it."""

    route: Route
    parts: Parts
    detail: Any  # of a trade its (trade_id, seq), of a delta its `Change`, of another kind None

    @property
    def kind(self) -> str:
        """The event's kind."""
        return self.route.kind

    @property
    def symbol(self) -> str:
        """The unified symbol."""
        return self.route.symbol

    @property
    def event(self) -> Any:
        """The event as a struct, read from its body."""
        return codec.decoder(EVENTS[self.kind]).decode(self.parts[-2])

    @property
    def tail(self) -> str:
        """The tokens of its subject that name the instrument."""
        return ".".join(split_message(self.parts).subject.rsplit(".", 4)[1:])


class Change(Struct, gc=False):
    """What a book takes of a delta; levels are lists, or JSON that was checked."""

    bids: Any
    asks: Any
    seq: int | None
    prev_seq: int | None
    is_snapshot: bool
    ts_event: int | None
    ts_recv: int
    unit: str


DETAILS: Final[dict[str, tuple[str, ...]]] = {"trade": ("trade_id", "seq"), "delta": Change.__struct_fields__}
