"""One instrument's book with what is known of its seed, and the snapshots that are published of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Raw

from runtime.book.keeper import BookKeeper
from runtime.book.rule import BookRule
from runtime.book.sides import snapshot


class Named(Protocol):
    """What has a book: an instrument, or its names only."""

    @property
    def symbol(self) -> str:
        """Return the unified symbol."""
        ...

    @property
    def tail(self) -> str:
        """Return the tokens that name it in every subject."""
        ...


I = TypeVar("I", bound=Named)  # noqa: E741 - an instrument
Maker = Callable[..., Any]  # (**fields of a snapshot) -> what is published
MakeMaker = Callable[[I, bool], Maker]  # (instrument, whether it is simulated)


@dataclass(frozen=True, slots=True)
class BookPace:
    """How often (seconds) and how deep (levels a side) snapshots of a changed book are published."""

    interval: float = 0.25
    depth: int = 100


class HeldBook(Generic[I]):
    """One instrument's book, and what is known of its seed."""

    __slots__ = (
        "announced",
        "asked_at",
        "attempts",
        "crossed_ts",
        "dirty",
        "fetching",
        "instrument",
        "keeper",
        "make",
        "published",
        "request_at",
        "resubscribed_at",
        "seeded_at",
        "simulated",
        "venue_checksum",
    )

    def __init__(self, instrument: I, rule: BookRule, *, kept: bool) -> None:
        self.instrument = instrument
        self.keeper = BookKeeper(rule, kept=kept)
        self.announced = False  # its state `live` was published
        self.asked_at = 0.0  # when who keeps it elsewhere asked for a snapshot of it
        self.attempts = 0  # snapshots in a row that were requested in vain
        self.crossed_ts: int | None = None  # since when (our clock, ns) it is crossed
        self.dirty = False
        self.fetching = False
        self.make: Maker
        self.published: dict[str, Any] | None = None  # the fields of the last one
        self.simulated = False
        self.venue_checksum: int | None = None
        self.request_at: float | None = None
        self.seeded_at = 0.0  # when the last requested snapshot was received
        self.resubscribed_at: float | None = None

    def open(self, make: Maker, *, simulated: bool, request_at: float | None) -> None:
        """Begin with an empty book, whose snapshot is requested at a time, if at all."""
        self.make, self.simulated = make, simulated
        self.keeper.reset()
        self.fetching = self.announced = False
        self.attempts = 0
        self.venue_checksum = self.resubscribed_at = self.crossed_ts = None
        self.request_at = request_at

    def is_due(self, now: float) -> bool:
        """Whether a snapshot of it is to be requested now."""
        needed = not self.keeper.live or self.keeper.refilling
        return needed and not self.fetching and self.request_at is not None and now >= self.request_at

    def take(self, depth: int) -> Any:
        """Return a snapshot of its best levels, to be published."""
        keeper = self.keeper
        bids, asks, proof = snapshot(keeper.bids, keeper.asks, depth)
        number = keeper.seq if keeper.seq is not None else keeper.ts_recv
        self.published = {
            "id": f"{self.instrument.tail}.book.{number}.{proof:08x}",
            "ts_event": keeper.ts_event,
            "ts_recv": keeper.ts_recv,
            "bids": Raw(bids),
            "asks": Raw(asks),
            "seq": keeper.seq,
            "quality": "sim" if self.simulated else "live",
            "checksum": proof,
            "venue_checksum": self.venue_checksum,
            "unit": keeper.unit,
        }
        return self.make(**self.published)

    def take_downgraded(self, quality: str) -> Any | None:
        """Return the last snapshot once more, marked, so that nobody reads it as live; None where there is none."""
        held = self.published
        if held is None or held["quality"] == quality:
            return None
        self.published = {**held, "quality": quality, "id": f"{held['id']}.{quality}"}
        return self.make(**self.published)
