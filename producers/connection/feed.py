"""The one socket loop: connect, subscribe and verify, watch, pass on the frames, back off, for ever.

A few lines over the usual length of a file: what a loop waits for, and what ends each wait, is read together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, cast

import structlog

from contracts.errors import VenueError
from contracts.instrument import Instrument
from producers.connection.auditing import AuditTurns
from producers.connection.fill_pace import FillPace
from producers.connection.frames import UNDECODABLE
from producers.connection.interfaces import DepthAnswer, TradesAnswer
from producers.connection.publisher import kind_of
from producers.connection.session import Session, SessionParts
from producers.connection.socket import (
    ConnectionLostError,
    OnFrame,
    OpenSocket,
    Socket,
    SocketError,
    SocketLimits,
    close_in_time,
)
from producers.connection.wanted import Wanted
from producers.connection.watchdog import Lost, Patience, Stale, Watchdog
from producers.rest.client import RestClient
from producers.venue import BOOK, PING_FRAME, Answered, ConnectionPlan, Refused, SubscribeRequest, Subscription
from runtime import clock
from runtime.retry import Policy, delays

_log = structlog.get_logger("feed")
TICK: Final = 0.1
SAMPLE_SECONDS: Final = 0.5  # between two frames whose way to the bus is measured
GATE_PAUSE: Final = 0.02
LASTED: Final = 20.0
PAUSED: Final = "paused by command"
MOST_EARLY: Final = 1000
RECONNECT: Final = Policy(attempts=None, timeout=None, wait_initial=0.2, wait_max=30.0, jitter=0.5)


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedParts:
    """What a feed works with; all of it is handed in. `on_change(reason)` is called when `Feed.ready` changes."""

    session: SessionParts
    rest: RestClient
    open_socket: OpenSocket
    on_change: Callable[[str | None], None]
    connect_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    resumed: asyncio.Event = field(default_factory=_set_event)  # cleared while the venue is paused
    audits: AuditTurns = field(default_factory=lambda: AuditTurns(1.0))
    fills: FillPace | None = None  # shared by a venue's feeds; None: its own
    sandbox: bool = False  # a test network: its events are marked `sim`


class Feed:
    """Holds one connection of a venue. `ready`: open and every subscription answered."""

    def __init__(self, plan: ConnectionPlan, parts: FeedParts) -> None:
        self.plan = plan
        self.connected = False
        self.ready = False
        self.reconnects = 0
        self._parts = parts
        self._venue = parts.session.venue
        self._patience = Patience()
        self._policy = self._venue.policy
        self._watchdog = Watchdog(plan, self._policy, self._patience, now=clock.monotonic())
        self.on_event = self._watchdog.on_event  # data of a channel came
        self.session = Session(plan, parts.session, self)
        self.session.simulated = parts.rest.simulated
        self._fills = parts.fills or FillPace.of(self._venue)
        self._tasks: asyncio.TaskGroup | None = None
        self._socket: Socket | None = None
        self._renew: str | None = None
        self._silent_since: int | None = None  # ns UTC, where the connection is given up because nothing came
        self.on_frame: OnFrame = self._keep_early  # the session's own, as soon as the connection is ready
        self._sample_at = 0.0
        self._early: list[tuple[bytes, int]] = []
        self._overrun = False  # frames came that were not kept
        self._subscribed = False

    async def run(self) -> None:
        """Hold the connection for ever; ends only by cancellation."""
        waits = delays(RECONNECT)
        while True:
            await self._parts.resumed.wait()
            opened = clock.monotonic()
            try:
                self.session.publish_states("connecting", None)
                socket = await self._open()
                opened = clock.monotonic()
                await self._serve(socket)
            except (SocketError, ConnectionLostError) as error:
                held = clock.monotonic() - opened if self.connected else 0.0
                self._on_lost(str(error))
                if not self._parts.resumed.is_set():
                    _log.warning("feed.paused", venue=self._venue.id, feed=self.plan.name)
                    continue
                if held >= LASTED:
                    waits = delays(RECONNECT)
                delay = next(waits)
                _log.warning("feed.down", venue=self._venue.id, feed=self.plan.name, reason=str(error),
                             retry_in=round(delay, 1))  # fmt: skip
                await clock.sleep(delay)

    def publish_books(self) -> None:
        """Publish every live book again, whatever became of the last one."""
        self.session.tick(ts=clock.now_ns(), now=clock.monotonic(), again=True)

    @property
    def live(self) -> bool:
        """Whether it is open, every subscription was answered, and every book is proven."""
        return self.ready and self.session.books.all_live

    def reconnect(self, reason: str) -> None:
        """Give the connection up for a new one; one that is being opened is new."""
        self._renew = reason

    # ---- session.ConnectionEvents
    def on_control(self, control: Any) -> None:
        """Ack, refusal, pong, reply, announced close."""
        kind: str = control.kind
        if kind == "ack":
            self._watchdog.on_ack(control.ref)
        elif kind == "answered":
            self._on_answered(control)
        elif kind == "refused":
            self._on_refused(control)
        elif kind == "reply" and self._socket is not None:
            self._spawn(self._send(self._socket, control.frame))
        elif kind == "closing":
            self._watchdog.on_closing(control.reason, control.seconds)

    def on_resync(self, symbol: str) -> None:
        """Get a new pushed snapshot: by a new subscription where the venue has one, else by a new connection."""
        books = (item for item in self.plan.subscriptions if item.channel == BOOK and item.instrument is not None)
        item = next((item for item in books if item.instrument and item.instrument.symbol == symbol), None)
        frames = self._resubscribe_frames(item) if item is not None else ()
        if not frames or self._socket is None:
            self._renew = f"{symbol}: the book needs a new connection"
            return
        self.session.books.on_resubscribed(symbol, now=clock.monotonic())
        self._spawn(self._send_all(self._socket, frames))

    def _resubscribe_frames(self, item: Subscription) -> tuple[str, ...]:
        """Return the frames that subscribe a channel again; none where the venue has no such."""
        if self._venue.resubscribe_learned is not None and self.session.decoder is not None:
            return self._venue.resubscribe_learned(item, self.session.decoder)
        return self._venue.resubscribe(item) if self._venue.resubscribe is not None else ()

    # ---- one connection
    async def _open(self) -> Socket:
        parts, venue = self._parts, self._venue
        async with parts.connect_lock:
            await clock.sleep(venue.policy.connect_pace)
        url, self._policy = self.plan.url, venue.policy
        if venue.ticket is not None:
            try:
                body = await parts.rest.fetch(venue.ticket.call(self.plan))
                url, self._policy = venue.ticket.admit(self.plan, venue.policy, body)
            except (VenueError, *UNDECODABLE) as error:
                raise SocketError(f"no ticket: {error}") from error
        self.on_frame, self._early, self._overrun = self._keep_early, [], False
        limits = SocketLimits(max_frame_bytes=venue.policy.max_frame_bytes)
        return await parts.open_socket(url, self, limits, self.plan.headers)

    async def _serve(self, socket: Socket) -> None:
        """Serve an open socket until it is lost; raises ConnectionLostError with the reason."""
        now, plan, session = clock.monotonic(), self.plan, self.session
        if self._venue.resume is not None and session.decoder is not None:
            plan = self._venue.resume(plan, session.decoder)
        self._socket, self._renew, self._subscribed, self.connected = socket, None, False, True
        self._watchdog = Watchdog(plan, self._policy, self._patience, now=now)
        self.on_event = self._watchdog.on_event
        session.open(ts=clock.now_ns(), now=now, sim=socket.simulated or self._parts.sandbox)
        for request in plan.requests:
            if not request.frame:
                self._watchdog.on_sent(request)
        jobs = (self._subscribe(socket, plan), self._keep(), self._ping(socket), self._until_closed(socket))
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for job in jobs:
                    tasks.create_task(job)
                self._pass_on_early()
        except* (SocketError, ConnectionLostError, OSError) as group:
            raise ConnectionLostError(_first_reason(cast("BaseExceptionGroup[Any]", group))) from group
        finally:
            self._tasks = self._socket = None
            await asyncio.shield(close_in_time(socket))

    def _keep_early(self, frame: bytes, ts_recv: int) -> None:
        if len(self._early) < MOST_EARLY:
            self._early.append((frame, ts_recv))
        else:
            self._overrun = True

    def _pass_on_early(self) -> None:
        """Pass on the first frames (greetings), which came with the handshake before anything was ready for them."""
        early, self._early, self.on_frame = self._early, [], self.session.on_frame
        if self._overrun:
            raise ConnectionLostError(f"more than {MOST_EARLY} frames before the connection was ready")
        for frame, ts_recv in early:
            self.session.on_frame(frame, ts_recv)

    def _sample_next(self, now: float) -> None:
        """Measure the next frame's way to the bus, twice a second at most: others cost nothing."""
        if now >= self._sample_at and self.on_frame == self.session.on_frame:
            self._sample_at, self.on_frame = now + SAMPLE_SECONDS, self._sample_frame

    def _sample_frame(self, frame: bytes, ts_recv: int) -> None:
        """Pass on one frame and measure how long its events take to the bus; the next frames pass by this."""
        self.on_frame = self.session.on_frame
        kinds = {kind_of(command) for command in self.session.on_sampled_frame(frame, ts_recv)}
        if kinds:  # the lane writes at the end of this iteration of the loop, which was planned before this
            asyncio.get_running_loop().call_soon(self._parts.session.publisher.on_written, kinds, ts_recv)

    def _note_frames(self) -> None:
        """Pass on to the watchdog what came since the last time: what it would do with each frame is the same."""
        if self.session.take_frame():
            self._watchdog.on_frame()
        for route in self.session.take_seen():
            self._watchdog.on_event(route.kind, route.symbol)

    async def _subscribe(self, socket: Socket, plan: ConnectionPlan) -> None:
        for request in plan.requests:
            if request.frame:
                self._watchdog.on_sent(request)
                await self._send(socket, request.frame)
                await clock.sleep(self._policy.pace)
            await self._pass_gate(request)
        self._subscribed = True

    async def _pass_gate(self, request: SubscribeRequest) -> None:
        """Wait for the answer of a request that the next ones depend on; the watchdog limits how long."""
        while request.gate and not self._watchdog.answered(request):
            await clock.sleep(GATE_PAUSE)

    async def _ping(self, socket: Socket) -> None:
        while (ping := self.plan.ping or self._policy.ping) is not None:
            await clock.sleep(self._policy.ping_every)
            await (socket.ping() if ping == PING_FRAME else self._send(socket, ping))

    async def _send(self, socket: Socket, frame: str) -> None:
        stamp = self._venue.stamp
        await socket.send(frame if stamp is None else stamp(frame, clock.now_ns()))

    async def _until_closed(self, socket: Socket) -> None:
        raise ConnectionLostError(await socket.wait_closed())

    async def _keep(self) -> None:
        """Every tick: judge the connection, fetch the seeds that are due, publish the books that changed."""
        books = self.session.books
        while True:
            await clock.sleep(TICK)
            now = clock.monotonic()
            if not self._parts.resumed.is_set():
                raise ConnectionLostError(PAUSED)
            if self._renew is not None:
                raise ConnectionLostError(self._renew)
            if self._subscribed and self._watchdog.acked and not self.ready:
                self.ready = True
                self._parts.on_change(None)
                self.session.confirmed(ts=clock.now_ns())
            self._note_frames()
            self._sample_next(now)
            for verdict in self._watchdog.verdicts(now):
                if isinstance(verdict, Lost):
                    self._silent_since = _since(verdict.seconds)
                    raise ConnectionLostError(verdict.reason)
                self._on_stale(verdict)
            for instrument in books.take_due(now=now, subscribed=self._watchdog.is_book_subscribed):
                self._spawn(self._seed(instrument))
            self._audit_next(now)
            for wanted in self.session.filler.take_due():
                self._spawn(self._fill(wanted))
            late = books.find_overdue(now=now)
            if late is not None:
                raise ConnectionLostError(f"{late}: no snapshot after a fresh subscription")
            self.session.tick(ts=clock.now_ns(), now=now)

    async def _seed(self, instrument: Instrument) -> None:
        """Request a snapshot: on the socket where the venue answers there, by REST otherwise."""
        make_request = self._venue.book_request
        if make_request is not None and self._socket is not None:
            frame = make_request(instrument)
            if frame is None:
                self.on_resync(instrument.symbol)
                return
            self.session.books.on_snapshot_requested(instrument.symbol, now=clock.monotonic())
            await self._send(self._socket, frame)
            return
        reason: str | None = None
        try:
            answer = await self._parts.rest.find_depth(instrument)
        except (VenueError, *UNDECODABLE) as error:
            reason = str(error) or type(error).__name__
            answer = DepthAnswer(instrument, None, clock.now_ns(), self.session.simulated)
        reason = self.session.on_snapshot(answer, now=clock.monotonic()) or reason
        if reason is not None:
            _log.warning("feed.no_snapshot", venue=instrument.venue, symbol=instrument.symbol, reason=reason)

    def _audit_next(self, now: float) -> None:
        """Begin the audit of the book whose turn it is, if any."""
        auditor = self.session.auditor
        symbol = None if auditor is None else auditor.choose(self._parts.audits, now=now)
        if symbol is not None:
            self._spawn(self._audit(self.session.books.held[symbol].instrument))

    async def _audit(self, instrument: Instrument) -> None:
        self.session.start_audit(instrument.symbol, ts=clock.now_ns())
        if self.session.auditor is not None:
            await clock.sleep(self.session.auditor.lead)
        try:
            answer = await self._parts.rest.find_audit(instrument)
        except VenueError as error:
            _log.info("feed.no_audit", venue=instrument.venue, symbol=instrument.symbol, reason=str(error))
            answer = DepthAnswer(instrument, None, clock.now_ns(), self.session.simulated, audit=True)
        self.session.on_audit(answer, now=clock.monotonic())

    async def _fill(self, wanted: Wanted) -> None:
        """Fetch the trades that a cut or a hole hid, until all are there or no more can be had."""
        history, instrument = self._venue.rest.history, wanted.instrument
        while history is not None and not wanted.is_done:
            call = wanted.call(history)
            await clock.sleep(wanted.pause)
            while not wanted.is_done and (seconds := self._fills.take(call.weight, now=clock.monotonic())) > 0:
                await clock.sleep(seconds)
            if wanted.is_done:  # the stream showed another end of the hole meanwhile
                return
            try:
                answer = await self._parts.rest.find_trades(instrument, call)
            except VenueError as error:
                _log.info("feed.no_trades", venue=instrument.venue, symbol=instrument.symbol, reason=str(error))
                answer = TradesAnswer(instrument, None, clock.now_ns(), self.session.simulated)
            if not wanted.is_done:  # else the answer would be taken for one of the next hole's
                self.session.on_trades(answer)

    async def _send_all(self, socket: Socket, frames: tuple[str, ...]) -> None:
        for frame in frames:
            await self._send(socket, frame)
            await clock.sleep(self._policy.pace)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            if self._tasks is not None:
                self._tasks.create_task(job)
                return
        except RuntimeError:  # the connection is being closed: its group takes no more
            pass
        job.close()

    def _on_answered(self, answered: Answered) -> None:
        for key in self._watchdog.on_answered(answered.ref, answered.keys):
            self._on_refused(Refused(key, "the venue left it out of its answer"))

    def _on_refused(self, refused: Refused) -> None:
        keys = self._watchdog.on_refused(refused.ref, refused.reason)
        _log.error("feed.refused", venue=self._venue.id, keys=sorted(keys)[:10], reason=refused.reason)
        for item in self.plan.subscriptions:
            if item.key in keys:
                symbol = item.instrument.symbol if item.instrument else None
                self.session.publish_state(
                    "down", channel=item.channel, symbol=symbol, reason=f"refused: {refused.reason}"
                )

    def _on_stale(self, stale: Stale) -> None:
        item = stale.subscription
        symbol = item.instrument.symbol if item.instrument else None
        self._renew = f"{item.key}: silent for {stale.seconds:.0f} s"
        since = _since(stale.seconds)
        self.session.silent(item.channel, symbol, ts=clock.now_ns(), reason=self._renew, since=since)

    def _on_lost(self, reason: str) -> None:
        if self.connected:
            self.reconnects += 1
        self.connected = self.ready = False
        self._note_frames()
        since, self._silent_since = self._silent_since, None
        self.session.close(ts=clock.now_ns(), reason=reason, since=since)
        self._parts.on_change(reason)


def _since(seconds: float | None) -> int | None:
    """Return when (ns UTC) a silence of so many seconds began."""
    return None if seconds is None else clock.now_ns() - round(seconds * 1e9)


def _first_reason(group: BaseExceptionGroup[Any]) -> str:
    first: BaseException = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _first_reason(cast("BaseExceptionGroup[Any]", first))
    return str(first) or type(first).__name__
