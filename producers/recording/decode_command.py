"""`python -m producers decode <venue> [--market …]`: recorded frames in, normalised events out, both as JSON lines.

A line in is `{"raw": text}` or `{"raw_b64": base64 of plain or gzip bytes}`, with `recv_ts` (seconds, exact) or
`recv_ts_ns`, and `channel` "rest_depth" or "rest_audit" with `symbol` for a REST depth answer; "rest_trades", answers
that holes were filled in from, are passed over. A line out is
`{"line": n, "kind": "trade", …the event's fields}`, `n` counting lines of the input from 0. What cannot be decoded is
reported on standard error as `line n: reason`, makes the exit status 1, and keeps nothing else back.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts import codec
from contracts.errors import FrameError, UnknownVenueError
from contracts.instrument import Instrument
from contracts.symbols import find_venue
from producers.connection.frames import FrameReader
from producers.normalize.events import Makers
from producers.registry import VENUES
from producers.venue import Decoded, Venue
from runtime.app.entry import abandon

REST_DEPTH: Final = ("rest_depth", "rest_audit")
REST_TRADES: Final = "rest_trades"  # of which only those are events that were not received
_GZIP: Final = b"\x1f\x8b"
_NANOSECONDS: Final = 10**9
# What else recordings call a market; a "public" one holds all, as where an instrument's name says what it is.
_CONTRACTS: Final = frozenset({"linear", "swap", "perp", "futures"})
_SPOKEN_OF_AS: Final[dict[str, frozenset[str]]] = {
    "public": _CONTRACTS | {"spot", "inverse"},
    "futures": _CONTRACTS | {"inverse"},
    "linear": _CONTRACTS,
}


class _Line(Struct, gc=False):
    """One recorded frame; `recv_ts` is kept as the text of its number, which a float would round."""

    raw: str | None = None
    raw_b64: str | None = None
    recv_ts: Raw = Raw(b"null")
    recv_ts_ns: int | None = None
    channel: object = None
    symbol: object = None
    record: object = None  # no frame: what a recording notes beside them


_read_line: Final = msgspec.json.Decoder(_Line).decode


@dataclass(frozen=True, slots=True)
class Failed:
    """A line that could not be decoded, and why."""

    line: int
    reason: str


class RecordedFrames:
    """Decodes the lines of one recording in order; the venue's decoder remembers frames as on a live connection."""

    def __init__(self, venue: Venue, market: str) -> None:
        self._find: Callable[[str], Instrument] = cache(partial(venue.guess, market))
        makers = Makers(sim=False, recorded=True)
        self._read = FrameReader(venue.decoder(market, self._find, makers=makers), venue.rows).read
        self._decode_depth = venue.rest.decode_depth

    def lines(self, lines: Iterable[bytes]) -> Iterator[bytes | Failed]:
        """Give the output lines of each input line, and why one (or a row of it) has none; nothing for heartbeats."""
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            try:
                items = self._items(_read_line(line))
                events = [_written(number, item) for item in items if item.kind in codec.EVENTS]
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a line is reported, and the next one read
                yield _failed(number, error)
                continue
            if events:
                yield b"".join(events)
            for item in items:
                if item.kind == "unreadable":
                    yield _failed(number, item.error)

    def _items(self, line: _Line) -> Sequence[Decoded]:
        if line.record is not None or line.channel == REST_TRADES:
            return []
        frame, ts_recv = _frame(line), _ts_recv(line)
        if line.channel in REST_DEPTH:
            if not isinstance(line.symbol, str):
                raise FrameError("rest_depth: missing field `symbol`, which the answer does not carry", field="symbol")
            return [self._decode_depth(frame, self._find(line.symbol), ts_recv, sim=False)]
        return self._read(frame, ts_recv)


def _failed(number: int, error: Exception) -> Failed:
    return Failed(number, f"{type(error).__name__}: {error}")


def _written(number: int, event: Decoded) -> bytes:
    return b'{"line":%d,"kind":"%b",%b\n' % (number, event.kind.encode(), codec.encode(event)[1:])


def _frame(line: _Line) -> bytes:
    if line.raw is not None:
        return line.raw.encode()
    if line.raw_b64 is None:
        raise FrameError("missing field `raw` or `raw_b64`", field="raw")
    data = base64.b64decode(line.raw_b64, validate=True)
    return gzip.decompress(data) if data.startswith(_GZIP) else data


def _ts_recv(line: _Line) -> int:
    """Give the receive time in ns, 0 where the recording does not say."""
    if line.recv_ts_ns is not None:
        return line.recv_ts_ns
    text = bytes(line.recv_ts).decode().strip('"')
    return 0 if text == "null" else int(Decimal(text) * _NANOSECONDS)


def main(argv: list[str]) -> int:
    """Decode standard input to standard output: 0, 1 where a line could not be decoded, 2 for wrong arguments."""
    arguments = _parser().parse_args(argv)
    try:
        venue, market = _chosen(arguments.venue, arguments.market)
    except (UnknownVenueError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    failures = 0
    try:
        for out in RecordedFrames(venue, market).lines(sys.stdin.buffer):
            if isinstance(out, Failed):
                failures += 1
                sys.stderr.write(f"line {out.line}: {out.reason}\n")
            else:
                sys.stdout.buffer.write(out)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m producers decode",
        description="Decode recorded frames (JSON lines on standard input) to normalised events (JSON lines).",
    )
    parser.add_argument("venue", help=f"one of {', '.join(VENUES)}")
    parser.add_argument("--market", help="the market of the recorded connection; default: the venue's first")
    return parser


def _chosen(name: str, market: str | None) -> tuple[Venue, str]:
    try:
        venue = VENUES[find_venue(name, VENUES)]
    except UnknownVenueError as error:
        raise UnknownVenueError(f"{error}; supported: {', '.join(VENUES)}", supported_venues=list(VENUES)) from error
    if market is None:
        return venue, venue.markets[0]
    meant = [known for known in venue.markets if market == known or market in _SPOKEN_OF_AS.get(known, ())]
    if not meant:
        raise ValueError(f"{venue.id} has no market {market!r}: {', '.join(venue.markets)}")
    return venue, market if market in venue.markets else meant[0]
