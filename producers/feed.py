"""The one socket loop: connect, subscribe and verify, watch, decode, publish, report gaps, back off, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec
import structlog

from contracts.errors import FrameError, VenueError
from contracts.instrument import Instrument
from contracts.market import FeedState
from producers.desk import BookDesk, BookPace
from producers.outbox import Outbox
from producers.rest import RestClient
from producers.socket import OpenSocket, Socket, SocketError, SocketLimits
from producers.tape import Tape
from producers.venue import (
    BOOK,
    Ack,
    Closing,
    ConnectionPlan,
    Decoded,
    Decoder,
    LastTrade,
    Proof,
    Refused,
    Reply,
    Venue,
)
from producers.watch import Lost, Patience, Stale, Watch
from runtime import clock
from runtime.retry import Policy, delays

_log = structlog.get_logger("feed")
TICK: Final = 0.1
GATE_PAUSE: Final = 0.02
LASTED: Final = 20.0
RECONNECT: Final = Policy(attempts=None, timeout=None, wait_initial=0.2, wait_max=30.0, jitter=0.5)
UNDECODABLE: Final = (FrameError, msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError)


class ConnectionLostError(Exception):
    """The connection is given up; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedParts:
    """What a feed works with; all of it is handed in. `on_undecodable(frame, error)` keeps what could not be read."""

    venue: Venue
    find: Callable[[str], Instrument]
    outbox: Outbox
    rest: RestClient
    open_socket: OpenSocket
    on_undecodable: Callable[[bytes, Exception], None]
    on_change: Callable[[str | None], None]  # `ready` changed, for this reason
    connect_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    pace: BookPace = field(default_factory=BookPace)


