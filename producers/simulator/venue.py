"""A simulated venue: its definition, what the server calls on it, and the books that it serves (no I/O)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypedDict, TypeVar, runtime_checkable

from producers.simulator.faults import Kind
from producers.simulator.hub import Answer, Frame, Heartbeat, Request, Session, Tick
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.market.listing import Listing
from producers.simulator.private.side import PrivateSide

STALE_AFTER_US = 4_000_000
OptionsT = TypeVar("OptionsT")


class Truth(TypedDict):
    """A true book: price and amount texts, best first, and its sequence."""

    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    seq: int


class Venue(Protocol):
    """One exchange's side of its protocol; `path` is what follows the venue's prefix."""

    def accepts(self, path: str) -> bool:
        """Whether sockets are served at this path."""
        ...

    def on_open(self, session: Session, now_us: int) -> list[str]:
        """Answers a new socket; HangupError refuses it."""
        ...

    def on_text(self, session: Session, text: str, now_us: int) -> list[str]:
        """Answers one client message; HangupError ends the socket after its texts."""
        ...

    def on_close(self, session: Session) -> None:
        """Drop a session."""
        ...

    def list_frames(self, tick: Tick) -> list[Frame]:
        """What is published after a step."""
        ...

    def answer(self, request: Request, now_us: int) -> Answer:
        """Answers one REST request; ValueError means an unreadable parameter."""
        ...

    def mutate(self, frame: Frame, kind: str) -> str:
        """Return the frame's text damaged by `crossed`, or by `bad_checksum` where the venue does not lack it."""
        ...

    def refuse(self, strikes: int) -> Answer:
        """Return the answer to a banned client; `strikes` counts its requests."""
        ...

    def fail(self, now_us: int) -> Answer:
        """Return the venue's answer when it is out of service."""
        ...


@runtime_checkable
class Numbering(Protocol):
    """A venue that shows other numbers for its books than their update ids."""

    def find_seq(self, listing: Listing) -> int:
        """The sequence that the venue shows for a book now."""
        ...


@runtime_checkable
class Resetting(Protocol):
    """A venue whose sequences may start again; the others lack `reset`."""

    def on_reset(self, symbol: str | None) -> None:
        """Starts the shown sequence of a symbol (None: all) again."""
        ...


@runtime_checkable
class Trading(Protocol):
    """A venue with accounts and orders."""

    private: PrivateSide


@runtime_checkable
class Announcing(Protocol):
    """A venue that says before it closes a socket; the others lack `notice`."""

    def notice(self, session: Session, now_us: int) -> str | None:
        """What it announces, if anything."""
        ...


@dataclass(frozen=True, slots=True)
class Depth:
    """One book at one update id, best levels first, in whole units."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    update_id: int
    ts_us: int

    def top(self, limit: int) -> Depth:
        """The best levels only."""
        return replace(self, bids=self.bids[:limit], asks=self.asks[:limit])


@dataclass(slots=True)
class Snapshots:
    """Books as they are, and as they were some seconds ago for the fault `stale_snapshot`."""

    kept: dict[int, Depth] = field(default_factory=dict)
    next: dict[int, Depth] = field(default_factory=dict)
    copied_us: int = 0

    def keep(self, listings: list[Listing], now_us: int) -> None:
        """Copy the books every few seconds: the copies before become the stale ones."""
        if now_us - self.copied_us < STALE_AFTER_US:
            return
        self.copied_us = now_us
        fresh = {id(item): read_depth(item, now_us) for item in listings}
        self.kept = self.next or fresh
        self.next = fresh

    def find(self, listing: Listing, now_us: int, *, stale: bool) -> Depth:
        """Return the book as it is now, or its old copy."""
        old = self.kept.get(id(listing)) if stale else None
        return old or read_depth(listing, now_us)


@dataclass(frozen=True, slots=True)
class Setup(Generic[OptionsT]):
    """What one venue is opened with; `options` are the points that its vendor's pages leave open."""

    name: str
    listings: list[Listing]
    snapshots: Snapshots
    heartbeat: Heartbeat
    options: OptionsT
    seed: int
    enforce_limits: bool


@dataclass(frozen=True, slots=True)
class Definition(Generic[OptionsT]):
    """One venue as the registry holds it: all that the simulator needs to list it and to open it.

    `heartbeat` are its documented keep-alive rules, `lacks` the kinds of fault that its protocol cannot show,
    `options` the behaviour that is assumed where its pages leave it open.
    """

    name: str
    open: Callable[[Setup[OptionsT]], Venue]
    list_instruments: Callable[[Base], list[Instrument]]
    heartbeat: Heartbeat
    lacks: frozenset[Kind]
    options: OptionsT


def find_seq(venue: Venue, listing: Listing) -> int:
    """Return the sequence that a venue shows for a book now."""
    return venue.find_seq(listing) if isinstance(venue, Numbering) else listing.book.update_id


def read_depth(listing: Listing, now_us: int) -> Depth:
    """The whole book as it is now."""
    book = listing.book
    return Depth(book.list_bids(), book.list_asks(), book.update_id, now_us)


def crossing_bid(listing: Listing) -> int:
    """Return the price of a bid that crosses the book: so far above that no other row of a frame removes it."""
    return listing.book.best_ask * 101 // 100


def level_texts(listing: Listing, levels: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Levels in the venue's own number texts."""
    terms = listing.instrument
    return [(terms.price_text(price), terms.amount_text(amount)) for price, amount in levels]


def pairs_text(listing: Listing, levels: list[tuple[int, int]]) -> str:
    """JSON rows of [price, amount]."""
    terms = listing.instrument
    return "[" + ",".join(f'["{terms.price_text(p)}","{terms.amount_text(a)}"]' for p, a in levels) + "]"
