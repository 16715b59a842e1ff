"""One venue's producer: list its instruments, plan its connections, hold them all.

A few lines over the usual length of a file: what is followed, and what is published of it, change together.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from contracts import subjects
from contracts.errors import VenueError
from contracts.instrument import Instrument, escape_token
from contracts.market import FeedState
from producers.connection.auditing import EVERY_SECONDS, AuditTurns
from producers.connection.feed import RECONNECT, Feed, FeedParts
from producers.connection.fill_pace import FillPace
from producers.connection.frames import UNDECODABLE
from producers.connection.interfaces import Recorder
from producers.connection.publisher import Lane, Publisher
from producers.connection.session import SessionParts
from producers.connection.socket import OpenSocket
from producers.limits import fitting
from producers.listing import ListingCache, ListingChangedError
from producers.rest.client import RestClient, open_http
from producers.rest.rate_limit import LocalRateLimit, RateLimit
from producers.selection import Followed, by_venue_symbol, finder, follow, in_group
from producers.venue import BOOK, CHANNELS, ConnectionPolicy, Venue
from runtime import clock
from runtime.book.books import BookPace
from runtime.nats.lanes.message import make_parts
from runtime.retry import delays

_log = structlog.get_logger("producer")
SaveInstruments = Callable[[str, bytes], Awaitable[None]]
FEED: Final = "feed"  # the kind of FeedStatus
UNDECODABLE_KEPT_A_MINUTE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerPlan:
    """What one producer is to do. `ws_url` and `rest_url` replace the venue's own addresses where given.

    `sandbox`: the addresses are of the venue's test network, whose events are marked `sim`. `books_elsewhere`: another
    process keeps the books, of the deltas that are published here.
    `group` (number, of how many) is the part of the venue's symbols that it follows; the listing is fetched again every
    `refresh` seconds.
    """

    venue: Venue
    symbols: tuple[str, ...]
    ws_url: str | None = None
    rest_url: str | None = None
    channels: tuple[str, ...] = CHANNELS
    pace: BookPace = field(default_factory=BookPace)
    policy: ConnectionPolicy | None = None
    group: tuple[int, int] = (0, 1)
    refresh: float = 3600.0
    sandbox: bool = False
    books_elsewhere: bool = False
    audit_every: float = EVERY_SECONDS

    @property
    def name(self) -> str:
        """Return the unit's name: the venue, with the group where there are several."""
        number, count = self.group
        return self.venue.id if count == 1 else f"{self.venue.id}.{number}"


