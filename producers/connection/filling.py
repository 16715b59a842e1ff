"""Trades of one connection that a cut or a hole hid: which are to be fetched, what is published of them, what is said.

It opens no socket and reads no clock: the feed fetches the rows, and a recording replays them.

A few lines over the usual length of a file: every input of a connection may begin, end or move a hole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from msgspec.structs import replace

from contracts import codec
from contracts.instrument import Instrument
from contracts.subjects import TRADE as SUBJECT
from producers.connection.frames import UNDECODABLE
from producers.connection.interfaces import TradesAnswer
from producers.connection.trade_fill import Counted, Edge, Fill, count_missing, edge_of, find_before, whole_range
from producers.connection.trade_gaps import Hole
from producers.connection.wanted import Wanted
from producers.normalize.messages import RECENT, Message, Route
from producers.normalize.writer import write_event
from producers.venue import History, Unreadable, Venue

CUT: Final = "the connection was cut"
UNREACHED: Final = "the venue's history does not reach them, or could not be had"
MOST_LATE: Final = 1000  # ids of trades that were filled in and may come by the stream yet
WATCHED_AFTER: Final = 200  # trades of the stream after that


class SayFilled(Protocol):
    """Publishes what was filled in of an instrument's trades, and what is missing."""

    def __call__(self, symbol: str, reason: str, filled: list[Any], missing: list[Any]) -> None:
        """`filled` and `missing` are fast TradeRanges."""
        ...


@dataclass(slots=True)
class _Late:
    """Ids that were filled in, and for how many trades of the stream they are looked for."""

    ids: set[str]
    left: int = WATCHED_AFTER


@dataclass(slots=True)
class _Cut:
    """What was received of an instrument before a cut; `cause` is why trades after it may be missing.

    `passed` are ids that came after it with times of before it: they are received, and show no end of the hole.
    """

    recent: Sequence[Message]
    cause: str
    passed: set[str] = field(default_factory=set[str])


