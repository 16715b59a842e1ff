"""Books of every venue, kept from the deltas of the bus by the rules that producers give. Pure.

A book begins with a snapshot, which is asked for (`take_asks`), and so it does after a loss. `outputs` are the messages
to publish, in order: snapshots as the producer would publish them, and the states of their continuity.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contracts import codec, subjects
from contracts.instrument import escape_token
from contracts.market import BookEvidence, BookSnapshot, FeedState, FeedStatus
from contracts.services.feed import BookRuleReply
from runtime.app.fold import Fault, fold_each
from runtime.book.books import FAILED_PAUSES, BookPace, Books
from runtime.book.checksums import CHECKSUMS
from runtime.book.rule import BookRule
from runtime.nats.lanes.message import Parts, make_parts

CHANNEL: Final = "book"
MOST_WAITING: Final = 2000  # deltas of one instrument that wait for its venue's rule
STARTED: Final = "the books process follows it from now on"
_OWN: Final = ".feed.books."
_BY_ID: Final = "feed"
_EVIDENCE: Final = codec.fast(BookEvidence)
_SNAPSHOT: Final = codec.fast(BookSnapshot)
_STATUS: Final = codec.fast(FeedStatus)
_STATUS_SCHEMA: Final = codec.schema_of(FeedStatus)


@dataclass(frozen=True, slots=True)
class Followed:
    """The names of an instrument whose deltas came."""

    venue: str
    symbol: str
    venue_symbol: str | None
    tail: str


@dataclass(slots=True)
class _Unknown:
    """An instrument of a venue whose rule is not known yet."""

    followed: Followed
    request_at: float
    attempts: int = 0
    deltas: deque[Any] = field(default_factory=lambda: deque[Any](maxlen=MOST_WAITING))


@dataclass(slots=True)
class _Venue:
    """The books of one venue; `silent`: states that a producer has published itself are not published again."""

    said: BookRuleReply
    books: Books[Followed]
    followed: dict[str, Followed] = field(default_factory=dict[str, Followed])
    silent: bool = False


class KeptBooks:
    """Every book. Times `now` are seconds of one monotonic clock, `ts` ns UTC."""

    def __init__(self, pace: BookPace, clock_ns: Callable[[], int]) -> None:
        self.outputs: list[Parts] = []
        self.counts: Counter[str] = Counter()
        self._pace = pace
        self._clock_ns = clock_ns
        self._venues: dict[str, _Venue] = {}
        self._unknown: dict[tuple[str, str], _Unknown] = {}
        self._statuses = 0

    # ---- what comes from the bus
    def fold(self, batch: Iterable[tuple[str, Any]], *, now: float) -> Sequence[Fault]:
        """Fold deltas and feed states in the order in which they were published."""

        def one(subject: str, event: Any) -> None:
            if event.kind == _BY_ID:
                self._on_status(event, now)
            else:
                self._on_delta(subject, event, now)

        return fold_each(batch, one)

    def on_missed(self, reason: str, *, now: float) -> None:
        """Something was lost on the way, it is not known of which: every book needs a snapshot."""
        for unknown in self._unknown.values():
            unknown.deltas.clear()
        for venue in self._venues.values():
            venue.books.on_gap(None, reason, now=now)

    def on_unreadable(self, subject: str, reason: str, *, now: float) -> None:
        """A delta could not be read: its book needs a snapshot."""
        tail = subject.removeprefix(subjects.DELTA)
        for venue in self._venues.values():
            for followed in venue.followed.values():
                if followed.tail == tail:
                    venue.books.on_gap(followed.symbol, reason, now=now)

    def _on_delta(self, subject: str, delta: Any, now: float) -> None:
        self.counts["deltas"] += 1
        venue = self._venues.get(delta.venue)
        followed = None if venue is None else venue.followed.get(delta.symbol)
        if followed is None:
            tail = subject.removeprefix(subjects.DELTA)
            followed = Followed(delta.venue, delta.symbol, delta.venue_symbol, tail)
        if venue is None:
            found = self._unknown.get((delta.venue, delta.symbol))
            if found is None:
                found = self._unknown[delta.venue, delta.symbol] = _Unknown(followed, now)
            found.deltas.append(delta)
            return
        if delta.symbol not in venue.followed or venue.books.simulated != delta.sim:
            self._follow(venue, followed, sim=delta.sim, now=now)
        self._fold_one(venue, followed, delta, now)

    def _follow(self, venue: _Venue, followed: Followed, *, sim: bool, now: float) -> None:
        """Begin a book; with the first simulated event of a venue that was none, or the other way, every one of it."""
        begun = [followed]
        venue.followed[followed.symbol] = followed
        if venue.books.simulated != sim:
            venue.books.simulated = sim
            begun = list(venue.followed.values())
        venue.books.open(begun, now=now)
        for one in begun:
            self._publish_state(one.venue, one.symbol, "gap", STARTED, sim=sim)

    def _fold_one(self, venue: _Venue, followed: Followed, delta: Any, now: float) -> None:
        books, symbol = venue.books, followed.symbol
        if type(delta) is not _EVIDENCE:
            books.on_delta(symbol, delta, now=now)
        elif delta.venue_checksum is not None:
            method = CHECKSUMS.get(venue.said.checksum or "")
            if method is not None:
                books.on_proof(symbol, delta.venue_checksum, method, now=now)
        elif delta.requested:
            books.on_snapshot(followed, delta, now=now)
        elif venue.said.chain == "none" or self._is_newer(books, delta):
            books.on_delta(symbol, delta, now=now)

    def _is_newer(self, books: Books[Followed], repeated: Any) -> bool:
        """Whether a delta that was published again is one that the book lacks."""
        last = books.last_seq(repeated.symbol)
        return last is not None and repeated.seq is not None and repeated.seq > last

    def _on_status(self, status: Any, now: float) -> None:
        venue = self._venues.get(status.venue)
        if venue is None or status.channel not in {None, CHANNEL} or _OWN in status.id:
            return
        venue.silent = True
        if status.symbol is None:
            if status.channel is None and status.state in {"gap", "down"}:
                venue.books.on_gap(None, status.state, now=now)
        elif status.state == "stale":
            venue.books.on_silence(status.symbol)
        elif status.channel is None and status.state == "down":
            venue.followed.pop(status.symbol, None)
            venue.books.close(status.symbol)
        elif status.state in {"gap", "down"}:
            venue.books.on_gap(status.symbol, status.state, now=now)
        venue.silent = False

    # ---- snapshots
    def take_asks(self, *, now: float) -> list[tuple[str, str]]:
        """Return the (venue, symbol) of the books whose snapshot is to be asked for now; each needs its `on_reply`."""
        asks: list[tuple[str, str]] = []
        first = {key[0]: key for key in reversed(self._unknown)}  # one of a venue is enough to learn its rule
        for key in first.values():
            unknown = self._unknown[key] = self._unknown.pop(key)  # now the last one
            if now >= unknown.request_at:
                pause = FAILED_PAUSES[min(unknown.attempts, len(FAILED_PAUSES) - 1)]
                unknown.request_at, unknown.attempts = now + pause, unknown.attempts + 1
                asks.append(key)
        for venue in self._venues.values():
            asks += [(followed.venue, followed.symbol) for followed in venue.books.take_due(now=now)]
        self.counts["asked"] += len(asks)
        return asks

    def on_reply(self, venue_id: str, symbol: str, rule: BookRuleReply | None, *, now: float) -> None:
        """Take what came of asking: the venue's rule, or None where nobody replied, and it is asked again."""
        venue = self._venues.get(venue_id)
        if rule is not None and (venue is None or venue.said != rule):
            venue = self._learn(venue_id, venue, rule, now)
        followed = None if venue is None else venue.followed.get(symbol)
        if venue is None or followed is None:
            return
        if rule is None:
            venue.books.on_snapshot(followed, None, now=now)
        else:
            venue.books.on_snapshot_requested(symbol, now=now)

    def _learn(self, venue_id: str, old: _Venue | None, rule: BookRuleReply, now: float) -> _Venue:
        """Begin the books of a venue, with what came of it until now."""
        made = self._venues[venue_id] = _Venue(rule, self._make_books(venue_id, rule))
        made.books.simulated = old is not None and old.books.simulated
        for followed in () if old is None else old.followed.values():
            self._follow(made, followed, sim=made.books.simulated, now=now)
        for key in [key for key in self._unknown if key[0] == venue_id]:
            unknown = self._unknown.pop(key)
            sim = unknown.deltas[-1].sim if unknown.deltas else made.books.simulated
            self._follow(made, unknown.followed, sim=sim, now=now)
            for delta in unknown.deltas:
                self._fold_one(made, unknown.followed, delta, now)
        return made

    def _make_books(self, venue_id: str, said: BookRuleReply) -> Books[Followed]:
        """Make the books of a venue, each of which needs to be asked for: here nothing is pushed."""
        rule = BookRule(seed="rest", chain=said.chain, depth=said.depth, seed_depth=said.seed_depth, proven=said.proven)

        def on_state(symbol: str, state: FeedState, reason: str | None) -> None:
            venue = self._venues[venue_id]
            if not venue.silent:
                self._publish_state(venue_id, symbol, state, reason, sim=venue.books.simulated)

        return Books(rule, self._pace, self.outputs.append, on_state, make=_make_maker)

    # ---- what is published
    def tick(self, *, ts: int, now: float, again: bool = False) -> None:
        """Publish the books that changed, at most once an interval; with `again` every live one."""
        before = len(self.outputs)
        for venue in self._venues.values():
            venue.books.tick(ts=ts, now=now, force=again)
        self.counts["published"] += len(self.outputs) - before

    def take_outputs(self) -> list[Parts]:
        """Return what is to be published, once."""
        taken = self.outputs.copy()
        self.outputs.clear()  # the books append to this very list
        return taken

    def count_live(self) -> int:
        """Return how many books are live."""
        return sum(venue.books.count_live() for venue in self._venues.values())

    def _publish_state(self, venue: str, symbol: str, state: FeedState, reason: str | None, *, sim: bool) -> None:
        self._statuses += 1
        now = self._clock_ns()
        status: Any = _STATUS(
            id=f"{escape_token(venue)}{_OWN}{now}.{self._statuses}",
            venue=venue,
            symbol=symbol,
            venue_symbol=None,
            ts_event=None,
            ts_recv=now,
            sim=sim,
            state=state,
            reason=reason,
            channel=CHANNEL,
        )
        subject = subjects.FEED + escape_token(venue)
        self.outputs.append(make_parts(subject, codec.encode(status), schema=_STATUS_SCHEMA, msg_id=status.id))


def _make_maker(followed: Followed, sim: bool) -> Callable[..., Parts]:  # noqa: FBT001 - as runtime.book calls it
    """Return the maker of an instrument's snapshots, as the bus gets them."""
    subject = subjects.BOOK + followed.tail

    def make(**fields: Any) -> Parts:
        event = _SNAPSHOT(
            venue=followed.venue, symbol=followed.symbol, venue_symbol=followed.venue_symbol, sim=sim, **fields
        )
        return make_parts(subject, codec.encode(event))

    return make