class Producer:
    """Runs one venue. `feeds` are its connections, empty until its instruments are known."""

    def __init__(
        self,
        plan: ProducerPlan,
        lane: Lane,
        open_socket: OpenSocket,
        save: SaveInstruments,
        *,
        recorder: Recorder | None = None,
        rate_limit: RateLimit | None = None,
        cache: ListingCache | None = None,
    ) -> None:
        self.plan = plan if plan.policy is None else replace(plan, venue=replace(plan.venue, policy=plan.policy))
        self.venue = self.plan.venue
        self.publisher = Publisher(self.venue.id, lane, clock.now_ns, partial(in_group, group=plan.group))
        self.feeds: tuple[Feed, ...] = ()
        self.instruments: tuple[Instrument, ...] = ()
        self.listed: list[Instrument] = []
        self.rest: RestClient | None = None
        self._lane = lane
        self._open_socket = open_socket
        self._save = save
        self._recorder = recorder
        self._cache = cache
        self._rate_limit = rate_limit or LocalRateLimit(plan.venue.rest.budget)
        self._kept = 0
        self._kept_since = 0.0
        self.resumed = asyncio.Event()  # cleared while it is paused by command
        self.resumed.set()

    @property
    def simulated(self) -> bool:
        """Whether a simulated exchange is at the other end of any connection."""
        return any(feed.session.simulated for feed in self.feeds)

    async def run(self) -> None:
        """Produce for ever; ends only by cancellation."""
        async with open_http() as http:
            rest = self.rest = RestClient(
                self.venue, self.plan.rest_url, http, self._rate_limit, sandbox=self.plan.sandbox
            )
            self._adopt(rest, *await self._find_listing(rest))
            while True:
                await self.save_listing()
                try:
                    async with asyncio.TaskGroup() as tasks:
                        for feed in self.feeds:
                            tasks.create_task(feed.run(), name=f"{self.venue.id} {feed.plan.name}")
                        tasks.create_task(self._until_listing_changes(rest), name=f"{self.venue.id} listing")
                except* ListingChangedError as changed:
                    first = changed.exceptions[0]
                    if isinstance(first, ListingChangedError):
                        self._relist(rest, first)

    def _choose(self, listed: list[Instrument]) -> Followed:
        """Choose what to follow: of what is wanted as much as the venue lets one address subscribe to."""
        followed = follow(listed, self.plan.symbols, self.plan.group)
        found = fitting(self.venue.limit, followed.instruments, self.plan.channels, self.plan.group[1])
        return replace(followed, instruments=found.instruments, left_out=found.left_out, reason=found.reason)

    def _adopt(self, rest: RestClient, listed: list[Instrument], followed: Followed) -> None:
        """Follow these instruments from now on."""
        self.listed, self.instruments = listed, followed.instruments
        self.feeds = tuple(self._plan_feeds(rest, self.listed))
        _log.info("producer.following", venue=self.venue.id, instruments=len(self.instruments),
                  connections=len(self.feeds), not_listed=list(followed.missing))  # fmt: skip
        if followed.left_out:
            _log.warning("producer.left_out", venue=self.venue.id, reason=followed.reason,
                         instruments=[item.symbol for item in followed.left_out])  # fmt: skip
        if self.feeds:
            self._publish_venue("connecting", None)
        for item in followed.left_out:
            reason = f"not followed: {followed.reason}"
            self.publisher.publish_state("down", channel=None, symbol=item.symbol, reason=reason, sim=rest.simulated)

    def _relist(self, rest: RestClient, changed: ListingChangedError) -> None:
        """Close every connection and plan them again: what was published is not live until it comes again."""
        old = {item.symbol for item in self.instruments}
        new = {item.symbol for item in changed.followed.instruments}
        _log.warning("producer.listing_changed", venue=self.venue.id, listed=sorted(new - old),
                     delisted=sorted(old - new))  # fmt: skip
        for feed in self.feeds:
            feed.session.close(ts=clock.now_ns(), reason="the listing changed")
            self.publisher.forget(feed.session.identity)
        for symbol in sorted(old - new - {item.symbol for item in changed.followed.left_out}):
            self.publisher.publish_state(
                "down", channel=None, symbol=symbol, reason="no longer listed", sim=self.simulated
            )
        self._adopt(rest, changed.listed, changed.followed)
        for symbol in sorted(new - old):
            if self.publisher.states.get((None, symbol, None), "live") != "live":
                self.publisher.publish_state("live", channel=None, symbol=symbol, reason="followed", sim=self.simulated)

    async def _until_listing_changes(self, rest: RestClient) -> None:
        """Fetch the listing at every refresh; raises ListingChangedError when what is followed changed."""
        while True:
            await clock.sleep(self.plan.refresh)
            try:
                listed = await rest.list_instruments()
            except (VenueError, *UNDECODABLE) as error:
                _log.warning("producer.listing_kept", venue=self.venue.id, reason=str(error))
                continue
            followed = self._choose(listed)
            if followed.instruments != self.instruments:
                raise ListingChangedError(listed, followed)
            self.listed = listed
            if self._cache is not None:
                await self._cache.save(self.plan.name, listed, sim=rest.simulated)

    def on_bus_gap(self, lost: int) -> None:
        """Events were lost between here and the bus: publish a gap on every channel, and the books again."""
        self.publisher.on_gap(f"bus: {lost} messages lost", sim=self.simulated)
        self.on_bus_reconnect()

    async def on_taken_over(self, reason: str, *, sim: bool) -> None:
        """This process publishes for the venue from now on: list the instruments, publish the gap and every state.

        Before it knows its instruments the venue is `down`; `sim`: the process before it had a simulated exchange.
        """
        if not self.instruments:
            self.publisher.publish_state("down", channel=None, symbol=None, reason=reason, sim=sim)
            return
        await self.save_listing()
        self.publisher.on_gap(reason, sim=self.simulated)
        self.on_bus_reconnect()

    async def save_listing(self) -> None:
        """Write what is followed, and all that is listed, to where other processes read it."""
        if not self.instruments:
            return
        await self._save(self.plan.name, msgspec.json.encode(self.instruments))
        if self._cache is not None:
            await self._cache.save(self.plan.name, self.listed, sim=self.rest is not None and self.rest.simulated)

    def on_stream_lost(self, channels: frozenset[str], reason: str) -> None:
        """A stream that held these channels (`feed`: the states themselves) was made again: publish the gap.

        Every state and live book is published again, so that the stream has them.
        """
        only = None if FEED in channels else channels
        self.publisher.publish_again((reason, reason), sim=self.simulated, channels=only)
        if BOOK in channels:
            self.on_bus_reconnect()

    def describe(self) -> dict[str, Any]:
        """Return for watchers whether the venue is simulated, channels' longest silence (s), and what is sampled.

        `publish`: by kind of event the percentiles (ns) of the time from receipt to the bus.
        """
        silences: dict[str, float] = {}
        for item in (item for feed in self.feeds for item in feed.plan.subscriptions):
            if item.silence is not None:
                silences[item.channel] = min(item.silence, silences.get(item.channel, item.silence))
        sampled, publish = sorted(self.venue.sampled), self.publisher.hops.find().get("publish", {})
        return {"sim": self.simulated, "silence": silences, "sampled": sampled, "publish": publish}

    def on_bus_reconnect(self) -> None:
        """The bus is back: publish every live book again."""
        for feed in self.feeds:
            feed.publish_books()

    async def _find_listing(self, rest: RestClient) -> tuple[list[Instrument], Followed]:
        """Fetch what is listed and choose from it; retries for ever, and publishes `down` with the reason."""
        waits = delays(RECONNECT)
        while True:
            try:
                listed = await rest.list_instruments()
                return listed, self._choose(listed)
            except (VenueError, *UNDECODABLE) as error:
                delay = max(next(waits), getattr(error, "details", {}).get("retry_after") or 0.0)
                self.publisher.publish_state("down", channel=None, symbol=None, reason=str(error), sim=rest.simulated)
                _log.warning("producer.unreachable", venue=self.venue.id, reason=str(error), retry_in=round(delay, 1))
                kept = None if self._cache is None else await self._cache.load(self.plan.name)
                if kept is not None:
                    _log.warning("producer.listing_from_cache", venue=self.venue.id, instruments=len(kept))
                    return kept, self._choose(kept)
                await clock.sleep(delay)

    def _plan_feeds(self, rest: RestClient, listed: Iterable[Instrument]) -> Iterable[Feed]:
        known = by_venue_symbol(listed)
        plans = self.venue.plan(self.plan.ws_url or self.venue.ws_url, self.instruments, self.plan.channels)
        number, count = self.plan.group
        if count > 1:
            plans = tuple(replace(plan, name=f"{number}-{count}/{plan.name}") for plan in plans)
        lock, every, fills = asyncio.Lock(), self.plan.audit_every, FillPace.of(self.venue)
        for plan in plans:
            yield Feed(
                plan,
                FeedParts(
                    session=SessionParts(
                        venue=self.venue,
                        find=finder(self.venue, plan.market, known),
                        publisher=self.publisher,
                        on_undecodable=self._on_undecodable,
                        pace=self.plan.pace,
                        recorder=self._recorder,
                        books_elsewhere=self.plan.books_elsewhere,
                    ),
                    rest=rest,
                    open_socket=self._open_socket,
                    on_change=self._on_change,
                    connect_lock=lock,
                    resumed=self.resumed,
                    audits=AuditTurns.of(self.venue, plan.books, len(self.instruments), every=every),
                    fills=fills,
                    sandbox=self.plan.sandbox,
                ),
            )

    def _on_change(self, reason: str | None) -> None:
        """Publish the venue's state as a whole: live with every connection, down without any."""
        ready = sum(feed.ready for feed in self.feeds)
        state: FeedState = "live" if ready == len(self.feeds) else "connecting" if ready else "down"
        self._publish_venue(state, reason)

    def _publish_venue(self, state: FeedState, reason: str | None) -> None:
        connections: dict[str, FeedState] = {
            feed.session.identity.id: "live" if feed.ready else "connecting" for feed in self.feeds
        }
        self.publisher.publish_venue(state, connections, reason=reason, sim=self.simulated)

    def _on_undecodable(self, frame: bytes, error: Exception) -> None:
        """Keep what could not be read, with the reason, so that it can be looked at; a flood is counted only."""
        now = clock.monotonic()
        if now - self._kept_since > 60:  # noqa: PLR2004 - a minute
            self._kept, self._kept_since = 0, now
        self._kept += 1
        if self._kept > UNDECODABLE_KEPT_A_MINUTE:
            return
        reason = str(error) or type(error).__name__
        _log.error("feed.undecodable", venue=self.venue.id, reason=reason, frame=frame[:200].decode(errors="replace"))
        body = msgspec.json.encode({"error": reason, "frame_base64": base64.b64encode(frame[:65536]).decode()})
        subject = f"{subjects.DEAD_LETTER}producers.{subjects.FEED}{escape_token(self.venue.id)}"
        self._lane.write(make_parts(subject, body, schema="undecodable/1"))
