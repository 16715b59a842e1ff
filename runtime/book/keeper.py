"""The order book and its continuity rules, pure: buffer, snapshot, deltas; a gap asks for a new seed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from runtime.book.sides import BookSide, NoSide

if TYPE_CHECKING:
    from runtime.book.rule import BookRule

MOST_IGNORED: Final = 200  # deltas in a row that are older than the book
MOST_WAITING: Final = 20_000  # deltas kept for one book: minutes of the busiest one


class Change(Enum):
    """What a delta or a snapshot did to a book."""

    APPLIED = "applied"
    BUFFERED = "buffered"
    IGNORED = "ignored"  # duplicate, or older than what is held
    GAP = "gap"  # continuity lost: the book needs a new seed
    TOO_OLD = "too_old"  # the REST snapshot does not reach the buffered deltas: fetch another


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, and why where it was no plain success."""

    change: Change
    reason: str | None = None


_APPLIED: Final = Outcome(Change.APPLIED)
_BUFFERED: Final = Outcome(Change.BUFFERED)
_IGNORED: Final = Outcome(Change.IGNORED)


class BookKeeper:
    """One instrument's book, kept by its venue's rule. It is `live` only while its continuity is proven.

    Where a snapshot holds only the top (`seed_depth`), levels beyond its last ones are not taken from deltas: what lies
    between is not known. A side that becomes `thin` by that is filled by the next snapshot, while the book stays live.

    A book may be `crossed` for a moment: venues send an order before the trades that it makes. While its numbering is
    unbroken nothing was lost by that, and it goes on (its owner does not publish it meanwhile); without a numbering it
    is a gap.

    Where it is not `kept` it has no levels, and only the numbers are judged: another process has the book.
    """

    def __init__(self, rule: BookRule, *, max_buffer: int = MOST_WAITING, kept: bool = True) -> None:
        self.rule = rule
        side = BookSide if kept else NoSide
        self.bids: BookSide = side(1)
        self.asks: BookSide = side(-1)
        self.live = False
        self.seq: int | None = None
        self.ts_event: int | None = None
        self.ts_recv = 0
        self.unit = "base"
        self.refilling = False  # live, and waiting for another snapshot
        self._fresh = False  # seeded by REST and not yet joined to the deltas
        self._ignored = 0
        self.limited = rule.seed_depth is not None  # a snapshot holds only the top
        self._chained = rule.chain != "none"
        self._tolerates = rule.chain != "none" or rule.proven
        self._edges: tuple[float | None, float | None] = (None, None)  # the worst price known; None: the side is whole
        self._buffer: deque[Any] = deque(maxlen=max_buffer)

    @property
    def crossed(self) -> bool:
        """Whether the best bid reaches the best ask, which no real book does."""
        bid = self.bids.best()
        return bid is not None and (ask := self.asks.best()) is not None and bid >= ask

    @property
    def thin(self) -> bool:
        """Whether half of a side of which only the top was known is gone, and nothing was done about it yet."""
        if not self.live or self.refilling or self.rule.seed_depth is None:
            return False
        least = self.rule.seed_depth // 2
        sides = zip((self.bids, self.asks), self._edges, strict=True)
        return any(edge is not None and len(side) < least for side, edge in sides)

    def edge(self, sign: int) -> float | None:
        """Return the worst price that is known of a side (1: bids, -1: asks); None where the side is whole."""
        return self._edges[0 if sign > 0 else 1]

    def refill(self) -> None:
        """Keep the deltas from now on, so that a snapshot can be joined to them; too many push the oldest out."""
        self.refilling = True
        self._buffer.clear()

    def reset(self) -> None:
        """Forget the book: a new connection, or a gap."""
        self.live = self.refilling = False
        self.seq = None
        self._buffer.clear()
        self.bids.replace(())
        self.asks.replace(())

    def on_delta(self, delta: Any) -> Outcome:
        """Fold one `delta` event (or a `book` event that the venue pushed as a whole)."""
        if delta.is_snapshot:
            return self._seed(delta, fresh=False)
        if not self.live:
            if self.rule.seed == "ws":
                return _IGNORED
            return self._keep(delta)
        seq = self.seq
        if self._chained and seq is not None and not delta.prev_seq == seq < delta.seq:
            verdict = self._continues(delta, seq)
            if verdict is not None:
                return verdict
        if self.refilling:
            self._buffer.append(delta)
        self._apply(delta)
        return _APPLIED if self._tolerates or not self.crossed else self.lose("crossed")

    def on_snapshot(self, snapshot: Any) -> Outcome:
        """Fold a REST snapshot (`book` event) and the deltas that were buffered meanwhile.

        One that ends before the first of these is TOO_OLD (vendors cache theirs for many seconds): they are kept, and
        a later one will join.
        """
        if self.live and not self.refilling:
            return _IGNORED
        first = self._buffer[0].prev_seq if self._buffer else self.seq
        if first is not None and snapshot.seq is not None and snapshot.seq < first:
            return Outcome(Change.TOO_OLD, f"snapshot {snapshot.seq} ends before the first delta continues {first}")
        waiting = list(self._buffer)
        outcome = self._seed(snapshot, fresh=True)
        self._ignored = -len(waiting)
        for delta in waiting:
            if outcome.change is Change.GAP:
                return outcome
            outcome = self.on_delta(delta)
        self._ignored = 0
        return outcome if outcome.change is Change.GAP else _APPLIED

    def list_after(self, snapshot: Any) -> list[Any]:
        """Return the deltas that were kept while a snapshot was asked for, and that are not in it."""
        last = snapshot.seq
        return [delta for delta in self._buffer if last is None or delta.seq is None or delta.seq > last]

    def on_proof(self, expected: int, computed: int) -> Outcome:
        """Compare the venue's checksum of this book with ours."""
        return _APPLIED if expected == computed else self.lose(f"checksum {computed} is not the venue's {expected}")

    def _keep(self, delta: Any) -> Outcome:
        waiting = self._buffer
        if len(waiting) == waiting.maxlen:
            return self.lose(f"more than {waiting.maxlen} deltas while waiting for a snapshot")
        if waiting and delta.seq is not None and delta.seq < waiting[-1].seq:
            waiting.clear()  # the numbering began again: no snapshot joins what was kept of the last one
        waiting.append(delta)
        return _BUFFERED

    def _seed(self, whole: Any, *, fresh: bool) -> Outcome:
        self._buffer.clear()
        self.refilling = False
        self.bids.replace(whole.bids, self.rule.depth)
        self.asks.replace(whole.asks, self.rule.depth)
        depth = self.rule.seed_depth if fresh else None
        self._edges = (_edge(self.bids, depth), _edge(self.asks, depth))
        self.seq, self.unit = whole.seq, whole.unit
        self.ts_event, self.ts_recv = whole.ts_event, whole.ts_recv
        self.live, self._fresh = True, fresh
        self._ignored = 0
        return _APPLIED

    def _continues(self, delta: Any, held: int) -> Outcome | None:
        """Decide whether the delta continues the book (None), whose number is `held`, is old, or shows a gap."""
        seq, prev = delta.seq, delta.prev_seq
        exact = self.rule.chain == "exact"
        if seq < held and prev != held:
            if exact and prev is not None and seq < prev:
                return self.lose(f"the sequence began again at {seq} after {prev}")
            return self._old()
        if seq == held and not (exact and (self._fresh or prev == seq)):
            return _IGNORED
        if prev is None:
            return self.lose(f"what {seq} continues was not received")
        joins = prev == held or (prev < held and (self._fresh or not exact))
        return None if joins else self.lose(f"{prev} does not continue {held}")

    def _old(self) -> Outcome:
        """Ignore a delta older than the book; a row of them without end says that the numbering is another one."""
        self._ignored += 1
        if self._ignored > MOST_IGNORED:
            return self.lose(f"{MOST_IGNORED} deltas in a row are older than {self.seq}")
        return _IGNORED

    def _apply(self, delta: Any) -> None:
        self._fresh = False
        self._ignored = 0
        worst_bid, worst_ask = self._edges
        self.bids.apply(delta.bids, worst_bid, self.rule.depth)
        self.asks.apply(delta.asks, worst_ask, self.rule.depth)
        if delta.seq is not None:
            self.seq = delta.seq
        if delta.ts_event is not None:
            self.ts_event = delta.ts_event
        self.ts_recv = delta.ts_recv

    def lose(self, reason: str) -> Outcome:
        """Forget the book, whose continuity is lost for this reason."""
        self.reset()
        return Outcome(Change.GAP, reason)


def _edge(side: BookSide, depth: int | None) -> float | None:
    """Return the worst price of a side of which there may be more; None where it is whole."""
    return side.worst() if depth is not None and len(side) >= depth else None