class Feed:
    """Holds one connection of a venue. `ready`: open and every subscription answered."""

    def __init__(self, plan: ConnectionPlan, parts: FeedParts) -> None:
        self.plan = plan
        self.connected = False
        self.ready = False
        self.simulated = parts.rest.simulated
        self.reconnects = 0
        self.undecodable = 0
        self._parts = parts
        self._patience = Patience()
        self._tape = Tape()
        self._watch = Watch(plan, parts.venue.policy, self._patience, now=clock.monotonic())
        self._desk = BookDesk(parts.venue.book, parts.pace, parts.outbox.publish, self._on_book_state)
        self._policy = parts.venue.policy
        self._decoder: Decoder | None = None
        self._last_decoder: Decoder | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._socket: Socket | None = None
        self._renew: str | None = None
        self._live: set[str] = set()
        self._silent: set[tuple[str, str]] = set()
        self._subscribed = False
        self._books = [item.instrument for item in plan.subscriptions if item.channel == BOOK and item.instrument]
        self._channels = sorted({item.channel for item in plan.subscriptions})
        speaking = {item.channel for item in plan.subscriptions if item.silence is not None}
        self._quiet = [channel for channel in self._channels if channel not in speaking]
        self._controls: dict[str, Callable[[Any], None]] = {
            "ack": self._on_ack,
            "refused": self._on_refused,
            "pong": lambda _pong: None,
            "reply": self._on_reply,
            "closing": self._on_closing,
            "last_trade": self._on_last_trade,
            "proof": self._on_proof,
        }

    async def run(self) -> None:
        """Hold the connection for ever; ends only by cancellation."""
        waits = delays(RECONNECT)
        while True:
            opened = clock.monotonic()
            held = 0.0
            try:
                self._tell_all("connecting", None)
                socket = await self._open()
                opened = clock.monotonic()
                await self._hold(socket)
            except (SocketError, ConnectionLostError) as error:
                held = clock.monotonic() - opened if self.connected else 0.0
                self._on_lost(str(error))
                if held >= LASTED:
                    waits = delays(RECONNECT)
                delay = next(waits)
                _log.warning("feed.down", venue=self._parts.venue.id, feed=self.plan.name, reason=str(error),
                             retry_in=round(delay, 1))  # fmt: skip
                await clock.sleep(delay)

    def on_bus_reconnect(self) -> None:
        """Publish every live book again, whatever became of the last one."""
        self._desk.tick(now=clock.monotonic(), force=True)

    async def _open(self) -> Socket:
        parts, venue = self._parts, self._parts.venue
        async with parts.connect_turn:
            await clock.sleep(venue.policy.connect_pace)
        url, self._policy = self.plan.url, venue.policy
        if venue.ticket is not None:
            try:
                body = await parts.rest.fetch(venue.ticket.call(self.plan))
                url, self._policy = venue.ticket.admit(self.plan, venue.policy, body)
            except (VenueError, *UNDECODABLE) as error:
                raise SocketError(f"no ticket: {error}") from error
        limits = SocketLimits(max_frame_bytes=venue.policy.max_frame_bytes)
        return await parts.open_socket(url, self._on_frame, limits, self.plan.headers)

    async def _hold(self, socket: Socket) -> None:
        """Serve an open socket until it is lost (ConnectionLostError says why)."""
        now = clock.monotonic()
        venue = self._parts.venue
        self._socket, self._renew, self.connected, self.simulated = socket, None, True, socket.simulated
        plan = self.plan
        if venue.resume is not None and self._last_decoder is not None:
            plan = venue.resume(plan, self._last_decoder)
        self._watch = Watch(plan, self._policy, self._patience, now=now)
        self._live.clear()
        self._subscribed = False
        self._tape.forget()
        self._desk.simulated = socket.simulated
        self._desk.open(self._books, now=now)
        self._decoder = self._last_decoder = venue.decoder(plan.market, self._parts.find, sim=socket.simulated)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for job in (
                    self._subscribe(socket, plan),
                    self._keep(),
                    self._ping(socket),
                    self._until_closed(socket),
                ):
                    tasks.create_task(job)
        except* (SocketError, ConnectionLostError, OSError) as group:
            raise ConnectionLostError(_first_reason(cast("BaseExceptionGroup[Any]", group))) from group
        finally:
            self._decoder = self._tasks = self._socket = None
            await asyncio.shield(_closed(socket))

    async def _subscribe(self, socket: Socket, plan: ConnectionPlan) -> None:
        for request in plan.requests:
            self._watch.on_sent(request)
            await self._send(socket, request.frame)
            await clock.sleep(self._policy.pace)
            while request.gate and not self._watch.answered(request):
                await clock.sleep(GATE_PAUSE)
        self._subscribed = True

    async def _ping(self, socket: Socket) -> None:
        while (ping := self.plan.ping or self._policy.ping) is not None:
            await clock.sleep(self._policy.ping_every)
            await self._send(socket, ping)

    async def _send(self, socket: Socket, frame: str) -> None:
        stamp = self._parts.venue.stamp
        await socket.send(frame if stamp is None else stamp(frame, clock.now_ns()))

    async def _until_closed(self, socket: Socket) -> None:
        raise ConnectionLostError(await socket.wait_closed())

    async def _keep(self) -> None:
        """Every tick: judge the connection, fetch the seeds that are due, publish the books that changed."""
        while True:
            await clock.sleep(TICK)
            now = clock.monotonic()
            if self._renew is not None:
                raise ConnectionLostError(self._renew)
            if self._subscribed and self._watch.acked and not self.ready:
                self._on_ready()
            for verdict in self._watch.verdicts(now):
                if isinstance(verdict, Lost):
                    raise ConnectionLostError(verdict.reason)
                self._on_stale(verdict)
            for instrument in self._desk.wanted(now=now):
                self._spawn(self._seed(instrument))
            late = self._desk.overdue(now=now)
            if late is not None:
                raise ConnectionLostError(f"{late}: no snapshot after a fresh subscription")
            self._desk.tick(now=now)

    async def _seed(self, instrument: Instrument) -> None:
        """Ask for a snapshot: on the socket where the venue answers there, by REST otherwise."""
        ask = self._parts.venue.book_request
        if ask is not None and self._socket is not None:
            self._desk.on_asked(instrument.symbol, now=clock.monotonic())
            await self._send(self._socket, ask(instrument))
            return
        snapshot: Decoded | None = None
        try:
            snapshot = await self._parts.rest.find_depth(instrument)
        except (VenueError, *UNDECODABLE) as error:
            _log.warning("feed.no_snapshot", venue=instrument.venue, symbol=instrument.symbol, reason=str(error))
        if not self._desk.on_snapshot(instrument, snapshot, now=clock.monotonic()):
            self._reseed(instrument.symbol)

    def _reseed(self, symbol: str) -> None:
        """Get a fresh pushed snapshot: by a new subscription where the venue has one, else by a new connection."""
        again = self._parts.venue.resubscribe
        item = next((i for i in self.plan.subscriptions if i.instrument and i.instrument.symbol == symbol
                     and i.channel == BOOK), None)  # fmt: skip
        if again is None or item is None or self._socket is None:
            self._renew = f"{symbol}: the book needs a new connection"
            return
        self._desk.on_resubscribed(symbol, now=clock.monotonic())
        self._spawn(self._send_all(self._socket, again(item)))

    async def _send_all(self, socket: Socket, frames: tuple[str, ...]) -> None:
        for frame in frames:
            await self._send(socket, frame)
            await clock.sleep(self._policy.pace)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        if self._tasks is None:
            job.close()
        else:
            self._tasks.create_task(job)

    # ---- frames
    def _on_frame(self, frame: bytes) -> None:
        decoder, ts_recv = self._decoder, clock.now_ns()
        if decoder is None:
            return
        watch = self._watch
        watch.on_frame()
        try:
            items = decoder.decode(frame, ts_recv)
        except UNDECODABLE as error:
            self.undecodable += 1
            self._parts.on_undecodable(frame, error)
            return
        for item in items:
            kind: str = item.kind
            control = self._controls.get(kind)
            if control is not None:
                control(item)
                continue
            watch.on_event(kind, item.symbol)
            self._on_event(kind, item)

    def _on_event(self, kind: str, event: Decoded) -> None:
        if kind not in self._live:
            self._on_first(kind)
        if kind == "delta":
            self._parts.outbox.publish(event)
            self._fold_book(event)
        elif kind == "book":
            self._fold_book(event)
        else:
            if kind == "trade":
                self._tape.on_trade(event.symbol, event.trade_id)
            self._parts.outbox.publish(event)
            if self._silent and (kind, event.symbol) in self._silent:
                self._silent.discard((kind, event.symbol))
                self._tell("live", channel=kind, symbol=event.symbol, reason="speaks again")

    def _fold_book(self, event: Decoded) -> None:
        if not self._desk.on_event(event, now=self._watch.now):
            self._reseed(event.symbol)

    def _on_first(self, kind: str) -> None:
        """First data of a channel on this connection: it is live (books say so one by one)."""
        self._live.add(kind)
        if kind not in {"delta", "book"} and kind in self._channels:
            self._tell("live", channel=kind, symbol=None, reason=None)

    def _on_ready(self) -> None:
        """Every subscription was answered: channels on which silence is normal are live with that."""
        self.ready = True
        self._parts.on_change(None)
        for channel in self._quiet:
            if channel not in self._live:
                self._on_first(channel)

    # ---- controls
    def _on_ack(self, ack: Ack) -> None:
        self._watch.on_ack(ack.ref)

    def _on_refused(self, refused: Refused) -> None:
        keys = self._watch.on_refused(refused.ref, refused.reason)
        _log.error("feed.refused", venue=self._parts.venue.id, keys=sorted(keys)[:10], reason=refused.reason)
        for item in self.plan.subscriptions:
            if item.key in keys:
                symbol = item.instrument.symbol if item.instrument else None
                self._tell("down", channel=item.channel, symbol=symbol, reason=f"refused: {refused.reason}")

    def _on_reply(self, reply: Reply) -> None:
        if self._socket is not None:
            self._spawn(self._send(self._socket, reply.frame))

    def _on_closing(self, closing: Closing) -> None:
        self._watch.on_closing(closing.reason, closing.seconds)

    def _on_last_trade(self, beat: LastTrade) -> None:
        lost = self._tape.on_last_trade(beat.instrument.symbol, beat.trade_id)
        if lost is not None:
            self._tell("gap", channel="trade", symbol=beat.instrument.symbol, reason=lost)
            self._tell("live", channel="trade", symbol=beat.instrument.symbol, reason=None)

    def _on_proof(self, proof: Proof) -> None:
        method = self._parts.venue.checksum
        if method is not None and not self._desk.on_proof(proof, method, now=self._watch.now):
            self._reseed(proof.instrument.symbol)

    # ---- states
    def _on_stale(self, stale: Stale) -> None:
        item = stale.subscription
        symbol = item.instrument.symbol if item.instrument else None
        reason = f"{item.key}: silent for {stale.seconds:.0f} s"
        self._tell("stale", channel=item.channel, symbol=symbol, reason=reason)
        if item.channel == BOOK and symbol is not None:
            self._desk.on_silence(symbol)
        elif symbol is not None:
            self._silent.add((item.channel, symbol))
        self._renew = reason

    def _on_book_state(self, symbol: str, state: FeedState, reason: str | None) -> None:
        self._tell(state, channel=BOOK, symbol=symbol, reason=reason)
        if state == "live" and self._desk.all_live:
            self._tell("live", channel=BOOK, symbol=None, reason=None)

    def _on_lost(self, reason: str) -> None:
        if self.connected:
            self.reconnects += 1
        self.connected = self.ready = False
        self._desk.lost()
        self._tell_all("down", reason)
        self._parts.on_change(reason)

    def _tell_all(self, state: FeedState, reason: str | None) -> None:
        for channel in self._channels:
            self._tell(state, channel=channel, symbol=None, reason=reason)

    def _tell(self, state: FeedState, *, channel: str, symbol: str | None, reason: str | None) -> None:
        self._parts.outbox.tell(state, channel=channel, symbol=symbol, reason=reason, sim=self.simulated)


async def _closed(socket: Socket) -> None:
    try:
        async with asyncio.timeout(2.0):
            await socket.close()
    except (TimeoutError, OSError) as error:
        _log.warning("feed.close_incomplete", reason=str(error) or type(error).__name__)


def _first_reason(group: BaseExceptionGroup[Any]) -> str:
    first: BaseException = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _first_reason(cast("BaseExceptionGroup[Any]", first))
    return str(first) or type(first).__name__