class TradeFiller:
    """The holes of one connection's trades. `watched` are the instruments whose trades are looked at one by one.

    `publish` takes messages, `say` what was done; `find` returns the instrument of a venue's symbol. `filled` and
    `missing` count trades. Times `ts` are ns UTC of the session's inputs.
    """

    def __init__(
        self,
        venue: Venue,
        find: Callable[[str], Instrument],
        publish: Callable[[Message], None],
        say: SayFilled,
    ) -> None:
        self.watched: set[str] = set()
        self.filled = self.missing = 0
        self.wanted: list[Wanted] = []
        self._venue, self._find, self._publish, self._say = venue, find, publish, say
        self._counted: Counted = venue.trades_counted
        self._cuts: dict[str, _Cut] = {}
        self._recent: dict[str, deque[Message]] = {}  # of this connection
        self._before: dict[str, tuple[Message, ...]] = {}  # of the last one, where the venue continues its streams
        self._late: dict[str, _Late] = {}

    # ---- the stream
    def on_route(self, route: Route) -> None:
        """A connection's first trade of an instrument came."""
        self._recent[route.symbol] = route.recent
        self._before.pop(route.symbol, None)

    def on_close(self) -> None:
        """The connection is gone: what comes next may lie behind a hole, unless the venue continues its streams."""
        for symbol, recent in self._recent.items():
            if recent and self._venue.resume is not None:
                self._before[symbol] = tuple(recent)  # the venue may say that it cannot
            elif recent:
                earlier = self._cuts.get(symbol)
                if earlier is None:
                    self._cuts[symbol] = _Cut(tuple(recent), CUT)
                else:
                    again = [item for item in recent if item.event.id not in earlier.passed]
                    earlier.recent = (*earlier.recent, *again)[-RECENT:]
                self.watched.add(symbol)
            recent.clear()  # a route and its messages refer to each other
        self._recent = {}
        self._drop_open(None)
        for wanted in self.wanted:
            wanted.taken = wanted.fill.is_followed = False

    def on_confirmed(self, *, ts: int) -> None:
        """Every stream goes on: what a cut hid is wanted, also of instruments of which no trade comes."""
        self._drop_open(None)
        for symbol, cut in self._cuts.items():
            self._begin(symbol, cut.recent, None, Hole(cut.cause), ts=ts, passed=cut.passed)

    def on_gap(self, symbol: str | None, reason: str, *, ts: int) -> None:
        """The decoder says that trades were lost, of one instrument or of any."""
        for name in {**self._recent, **self._before} if symbol is None else [symbol]:
            recent = self._recent.get(name) or self._before.get(name)
            if recent and name not in self._cuts:
                self._cuts[name] = _Cut(tuple(recent), reason)
                for wanted in self._wanted_of(name):
                    wanted.fill.is_followed = False
                self.watched.add(name)
                self._begin(name, tuple(recent), None, Hole(reason), ts=ts)

    def on_heartbeat(self, symbol: str, hole: Hole, *, ts: int) -> None:
        """A heartbeat names a trade that has not come."""
        cut = self._cuts.pop(symbol, None)
        self._drop_open(symbol)
        recent = cut.recent if cut is not None else tuple(self._recent.get(symbol, ()))
        if recent:
            self._begin(symbol, recent, None, hole, ts=ts)

    def on_trade(self, message: Message, hole: Hole | None, *, ts: int) -> bool:
        """Take a trade of the stream that is to be looked at; returns whether it is to be published."""
        symbol, trade = message.symbol, message.event
        if symbol in self._late and self._is_filled(symbol, trade.id):
            return False
        open_ones = [wanted.fill for wanted in self._wanted_of(symbol)]
        if any(trade.id in fill.before_ids for fill in open_ones):
            return False
        for fill in open_ones:
            fill.on_trade(trade.id)
        cut = self._cuts.get(symbol)
        if cut is not None:
            return self._on_trade_after(cut, message, trade, hole, ts=ts)
        recent = self._recent.get(symbol)
        if hole is not None and recent is not None and len(recent) > 1:
            self._begin(symbol, tuple(recent)[:-1], message, hole, ts=ts)
        return True

    def _is_filled(self, symbol: str, trade_id: str) -> bool:
        """Return whether a trade of the stream was filled in before it came."""
        late = self._late[symbol]
        late.left -= 1
        if late.left <= 0:
            del self._late[symbol]
            self._unwatch(symbol)
        return trade_id in late.ids

    def _drop_open(self, symbol: str | None) -> None:
        """Fetch no more of open holes, of one instrument or of all: where they end is known now, or they go on."""
        for wanted in [one for one in self._wanted_of(symbol) if one.fill.is_open]:
            wanted.fill.next = "done"
            self.wanted.remove(wanted)

    def _wanted_of(self, symbol: str | None) -> list[Wanted]:
        """Return the holes of an instrument that are open, the oldest first; those of all for None."""
        return [one for one in self.wanted if symbol is None or one.instrument.symbol == symbol]

    def _unwatch(self, symbol: str) -> None:
        """Watch an instrument no more, unless something else is to be looked for."""
        if not self._wanted_of(symbol) and symbol not in self._cuts and symbol not in self._late:
            self.watched.discard(symbol)

    def _on_trade_after(self, cut: _Cut, message: Message, trade: Any, hole: Hole | None, *, ts: int) -> bool:
        """Take a trade after a cut: what the venue sends again does not end it."""
        symbol = message.symbol
        before = [item.event for item in cut.recent if item is not message]
        if any(trade.id == one.id for one in before):
            return False
        edge, first = find_before(before, self._counted), edge_of(trade, self._counted)
        if hole is None and (first.number or 0, first.ts) < (edge.number or 0, edge.ts):
            cut.passed.add(trade.id)
            return True
        del self._cuts[symbol]
        self._drop_open(symbol)
        if hole is None and first.number is not None:
            self._unwatch(symbol)
            self._tell(symbol, cut.cause, [whole_range((), edge.ts, first.ts)], [])
        else:
            self._begin(symbol, cut.recent, message, hole or Hole(cut.cause), ts=ts, passed=cut.passed)
        return True

    def _begin(
        self,
        symbol: str,
        recent: Sequence[Message],
        after: Message | None,
        hole: Hole,
        *,
        ts: int,
        passed: AbstractSet[str] = frozenset(),
    ) -> None:
        """Want the trades between those received before a hole and the first one after it, None where none came."""
        before = [item.event for item in recent if item is not after]
        first, counted = None if after is None else after.event, self._counted
        if hole.last is None and first is not None and _begins_again(before, first, counted):
            counted = None
        newest, late = find_before(before, counted), self._late.get(symbol)
        if hole.first is not None and counted is not None:
            newest = Edge(newest.ts, max(hole.first - 1, newest.number or 0))  # some may be filled in already
            if hole.last is not None and newest.number is not None and newest.number >= hole.last:
                self._unwatch(symbol)
                end = newest if first is None else edge_of(first, counted)
                self._tell(symbol, hole.reason, [whole_range((), newest.ts, end.ts)], [])
                return
        fill = Fill(
            before=newest,
            after=None if first is None else edge_of(first, counted),
            before_ids={one.id for one in before} | (late.ids if late is not None else set()),
            after_ids=set() if first is None else {first.id},
            counted=counted,
            last=None if after is not None else hole.last,
            known_ts=ts,
            passed=passed,
        )
        wanted = Wanted(self._find(before[-1].venue_symbol), fill, hole.reason)
        history = self._venue.rest.history
        if history is None or not history.same_trade_ids:
            if fill.is_open:
                return  # it is named when its end is known
            self._close(wanted, [], "the venue's history does not name trades as its stream does")
            return
        self.wanted.append(wanted)
        self.watched.add(symbol)

    # ---- what the feed does
    def take_due(self) -> list[Wanted]:
        """Return the holes whose trades nobody fetches yet."""
        due: list[Wanted] = []
        busy = {wanted.instrument.symbol for wanted in self.wanted if wanted.taken}
        for wanted in self.wanted:
            if wanted.instrument.symbol not in busy:
                busy.add(wanted.instrument.symbol)
                wanted.taken = True
                due.append(wanted)
        return due

    def on_answer(self, answer: TradesAnswer) -> None:
        """Take rows of an instrument's history, or that they could not be had: they are of its oldest hole."""
        symbol, history = answer.instrument.symbol, self._venue.rest.history
        wanted = next(iter(self._wanted_of(symbol)), None)
        if wanted is None or history is None:
            return
        rows = None if answer.body is None else _read(answer, answer.body, history)
        if rows is None:
            wanted.fill.on_failure()
        else:
            good = [row for row in rows if not isinstance(row, Unreadable) and _is_good(row, answer.instrument)]
            pageable = history.older_trades_call is not None
            wanted.fill.on_rows(good, pageable=pageable, unreadable=len(good) < len(rows))
        if wanted.fill.next == "done":
            self.wanted.remove(wanted)
            found = wanted.fill.take_found()
            self._publish_late(wanted.instrument, found)
            self._close(wanted, found, f"{UNREACHED}; the next trade tries again" if wanted.fill.is_open else UNREACHED)

    def _publish_late(self, instrument: Instrument, found: Sequence[Any]) -> None:
        late = [write_event(replace(trade, backfilled=True), instrument.tail) for trade in found]
        for message in late:
            self._publish(message)
        self.filled += len(found)
        cut = self._cuts.get(instrument.symbol)
        if cut is not None:  # what comes next lies behind these
            cut.recent = (*cut.recent, *late)[-RECENT:]
        if found:
            ids, earlier = {trade.id for trade in found[-MOST_LATE:]}, self._late.get(instrument.symbol)
            if earlier is not None and len(earlier.ids) <= MOST_LATE:
                ids |= earlier.ids
            self._late[instrument.symbol] = _Late(ids)
            for one in self._wanted_of(instrument.symbol):
                one.fill.before_ids |= ids

    def _close(self, wanted: Wanted, found: Sequence[Any], why: str) -> None:
        symbol = wanted.instrument.symbol
        filled, missing = wanted.fill.ranges(found)
        self._unwatch(symbol)
        self._tell(symbol, f"{wanted.cause}; {why}" if missing else wanted.cause, filled, missing)

    def _tell(self, symbol: str, reason: str, filled: list[Any], missing: list[Any]) -> None:
        self.missing += count_missing(missing)
        self._say(symbol, reason, filled, missing)


def _is_good(trade: Any, instrument: Instrument) -> bool:
    """Return whether the bus accepts a trade of a venue's history."""
    try:
        codec.decode(SUBJECT + instrument.tail, codec.encode(trade))
    except codec.UNDECODABLE:
        return False
    return trade.ts_event is not None


def _read(answer: TradesAnswer, body: bytes, history: History) -> list[Any] | None:
    """Return the rows of an answer; None for one that cannot be read at all."""
    try:
        return history.decode_trades(body, answer.instrument, ts_recv=answer.ts_recv, sim=answer.simulated)
    except UNDECODABLE:
        return None


def _begins_again(before: Sequence[Any], first: Any, counted: Counted) -> bool:
    """Return whether the venue's numbers began again between those before a hole and the first one after it."""
    number, newest = edge_of(first, counted).number, find_before(before, counted).number
    return number is not None and newest is not None and number <= newest
