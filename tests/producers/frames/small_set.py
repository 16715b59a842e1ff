"""Reads the small recorded set of tests/frames: what it holds, and what the decoders make of each of its files.

A folder a venue: `instruments.jsonl.gz` has the answers of the exchange's listing, the other files the frames of one
connection each (`….depth` the REST depth of its books, where they need none to begin with), in the form that
`python -m producers decode` reads; `expected.json` has what each file decodes to.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from contracts import codec
from contracts.instrument import Instrument
from producers.venue import Venue
from tests.producers.frames.replay import Replay, read_frame, read_rows
from tests.producers.playing import find_listed, named

FOLDER: Final = Path(__file__).resolve().parents[2] / "frames"
EXPECTED: Final = "expected.json"
LISTING: Final = "instruments.jsonl.gz"
SUFFIX: Final = ".jsonl.gz"

Listed = dict[tuple[str, str], Instrument]


def list_files(folder: Path, venue_id: str) -> list[Path]:
    """List a venue's recorded connections."""
    return sorted(path for path in (folder / venue_id).glob(f"*{SUFFIX}") if path.name != LISTING)


def read_expected_set(folder: Path) -> dict[str, Any]:
    """Return what each file decodes to, by its path below the folder."""
    return json.loads((folder / EXPECTED).read_text(encoding="utf-8"))


def market_of(path: Path) -> str:
    """Return the market of a recorded connection, which begins its name."""
    return path.name.removesuffix(SUFFIX).split(".", 1)[0]


def read_listing(folder: Path, venue: Venue) -> Listed:
    """Decode the recorded answers of an exchange's listing."""
    rows = list(read_rows(folder / venue.id / LISTING))
    pages = [(row["market"], venue.rest.decode_instruments(row["market"], read_frame(row))[0]) for row in rows]
    return {(market, item.venue_symbol): item for market, page in pages for item in named(page)}


def describe(path: Path, venue: Venue, listed: Listed) -> dict[str, Any]:
    """Decode a file: number of frames, items by kind, a digest of the events' bytes, books as they end.

    Raises AssertionError where a frame cannot be decoded, an event does not survive the bus, a book loses its
    continuity, or a checksum of the venue is not the rebuilt book's.
    """
    market = market_of(path)
    replay = Replay(venue, market, find=partial(find_listed, venue, listed, market), sim=True)
    kinds: Counter[str] = Counter()
    digest = hashlib.sha256()
    frames = agreed = 0
    for line in replay.lines(path):
        assert line.error is None, f"{path.name}, line {line.number}: {line.error}"
        frames += 1
        agreed += line.agreed
        kinds.update(line.controls)
        kinds.update(event.kind for event in line.events)
        for event in line.events:
            body = codec.encode(event)
            assert codec.encode(codec.decoder(codec.EVENTS[event.kind]).decode(body)) == body, (
                f"{path.name}, line {line.number}"
            )
            digest.update(body + b"\n")
    broken = {name: book.broken for name, book in replay.books.items() if book.broken or not book.seeded}
    assert not broken, f"{path.name}: {broken}"
    assert agreed == kinds["proof"], f"{path.name}: {agreed} of {kinds['proof']} checksums agree"
    books = {name: [*map(_as_json, book.top()), book.seq] for name, book in sorted(replay.books.items())}
    return {"frames": frames, "kinds": dict(sorted(kinds.items())), "sha256": digest.hexdigest(), "books": books}


def _as_json(item: Any) -> Any:
    """Return a level as JSON has it."""
    return list(item) if isinstance(item, tuple) else item


def describe_set(folder: Path, venues: Mapping[str, Venue]) -> dict[str, Any]:
    """Describe every recorded connection, and how many instruments each listing has."""
    described: dict[str, Any] = {}
    for venue_id in sorted(venues):
        listed = read_listing(folder, venues[venue_id])
        described[f"{venue_id}/{LISTING}"] = describe_listing(listed)
        for path in list_files(folder, venue_id):
            described[f"{venue_id}/{path.name}"] = describe(path, venues[venue_id], listed)
    return described


def describe_listing(listed: Listed) -> dict[str, Any]:
    """Return the number of instruments and a digest of all that is known of them."""
    text = "\n".join(f"{market} {item!r}" for (market, _), item in sorted(listed.items(), key=lambda pair: pair[0]))
    return {"instruments": len(listed), "sha256": hashlib.sha256(text.encode()).hexdigest()}
