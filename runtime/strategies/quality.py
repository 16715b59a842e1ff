"""Whether the data that a strategy lives on is live: by what the feed says of itself, and by silence. Pure."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from pydantic import AliasChoices, Field

from contracts.market import BookSnapshot, Candle, FeedState, FeedStatus, Ticker, Trade
from runtime.strategies.orders import StateModel

SILENT_NS: Final = 60_000_000_000  # without anything of its instrument the data counts as stale
_AWAY: Final[frozenset[FeedState]] = frozenset({"connecting", "down", "stale"})
_LIVE: Final = frozenset({"live", "sim"})


class Mark(StateModel):
    """That a feed is not live."""

    state: FeedState
    says: str


class Feed(StateModel):
    """What is not live, by channel, symbol (`*`: all) and connection, and when something came last (ns UTC)."""

    marks: dict[str, Mark] = Field(default_factory=dict[str, Mark])
    book: str | None = Field(default=None, description="of the last book, where that is not live")
    received_ns: int | None = Field(
        default=None, validation_alias=AliasChoices("received_ns", "heard_ns"), description="heard_ns in older states"
    )

    def begun(self, now_ns: int) -> Feed:
        """Return it with silence counting from now on."""
        return self.model_copy(update={"received_ns": now_ns})

    def on_status(self, status: FeedStatus, channels: frozenset[str], now_ns: int) -> Feed:
        """Return it after a feed's word of all channels, or of one of these; a quiet instrument is no fault."""
        if status.channel is not None and status.channel not in channels:
            return self
        seen = {"received_ns": self.received_ns or now_ns}
        if status.state == "stale" and status.symbol is not None:
            return self.model_copy(update=seen)
        key = " ".join(part or "*" for part in (status.channel, status.symbol, status.connection)).removesuffix(" *")
        marks = {name: mark for name, mark in self.marks.items() if name != key}
        whole = status.channel is None and status.symbol is None
        if whole and status.connections:
            marks = {name: mark for name, mark in marks.items() if _stays(name, {one.id for one in status.connections})}
        elif whole and status.state in {"connecting", "down"}:
            marks = {}  # what is wrong afterwards is published afterwards
        if status.state != "live":
            reason = "" if status.reason is None else f": {status.reason}"
            marks[key] = Mark(state=status.state, says=f"the feed of {status.venue} is {status.state}{reason}")
        return self.model_copy(update={"marks": marks, **seen})

    def on_event(self, event: Ticker | Trade | BookSnapshot | Candle, now_ns: int) -> Feed:
        """Return it after something of the instrument came."""
        book = self.book
        if isinstance(event, BookSnapshot):
            book = None if event.quality in _LIVE else f"the book of {event.venue} is {event.quality}"
        return self.model_copy(update={"received_ns": now_ns, "book": book})

    def fault(self, now_ns: int, *, accept_fallback: bool) -> str | None:
        """Return why the data is not live, None where it is.

        What comes while the feed is away was asked for by REST: with `accept_fallback` that is good enough.
        """
        for mark in self.marks.values():
            if not (accept_fallback and mark.state in _AWAY):
                return mark.says
        if self.book is not None:
            return self.book
        if self.received_ns is not None and now_ns - self.received_ns > SILENT_NS:
            return f"nothing came of its instrument for {SILENT_NS // 10**9} s"
        return None


def _stays(name: str, connections: Container[str]) -> bool:
    """Return whether a mark is still of something when a venue has these connections."""
    _, symbol, *connection = name.split(" ", 2)
    return connection[0] in connections if connection else symbol != "*"
