"""What one connection's frames become: decoded, published, folded into books; its channels' states are published.

It opens no socket and reads no clock, so that live feeds and replays run the very same code.

A few lines over the usual length of a file: its inputs are many small functions that change the same few facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from contracts.instrument import Instrument
from contracts.market import FeedState
from producers.connection.auditing import Auditor
from producers.connection.filling import TradeFiller
from producers.connection.frames import UNDECODABLE, FrameReader
from producers.connection.identity import Identity
from producers.connection.interfaces import ConnectionEvents, DepthAnswer, Recorder, TradesAnswer
from producers.connection.publisher import Publisher
from producers.connection.trade_gaps import CountedTrades, Hole
from producers.normalize.events import Makers, book_maker
from producers.normalize.messages import Message, Route
from producers.normalize.seeds import write_proof, write_seed
from producers.venue import (
    BOOK,
    TRADE,
    ConnectionPlan,
    Decoded,
    Decoder,
    Gap,
    LastTrade,
    Proof,
    Unreadable,
    Venue,
)
from runtime.book.books import BookPace, Books
from runtime.nats.lanes.message import Parts

_BOOK_KINDS: Final = ("delta", "book")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """What a session works with. `on_undecodable(frame, error)` keeps what could not be read."""

    venue: Venue
    find: Callable[[str], Instrument]
    publisher: Publisher
    on_undecodable: Callable[[bytes, Exception], None]
    pace: BookPace
    recorder: Recorder | None = None
    books_elsewhere: bool = False  # only the continuity of books is judged here; another process keeps them


class Session:
    """One connection's state, started again by `open`. Times `now` are seconds of one monotonic clock."""

    def __init__(self, plan: ConnectionPlan, parts: SessionParts, connection: ConnectionEvents) -> None:
        self.plan = plan
        self.identity = Identity(plan)
        self.simulated = False
        self.undecodable = 0
        self.decoder: Decoder | None = None
        self.books = Books(
            parts.venue.book,
            parts.pace,
            parts.publisher.publish,
            self._on_book_state,
            make=book_maker,
            on_resync=connection.on_resync,
            on_seed=self._on_seed,
            kept=not parts.books_elsewhere,
        )
        auditable = parts.venue.rest.audit_call is not None and not parts.books_elsewhere
        self.auditor = Auditor(self.books, self._on_audited) if auditable else None
        self._audits = {} if self.auditor is None else self.auditor.under_way
        self._parts = parts
        self._write = parts.publisher.write
        self._connection = connection
        self._recorder = parts.recorder
        self._trades = CountedTrades(parts.venue.trades_counted)
        self.filler = TradeFiller(parts.venue, parts.find, parts.publisher.publish, self._on_filled)
        self._watched = self.filler.watched
        self._frame: bytes | None = None  # the last one; None as soon as the connection knows that one came
        self._live: set[str] = set()
        self._states: dict[tuple[str, str | None], FeedState] = {}  # as they were said last
        self._routes: dict[Route, bool] = {}  # of this connection; whether its symbol is ours to publish
        self._silent: set[tuple[str, str]] = set()
        self._followed = plan.books
        self._channels = sorted({item.channel for item in plan.subscriptions})
        watched = {item.channel for item in plan.subscriptions if item.silence is not None}
        self._quiet = [channel for channel in self._channels if channel not in watched]
        self._own: dict[str, Callable[[Any], None]] = {
            "book": self._on_whole_book,
            "last_trade": self._on_last_trade,
            "proof": self._on_proof,
            "gap": self._on_gap,
            "trade_span": lambda span: self._trades.on_span(span.first, span.last),
            "unreadable": self._on_unreadable,
        }
        self._reader: FrameReader | None = None  # while the connection is open
        self._decode: Callable[[bytes, int], Sequence[Decoded]]
        self._ts = 0
        self._now = 0.0

    def open(self, *, ts: int, now: float, sim: bool) -> None:
        """Begin a connection: nothing of the last one is kept."""
        if self._recorder is not None:
            self._recorder.on_open(self.plan.name, ts, sim=sim)
        self.simulated, self._ts, self._now = sim, ts, now
        self._live.clear()
        self.take_seen()
        self._routes.clear()
        self._trades.forget_span()
        self.books.simulated = sim
        self.books.open(self._followed, now=now)
        last, venue = self.decoder, self._parts.venue
        self.decoder = venue.decoder(self.plan.market, self._parts.find, makers=Makers(sim=sim, written=True))
        if venue.inherit is not None:
            venue.inherit(self.decoder, last)
        self._decode = self.decoder.decode
        self._reader = FrameReader(self.decoder, venue.rows)

    def on_frame(self, frame: bytes, ts_recv: int) -> None:
        """Decode one frame, publish its events and fold its books."""
        if self._reader is None:  # it is closed
            return
        if self._recorder is not None:
            self._recorder.on_frame(self.plan.name, ts_recv, frame)
        self._ts, self._frame = ts_recv, frame
        try:
            items = self._decode(frame, ts_recv)
        except UNDECODABLE as error:
            items = self._reader.read_rows(frame, ts_recv, error)
        for item in items:
            if type(item) is Message:
                route = item.route
                route.count += 1
                route.keep(item)
                if route.plain:
                    self._write(item.parts)
                else:
                    self._on_message(item)
            else:
                self._on_other(item)

    def on_sampled_frame(self, frame: bytes, ts_recv: int) -> list[bytes]:
        """As `on_frame`; returns the command (`PUB md.v1.trade.… `) of each event that it published."""
        write, commands = self._write, list[bytes]()

        def note(parts: Parts) -> None:
            commands.append(parts[0])
            write(parts)

        self._write = note
        try:
            self.on_frame(frame, ts_recv)
        finally:
            self._write = write
        return commands

    def on_snapshot(self, answer: DepthAnswer, *, now: float) -> str | None:
        """Fold a REST snapshot; returns the reason where its body could not be read."""
        if self._recorder is not None:
            self._recorder.on_snapshot(self.plan.name, answer.ts_recv, answer)
        self._ts, self._now, reason = answer.ts_recv, now, None
        snapshot: Decoded | None = None
        if answer.body is not None:
            try:
                decode = self._parts.venue.rest.decode_depth
                snapshot = decode(answer.body, answer.instrument, answer.ts_recv, sim=answer.simulated)
            except UNDECODABLE as error:
                reason = str(error) or type(error).__name__
        self.books.on_snapshot(answer.instrument, snapshot, now=now)
        return reason

    def start_audit(self, symbol: str, *, ts: int) -> None:
        """Compare a live book with a snapshot that is being fetched."""
        if self._recorder is not None:
            self._recorder.on_mark(self.plan.name, ts, "audit", {"symbol": symbol})
        if self.auditor is not None:
            self.auditor.start(symbol, ts=ts)

    def on_audit(self, answer: DepthAnswer, *, now: float) -> None:
        """Take the snapshot that a live book is compared with."""
        if self._recorder is not None:
            self._recorder.on_snapshot(self.plan.name, answer.ts_recv, answer)
        self._ts, self._now = answer.ts_recv, now
        snapshot: Decoded | None = None
        if answer.body is not None:
            with suppress(*UNDECODABLE):  # as if it had not come: nothing is said of the book
                decode = self._parts.venue.rest.decode_depth
                snapshot = decode(answer.body, answer.instrument, answer.ts_recv, sim=answer.simulated)
        if self.auditor is not None:
            self.auditor.on_snapshot(answer.instrument.symbol, snapshot, ts=answer.ts_recv, now=now)

    def on_trades(self, answer: TradesAnswer) -> None:
        """Take past trades, which a cut or a hole hid."""
        if self._recorder is not None:
            self._recorder.on_trades(self.plan.name, answer.ts_recv, answer)
        self._ts = answer.ts_recv
        self.filler.on_answer(answer)

    def tick(self, *, ts: int, now: float, again: bool = False) -> None:
        """Publish the books that changed, at most once an interval; with `again` every live one."""
        self._ts, self._now = ts, now
        acted = self.books.tick(ts=ts, now=now, force=again)
        if self.auditor is not None:
            acted = self.auditor.tick(ts=ts, now=now, live=self._state_of(BOOK) == "live") or acted
        if acted and self._recorder is not None:
            self._recorder.on_mark(self.plan.name, ts, "again" if again else "tick", {})

    def silent(self, channel: str, symbol: str | None, *, ts: int, reason: str, since: int | None = None) -> None:
        """A channel is silent though the connection answers; `since` (ns UTC) is when something came last."""
        if self._recorder is not None:
            detail = {"channel": channel, "symbol": symbol, "reason": reason, "since": since}
            self._recorder.on_mark(self.plan.name, ts, "silent", detail)
        self._ts = ts
        if since is not None and channel == BOOK and symbol is not None and self.auditor is not None:
            since = max(since, self.auditor.proven.get(symbol, 0))  # until then it was quiet, and right
        self._publish_derived("stale", channel=channel, symbol=symbol, reason=reason, since=since)
        if symbol is not None and channel == BOOK:
            self.books.on_silence(symbol)
        elif symbol is not None:
            self._silent.add((channel, symbol))
            for route in self._routes:
                route.plain = False

    def close(self, *, ts: int, reason: str, since: int | None = None) -> None:
        """The connection is gone: no book is live; `since` (ns UTC): of a silent one, when a frame came last."""
        if self._recorder is not None:
            self._recorder.on_mark(self.plan.name, ts, "close", {"reason": reason, "since": since})
        self._ts, self._reader = ts, None
        if self._parts.books_elsewhere:
            for symbol in self.books.list_lost():
                self._publish_derived("gap", channel=BOOK, symbol=symbol, reason=reason)
        self.books.on_disconnect()
        if self.auditor is not None:
            self.auditor.close()
        self.filler.on_close()
        for channel in self._channels:
            self._publish_derived("down", channel=channel, symbol=None, reason=reason, since=since)

    def confirmed(self, *, ts: int) -> None:
        """Everything was confirmed: with that, channels on which silence is normal are live."""
        if self._recorder is not None:
            self._recorder.on_mark(self.plan.name, ts, "confirmed", {})
        self._ts = ts
        self.filler.on_confirmed(ts=ts)
        for channel in self._quiet:
            if channel not in self._live:
                self._on_first(channel)

    def publish_states(self, state: FeedState, reason: str | None) -> None:
        """Publish this state for every channel."""
        for channel in self._channels:
            self.publish_state(state, channel=channel, symbol=None, reason=reason)

    def publish_state(self, state: FeedState, *, channel: str, symbol: str | None, reason: str | None) -> None:
        """Publish the state of one channel, or of one instrument on it, for a reason outside of this session."""
        self._states[channel, symbol] = state
        self._publish_state(state, channel=channel, symbol=symbol, reason=reason)

    def _publish_derived(
        self, state: FeedState, *, channel: str, symbol: str | None, reason: str | None, since: int | None = None
    ) -> None:
        """Publish a state that follows from an input: a replay publishes it by itself."""
        self._states[channel, symbol] = state
        self._publish_state(state, channel=channel, symbol=symbol, reason=reason, ts=self._ts, since=since)

    def _publish_state(self, state: FeedState, **more: Any) -> None:
        self._parts.publisher.publish_state(state, sim=self.simulated, connection=self.identity, **more)

    def _state_of(self, channel: str, symbol: str | None = None) -> FeedState:
        """Return the state of a channel on this connection, or where that is live of an instrument on it."""
        state = self._states.get((channel, None), "live")
        return self._states.get((channel, symbol), state) if state == "live" else state

    def take_frame(self) -> bool:
        """Return whether any frame came since the last call."""
        came, self._frame = self._frame is not None, None
        return came

    def take_seen(self) -> list[Route]:
        """Count what was published since the last call; returns the routes of what came since then."""
        seen = [route for route in self._routes if route.count != route.noted]
        for route in seen:
            if self._routes[route]:
                self._parts.publisher.published[route.kind] += route.count - route.noted
            route.noted = route.count
        return seen

    def _on_message(self, item: Message) -> None:
        """Publish what is to be looked at: a channel's first data, a counted trade, a delta, an end of silence."""
        route, parts, detail = item.route, item.parts, item.detail
        kind, symbol = route.kind, route.symbol
        ours = self._routes.get(route)
        if ours is None:
            ours = self._on_first_of(route)
        if kind == "delta":
            if ours:
                self._write(parts)
            self.books.on_delta(symbol, detail, now=self._now)
            if self._audits and self.auditor is not None:
                self.auditor.on_delta(symbol, detail, ts=self._ts, now=self._now)
            return
        if kind == "trade":
            self._on_trade(item, route, ours=ours)
        else:
            if ours:
                self._write(parts)
            route.plain = ours and not self._silent
        if self._silent:
            self._on_data_again(kind, symbol)

    def _on_trade(self, item: Message, route: Route, *, ours: bool) -> None:
        """Publish a trade that is counted, the first one of a connection, or one after a cut or hole, unless again."""
        symbol, counted, hole = route.symbol, self._trades.counted is not None, None
        if counted:
            hole = self._trades.on_trade(symbol, *item.detail)
            self._on_lost_trades(symbol, hole)
        if ours and ((hole is None and symbol not in self._watched) or self.filler.on_trade(item, hole, ts=self._ts)):
            self._write(item.parts)
        route.plain = ours and not counted and not self._silent and symbol not in self._watched

    def _on_first_of(self, route: Route) -> bool:
        """Note an instrument's first event of a kind; returns whether its symbol is ours to publish."""
        if route.kind not in self._live:
            self._on_first(route.kind)
        ours = self._routes[route] = self._parts.publisher.is_ours(route.symbol)
        if ours and route.kind == TRADE:
            self.filler.on_route(route)
        return ours

    def _on_other(self, item: Any) -> None:
        """Take what is not published: a book that was asked for on the socket, or a control."""
        own = self._own.get(item.kind)
        if own is not None:
            own(item)
        else:
            self._connection.on_control(item)

    def _on_whole_book(self, book: Any) -> None:
        self._connection.on_event("book", book.symbol)
        if "book" not in self._live:
            self._on_first("book")
        self.books.on_whole(book.symbol, book, now=self._now)

    def _on_data_again(self, kind: str, symbol: str) -> None:
        """Publish that an instrument sends data again on a channel that was silent."""
        if (kind, symbol) in self._silent:
            self._silent.discard((kind, symbol))
            self._publish_derived("live", channel=kind, symbol=symbol, reason="data again")

    def _on_first(self, kind: str) -> None:
        """First data of a channel on this connection: it is live (books say so one by one)."""
        self._live.add(kind)
        if kind not in _BOOK_KINDS and kind in self._channels:
            self._publish_derived("live", channel=kind, symbol=None, reason=None)

    def _on_last_trade(self, beat: LastTrade) -> None:
        symbol = beat.instrument.symbol
        hole = self._trades.on_last(symbol, beat.trade_id)
        self._on_lost_trades(symbol, hole)
        if hole is not None:
            self.filler.on_heartbeat(symbol, hole, ts=self._ts)

    def _on_lost_trades(self, symbol: str, hole: Hole | None) -> None:
        if hole is not None:
            self._publish_derived("gap", channel="trade", symbol=symbol, reason=hole.reason)
            self._publish_derived("live", channel="trade", symbol=symbol, reason=None)

    def _on_unreadable(self, unreadable: Unreadable) -> None:
        self.undecodable += 1
        self._trades.forget_span()  # it may have been of the trade that could not be read
        self._parts.on_undecodable(unreadable.frame or self._frame or b"", unreadable.error)

    def _on_gap(self, gap: Gap) -> None:
        symbol = gap.instrument.symbol if gap.instrument is not None else None
        if gap.channel == BOOK:
            self.books.on_gap(symbol, gap.reason, now=self._now)
            return
        self._publish_derived("gap", channel=gap.channel, symbol=symbol, reason=gap.reason)
        self._publish_derived("live", channel=gap.channel, symbol=symbol, reason=None)
        if gap.channel == TRADE:
            self.filler.on_gap(symbol, gap.reason, ts=self._ts)
            for route in self._routes:
                route.plain = route.plain and route.symbol not in self._watched

    def _on_proof(self, proof: Proof) -> None:
        method = self._parts.venue.checksum
        if self._parts.books_elsewhere:
            seq = self.books.last_seq(proof.instrument.symbol)
            self._parts.publisher.publish(
                write_proof(proof.instrument, proof.checksum, seq, ts_recv=self._ts, sim=self.simulated)
            )
        elif method is not None:
            self.books.on_proof(proof.instrument.symbol, proof.checksum, method, now=self._now)

    def _on_seed(self, snapshot: Any, waiting: list[Any]) -> None:
        """Publish a snapshot that was asked for, for who keeps the book in our place."""
        if self._parts.books_elsewhere:
            for message in write_seed(snapshot, waiting):
                self._parts.publisher.publish(message)

    def _on_audited(self, found: list[str]) -> None:
        """Publish which books were found right, with the state of their channel as it is."""
        self._publish_state("live", channel=BOOK, symbol=None, reason=None, ts=self._ts, audited=found)

    def _on_filled(self, symbol: str, reason: str, filled: list[Any], missing: list[Any]) -> None:
        """Publish which of an instrument's trades were published later, and which are missing; its state stays."""
        ranges = {"filled": filled or None, "missing": missing or None}
        state = self._state_of(TRADE, symbol)
        self._publish_state(state, channel=TRADE, symbol=symbol, reason=reason, ts=self._ts, **ranges)

    def _on_book_state(self, symbol: str, state: FeedState, reason: str | None) -> None:
        self._publish_derived(state, channel=BOOK, symbol=symbol, reason=reason)
        if state == "live" and self.books.all_live:
            self._publish_derived("live", channel=BOOK, symbol=None, reason=None)
