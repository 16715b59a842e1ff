"""`python -m tests.producers.frames.record [venue …]`: writes the small recorded set of tests/frames.

What is recorded is what the simulated exchanges send, so that the set is the project's own. They are played without
sockets and clocks: the same code writes the same frames. Of each connection the set has everything of the first
four seconds, REST snapshots between the deltas where a book needs one (elsewhere in a file beside), and of what is
rarer the first frame of each kind and symbol. With `--expected` the frames stay, and only what they decode to is
written again.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import sys
from pathlib import Path
from typing import Any, Final

from producers.registry import VENUES
from producers.venue import BOOK, Venue
from tests.producers.frames.small_set import EXPECTED, FOLDER, LISTING, SUFFIX, describe_set
from tests.producers.playing import Connection, Exchange, Pace, Received

CALM: Final = Pace(rate=1.0, whale_every_s=(2.0, 4.0), cascade_every_s=(5.0, 10.0))
STEPS: Final = 40  # of 50 ms before the snapshots, and as many after them
RARE_STEPS, RARE_STEP_MS = 130, 500  # 65 s: what is sent once a minute is sent

Row = dict[str, Any]


def record(venue: Venue, into: Path) -> None:
    """Write the venue's files; those that it had are removed."""
    exchange = Exchange(venue, CALM)
    connections = exchange.connect()
    exchange.play(connections, STEPS)
    begins = [len(connection.received) for connection in connections]
    middles = [_request_books(exchange, connection) for connection in connections]
    exchange.play(connections, STEPS)
    ends = [len(connection.received) for connection in connections]
    lasts = [_ask_depths(exchange, connection) if venue.book.seed != "rest" else [] for connection in connections]
    exchange.play(connections, RARE_STEPS, RARE_STEP_MS)
    folder = into / venue.id
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"*{SUFFIX}"):
        path.unlink()
    write(
        folder / LISTING, [{"channel": "rest_instruments", "market": m, "raw": b.decode()} for m, b in exchange.pages]
    )
    for connection, begin, middle, end, last in zip(connections, begins, middles, ends, lasts, strict=True):
        plan, received = connection.plan, connection.received
        rows = [_row(item) for item in received[:begin]] + middle + [_row(item) for item in received[begin:end]]
        write(folder / f"{plan.market}.{plan.name}{SUFFIX}", rows + [_row(item) for item in _rare(received, end)])
        if last:
            write(folder / f"{plan.market}.{plan.name}.depth{SUFFIX}", last)


def _request_books(exchange: Exchange, connection: Connection) -> list[Row]:
    """Request the snapshots that the venue's books begin with; returns those that are answered by REST."""
    venue = exchange.venue
    for subscription in connection.plan.subscriptions:
        if venue.book_request is not None and subscription.channel == BOOK and subscription.instrument is not None:
            exchange.send(connection, venue.book_request(subscription.instrument) or "")
    return _ask_depths(exchange, connection) if venue.book.seed == "rest" else []


def _ask_depths(exchange: Exchange, connection: Connection) -> list[Row]:
    """Return the REST depth of every instrument whose book the connection carries."""
    books = [item.instrument for item in connection.plan.subscriptions if item.channel == BOOK]
    return [
        {
            "recv_ts_ns": exchange.now_us * 1000,
            "channel": "rest_depth",
            "symbol": instrument.venue_symbol,
            "raw": exchange.ask(exchange.venue.rest.depth_call(instrument)).body,
        }
        for instrument in dict.fromkeys(books)
        if instrument is not None
    ]


def _rare(received: list[Received], begin: int) -> list[Received]:
    """Of what came later return each frame that holds the first item of a kind and symbol."""
    seen = {name for item in received[:begin] for name in _names(item)}
    found: list[Received] = []
    for item in received[begin:]:
        if not _names(item) <= seen:
            found.append(item)
            seen |= _names(item)
    return found


def _names(received: Received) -> set[tuple[str, str | None]]:
    return {(item.kind, getattr(item, "symbol", None)) for item in received.decoded}


def _row(received: Received) -> Row:
    if received.frame.startswith(b"\x1f\x8b"):
        return {"recv_ts_ns": received.ts_recv, "raw_b64": base64.b64encode(received.frame).decode()}
    return {"recv_ts_ns": received.ts_recv, "raw": received.frame.decode()}


def write(path: Path, rows: list[Row]) -> None:
    """Write a recording's lines, compressed."""
    text = "".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main(arguments: list[str]) -> int:
    """Record the venues named (default: all) and write what every file decodes to: 0, or 2 for unknown venues."""
    parser = argparse.ArgumentParser(prog="python -m tests.producers.frames.record", description=__doc__)
    parser.add_argument("venues", nargs="*", help="default: all")
    parser.add_argument("--expected", action="store_true", help="keep the frames; write only what they decode to")
    parser.add_argument("--into", type=Path, default=FOLDER, help="default: tests/frames")
    options = parser.parse_args(arguments)
    if unknown := set(options.venues) - set(VENUES):
        sys.stderr.write(f"unknown venues {sorted(unknown)}; known: {', '.join(VENUES)}\n")
        return 2
    for venue_id in () if options.expected else options.venues or sorted(VENUES):
        record(VENUES[venue_id], options.into)
    described = describe_set(options.into, VENUES)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in described.items())
    (options.into / EXPECTED).write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
