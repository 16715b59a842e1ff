"""Jobs from the small set of frames in the repository (tests/frames): every venue, as our simulated exchanges send it.

They stand for venues without recordings that both sides read, and for all of them where there are no recordings.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from contracts.codec import EVENTS
from contracts.errors import SymbolSyntaxError
from producers.normalize.events import Makers
from producers.registry import VENUES
from producers.venue import Venue
from tests.bench.recordings import Job, as_text

FRAMES = Path(__file__).resolve().parents[1] / "frames"
CHANNELS = {"trade": "trade", "ticker": "ticker", "delta": "book"}
LEAST = 3
# What cryptofeed 3 reads of these. Not: KuCoin (it reads another protocol), Bitfinex (it numbers every frame of a
# connection), Hyperliquid's and Kraken Futures' tickers (other channels), Gate's and HTX's contracts (other fields),
# and books that it seeds by REST on its own.
READ = {
    "kraken-spot": {"trade", "ticker", "book"},
    "deribit-public": {"trade", "ticker", "book"},
    "krakenfutures-futures": {"trade"},
    "hyperliquid-public": {"trade"},
    "gate-spot": {"trade"},
    "htx-spot": {"trade"},
}


def jobs(without: Iterable[str] = ()) -> list[Job]:
    """A job for each venue, market and channel; `without` venues that have better frames."""
    skipped, found = set(without), list[Job]()
    for path in sorted(FRAMES.glob("*/*.jsonl.gz")):
        venue, market = VENUES.get(path.parent.name), path.name.split(".")[0]
        if venue is None or venue.id in skipped or ".depth." in path.name or market == "instruments":
            continue
        found += _of(venue, market, _frames(path))
    return list({job.id: job for job in found}.values())


def chain_jobs() -> list[Job]:
    """Binance's trades and tickers for the way from the socket to the bus: too few for a target."""
    wanted = [job for job in jobs() if job.id in {"binance-spot-trade", "binance-spot-ticker"}]
    return [replace(job, id=f"chain-{job.channel}s", label=f"{job.channel}s, simulated frames") for job in wanted]


def _frames(path: Path) -> list[bytes]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    told = [row for row in rows if row.get("channel") != "rest_depth"]
    return [base64.b64decode(row["raw_b64"]) if "raw_b64" in row else row["raw"].encode() for row in told]


def _of(venue: Venue, market: str, frames: list[bytes]) -> list[Job]:
    """Frames by the first event that our decoder makes of them, those of the busiest instrument."""
    find = cache(partial(venue.guess, market))
    decoder = venue.decoder(market, find, makers=Makers(sim=True, recorded=True))
    control: list[bytes] = []
    events: dict[str, list[tuple[Any, bytes]]] = defaultdict(list)
    for frame in frames:
        try:
            event = next(iter(decoder.decode(frame, 1)), None)
        except SymbolSyntaxError:
            continue  # an instrument that only the venue's listing names
        if event is None or event.kind not in EVENTS:
            control.append(frame)
        elif event.kind in CHANNELS and event.symbol:
            events[event.kind].append((event, frame))
    return [job for kind, told in events.items() if (job := _job(venue, market, (kind, told), control)) is not None]


def _job(venue: Venue, market: str, about: tuple[str, list[tuple[Any, bytes]]], control: list[bytes]) -> Job | None:
    kind, told = about
    channel = CHANNELS[kind]
    name = Counter(event.venue_symbol for event, _ in told).most_common(1)[0][0]
    kept = [(event, frame) for event, frame in told if event.venue_symbol == name]
    kept = kept if channel == "book" else kept[1:]  # some venues begin with what was before
    seed: list[bytes] = []
    if channel == "book":
        at = next((number for number, (event, _) in enumerate(kept) if event.is_snapshot), None)
        if at is None:
            return None  # its book is seeded by REST
        seed, kept = [kept[at][1]], kept[at + 1 :]
    if len(kept) < LEAST:
        return None
    instrument = venue.guess(market, name)
    read = READ.get(f"{venue.id}-{market}", set[str]())
    return Job(
        id=f"{venue.id}-{market}-{channel}",
        venue=venue.id,
        market=market,
        channel=channel,
        label=f"{venue.id} {market}, simulated frames",
        seed=[as_text(frame) for frame in (*control, *seed)],
        peer_seed=[as_text(frame) for frame in seed],
        frames=[as_text(frame) for _, frame in kept],
        symbols=[[name, instrument.base, instrument.quote]],
        ccxt=venue.id,
        perp=instrument.contract != "spot",
        compared=channel in read,
        peers=("cryptofeed",) if channel in read else (),
    )
