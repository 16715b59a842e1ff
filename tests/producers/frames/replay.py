"""Replays a recording through a venue's decoder, line by line, and keeps books from the events alone.

The book here is a dictionary of its own, independent of the product's: it judges the decoders' events by the rule that
the bus promises ("a delta continues the book when its prev_seq is the last seq").
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from contracts.codec import EVENTS
from contracts.errors import HydrophoneError
from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.venue import BookRule, Venue

ROOT = Path(__file__).resolve().parents[3].parent / "shared" / "frames" / "dev"


@dataclass(slots=True)
class Book:
    """Levels by price, `(price, amount)` as text; deltas wait in `buffer` until the first snapshot."""

    rule: BookRule
    sides: tuple[dict[Decimal, tuple[str, str]], dict[Decimal, tuple[str, str]]] = field(
        default_factory=lambda: ({}, {})
    )
    seq: int | None = None
    seeded: bool = False
    rest_seeded: bool = False
    broken: str | None = None
    buffer: list[Any] = field(default_factory=list)
    at_seed: tuple[Any, ...] = ()
    asked: bool = False

    def on_event(self, event: Any, *, asked: bool = False) -> None:
        """Fold one `book` or `delta`; `asked`: the book was answered on the socket itself."""
        if event.kind == "book" or event.is_snapshot:
            self.asked = asked
            self._replace(event)
        elif not self.seeded:
            self.buffer.append(event)
        else:
            self._continue(event)

    def _replace(self, event: Any) -> None:
        for side in self.sides:
            side.clear()
        self._write(event)
        self.seq, self.seeded, self.broken = event.seq, True, None
        self.rest_seeded = event.kind == "book"
        self.at_seed = self.top()
        waiting, self.buffer = self.buffer, []
        for delta in waiting if self.rest_seeded else ():
            self._continue(delta)

    def _continue(self, delta: Any) -> None:
        if delta.seq is not None and self.seq is not None:
            # Older than the REST snapshot; where changes are chained exactly the one that ends at it still applies
            # (https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams), but for
            # a snapshot out of the same socket, which has it.
            if self.rest_seeded and delta.seq < self.seq + (self.rule.chain != "exact" or self.asked):
                return
            # Null: the venue's numbers have a hole before it, as where a recording was cut down to some instruments.
            spans = delta.prev_seq is None or delta.prev_seq <= self.seq
            exact = delta.prev_seq in {None, self.seq}
            if not (
                exact or (spans and (self.rule.chain == "overlap" or self.rest_seeded)) or self.rule.chain == "none"
            ):
                self.broken = f"prev_seq {delta.prev_seq} does not continue {self.seq}"
        if self.rule.chain == "exact":
            self.rest_seeded = False  # only the first delta after a REST snapshot may reach back before it
        self._write(delta)
        self.seq = delta.seq if delta.seq is not None else self.seq

    def _write(self, event: Any) -> None:
        for side, levels in zip(self.sides, (event.bids, event.asks), strict=True):
            for price, amount in levels:
                if amount == "0":
                    side.pop(Decimal(price), None)
                else:
                    assert Decimal(amount) > 0, f"amount {amount!r} in {event.id}"
                    side[Decimal(price)] = (price, amount)
        if self.rule.depth is not None:
            for side, is_bids in zip(self.sides, (True, False), strict=True):
                for price in sorted(side, reverse=is_bids)[self.rule.depth :]:
                    del side[price]

    def top(self) -> tuple[Any, ...]:
        """Give best bid, best ask, and the number of levels of each."""
        bids, asks = self.sides
        return (bids[max(bids)] if bids else None, asks[min(asks)] if asks else None, len(bids), len(asks))

    def levels(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """List both sides, best first."""
        bids, asks = self.sides
        return [bids[price] for price in sorted(bids, reverse=True)], [asks[price] for price in sorted(asks)]


@dataclass(frozen=True, slots=True)
class Line:
    """What one recorded frame became."""

    number: int
    raw: str
    events: list[Any]
    error: str | None
    agreed: int = 0  # checksums of the venue that the rebuilt book has as well
    controls: tuple[str, ...] = ()  # kinds of what is no event: acknowledgements, pongs, checksums


@dataclass(slots=True)
class Replay:
    """A venue's decoder with the books that its events make.

    `find`: names the instruments, where the venue's listing was recorded as well; `sim`: the exchange was simulated.
    """

    venue: Venue
    market: str
    books: dict[str, Book] = field(default_factory=dict)
    depth: int | None = None
    find: Callable[[str], Instrument] | None = None
    sim: bool = False

    def seed(self, path: Path) -> None:
        """Fold a file of REST depth answers."""
        for row in read_rows(path):
            self._fold(self._snapshot(row))

    def lines(self, path: Path) -> Iterator[Line]:
        """Decode each line and fold its books; the caller looks at `books` after each."""
        decoder = self.venue.decoder(self.market, cache(self._find), makers=Makers(sim=self.sim))
        for number, row in enumerate(read_rows(path)):
            frame = read_frame(row)
            try:
                if row.get("channel") == "rest_depth":
                    items = [self._snapshot(row)]
                else:
                    items = list(decoder.decode(frame, _ts_recv(row)))
            except (HydrophoneError, ValueError) as error:  # msgspec's errors are ValueErrors
                yield Line(number, frame.decode(), [], str(error))
                continue
            agreed = 0
            for item in items:
                if item.kind in {"book", "delta"}:
                    self._fold(item, asked=row.get("channel") != "rest_depth")
                agreed += item.kind == "proof" and self._agrees(item)
            controls = tuple(item.kind for item in items if item.kind not in EVENTS)
            yield Line(number, frame.decode(), [item for item in items if item.kind in EVENTS], None, agreed, controls)

    def _find(self, venue_symbol: str) -> Instrument:
        return self.venue.guess(self.market, venue_symbol) if self.find is None else self.find(venue_symbol)

    def _rule(self) -> BookRule:
        return self.venue.book if self.depth is None else replace(self.venue.book, depth=self.depth)

    def _snapshot(self, row: dict[str, Any]) -> Any:
        instrument = self._find(row["symbol"])
        return self.venue.rest.decode_depth(read_frame(row), instrument, _ts_recv(row), sim=self.sim)

    def _agrees(self, proof: Any) -> bool:
        method = self.venue.checksum
        bids, asks = self.books[proof.instrument.venue_symbol].levels()
        return method is not None and method.compute(bids[: method.depth], asks[: method.depth]) == proof.checksum

    def _fold(self, event: Any, *, asked: bool = False) -> None:
        self.books.setdefault(event.venue_symbol, Book(self._rule())).on_event(event, asked=asked)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read a recording's lines, compressed or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line, parse_float=Decimal)


def read_frame(row: dict[str, Any]) -> bytes:
    """Return the text of a line's frame."""
    if row.get("raw") is not None:
        return row["raw"].encode()
    data = base64.b64decode(row["raw_b64"])
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _ts_recv(row: dict[str, Any]) -> int:
    return int(row.get("recv_ts_ns") or Decimal(row["recv_ts"] or 0) * 10**9)
